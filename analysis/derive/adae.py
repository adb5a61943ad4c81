"""ADAE: the adverse events of treated patients, their days, whether treatment brought them, and their baskets.

What became of an event after the cut-off is not known at it: later grades, a later end and a later death do not exist.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd

from analysis.derive.datasets import ADAE, flag, join
from analysis.derive.imputation import Imputed, impute_end, impute_start
from analysis.derive.patient import Patient, is_known_at
from analysis.derive.rows import AdverseEvent, EventGrade
from safety.emergence import Window, is_treatment_emergent
from safety.terms import TERMS
from trial.partial_dates import PartialDate
from trial.schedule import cycle_of, study_day

# The variable of each basket, what the basket is called there, and the codes that fall in it. Broad and narrow (F-19).
BASKETS = {
    "CQ01NAM": ("CYTOKINE RELEASE SYNDROME", frozenset({"CRS"})),
    "CQ02NAM": ("NEUROLOGIC EVENT", frozenset({"NEUROLOGIC"})),
    "CQ03NAM": ("INFECTION", frozenset({"INFECTION"})),
    "CQ04NAM": ("GVHD", frozenset({"GVHD ACUTE", "GVHD CHRONIC"})),
    "CQ05NAM": ("NEUROLOGIC EVENT (NARROW)", frozenset({"NEUROLOGIC NARROW"})),
}
FATAL, NOT_OVER = "FATAL", "NOT RECOVERED/NOT RESOLVED"


def derive_adae(patients: Iterable[Patient]) -> pd.DataFrame:
    """ADAE: a row an event that had begun by the cut-off, in the order of patients and event numbers."""
    rows: list[dict[str, Any]] = []
    for patient in patients:
        if patient.is_treated:
            events = sorted(_rows(patient), key=lambda row: row["AESEQ"])
            flag_worst(events)
            rows.extend(events)
    return ADAE.frame(rows)


def baskets_of(event: AdverseEvent) -> frozenset[str]:
    """The baskets of an event: those of its term in the list, and for any other term those that the site ticked."""
    if event.coded_term in TERMS:
        return TERMS[event.coded_term].baskets
    return frozenset(event.special_interest)


def grade_to_count(grade: float | None, fatal: str | None) -> float | None:
    """The grade with which an event counts: 5 where `AESDTH` is Y, else `ATOXGR`, which stays as reported (STUDY C.7.1)."""
    return 5 if fatal == "Y" else grade


def flag_worst(rows: Sequence[dict[str, Any]]) -> None:
    """Flag one patient's worst treatment-emergent event in `WORSTFL`: highest grade, then earliest, then first."""
    graded = [(grade_to_count(row["ATOXGR"], row["AESDTH"]), row) for row in rows if row["TRTEMFL"] == "Y"]
    ranked = [(-grade, row["ASTDT"] or date.max, row["AESEQ"], row) for grade, row in graded if grade is not None]
    worst = min(ranked, key=lambda each: each[:3], default=(None,))[-1]
    for row in rows:
        row["WORSTFL"] = flag(row is worst)


class _Details:
    """What is the same for all events of a treated patient, and what other forms say about each of them."""

    def __init__(self, patient: Patient) -> None:
        book, course = patient.book, patient.course
        cutoff = course.cutoff
        assert course.first_dose_on is not None  # only treated patients come here
        assert course.last_dose_on is not None
        days_after = timedelta(days=patient.parameters.emergent_days_after_last_dose)
        self.window = Window(course.first_dose_on, course.last_dose_on + days_after)
        self.transplant = next(iter(course.later_transplants), None)
        self.tocilizumab = {row.event_id for row in book.cytokine_releases if "TOCILIZUMAB" in row.treatments}
        self.steroid = {row.event_id for row in book.cytokine_releases if "STEROID" in row.treatments}
        self.steroid |= {row.event_id for row in book.neurologic_events if row.had_dexamethasone}
        self.dexamethasone = {
            row.event_number
            for row in book.dexamethasone
            if row.event_number is not None and is_known_at(cutoff, row.given_on)
        }
        # a stay for GVHD that names no event speaks of all of the patient's GVHD
        stays = [row for row in book.stays if row.reason == "GVHD" and _has_begun(row.admitted_on, cutoff)]
        self.any_gvhd_in_hospital = any(row.event_id is None for row in stays)
        self.gvhd_in_hospital = {row.event_id for row in stays}
        self.gvhd_in_hospital |= {
            row.event_id for row in book.acute_gvhd if row.led_to_hospital and is_known_at(cutoff, row.assessed_on)
        }
        self.grades: dict[int, list[EventGrade]] = {}
        for step in book.grades:
            if step.event_id is not None and step.began is not None and step.grade is not None:
                self.grades.setdefault(int(step.event_id), []).append(step)


def _rows(patient: Patient) -> Iterable[dict[str, Any]]:
    details, course = _Details(patient), patient.course
    for event in patient.book.events:
        start = impute_start(event.started, event.ended, course.first_dose_on) if event.started else None
        if start is None or start.on <= course.cutoff:
            yield _row(patient, event, start, details)


