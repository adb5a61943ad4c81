"""What edit checks ask of a casebook again and again: first and last dose, starts and steps, what lies in an interval (STUDY C.1).

No database, no clock. Dates known in part are intervals: what cannot be told is None (STUDY B.2).
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from patients.measured import Measured, as_counted, read_measured
from patients.response import Reading, read_blasts
from patients.units import UnknownUnit, to_standard
from trial.edit_checks import Casebook, Record, Unsure, Verdict
from trial.partial_dates import PartialDate, is_before


def doses(book: Casebook) -> Sequence[Record]:
    """The infusion intervals in which the drug was given, in their order."""
    return book.once(_doses)


def _doses(book: Casebook) -> Sequence[Record]:
    given = [row for row in book.all("EX") if row.dose_ug_per_day and row.started_at]
    return sorted(given, key=lambda row: row.started_at)


def first_dose_on(book: Casebook) -> date | None:
    """The day of the first dose: FD."""
    given = doses(book)
    return given[0].started_on if given else None


def last_dose_on(book: Casebook) -> date | None:
    """The day on which the last infusion ended, or is still running: LD."""
    return book.once(_last_dose_on)


def _last_dose_on(book: Casebook) -> date | None:
    return max((row.ended_on or book.asked_on for row in doses(book)), default=None)


def starts_and_steps(book: Casebook) -> Sequence[tuple[datetime, Record]]:
    """The moments at which an infusion began anew or at another rate: starts, restarts and steps."""
    return book.once(_starts_and_steps)


def _starts_and_steps(book: Casebook) -> Sequence[tuple[datetime, Record]]:
    found: list[tuple[datetime, Record]] = []
    before: Record | None = None
    for row in doses(book):
        is_gapless = before is not None and before.ended_at == row.started_at
        if before is None or not is_gapless or row.dose_ug_per_day != before.dose_ug_per_day:
            found.append((row.started_at, row))
        before = row
    return found


def is_infused_on(book: Casebook, day: PartialDate) -> bool:
    """Whether the drug ran on any day that this could be."""
    return any(row.started_on <= day.latest and (row.ended_on or book.asked_on) >= day.earliest for row in doses(book))


def as_partial(day: date) -> PartialDate:
    """A day that is known, as a partial date."""
    return PartialDate(day.isoformat(), "day", day, day)


def is_within(day: PartialDate, first: date, last: date) -> bool | None:
    """Whether the day lies from the first to the last, both included; None where it may or may not."""
    if day.earliest >= first and day.latest <= last:
        return True
    return False if day.latest < first or day.earliest > last else None


def is_after(day: PartialDate, other: date) -> bool | None:
    """Whether the day is later than another one."""
    return is_before(as_partial(other), day)


def differs(first: PartialDate, second: PartialDate) -> bool | None:
    """Whether the two cannot be the same day; None where they may be."""
    if first.latest < second.earliest or second.latest < first.earliest:
        return True
    return False if first.is_complete and second.is_complete else None


def naming(verdict: bool | None, **values: Any) -> Verdict:
    """The verdict with the values that its question names."""
    if verdict is None:
        return Unsure(values)
    return values if verdict else False


def may_overlap(one: tuple[PartialDate, PartialDate | None], other: tuple[PartialDate, PartialDate | None]) -> bool:
    """Whether two stretches of time can have a day in common. A stretch without an end goes on."""
    begins, ends = one
    starts, stops = other
    return (ends is None or starts.earliest <= ends.latest) and (stops is None or begins.earliest <= stops.latest)


def days_after(day: date, days: int) -> date:
    """The day so many days later."""
    return day + timedelta(days=days)


def is_treated(book: Casebook) -> bool:
    """Whether the drug was ever given."""
    return bool(doses(book))


def cycle_starts(book: Casebook) -> Mapping[int, Record]:
    """The first infusion interval with a dose of each cycle, by the number of the cycle. One without a cycle starts none."""
    return book.once(_cycle_starts)


def _cycle_starts(book: Casebook) -> Mapping[int, Record]:
    found: dict[int, Record] = {}
    for row in doses(book):
        if row.cycle is not None:
            found.setdefault(row.cycle, row)
    return found


def either(*verdicts: bool | None) -> bool | None:
    """Whether any of them holds; None where none does for sure and one may."""
    if any(verdicts):
        return True
    return None if None in verdicts else False


def isnt(verdict: bool | None) -> bool | None:
    """The contrary; what cannot be told stays so."""
    return None if verdict is None else not verdict


def is_longer(first: PartialDate, second: PartialDate, days: float) -> bool | None:
    """Whether more than so many days lie from the first to the second; None where it may or may not be."""
    if (second.earliest - first.latest).days > days:
        return True
    return None if (second.latest - first.earliest).days > days else False


def overlaps(start: PartialDate, end: PartialDate | None, first: date, last: date) -> bool | None:
    """Whether a stretch of time has a day in common with the days from the first to the last; without an end it goes on."""
    if start.latest <= last and (end is None or end.earliest >= first):
        return True
    return None if may_overlap((start, end), (as_partial(first), as_partial(last))) else False


def is_there_on(event: Record, day: date) -> bool:
    """Whether an adverse event may have been there on a day."""
    return event.started is not None and may_overlap((event.started, event.ended), (as_partial(day), as_partial(day)))


def samples(book: Casebook, form: str) -> Sequence[Record]:
    """The samples of a form of which the time is known, in its order."""
    return book.once(_samples, form)


def _samples(book: Casebook, form: str) -> Sequence[Record]:
    return sorted((row for row in book.all(form) if row.taken_at), key=lambda row: row.taken_at)


def last_before_first_dose(book: Casebook, form: str) -> Record | None:
    """The last sample of a form that was taken before the first dose; None where there is neither."""
    return book.once(_last_before_first_dose, form)


def _last_before_first_dose(book: Casebook, form: str) -> Record | None:
    given = doses(book)
    before = [row for row in book.all(form) if given and row.taken_at and row.taken_at < given[0].started_at]
    return max(before, key=lambda row: row.taken_at, default=None)


def measured(sample: Record | None, test: str) -> Measured | None:
    """The result of a test of a sample in the standard unit, with the qualifier that it was reported with."""
    result = sample.answers.get(test) if sample is not None else None
    if result is None or result.value is None:
        return None
    as_typed = read_measured(result.value_text)
    return Measured(result.value, as_typed.qualifier if as_typed is not None else "")


def value_of(sample: Record | None, test: str) -> Decimal | None:
    """The result of a test of a sample in the standard unit; None where it lies beyond what can be measured."""
    found = measured(sample, test)
    return found.number if found is not None and not found.qualifier else None


def count_of(sample: Record | None, test: str) -> Decimal | None:
    """The number that a count of a sample stands for in a response, as the analysis reads it."""
    found = measured(sample, test)
    return None if found is None else as_counted(test, found.number, found.qualifier)


def are_counted(sample: Record, test: str) -> bool:
    """Whether a count of a sample is more than none for sure."""
    found = measured(sample, test)
    return found is not None and found.is_above(0) is True


def number_or_text(found: Measured | None) -> Decimal | str | None:
    """A result as a derived answer shows it: a number, or with its qualifier."""
    return str(found) if found is not None and found.qualifier else None if found is None else found.number


def reported(result: Record) -> Decimal | None:
    """The number that the laboratory reported, in its own unit; None where it reported no plain number."""
    try:
        return Decimal(result.value_text or "")
    except InvalidOperation:
        return None


def times_normal(sample: Record, test: str) -> Measured | None:
    """How many times the upper limit of normal of that sample a result is; None where the laboratory gave no limit."""
    found = measured(sample, test)
    if found is None:
        return None
    result = sample.answers[test]
    if not result.high:
        return None
    try:
        return Measured(found.number / to_standard(test, result.high, result.unit_text).value, found.qualifier)
    except UnknownUnit:
        return None


def reading_of(marrow: Record) -> Reading:
    """A marrow as a response is read from it."""
    percent = None if marrow.blasts_percent is None else float(marrow.blasts_percent)
    return Reading(percent, marrow.blasts_qualifier, marrow.is_adequate, "BIOPSY" in (marrow.specimens or ()))


def blasts_of(marrow: Record | None) -> float | None:
    """The blasts in percent that a marrow stands for (STUDY C.2: "<5" is 2.5)."""
    if marrow is None:
        return None
    reading = reading_of(marrow)
    return read_blasts(reading.blasts_percent, reading.blasts_qualifier)


def marrow_on(book: Casebook, day: date) -> Record | None:
    """The reading of a day's marrow that counts: the central one, and the local one where that cannot be read."""
    return book.once(_marrows_by_day).get(day)


