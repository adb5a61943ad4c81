"""What happened to a patient, in the order of time: infusion, events of interest, marrow and response, milestones, blood.

Days are counted from the first dose, and from consent for who was not dosed. What is known in part stands at the first day
that it could be, and says so. No database, no clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from patients.anchors import (
    as_partial,
    died_on,
    first_dose_on,
    last_dose_on,
    marrow_on,
    measured,
    reading_of,
    response_of,
)
from patients.derived.visits import marrow_mrd
from patients.laboratory_tests import TESTS
from patients.measured import Measured
from trial.edit_checks import Casebook, Record
from trial.partial_dates import PartialDate
from trial.schedule import study_day

# The lanes of the figure from top to bottom, and what they are called.
LANES = {
    "infusion": "Infusion",
    "milestone": "Milestones",
    "response": "Response",
    "marrow": "Marrow blasts",
    "mrd": "MRD",
    "crs": "Cytokine release",
    "neurologic": "Neurologic",
    "gvhd": "GVHD",
    "infection": "Infection, grade 3 or more",
}
INTERESTS = {
    "CRS": "crs",
    "NEUROLOGIC": "neurologic",
    "GVHD ACUTE": "gvhd",
    "GVHD CHRONIC": "gvhd",
    "INFECTION": "infection",
}
LEAST_GRADE = {"infection": 3}
# The courses: platelets and neutrophils make the response, blasts the disease, bilirubin liver and GVHD, CRP cytokine release.
COURSES = ("PLAT", "NEUT", "BLAST", "BILI", "CRP")
# The forms that a story is read from.
READ = ("AE", "BM", "CYC", "DTH", "ENR", "EOS", "EX", "HSCT", "LBC", "LBH", "MRD", "NSCT", "NTX", "REL", "RS")
MRD_SHORT = {
    "Complete": "negative",
    "Below 10⁻⁴, detectable": "< 10⁻⁴",
    "10⁻⁴ or more": "≥ 10⁻⁴",
    "Not evaluable": "n. e.",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened: when, what it is called in the figure and in full, and the record that says so.

    `ended` is None for what has no length; `is_open` says that it goes on. `tone` is how it is drawn.
    """

    lane: str
    began: PartialDate
    label: str
    text: str
    form: str
    record: int
    ended: PartialDate | None = None
    is_open: bool = False
    tone: str = ""
    size: float = 1.0

    @property
    def on(self) -> date:
        """The first day that it could be."""
        return self.began.earliest

    @property
    def when(self) -> str:
        """The day or days in words."""
        if self.is_open:
            return f"{self.began}, goes on"
        return (
            f"{self.began} to {self.ended}" if self.ended is not None and self.ended != self.began else str(self.began)
        )


@dataclass(frozen=True, slots=True)
class Point:
    """One result of a course, in the standard unit."""

    on: date
    result: Measured
    form: str
    record: int
    grade: int | None

    @property
    def value(self) -> Decimal:
        """The number, or the limit beyond which the result lies."""
        return self.result.number

    @property
    def text(self) -> str:
        """The result without the zeros that the column's scale adds."""
        return str(self.result)


@dataclass(frozen=True, slots=True)
class Course:
    """The results of one laboratory test in the order of time."""

    test: str
    points: tuple[Point, ...]

    @property
    def label(self) -> str:
        """What the test is called."""
        return TESTS[self.test].label

    @property
    def unit(self) -> str:
        """The standard unit."""
        return TESTS[self.test].unit


