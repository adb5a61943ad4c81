"""`verify_audit` finds what was done behind the triggers, and names the rows."""

import threading
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection

from tests.audit_app.models import Ward, Weighing
from trial.audit import Recording, recording
from trial.audit.demo_clock import dated_recording, demo_clock
from trial.db.verification import prove
from trial.models import Person

pytestmark = pytest.mark.django_db


def sql(statement: str, *parameters: object) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks still to come cannot be altered
        cursor.execute(statement, parameters)


def migration_applied(app: str, name: str) -> None:
    """What `migrate` notes of a migration. The tables of tests are made without."""
    sql("CREATE TABLE django_migrations (id integer, app text, name text, applied timestamp with time zone)")
    sql("INSERT INTO django_migrations VALUES (1, %s, %s, CURRENT_TIMESTAMP)", app, name)


@pytest.fixture
def two_weighings(act):
    """Two weighings, the first changed twice, each time in an act of its own."""
    with act():
        record = Weighing.objects.create(label="w1", kilograms=70, ward=Ward.objects.create(name="A"))
        Weighing.objects.create(label="w2", kilograms=80)
    for kilograms in (71, 72):
        with act():
            record.kilograms = kilograms
            record.save()
    return record


@pytest.fixture
def behind_the_triggers(db):
    """Somebody who owns the database takes the triggers away, does something, and puts them back."""

    def tamper(statement: str, *parameters: object) -> list[str]:
        connection.protection.remove(connection.protection.triggers())
        sql(statement, *parameters)
        connection.protection.renew()
        return [str(finding) for finding in prove().findings]

    return tamper


def test_a_true_trail_is_proved_and_counted(two_weighings, capsys):
    call_command("verify_audit")

    proof = prove()
    assert proof.findings == ()
    assert (proof.history_rows, proof.recordings, proof.dated) == (5, 3, 0)
    tables, *_ = capsys.readouterr().out.split(" tables, 5 history rows, 3 recordings.")
    assert tables == f"The audit trail is whole: {proof.tables}"


ROW = "audit_app_weighing {id}"

