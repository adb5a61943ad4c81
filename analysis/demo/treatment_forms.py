"""The forms of treatment: cycles, infusion intervals, dexamethasone, and why treatment ended."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from analysis.demo.casebook import Casebook
from analysis.demo.harm import Event
from analysis.demo.treatment import DAYS_ON, CyclePlan

LOW, FULL = Decimal(9), Decimal(28)
LOW_DAYS = 7


def fill_treatment(book: Casebook) -> None:
    """Every cycle with its intervals and premedication, the dexamethasone given for events, and the end of treatment."""
    plan = book.plan
    if plan.blasts > 50 and plan.rng.random() < 0.93:
        _dexamethasone(book, -plan.rng.randint(3, 5), "PRE-PHASE", 16, "QD", last=-1)
    number = 0
    for cycle in plan.cycles:
        number = _cycle(book, cycle, number)
    for event in plan.events:
        _treat_event(book, event)
    last = plan.on(plan.last_dose_day)
    stopping = next((e.number for e in plan.events if e.action == "DRUG WITHDRAWN" or e.is_fatal), None)
    for_event = plan.end_of_treatment == "ADVERSE EVENT"
    book.add(
        "EOT",
        last + timedelta(days=3),
        reason=plan.end_of_treatment,
        event_number=stopping if for_event else None,
    )


def _cycle(book: Casebook, cycle: CyclePlan, number: int) -> int:
    """One cycle as constant rates from its start. Give back the number of the last interval."""
    plan = book.plan
    started = plan.on(cycle.start_day)
    early = cycle.end_reason or ("ADVERSE EVENT" if cycle.is_held else None)
    book.add(
        "CYC",
        started,
        number=cycle.number,
        kind="INDUCTION" if cycle.number <= 2 else "CONSOLIDATION",
        early_end_reason=early if cycle.days < DAYS_ON else None,
        new_cycle_reason="ADVERSE EVENT" if cycle.starts_low else None,
        meets_criteria=True,
    )
    clock = time(plan.rng.choice((9, 10, 11, 12)), plan.rng.choice((0, 15, 30, 45)))
    begin = book.moment(started, clock)[0]
    for rate, first, last, change, reason in _steps(cycle):
        number += 1
        is_paused = rate == 0
        after_pause = cycle.pause_hours and first >= Decimal(cycle.pause_after) and not is_paused
        shift = timedelta(hours=cycle.pause_hours if after_pause else 0)
        starts = begin + timedelta(days=float(first)) + shift
        ends = begin + timedelta(days=float(last)) + (timedelta(hours=cycle.pause_hours) if is_paused else shift)
        _interval(book, cycle, number, rate, starts, ends, change, reason)
        if change in ("START", "STEP-UP") or (change == "RESTART" and cycle.pause_hours >= 4):
            _premedicate(book, starts)
    return number


def _steps(cycle: CyclePlan) -> list[tuple[Decimal, int, int, str, str | None]]:
    """Rate, first and last infusion day, what changed and why; days do not count the pause."""
    steps: list[tuple[Decimal, int, int, str, str | None]] = []
    if cycle.number == 1 or cycle.starts_low:
        steps.append((LOW, 0, min(LOW_DAYS, cycle.days), "START", None))
        if cycle.days > LOW_DAYS:
            steps.append((FULL, LOW_DAYS, cycle.days, "STEP-UP", "STEP-UP"))
    else:
        steps.append((FULL, 0, cycle.days, "START", None))
    if not cycle.pause_hours:
        return steps
    at = cycle.pause_after
    before = [(rate, first, min(last, at), change, reason) for rate, first, last, change, reason in steps if first < at]
    pause = (Decimal(0), at, at, "INTERRUPTION", cycle.pause_reason)
    if not cycle.restarts_low:
        return [*before, pause, (steps[-1][0], at, cycle.days, "RESTART", cycle.pause_reason)]
    low_until = min(at + LOW_DAYS, cycle.days)
    after = [(LOW, at, low_until, "RESTART", cycle.pause_reason)]
    if low_until < cycle.days:
        after.append((FULL, low_until, cycle.days, "STEP-UP", "STEP-UP"))
    return [*before, pause, *after]


def _interval(
    book: Casebook,
    cycle: CyclePlan,
    number: int,
    rate: Decimal,
    starts: datetime,
    ends: datetime,
    change: str,
    reason: str | None,
) -> None:
    """One interval of constant rate, entered after it ended."""
    offsets = [_offset(book, moment) for moment in (starts, ends)]
    is_change_by_event = reason == "ADVERSE EVENT"
    book.add(
        "EX",
        ends.astimezone(book.zone).date(),
        cycle=cycle.number,
        number=number,
        started_at=starts,
        started_at_offset=offsets[0],
        ended_at=ends,
        ended_at_offset=offsets[1],
        dose_ug_per_day=rate,
        pump_rate_ml_per_h=Decimal("10") if rate else None,
        change=change,
        change_reason=reason,
        event_number=cycle.pause_event if is_change_by_event else None,
    )


def _offset(book: Casebook, moment: datetime) -> int:
    offset = moment.astimezone(book.zone).utcoffset() or timedelta()
    return int(offset.total_seconds() // 60)


def _premedicate(book: Casebook, starts: datetime) -> None:
    """Dexamethasone 20 mg one hour before the start, the step and a restart after 4 hours and more."""
    given = starts - timedelta(minutes=60)
    _given(book, given, "PREMEDICATION", 20, "ONCE")


def _treat_event(book: Casebook, event: Event) -> None:
    """Dexamethasone for a cytokine release syndrome of grade 2 and more, and for severe neurologic events."""
    purpose = (
        "CRS TREATMENT"
        if "CRS" in event.baskets and event.grade >= 2
        else "NEUROLOGIC TREATMENT"
        if "NEUROLOGIC" in event.baskets and event.grade >= 3
        else ""
    )
    if purpose:
        last = min(event.start + 2, book.plan.last_observed_day)
        _dexamethasone(book, event.start, purpose, 8, "Q8H", last=last, event_number=event.number)


def _dexamethasone(
    book: Casebook, day: int, purpose: str, dose: int, frequency: str, *, last: int, event_number: int | None = None
) -> None:
    plan = book.plan
    given = book.moment(plan.on(day), time(plan.rng.randint(8, 20), plan.rng.randint(0, 59)))[0]
    more: dict[str, Any] = {"last_day": plan.on(last).isoformat(), "event_number": event_number}
    _given(book, given, purpose, dose, frequency, **more)


def _given(book: Casebook, given: datetime, purpose: str, dose: int, frequency: str, **more: Any) -> None:
    book.add(
        "DEX",
        given.astimezone(book.zone).date(),
        purpose=purpose,
        given_at=given,
        given_at_offset=_offset(book, given),
        dose_mg=Decimal(dose),
        frequency=frequency,
        route="INTRAVENOUS",
        **more,
    )
