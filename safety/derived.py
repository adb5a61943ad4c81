"""The derived answers of the forms of an adverse event (STUDY C.1.1, C.7 and the CALC fields of B.4).

What follows from the event is shown on its parts. A grade that is derived is shown beside the site's and never replaces it.
"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from patients.anchors import cycle_starts, days_after, doses, first_dose_on, last_dose_on, measured, number_or_text
from safety.edit_checks import event_of, is_fatal
from safety.emergence import Window, is_treatment_emergent
from safety.grading import (
    GvhdGrade,
    chronic_severity,
    crs_astct,
    crs_ctcae,
    glucksberg,
    icans,
    lung_score,
    magic,
)
from safety.staging import bilirubin_shown, stages_of
from trial.derivations import between, declared
from trial.edit_checks import Casebook, Record
from trial.partial_dates import PartialDate
from trial.schedule import cycle_of

NUMERALS = ("0", "I", "II", "III", "IV")
AROUND_ONSET_DAYS = (-3, 1)
SEVERITIES = {"NONE": "None", "MILD": "Mild", "MODERATE": "Moderate", "SEVERE": "Severe"}
SIGNS_OF_RELEASE = ("temperature_c", "fever_is_masked", "had_hypotension", "vasopressor", "oxygen")
SIGNS_OF_NEUROTOXICITY = ("consciousness", "seizure", "has_motor_weakness", "pressure", "alternative_cause")


def is_answered(record: Record, *names: str) -> bool:
    """Whether all of these are answered."""
    return all(getattr(record, name) is not None for name in names)


def onset(detail: Record, book: Casebook) -> PartialDate | None:
    """When the event of a detail began."""
    event = event_of(detail, book)
    return event.started if event is not None else None


def site_grade(detail: Record, book: Casebook) -> int | None:
    """The grade that the site gave to the event of a detail."""
    event = event_of(detail, book)
    return event.grade if event is not None else None


def is_emergent(event: Record, book: Casebook) -> bool | None:
    """AE.AETRTEM; None for a patient who was not treated."""
    first, last = first_dose_on(book), last_dose_on(book)
    if first is None or last is None:
        return None
    window = Window(first, days_after(last, book.parameters.emergent_days_after_last_dose))
    graded = [row for row in event.rows.get("AE.GRADE", ()) if row.began is not None and row.grade is not None]
    steps = sorted((row.began.earliest, row.key, row.grade) for row in graded)
    before = [grade for day, _, grade in steps if day < window.first]
    during = [grade for day, _, grade in steps if window.first <= day <= window.last]
    at_first_dose = before[-1] if before else event.grade_at_onset
    return is_treatment_emergent(event.started, event.ended, window, grade_before=at_first_dose, grades_during=during)


def release_proposed(detail: Record, book: Casebook) -> int | None:
    """CRS.CRSGRAL."""
    event = event_of(detail, book)
    if event is None or not is_answered(detail, "vasopressor", "oxygen", "organs", "treatments", "stopped_infusion"):
        return None
    is_over = event.started is not None and detail.resolved is not None
    return crs_ctcae(
        vasopressor=detail.vasopressor,
        oxygen=detail.oxygen,
        organs=detail.organs,
        treatments=detail.treatments,
        stopped_infusion=detail.stopped_infusion,
        led_to_hospital=bool(event.led_to_hospital),
        days=(detail.resolved.earliest - event.started.latest).days if is_over else None,
        is_fatal=is_fatal(event),
    )


def release_by_astct(detail: Record, book: Casebook) -> Any:
    """CRS.CRSGRAS."""
    event = event_of(detail, book)
    if event is None or not is_answered(detail, *SIGNS_OF_RELEASE):
        return None
    grade = crs_astct(
        detail.temperature_c,
        fever_is_masked=detail.fever_is_masked,
        had_hypotension=detail.had_hypotension,
        vasopressor=detail.vasopressor,
        oxygen=detail.oxygen,
        is_fatal=is_fatal(event),
    )
    return "No grade: no fever" if grade is None else grade


def day_of_onset(detail: Record, book: Casebook) -> date | None:
    """The day of the onset; None where it is not known to the day."""
    began = onset(detail, book)
    return began.earliest if began is not None and began.is_complete else None


def cycle_at_onset(detail: Record, book: Casebook) -> int | None:
    """CRS.CRSCYC."""
    day = day_of_onset(detail, book)
    starts = {number: row.started_on for number, row in cycle_starts(book).items()}
    return cycle_of(day, starts) if day is not None else None


def day_in_cycle_at_onset(detail: Record, book: Casebook) -> int | None:
    """CRS.CRSDAYC."""
    cycle, day = cycle_at_onset(detail, book), day_of_onset(detail, book)
    return (day - cycle_starts(book)[cycle].started_on).days + 1 if cycle is not None and day is not None else None


def dose_at_onset(detail: Record, book: Casebook) -> Any:
    """CRS.CRSDOSE: what ran at the time of the onset; without a time, all that ran on that day. 0 where nothing ran."""
    began, day = onset(detail, book), day_of_onset(detail, book)
    if began is None or day is None or first_dose_on(book) is None:
        return None
    ran = [row for row in doses(book) if row.started_on <= day <= (row.ended_on or book.asked_on)]
    if began.at is not None:
        ran = [row for row in ran if _runs_at(row, began)]
    rates = [row.dose_ug_per_day for row in ran] or [Decimal(0)]
    return between(min(rates), max(rates))


def _runs_at(row: Record, moment: PartialDate) -> bool:
    """Whether an interval ran at a moment by the site's clock, its start included."""
    assert moment.at is not None  # who calls has looked
    starts = row.started_at + timedelta(minutes=row.started_at_offset or 0)
    if (starts.date(), starts.time()) > (moment.earliest, moment.at):
        return False
    if row.ended_at is None:
        return True
    ends = row.ended_at + timedelta(minutes=row.ended_at_offset or 0)
    return (ends.date(), ends.time()) > (moment.earliest, moment.at)


