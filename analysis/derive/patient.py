"""Everything derived for one patient at a cut-off, from which each dataset takes its rows. One patient needs no other."""

from dataclasses import dataclass
from datetime import date, timedelta

from analysis.derive.assessments import Responses, derive_responses
from analysis.derive.course import Course, Evidence, derive_course
from analysis.derive.history import Transplants, select_transplants
from analysis.derive.rows import Casebook
from trial.parameters import Parameters


@dataclass(frozen=True, slots=True)
class Patient:
    """One patient: the forms, the anchors, the responses and the earlier transplants."""

    book: Casebook
    parameters: Parameters
    course: Course
    responses: Responses
    transplants: Transplants

    @property
    def number(self) -> str:
        """The patient's number (USUBJID)."""
        return self.book.patient

    @property
    def is_treated(self) -> bool:
        """Whether the patient received any blinatumomab and belongs to the main cohort: FAS and SAF (STUDY A.3, ENR.COHORT)."""
        in_main = all(row.cohort != "ADDITIONAL" for row in self.book.enrolments)
        return self.course.first_dose_on is not None and in_main

    @property
    def is_in_cohort(self) -> bool:
        """Whether the patient was treated for a relapse after an allogeneic transplant (PHSCT)."""
        return self.is_treated and self.transplants.has_relapsed

    @property
    def is_naive(self) -> bool:
        """Whether the patient was treated and had no allogeneic transplant before."""
        return self.is_treated and not self.transplants.rows

    @property
    def is_responder(self) -> bool:
        """Whether the patient was treated and reached CR or CRh within the primary window."""
        return self.is_treated and self.responses.response is not None

    @property
    def relapse(self) -> Evidence | None:
        """The first haematological relapse after the response: reported, or shown by an assessment (STUDY C.5).

        A relapse of which only the month is known counts if it could be after the response, and then on no earlier day.
        """
        if self.responses.response is None:
            return None
        responded = self.responses.response.on
        found = [
            each._replace(on=max(each.on, responded))
            for each in self.course.relapses
            if (each.latest or each.on) >= responded
        ]
        if shown := self.responses.relapse:
            field = "BMDAT" if shown.form == "BM" else "RSDAT"
            found.append(Evidence(shown.on, shown.form, field, shown.record))
        return min(found, key=lambda each: each.on, default=None)

    @property
    def transplant_in_remission(self) -> Evidence | None:
        """The first allogeneic transplant in the remission under study: no relapse and no other therapy before it (C.9)."""
        if self.responses.response is None:
            return None
        alone = {row.record for row in self.book.later_transplants if row.had_other_therapy is False}
        relapse = self.relapse
        found = (
            each
            for each in self.course.later_transplants
            if each.record in alone
            and each.on > self.responses.response.on
            and (relapse is None or relapse.on >= each.on)
        )
        return next(found, None)

    @property
    def is_at_landmark(self) -> bool:
        """Whether the patient lived and was followed beyond the landmark, whatever happened before it (STUDY A.3, C.6)."""
        if not self.is_treated or self.course.first_dose_on is None:
            return False
        landmark = self.course.first_dose_on + timedelta(days=self.parameters.landmark_days)
        if self.course.death is not None:
            return self.course.death.on > landmark
        return self.course.last_alive_on is not None and self.course.last_alive_on >= landmark


def derive_patient(book: Casebook, parameters: Parameters, cutoff: date) -> Patient:
    """Derive one patient from the forms (STUDY C.1 to C.4, C.8, C.9)."""
    course = derive_course(book, parameters, cutoff)
    return Patient(
        book,
        parameters,
        course,
        derive_responses(book, course, parameters),
        select_transplants(book, course.first_dose_on),
    )


def is_known_at(cutoff: date, on: date | None) -> bool:
    """Whether something of this day had happened by the cut-off. What has no day is known."""
    return on is None or on <= cutoff
