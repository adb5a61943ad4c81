"""ADSL: one row a patient, with who they are, what they were given, the sets they belong to and their best response."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import pandas as pd

from analysis.derive.datasets import ADSL, flag, join
from analysis.derive.history import derive_disease_variables, derive_transplant_variables
from analysis.derive.imputation import impute_birth
from analysis.derive.patient import Patient, is_known_at
from analysis.derive.rows import Demographics
from patients.response import COMPLETE, MRD_RESPONSES
from trial.schedule import whole_years

# The lowest value of each group, and its name.
AGES = ((0, "<18"), (18, "18–<35"), (35, "35–<55"), (55, "55–<65"), (65, ">=65"))
BLAST_HALVES = ((0, "<50"), (50, ">=50"))
BLAST_QUARTERS = ((0, "<10"), (10, "10–<50"), (50, "50–<75"), (75, ">=75"))


def derive_adsl(patients: Iterable[Patient]) -> pd.DataFrame:
    """ADSL, a row for each patient whose enrolment form is there at the cut-off."""
    return ADSL.frame([_row(patient) for patient in patients if _is_enrolled_or_screened(patient)])


def group_of(value: float | None, groups: Sequence[tuple[float, str]]) -> str | None:
    """The name of the group in which a value lies; `groups` are pairs of lowest value and name, in ascending order."""
    if value is None:
        return None
    return groups[bisect_right([lowest for lowest, _ in groups], value) - 1][1]


def _is_enrolled_or_screened(patient: Patient) -> bool:
    return any(is_known_at(patient.course.cutoff, row.consented_on) for row in patient.book.enrolments)


def _row(patient: Patient) -> dict[str, Any]:
    return {
        "USUBJID": patient.number,
        "SITEID": patient.book.site,
        "COUNTRY": patient.book.country,
        "REGION1": patient.book.region,
        **_demographics(patient),
        **_dates(patient),
        **_sets(patient),
        **derive_transplant_variables(patient.transplants, patient.book, patient.course.first_dose_on),
        **derive_disease_variables(patient.book),
        **_baseline(patient),
        **_response(patient),
    }


def _demographics(patient: Patient) -> dict[str, Any]:
    about = patient.book.demographics[0] if patient.book.demographics else None
    age = _age(about, patient.book.enrolments[0].consented_on)
    return {
        "AGE": age,
        "AGEGR1": group_of(age, AGES),
        "SEX": about.sex if about else None,
        "RACE": join(about.races) if about else None,
        "ETHNIC": about.ethnicity if about else None,
    }


def _age(about: Demographics | None, consented_on: date | None) -> int | None:
    """The age at consent in completed years. A birth known in part is taken as the middle of what it could be (C.12)."""
    if about is None or about.born_on is None or consented_on is None:
        return None
    return whole_years(impute_birth(about.born_on).on, consented_on)


def _dates(patient: Patient) -> dict[str, Any]:
    course, book = patient.course, patient.book
    first, last, death = course.first_dose_on, course.last_dose_on, course.death
    ended = next((row for row in book.ends_of_study if is_known_at(course.cutoff, row.ended_on)), None)
    # the form has no date of its own: treatment has ended when no infusion runs beyond the cut-off (C.1.1)
    is_over = last is not None and all(
        row.ended_on is not None and row.ended_on <= course.cutoff for row in book.intervals if row.dose_ug_per_day > 0
    )
    return {
        "RFICDT": book.enrolments[0].consented_on,
        "TRTSDT": first,
        "TRTEDT": last,
        "TRTDURD": (last - first).days + 1 if first and last else None,
        "DTHDT": death.on if death else None,
        "DTHDTF": death.flag if death else None,
        "DTHCAUS": book.deaths[0].primary_cause if death else None,
        "LSTALVDT": course.last_alive_on,
        "DCUTDT": course.cutoff,
        "EOTRSN": book.ends_of_treatment[0].reason if is_over and book.ends_of_treatment else None,
        "EOSRSN": ended.reason if ended else None,
    }


def _sets(patient: Patient) -> dict[str, Any]:
    """The analysis sets (STUDY A.3). Sets of treated patients are N for everybody else."""
    enrolment, cutoff = patient.book.enrolments[0], patient.course.cutoff
    responses = patient.responses
    return {
        "SCRFL": flag(enrolment.consented_on is not None),
        "ENRLFL": flag(bool(enrolment.is_enrolled) and is_known_at(cutoff, enrolment.enrolled_on)),
        "FASFL": flag(patient.is_treated),
        "SAFFL": flag(patient.is_treated),
        "PHSCTFL": flag(patient.is_in_cohort),
        "NAIVEFL": flag(patient.is_naive),
        "RESPFL": flag(patient.is_responder),
        "MRDEVFL": flag(patient.is_responder and responses.has_evaluable_mrd),
        "LMK84FL": flag(patient.is_at_landmark),
        "HSCTPFL": flag(patient.is_responder and patient.transplant_in_remission is not None),
    }


def _baseline(patient: Patient) -> dict[str, Any]:
    """The last value of each measurement up to the first dose: by date where there is no time, else before the moment."""
    course, baseline = patient.course, patient.responses.baseline
    last_day = course.first_dose_on or course.cutoff
    status = sorted(
        (row for row in patient.book.performance if row.assessed_on and row.assessed_on <= last_day),
        key=lambda row: (row.assessed_on, row.record),
    )
    counts = [
        row
        for row in patient.book.counts
        if row.taken_on <= last_day and (course.first_dose_at is None or row.taken_at < course.first_dose_at)
    ]
    return {
        "ECOGBL": _last(row.ecog for row in status),
        "WEIGHTBL": _last(row.weight_kg for row in status),
        "HEIGHTBL": _last(row.height_cm for row in status),
        "BLBM": baseline.marrow_blasts,
        "BLBMGR1": group_of(baseline.marrow_blasts, BLAST_HALVES),
        "BLBMGR2": group_of(baseline.marrow_blasts, BLAST_QUARTERS),
        "WBCBL": _last(row.leukocytes for row in counts),
        "ANCBL": _last(row.neutrophils for row in counts),
        "PLATBL": _last(row.platelets for row in counts),
        "HGBBL": _last(row.haemoglobin for row in counts),
        "BLPBBL": baseline.blood_blasts,
    }


def _response(patient: Patient) -> dict[str, Any]:
    """Cycles of the study treatment, and the response within the primary window. BOR2 and the rest are for the treated."""
    responses, cycles = patient.responses, patient.course.block.cycles
    treated = patient.is_treated
    first, complete = responses.response, responses.complete_remission
    return {
        "NCYCST": len(cycles) if treated else None,
        "NCYCCMP": sum(cycle.is_completed(patient.parameters) for cycle in cycles) if treated else None,
        "BOR2": responses.best if treated else None,
        "CRDT": complete.on if treated and complete else None,
        "RESPDT": first.on if treated and first else None,
        "MRDR2FL": flag(responses.mrd_response(MRD_RESPONSES) is not None) if treated else None,
        "MRDCR2FL": flag(responses.mrd_response({COMPLETE}) is not None) if treated else None,
    }


def _last(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return known[-1] if known else None
