"""What a patient was given: infusion intervals in, cycles with dose, days and interruptions out (STUDY C.8)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby, zip_longest
from typing import NamedTuple

from trial.parameters import Parameters

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

# How often a day dexamethasone was given. What is not here (once, as needed, other) counts as the one dose recorded.
DOSES_A_DAY = {"QD": 1, "BID": 2, "TID": 3, "QID": 4, "Q8H": 3, "Q6H": 4, "Q4H": 6}


class Interval(NamedTuple):
    """An infusion interval of one dose rate in µg a day; 0 is an interruption.

    Moments are UTC, offsets minutes ahead of it. `ended_at` is None while the infusion runs.
    """

    record: int
    cycle: int
    started_at: datetime
    started_at_offset: float | None
    ended_at: datetime | None
    ended_at_offset: float | None
    dose_ug_per_day: float

    @property
    def started_on(self) -> date:
        """The day of the start, by the site's clock."""
        return site_time(self.started_at, self.started_at_offset).date()

    @property
    def ended_on(self) -> date | None:
        """The day of the end, by the site's clock; None while it runs."""
        return site_time(self.ended_at, self.ended_at_offset).date() if self.ended_at else None


class CycleExposure(NamedTuple):
    """What was given in one cycle: dose in µg, infusion in days, each interruption in hours.

    `started_at` is the start of the first interval with a dose (UTC), `started_on` its day at the site; `ended_on` the
    day on which the last interval with a dose ended.
    """

    cycle: int
    record: int
    started_at: datetime
    started_on: date
    ended_on: date
    days: float
    dose: float
    planned_dose: float
    interruptions: tuple[float, ...]
    reached_full_dose: bool

    def is_completed(self, parameters: Parameters) -> bool:
        """Whether the cycle was completed: at least 27 days of infusion by default (`COMPLETED_MIN_DAYS`)."""
        # not: compare the sum of hours as it is
        # but: to the second, because 27 days made up of many intervals may sum to a hair less
        return round(self.days, 5) >= float(parameters.completed_cycle_days)

    def interruptions_of(self, hours: float) -> int:
        """The number of interruptions of at least so many hours."""
        return sum(length >= hours for length in self.interruptions)


@dataclass(frozen=True, slots=True)
class Exposure:
    """What was given in all: the cycles that were started, in order, and their sums."""

    cycles: tuple[CycleExposure, ...]

    @property
    def dose(self) -> float:
        """The cumulative dose in µg."""
        return sum(cycle.dose for cycle in self.cycles)

    @property
    def planned_dose(self) -> float:
        """The planned dose of the cycles that were started, in µg."""
        return sum(cycle.planned_dose for cycle in self.cycles)

    @property
    def days(self) -> float:
        """The days of infusion."""
        return sum(cycle.days for cycle in self.cycles)

    @property
    def relative_dose(self) -> float | None:
        """The relative dose intensity: dose given of dose planned for the started cycles, as a fraction."""
        return self.dose / self.planned_dose if self.planned_dose else None


def site_time(moment: datetime, offset: float | None) -> datetime:
    """A UTC moment by the site's clock, which is `offset` minutes ahead. An unknown offset reads as UTC.

    At either end of the calendar (31 December 9999 for what has no end) the moment stays as it is.
    """
    try:
        return moment + timedelta(minutes=offset or 0)
    except OverflowError:
        return moment


def known_at(intervals: Sequence[Interval], last_day: date, life_ends: date | None = None) -> list[Interval]:
    """The intervals as they stood at the end of `last_day`, in the order of their start.

    Later ones are gone, running ones end there. An interval without an end, after which another one begins, ended when
    that one began; the last one runs on, until `life_ends` if that comes first. What was recorded as given stays, also
    where it contradicts the death: a wrong date of death does not undo a dose.
    """
    ordered = sorted(
        (interval for interval in intervals if interval.started_on <= last_day), key=lambda each: each.started_at
    )
    midnight = _end_of(last_day)
    life_over = min(midnight, _end_of(life_ends)) if life_ends else midnight
    cut = []
    for interval, following in zip_longest(ordered, ordered[1:]):
        ended_at, offset = interval.ended_at, interval.ended_at_offset
        if ended_at is None and following is not None:
            ended_at, offset = following.started_at, following.started_at_offset
        if ended_at is None:
            offset = interval.started_at_offset
            ended_at = max(life_over - timedelta(minutes=offset or 0), interval.started_at)
        elif site_time(ended_at, offset) > midnight:
            offset = interval.started_at_offset
            ended_at = midnight - timedelta(minutes=offset or 0)
        cut.append(interval._replace(ended_at=ended_at, ended_at_offset=offset))
    return cut


def derive_exposure(
    intervals: Sequence[Interval], parameters: Parameters, last_day: date, life_ends: date | None = None
) -> Exposure:
    """The cycles that were started by `last_day`, with what was given in each (STUDY C.8).

    A cycle without a dose was not started. Hours are true hours: the sum does not change when the clocks do.
    `life_ends`, the last day on which the patient can have lived, ends an infusion of which no end is known.
    """
    by_cycle: dict[int, list[Interval]] = {}
    for interval in known_at(intervals, last_day, life_ends):
        by_cycle.setdefault(interval.cycle, []).append(interval)
    # an infusion that was cut at midnight ended on the day before
    cut = {_end_of(day): day for day in (last_day, life_ends) if day}
    cycles = (_cycle(number, rows, parameters, cut) for number, rows in sorted(by_cycle.items()))
    return Exposure(tuple(cycle for cycle in cycles if cycle is not None))


def dexamethasone_mg(dose_mg: float, frequency: str | None, given_on: date, last_day: date | None) -> float:
    """The amount of one line of dexamethasone in mg: single dose, times a day, days, first and last included.

    Without a last day, or with a frequency that says nothing of times a day, it is the one dose.
    """
    if frequency not in DOSES_A_DAY:
        return dose_mg
    days = 1 if last_day is None else max((last_day - given_on).days + 1, 1)
    return dose_mg * DOSES_A_DAY[frequency] * days


def _end_of(day: date) -> datetime:
    return datetime.combine(day + DAY, time())


def _cycle(
    number: int, rows: list[Interval], parameters: Parameters, cut: Mapping[datetime, date]
) -> CycleExposure | None:
    given = [row for row in rows if row.dose_ug_per_day > 0]
    if not given:
        return None
    last_end = max(site_time(row.ended_at, row.ended_at_offset) for row in given if row.ended_at)
    runs = groupby(rows, key=lambda row: row.dose_ug_per_day > 0)
    return CycleExposure(
        cycle=number,
        record=given[0].record,
        started_at=given[0].started_at,
        started_on=given[0].started_on,
        ended_on=cut.get(last_end, last_end.date()),
        days=sum(_hours(row) for row in given) / 24,
        dose=sum(row.dose_ug_per_day * _hours(row) / 24 for row in given),
        planned_dose=float(parameters.planned_dose(number)),
        interruptions=tuple(sum(map(_hours, run)) for has_dose, run in runs if not has_dose),
        reached_full_dose=any(row.dose_ug_per_day == float(parameters.full_dose) for row in given),
    )


def _hours(interval: Interval) -> float:
    assert interval.ended_at is not None  # known_at() has ended every interval
    return (interval.ended_at - interval.started_at) / HOUR
