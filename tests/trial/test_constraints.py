"""Two dates of a form that contradict each other are refused by the database; two that may agree are not."""

import datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from patients.models import SurvivalContact, Transplant
from safety.models import AdverseEvent
from trial.constraints import in_order

STRICTLY = in_order("transplanted_on", "relapsed_on", name="strictly", says="Not after.", may_be_same_day=False)
IN_ORDER = in_order("started", "ended", name="in_order", says="Ends before it starts.")
BY_CONTACT = in_order("last_alive_on", "contacted_on", name="by_contact", says="After the contact.")


def is_refused(constraint, record):
    """What a form says of the record, by the same condition that the database holds."""
    try:
        constraint.validate(type(record), record, using=connection.alias)
    except ValidationError:
        return True
    return False


@pytest.mark.parametrize(
    ("started", "ended", "refused"),
    [
        ("2014-03-12", "2014-03-12", False),
        ("2014-03-12", "2014-03-11", True),
        ("2014-03-12T10:00", "2014-03-12T09:59", True),
        ("2014-03-12T10:00", "2014-03-12", False),
        ("2014-03-12", "2014-03", False),
        ("2014-03-12", "2014-02", True),
        ("2014-03", "2013-12-31", True),
        ("2014-03-12", None, False),
        (None, "2014-03-12", False),
    ],
)
def test_an_end_before_the_onset_is_refused_only_where_no_pair_of_days_agrees(db, started, ended, refused):
    assert is_refused(IN_ORDER, AdverseEvent(started=started, ended=ended)) is refused


@pytest.mark.parametrize(
    ("transplanted_on", "relapsed_on", "refused"),
    [
        ("2012-01-10", "2012-01-11", False),
        ("2012-01-10", "2012-01-10", True),
        ("2012-01-10", "2012-01", False),
        ("2012-01", "2012-01", False),
        ("2012-02", "2012-01-31", True),
    ],
)
def test_a_relapse_on_the_day_of_the_transplant_is_refused(db, transplanted_on, relapsed_on, refused):
    record = Transplant(transplanted_on=transplanted_on, relapsed_on=relapsed_on)

    assert is_refused(STRICTLY, record) is refused


@pytest.mark.parametrize(
    ("last_alive_on", "refused"), [("2014-03-12", False), ("2014-03", False), ("2014-03-13", True)]
)
def test_a_full_date_and_a_partial_one_are_compared_too(db, last_alive_on, refused):
    record = SurvivalContact(last_alive_on=last_alive_on, contacted_on=datetime.date(2014, 3, 12))

    assert is_refused(BY_CONTACT, record) is refused
