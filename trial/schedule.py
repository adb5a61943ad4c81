"""The calendar of a patient: study days, cycles and months. A day is a day at the site, and no study day is zero."""

from collections.abc import Mapping
from datetime import date

# not: 30, nor calendar months
# but: the mean month of four years, so that equal times are equal numbers (STUDY F-31)
DAYS_PER_MONTH = 30.4375


def study_day(day: date, first_dose: date) -> int:
    """The study day of a date: the day of first dose is day 1 and the day before it day -1 (STUDY, conventions)."""
    days = (day - first_dose).days
    # not: add one to the difference
    # but: add it from the first dose on, so that there is no day 0
    return days + 1 if days >= 0 else days


def cycle_of(day: date, starts: Mapping[int, date]) -> int | None:
    """The cycle in which a day lies: from a cycle's start until the day before the next one's. None before the first.

    `starts` maps the number of each cycle that was started to the day of its first infusion.
    """
    begun = [(start, number) for number, start in starts.items() if start <= day]
    return max(begun)[1] if begun else None


def months_between(earlier: date, later: date) -> float:
    """The time between two dates in months of 30.4375 days; negative when `later` is the earlier one (STUDY C.9)."""
    return (later - earlier).days / DAYS_PER_MONTH


def whole_years(born: date, on: date) -> int:
    """The age in completed years."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
