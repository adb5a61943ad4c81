"""The edit checks on cycles, infusion and medication (STUDY B.5.6), in the order of their numbers.

Moments are compared as moments, where both have one; a date of an event is compared with the days at the site.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import Any

from patients.anchors import (
    as_partial,
    by_cycle,
    cycle_starts,
    days_after,
    died_on,
    doses,
    doses_by_cycle,
    first_dose_on,
    hours_of,
    infusion_days,
    is_infused_on,
    last_dose_on,
    may_overlap,
    naming,
    overlaps,
    responded,
)
from patients.exposure import DOSES_A_DAY
from patients.response import BFHM, REMISSIONS
from trial.edit_checks import Casebook, EditCheck, Record, Severity, Verdict
from trial.partial_dates import PartialDate, is_before

HARD, ERROR, WARNING = Severity.HARD, Severity.ERROR, Severity.WARNING
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PREMEDICATION_MG = 20
SUPERVISED_RESTART = 4 * HOUR  # an interruption of so long is restarted with premedication
SAME_CYCLE = 7 * DAY  # after a longer interruption by an adverse event a new cycle begins
CHANGED_BY_EVENT = ("DRUG INTERRUPTED", "DRUG WITHDRAWN", "DOSE REDUCED")
INPATIENT_DAYS = {1: 9, 2: 2}


def intervals(book: Casebook) -> Sequence[Record]:
    """All infusion intervals, interruptions too, in their order."""
    return sorted((row for row in book.all("EX") if row.started_at), key=started_at)


def intervals_by_cycle(book: Casebook) -> Mapping[int | None, Sequence[Record]]:
    """All infusion intervals by the number of their cycle, each in their order."""
    return by_cycle(book.once(intervals))


def latest_ends(book: Casebook) -> Sequence[datetime]:
    """For each interval in their order, the latest end until then. One without an end is read as its start."""
    return list(accumulate((row.ended_at or row.started_at for row in book.once(intervals)), max))


def started_at(row: Record) -> datetime:
    """When an interval started."""
    moment: datetime = row.started_at
    return moment


def started_before(rows: Sequence[Record], moment: datetime) -> int:
    """How many of the intervals, which are in their order, started before a moment."""
    return bisect_left(rows, moment, key=started_at)


def dose_before(record: Record, book: Casebook) -> Record | None:
    """The interval with a dose before this one in the same cycle."""
    rows = doses_by_cycle(book).get(record.cycle, ())
    number = started_before(rows, record.started_at)
    return rows[number - 1] if number else None


def gap_before(record: Record, book: Casebook) -> timedelta:
    """How long nothing was infused before an interval with a dose, in the same cycle."""
    before = dose_before(record, book)
    if not record.dose_ug_per_day or before is None or before.ended_at is None:
        return timedelta(0)
    gap: timedelta = record.started_at - before.ended_at
    return gap


def overlapping_interval(record: Record, book: Casebook) -> Verdict:
    """EC-110. An interval without an end is read as its start alone: it ends where the next one begins."""
    rows = book.once(intervals)
    first, last = started_before(rows, record.started_at), bisect_right(rows, record.started_at, key=started_at)
    earlier = bisect_right(book.once(latest_ends), record.started_at, hi=first)
    if earlier < first:  # the first of those that started earlier and ended later
        return {"other": rows[earlier].number}
    for other in rows[first:last]:
        if other.key != record.key:
            return {"other": other.number}
    later = rows[last] if last < len(rows) else None
    is_shared = later is not None and record.ended_at is not None and later.started_at < record.ended_at
    return {"other": later.number} if later is not None and is_shared else False


def unexplained_gap(record: Record, book: Casebook) -> Verdict:
    """EC-111: between two intervals that follow each other in a cycle."""
    rows = book.once(intervals_by_cycle).get(record.cycle, ())
    number = started_before(rows, record.started_at)
    before = rows[number - 1] if number else None
    if before is None or before.ended_at is None or record.started_at - before.ended_at <= HOUR:
        return False
    return {"since": before.ended_on, "hours": hours(record.started_at - before.ended_at)}


def hours(length: timedelta) -> int:
    """A length of time in whole hours."""
    return int(length / HOUR)


def is_premedicated(book: Casebook, moment: datetime, least_mg: int = 0) -> bool:
    """Whether premedication of at least so many mg was given in the 3 hours before a moment."""
    given = book.once(premedications, least_mg)
    number = bisect_right(given, moment)
    return number > 0 and given[number - 1] >= moment - 3 * HOUR


def premedications(book: Casebook, least_mg: int) -> Sequence[datetime]:
    """When premedication of at least so many mg was given, in their order."""
    rows = (row for row in book.all("DEX") if row.purpose == "PREMEDICATION" and (row.dose_mg or 0) >= least_mg)
    return sorted(row.given_at for row in rows if row.given_at is not None)


def is_premedication_due(record: Record, book: Casebook) -> bool:
    """Whether the premedication of an infusion should be there: the day of its start is over, or the site answered for the log."""
    return record.started_on < book.asked_on or book.gates.get("DEX") is not None


def restart_without_premedication(record: Record, book: Casebook) -> Verdict:
    """EC-112."""
    if not is_premedication_due(record, book):
        return False
    gap = gap_before(record, book)
    if gap < SUPERVISED_RESTART or is_premedicated(book, record.started_at):
        return False
    return {"hours": hours(gap)}


def start_without_premedication(record: Record, book: Casebook) -> Verdict:
    """EC-113: the first dose of a cycle, and every step up."""
    if not record.dose_ug_per_day or not is_premedication_due(record, book):
        return False
    before = dose_before(record, book)
    is_step = before is not None and record.dose_ug_per_day > before.dose_ug_per_day
    return (before is None or is_step) and not is_premedicated(book, record.started_at, PREMEDICATION_MG)


def cycle_day(record: Record, day: date, book: Casebook) -> int:
    """The day of the cycle that a day is; the first dose of the cycle is on day 1."""
    start = cycle_starts(book)[record.cycle].started_on
    return (day - start).days + 1


def first_week_dose(record: Record, book: Casebook) -> Verdict:
    """EC-114."""
    if not record.dose_ug_per_day or record.cycle != 1 or record.change_reason is not None:
        return False
    is_early = cycle_day(record, record.started_on, book) <= book.parameters.first_step_days
    return is_early and record.dose_ug_per_day != book.parameters.first_step_dose


def step_not_done(record: Record, book: Casebook) -> Verdict:
    """EC-115: the first dose goes on after the day of the step. Nothing is asked while that day lasts."""
    parameters = book.parameters
    if record.cycle != 1 or record.change_reason is not None or record.dose_ug_per_day != parameters.first_step_dose:
        return False
    day = cycle_day(record, record.ended_on or book.asked_on, book)
    return {"day": day} if day > parameters.first_step_days + 1 else False


def later_cycle_starts_low(record: Record, book: Casebook) -> Verdict:
    """EC-116."""
    if record.cycle == 1 or dose_before(record, book) is not None:
        return False
    cycle = next((row for row in book.all("CYC") if row.number == record.cycle), None)
    reasons = (record.change_reason, cycle.new_cycle_reason if cycle is not None else None)
    return record.dose_ug_per_day == book.parameters.first_step_dose and "ADVERSE EVENT" not in reasons


def early_step(record: Record, book: Casebook) -> Verdict:
    """EC-117: the days at the first dose since the cycle, or what was higher, are counted."""
    low = book.parameters.first_step_dose
    before = dose_before(record, book)
    if before is None or before.dose_ug_per_day != low or (record.dose_ug_per_day or 0) <= low:
        return False
    rows = doses_by_cycle(book)[record.cycle]
    number, days = started_before(rows, record.started_at), 0.0
    while number and rows[number - 1].dose_ug_per_day == low:
        number -= 1
        days += hours_of(rows[number]) / 24
    return {"days": f"{days:.1f}"} if days < book.parameters.first_step_days else False


def long_interruption(record: Record, book: Casebook) -> Verdict:
    """EC-118: the reason stands on the interruption, or on the restart after it."""
    gap, before = gap_before(record, book), dose_before(record, book)
    if gap <= SAME_CYCLE or before is None:
        return False
    rows = book.once(intervals)
    pauses = slice(*(bisect_right(rows, row.started_at, key=started_at) for row in (before, record)))
    is_event = any(row.change_reason == "ADVERSE EVENT" for row in rows[pauses])
    return {"days": gap.days} if is_event else False


def too_many_days(record: Record, book: Casebook) -> Verdict:
    """EC-120."""
    days = infusion_days(book, record.number)
    return {"days": f"{days:.1f}"} if days > book.parameters.days_on + 1 else False


def pause_between_cycles(record: Record, book: Casebook) -> Verdict:
    """EC-121."""
    starts = cycle_starts(book)
    start = starts.get(record.number)
    earlier = [row for row in doses(book) if row.cycle is not None and row.cycle < record.number]
    ends = [row.ended_on or book.asked_on for row in earlier]
    if start is None or not ends or 7 <= (start.started_on - max(ends)).days <= 28:
        return False
    return {"days": (start.started_on - max(ends)).days}


def consolidation_without_remission(record: Record, book: Casebook) -> Verdict:
    """EC-122."""
    start = cycle_starts(book).get(record.number)
    if record.kind != "CONSOLIDATION" or start is None:
        return False
    return not responded(book, {*REMISSIONS, BFHM}, start.started_on)


def event_disagrees(record: Record, book: Casebook) -> Verdict:
    """EC-123."""
    if record.change_reason != "ADVERSE EVENT":
        return False
    if record.event_number is None:
        return {"said": "none is named"}
    event = next((row for row in book.all("AE") if row.number == record.event_number), None)
    if event is None or event.action is None or event.action in CHANGED_BY_EVENT:
        return False
    return {"said": f"the action of event {event.number} is {event.action}"}


def infused_after_death(record: Record, book: Casebook) -> Verdict:
    """EC-124: a day of grace, because a pump may be stopped after midnight."""
    death = died_on(book)
    if death is None or not record.dose_ug_per_day:
        return False
    return naming(is_before(death, as_partial(days_after(record.ended_on, -1))), died=death, ended=record.ended_on)


def no_event_withdrew(record: Record, book: Casebook) -> Verdict:
    """EC-126."""
    return record.reason == "ADVERSE EVENT" and all(event.action != "DRUG WITHDRAWN" for event in book.all("AE"))


def infused_after(day: PartialDate, book: Casebook) -> bool | None:
    """Whether the drug ran on a later day than this one."""
    last = last_dose_on(book)
    return is_before(day, as_partial(last)) if last is not None else False


def infused_although_withdrawn(record: Record, book: Casebook) -> Verdict:
    """EC-127: a day after the onset is left for stopping."""
    last = last_dose_on(book)
    if record.action != "DRUG WITHDRAWN" or last is None:
        return False
    return naming(is_before(record.started, as_partial(days_after(last, -1))), last=last)


def grade_reached(event: Record, grade: int) -> PartialDate | None:
    """The first day on which the event was of that grade: by its grade history, else its onset."""
    steps = [row.began for row in event.rows.get("AE.GRADE", ()) if row.began and (row.grade or 0) >= grade]
    return min(steps, key=lambda day: day.earliest, default=event.started)


def infused_after_grade_4(record: Record, book: Casebook) -> Verdict:
    """EC-128: a cytokine release or neurologic event of grade 4 stops the treatment for good."""
    day = grade_reached(record, 4)
    if record.grade != 4 or day is None or not {"CRS", "NEUROLOGIC"} & set(record.special_interest):
        return False
    return naming(infused_after(day, book), day=day)


def infused_after_seizures(record: Record, book: Casebook) -> Verdict:
    """EC-129."""
    event = book.find("AE", record.event_id)
    if record.seizures_to_date < 2 or event is None or event.started is None:
        return False
    return naming(infused_after(event.started, book), onset=event.started)


def severe_event_of(record: Record, book: Casebook) -> Record | None:
    """The event of a neurologic detail, where it is of grade 3 and began while the drug ran."""
    event = book.find("AE", record.event_id)
    if event is None or event.grade != 3 or event.started is None:
        return None
    return event if is_infused_on(book, event.started) else None


def restart_after(day: PartialDate, book: Casebook) -> Record | None:
    """The first dose after the drug was stopped that began on a later day than this one; a cycle begun anew is one too."""
    before: Record | None = None
    for row in doses(book):
        is_gapless = before is not None and before.ended_at == row.started_at
        if before is not None and not is_gapless and row.started_on > day.latest:
            return row
        before = row
    return None


def restart_rule_not_met(record: Record, book: Casebook) -> Verdict:
    """EC-130."""
    event = severe_event_of(record, book)
    restart = restart_after(event.started, book) if event is not None else None
    if restart is None:
        return False
    values: dict[str, Any] = {
        "restart": restart.started_on,
        "dose": restart.dose_ug_per_day,
        "resolved": record.resolved,
    }
    is_early = record.resolved is not None and (restart.started_on - record.resolved.earliest).days < 3
    return values if is_early or restart.dose_ug_per_day != book.parameters.first_step_dose else False


def restarted_after_long_event(record: Record, book: Casebook) -> Verdict:
    """EC-131."""
    event = severe_event_of(record, book)
    restart = restart_after(event.started, book) if event is not None else None
    if event is None or restart is None:
        return False
    days = (record.resolved.earliest - event.started.latest).days
    return {"days": days, "restart": restart.started_on} if days > 7 else False


def inpatient_days(book: Casebook, first: date, last: date) -> int:
    """The days from one to another that were, or may have been, spent in hospital."""
    stays = [(row.admitted_on, row.discharged_on) for row in book.all("HO") if row.admitted_on]
    days = (days_after(first, count) for count in range((last - first).days + 1))
    return sum(any(may_overlap(stay, (as_partial(day), as_partial(day))) for stay in stays) for day in days)


def few_inpatient_days(record: Record, book: Casebook) -> Verdict:
    """EC-132: where the infusion lasted as long, and the patient lived."""
    least, start = INPATIENT_DAYS.get(record.number), cycle_starts(book).get(record.number)
    if least is None or start is None:
        return False
    last = days_after(start.started_on, least - 1)
    ends = max(row.ended_on or book.asked_on for row in doses(book) if row.cycle == record.number)
    death = died_on(book)
    if ends < last or last >= book.asked_on or (death is not None and death.earliest <= last):
        return False
    cycle_ends = days_after(start.started_on, book.parameters.days_on + book.parameters.days_off - 1)
    days = inpatient_days(book, start.started_on, min(cycle_ends, book.asked_on))
    return {"days": days, "least": least} if days < least else False


def high_steroid_dose(record: Record, book: Casebook) -> Verdict:
    """EC-133."""
    times = DOSES_A_DAY.get(record.frequency)
    if times is None:
        return False
    daily, days = record.dose_mg * times, (record.last_day.earliest - record.given_on).days + 1
    return {"daily": daily, "days": days} if daily > 100 and days > 4 else False


def on_treatment(start: PartialDate, end: PartialDate | None, book: Casebook, least_days: int = 1) -> bool | None:
    """Whether a medication was given on at least so many days from the first dose to the last."""
    first, last = first_dose_on(book), last_dose_on(book)
    if first is None or last is None:
        return False
    days_more = least_days - 1
    if end is not None and (end.latest - start.earliest).days < days_more:
        return False
    return overlaps(start, end, days_after(first, days_more), days_after(last, -days_more))


def anticancer_on_treatment(record: Record, book: Casebook) -> Verdict:
    """EC-134."""
    if record.category != "ANTICANCER" or record.route == "INTRATHECAL":
        return False
    return on_treatment(record.started, record.ended, book)


def immunosuppressant_without_reason(record: Record, book: Casebook) -> Verdict:
    """EC-135."""
    is_systemic = record.category == "IMMUNOSUPPRESSANT" and record.route not in ("TOPICAL", "RESPIRATORY (INHALATION)")
    if not is_systemic or record.indication in ("AE", "GVHD") or record.event_number is not None:
        return False
    return on_treatment(record.started, record.ended, book, least_days=2)


CHECKS = (
    EditCheck(
        "EC-110",
        "EX",
        "started_at",
        "This interval overlaps interval {other}. Check the start and the stop of both.",
        HARD,
        overlapping_interval,
        needs=("started_at",),
        reads=("EX",),
    ),
    EditCheck(
        "EC-111",
        "EX",
        "started_at",
        "Nothing is entered for the {hours} hours before this interval, since {since}. Enter the interruption.",
        ERROR,
        unexplained_gap,
        needs=("started_at", "cycle"),
        reads=("EX",),
    ),
    EditCheck(
        "EC-112",
        "EX",
        "started_at",
        "A restart after {hours} hours, without premedication in the 3 hours before it. Enter it, or confirm.",
        WARNING,
        restart_without_premedication,
        needs=("started_at", "cycle"),
        reads=("EX", "DEX"),
    ),
    EditCheck(
        "EC-113",
        "EX",
        "started_at",
        "A start or step without dexamethasone 20 mg in the 3 hours before it. Enter the premedication, or confirm.",
        WARNING,
        start_without_premedication,
        needs=("started_at", "cycle"),
        reads=("EX", "DEX"),
    ),
    EditCheck(
        "EC-114",
        "EX",
        "dose_ug_per_day",
        "Cycle 1 starts at 9 µg/day; here it is {dose_ug_per_day}, without a reason. Correct the rate, or give the reason.",
        ERROR,
        first_week_dose,
        needs=("started_at", "cycle", "dose_ug_per_day"),
        reads=("EX",),
    ),
    EditCheck(
        "EC-115",
        "EX",
        "dose_ug_per_day",
        "{dose_ug_per_day} µg/day goes on until day {day}; the step to 28 is due on day 8. Give the reason, or confirm.",
        WARNING,
        step_not_done,
        needs=("started_at", "cycle", "dose_ug_per_day"),
        reads=("EX",),
    ),
    EditCheck(
        "EC-116",
        "EX",
        "dose_ug_per_day",
        "Cycle {cycle} starts at {dose_ug_per_day} µg/day instead of 28, and no adverse event is the reason. Confirm.",
        WARNING,
        later_cycle_starts_low,
        needs=("started_at", "cycle", "dose_ug_per_day"),
        reads=("EX", "CYC"),
    ),
    EditCheck(
        "EC-117",
        "EX",
        "started_at",
        "A step after {days} days at 9 µg/day; 7 are due. Check both times.",
        ERROR,
        early_step,
        needs=("started_at", "cycle", "dose_ug_per_day"),
        reads=("EX",),
    ),
    EditCheck(
        "EC-118",
        "EX",
        "cycle",
        "An adverse event interrupted cycle {cycle} for {days} days. After more than 7 a new cycle begins: check the cycle.",
        ERROR,
        long_interruption,
        needs=("started_at", "cycle"),
        reads=("EX",),
    ),
    EditCheck(
        "EC-119",
        "CYC",
        "number",
        "Cycle {number} is beyond the five of the protocol, and not a retreatment. Check the number and the type.",
        ERROR,
        lambda record, book: record.number > book.parameters.most_cycles and record.kind != "RETREATMENT",
        needs=("number", "kind"),
        by_record=True,
    ),
    EditCheck(
        "EC-120",
        "CYC",
        "number",
        "Cycle {number} has {days} days of infusion, and 28 are planned. Check the intervals.",
        ERROR,
        too_many_days,
        needs=("number",),
        reads=("EX",),
    ),
    EditCheck(
        "EC-121",
        "CYC",
        "number",
        "Cycle {number} began {days} days after the infusion before it; about 14 are planned. Please confirm.",
        WARNING,
        pause_between_cycles,
        needs=("number",),
        reads=("EX",),
    ),
    EditCheck(
        "EC-122",
        "CYC",
        "kind",
        "Cycle {number} is consolidation, but no remission is entered before it. Please confirm the type.",
        WARNING,
        consolidation_without_remission,
        needs=("number", "kind"),
        reads=("EX", "RS"),
    ),
    EditCheck(
        "EC-123",
        "EX",
        "event_number",
        "The reason of the change is an adverse event, and {said}. Correct the reason or the event.",
        ERROR,
        event_disagrees,
        needs=("change_reason",),
        reads=("AE",),
    ),
    EditCheck(
        "EC-124",
        "EX",
        "ended_at",
        "The infusion ended on {ended}, after the death on {died}. Check both dates.",
        ERROR,
        infused_after_death,
        needs=("ended_on",),
        reads=("DTH",),
    ),
    EditCheck(
        "EC-126",
        "EOT",
        "reason",
        "Treatment ended because of an adverse event, but no event has the action drug withdrawn. Correct one of them.",
        ERROR,
        no_event_withdrew,
        needs=("reason",),
        reads=("AE",),
    ),
    EditCheck(
        "EC-127",
        "AE",
        "action",
        "The drug was withdrawn for an event of {started}, but the infusion went on until {last}. Correct one of them.",
        ERROR,
        infused_although_withdrawn,
        needs=("action", "started"),
        reads=("EX",),
    ),
    EditCheck(
        "EC-128",
        "AE",
        "grade",
        "Grade 4 on {day} stops the treatment for good, but the infusion went on. Check the grade and the infusion.",
        ERROR,
        infused_after_grade_4,
        needs=("grade", "special_interest"),
        reads=("EX",),
    ),
    EditCheck(
        "EC-129",
        "NEU",
        "seizures_to_date",
        "{seizures_to_date} seizures stop the treatment for good, but it went on after {onset}. Please check.",
        ERROR,
        infused_after_seizures,
        needs=("seizures_to_date", "event_id"),
        reads=("AE", "EX"),
    ),
    EditCheck(
        "EC-130",
        "NEU",
        "resolved",
        "Restart on {restart} at {dose} µg/day after a grade 3 event resolved on {resolved}: the rule is 9 µg/day, at "
        "least 3 days after grade 1.",
        ERROR,
        restart_rule_not_met,
        needs=("event_id",),
        reads=("AE", "EX"),
    ),
    EditCheck(
        "EC-131",
        "NEU",
        "resolved",
        "The grade 3 event took {days} days to resolve, and after more than 7 treatment ends; it restarted on {restart}.",
        ERROR,
        restarted_after_long_event,
        needs=("event_id", "resolved"),
        reads=("AE", "EX"),
    ),
    EditCheck(
        "EC-132",
        "CYC",
        "number",
        "{days} days in hospital in cycle {number}; at least {least} are recommended. Enter the stay, or confirm.",
        WARNING,
        few_inpatient_days,
        needs=("number",),
        reads=("EX", "HO", "DTH"),
    ),
    EditCheck(
        "EC-133",
        "DEX",
        "dose_mg",
        "{daily} mg of dexamethasone a day for {days} days: please confirm the dose and the days.",
        WARNING,
        high_steroid_dose,
        needs=("dose_mg", "frequency", "given_on", "last_day"),
        by_record=True,
    ),
    EditCheck(
        "EC-134",
        "CM",
        "category",
        "{drug} against cancer during treatment, not as intrathecal prophylaxis. Please check.",
        ERROR,
        anticancer_on_treatment,
        needs=("category", "started", "drug"),
        reads=("EX",),
    ),
    EditCheck(
        "EC-135",
        "CM",
        "indication",
        "{drug} suppresses the immune system during treatment, and no event or GVHD is the indication. Please check.",
        ERROR,
        immunosuppressant_without_reason,
        needs=("category", "started", "drug"),
        reads=("EX",),
    ),
)
