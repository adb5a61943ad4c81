from decimal import Decimal

import pytest
from django.db import IntegrityError

from patients.laboratory_tests import TESTS, SoftLimit, panel_of
from patients.models import ChemistryResult, HaematologyResult, NormalRange, VitalSigns
from tests import make
from trial.audit import recording


def test_the_tests_stand_in_three_panels_as_the_specification_lists_them():
    assert [len(panel_of(panel)) for panel in ("LBH", "LBC", "LBO")] == [11, 20, 11]
    assert TESTS["K"].soft_high == SoftLimit(Decimal("6.0"))
    assert TESTS["ALT"].soft_high == SoftLimit(Decimal(5), of_normal=True)
    assert (TESTS["HGB"].low, TESTS["HGB"].high, TESTS["HGB"].unit) == (Decimal(5), Decimal(250), "g/L")
    assert not TESTS["MG"].required


def test_every_soft_limit_lies_inside_the_hard_ones():
    for test in TESTS.values():
        for soft in (test.soft_low, test.soft_high):
            assert soft is None or soft.of_normal or test.low < soft.number < test.high, test.code


@pytest.mark.parametrize(("value", "is_possible"), [("1.0", True), ("10", True), ("0.9", False), ("10.1", False)])
def test_a_result_outside_of_the_hard_limits_of_its_test_is_refused(patient, value, is_possible):
    def write():
        make.record(ChemistryResult, patient, test="K", value=Decimal(value), value_text=value, unit_text="mmol/L")

    if is_possible:
        write()
        assert ChemistryResult.objects.get().value == Decimal(value)
    else:
        with pytest.raises(IntegrityError, match="a_chemistry_is_possible"):
            write()


def test_a_test_of_another_panel_is_refused(patient):
    with pytest.raises(IntegrityError, match="a_blood_count_is_possible"):
        make.record(HaematologyResult, patient, test="ALT", value=Decimal(30))


def test_a_result_that_is_missing_is_no_impossible_one(patient):
    result = make.record(ChemistryResult, patient, test="ALT", value=None, missing={"value": "ND"})

    assert result.value is None


@pytest.mark.parametrize("diastolic", [124, 130])
def test_a_diastolic_that_is_not_below_the_systolic_is_refused(patient, diastolic):
    with pytest.raises(IntegrityError, match="diastolic_below_systolic"):
        make.record(VitalSigns, patient, systolic_mmhg=124, diastolic_mmhg=diastolic)


@pytest.mark.parametrize(("low", "high"), [(5, 5), (6, 5), (-1, 5)])
def test_a_normal_range_that_does_not_go_up_is_refused(patient, low, high):
    with (
        recording(by=make.author(), reason="A range for a test."),
        pytest.raises(IntegrityError, match="a_normal_range_goes_up"),
    ):
        NormalRange.objects.create(
            site=patient.site, laboratory="LAB-012", test="K", unit="mmol/L", low=low, high=high, valid_from=make.DAY
        )
