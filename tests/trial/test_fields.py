"""The kinds of answer: what they refuse, in the form and in the database."""

import datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from trial.code_lists import code_list
from trial.column_checks import object_of_text
from trial.fields import (
    CodedField,
    CodesField,
    FullDateField,
    MissingCodesField,
    MomentField,
    NumberField,
    OffsetField,
    PartialDateField,
    WholeNumberField,
)

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
    ],
)
def test_limits_and_code_lists_become_database_checks(field, check):
    assert check_of(field) == check


def test_the_check_of_the_engine_is_kept(db):
    field = CodesField(codes=YES_NO_MAYBE)
    field.set_attributes_from_name("answer")

    inherited = field.db_check(connection)

    assert "ltrim(" in inherited
    assert ("JSON_VALID" in inherited) == (connection.vendor == "sqlite")  # what Django itself checks


def test_codes_are_stored_sorted():
    assert CodesField(codes=YES_NO_MAYBE).get_prep_value(["Y", "N"]) == ["N", "Y"]


def holds(check, value):
    """Whether the engine of the run lets a text stand under a check."""
    with connection.cursor() as cursor:
        sql = check.replace("%", "%%")
        cursor.execute(
            f"SELECT CASE WHEN {sql} THEN 1 ELSE 0 END FROM (SELECT CAST(%s AS text) AS answer) row", [value]
        )
        return cursor.fetchone() == (1,)


@pytest.mark.parametrize(
    ("value", "stands"),
    [
        ("2014", True),
        ("2014-03", True),
        ("2014-13", False),
        ("2014-99", False),
        ("2014-02-29", False),
        ("2012-02-29", True),
        ("1900-02-29", False),
        ("2014-04-31", False),
        ("2014-04-30", True),
        ("2014-03-12T10:30", True),
        ("2014-03-12T24:30", False),
        ("2014-03-1", False),
        ("abcd-ef", False),
        ("20140312aa", False),
        ("２０１４-０３", False),  # these digits are of full width, which no other program reads
        ("1429-07-01", False),
        ("2599-01-20", False),
    ],
)
def test_a_partial_date_that_is_not_in_the_calendar_is_refused_by_the_database(db, value, stands):
    assert holds(check_of(PartialDateField(least="year", with_time=True)), value) is stands


@pytest.mark.parametrize(("value", "stands"), [("2014", False), ("2014-03", True), ("2014-03-12T10:30", False)])
def test_a_partial_date_keeps_to_what_must_and_may_be_known(db, value, stands):
    assert holds(check_of(PartialDateField(least="month")), value) is stands


@pytest.mark.parametrize(
    ("value", "stands"),
    [
        ("[]", True),
        ('["N", "Y"]', True),
        ('["X"]', False),
        ('"Y"', False),
        ("5", False),
        ("[null]", False),
        ('{"Y": 1}', False),
    ],
)
def test_a_list_holds_nothing_but_codes_of_its_list(db, value, stands):
    assert holds(check_of(CodesField(codes=YES_NO_MAYBE)), value) is stands


@pytest.mark.parametrize("year", [1429, 1899, 2101, 2599])
@pytest.mark.parametrize("field", [FullDateField(), MomentField()], ids=["date", "moment"])
def test_a_year_that_no_trial_can_touch_is_refused(db, field, year):
    value = datetime.datetime(year, 7, 1, tzinfo=datetime.UTC)

    assert holds(check_of(field), f"{year}-07-01") is False
    assert holds(check_of(field), "2014-07-01") is True
    with pytest.raises(ValidationError, match=f"{year} is not a year from 1900 to 2100"):
        field.validate(value, None)


def test_the_same_codes_in_another_order_are_no_change():
    assert CodesField(codes=YES_NO_MAYBE).to_python(["Y", "N"]) == ["N", "Y"]
    assert CodesField(codes=YES_NO_MAYBE).to_python("Y") == "Y"


def test_missing_codes_are_an_object(db):
    field = MissingCodesField()
    field.set_attributes_from_name("answer")

    assert "substr(CAST(" in field.db_check(connection)
    assert field.deconstruct()[3] == {}
    assert holds(object_of_text('"answer"'), '{"donor": "ND"}')
    assert not holds(object_of_text('"answer"'), '["ND"]')


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        (CodesField(codes=YES_NO_MAYBE), ["Y", "X"], "X: not in the list. Choose from Y, N, D'OH."),
        (PartialDateField(), "12/03/2014", "'12/03/2014' is not a date."),
        (PartialDateField(least="day"), "2014-03", "UN-Mar-2014 is not enough: at least the day must be known."),
        (PartialDateField(), "1429-07", "1429 is not a year from 1900 to 2100. Check the date."),
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
