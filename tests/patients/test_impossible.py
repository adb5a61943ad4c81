"""Hard limits: what one row cannot be is refused by the database, and what several rows cannot be is said before the save."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from patients.checking import casebook_for, edit_checks
from patients.impossible import BETWEEN_RECORDS, impossible
from patients.models import (
    Demographics,
    InfusionInterval,
    LeukemiaHistory,
    PriorTherapy,
    SurvivalContact,
    Transplant,
    Visit,
    VitalSigns,
)
from safety.models import AdverseEvent
from tests import make
from trial.audit import recording
from trial.edit_checks import Severity, find

# The code, the record, the answers that cannot be, and the nearest that can.
REFUSED = [
    ("EC-012", Demographics, {"sex": "M", "pregnancy_test": "NEG"}, {"sex": "F", "pregnancy_test": "NEG"}),
    (
        "EC-020",
        LeukemiaHistory,
        {"diagnosed_on": "2011-02-10", "first_cr_on": "2011-02-09"},
        {"diagnosed_on": "2011-02-10", "first_cr_on": "2011-02-10"},
    ),
    (
        "EC-020",
        LeukemiaHistory,
        {"first_cr_on": "2011-04", "first_relapse_on": "2011-03"},
        {"first_cr_on": "2011-04", "first_relapse_on": "2011-04"},
    ),
    (
        "EC-024",
        PriorTherapy,
        {"started_on": "2012-11-02", "ended_on": "2012-11-01"},
        {"started_on": "2012-11-02", "ended_on": "2012-11"},
    ),
    (
        "EC-032",
        Transplant,
        {"transplanted_on": "2012-05-14", "relapsed_on": "2012-05-14"},
        {"transplanted_on": "2012-05-14", "relapsed_on": "2012-05-15"},
    ),
    (
        "EC-077",
        VitalSigns,
        {"systolic_mmhg": 80, "diastolic_mmhg": 80},
        {"systolic_mmhg": 80, "diastolic_mmhg": 79},
    ),
    (
        "EC-140",
        AdverseEvent,
        {"started": "2013-03-06", "ended": "2013-03-05"},
        {"started": "2013-03-06", "ended": "2013-03-06"},
    ),
    ("EC-156", AdverseEvent, {"grade": 2, "grade_at_onset": 3}, {"grade": 2, "grade_at_onset": 2}),
    (
        "EC-191",
        SurvivalContact,
        {"contacted_on": "2013-09-01", "last_alive_on": "2013-09-02"},
        {"contacted_on": "2013-09-01", "last_alive_on": "2013-09-01"},
    ),
]


@pytest.mark.parametrize(("code", "model", "answers", "possible"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_hard_check_and_the_constraint_of_the_database_agree(patient, code, model, answers, possible):
    with pytest.raises(IntegrityError), transaction.atomic():
        make.record(model, patient, **answers)
    kept = make.record(model, patient, **possible)

    checks = [check for check in edit_checks() if check.code == code]
    saved = find(checks, casebook_for(patient, checks))
    unsaved = model(patient=patient, entry=kept.entry, **answers)
    with pytest.raises(ValidationError) as refused:
        unsaved.validate_constraints()

    assert [found for found in saved if found.severity == Severity.HARD] == []
    assert refused.value.messages


def test_every_hard_check_is_refused_by_the_database_or_before_the_save():
    hard = {check.code for check in edit_checks() if check.severity == Severity.HARD}

    assert hard == {code for code, *_ in REFUSED} | set(BETWEEN_RECORDS)


def interval(patient, number, start, end, **answers):
    """An infusion interval from one hour of the 4th of March to another one."""
    day = datetime(2013, 3, 4, tzinfo=UTC)
    return make.record(
        InfusionInterval,
        patient,
        number=number,
        started_at=day.replace(hour=start),
        ended_at=day.replace(hour=end),
        **answers,
    )


def test_an_interval_that_overlaps_another_one_is_impossible(patient):
    interval(patient, 1, 9, 12)
    second = interval(patient, 2, 12, 15)

    adjoining = impossible(patient, second)
    second.started_at = second.started_at.replace(hour=11)

    assert adjoining == []
    assert impossible(patient, second) == ["This interval overlaps interval 1. Check the start and the stop of both."]


def test_an_interval_is_told_before_it_is_saved(patient):
    first = interval(patient, 1, 9, 12)
    new = InfusionInterval(patient=patient, number=2, started_at=first.started_at, dose_ug_per_day=9)

    assert impossible(patient, new) == ["This interval overlaps interval 1. Check the start and the stop of both."]


def test_a_transplant_contradicts_the_answer_that_there_was_none(patient):
    transplant = make.record(Transplant, patient)
    with recording(by=make.author(), reason="The site answers the gate."):
        transplant.entry.has_any = False
        transplant.entry.save()

    closed = impossible(patient, transplant)
    transplant.entry.has_any = True  # the gate is opened in the same act
    opened = impossible(patient, transplant)

    assert closed == ["The form says that there was no earlier transplantation. Correct that, or remove this one."]
    assert opened == []


def test_the_gate_of_a_record_without_an_entry_is_that_of_the_form(patient):
    gate = make.record(Transplant, patient).entry
    with recording(by=make.author(), reason="The site answers the gate."):
        gate.has_any = False
        gate.save()

    assert len(impossible(patient, Transplant(patient=patient, transplanted_on="2010-01"))) == 1


def test_a_form_that_contradicts_nothing_costs_no_query(patient, django_assert_num_queries):
    visit = make.record(Visit, patient)

    with django_assert_num_queries(0):
        assert impossible(patient, visit) == []
