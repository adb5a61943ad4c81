"""ADTTE: survival, relapse-free survival, duration of response and follow-up, each from its origin to event or censoring.

The rule (STUDY C.5): whole days first, `ADY` = days + 1, so that an event on the day of origin has time 1 and never 0.
A time that cannot be, because a date is wrong, is censored on its first day and says so: no report waits for an answer.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, NamedTuple

import pandas as pd

from analysis.derive.course import Evidence
from analysis.derive.datasets import ADTTE
from analysis.derive.patient import Patient, is_known_at
from trial.schedule import DAYS_PER_MONTH

PARAMETERS = {
    "OS": "Overall survival",
    "OSHSCT": "Overall survival, censored at allogeneic transplant",
    "RFS": "Relapse-free survival",
    "RFSHSCT": "Relapse-free survival, censored at allogeneic transplant",
    "DOR": "Duration of CR or CRh",
    "FUREV": "Follow-up (reverse of overall survival)",
}
# No life after a first dose is longer than a hundred years: one of the two dates is wrong.
LONGEST_DAYS = 36_525
CONTRADICTION = "DATES CONTRADICT EACH OTHER"

LEFT = {
    "LOST TO FOLLOW-UP": "LOST TO FOLLOW-UP",
    "WITHDRAWAL OF CONSENT": "CONSENT WITHDRAWN",
}


class Ending(NamedTuple):
    """How a time ends: the day, whether by an event, what happened, and the field of the record that says so."""

    on: date
    is_event: bool
    what: str
    form: str
    field: str
    record: int


def derive_adtte(patients: Iterable[Patient]) -> pd.DataFrame:
    """ADTTE: OS, OSHSCT and FUREV for the treated patients, RFS, RFSHSCT and DOR for the responders among them."""
    return ADTTE.frame([row for patient in patients if patient.is_treated for row in _rows(patient)])


def derive_survival(patient: Patient) -> Ending:
    """The end of overall survival: death, or the last day known alive (STUDY C.5)."""
    course = patient.course
    if course.death is not None:
        return _ending(course.death, "DEATH", is_event=True)
    assert course.last_alive is not None  # a treated patient was alive at the first dose
    ended = [row.reason for row in patient.book.ends_of_study if is_known_at(course.cutoff, row.ended_on)]
    return _ending(course.last_alive, LEFT.get(ended[0] or "", "ALIVE") if ended else "ALIVE", is_event=False)


def derive_relapse_free_survival(patient: Patient) -> Ending:
    """The end of relapse-free survival of a responder: relapse or death, else the last disease assessment (STUDY C.5).

    A relapse on the day of death is the event. Without an assessment after the response it is censored on its day.
    """
    course, relapse = patient.course, patient.relapse
    if relapse is not None and (course.death is None or relapse.on <= course.death.on):
        return _ending(relapse, "RELAPSE", is_event=True)
    if course.death is not None:
        return _ending(course.death, _death_without_relapse(patient), is_event=True)
    return _last_assessment(patient)


def derive_duration_of_response(patient: Patient) -> Ending:
    """The end of the response: relapse; a death without one, or the last disease assessment, censors (STUDY C.5)."""
    ending = derive_relapse_free_survival(patient)
    if ending.what.startswith("DEATH"):
        return ending._replace(is_event=False)
    return ending


def _rows(patient: Patient) -> Iterator[dict[str, Any]]:
    first_dose = patient.course.first_dose_on
    assert first_dose is not None  # only treated patients come here
    survival = derive_survival(patient)
    yield _row(patient, "OS", first_dose, survival)
    yield _row(patient, "OSHSCT", first_dose, _until_transplant(patient, survival))
    yield _row(patient, "FUREV", first_dose, survival._replace(is_event=not survival.is_event))
    if patient.responses.response is not None:
        responded = patient.responses.response.on
        free = derive_relapse_free_survival(patient)
        yield _row(patient, "RFS", responded, free)
        yield _row(patient, "RFSHSCT", responded, _until_transplant(patient, free))
        yield _row(patient, "DOR", responded, derive_duration_of_response(patient))


def _row(patient: Patient, code: str, start: date, end: Ending) -> dict[str, Any]:
    days = (end.on - start).days + 1
    if not 1 <= days <= LONGEST_DAYS:
        # not: leave the patient out, or count the event on the first day
        # but: keep the number of patients, and make up neither an event nor follow-up
        end, days = end._replace(on=start, is_event=False, what=CONTRADICTION), 1
    return {
        "USUBJID": patient.number,
        "PARAMCD": code,
        "PARAM": PARAMETERS[code],
        "STARTDT": start,
        "ADT": end.on,
        "ADY": days,
        "AVAL": days / DAYS_PER_MONTH,
        "CNSR": 0 if end.is_event else 1,
        "EVNTDESC": end.what if end.is_event else None,
        "CNSDTDSC": None if end.is_event else end.what,
        "SRCDOM": end.form,
        "SRCVAR": end.field,
        "SRCSEQ": end.record,
    }


def _ending(evidence: Evidence, what: str, *, is_event: bool) -> Ending:
    return Ending(evidence.on, is_event, what, evidence.form, evidence.field, evidence.record)


def _until_transplant(patient: Patient, end: Ending) -> Ending:
    """The same time, but censored at the first later transplant if that came first."""
    transplant = next(iter(patient.course.later_transplants), None)
    if transplant is None or transplant.on >= end.on:
        return end
    return _ending(transplant, "ALLOGENEIC TRANSPLANT", is_event=False)


def _death_without_relapse(patient: Patient) -> str:
    """What a death without a relapse record is called. After other therapy nobody knows, unless the death form does."""
    death, therapy = patient.course.death, patient.course.other_therapy
    disease = patient.book.deaths[0].disease
    if death and therapy and therapy.on <= death.on and disease in (None, "UNK"):
        return "DEATH, REMISSION STATUS UNKNOWN"
    return "DEATH WITHOUT DOCUMENTED RELAPSE"


def _last_assessment(patient: Patient) -> Ending:
    response, last = patient.responses.response, patient.responses.last_assessment
    assert response is not None  # only responders come here
    if last is not None and last.on > response.on:
        return Ending(last.on, False, "LAST DISEASE ASSESSMENT", last.form, last.field, last.record)
    field = "BMDAT" if response.form == "BM" else "RSDAT"
    return Ending(response.on, False, "NO ASSESSMENT AFTER THE RESPONSE", response.form, field, response.record)
