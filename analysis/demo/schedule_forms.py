"""What the schedule of assessments still asks when everything that happened is filled in (STUDY A.5).

The rule: `patients.expected` says what is due, from what the casebook tells. A visit that took place gets the forms it lacks,
one that did not is entered as missed with its reason; logs without rows say so. A few patients are left with forms overdue.
"""

from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

from analysis.demo.casebook import Casebook, Row
from analysis.demo.chemistry_forms import Chemistry
from analysis.demo.laboratory import add_result
from analysis.demo.plan import TODAY
from analysis.demo.vital_signs import VitalSigns
from patients.expected import FAILURES, GVHD, Course, ExpectedVisit, expected_visits, expected_without_visit
from patients.withdrawal import withdrawn
from trial import partial_dates

OVERDUE = 0.04  # of the patients: their last visit is not entered whole
_TOGETHER_DAYS = 10  # so near to a visit that was missed, another one has taken its place


def fill_schedule(book: Casebook) -> None:
    """Fill in, or account for, all that is expected until the demo's own today."""
    course = course_of(book)
    closing = _Closing(book, course)
    visits = expected_visits(course, TODAY)
    for visit in visits:
        closing.visit(visit)
    _gates(book, course)
    if course.cycles and book.numbers("overdue").random() < OVERDUE:
        last = [visit for visit in visits if any(r.form == "LBC" and r.visit == visit.code for r in book.rows)][-1]
        forms = ("LBC", "LBC.RESULT", "LBO", "LBO.RESULT")
        book.rows = [row for row in book.rows if not (row.visit == last.code and row.form in forms)]


def course_of(book: Casebook) -> Course:
    """What the casebook tells of the patient, as far as the schedule asks."""

    def of(form: str) -> list[dict[str, Any]]:
        return [row.values for row in book.rows if row.form == form]

    enrolment = of("ENR")[0]
    doses = [row for row in of("EX") if row["dose_ug_per_day"]]
    starts: dict[int, date] = {}
    for row in doses:
        starts.setdefault(row["cycle"], row["started_at"].astimezone(book.zone).date())
    grafts = [row["transplanted_on"] for row in of("NSCT")]
    earlier = [
        partial_dates.parse(row["transplanted_on"]).earliest for row in of("HSCT") if row["kind"] == "ALLOGENEIC"
    ]
    relapses = [date.fromisoformat(str(row["relapsed_on"])) for row in of("REL")]
    return Course(
        consented_on=enrolment["consented_on"],
        is_enrolled=enrolment["is_enrolled"],
        cycles=starts,
        last_dose_on=max((row["ended_at"].astimezone(book.zone).date() for row in doses), default=None),
        has_ended_treatment=bool(of("EOT")),
        transplanted_on=min(grafts, default=None),
        has_failed=any(row["reason"] in FAILURES for row in of("EOT")),
        allografted_on=min([*grafts, *earlier], default=None),
        relapsed_on=min(relapses, default=None),
        died_on=book.plan.died_on if doses else None,
        left_on=min((row["ended_on"] for row in of("EOS")), default=None),
        withdrawn=withdrawn((row["withdrawn_on"], row["extent"]) for row in of("WDR")),
        uses_pre_phase=any(row["purpose"] == "PRE-PHASE" for row in of("DEX")),
    )


