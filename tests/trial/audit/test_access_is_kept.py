"""The record of access: rows are added at the instant of the clock, and never changed or removed, on both engines."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models.functions import Now

from tests import make
from trial.access_record.models import AccessedPatient, AccessEvent, AccessKind
from trial.audit import NotRecorded
from trial.db.verification import prove
from trial.models import Patient

pytestmark = pytest.mark.django_db

KEPT = r"is a record of access\. Its rows are never changed or removed"
LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)


def sql(statement: str, *parameters: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


@pytest.fixture
def patient() -> Patient:
    return make.patient(make.site(make.study()))


@pytest.fixture
def event(patient) -> AccessEvent:
    """One reading of one patient."""
    event = AccessEvent.objects.create(kind=AccessKind.READ, by=User.objects.get(), study=patient.study)
    AccessedPatient.objects.create(event=event, patient=patient)
    return event


def seconds_from(instant: datetime) -> float:
    return abs((datetime.now(UTC) - instant).total_seconds())


def test_an_event_needs_no_recording_and_gets_the_instant_of_the_clock(event):
    kept = AccessEvent.objects.get()

    assert seconds_from(kept.at) < 60
    assert event.at == kept.at  # known at once, without asking again
    assert connection.protection.faults() == []
    assert prove().findings == ()


def test_events_in_bulk_get_it_too():
    AccessEvent.objects.bulk_create([AccessEvent(kind=AccessKind.REFUSED) for _ in range(3)])

    assert max(seconds_from(event.at) for event in AccessEvent.objects.all()) < 60


@pytest.mark.parametrize("instant", [LONG_AGO, Now() - timedelta(hours=1)], ids=["long ago", "an hour ago"])
def test_an_instant_cannot_be_chosen(instant):
    """PostgreSQL puts its own in the place of what was chosen; SQLite's triggers can only refuse."""
    if connection.vendor == "sqlite":
        with pytest.raises(NotRecorded, match=r"clock of the database. Leave `at` out"), transaction.atomic():
            AccessEvent.objects.create(kind=AccessKind.READ, at=instant)
        assert not AccessEvent.objects.exists()
    else:
        AccessEvent.objects.create(kind=AccessKind.READ, at=instant)
        assert seconds_from(AccessEvent.objects.get().at) < 60


FORBIDDEN = [
    lambda event: AccessEvent.objects.update(page="another"),
    lambda event: AccessEvent.objects.update(at=Now()),
    lambda event: event.save(),
    lambda event: AccessEvent.objects.bulk_update([event], ["kind"]),
    lambda event: AccessEvent.objects.filter(pk=event.pk)._raw_delete("default"),
    lambda event: AccessedPatient.objects.all().delete(),
    lambda event: AccessedPatient.objects.update(patient=12345),
    lambda event: sql("UPDATE trial_accessevent SET person_name = 'Eve'"),
    lambda event: sql("DELETE FROM trial_accessedpatient"),
    lambda event: sql(
        "INSERT INTO trial_accessedpatient (event_id, patient_id) SELECT event_id, patient_id FROM trial_accessedpatient "
        "WHERE event_id = %s ON CONFLICT (event_id, patient_id) DO UPDATE SET patient_id = 0",
        event.pk,
    ),
]
if connection.vendor == "sqlite":
    FORBIDDEN += [
        lambda event, verb=verb: sql(
            f"{verb} INTO trial_accessedpatient (id, event_id, patient_id) SELECT id, event_id, 12345 FROM trial_accessedpatient"
        )
        for verb in ("INSERT OR REPLACE", "REPLACE", "INSERT OR IGNORE")
    ]
    FORBIDDEN += [
        lambda event: sql(
            "INSERT OR REPLACE INTO trial_accessedpatient (event_id, patient_id) "
            "SELECT event_id, patient_id FROM trial_accessedpatient"
        ),
        lambda event: sql("UPDATE OR IGNORE trial_accessevent SET kind = 'read'"),
    ]
else:
    FORBIDDEN += [
        lambda event: sql("TRUNCATE trial_accessedpatient"),
        lambda event: sql("TRUNCATE trial_accessevent CASCADE"),
        lambda event: sql("TRUNCATE trial_study CASCADE"),
    ]


@pytest.mark.parametrize("path", FORBIDDEN)
def test_a_row_is_never_changed_or_removed(path, event, act):
    before = [list(AccessEvent.objects.values()), list(AccessedPatient.objects.values())]
    if connection.vendor == "postgresql":
        sql(
            "SET CONSTRAINTS ALL IMMEDIATE"
        )  # a table whose foreign keys are still to be checked cannot be emptied anyway

    with pytest.raises(NotRecorded, match=rf"{KEPT}|cannot be emptied"), act():
        path(event)

    assert [list(AccessEvent.objects.values()), list(AccessedPatient.objects.values())] == before


@pytest.mark.sqlite
def test_a_replacement_is_refused_even_without_recursive_triggers(event):
    """Another program may not have set the pragma, and then no deletion is seen."""
    sql("PRAGMA recursive_triggers = OFF")
    try:
        with pytest.raises(NotRecorded, match=KEPT), transaction.atomic():
            sql(
                "INSERT OR REPLACE INTO trial_accessedpatient (id, event_id, patient_id) "
                "SELECT id, event_id, 12345 FROM trial_accessedpatient"
            )
    finally:
        sql("PRAGMA recursive_triggers = ON")


def test_what_was_read_of_a_patient_stays_when_the_patient_goes(event, patient, act):
    number = patient.pk
    with act():
        patient.delete()

    assert AccessedPatient.objects.get().patient_id == number


@pytest.mark.parametrize("table", ["trial_accessevent", "trial_accessedpatient"])
def test_a_trigger_that_is_missing_is_told_and_made_again(table):
    (piece,) = (
        piece for piece in connection.protection.triggers() if piece.table == table and "marrow_hold" in piece.name
    )
    sql(piece.removes)

    assert connection.protection.faults() == [f"{piece.name} is missing."]
    assert connection.protection.renew() == [piece.name]
    assert connection.protection.faults() == []


@pytest.mark.django_db(transaction=True)
def test_events_of_a_test_that_commits_are_cleaned_away_behind_it(event):
    """The next test finds none: `tests/database.py` takes the triggers away for it."""
    from tests.database import empty_tables

    class Case:
        databases = ("default",)

    connection.check_constraints()
    empty_tables(Case())

    assert not AccessEvent.objects.exists()
    assert connection.protection.faults() == []
