"""ADEX: what was given in each cycle, and in all (cycle 0) (STUDY C.8)."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import pandas as pd

from analysis.derive.datasets import ADEX, flag
from analysis.derive.patient import Patient
from analysis.derive.rows import Dexamethasone
from patients.exposure import dexamethasone_mg
from trial.schedule import cycle_of

LONG_INTERRUPTION_HOURS = 4


def derive_adex(patients: Iterable[Patient]) -> pd.DataFrame:
    """ADEX for the treated patients: the row of the whole treatment first (`ACYC` 0), then one a cycle.

    Doses in µg, infusion in days, dexamethasone in mg, `RDI` as a fraction. The whole is without retreatment (F-30).
    """
    return ADEX.frame([row for patient in patients if patient.is_treated for row in _rows(patient)])


def _rows(patient: Patient) -> Iterator[dict[str, Any]]:
    course, whole = patient.course, patient.course.block
    dexamethasone = _dexamethasone(patient)
    first = [cycle for cycle in whole.cycles if cycle.cycle == 1]
    yield {
        "USUBJID": patient.number,
        "ACYC": 0,
        "CYSTDT": course.first_dose_on,
        "CYENDT": max((cycle.ended_on for cycle in whole.cycles), default=None),
        "INFDAYS": whole.days,
        "DOSCUM": whole.dose,
        "DOSPLAN": whole.planned_dose,
        "RDI": whole.relative_dose,
        "INTR4H": sum(cycle.interruptions_of(LONG_INTERRUPTION_HOURS) for cycle in whole.cycles),
        "STEPFL": flag(any(cycle.reached_full_dose for cycle in first)),
        "COMPFL": None,
        "DEXMG": sum(dexamethasone.values()),
    }
    for cycle in course.exposure.cycles:
        yield {
            "USUBJID": patient.number,
            "ACYC": cycle.cycle,
            "CYSTDT": cycle.started_on,
            "CYENDT": cycle.ended_on,
            "INFDAYS": cycle.days,
            "DOSCUM": cycle.dose,
            "DOSPLAN": cycle.planned_dose,
            "RDI": cycle.dose / cycle.planned_dose,
            "INTR4H": cycle.interruptions_of(LONG_INTERRUPTION_HOURS),
            "STEPFL": flag(cycle.reached_full_dose) if cycle.cycle == 1 else None,
            "COMPFL": flag(cycle.is_completed(patient.parameters)),
            "DEXMG": dexamethasone.get(cycle.cycle, 0.0),
        }


def _dexamethasone(patient: Patient) -> dict[int, float]:
    """Dexamethasone in mg by the cycle in which it began; 0 is before the first cycle."""
    course = patient.course
    by_cycle: dict[int, float] = {}
    for row in patient.book.dexamethasone:
        if row.given_on is None or row.given_on > course.last_day or row.dose_mg is None:
            continue
        amount = dexamethasone_mg(row.dose_mg, row.frequency, row.given_on, _last_day(row, course.last_day))
        cycle = cycle_of(row.given_on, course.starts) or 0
        by_cycle[cycle] = by_cycle.get(cycle, 0.0) + amount
    return by_cycle


def _last_day(row: Dexamethasone, latest: date) -> date | None:
    """The last day of a line of dexamethasone. Of a month alone it is the first day: doses are never imputed (C.12)."""
    return min(row.last_day.earliest, latest) if row.last_day else None