TAMPERINGS = [
    (
        "UPDATE audit_app_weighing SET kilograms = 1, note = 'x' WHERE label = 'w1'",
        [f"{ROW} version 3: the row differs from its history in kilograms, note."],
    ),
    (
        "UPDATE audit_app_weighing SET version = 4 WHERE label = 'w1'",
        [f"{ROW} version 4: the row has no history row of this version."],
    ),
    (
        "UPDATE audit_app_weighing SET version = 2, kilograms = 71 WHERE label = 'w1'",
        [
            f"{ROW} version 2: the row differs from its history in changed_on.",
            f"{ROW} version 3: the history goes further than the row.",
        ],
    ),
    (
        "DELETE FROM audit_app_weighing WHERE label = 'w1'",
        [f"{ROW} version 3: the row is gone, and its history does not say so."],
    ),
    (
        "DELETE FROM audit_app_historicalweighing WHERE label = 'w1' AND version = 3",
        [
            f"{ROW} version 3: the row has no history row of this version.",
            "trial_recording {last}: its history rows are missing.",
        ],
    ),
    (
        "DELETE FROM audit_app_historicalweighing WHERE label = 'w1' AND version = 2",
        [
            f"{ROW} version 3: the history row before this one is missing.",
            "trial_recording {middle}: its history rows are missing.",
        ],
    ),
    (
        "DELETE FROM audit_app_historicalweighing WHERE label = 'w1' AND version = 1",
        [f"{ROW} version 2: the history row before this one is missing."],
    ),
    (
        "UPDATE audit_app_historicalweighing SET kilograms = 99 WHERE label = 'w1' AND version = 3",
        [f"{ROW} version 3: the row differs from its history in kilograms."],
    ),
    (
        "UPDATE audit_app_historicalweighing SET note = 'x' WHERE label = 'w1' AND version = 2",
        [
            f"{ROW} version 2: the history row does not name all fields that were changed.",
            f"{ROW} version 3: the history row does not name all fields that were changed.",
        ],
    ),
    (
        "UPDATE audit_app_historicalweighing SET changed = '[]' WHERE label = 'w1' AND version = 2",
        [f"{ROW} version 2: the history row does not name all fields that were changed."],
    ),
    (
        "UPDATE audit_app_historicalweighing SET kilograms = 71 WHERE label = 'w1' AND version = 1",
        [f"{ROW} version 2: the history row names a field that was not changed."],
    ),
    (
        "UPDATE trial_recording SET at = '2001-01-01' WHERE id = (SELECT max(id) FROM trial_recording)",
        [
            f"{ROW} version 3: it does not agree with recording {{last}}.",
            "trial_recording {last}: its instant is before that of recording {middle}.",
        ],
    ),
    (
        "UPDATE trial_recording SET at = '2901-01-01' WHERE id = (SELECT max(id) FROM trial_recording)",
        [
            f"{ROW} version 3: it does not agree with recording {{last}}.",
            "trial_recording {last}: its instant is still to come.",
        ],
    ),
    (
        "UPDATE trial_recording SET is_dated = (1 = 1) WHERE id = (SELECT max(id) FROM trial_recording)",
        ["trial_recording {last}: the demo gave its instant, though the clock gave that of recording {middle}."],
    ),
    (
        "UPDATE audit_app_historicalweighing SET changed = '[\"note\"]' WHERE label = 'w1' AND version = 1",
        [f"{ROW} version 1: a creation or deletion names changed fields."],
    ),
    (
        "UPDATE audit_app_historicalweighing SET history_type = '~' WHERE label = 'w1' AND version = 1",
        [f"{ROW} version 1: the history does not begin with the creation of the record."],
    ),
    (
        "UPDATE audit_app_historicalweighing SET history_type = '+' WHERE label = 'w1' AND version = 2",
        [f"{ROW} version 2: the record was created a second time."],
    ),
    (
        "UPDATE audit_app_historicalweighing SET history_type = '-' WHERE label = 'w1' AND version = 2",
        [
            f"{ROW} version 2: the record was deleted with other values than it had.",
            f"{ROW} version 3: the history goes on after the deletion of the record.",
        ],
    ),
    (
        "UPDATE audit_app_historicalweighing SET history_type = '-' WHERE label = 'w1' AND version = 3",
        [
            f"{ROW} version 3: the row is there, but its history says that it was deleted.",
            f"{ROW} version 3: the record was deleted with other values than it had.",
        ],
    ),
    (
        "UPDATE audit_app_historicalweighing SET version = 0 WHERE label = 'w1' AND version = 1",
        [
            f"{ROW} version 0: there is no such version.",
            f"{ROW} version 2: the history row before this one is missing.",
        ],
    ),
    (
        "UPDATE audit_app_historicalweighing SET history_id = history_id + 100 WHERE label = 'w1' AND version = 2",
        [f"{ROW} version 3: the history row was written before that of an earlier version."],
    ),
    (
        "UPDATE audit_app_historicalweighing SET history_change_reason = 'x' WHERE label = 'w1' AND version = 3",
        [f"{ROW} version 3: it does not agree with recording {{last}}."],
    ),
    (
        "UPDATE audit_app_historicalweighing SET history_date = '2001-01-01' WHERE label = 'w1' AND version = 3",
        [
            f"{ROW} version 3: its instant is before that of an earlier version.",
            f"{ROW} version 3: it does not agree with recording {{last}}.",
        ],
    ),
    (
        "UPDATE audit_app_historicalweighing SET history_user_id = 12345 WHERE label = 'w1' AND version = 3",
        [f"{ROW} version 3: it does not agree with recording {{last}}."],
    ),
    (
        "UPDATE audit_app_historicalweighing SET recording_id = 12345 WHERE label = 'w1' AND version = 3",
        [f"{ROW} version 3: its recording is missing.", "trial_recording {last}: its history rows are missing."],
    ),
    (
        "DELETE FROM trial_recording WHERE id = (SELECT max(id) FROM trial_recording)",
        [f"{ROW} version 3: its recording is missing."],
    ),
]


@pytest.mark.parametrize(("statement", "findings"), TAMPERINGS, ids=[findings[-1] for _, findings in TAMPERINGS])
def test_tampering_is_found_and_named(statement, findings, two_weighings, behind_the_triggers):
    _, middle, last = Weighing.history.filter(label="w1").order_by("version").values_list("recording_id", flat=True)
    names = {"id": two_weighings.pk, "middle": middle, "last": last}

    assert behind_the_triggers(statement) == [finding.format(**names) for finding in findings]


def test_the_command_ends_with_the_rows_and_exit_code_1(behind_the_triggers, two_weighings):
    behind_the_triggers("DELETE FROM audit_app_historicalweighing WHERE label = 'w1' AND version = 2")

    with pytest.raises(CommandError) as ended:
        call_command("verify_audit")

    assert ended.value.returncode == 1
    first, second, _ = str(ended.value).split("\n")
    assert first == "The audit trail is not whole."
    assert second == f"audit_app_weighing {two_weighings.pk} version 3: the history row before this one is missing."


def test_a_thousand_findings_are_told_in_two_hundred_lines(act):
    with act():
        Weighing.objects.bulk_create([Weighing(label=f"w{n}", kilograms=n) for n in range(300)])
    connection.protection.remove(connection.protection.triggers())
    sql("UPDATE audit_app_weighing SET kilograms = -1")
    connection.protection.renew()

    with pytest.raises(CommandError) as ended:
        call_command("verify_audit")

    lines = str(ended.value).split("\n")
    assert len(lines) == 202
    assert lines[-1] == "... and 100 more."


def test_a_column_without_history_is_found(two_weighings):
    connection.protection.remove(connection.protection.triggers())
    sql("ALTER TABLE audit_app_weighing ADD COLUMN secret integer")
    connection.protection.renew()

    assert [str(finding) for finding in prove().findings] == [
        "audit_app_weighing: the column secret has no history.",
    ]


