"""The page of the edit checks names every check, and for the impossible the constraint that is there."""

import pytest

from patients.checking import edit_checks
from patients.checks_page import CONSTRAINTS, edit_checks_page
from trial.edit_checks import Severity
from trial.records import record_model


def test_the_page_names_every_number_of_the_specification():
    rows = edit_checks_page().splitlines()

    # STUDY B.5: the numbers of its groups, of which three name no check
    groups = [(1, 17), (20, 45), (50, 58), (60, 83), (85, 104), (110, 135), (140, 186), (190, 206)]
    numbers = {number for first, last in groups for number in range(first, last + 1)} - {125, 163, 168}
    named = {int(row[5:8]) for row in rows if row.startswith("| EC-")}
    assert named == numbers
    assert len(numbers) == 183  # as the specification counts them


def test_a_row_says_what_is_asked_of_which_field_and_from_which_forms():
    rows = edit_checks_page().splitlines()

    assert (
        "| EC-002 | E +DV | enrolled_on | ENR | Enrolment on {enrolled_on} is before consent on {consented_on}. "
        "Please check both dates. |"
    ) in rows
    assert any(row.startswith("| EC-081 | E | ecog | DTH, PS |") for row in rows)
    assert any(row.startswith("| SL-VS.TEMP | W | temperature_c | VS |") for row in rows)
    assert any(row.startswith("| EC-077 | VS.diastolic_mmhg | `diastolic_below_systolic` |") for row in rows)
    assert any(row.startswith("| EC-110 | EX.started_at | `patients.impossible` |") for row in rows)


@pytest.mark.parametrize(("code", "field"), CONSTRAINTS)
def test_the_constraint_of_a_hard_check_exists(code, field):
    (check,) = [check for check in edit_checks() if (check.code, check.field) == (code, field)]

    assert check.severity == Severity.HARD
    names = {constraint.name for constraint in record_model(check.form)._meta.constraints}
    assert CONSTRAINTS[code, field] in names
