"""What every stored answer meets, as SQL that SQLite and PostgreSQL both understand.

The rule: a value that no form would accept is refused from every door. What is only odd is stored and asked about.
"""

from collections.abc import Iterable

from trial.code_lists import CodeList

FIRST_YEAR, LAST_YEAR = (
    1900,
    2100,
)  # nothing in a trial lies outside, and every tool on the way out can hold these years

_LEAP = ", ".join(f"'{year:02}'" for year in range(0, 100, 4))


def literal(text: str) -> str:
    """The text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def between(column: str, low: float | None, high: float | None) -> str | None:
    """The limits of a number, both included. None where there is no limit."""
    checks = [f"{column} >= {low}"] if low is not None else []
    checks += [f"{column} <= {high}"] if high is not None else []
    return " AND ".join(checks) or None


def one_of(column: str, codes: CodeList) -> str | None:
    """One code of a list. None for an empty list."""
    return f"{column} IN ({', '.join(literal(code) for code, _ in codes)})" if codes else None


def list_of(column: str, codes: CodeList) -> str:
    """A JSON list that holds nothing but codes of a list: without them, commas and blanks are left."""
    inside = f"CAST({column} AS text)"
    for code, _ in codes:
        inside = f"replace({inside}, {literal(chr(34) + code + chr(34))}, '')"
    text = f"CAST({column} AS text)"
    return f"substr({text}, 1, 1) = '[' AND ltrim(replace(replace({inside}, '[', ''), ']', ''), ', ') = ''"


def object_of_text(column: str) -> str:
    """A JSON object."""
    return f"substr(CAST({column} AS text), 1, 1) = '{{'"


def day_in_range(column: str) -> str:
    """A date or a moment in the years that a trial can touch."""
    return f"{column} >= '{FIRST_YEAR}-01-01' AND {column} < '{LAST_YEAR + 1}-01-01'"


def partial_date(column: str, lengths: Iterable[int]) -> str:
    """ISO 8601 text of one of these lengths that is in the calendar, as far as it goes."""
    year, month, day = f"substr({column}, 1, 4)", f"substr({column}, 6, 2)", f"substr({column}, 9, 2)"
    hour, minute = f"substr({column}, 12, 2)", f"substr({column}, 15, 2)"
    marks = " || ".join(f"substr({column}, {place}, 1)" for place in (5, 8, 11, 14))
    leap_february = (
        f"CASE WHEN substr({column}, 3, 2) IN ({_LEAP}) AND {year} NOT IN ('1900', '2100') THEN '29' ELSE '28' END"
    )
    last_day = f"CASE WHEN {month} IN ('04', '06', '09', '11') THEN '30' WHEN {month} = '02' THEN {leap_february} ELSE '31' END"
    return " AND ".join(
        (
            f"length({column}) IN ({', '.join(map(str, lengths))})",
            f"ltrim({year} || {month} || {day} || {hour} || {minute}, '0123456789') = ''",
            f"{marks} IN ('', '-', '--', '--T:')",
            f"{year} BETWEEN '{FIRST_YEAR}' AND '{LAST_YEAR}'",
            f"(length({column}) < 7 OR {month} BETWEEN '01' AND '12')",
            f"(length({column}) < 10 OR {day} BETWEEN '01' AND {last_day})",
            f"(length({column}) < 16 OR {hour} BETWEEN '00' AND '23' AND {minute} BETWEEN '00' AND '59')",
        )
    )