@dataclass(frozen=True, slots=True)
class Story:
    """All of it. `origin` is the day that is counted from; None where there is neither a dose nor a consent.

    `died_on` is the last day that the death could have been on.
    """

    origin: date | None
    is_dosed: bool
    treated_until: date | None
    died_on: date | None
    marks: tuple[Mark, ...]
    courses: tuple[Course, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not self.marks and not any(course.points for course in self.courses)

    def day(self, on: date) -> int | None:
        """The study day: no day is zero."""
        return study_day(on, self.origin) if self.origin is not None else None


def tell(book: Casebook) -> Story:
    """The story of a patient from the forms of `READ`."""
    first, consent, death = first_dose_on(book), book.one("ENR"), died_on(book)
    consented = consent.consented_on if consent is not None else None
    marks = [*_infusions(book), *_milestones(book), *_assessments(book), *_events(book)]
    courses = (Course(test, tuple(_points(book, test))) for test in COURSES)
    return Story(
        first or consented,
        first is not None,
        last_dose_on(book),
        death.latest if death is not None else None,
        tuple(sorted(marks, key=lambda mark: (mark.on, list(LANES).index(mark.lane), mark.record))),
        tuple(course for course in courses if course.points),
    )


def _infusions(book: Casebook) -> Iterator[Mark]:
    """The infusion intervals: dose steps with their height, interruptions of dose 0."""
    full = book.parameters.full_dose
    named: set[int] = set()
    for row in sorted((row for row in book.all("EX") if row.started_at), key=lambda row: row.started_at):
        dose = row.dose_ug_per_day
        rate = "" if dose is None else f"{dose.normalize():f}"
        is_new_cycle = row.cycle not in named and row.cycle is not None and bool(dose)
        if is_new_cycle:
            named.add(row.cycle)
        what = (
            f"Infusion of {rate} µg/day"
            if dose
            else "Infusion interrupted"
            if dose == 0
            else "Infusion, rate not known"
        )
        yield Mark(
            "infusion",
            as_partial(row.started_on),
            f"Cycle {row.cycle}" if is_new_cycle else "",
            f"{what}, cycle {row.cycle}",
            "EX",
            row.key,
            ended=as_partial(row.ended_on or book.asked_on),
            is_open=row.ended_on is None,
            tone="paused" if dose == 0 else "full" if dose == full else "step",
            size=float(min(dose / full, Decimal("1.5"))) if dose else 1.0,
        )


def _milestones(book: Casebook) -> Iterator[Mark]:
    """Consent, transplantations, relapse, other therapy, death and the end of the study."""
    found: list[tuple[str, str | None, Record, PartialDate | date | None, str]] = []
    for row in book.all("ENR"):
        found.append(("Consent", None, row, row.consented_on, ""))
        if row.is_enrolled is False:
            found.append(("Screening failure", None, row, row.screened_on or row.consented_on, "bad"))
    for row in book.all("HSCT"):
        kind = "alloHSCT" if row.kind == "ALLOGENEIC" else "autoHSCT"
        found.append((kind, "Transplantation before the study", row, row.transplanted_on, "graft"))
    found += [
        ("alloHSCT", "Transplantation after the first dose", row, row.transplanted_on, "graft")
        for row in book.all("NSCT")
    ]
    found += [("Relapse", None, row, row.relapsed_on, "bad") for row in book.all("REL")]
    found += [("New therapy", f"Later therapy: {row.regimen}", row, row.started_on, "") for row in book.all("NTX")]
    found += [("Death", None, row, row.died_on, "death") for row in book.all("DTH")]
    found += [("End of study", None, row, row.ended_on, "") for row in book.all("EOS")]
    for label, text, row, on, tone in found:
        if on is not None:
            began = on if isinstance(on, PartialDate) else as_partial(on)
            yield Mark("milestone", began, label, text or label, row.form, row.key, tone=tone)


def _assessments(book: Casebook) -> Iterator[Mark]:
    """Response, marrow and MRD: one mark a day, from the reading that counts."""
    for day in sorted({row.sampled_on for row in book.all("BM") if row.sampled_on}):
        marrow = marrow_on(book, day)
        assert marrow is not None  # there is one on that day
        label = word_blasts(marrow)
        yield Mark("marrow", as_partial(day), label, f"Marrow blasts {label}", "BM", marrow.key)
    seen: set[date] = set()
    for assay in book.all("MRD"):
        marrow = book.find("BM", assay.marrow_id)
        if marrow is None or marrow.sampled_on is None or marrow.sampled_on in seen:
            continue
        seen.add(marrow.sampled_on)
        category = marrow_mrd(assay, book) or "Not evaluable"
        tone = "good" if category == "Complete" else ""
        yield Mark(
            "mrd", as_partial(marrow.sampled_on), MRD_SHORT[category], f"MRD: {category}", "MRD", assay.key, tone=tone
        )
    by_day: dict[date, Record] = {}
    for row in sorted(book.all("RS"), key=lambda row: row.assessor != "CENTRAL"):
        if row.assessed_on and response_of(row):
            by_day.setdefault(row.assessed_on, row)
    for day, row in by_day.items():
        response = response_of(row) or ""
        tone = "good" if response in ("CR", "CRh", "CRi") else "bad" if response in ("PD", "RELAPSE") else ""
        yield Mark("response", as_partial(day), response, f"Response {response}", "RS", row.key, tone=tone)


def word_blasts(marrow: Record) -> str:
    """The blasts as the reader reported them."""
    if not reading_of(marrow).is_readable:
        return "not readable"
    qualifier = "" if marrow.blasts_qualifier in (None, "=") else f"{marrow.blasts_qualifier} "
    return f"{qualifier}{marrow.blasts_percent.normalize():f} %"


def _events(book: Casebook) -> Iterator[Mark]:
    """Adverse events of interest. An event of two kinds stands in both lanes."""
    for event in book.all("AE"):
        if event.started is None:
            continue
        grade = event.grade
        for lane in dict.fromkeys(INTERESTS[code] for code in event.special_interest or () if code in INTERESTS):
            if grade is None or grade < LEAST_GRADE.get(lane, 1):
                continue
            yield Mark(
                lane,
                event.started,
                str(grade),
                f"{event.term}, grade {grade}",
                "AE",
                event.key,
                ended=event.ended,
                is_open=event.ended is None and event.is_ongoing is True,
                tone=f"grade-{grade}",
            )


def _points(book: Casebook, test: str) -> list[Point]:
    points = [
        Point(sample.taken_on, found, sample.form, sample.key, sample.answers[test].grade)
        for sample in book.all(TESTS[test].panel)
        if sample.taken_on and (found := measured(sample, test)) is not None
    ]
    return sorted(points, key=lambda point: (point.on, point.record))
