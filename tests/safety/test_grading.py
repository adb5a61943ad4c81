from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.codes import OXYGEN, VASOPRESSOR
from safety import codes
from safety.grading import (
    NO_SIGNS,
    GvhdGrade,
    Stages,
    chronic_severity,
    crs_astct,
    crs_ctcae,
    glucksberg,
    icans,
    liver_stage,
    lower_gut_stage,
    lung_score,
    magic,
    skin_stage,
)
from trial.code_lists import codes_of

FEVER = {
    "temperature_c": Decimal("38.9"),
    "fever_is_masked": False,
    "had_hypotension": False,
    "vasopressor": "NONE",
    "oxygen": "NONE",
    "is_fatal": False,
}
CALM = {
    "vasopressor": "NONE",
    "oxygen": "NONE",
    "organs": ["NONE"],
    "treatments": ["NONE"],
    "stopped_infusion": False,
    "led_to_hospital": False,
    "days": 1,
    "is_fatal": False,
}
AWAKE = {
    "ice": 10,
    "consciousness": "NORMAL",
    "seizure": "NONE",
    "has_motor_weakness": False,
    "pressure": "NONE",
    "has_other_cause": False,
    "is_fatal": False,
}


@pytest.mark.reference  # STUDY Z.6: 38.9 °C, one pressor, low-flow oxygen: ASTCT 3, CTCAE 4
def test_one_vasopressor_is_grade_3_in_astct_and_4_in_ctcae():
    low_flow = "LOW-FLOW NC <=6 L/min OR BLOW-BY"

    assert crs_astct(**FEVER | {"vasopressor": "ONE VASOPRESSOR", "oxygen": low_flow}) == 3
    assert crs_ctcae(**CALM | {"vasopressor": "ONE VASOPRESSOR", "oxygen": low_flow}) == 4


@pytest.mark.parametrize(
    ("seen", "grade"),
    [
        ({}, 1),
        ({"temperature_c": Decimal("37.9")}, None),
        ({"temperature_c": Decimal("37.0"), "fever_is_masked": True, "had_hypotension": True}, 2),
        ({"had_hypotension": True}, 2),
        ({"oxygen": "LOW-FLOW NC <=6 L/min OR BLOW-BY"}, 2),
        ({"oxygen": "VENTURI"}, 3),
        ({"oxygen": "CPAP/BIPAP"}, 4),
        ({"vasopressor": "MULTIPLE VASOPRESSORS"}, 4),
        ({"had_hypotension": True, "oxygen": "FACEMASK"}, 3),  # the worse of the two columns
        ({"is_fatal": True}, 5),
    ],
)
def test_crs_by_astct(seen, grade):
    assert crs_astct(**FEVER | seen) == grade


@pytest.mark.parametrize(
    ("seen", "grade"),
    [
        ({}, 1),
        ({"treatments": ["ANTIPYRETIC"]}, 2),
        ({"stopped_infusion": True}, 2),
        ({"stopped_infusion": True, "days": 3}, 2),
        ({"stopped_infusion": True, "days": 4}, 3),
        ({"stopped_infusion": True, "days": None}, 2),
        ({"organs": ["HEPATIC"]}, 3),
        ({"led_to_hospital": True}, 3),
        ({"oxygen": "INTUBATION/MECHANICAL VENTILATION"}, 4),
        ({"oxygen": "FACEMASK"}, 1),
        ({"is_fatal": True}, 5),
    ],
)
def test_crs_by_ctcae(seen, grade):
    assert crs_ctcae(**CALM | seen) == grade


@pytest.mark.parametrize(
    ("seen", "grade"),
    [
        ({}, 0),
        ({"ice": None}, 0),
        ({"ice": 9}, 1),
        ({"ice": 7}, 1),
        ({"ice": 6}, 2),
        ({"ice": 3}, 2),
        ({"ice": 2}, 3),
        ({"ice": 0}, 3),  # awake: global aphasia
        ({"ice": 0, "consciousness": "UNAROUSABLE/VIGOROUS STIMULI/STUPOR/COMA"}, 4),
        ({"consciousness": "AWAKENS SPONTANEOUSLY"}, 1),
        ({"consciousness": "AWAKENS TO VOICE"}, 2),
        ({"consciousness": "AWAKENS ONLY TO TACTILE STIMULUS"}, 3),
        ({"ice": 5, "seizure": "SINGLE SEIZURE RESOLVED RAPIDLY"}, 3),  # STUDY Z.6
        ({"seizure": "PROLONGED >5 MIN OR REPETITIVE"}, 4),
        ({"has_motor_weakness": True}, 4),
        ({"pressure": "FOCAL/LOCAL EDEMA"}, 3),
        ({"pressure": "DIFFUSE EDEMA"}, 4),
        ({"ice": 2, "has_other_cause": True}, 0),
        ({"is_fatal": True}, 5),
    ],
)
def test_icans(seen, grade):
    assert icans(**AWAKE | seen) == grade


@pytest.mark.parametrize(
    ("percent", "bullae", "stage"),
    [
        (None, None, None),
        (0, False, 0),
        (1, False, 1),
        (24, False, 1),
        (25, False, 2),
        (50, False, 2),
        (51, False, 3),
        (60, True, 4),
    ],
)
def test_the_stage_of_the_skin(percent, bullae, stage):
    assert skin_stage(None if percent is None else Decimal(percent), bullae) == stage


@pytest.mark.parametrize(
    ("bilirubin", "stage"),
    [(None, None), (33, 0), (34, 1), (51, 1), ("51.1", 2), (103, 2), ("103.1", 3), (257, 3), ("257.1", 4)],
)
def test_the_stage_of_the_liver(bilirubin, stage):
    assert liver_stage(None if bilirubin is None else Decimal(bilirubin)) == stage