def test_a_database_without_tables_is_no_proof(two_weighings):
    connection.protection.remove(connection.protection.triggers())
    sql("ALTER TABLE trial_recording RENAME TO gone")

    assert [str(finding) for finding in prove().findings] == ["trial_recording: is not there. Run `migrate` first."]


def test_a_removed_trigger_is_found(two_weighings):
    piece = next(piece for piece in connection.protection.installed() if piece.table == "audit_app_historicalweighing")
    sql(piece.removes)

    assert [str(finding) for finding in prove().findings] == [f"triggers: {piece.name} is missing."]


def test_the_trail_of_an_account_that_was_renamed_stays_true(two_weighings, ann):
    ann.last_name = "Other"
    ann.save()
    with recording(by=User.objects.get(), reason="x"):
        two_weighings.delete()

    assert prove().findings == ()


def test_a_migration_may_make_values_equal_that_were_changed(behind_the_triggers, two_weighings):
    migration_applied("audit_app", "0009_no_longer_in_the_code")

    filled = "UPDATE audit_app_historicalweighing SET kilograms = 71 WHERE label = 'w1' AND version = 1"
    assert behind_the_triggers(filled) == []

    long_ago = "UPDATE django_migrations SET applied = '2001-01-01' WHERE name = '0009_no_longer_in_the_code'"
    assert behind_the_triggers(long_ago) == [
        f"audit_app_weighing {two_weighings.pk} version 2: the history row names a field that was not changed."
    ]


def test_acts_inside_one_another_are_no_fault(act):
    with act("outer, which has its number first and its instant last"):
        with act("inner"):
            ward = Ward.objects.create(name="A")
        ward.name = "B"
        ward.save()

    assert [ward.name for ward in Ward.history.order_by("version")] == ["A", "B"]
    assert Recording.objects.count() == 2
    assert prove().findings == ()


@pytest.fixture
def old_demo(ann):
    """Three acts of Ann's that the demo dated in 2014, the last two not in order, and her name, which was changed."""
    with demo_clock():
        for day, name in ((1, "Ann Weber"), (9, "Ann Other"), (5, "Ann Other")):
            with dated_recording(at=datetime(2014, 3, day, 9, tzinfo=UTC), by=ann, reason="Demo"):
                person, _ = Person.objects.get_or_create(user=ann, defaults={"name": name, "organisation": "Clinic"})
                Ward.objects.create(name=str(day))
                if person.name != name:
                    person.name = name
                    person.save()
    migration_applied("trial", "0001_initial")
    return [recording.pk for recording in Recording.objects.order_by("pk")]


def test_dated_acts_need_no_order_and_names_may_change(old_demo):
    assert prove().findings == ()


def test_a_dated_act_that_is_said_to_be_the_clocks_is_found(old_demo, behind_the_triggers):
    first, second, third = old_demo

    assert behind_the_triggers("UPDATE trial_recording SET is_dated = (1 = 0) WHERE id = %s", second) == [
        f"trial_recording {second}: the clock gave its instant, but there was no database then.",
        f"trial_recording {third}: the demo gave its instant, though the clock gave that of recording {second}.",
    ]
    assert behind_the_triggers("UPDATE trial_recording SET is_dated = (1 = 0)") == [
        f"trial_recording {number}: the clock gave its instant, but there was no database then."
        for number in (first, second, third)
    ]


def test_a_name_that_its_person_never_had_is_found(old_demo, behind_the_triggers):
    _, _, third = old_demo

    assert behind_the_triggers("UPDATE trial_recording SET person_name = 'Eve' WHERE id = %s", third) == [
        f"trial_recording {third}: the person behind its account never had that name."
    ]


def test_a_name_is_not_asked_while_the_account_had_no_person(old_demo, behind_the_triggers):
    first, _, _ = old_demo

    assert behind_the_triggers("UPDATE trial_recording SET person_name = 'Ann Maiden' WHERE id = %s", first) == []


def test_without_a_history_of_persons_names_are_not_asked(old_demo, behind_the_triggers):
    behind_the_triggers("ALTER TABLE trial_historicalperson RENAME TO gone")

    assert not [finding for finding in prove().findings if "name" in finding.what]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_acts_beside_one_another_are_no_fault(ann):
    """One act is stamped, another comes later and ends first, and the first goes on with the row that the other changed."""
    with recording(by=ann, reason="x"):
        ward = Ward.objects.create(name="A")

    def quick() -> None:
        try:
            with recording(by=ann, reason="began later, ended first"):
                Ward.objects.filter(pk=ward.pk).update(name="B")
        finally:
            connection.close()

    with recording(by=ann, reason="began first, ended later"):
        Ward.objects.create(name="another")
        thread = threading.Thread(target=quick)
        thread.start()
        thread.join()
        Ward.objects.filter(pk=ward.pk).update(name="C")

    first, second, third = ward.history.order_by("version")
    assert [first.name, second.name, third.name] == ["A", "B", "C"]
    assert third.history_date < second.history_date
    assert prove().findings == ()