def neurotoxicity(detail: Record, book: Casebook) -> int | None:
    """NEU.NEUGRIC."""
    event = event_of(detail, book)
    if event is None or not is_answered(detail, *SIGNS_OF_NEUROTOXICITY):
        return None
    return icans(
        ice=detail.ice_total,
        consciousness=detail.consciousness,
        seizure=detail.seizure,
        has_motor_weakness=detail.has_motor_weakness,
        pressure=detail.pressure,
        has_other_cause=detail.alternative_cause != "NONE",
        is_fatal=is_fatal(event),
    )


def stage_of(organ: str) -> Callable[[Record, Casebook], int | None]:
    """GVA.GVSTSK and the others: the stage of one organ."""

    def derive(staging: Record, book: Casebook) -> int | None:
        stages = stages_of(staging, book)
        return getattr(stages, organ) if stages is not None else None

    return derive


def magic_grade(staging: Record, book: Casebook) -> str | None:
    """GVA.GVMAGIC."""
    stages = stages_of(staging, book)
    return word_grade(magic(stages)) if stages is not None else None


def glucksberg_grade(staging: Record, book: Casebook) -> str | None:
    """GVA.GVGLUCK: a biopsy that supports GVHD proves the upper gut."""
    stages = stages_of(staging, book)
    is_proven = staging.biopsy == "SUPPORTS"
    return word_grade(glucksberg(stages, upper_gut_is_proven=is_proven)) if stages is not None else None


def word_grade(graded: GvhdGrade) -> str:
    """A grade of acute GVHD; at least that where an organ was not assessed."""
    if graded.grade is None:
        return "Incomplete: liver or lower gut not assessed"
    return f"At least {NUMERALS[graded.grade]}" if graded.is_incomplete else NUMERALS[graded.grade]


def chronic_global(scoring: Record, book: Casebook) -> str | None:
    """GVC.GCGLOBAL: an organ that was not scored does not count."""
    if not scoring.has_signs:
        return SEVERITIES["NONE"] if scoring.has_signs is False else None
    skin = [score for score in (scoring.skin_surface_score, scoring.skin_feature_score) if score is not None]
    scores = {
        "SKIN": max(skin, default=None),
        "MOUTH": scoring.mouth_score,
        "EYES": scoring.eyes_score,
        "GI": scoring.gut_score,
        "LIVER": scoring.liver_score,
        "LUNG": lung_score(scoring.fev1_percent, scoring.lung_symptom_score),
        "JOINTS": scoring.joints_score,
        "GENITAL": scoring.genital_score,
    }
    return SEVERITIES[chronic_severity(scores, scoring.other_causes or ())]


def result_at_onset(form: str, test: str) -> Callable[[Record, Casebook], Decimal | str | None]:
    """INF.INFANC and INF.INFIGG: the result nearest to the onset, from 3 days before to 1 day after; the earlier of two."""

    def derive(detail: Record, book: Casebook) -> Decimal | str | None:
        day = day_of_onset(detail, book)
        if day is None:
            return None
        first, last = (days_after(day, days) for days in AROUND_ONSET_DAYS)
        near = [
            (abs((sample.taken_on - day).days), sample.taken_at, sample)
            for sample in book.all(form)
            if sample.taken_on and first <= sample.taken_on <= last and measured(sample, test) is not None
        ]
        return number_or_text(measured(min(near, key=lambda found: found[:2])[2], test)) if near else None

    return derive


def is_suspected_unexpected(report: Record, book: Casebook) -> bool | None:
    """SAE.SAESUSAR; None while one of the three is blank and none of them denies it."""
    event = event_of(report, book)
    if event is None:
        return None
    related = None if event.relation is None else event.relation == "RELATED"
    unexpected = None if report.is_expected is None else not report.is_expected
    asked = (event.is_serious, related, unexpected)
    return False if False in asked else None if None in asked else True


