"""The kinds of answer: what they refuse, in the form and in the database."""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from trial.code_lists import code_list
from trial.fields import CodedField, CodesField, NumberField, OffsetField, PartialDateField, WholeNumberField

YES_NO_MAYBE = code_list("""
    Y    Yes
    N    No
    D'OH
""")


def check_of(field, column="answer"):
    """The database check of a field that stands in a column."""
    field.set_attributes_from_name(column)
    return field.check_sql(f'"{column}"')


@pytest.mark.parametrize(
    ("field", "check"),
    [
        (CodedField(choices=YES_NO_MAYBE), "\"answer\" IN ('Y', 'N', 'D''OH')"),
        (CodedField(max_length=3), None),
        (WholeNumberField(limits=(0, 4)), '"answer" >= 0 AND "answer" <= 4'),
        (WholeNumberField(limits=(1, None)), '"answer" >= 1'),
        (WholeNumberField(), None),
        (NumberField(places=1, limits=(0.5, 100)), '"answer" >= 0.5 AND "answer" <= 100'),
        (OffsetField(), '"answer" >= -840 AND "answer" <= 840'),
        (PartialDateField(least="month"), 'length("answer") IN (7, 10)'),
        (PartialDateField(least="year", with_time=True), 'length("answer") IN (4, 7, 10, 16)'),
    ],
)
def test_limits_and_code_lists_become_database_checks(field, check):
    assert check_of(field) == check


def test_the_check_of_the_engine_is_kept(db):
    field = CodesField(codes=YES_NO_MAYBE)
    field.set_attributes_from_name("answer")

    inherited = field.db_check(connection)

    assert (inherited is None) == (connection.vendor == "postgresql")  # SQLite checks that JSON is JSON


def test_codes_are_stored_sorted():
    assert CodesField(codes=YES_NO_MAYBE).get_prep_value(["Y", "N"]) == ["N", "Y"]


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        (CodesField(codes=YES_NO_MAYBE), ["Y", "X"], "X: not in the list. Choose from Y, N, D'OH."),
        (PartialDateField(), "12/03/2014", "'12/03/2014' is not a date."),
        (PartialDateField(least="day"), "2014-03", "UN-Mar-2014 is not enough: at least the day must be known."),
    ],
)
def test_a_malformed_answer_is_refused_with_a_sentence(field, value, says):
    with pytest.raises(ValidationError) as refusal:
        field.clean(value, None)

    assert says in str(refusal.value.message)


def test_a_number_outside_its_limits_is_refused():
    with pytest.raises(ValidationError):
        NumberField(places=1, limits=(25, 250)).clean("24.9", None)

    assert NumberField(places=1, limits=(25, 250)).clean("25.0", None) == 25


@pytest.mark.parametrize(
    "field",
    [
        CodedField("Sex", oid="SEX", choices=YES_NO_MAYBE),
        NumberField("Weight", oid="WEIGHT", unit="kg", places=1, limits=(25, 250)),
        WholeNumberField("ECOG", limits=(0, 5)),
        PartialDateField("Birth", least="year"),
        CodesField("Race", codes=YES_NO_MAYBE),
    ],
)
def test_a_migration_builds_the_same_column(field):
    _, _, args, kwargs = field.deconstruct()

    again = type(field)(*args, **kwargs)

    assert check_of(again) == check_of(field)
    assert again.deconstruct()[3] == kwargs
    assert "oid" not in kwargs
    assert "unit" not in kwargs
