"""The checks that follow from soft limits."""

from decimal import Decimal

import pytest

from patients.checking import edit_checks, run_checks
from patients.laboratory_tests import TESTS
from patients.models import HaematologyResult, HaematologySample, VitalSigns
from patients.soft_limits import CHECKS
from tests import make
from tests.casebooks import findings, row
from trial.edit_checks import Severity
from trial.models import Query
from trial.records import record_models

# The code, an answer just outside and one just within (STUDY B.4, column Soft), and what the question says.
ANSWERS = [
    ("VS", "temperature_c", "TEMP", Decimal("38.0"), Decimal("37.9"), "Temperature 38 °C is above 37.9."),
    ("VS", "temperature_c", "TEMP", Decimal("35.4"), Decimal("35.5"), "Temperature 35.4 °C is below 35.5."),
    ("VS", "heart_rate", "HR", 121, 120, "Heart rate 121 /min is above 120."),
    ("PS", "weight_kg", "WEIGHT", Decimal("44.9"), Decimal("45.0"), "Weight 44.9 kg is below 45."),
    ("MRD", "sensitivity", "MRDSENS", 0.00011, 1e-4, "Assay sensitivity 0.00011 is above 0.0001."),
    ("HSCT", "number", "HSNUM", 3, 2, "Transplant number 3 is above 2."),
]


@pytest.mark.parametrize(("form", "name", "oid", "odd", "usual", "says"), ANSWERS)
def test_a_value_outside_of_its_soft_limits_is_asked_about(form, name, oid, odd, usual, says):
    (found,) = findings(CHECKS, f"SL-{form}.{oid}", row(form, **{name: odd}))

    assert found.question.startswith(says)
    assert (found.severity, found.check.field) == (Severity.WARNING, name)
    assert findings(CHECKS, f"SL-{form}.{oid}", row(form, **{name: usual})) == []


@pytest.mark.parametrize(
    ("test", "odd", "usual", "high", "says"),
    [
        ("PLAT", 4, 5, 400, "Platelets 4 10^9/L is below 5."),
        ("HGB", 181, 180, 175, "Haemoglobin 181 g/L is above 180."),
        ("ALT", 201, 200, 40, "ALT 201 U/L is above 5 times the upper limit of normal."),
        ("INR", Decimal("2.51"), Decimal("2.5"), None, "INR 2.51 is above 2.5."),
        ("ALT", None, 9000, None, None),  # without the limit of normal nothing can be told
    ],
)
def test_a_result_outside_of_its_soft_limits_is_asked_about(test, odd, usual, high, says):
    panel = TESTS[test].panel

    def sample(value):
        result = row(f"{panel}.RESULT", test=test, value=value, high=high, unit_text=TESTS[test].unit)
        return row(panel, **{test: result})

    found = findings(CHECKS, f"SL-{panel}.{test}", sample(odd))

    assert [each.question.split(" Please")[0] for each in found] == ([says] if says else [])
    assert findings(CHECKS, f"SL-{panel}.{test}", sample(usual)) == []


@pytest.mark.parametrize(
    ("test", "typed", "is_asked"),
    [
        ("PLAT", "<5", True),  # below 5 for sure
        ("PLAT", "<10", False),  # may be 5 to 10
        ("PLAT", ">1000", True),
        ("ALT", ">1000", True),  # more than five times 40
        ("ALT", ">100", False),
        ("ALT", "<5", False),
    ],
)
def test_a_result_beyond_a_limit_is_asked_about_only_where_it_is_certain(test, typed, is_asked):
    panel = TESTS[test].panel
    value = Decimal(typed[1:])
    result = row(f"{panel}.RESULT", test=test, value=value, value_text=typed, high=40, unit_text=TESTS[test].unit)

    found = findings(CHECKS, f"SL-{panel}.{test}", row(panel, **{test: result}))

    assert [typed in each.question for each in found] == ([True] if is_asked else [])


def test_every_declared_limit_has_its_check_and_no_row_of_a_block_has_one():
    declared = {f"SL-{model.form.code}.{a.oid}" for model in record_models() for a in model.answers() if any(a.soft)}
    tests = {f"SL-{test.panel}.{test.code}" for test in TESTS.values() if test.soft_low or test.soft_high}

    assert {check.code for check in CHECKS} == declared | tests
    assert set(CHECKS) <= set(edit_checks())
    blocks = {model.form.code for model in record_models() if model.form.part_of}
    assert not {check.form for check in CHECKS} & blocks  # nobody would ask: blocks are seen as rows of their form


def test_soft_limits_become_queries_that_the_site_may_confirm(patient):
    make.record(VitalSigns, patient, visit="C1D1", temperature_c=Decimal("38.4"))
    sample = make.record(HaematologySample, patient, visit="C1D1")
    make.record(HaematologyResult, patient, sample=sample, test="PLAT", value=Decimal(3), value_text="3")

    run_checks(patient, ["VS", "LBH"])

    asked = {query.check_code: query for query in Query.objects.filter(check_code__startswith="SL-")}
    assert asked["SL-VS.TEMP"].question == "Temperature 38.4 °C is above 37.9. Please confirm, or correct it."
    assert (asked["SL-LBH.PLAT"].record, asked["SL-LBH.PLAT"].field) == (sample.pk, "taken_at")


def test_a_code_fits_its_column():
    longest = Query._meta.get_field("check_code").max_length

    assert all(len(check.code) <= longest for check in edit_checks())
