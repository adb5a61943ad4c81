from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.laboratory_grades import GRADED_TESTS, LIMITS, Normal, laboratory_grade
from patients.laboratory_tests import TESTS
from patients.units import UnknownUnit

N = Normal  # low, high


def normal(low=None, high=None) -> Normal:
    return N(None if low is None else Decimal(str(low)), None if high is None else Decimal(str(high)))


@pytest.mark.reference  # STUDY Z.6, computed beforehand
@pytest.mark.parametrize(
    ("test", "value", "unit", "limits", "grade"),
    [
        ("NEUT", "1.0", "10^9/L", normal(1.8), 2),
        ("NEUT", "0.99", "10^9/L", normal(1.8), 3),
        ("NEUT", "0.5", "10^9/L", normal(1.8), 3),
        ("NEUT", "0.49", "10^9/L", normal(1.8), 4),
        ("NEUT", "1.45", "10^9/L", normal(1.4), 2),
        ("PLAT", "75", "10^9/L", normal(150), 1),
        ("PLAT", "74.9", "10^9/L", normal(150), 2),
        ("PLAT", "50", "10^9/L", normal(150), 2),
        ("PLAT", "25", "10^9/L", normal(150), 3),
        ("PLAT", "24.9", "10^9/L", normal(150), 4),
        ("HGB", "100", "g/L", normal(120), 1),
        ("HGB", "99", "g/L", normal(120), 2),
        ("HGB", "80", "g/L", normal(120), 2),
        ("HGB", "79", "g/L", normal(120), 3),
        ("HGB", "10.0", "g/dL", normal(12), 1),
        ("HGB", "9.9", "g/dL", normal(12), 2),
        ("HGB", "7.9", "g/dL", normal(12), 3),
        ("ALT", "120", "U/L", normal(high=40), 1),
        ("ALT", "120.4", "U/L", normal(high=40), 2),
        ("ALT", "200", "U/L", normal(high=40), 2),
        ("ALT", "200.4", "U/L", normal(high=40), 3),
        ("ALT", "800", "U/L", normal(high=40), 3),
        ("ALT", "804", "U/L", normal(high=40), 4),
        ("BILI", "30", "µmol/L", normal(high=20), 1),
        ("BILI", "60", "µmol/L", normal(high=20), 2),
        ("BILI", "200", "µmol/L", normal(high=20), 3),
        ("BILI", "202", "µmol/L", normal(high=20), 4),
        ("CREAT", "165", "µmol/L", normal(high=110), 1),
        ("CREAT", "330", "µmol/L", normal(high=110), 2),
        ("CREAT", "341", "µmol/L", normal(high=110), 3),
        ("CREAT", "671", "µmol/L", normal(high=110), 4),
        ("CA", "8.0", "mg/dL", normal(8.5, 10.5), 1),
        ("CA", "7.0", "mg/dL", normal(8.5, 10.5), 2),
        ("CA", "6.0", "mg/dL", normal(8.5, 10.5), 3),
        ("CA", "12.5", "mg/dL", normal(8.5, 10.5), 2),
        ("MG", "1.2", "mg/dL", normal(1.7), 1),
        ("MG", "0.9", "mg/dL", normal(1.7), 2),
        ("MG", "0.7", "mg/dL", normal(1.7), 3),
        ("PHOS", "1.9", "mg/dL", normal(2.7), 3),
        ("GLUC", "30", "mg/dL", normal(70, 100), 3),
        ("URATE", "10.0", "mg/dL", normal(high=7), 1),
        ("URATE", "590", "µmol/L", normal(high=420), 1),
        ("URATE", "591", "µmol/L", normal(high=420), 4),
        ("TGL", "300", "mg/dL", normal(), 1),
        ("TGL", "301", "mg/dL", normal(), 2),
        ("FIBRINO", "49", "mg/dL", normal(200), 4),
    ],
)
def test_the_printed_grades(test, value, unit, limits, grade):
    assert laboratory_grade(test, Decimal(value), unit, limits).grade == grade


@pytest.mark.reference  # STUDY Z.6: baseline 60, 100 µmol/L, upper limit 110
def test_creatinine_is_also_graded_against_the_baseline():
    graded = laboratory_grade("CREAT", Decimal(100), "µmol/L", normal(high=110), baseline=Decimal(60))

    assert graded.grade == 2
    assert graded.rule == "Creatinine 100 is above 1.5 times the baseline 60."