def _row(patient: Patient, event: AdverseEvent, start: Imputed | None, details: _Details) -> dict[str, Any]:
    course, window, transplant = patient.course, details.window, details.transplant
    history = details.grades.get(event.record, [])
    on = start.on if start else None
    end = _known_end(patient, event)
    is_open = end is None and (event.ended is not None or _died_later(patient, event))
    before, during = _grades_around(event, history, window, course.cutoff)
    baskets = baskets_of(event)
    is_gvhd = not baskets.isdisjoint({"GVHD ACUTE", "GVHD CHRONIC"})
    cycle = cycle_of(on, course.starts) if on else None
    return {
        "USUBJID": patient.number,
        "AESEQ": int(event.number) if event.number is not None else event.record,
        "AETERM": event.term,
        "AEDECOD": event.coded_term,
        "AEBODSYS": TERMS[event.coded_term].group if event.coded_term in TERMS else None,
        "ASTDT": on,
        "ASTDTF": start.flag if start else None,
        "AENDT": end.on if end else None,
        "AENDTF": end.flag if end else None,
        "ASTDY": study_day(on, window.first) if on else None,
        "AENDY": study_day(end.on, window.first) if end else None,
        "ADURN": (end.on - on).days + 1 if end and on else None,
        "ACYC": cycle,
        "ADAYC": (on - course.starts[cycle]).days + 1 if on and cycle is not None else None,
        "ATOXGR": _known_grade(event, history, course.cutoff, is_open=is_open),
        "AESER": flag(event.is_serious),
        "AESDTH": flag(event.is_fatal and not is_open if event.is_fatal is not None else None),
        "AESLIFE": flag(event.is_life_threatening),
        "AESHOSP": flag(event.led_to_hospital),
        # not: leave an event without an answer out of the related ones
        # but: count it, the cautious reading
        "AREL": flag(event.relation != "NOT RELATED"),
        "AEREL": event.relation,
        "AEACN": event.action,
        "AEOUT": NOT_OVER if is_open else event.outcome,
        "AESICAT": join(event.special_interest),
        **{name: basket if not codes.isdisjoint(baskets) else None for name, (basket, codes) in BASKETS.items()},
        "TRTEMFL": flag(
            is_treatment_emergent(event.started, event.ended, window, grade_before=before, grades_during=during)
        ),
        "APREVFL": flag(event.was_present_before),
        "AFTHSFL": flag(transplant is not None and on is not None and on >= transplant.on),
        "TOCIFL": flag(event.record in details.tocilizumab) if "CRS" in baskets else None,
        "DEXFL": flag(event.record in details.steroid or event.number in details.dexamethasone),
        "GVTYPE": join([code.removeprefix("GVHD ") for code in sorted(baskets) if code.startswith("GVHD ")]),
        "GVHOSPFL": flag(
            bool(event.led_to_hospital) or details.any_gvhd_in_hospital or event.record in details.gvhd_in_hospital
        )
        if is_gvhd
        else None,
        "SRCSEQ": event.record,
    }


def _known_end(patient: Patient, event: AdverseEvent) -> Imputed | None:
    """The end of an event, if it had come by the cut-off."""
    if event.ended is None:
        return None
    course = patient.course
    end = impute_end(event.ended, course.death.on if course.death else course.cutoff)
    return end if end.on <= course.cutoff else None


def _died_later(patient: Patient, event: AdverseEvent) -> bool:
    """Whether a fatal event without an end belongs to a death after the cut-off."""
    return event.outcome == FATAL and patient.course.death is None and bool(patient.book.deaths)


def _known_grade(event: AdverseEvent, history: list[EventGrade], cutoff: date, *, is_open: bool) -> int | None:
    """The highest grade reached by the cut-off: the site's, unless the history says that it came later."""
    known = [step.grade for step in history if _has_begun(step.began, cutoff)]
    highest = event.grade
    if len(known) < len(history):
        highest = max((grade for grade in (*known, event.grade_at_onset) if grade is not None), default=highest)
    if highest is None:
        return None
    return min(int(highest), 4) if is_open else int(highest)


def _grades_around(
    event: AdverseEvent, history: list[EventGrade], window: Window, cutoff: date
) -> tuple[float | None, list[float]]:
    """The grade at the first dose, and the grades of the history that begin inside the window."""
    steps = sorted(
        (step.began.earliest, step.record, step.grade)
        for step in history
        if step.began is not None and step.grade is not None and step.began.earliest <= cutoff
    )
    earlier = [grade for on, _, grade in steps if on < window.first]
    during = [grade for on, _, grade in steps if window.first <= on <= window.last]
    return (earlier[-1] if earlier else event.grade_at_onset), during


def _has_begun(began: PartialDate | None, cutoff: date) -> bool:
    return began is None or began.earliest <= cutoff
