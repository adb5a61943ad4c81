"""The question why an answer that a form needs is marked as missing (STUDY B.1, rule 3)."""

import pytest

from patients.checking import edit_checks, run_checks
from patients.missing_answers import CHECKS
from patients.models import ChemistryResult, ChemistrySample, VitalSigns
from tests import make
from tests.casebooks import findings, row
from trial.audit import recording
from trial.edit_checks import Severity
from trial.models import Query
from trial.records import record_models


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        ({"temperature_c": "ND"}, "Temperature (Not done)"),
        ({"temperature_c": "UNK", "systolic_mmhg": "NASK"}, "Temperature (Unknown); Systolic (Not asked)"),
    ],
)
def test_a_needed_answer_that_is_marked_as_missing_is_asked_about(missing, says):
    (found,) = findings(CHECKS, "MC-VS", row("VS", missing=missing))

    assert found.question == f"The form needs these answers, and they are marked as missing: {says}. Please say why."
    assert (found.severity, found.check.field) == (Severity.WARNING, "")


@pytest.mark.parametrize(
    "record",
    [
        row("VS"),
        row("VS", missing={"respiratory_rate": "ND"}),  # may stay blank
        row("PS", did_writing_test=False, missing={"writing": "NA"}),  # not asked
        row("MH", is_ongoing=True, missing={"ended": "NA"}),
    ],
)
def test_what_is_not_needed_may_be_missing(record):
    assert findings(CHECKS, f"MC-{record.form}", record) == []


def test_an_answer_that_the_others_ask_for_is_needed():
    (found,) = findings(CHECKS, "MC-PS", row("PS", did_writing_test=True, missing={"writing": "ND"}))

    assert "Change of writing (Not done)" in found.question


def test_a_result_that_every_sample_has_is_asked_about_once_and_an_optional_one_is_not():
    stated = {"value": "ND", "value_text": "ND", "unit_text": "ND"}
    rows = [row("LBC.RESULT", test=test, missing=stated) for test in ("ALT", "LIPASE")]

    (found,) = findings(CHECKS, "MC-LBC", row("LBC", rows=rows))

    assert found.question.count("Not done") == 1
    assert "missing: ALT (Not done)." in found.question


def test_a_row_of_a_block_is_named_by_its_code_or_its_number():
    criteria = [row("IE.CRITERION", criterion="IN05", missing={"is_met": "UNK"})]
    bags = [row("EX.BAG"), row("EX.BAG", missing={"bag": "UNK"})]

    (criterion,) = findings(CHECKS, "MC-IE", row("IE", rows=criteria))
    (bag,) = findings(CHECKS, "MC-EX", row("EX", rows=bags))

    assert "ECOG 0 to 2, Met (Unknown)" in criterion.question
    assert "Bags 2, Bag or lot number (Unknown)" in bag.question


def test_every_form_that_needs_an_answer_has_its_check():
    forms = {model.form.page for model in record_models() if any(answer.required for answer in model.answers())}

    assert {check.code for check in CHECKS} == {f"MC-{form}" for form in forms}
    assert set(CHECKS) <= set(edit_checks())


def test_a_missing_answer_becomes_one_query_that_closes_when_it_is_given(patient):
    signs = make.record(VitalSigns, patient, visit="C1D1", temperature_c=None, missing={"temperature_c": "ND"})
    sample = make.record(ChemistrySample, patient, visit="C1D1")
    make.record(ChemistryResult, patient, sample=sample, value=None, value_text=None, missing={"value_text": "ND"})

    run_checks(patient, ["VS", "LBC"])
    asked = {query.check_code: query for query in Query.objects.filter(check_code__startswith="MC-")}

    assert (asked["MC-VS"].record, asked["MC-VS"].field, asked["MC-VS"].state) == (signs.pk, "", "open")
    assert "ALT (Not done)" in asked["MC-LBC"].question
    signs.temperature_c, signs.missing = 37, {}
    with recording(by=make.author(), reason="It was on the chart."):
        signs.save()
    run_checks(patient, ["VS"])
    asked["MC-VS"].refresh_from_db()
    assert asked["MC-VS"].state == "closed"