class _Closing:
    """Goes through the expected visits of one patient."""

    def __init__(self, book: Casebook, course: Course) -> None:
        self.book = book
        self.course = course
        self.chemistry = Chemistry(book)
        self.signs = VitalSigns(book)
        self.scales = book.numbers("weight on the days after a start")
        self.visits = {row.visit: row.values["visited_on"] for row in book.rows if row.form == "SV"}
        self.entered = {(item.form, item.visit) for item in book.items}

    def visit(self, visit: ExpectedVisit) -> None:
        """Account for each form of one visit."""
        if visit.code == "PRE":
            self._came(visit.code, self._free_day(visit.opens, visit.closes))
        missing = [form for form in visit.forms if (form, visit.code) not in self.entered]
        if not missing or visit.forms == ("SFU",):
            return
        on = self.visits.get(visit.code)
        if on is None:
            on = self._free_day(visit.day, min(visit.closes, visit.day + timedelta(days=7)))
            reason = self._why_missed(on)
            self.visits[visit.code] = on
            self.book.add("SV", on, visit.code, visited_on=on, contact="RECORDS", is_missed=True)
            for form in missing:
                if form != "SV":
                    self.book.not_done(form, on, visit.code, reason)
            return
        for form in missing:
            self._fill(form, visit.code, on)

    def _came(self, visit: str, on: date) -> None:
        self.visits[visit] = on
        self.entered.add(("SV", visit))
        self.book.add("SV", on, visit, visited_on=on, contact="ON SITE", is_missed=False, is_inpatient=False)

    def _fill(self, form: str, visit: str, on: date) -> None:
        """One form of a visit that took place."""
        book = self.book
        if form == "VS":
            self.signs.fill(visit, on)
        elif form in ("LBC", "LBO"):
            self.chemistry.fill(form, visit, on)
        elif form == "PS" and visit.endswith(("D2", "D3")):
            self._write(visit, on)
        elif form == "LBH" and visit == "PRE":
            self._count(visit, on)
        elif form == "EMD" and visit == "SFUP30":
            self._examine(visit, on)
        elif form in GVHD:
            self._stage(form, visit, on)
        elif form == "MRD":
            book.not_done(form, on, visit, "No remission, so that the assay was not asked for.")
        else:
            book.not_done(form, on, visit, "Not done at this visit.")

    def _last(self, form: str, on: date) -> Row | None:
        """The last record of a form up to a day."""
        rows = [row for row in self.book.rows if row.form == form and row.on <= on]
        return max(rows, key=lambda row: row.on, default=None)

    def _write(self, visit: str, on: date) -> None:
        """The writing test of the days after a start, with the status of the visit before."""
        before = self._last("PS", on)
        if before is None:
            self.book.not_done("PS", on, visit, "Not done at this visit.")
            return
        weight = round(float(before.values["weight_kg"]) + self.scales.uniform(-0.4, 0.4), 1)
        self.book.add(
            "PS",
            on,
            visit,
            assessed_on=on,
            ecog=before.values["ecog"],
            weight_kg=Decimal(str(weight)),
            height_cm=None,
            did_writing_test=True,
            writing="UNCHANGED",
        )

    def _count(self, visit: str, on: date) -> None:
        """The blood count of the pre-phase: a little below that of screening, cell by cell."""
        book, share = self.book, self.scales.uniform(0.95, 0.99)
        screened = [row.values for row in book.rows if row.form == "LBH.RESULT" and row.visit == "SCR"]
        taken_at, offset = book.moment(on, time(8, self.scales.randint(0, 45)))
        laboratory = book.plan.site.laboratory
        sample = book.add("LBH", on, visit, taken_at=taken_at, taken_at_offset=offset, laboratory=laboratory)
        for result in screened:
            test, value = result["test"], float(result["value"])
            counted = value if test == "BLASTLE" else value * share
            add_result(book, sample, test, round(counted, {"HGB": 0, "PLAT": 0, "BLASTLE": 1}.get(test, 2)))

    def _examine(self, visit: str, on: date) -> None:
        """What is seen outside the marrow after treatment: what was seen last."""
        before = self._last("EMD", on)
        seen = before.values["status"] if before is not None else "NO EVIDENCE"
        if seen in ("NEW LESION", "PRESENT LARGER"):
            seen = "PRESENT STABLE/SMALLER"
        self.book.add("EMD", on, visit, assessed_on=on, methods=["EXAM"], status=seen)

    def _stage(self, form: str, visit: str, on: date) -> None:
        """A scheduled staging of GVHD without signs; during an event the staging is that of the event."""
        basket = "GVHD ACUTE" if form == "GVA" else "GVHD CHRONIC"
        day = self.book.plan.day(on)
        for event in self.book.plan.events:
            if basket in event.baskets and event.start <= day <= (event.end or day):
                self.book.not_done(form, on, visit, f"Staged with adverse event {event.number}.")
                return
        self.book.add(form, on, visit, assessed_on=on, has_signs=False)

    def _free_day(self, first: date, last: date) -> date:
        """The first day without another visit; the first one where there is none."""
        days = [first + timedelta(days=n) for n in range(max(0, (last - first).days) + 1)]
        ends = [day for day in (self.course.died_on, self.course.left_on) if day]
        taken = set(self.visits.values())
        return next((day for day in days if day not in taken and all(day <= end for end in ends)), first)

    def _why_missed(self, on: date) -> str:
        near = [(abs((day - on).days), code) for code, day in self.visits.items() if code[:3] != "SFU"]
        if near and min(near)[0] <= _TOGETHER_DAYS:
            return f"Assessed at {min(near)[1]} instead."
        course, plan = self.course, self.book.plan
        if course.relapsed_on and course.relapsed_on <= on:
            return "The leukaemia had come back."
        if course.died_on and (course.died_on - on).days < 14:
            return "The patient was too ill to be assessed."
        if not plan.course.responds:
            return "Treatment had failed, and other treatment was being given."
        return "The patient did not come to the visit."


def _gates(book: Casebook, course: Course) -> None:
    """Say of each log that is due and has no row that there is nothing to report."""
    entered = {item.form for item in book.items}
    ends = [day for day in (course.died_on, course.left_on) if day]
    on = min([*ends, course.consented_on + timedelta(days=14)]) if not course.cycles else min(ends)
    for form in expected_without_visit(course):
        if form not in entered:
            assert form not in ("ENR", "IE", "DM", "ALLH", "BDIS", "EOT", "DTH", "EOS"), f"{form} is no log"
            book.nothing(form, on)