@pytest.mark.parametrize(
    ("volume", "episodes", "stage"),
    [
        (None, None, None),
        (499, None, 0),
        (500, None, 1),
        (999, None, 1),
        (1000, None, 2),
        (1500, None, 2),
        (1501, None, 3),
        (None, 2, 0),
        (None, 3, 1),
        (None, 5, 2),
        (None, 7, 2),
        (None, 8, 3),
        (400, 9, 0),  # the volume was measured
    ],
)
def test_the_stage_of_the_lower_gut(volume, episodes, stage):
    measured = None if volume is None else Decimal(volume)

    assert lower_gut_stage(measured, episodes, has_severe_pain=False, has_bloody_stool=False) == stage


def test_severe_pain_or_bloody_stool_is_stage_4_at_any_volume():
    assert lower_gut_stage(Decimal(100), None, has_severe_pain=True, has_bloody_stool=False) == 4
    assert lower_gut_stage(None, None, has_severe_pain=False, has_bloody_stool=True) == 4


@pytest.mark.parametrize(
    ("skin", "liver", "upper", "lower", "by_magic", "by_glucksberg"),
    [
        (0, 0, 0, 0, 0, 0),
        (2, 0, 0, 0, 1, 1),  # STUDY Z.6
        (1, 1, 0, 0, 2, 2),  # STUDY Z.6
        (0, 0, 0, 2, 3, 3),  # STUDY Z.6
        (4, 0, 0, 0, 4, 4),  # STUDY Z.6
        (3, 0, 0, 0, 2, 2),
        (0, 0, 1, 0, 2, 2),
        (0, 0, 0, 1, 2, 2),
        (0, 2, 0, 0, 3, 3),
        (0, 3, 0, 0, 3, 3),
        (0, 4, 0, 0, 4, 4),
        (0, 0, 0, 4, 4, 3),  # the two scales differ
    ],
)
def test_the_grade_of_acute_gvhd(skin, liver, upper, lower, by_magic, by_glucksberg):
    stages = Stages(skin, liver, upper, lower)

    assert magic(stages) == GvhdGrade(by_magic)
    assert glucksberg(stages, upper_gut_is_proven=True) == GvhdGrade(by_glucksberg)


def test_the_upper_gut_counts_in_glucksberg_only_where_it_is_proven():
    assert glucksberg(Stages(0, 0, 1, 0), upper_gut_is_proven=False) == GvhdGrade(0)


def test_an_organ_that_was_not_assessed_makes_the_grade_a_lower_bound():
    assert magic(Stages(3, None, 0, 0)) == GvhdGrade(2, is_incomplete=True)
    assert magic(Stages(1, None, 0, 0)) == GvhdGrade(None, is_incomplete=True)
    assert magic(Stages(1, 0, None, 0)) == GvhdGrade(1, is_incomplete=True)
    assert glucksberg(Stages(0, 0, 0, None), upper_gut_is_proven=False) == GvhdGrade(None, is_incomplete=True)


@given(
    st.integers(0, 4),
    st.integers(0, 4),
    st.integers(0, 1),
    st.integers(0, 4),
    st.sampled_from(["skin", "liver", "lower_gut"]),
)
def test_a_graver_organ_never_has_a_milder_grade(skin, liver, upper, lower, organ):
    stages = Stages(skin, liver, upper, lower)
    graver = replace(stages, **{organ: min(4, getattr(stages, organ) + 1)})

    assert magic(graver).grade >= magic(stages).grade
    assert glucksberg(graver, upper_gut_is_proven=True).grade >= glucksberg(stages, upper_gut_is_proven=True).grade
    assert magic(NO_SIGNS).grade == 0


@pytest.mark.parametrize(
    ("fev1", "symptoms", "score"),
    [(80, 3, 0), (79, None, 1), (60, None, 1), (59, None, 2), (40, None, 2), (39, None, 3)],
)
def test_the_lung_is_scored_by_its_function_where_it_was_measured(fev1, symptoms, score):
    assert lung_score(Decimal(fev1), symptoms) == score
    assert lung_score(None, 2) == 2


@pytest.mark.parametrize(
    ("scores", "severity"),
    [
        ({"SKIN": 0, "LUNG": 0}, "NONE"),
        ({"SKIN": 1}, "MILD"),
        ({"SKIN": 1, "MOUTH": 1, "EYES": None}, "MILD"),
        ({"SKIN": 1, "MOUTH": 1, "EYES": 1}, "MODERATE"),
        ({"LIVER": 2}, "MODERATE"),
        ({"LUNG": 1}, "MODERATE"),
        ({"LUNG": 2}, "SEVERE"),
        ({"EYES": 3}, "SEVERE"),
    ],
)
def test_the_severity_of_chronic_gvhd(scores, severity):
    assert chronic_severity(scores) == severity


def test_an_organ_with_another_cause_does_not_count():
    assert chronic_severity({"EYES": 3, "SKIN": 1}, ["EYES"]) == "MILD"


def test_every_code_of_the_lists_is_graded():
    for oxygen in codes_of(OXYGEN):
        assert crs_astct(**FEVER | {"oxygen": oxygen}) in {1, 2, 3, 4}
    for vasopressor in codes_of(VASOPRESSOR):
        assert crs_astct(**FEVER | {"vasopressor": vasopressor}) in {1, 3, 4}
    for name, listed in (
        ("consciousness", codes.CONSCIOUSNESS),
        ("seizure", codes.SEIZURE),
        ("pressure", codes.INTRACRANIAL_PRESSURE),
    ):
        assert all(icans(**AWAKE | {name: code}) <= 4 for code in codes_of(listed))
