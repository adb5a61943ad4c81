"""Dates as people type them: `12mar24`, `mar 2024`, `2024`, `un mar 2024`, `13/04/2013`. Read into ISO text, or refused.

The rule: a date is never guessed. Where the text has two readings that the field allows, both are shown and none is taken.
"""

import re
from datetime import date
from typing import NamedTuple, Protocol

from trial import partial_dates
from trial.partial_dates import NotADate, PartialDate

MONTHS = {
    name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1)
}
UNKNOWN = {"un", "unk", "uk", "nk", "xx", "xxx", "?", "??", "???"}
EXAMPLES = "Write it as 12mar2014, mar2014 or 2014"

_TIME = re.compile(r"(?:[t ]\s*|(?<=\d{4})\s*,\s*)(\d{1,2}):?(\d{2})$", re.ASCII)
_PARTS = re.compile(r"\d+|[a-z]+|\?+", re.ASCII)
_SEPARATORS = re.compile(r"[a-z0-9?\s./,-]+", re.ASCII)


class DaysAllowed(Protocol):
    """What a reading is chosen by: the first and the last day that a field can take. Asked for where there are two."""

    @property
    def earliest(self) -> date:
        """The first day."""

    @property
    def latest(self) -> date:
        """The last day."""


class Limits(NamedTuple):
    """The days that a field can take, both included. They decide what a year of two digits means."""

    earliest: date
    latest: date


def read_typed_date(text: str, limits: DaysAllowed) -> PartialDate:
    """The date that somebody typed, in part or whole, with a time of day where one is given (`12mar2014 0930`).

    Raise `NotADate` with what is wrong, the text, and what to type instead. `limits` only choose between readings: a date
    outside of them that has one reading is returned, and the field refuses it in its own words.
    """
    typed = " ".join(text.split())
    folded = typed.casefold()
    if not folded:
        raise NotADate(f"Nothing was typed. {EXAMPLES}.")
    clock = ""
    rest = folded
    if found := _TIME.search(folded):
        # not: any four digits at the end, which may be the year (mar 2014)
        # but: those behind a day or a year, so behind at least two parts
        before = folded[: found.start()]
        if len(_PARTS.findall(before)) >= 3:
            rest, clock = before, f"T{int(found[1]):02}:{found[2]}"
    days = sorted(set(_readings(rest, typed)))
    if not days:
        raise NotADate(f"'{typed}' is not a date. {EXAMPLES}.")
    if clock and not _is_in_calendar(f"2000-01-01{clock}"):
        raise NotADate(f"'{typed}' has a time that no clock shows. Write the time from 00:00 to 23:59.")
    readings = [partial_dates.parse(day + clock) for day in days]
    if len(readings) == 1:
        return readings[0]
    allowed = [
        reading for reading in readings if reading.latest >= limits.earliest and reading.earliest <= limits.latest
    ]
    same_order = len({str(reading)[:6] for reading in readings}) == 1  # they differ in the century alone
    if len(allowed) == 1 and same_order:
        return allowed[0]
    return _refuse(typed, allowed or readings)


def _refuse(typed: str, readings: list[PartialDate]) -> PartialDate:
    named = " or ".join(str(reading) for reading in sorted(readings, key=lambda reading: reading.earliest))
    example = str(readings[-1]).replace("-", "").lower()
    raise NotADate(f"'{typed}' could be {named}. Write the month in letters and the year in full, as {example}.")


def _readings(folded: str, typed: str) -> list[str]:
    """Every ISO text that the words could mean, whether it is in the calendar or not is asked of each."""
    if not _SEPARATORS.fullmatch(folded):
        return []
    parts = _PARTS.findall(folded)
    candidates: list[tuple[str, str, str]] = []  # day, month, year as typed; empty for unknown
    named = [index for index, part in enumerate(parts) if part[:3] in MONTHS and part.isalpha()]
    if len(named) == 1:
        month = f"{MONTHS[parts[named[0]][:3]]:02}"
        others = parts[: named[0]] + parts[named[0] + 1 :]
        if len(others) == 1:
            # not: 12mar as March 2012; it may be the 12th of March of a year that was forgotten
            # but: the month first, or a year of four digits
            candidates = [("", month, others[0])] if named == [0] or len(others[0]) == 4 else []
        elif len(others) == 2 and len(others[0]) == 4 and others[0].isdigit():
            candidates = [(others[1], month, others[0])]  # 2014 mar 12
        elif len(others) == 2:
            candidates = [(others[0], month, others[1])]
    elif not named and len(parts) == 1:
        candidates = [("", "", parts[0])] if len(parts[0]) == 4 else []
    elif not named and len(parts) == 2:
        if len(parts[0]) == 4:
            candidates = [("", parts[1], parts[0])]
        elif len(parts[1]) == 4:
            candidates = [("", parts[0], parts[1])]
    elif not named and len(parts) == 3 and len(parts[0]) == 4:
        candidates = [(parts[2], parts[1], parts[0])]
    elif not named and len(parts) == 3:
        first, second, third = parts
        candidates = [(first, second, third)]
        if _is_number(first) and _is_number(second):
            candidates.append((second, first, third))  # the order of the United States
    written = [text for candidate in candidates for text in _texts(*candidate)]
    found = [text for text in written if _is_in_calendar(text)]
    if written and not found:
        raise NotADate(f"'{typed}' is not in the calendar. Check the day, the month and the year.")
    return found


def _texts(day: str, month: str, year: str) -> list[str]:
    """The ISO texts of these parts: two where the year has two digits, none where a part is no number."""
    if not _is_number(year) or len(year) not in (2, 4):
        return []
    years = [year] if len(year) == 4 else [f"19{year}", f"20{year}"]
    if not month or month in UNKNOWN:
        return years if not day or day in UNKNOWN else []
    if not _is_number(month) or len(month) > 2:
        return []
    if not day or day in UNKNOWN:
        return [f"{full}-{int(month):02}" for full in years]
    if not _is_number(day) or len(day) > 2:
        return []
    return [f"{full}-{int(month):02}-{int(day):02}" for full in years]


def _is_number(part: str) -> bool:
    return part.isascii() and part.isdigit()


def _is_in_calendar(text: str) -> bool:
    try:
        partial_dates.parse(text)
    except NotADate:
        return False
    return True