def _marrows_by_day(book: Casebook) -> Mapping[date, Record]:
    by_day: dict[date, list[Record]] = defaultdict(list)
    for row in book.all("BM"):
        if row.sampled_on:
            by_day[row.sampled_on].append(row)
    return {
        day: min(rows, key=lambda row: (not reading_of(row).is_readable, row.reader != "CENTRAL"))
        for day, rows in by_day.items()
    }


def baseline_marrow(book: Casebook) -> Record | None:
    """The reading that counts of the marrow which the site names as that of the baseline."""
    baseline = book.one("BDIS")
    named = book.find("BM", baseline.marrow_id) if baseline is not None else None
    return marrow_on(book, named.sampled_on) if named is not None and named.sampled_on else None


def allografts(book: Casebook) -> list[Record]:
    """The allogeneic transplantations before the study in the order of their days."""
    dated = [row for row in book.all("HSCT") if row.kind == "ALLOGENEIC" and row.transplanted_on]
    return sorted(dated, key=lambda row: row.transplanted_on.latest)


def had_allograft(book: Casebook) -> bool:
    """Whether any allogeneic transplantation is recorded, before the study or after it."""
    return bool(book.all("NSCT")) or any(row.kind == "ALLOGENEIC" for row in book.all("HSCT"))


def response_of(row: Record) -> str | None:
    """The response that the analysis takes from an assessment: the adjudicated one where there is one."""
    return row.adjudicated_response or row.response


