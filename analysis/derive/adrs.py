"""ADRS: the response of every assessment, the MRD category of every sample, and the best of both within the first cycles."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import pandas as pd

from analysis.derive.assessments import Assessment, MrdSample
from analysis.derive.datasets import ADRS, flag
from analysis.derive.patient import Patient
from patients.response import COMPLETE, MRD_RESPONSES, STRENGTH

PARAMETERS = {
    "OVR": "Response at the assessment",
    "MRD": "MRD category of the sample",
    "BOR2": "Best response within 2 cycles",
    "CRCRH2": "CR or CRh within 2 cycles",
    "CR2": "CR within 2 cycles",
    "MRDR2": "MRD response within 2 cycles",
    "MRDCR2": "Complete MRD response within 2 cycles",
}


def derive_adrs(patients: Iterable[Patient]) -> pd.DataFrame:
    """ADRS for the treated patients. The rows of one assessment come first, then one row a patient for each best.

    `SRCSEQ` is the record that decided, `CBCSEQ` the blood count and `EMDSEQ` the examination that were read with it.
    `AVAL` is the strength of a response (9 for CR to 1 for NE), or 1 for yes and 0 for no.
    """
    return ADRS.frame([row for patient in patients if patient.is_treated for row in _rows(patient)])


def _rows(patient: Patient) -> Iterator[dict[str, Any]]:
    responses = patient.responses
    for each in responses.assessments:
        yield _row(
            patient,
            "OVR",
            each.response,
            STRENGTH[each.response],
            on=each.on,
            cycle=each.cycle,
            RSEVAL=each.source,
            ANL01FL=flag(each.in_window),
            SRCDOM=each.form,
            SRCSEQ=each.record,
            CBCSEQ=each.count_record,
            EMDSEQ=each.extramedullary_record,
        )
    for sample in responses.samples:
        yield _row(
            patient,
            "MRD",
            sample.category,
            None,
            on=sample.on,
            cycle=sample.cycle,
            ANL01FL=flag(sample.in_window),
            METHOD=sample.methods or None,
            SRCDOM="MRD",
            SRCSEQ=sample.record,
        )
    best = responses.best_assessment
    is_response = best is not None and best.response == responses.best
    yield _best(patient, "BOR2", responses.best, STRENGTH[responses.best], best if is_response else None)
    for code, first in (
        ("CRCRH2", responses.response),
        ("CR2", responses.complete_remission),
        ("MRDR2", responses.mrd_response(MRD_RESPONSES)),
        ("MRDCR2", responses.mrd_response({COMPLETE})),
    ):
        yield _best(patient, code, "N" if first is None else "Y", int(first is not None), first)


def _best(
    patient: Patient, code: str, word: str, value: int, shown_by: Assessment | MrdSample | None
) -> dict[str, Any]:
    """One row of a patient's best, pointing to the assessment or sample that first showed it."""
    if shown_by is None:
        return _row(patient, code, word, value)
    form = shown_by.form if isinstance(shown_by, Assessment) else "MRD"
    return _row(patient, code, word, value, on=shown_by.on, cycle=shown_by.cycle, SRCDOM=form, SRCSEQ=shown_by.record)


def _row(
    patient: Patient,
    code: str,
    word: str,
    value: int | None,
    *,
    on: date | None = None,
    cycle: int | None = None,
    **more: Any,
) -> dict[str, Any]:
    blank = dict.fromkeys(("RSEVAL", "ANL01FL", "METHOD", "SRCDOM", "SRCSEQ", "CBCSEQ", "EMDSEQ"))
    known = {
        "USUBJID": patient.number,
        "PARAMCD": code,
        "PARAM": PARAMETERS[code],
        "AVALC": word,
        "AVAL": value,
        "ADT": on,
        "ACYC": cycle,
    }
    return known | blank | more
