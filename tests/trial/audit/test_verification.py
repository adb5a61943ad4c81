"""`verify_audit` finds what was done behind the triggers, and names the rows."""

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection

from tests.audit_app.models import Ward, Weighing
from trial.audit import recording
from trial.db.verification import prove

pytestmark = pytest.mark.django_db


def sql(statement: str, *parameters: object) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks still to come cannot be altered
        cursor.execute(statement, parameters)


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
def behind_the_triggers(two_weighings):
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
        [f"{ROW} version 3: it does not agree with recording {{last}}."],
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


@pytest.mark.parametrize(("statement", "findings"), TAMPERINGS, ids=[findings[0] for _, findings in TAMPERINGS])
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
