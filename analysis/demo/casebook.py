"""A casebook before it is written: rows of forms in plain values, each with the day it was entered and by whom."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from analysis.demo.plan import Plan

LOG = "LOG"


@dataclass(eq=False, slots=True)
class Row:
    """One record of one form. A value that is a `Row` is a reference to it; `part_of` is the row on whose page this one stands.

    `on` is the day on which it could be known; `at` the instant of entry; `by` the role that entered it.
    """

    form: str
    values: dict[str, Any]
    on: date
    visit: str = LOG
    repeat: int = 1
    by: str = "coordinator"
    part_of: "Row | None" = None
    missing: dict[str, str] = field(default_factory=dict)
    at: datetime | None = None

    @property
    def references(self) -> Iterator["Row"]:
        """The rows that must be written before this one."""
        yield from (value for value in self.values.values() if isinstance(value, Row))
        if self.part_of is not None:
            yield self.part_of


@dataclass(eq=False, slots=True)
class Gate:
    """The answer that a log has nothing to report ("any prior transplantation?"), or that a form was not done."""

    form: str
    on: date
    visit: str = LOG
    not_done_reason: str | None = None
    at: datetime | None = None
    by: str = "coordinator"


class Casebook:
    """The rows of one patient. Repeats are numbered in the order in which they are added."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rows: list[Row] = []
        self.gates: list[Gate] = []
        self.zone = ZoneInfo(plan.site.time_zone)
        self._repeats: dict[tuple[str, str], int] = {}

    def add(
        self,
        form: str,
        on: date,
        visit: str = LOG,
        *,
        by: str = "coordinator",
        part_of: Row | None = None,
        missing: dict[str, str] | None = None,
        **values: Any,
    ) -> Row:
        """Add one row. A row of a repeating block (`part_of`) shares the entry of its page."""
        if part_of is not None:
            row = Row(form, values, on, part_of.visit, part_of.repeat, part_of.by, part_of, missing or {})
        else:
            repeat = self._repeats[form, visit] = self._repeats.get((form, visit), 0) + 1
            row = Row(form, values, on, visit, repeat, by, None, missing or {})
        self.rows.append(row)
        return row

    def nothing(self, form: str, on: date) -> None:
        """Say that a log has nothing to report."""
        self.gates.append(Gate(form, on))

    def not_done(self, form: str, on: date, visit: str, reason: str) -> None:
        """Say that a form was not done, and why."""
        self.gates.append(Gate(form, on, visit, reason))

    def moment(self, on: date, clock: time) -> tuple[datetime, int]:
        """A local clock time as an instant in UTC, and the minutes that the site's clock is ahead of it."""
        local = datetime.combine(on, clock, self.zone)
        offset = local.utcoffset() or timedelta()
        return local.astimezone(UTC), int(offset.total_seconds() // 60)

    def enter(self, closed_on: date) -> None:
        """Date every entry. What was seen at one visit, or noted in the logs in one week, is entered at one sitting.

        A sitting is some working days after the last of it, never before what it refers to, and before the study closed.
        """
        rng = self.plan.rng
        sittings: dict[tuple[date, str, str], list[Row | Gate]] = {}
        entered: list[Row | Gate] = [*self.rows, *self.gates]
        for item in entered:
            if isinstance(item, Gate) or item.part_of is None:
                day = item.on if item.visit != LOG else item.on - timedelta(days=item.on.weekday())
                sittings.setdefault((day, item.visit, item.by), []).append(item)
        for items in sittings.values():
            last = max(item.on for item in items)
            at = self._sitting(min(last + timedelta(days=rng.choice((0, 1, 1, 2, 3, 4, 6))), closed_on))
            for item in items:
                item.at = at
        for row in self.rows:
            if row.part_of is not None:
                row.at = row.part_of.at
        for _ in range(3):
            for row in self.rows:
                latest = max((other.at for other in row.references if other.at), default=None)
                if latest and row.at and row.at < latest:
                    row.at = latest

    def _sitting(self, day: date) -> datetime:
        """A working hour of the site on that day, or on the Monday after it."""
        while day.weekday() > 4:
            day += timedelta(days=1)
        rng = self.plan.rng
        return self.moment(day, time(rng.randint(8, 16), rng.randint(0, 59), rng.randint(0, 59)))[0]
