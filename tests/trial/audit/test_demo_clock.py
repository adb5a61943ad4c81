"""The demo's clock: dated history in a new database, told apart for ever."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from tests.audit_app.models import Ward
from trial.audit import Recording, recording, rows_as_of
from trial.audit.demo_clock import dated_recording, demo_clock
from trial.db.verification import prove

pytestmark = pytest.mark.django_db

THEN = datetime(2014, 3, 1, 9, 30, tzinfo=UTC)


def dated_ward(ann, name: str, at: datetime = THEN) -> None:
    with dated_recording(at=at, by=ann, reason="First entry", role="coordinator", organisation="Clinic"):
        Ward.objects.create(name=name)


def test_the_demo_dates_what_it_writes_and_the_trail_says_so(ann, capsys):
    with demo_clock():
        dated_ward(ann, "A")
        dated_ward(ann, "B", THEN + timedelta(microseconds=250000))
        dated_ward(ann, "C", datetime(2014, 3, 1, 12, 0, tzinfo=timezone(timedelta(hours=2))))
    with recording(by=ann, reason="Later"):
        Ward.objects.create(name="D")

    dates = dict(Ward.history.values_list("name", "history_date"))
    assert dates["A"] == THEN
    assert dates["B"] - THEN == timedelta(seconds=0.25)
    assert dates["C"] == datetime(2014, 3, 1, 10, 0, tzinfo=UTC)
    assert datetime.now(UTC) - dates["D"] < timedelta(minutes=1)
    assert dict(Recording.objects.values_list("channel", "is_dated")) == {"demo": True, "command": False}
    assert (prove().dated, prove().findings) == (3, ())
    call_command("verify_audit")
    assert "The demo gave 3 of the recordings their instant; the clock gave the others." in capsys.readouterr().out


def test_dated_history_can_be_asked_at_its_instants(ann):
    with demo_clock():
        dated_ward(ann, "A")
        dated_ward(ann, "B", THEN + timedelta(days=1))

    assert list(rows_as_of(Ward, THEN).values_list("name", flat=True)) == ["A"]
    assert rows_as_of(Ward, THEN - timedelta(microseconds=1)).count() == 0
    assert rows_as_of(Ward, THEN + timedelta(days=1)).count() == 2


def test_outside_the_demo_clock_no_instant_can_be_chosen(ann):
    dated_ward(ann, "A")

    recorded = Recording.objects.get()
    assert recorded.at.year != 2014
    assert not recorded.is_dated


def test_the_trail_is_not_whole_while_the_demo_clock_runs(ann):
    with demo_clock():
        faults = connection.protection.faults()

    assert len(faults) == 1
    assert faults[0].startswith("marrow_stamp")
    assert faults[0].endswith("was altered.")
    assert connection.protection.faults() == []


def test_a_database_that_is_in_use_is_no_demo(act):
    with act():
        Ward.objects.create(name="A")

    with pytest.raises(ValueError, match="Build the demo in a new file"), demo_clock():
        pass
    assert connection.protection.faults() == []


def test_a_demo_can_be_continued(ann):
    with demo_clock():
        dated_ward(ann, "A")
    with demo_clock():
        dated_ward(ann, "B")

    assert prove().dated == 2


def test_the_clock_is_put_back_when_the_demo_fails(ann):
    with pytest.raises(RuntimeError), demo_clock():
        raise RuntimeError

    assert connection.protection.faults() == []


def test_an_error_of_the_demo_is_not_hidden_by_the_clock(ann):
    def build():
        with transaction.atomic(), demo_clock():
            dated_ward(ann, "A")
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO audit_app_visitor (name) VALUES ('x'), ('x')")

    with pytest.raises(IntegrityError):
        build()

    assert connection.protection.faults() == []
    assert Ward.objects.count() == 0


def test_an_instant_that_is_none_is_refused(ann):
    with pytest.raises((DatabaseError, AttributeError)), demo_clock():
        dated_ward(ann, "A", None)

    assert connection.protection.faults() == []
