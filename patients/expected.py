"""Which visits and forms are expected of a patient, from what has happened so far (STUDY A.5). No database, no clock.

The rule: nothing is expected from a calendar alone. The days of a cycle follow from the actual start of its infusion, what
follows treatment from the last dose, and whoever left or died is asked for nothing more.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from patients.anchors import cycle_starts, died_on, last_dose_on, relapsed
from patients.withdrawal import CONTACT, END_OF_STUDY, Withdrawn, withdrawn
from trial.edit_checks import Casebook, Record
from trial.schedule import DAYS_PER_MONTH

# What is asked at a visit, by the row of the schedule (docs/decisions/0077). The writing test stands on PS, coagulation on LBO.
# GVHD is only asked after an allogeneic transplantation.
GVHD = ("GVA", "GVC")
_BODY = ("SV", "PS", "VS")
_BLOOD = ("LBH", "LBC", "LBO")
_MARROW = ("BM", "MRD", "RS")
SCREENING = (*_BODY, *_BLOOD, "BM", "EMD", *GVHD)
PRE_PHASE = ("SV", "VS", *_BLOOD)
TREATMENT_DAYS: Mapping[int, tuple[str, ...]] = {
    1: (*_BODY, *_BLOOD, *GVHD),
    2: (*_BODY, *_BLOOD),
    3: (*_BODY, *_BLOOD),
    8: (*_BODY, *_BLOOD, *GVHD),
    15: (*_BODY, *_BLOOD, *GVHD),
    22: (*_BODY, *_BLOOD, *GVHD),
}
EARLIER_SCREENING = "ENR.SCREENING"
END_OF_CYCLE_DAY = 29
END_OF_CYCLE = (*_BODY, *_BLOOD, *_MARROW, "EMD", *GVHD)
SAFETY_FOLLOW_UP = (*_BODY, *_BLOOD, "EMD", *GVHD)
EFFICACY_FOLLOW_UP = ("SV", "PS", *_BLOOD, *_MARROW, *GVHD)  # extramedullary disease "if indicated": not expected
EFFICACY_MONTHS = (3, 6, 9, 12, 18, 24)
SURVIVAL_EVERY_MONTHS = 3
# What has no visit of its own: from when on it is asked for.
FROM_CONSENT = ("ENR", "IE", "DM", "ALLH", "HSCT", "MH", "PTX", "BDIS", "CM")
FROM_FIRST_DOSE = ("CYC", "EX", "DEX", "AE", "TRF", "PR", "HO")
FROM_END_OF_TREATMENT = ("EOT", "NSCT", "NTX", "REL")
# Why treatment ended where there is no remission to follow up.
FAILURES = ("DISEASE RELAPSE", "PROGRESSIVE DISEASE", "LACK OF EFFICACY")
ALWAYS = date.min  # the day of a transplantation before the study of which no day is known


@dataclass(frozen=True, slots=True)
class Course:
    """What has happened to a patient, as far as the schedule asks. Days are days at the site."""

    consented_on: date
    is_enrolled: bool | None = None  # None: not decided yet
    cycles: Mapping[int, date] | None = None  # the day on which each cycle's infusion started
    last_dose_on: date | None = None  # the end of the last infusion
    has_ended_treatment: bool = False
    has_failed: bool = False  # treatment ended because the leukaemia was not, or is not any more, in remission
    transplanted_on: date | None = None  # a later allogeneic transplantation
    allografted_on: date | None = None  # the first allogeneic transplantation, earlier or later
    relapsed_on: date | None = None
    died_on: date | None = None
    left_on: date | None = None  # end of study, or withdrawal of consent to visits and contacts
    withdrawn: Withdrawn | None = None
    uses_pre_phase: bool = False
    screened_before: int = 0  # how many screenings failed before the last one
    screened_on: date | None = None  # the last one

    @property
    def first_dose_on(self) -> date | None:
        """The first day of the first cycle that was started."""
        return min(self.cycles.values()) if self.cycles else None

    @property
    def must_have_ended(self) -> bool:
        """Whether treatment has ended by what is recorded, be it said on its form or not: then the form is asked for."""
        ends = (self.transplanted_on, self.relapsed_on, self.died_on, self.left_on)
        is_over = any(day is not None for day in ends) or self.withdrawn is not None
        return self.has_ended_treatment or is_over


def course_of(book: Casebook) -> Course | None:
    """What has happened to the patient as far as the schedule asks; None without a day of consent."""
    consents = [row for row in book.all("ENR") if row.consented_on]
    if not consents:
        return None
    grafts = [row.transplanted_on for row in book.all("NSCT") if row.transplanted_on]
    earlier = [
        row.transplanted_on.earliest if row.transplanted_on else ALWAYS
        for row in book.all("HSCT")
        if row.kind == "ALLOGENEIC"
    ]
    relapses, death = relapsed(book), died_on(book)
    left = [row for row in book.all("EOS") if row.ended_on]
    state = withdrawn(
        [
            *((row.withdrawn_on, row.extent) for row in book.all("WDR")),
            *((row.ended_on, CONTACT) for row in left if row.reason == END_OF_STUDY),
        ]
    )
    stopped = [state.contact_on] if state and state.contact_on else []
    return Course(
        consented_on=consents[0].consented_on,
        is_enrolled=consents[0].is_enrolled,
        cycles={number: row.started_on for number, row in cycle_starts(book).items()},
        last_dose_on=last_dose_on(book),
        has_ended_treatment=bool(book.all("EOT")),
        has_failed=any(row.reason in FAILURES for row in book.all("EOT")),
        transplanted_on=min(grafts, default=None),
        allografted_on=min([*grafts, *earlier], default=None),
        relapsed_on=relapses[0].relapsed_on.earliest if relapses else None,
        died_on=death.latest if death is not None else None,
        left_on=min([*(row.ended_on for row in left), *stopped], default=None),
        withdrawn=state,
        uses_pre_phase=any(row.purpose == "PRE-PHASE" for row in book.all("DEX")),
        screened_before=len(earlier_screenings(consents[0], book)),
        screened_on=consents[0].screened_on,
    )


def earlier_screenings(consent: Record, book: Casebook) -> Sequence[Record]:
    """The screenings that failed before the last one: rows of the form of the consent, or read beside it."""
    return [*consent.rows.get(EARLIER_SCREENING, ()), *book.all(EARLIER_SCREENING)]


@dataclass(frozen=True, slots=True)
class ExpectedVisit:
    """A visit, the day on which it is planned, the days on which it may take place (both included), and its forms."""

    code: str
    day: date
    opens: date
    closes: date
    forms: tuple[str, ...]


def expected_visits(course: Course, today: date) -> list[ExpectedVisit]:
    """The visits that are due until today, in the order of their days.

    A visit is expected once its day has come while the patient was still there: alive, in the study, and for the visits of
    treatment not past the transplantation that ended it. A failed screening asks for none.
    """
    if course.is_enrolled is False:
        return []
    until = min([today, *(day for day in (course.died_on, course.left_on) if day)])
    visits = [
        visit for visit in (*_screening(course), *_cycles(course), *_follow_up(course, until)) if visit.day <= until
    ]
    return sorted(visits, key=lambda visit: visit.day)


def expected_without_visit(course: Course) -> tuple[str, ...]:
    """The forms that are filled once, or as a log, and are due by what has happened so far."""
    if course.is_enrolled is False:
        return ("ENR", "IE", "DM")  # a failed screening asks for no more
    return (
        *FROM_CONSENT,
        *(FROM_FIRST_DOSE if course.first_dose_on else ()),
        *(FROM_END_OF_TREATMENT if course.first_dose_on and course.must_have_ended else ()),
        *(("DTH",) if course.died_on else ()),
        *(("WDR",) if course.withdrawn else ()),
        *(("EOS",) if course.left_on or course.died_on else ()),
    )


def is_screening_over(book: Casebook) -> bool:
    """Whether the days of the last screening have passed."""
    consent = next((row for row in book.all("ENR") if row.consented_on), None)
    if consent is None:
        return False
    course = Course(
        consent.consented_on,
        cycles={number: row.started_on for number, row in cycle_starts(book).items()},
        screened_before=len(earlier_screenings(consent, book)),
        screened_on=consent.screened_on,
    )
    return next(_screening(course)).closes < book.asked_on


def screening_visit(screened_before: int) -> str:
    """The code of the visit of a screening, after so many that failed: SCR, then SCR2."""
    return f"SCR{screened_before + 1}" if screened_before else "SCR"


def _screening(course: Course) -> Iterator[ExpectedVisit]:
    first = course.first_dose_on
    day, code = course.consented_on, screening_visit(course.screened_before)
    if course.screened_before:
        day = course.screened_on or day
    opens = max(day, first - timedelta(days=21)) if first else day
    closes = max(opens, first - timedelta(days=1)) if first else day + timedelta(days=20)
    yield ExpectedVisit(code, opens, opens, closes, _asked(SCREENING, course, opens))
    if first and course.uses_pre_phase:
        opens = first - timedelta(days=5)
        yield ExpectedVisit("PRE", opens, opens, first - timedelta(days=1), PRE_PHASE)


def _cycles(course: Course) -> Iterator[ExpectedVisit]:
    starts = dict(course.cycles or {})
    for number, start in sorted(starts.items()):
        following = min((day for day in starts.values() if day > start), default=None)
        ends = [day for day in (following, course.transplanted_on) if day and day > start]
        if following is None and course.has_ended_treatment and course.last_dose_on:
            ends.append(course.last_dose_on + timedelta(days=1))  # what was stopped early has no further days
        if course.withdrawn and course.withdrawn.treatment_on >= start:
            ends.append(course.withdrawn.treatment_on + timedelta(days=1))
        last = min(ends) - timedelta(days=1) if ends else None
        for day_of_cycle, forms in TREATMENT_DAYS.items():
            if day_of_cycle == 3 and number > 1:
                continue
            day = start + timedelta(days=day_of_cycle - 1)
            if last is None or day <= last:
                yield ExpectedVisit(f"C{number}D{day_of_cycle}", day, day, day, _asked(forms, course, day))
        yield from _end_of_cycle(course, number, start, following)


def _end_of_cycle(course: Course, number: int, start: date, following: date | None) -> Iterator[ExpectedVisit]:
    day = start + timedelta(days=END_OF_CYCLE_DAY - 1)
    closes = following - timedelta(days=1) if following else start + timedelta(days=56)
    if course.transplanted_on:
        closes = min(closes, course.transplanted_on - timedelta(days=1))
    if closes >= day - timedelta(days=3):
        planned = min(day, closes)
        yield ExpectedVisit(
            f"C{number}EOC", planned, day - timedelta(days=3), closes, _asked(END_OF_CYCLE, course, planned)
        )


def _follow_up(course: Course, until: date) -> Iterator[ExpectedVisit]:
    first = course.first_dose_on
    if first is None:
        return
    if course.has_ended_treatment and course.last_dose_on:
        day = course.last_dose_on + timedelta(days=30)
        if course.transplanted_on is None or day < course.transplanted_on:
            yield ExpectedVisit("SFUP30", day, day, day + timedelta(days=7), _asked(SAFETY_FOLLOW_UP, course, day))
        yield from _efficacy(course, first)
    month = SURVIVAL_EVERY_MONTHS
    while (day := _months_after(first, month)) <= until:
        if course.has_ended_treatment:
            yield ExpectedVisit(f"SFU{month}", day, day - timedelta(days=14), day + timedelta(days=14), ("SFU",))
        month += SURVIVAL_EVERY_MONTHS


def _efficacy(course: Course, first: date) -> Iterator[ExpectedVisit]:
    """Efficacy follow-up goes on until relapse, or a transplantation that takes it over; of a failure there is none."""
    if course.has_failed:
        return
    ends = [day for day in (course.relapsed_on, course.transplanted_on) if day]
    for month in EFFICACY_MONTHS:
        day = _months_after(first, month)
        is_after_treatment = course.last_dose_on is not None and day > course.last_dose_on
        if is_after_treatment and all(day < end for end in ends):
            window = timedelta(days=14)
            yield ExpectedVisit(f"EFU{month}", day, day - window, day + window, _asked(EFFICACY_FOLLOW_UP, course, day))


def _months_after(day: date, months: int) -> date:
    return day + timedelta(days=round(months * DAYS_PER_MONTH))


def _asked(forms: tuple[str, ...], course: Course, day: date) -> tuple[str, ...]:
    """The forms of a day without those on GVHD where there was no allogeneic transplantation by then."""
    had_graft = course.allografted_on is not None and course.allografted_on <= day
    return forms if had_graft else tuple(form for form in forms if form not in GVHD)