def test_the_worse_of_range_and_baseline_counts():
    assert laboratory_grade("CREAT", Decimal(190), "µmol/L", normal(high=110), baseline=Decimal(60)).grade == 3
    assert laboratory_grade("CREAT", Decimal(700), "µmol/L", normal(high=110), baseline=Decimal(600)).grade == 4
    assert laboratory_grade("CREAT", Decimal(70), "µmol/L", normal(high=110), baseline=Decimal(60)).grade == 0
    assert laboratory_grade("CREAT", Decimal(70), "µmol/L", normal(high=110), baseline=Decimal(0)).grade == 0
    assert (
        laboratory_grade("ALT", Decimal(39), "U/L", normal(high=40), baseline=Decimal(5)).grade == 0
    )  # has no such rule


@pytest.mark.parametrize(
    ("left", "grade"), [("1.00", 4), ("1.01", 3), ("2.00", 3), ("2.01", 2), ("3.00", 2), ("3.01", 0)]
)
def test_fibrinogen_is_also_graded_by_its_fall(left, grade):
    assert laboratory_grade("FIBRINO", Decimal(left), "g/L", normal(0.9), baseline=Decimal(4)).grade == grade


def test_uric_acid_with_consequences_is_grade_3():
    assert laboratory_grade("URATE", Decimal(500), "µmol/L", normal(high=420), has_consequences=True).grade == 3


def test_a_unit_without_limits_of_its_own_is_converted_first():
    assert laboratory_grade("NEUT", Decimal(490), "/µL", normal(1800)).grade == 4
    assert laboratory_grade("BILI", Decimal("1.8"), "mg/dL", normal(high=Decimal("1.2"))).grade == 1
    assert laboratory_grade("CREAT", Decimal("2"), "mg/dL", normal(), baseline=Decimal(1)).grade == 2
    with pytest.raises(UnknownUnit):
        laboratory_grade("ALT", Decimal(1), "µkat/L", normal(high=1))


def test_without_the_range_only_grades_that_need_none_are_given():
    graded = laboratory_grade("NEUT", Decimal("1.6"), "10^9/L", normal())

    assert (graded.grade, graded.rule) == (None, "NORANGE: the laboratory gave no lower limit of normal.")
    assert laboratory_grade("NEUT", Decimal("1.2"), "10^9/L", normal()).grade == 2
    assert laboratory_grade("ALT", Decimal(4000), "U/L", normal()).grade is None
    assert laboratory_grade("K", Decimal("4.0"), "mmol/L", normal(3.5)).grade is None  # it may be too high
    assert laboratory_grade("K", Decimal("3.2"), "mmol/L", normal(3.5)).grade == 1


def test_a_result_inside_the_range_is_grade_0_and_says_so():
    graded = laboratory_grade("K", Decimal("4.0"), "mmol/L", normal(3.5, 5.1))

    assert graded.grade == 0
    assert graded.rule == "Potassium 4.0 mmol/L is within the limits of grade 0."


def test_the_rule_that_gave_the_grade_is_told():
    assert laboratory_grade("ALT", Decimal(250), "U/L", normal(high=40)).rule == (
        "ALT 250 U/L is above 200, 5 times the upper limit of normal."
    )
    assert laboratory_grade("PLAT", Decimal(20), "10^9/L", normal(150)).rule == "Platelets 20 10^9/L is below 25."


def test_a_test_without_grades_has_none():
    assert laboratory_grade("LDH", Decimal(900), "U/L", normal(high=250)).rule == "CTCAE v4.03 has no grades for LDH."


def test_every_limit_is_of_a_test_of_the_study_and_grows_worse():
    for (test, _, side), bounds in LIMITS.items():
        assert test in TESTS
        numbers = [bound.number for bound in bounds if not bound.of_normal]
        assert numbers == sorted(numbers, reverse=side == "low")


@given(
    st.sampled_from(sorted(key for key in LIMITS)),
    st.decimals(0, 1000, places=2),
    st.decimals(0, 1000, places=2),
    st.decimals(1, 100, places=1),
)
def test_a_value_further_out_never_has_a_lower_grade(key, one, other, limit):
    test, unit, side = key
    near, far = (max(one, other), min(one, other)) if side == "low" else (min(one, other), max(one, other))
    limits = Normal(low=limit, high=None) if side == "low" else Normal(low=None, high=limit)

    milder, graver = (laboratory_grade(test, value, unit, limits).grade for value in (near, far))

    if not {(test, unit, "low"), (test, unit, "high")} <= LIMITS.keys():
        assert milder is not None
        assert graver is not None
        assert milder <= graver


def test_the_tests_that_are_graded():
    assert len(GRADED_TESTS) == 25
