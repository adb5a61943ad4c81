"""How a number becomes a cell: counts as `29/64 (45.3 %)`, estimates as `8.5 (6.4, 11.4)`, NE for what cannot be estimated."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isnan, nan
from typing import Any

import pandas as pd

from analysis.estimate import Estimate, proportion, summarise
from analysis.results import Result, Row
from analysis.rounding import NOT_ESTIMABLE, fixed, percent
from analysis.tables.groups import Choose, Group, having

# The number of each patient of a column; who is not there has none.
Values = Callable[[Group], Mapping[str, float]]

# Codes that say that nobody knows (STUDY B.3).
UNKNOWN = ("UNKNOWN", "UNK", "NOT REPORTED")


def count_text(n: int, of: int) -> str:
    """A count among others: `29/64 (45.3 %)`; without a percentage among nobody."""
    return f"{n}/{of} ({percent(n, of)} %)" if of else f"{n}/{of}"


def estimate_text(estimate: Estimate, digits: int = 1, unit: str = "") -> str:
    """An estimate with its limits: `8.5 (6.4, 11.4)`. What cannot be estimated is NE, and NE alone when nothing can."""
    if estimate.value is None and estimate.lower is None and estimate.upper is None:
        return NOT_ESTIMABLE
    value = fixed(estimate.value, digits) + (f" {unit}" if unit and estimate.value is not None else "")
    return f"{value} ({fixed(estimate.lower, digits)}, {fixed(estimate.upper, digits)})"


def count(
    group: Group,
    variable: str,
    who: Iterable[str],
    *,
    level: str | None = None,
    among: Iterable[str] | None = None,
) -> Result:
    """How many patients of `among` (the column, unless told) are in `who`; the value is the percentage, unrounded."""
    denominator = group.members if among is None else group.members & set(among)
    numerator = tuple(sorted(denominator.intersection(who)))
    n, of = len(numerator), len(denominator)
    return Result(
        group=group.name,
        variable=variable,
        level=level,
        statistic="count",
        unit="percent",
        value=100 * n / of if of else None,
        n=n,
        N=of,
        text=count_text(n, of),
        patients=numerator,
    )


def interval(counted: Result, confidence: float) -> Result:
    """The exact interval of a count (M1), in percent: a row of its own below the count."""
    exact = proportion(counted.n or 0, counted.N or 0, confidence=confidence)
    in_percent = Estimate(*(None if part is None else 100 * part for part in (exact.value, exact.lower, exact.upper)))
    known = in_percent.value is not None
    return Result(
        group=counted.group,
        variable=counted.variable,
        level=counted.level,
        statistic="interval",
        unit="percent",
        value=in_percent.value,
        lower=in_percent.lower,
        upper=in_percent.upper,
        n=counted.n,
        N=counted.N,
        text=f"{fixed(in_percent.lower, 1)}–{fixed(in_percent.upper, 1)}" if known else NOT_ESTIMABLE,
        patients=counted.patients,
    )


def estimated(
    group: Group, variable: str, statistic: str, unit: str, estimate: Estimate, *, level: str | None = None
) -> Result:
    """An estimate from every patient of the column, with its limits."""
    return Result(
        group=group.name,
        variable=variable,
        level=level,
        statistic=statistic,
        unit=unit,
        value=estimate.value,
        lower=estimate.lower,
        upper=estimate.upper,
        n=len(group.patients),
        N=len(group.patients),
        text=estimate_text(estimate, unit="%" if unit == "percent" else ""),
        patients=group.patients,
    )


def listed(variable: str, text: str, patients: tuple[str, ...] = (), group: str = "") -> Result:
    """A cell of words."""
    return Result(group=group, variable=variable, statistic="listed", text=text, patients=patients)


def heading(label: str, indent: int = 0) -> Row:
    """A line without cells."""
    return Row(label, indent=indent)


def count_row(
    label: str,
    groups: Sequence[Group],
    variable: str,
    who: Choose,
    *,
    level: str | None = None,
    among: Choose | None = None,
    indent: int = 0,
) -> Row:
    """One count for each column. `who` and `among` choose patients of a column."""
    cells = tuple(
        count(group, variable, who(group), level=level, among=among(group) if among else None) for group in groups
    )
    return Row(label, cells, indent)


def interval_row(counts: Row, confidence: float, label: str = "95 % CI") -> Row:
    """The exact intervals of a row of counts, as the row below it."""
    cells = tuple(interval(cell, confidence) for cell in counts.cells if cell is not None)
    return Row(label, cells, counts.indent + 1)


def level_rows(
    label: str,
    groups: Sequence[Group],
    column: str,
    levels: Mapping[Any, str],
    *,
    known_only: bool = False,
) -> list[Row]:
    """A heading, one row of counts for each level of a column of ADSL, and one for what is not known, where there is any.

    With `known_only` the patients without a known value are left out of the denominators (footnote of T-2.3).
    """

    def without_value(group: Group) -> tuple[str, ...]:
        values = zip(group.patients, group.values(column), strict=True)
        return tuple(patient for patient, value in values if pd.isna(value) or value in UNKNOWN)

    def with_value(group: Group) -> frozenset[str]:
        return group.members.difference(without_value(group))

    among = with_value if known_only else None
    rows = [heading(label)]
    for level, words in levels.items():
        if level not in UNKNOWN:
            rows.append(
                count_row(words, groups, column, having(column, level), level=str(level), among=among, indent=1)
            )
    if any(without_value(group) for group in groups):
        rows.append(count_row("Not known", groups, column, without_value, level="not known", indent=1))
    return rows


def number_of(column: str) -> Values:
    """The numbers of a column of ADSL."""

    def values(group: Group) -> dict[str, float]:
        return dict(zip(group.patients, group.values(column), strict=True))

    return values


def numbers_of(numbers: "pd.Series[Any]", times: float = 1) -> Values:
    """Numbers that have the patient as index, whichever the column."""
    by_patient = {str(patient): times * number for patient, number in numbers.astype(float).items()}
    return lambda group: by_patient


def summary_rows(
    label: str,
    groups: Sequence[Group],
    variable: str,
    values: Values,
    *,
    unit: str,
    digits: int = 1,
    indent: int = 0,
) -> list[Row]:
    """A heading and the rows of M13 for a number a patient: n and missing, mean (SD), median, Q1–Q3, min–max.

    `values` gives the numbers of a column; a patient without one is missing. Means and
    medians are printed with `digits` decimals, ranges with one less where the numbers are whole.
    """
    summaries = []
    for group in groups:
        of_patient = values(group)
        found = [of_patient.get(patient, nan) for patient in group.patients]
        known = tuple(patient for patient, number in zip(group.patients, found, strict=True) if not isnan(number))
        summaries.append((group, summarise(found), known))

    def row(
        words: str, statistic: str, text: Callable[..., str], parts: tuple[str | None, str | None, str | None]
    ) -> Row:
        cells = []
        for group, summary, patients in summaries:
            value, lower, upper = (getattr(summary, part) if part else None for part in parts)
            cells.append(
                Result(
                    group=group.name,
                    variable=variable,
                    statistic=statistic,
                    unit=unit,
                    value=value,
                    lower=lower,
                    upper=upper,
                    n=summary.n,
                    N=summary.n + summary.missing,
                    text=text(summary) if summary.n else NOT_ESTIMABLE,
                    patients=patients,
                    extra={"sd": summary.sd} if statistic == "mean" else {},
                )
            )
        return Row(words, tuple(cells), indent + 1)

    def number_row() -> Row:
        cells = tuple(
            Result(
                group=group.name,
                variable=variable,
                statistic="n",
                unit="patients",
                value=float(summary.n),
                n=summary.n,
                N=summary.n + summary.missing,
                text=f"{summary.n} ({summary.missing})",
                patients=patients,
            )
            for group, summary, patients in summaries
        )
        return Row("n (missing)", cells, indent + 1)

    def span(low: float, high: float) -> str:
        whole = float(low).is_integer() and float(high).is_integer()
        places = 0 if whole else digits
        return f"{fixed(low, places)}–{fixed(high, places)}"

    return [
        heading(label, indent),
        number_row(),
        row(
            "Mean (SD)", "mean", lambda s: f"{fixed(s.mean, digits)} ({fixed(s.sd, digits + 1)})", ("mean", None, None)
        ),
        row("Median", "median", lambda s: fixed(s.median, digits), ("median", None, None)),
        row("Q1–Q3", "quartiles", lambda s: span(s.q1, s.q3), (None, "q1", "q3")),
        row("Min–max", "range", lambda s: span(s.minimum, s.maximum), (None, "minimum", "maximum")),
    ]
