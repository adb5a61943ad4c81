"""A casebook before it is written: rows of forms in plain values, each with the day it was entered and by whom."""

import random
from collections.abc import Iterator
from copy import copy
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
        self._seed = copy(plan.rng).random()  # a copy, so that looking ahead takes nothing from the patient's own

    @property
    def items(self) -> list[Row | Gate]:
        """All rows and gates."""
        return [*self.rows, *self.gates]

    def numbers(self, subject: str) -> random.Random:
        """The random numbers of one subject, so that a form that is added leaves the others as they are."""
        return random.Random(f"{subject}-{self._seed}")  # noqa: S311 - repeatable, and keeps no secret

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
        for item in self.items:
            if isinstance(item, Gate) or item.part_of is None:
                day = item.on if item.visit != LOG else item.on - timedelta(days=item.on.weekday())
                sittings.setdefault((day, item.visit, item.by), []).append(item)
        for items in sittings.values():
            last = max(item.on for item in items)
            at = self.sitting(min(last + timedelta(days=rng.choice((0, 1, 1, 2, 3, 4, 6))), closed_on), rng)
            for item in items:
                item.at = at
        pages = [row for row in self.rows if row.part_of is None]
        for _ in range(3):
            for row in pages:
                latest = max((other.at for other in row.references if other.at), default=None)
                if latest and row.at and row.at < latest:
                    row.at = latest
        for row in self.rows:
            if row.part_of is not None:
                row.at = self._with_its_page(row, row.part_of, closed_on)

    def _with_its_page(self, row: Row, page: Row, closed_on: date) -> datetime | None:
        """The rows of a block are entered with their page; one that came about later, the next day."""
        if page.at is None or row.on <= page.at.date():
            return page.at
        return self.sitting(min(row.on + timedelta(days=1), closed_on), self.numbers(f"{row.form} {row.on}"))

    def sitting(self, day: date, rng: random.Random) -> datetime:
        """A working hour of the site on that day, or on the Monday after it."""
        while day.weekday() > 4:
            day += timedelta(days=1)
        return self.moment(day, time(rng.randint(8, 16), rng.randint(0, 59), rng.randint(0, 59)))[0]