# The name, the label, the unit, the rule in words, where STUDY gives it, the function, and the forms that it reads.
DERIVATIONS = (
    *declared(
        "AE",
        (
            "AETRTEM",
            "Treatment-emergent",
            "",
            "It began, or may have begun, from the first dose to 30 days after the last, or worsened in that time.",
            "C.7.1",
            is_emergent,
            "EX",
        ),
    ),
    *declared(
        "CRS",
        ("CRSSTDTM", "Onset", "", "The onset of the adverse event.", "C.1.1", onset, "AE"),
        (
            "CRSGRCT",
            "CTCAE grade",
            "",
            "The highest grade of the adverse event, as the site gave it: the grade of the study.",
            "C.1.1",
            site_grade,
            "AE",
        ),
        (
            "CRSGRAL",
            "Proposed CTCAE grade",
            "",
            "From vasopressor, oxygen, organs, treatment, interruption and duration. It does not replace the grade of the site.",
            "C.7.3",
            release_proposed,
            "AE",
        ),
        (
            "CRSGRAS",
            "ASTCT 2019 grade",
            "",
            "The worse of hypotension and oxygen, where there was fever or something masks it. For comparison only.",
            "C.7.3",
            release_by_astct,
            "AE",
        ),
        (
            "CRSCYC",
            "Cycle at onset",
            "",
            "The cycle whose infusion had begun last.",
            "B.4 CRS",
            cycle_at_onset,
            "AE EX",
        ),
        (
            "CRSDAYC",
            "Day of the cycle at onset",
            "",
            "The day on which the infusion of the cycle began is day 1.",
            "B.4 CRS",
            day_in_cycle_at_onset,
            "AE EX",
        ),
        (
            "CRSDOSE",
            "Dose rate at onset",
            "µg/day",
            "The infusion interval that ran at the onset; 0 where none ran.",
            "B.4 CRS",
            dose_at_onset,
            "AE EX",
        ),
    ),
    *declared(
        "NEU",
        ("NEUSTDTM", "Onset", "", "The onset of the adverse event.", "C.1.1", onset, "AE"),
        (
            "NEUGRCT",
            "CTCAE grade",
            "",
            "The highest grade of the adverse event, as the site gave it: the grade of the study.",
            "C.1.1",
            site_grade,
            "AE",
        ),
        (
            "NEUGRIC",
            "ICANS grade (ASTCT 2019)",
            "",
            "The worst of ICE score, consciousness, seizure, motor findings and raised pressure; 0 with another cause. To compare.",
            "C.7.4",
            neurotoxicity,
            "AE",
        ),
    ),
    *declared(
        "GVA",
        (
            "GVBILI",
            "Bilirubin",
            "µmol/L",
            "The mean of the laboratory on the day before to the day after, else the nearest within 3 days.",
            "C.1.1",
            bilirubin_shown,
            "LBC",
        ),
        (
            "GVSTSK",
            "Stage of the skin",
            "",
            "From the rash, and bullae with desquamation.",
            "C.7.5",
            stage_of("skin"),
            "LBC",
        ),
        (
            "GVSTLI",
            "Stage of the liver",
            "",
            "From the bilirubin: as typed, else from the laboratory.",
            "C.7.5",
            stage_of("liver"),
            "LBC",
        ),
        (
            "GVSTUG",
            "Stage of the upper gut",
            "",
            "From persistent nausea, vomiting or anorexia.",
            "C.7.5",
            stage_of("upper_gut"),
            "LBC",
        ),
        (
            "GVSTLG",
            "Stage of the lower gut",
            "",
            "From the stool volume, else the episodes; pain or blood is stage 4.",
            "C.7.5",
            stage_of("lower_gut"),
            "LBC",
        ),
        (
            "GVMAGIC",
            "MAGIC grade",
            "",
            "From the stages of the organs. Without signs it is 0.",
            "C.7.5",
            magic_grade,
            "LBC",
        ),
        (
            "GVGLUCK",
            "Modified Glucksberg grade",
            "",
            "From the stages of the organs; the upper gut counts where a biopsy supports GVHD.",
            "C.7.5",
            glucksberg_grade,
            "LBC",
        ),
        GVBILI="bilirubin_umol_per_l",
    ),
    *declared(
        "GVC",
        (
            "GCGLOBAL",
            "Global severity (NIH 2014)",
            "",
            "From the scores of the organs, without those that have another cause entirely. Without signs it is none.",
            "C.7.5",
            chronic_global,
            "",
        ),
    ),
    *declared(
        "INF",
        (
            "INFANC",
            "Neutrophils at onset",
            "10^9/L",
            "The blood count nearest to the onset, from 3 days before to 1 day after it.",
            "B.4 INF",
            result_at_onset("LBH", "NEUT"),
            "AE LBH",
        ),
        (
            "INFIGG",
            "Immunoglobulin G at onset",
            "g/L",
            "The result nearest to the onset, from 3 days before to 1 day after it.",
            "B.4 INF",
            result_at_onset("LBO", "IGG"),
            "AE LBO",
        ),
    ),
    *declared(
        "SAE",
        (
            "SAESUSAR",
            "Suspected unexpected serious adverse reaction",
            "",
            "The event is serious and related to blinatumomab, and this report calls it unexpected.",
            "B.4 SAE",
            is_suspected_unexpected,
            "AE",
        ),
    ),
)