def responded(book: Casebook, responses: Iterable[str], until: date | None = None) -> Sequence[Record]:
    """The assessments with one of these responses up to a day, that day included, the earliest first."""
    rows = book.once(_responded, frozenset(responses))
    return rows if until is None else rows[: bisect_right(rows, until, key=lambda row: row.assessed_on)]


def _responded(book: Casebook, responses: frozenset[str]) -> Sequence[Record]:
    rows = [row for row in book.all("RS") if row.assessed_on and response_of(row) in responses]
    return sorted(rows, key=lambda row: row.assessed_on)


def relapsed(book: Casebook) -> Sequence[Record]:
    """The relapses of which a date is known, the earliest first."""
    return book.once(_relapsed)


def _relapsed(book: Casebook) -> Sequence[Record]:
    return sorted((row for row in book.all("REL") if row.relapsed_on), key=lambda row: row.relapsed_on.earliest)


def new_therapy_days(book: Casebook) -> Sequence[PartialDate]:
    """The days on which other therapy, or a later transplantation, began."""
    return book.once(_new_therapy_days)


def _new_therapy_days(book: Casebook) -> Sequence[PartialDate]:
    days = [row.started_on for row in book.all("NTX") if row.started_on]
    return days + [as_partial(row.transplanted_on) for row in book.all("NSCT") if row.transplanted_on]


def died_on(book: Casebook) -> PartialDate | None:
    """The day of death."""
    death = book.one("DTH")
    return death.died_on if death is not None else None


def hours_of(row: Record) -> float:
    """The length of an infusion interval in hours. One that still runs counts as nothing."""
    return (row.ended_at - row.started_at).total_seconds() / 3600 if row.ended_at else 0.0


def infusion_days(book: Casebook, cycle: int) -> float:
    """The days on which the drug ran in one cycle (STUDY C.8: T_k)."""
    return sum(map(hours_of, doses_by_cycle(book).get(cycle, ()))) / 24


def doses_by_cycle(book: Casebook) -> Mapping[int | None, Sequence[Record]]:
    """The infusion intervals in which the drug was given by the number of their cycle, each in their order."""
    return book.once(_doses_by_cycle)


def _doses_by_cycle(book: Casebook) -> Mapping[int | None, Sequence[Record]]:
    return by_cycle(doses(book))


def by_cycle(rows: Iterable[Record]) -> Mapping[int | None, Sequence[Record]]:
    """Infusion intervals by the number of their cycle."""
    found: dict[int | None, list[Record]] = defaultdict(list)
    for row in rows:
        found[row.cycle].append(row)
    return found
