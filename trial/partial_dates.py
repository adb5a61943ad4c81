"""Dates of which a part may be unknown, as ISO 8601 text cut off where knowledge ends (`2014-03`).

The rule (STUDY B.2): a partial date is the interval of days it could be. Nothing is imputed here; analysis does that.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import date, time
from functools import lru_cache
from typing import Literal

Precision = Literal["year", "month", "day", "minute"]

PRECISIONS: tuple[Precision, ...] = ("year", "month", "day", "minute")
_ISO = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2}))?)?)?", re.ASCII)


class NotADate(ValueError):
    """The text is no date. The message says what was given and what would be right."""


@dataclass(frozen=True, slots=True)
class PartialDate:
    """What is known of a date: the interval of days from `earliest` to `latest`, both included."""

    text: str
    precision: Precision
    earliest: date
    latest: date
    at: time | None = None

    def __str__(self) -> str:
        """The date as people read it, with UN for what is unknown: `UN-Mar-2013`."""
        day = self.earliest.strftime("%d") if self.precision in ("day", "minute") else "UN"
        month = self.earliest.strftime("%b") if self.precision != "year" else "UNK"
        clock = f" {self.at:%H:%M}" if self.at else ""
        return f"{day}-{month}-{self.earliest:%Y}{clock}"

    @property
    def is_complete(self) -> bool:
        """Whether the day is known."""
        return self.earliest == self.latest


@lru_cache(maxsize=65536)
def parse(text: str) -> PartialDate:
    """Read ISO 8601 text of year, month, day or minute precision. Raise `NotADate` for anything else."""
    match = _ISO.fullmatch(text)
    if not match:
        raise NotADate(f"'{text}' is not a date. Write it as 2014, 2014-03, 2014-03-12 or 2014-03-12T09:30.")
    year, month, day, hour, minute = (int(part) if part else None for part in match.groups())
    assert year is not None  # the expression always has a year
    try:
        earliest = date(year, month or 1, day or 1)
        last_month = month or 12
        latest = date(year, last_month, day or calendar.monthrange(year, last_month)[1])
        at = time(hour, minute or 0) if hour is not None else None
    except ValueError as error:
        raise NotADate(f"'{text}' is not in the calendar. Check the year, month, day and time.") from error
    known = sum(part is not None for part in (month, day, hour))
    return PartialDate(text, PRECISIONS[known], earliest, latest, at)


def is_at_least(value: PartialDate, least: Precision) -> bool:
    """Whether at least this much of the date is known."""
    return PRECISIONS.index(value.precision) >= PRECISIONS.index(least)


def is_before(first: PartialDate, second: PartialDate) -> bool | None:
    """Whether `first` is an earlier day: yes or no where every possible pair of days agrees, else None (STUDY B.2)."""
    if first.latest < second.earliest:
        return True
    if first.earliest >= second.latest:
        return False
    return None
