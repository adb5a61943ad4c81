from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.laboratory_tests import TESTS
from patients.units import UnknownUnit, convert, corrected_calcium, creatinine_clearance, to_standard, units_of


@pytest.mark.reference  # the factors as STUDY C.11 prints them
@pytest.mark.parametrize(
    ("test", "typed", "unit", "standard"),
    [
        ("WBC", "4.2", "10^3/µL", "4.2"),
        ("NEUT", "1500", "/µL", "1.5"),
        ("HGB", "10.4", "g/dL", "104"),
        ("HGB", "6.5", "mmol/L", "104.715"),
        ("BILI", "1.2", "mg/dL", "20.525"),
        ("CREAT", "1.0", "mg/dL", "88.42"),
        ("GLUC", "100", "mg/dL", "5.551"),
        ("UREA", "40", "mg/dL", "6.66"),
        ("UREA", "40", "mg/dL (BUN)", "14.28"),
        ("URATE", "6", "mg/dL", "356.88"),
        ("CA", "9.2", "mg/dL", "2.295"),
        ("MG", "2", "mg/dL", "0.823"),
        ("PHOS", "3.5", "mg/dL", "1.13"),
        ("ALB", "4.1", "g/dL", "41"),
        ("FIBRINO", "250", "mg/dL", "2.5"),
        ("FERRITIN", "900", "ng/mL", "900"),
        ("CRP", "2.3", "mg/dL", "23"),
        ("IGG", "750", "mg/dL", "7.5"),
    ],
)
def test_a_value_is_converted_by_the_factor_of_its_test(test, typed, unit, standard):
    converted = to_standard(test, Decimal(typed), unit)

    assert converted.value == Decimal(standard)
    assert converted.unit == TESTS[test].unit
    assert converted.version == "C.11-1"


def test_a_unit_without_a_factor_is_refused_with_those_that_have_one():
    with pytest.raises(
        UnknownUnit, match=r"Haemoglobin is not reported in 'mg/dL' here\. Choose from g/L, g/dL, mmol/L\."
    ):
        to_standard("HGB", Decimal(10), "mg/dL")
    with pytest.raises(UnknownUnit, match=r"Choose from U/L\."):
        to_standard("ALT", Decimal(1), "µkat/L")


@pytest.mark.parametrize(
    ("test", "value", "unit", "into", "expected"),
    [
        ("HGB", "120", "g/L", "g/dL", "12"),
        ("HGB", "12.5", "g/dL", "g/L", "125"),
        ("HGB", "12", "g/dL", "mmol/L", "7.449"),
        ("BILI", "1.2", "mg/dL", "µmol/L", "20.525"),
        ("CREAT", "88.42", "µmol/L", "mg/dL", "1"),
        ("ALT", "40.25", "U/L", "U/L", "40.25"),
    ],
)
def test_a_value_is_told_in_another_unit_of_its_test(test, value, unit, into, expected):
    assert convert(test, Decimal(value), unit, into) == Decimal(expected)


@given(st.sampled_from(sorted(TESTS)), st.decimals(0, 10000, places=3))
def test_a_value_in_the_standard_unit_stays_as_it_was_typed(test, value):
    assert to_standard(test, value, units_of(test)[0]).value == value


def test_calcium_is_corrected_for_albumin():
    assert corrected_calcium(Decimal("2.00"), Decimal(30)) == Decimal("2.20")
    assert corrected_calcium(Decimal("2.30"), Decimal(40)) == Decimal("2.30")


def test_creatinine_clearance_by_cockcroft_and_gault():
    assert creatinine_clearance(40, Decimal(70), False, Decimal(86)) == pytest.approx(
        Decimal("100.1"), abs=Decimal("0.1")
    )
    assert creatinine_clearance(40, Decimal(70), True, Decimal(86)) == pytest.approx(
        Decimal("84.65"), abs=Decimal("0.01")
    )
