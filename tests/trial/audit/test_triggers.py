"""The triggers as a whole: what is missing, altered or strange is told; a process that finds it stops; roles cannot go around."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction

from tests.audit_app.models import Ward, Weighing
from trial.access_record.models import AccessedPatient, AccessEvent, AccessKind
from trial.audit import NotRecorded, recording, service_account
from trial.db import protection
from trial.db.protection import TriggersAltered, check_once, without_first_check
from trial.db.sqlite3.library import newest
from trial.db.tables import Column, table_of_history, tracked_tables

ON_SQLITE = connection.vendor == "sqlite"


def sql(statement: str, *parameters: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def piece_on(table: str, word: str):
    return next(
        piece
        for piece in connection.protection.installed()
        if piece.table == table and word in piece.name and piece.is_trigger
    )


@pytest.mark.django_db
class TestFaults:
    def test_all_is_well_after_a_migrate(self):
        assert connection.protection.faults() == []
        assert connection.protection.renew() == []

    def test_a_missing_trigger(self):
        piece = piece_on("audit_app_historicalweighing", "keep")
        sql(piece.removes)

        assert connection.protection.faults() == [f"{piece.name} is missing."]
        assert connection.protection.renew() == [piece.name]
        assert connection.protection.faults() == []

    def test_an_altered_trigger(self):
        if ON_SQLITE:
            name = "marrow_keep_audit_app_historicalweighing"
            sql(f"DROP TRIGGER {name}")
            sql(
                f"CREATE TRIGGER {name} BEFORE UPDATE ON audit_app_historicalweighing WHEN 0 "
                "BEGIN SELECT RAISE(ABORT, 'never'); END"
            )
        else:
            name = "marrow_keep on audit_app_historicalweighing"
            sql("ALTER TABLE audit_app_historicalweighing DISABLE TRIGGER marrow_keep")

        assert connection.protection.faults() == [f"{name} was altered."]
        assert connection.protection.renew() == [name]
        assert connection.protection.faults() == []

    @pytest.mark.skipif(ON_SQLITE, reason="only PostgreSQL has trigger functions")
    def test_an_altered_function(self):
        sql(
            "CREATE OR REPLACE FUNCTION marrow_audit_audit_app_weighing() RETURNS trigger LANGUAGE plpgsql "
            "AS 'BEGIN RETURN NULL; END'"
        )

        assert connection.protection.faults() == ["marrow_audit_audit_app_weighing() was altered."]
        assert connection.protection.renew() == ["marrow_audit_audit_app_weighing()"]
        assert connection.protection.faults() == []

    @pytest.mark.skipif(ON_SQLITE, reason="only PostgreSQL has trigger functions")
    def test_a_function_of_a_table_that_is_gone(self):
        sql(
            "CREATE FUNCTION marrow_audit_gone() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        )

        assert connection.protection.faults() == ["marrow_audit_gone() should not be there."]
        connection.protection.renew()
        assert connection.protection.faults() == []

    def test_a_missing_index(self):
        sql("DROP INDEX marrow_version_audit_app_historicalweighing")

        assert connection.protection.faults() == ["marrow_version_audit_app_historicalweighing is missing."]
        connection.protection.renew()
        assert connection.protection.faults() == []

    def test_a_strange_trigger_on_a_tracked_table_stays_and_is_told(self):
        if ON_SQLITE:
            name = "strange"
            sql("CREATE TRIGGER strange AFTER INSERT ON audit_app_weighing BEGIN SELECT 1; END")
        else:
            name = "strange on audit_app_weighing"
            sql(
                "CREATE TRIGGER strange AFTER INSERT ON audit_app_weighing FOR EACH ROW "
                "EXECUTE FUNCTION suppress_redundant_updates_trigger()"
            )

        assert connection.protection.faults() == [f"{name} should not be there."]
        assert connection.protection.renew() == []
        assert connection.protection.faults() == [f"{name} should not be there."]

    def test_a_table_that_is_not_tracked_may_have_triggers(self):
        if ON_SQLITE:
            sql("CREATE TRIGGER fine AFTER INSERT ON audit_app_visitor BEGIN SELECT 1; END")
        else:
            sql(
                "CREATE TRIGGER fine BEFORE UPDATE ON audit_app_visitor FOR EACH ROW "
                "EXECUTE FUNCTION suppress_redundant_updates_trigger()"
            )

        assert connection.protection.faults() == []

    def test_an_index_of_another_table_is_left_alone(self):
        sql("CREATE INDEX marrow_visitors ON audit_app_visitor (name)")

        assert connection.protection.faults() == []
        assert connection.protection.renew() == []
        sql("DROP INDEX marrow_visitors")  # still there

    def test_the_first_connection_of_a_process_is_refused_and_closed(self, monkeypatch):
        for word in ("guard", "keep"):
            sql(piece_on("audit_app_historicalweighing", word).removes)
        for word in ("guard", "keep"):
            sql(piece_on("audit_app_historicalward", word).removes)
        closed = []

        class Connection:
            alias = "fresh"
            settings_dict = connection.settings_dict
            protection = connection.protection

            def close(self):
                closed.append(True)

        with pytest.raises(TriggersAltered, match=r"is missing\. .* And 1 more\..*`migrate` makes the triggers again"):
            check_once(Connection())
        with without_first_check():
            check_once(Connection())
        connection.protection.renew()
        check_once(Connection())
        sql(piece_on("audit_app_historicalward", "keep").removes)
        check_once(Connection())  # once a process

        assert closed == [True]
        protection.checked_databases.discard(("fresh", str(connection.settings_dict["NAME"])))


@pytest.mark.django_db(transaction=True)
def test_a_process_does_not_work_on_a_database_whose_triggers_were_altered():
    """The real thing: another process, which asks for one row."""
    piece = piece_on("audit_app_historicalweighing", "keep")
    database = connection.settings_dict["NAME"]
    program = (
        "import tests.settings, django; "
        f"tests.settings.DATABASES['default']['NAME'] = {str(database)!r}; django.setup(); "
        "from tests.audit_app.models import Ward; print(Ward.objects.count())"
    )

    def run() -> subprocess.CompletedProcess:
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        root = Path(__file__).parents[3]
        return subprocess.run(
            [sys.executable, "-c", program], cwd=root, env=environment, capture_output=True, text=True
        )

    connection.close()
    before = run()
    sql(piece.removes)
    connection.close()
    altered = run()
    with transaction.atomic():
        connection.protection.renew()

    assert (before.stdout, before.returncode) == ("0\n", 0), before.stderr
    assert altered.returncode == 1
    assert f"{piece.name} is missing. Nothing is read or written in this state." in altered.stderr


@pytest.mark.parametrize(
    ("history", "table"),
    [
        ("patients_historicalvisit", "patients_visit"),
        ("audit_app_historicalbed", "audit_app_bed"),
        ("patients_visit", None),
        ("_historicalvisit", None),
    ],
)
def test_the_table_of_a_history_is_told_by_its_name(history, table):
    assert table_of_history(history) == table


def test_a_table_without_version_or_key_is_not_tracked():
    history = ["id", "version", "history_id", "history_date", "history_change_reason", "history_type"]
    history += ["history_user_id", "recording_id", "changed"]
    columns = [Column("a_historicalx", name, name == "history_id") for name in history]

    def tracked(*own: Column) -> list[str]:
        return [table.name for table in tracked_tables([*columns, *own])]

    key, version = Column("a_x", "id", True), Column("a_x", "version", False)
    assert tracked(key, version) == ["a_x"]
    assert tracked(key) == []
    assert tracked(version) == []
    assert tracked(key, Column("a_x", "version", True)) == []
    assert tracked() == []


@pytest.mark.django_db
def test_a_tracked_table_without_other_columns_is_served():
    """What a generated trigger looks like when there is nothing to compare."""
    (bare,) = [table for table in connection.protection.tables() if table.name == "audit_app_ward"]
    columns = connection.protection.differing((), "a", "b"), connection.protection.unnamed((), "a", "b")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns[0]}, {columns[1]}")
        changed, unnamed = cursor.fetchone()

    assert bare.followed == ("name",)
    assert json.loads(changed) == []
    assert not unnamed


@pytest.mark.django_db
def test_before_the_first_migration_nothing_is_expected():
    connection.protection.remove(connection.protection.triggers())
    sql("ALTER TABLE trial_recording RENAME TO gone")

    assert connection.protection.expected() == []


def test_the_newest_safe_sqlite_is_used():
    old, safe = SimpleNamespace(sqlite_version_info=(3, 40, 1)), SimpleNamespace(sqlite_version_info=(3, 51, 3))

    assert newest(safe, "math") is safe
    assert newest(old, "math") is math
    assert newest(old, "no_such_library") is old


@pytest.mark.skipif(not ON_SQLITE, reason="PostgreSQL has one driver")
def test_another_sqlite_library_behind_django_is_refused():
    from trial.db.sqlite3.base import require_the_library

    with pytest.raises(ImproperlyConfigured, match="imported before Marrow's"):
        require_the_library(SimpleNamespace(Database=SimpleNamespace(sqlite_version_info=(3, 7, 0))))


# Roles, on PostgreSQL.


@pytest.mark.django_db
@pytest.mark.skipif(not ON_SQLITE, reason="PostgreSQL has roles")
def test_sqlite_says_that_it_has_no_roles():
    with pytest.raises(CommandError, match="SQLite has no roles"):
        call_command("grant_application_role", "marrow_app")


@pytest.fixture
def application():
    """A connection as the application's role, which owns nothing, granted as a production site would."""
    role = f"marrow_app_{os.getpid()}"
    sql(f"CREATE ROLE {role} LOGIN")
    call_command("grant_application_role", role, verbosity=0)
    as_role = connections["default"].copy("application")
    as_role.settings_dict = {**connection.settings_dict, "USER": role, "PASSWORD": ""}
    connections["application"] = as_role
    yield as_role
    as_role.close()
    del connections["application"]
    sql(f"DROP OWNED BY {role}")
    sql(f"DROP ROLE {role}")


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(ON_SQLITE, reason="SQLite has no roles")
class TestApplicationRole:
    def test_it_can_write_what_is_recorded_and_only_that(self, application):
        account = service_account("ann")
        with recording(by=account, reason="x", using="application"):
            ward = Ward.objects.using("application").create(name="A")
            ward.name = "B"
            ward.save()

        with pytest.raises(NotRecorded), transaction.atomic("application"):
            Ward.objects.using("application").create(name="C")
        assert list(Ward.history.order_by("version").values_list("name", flat=True)) == ["A", "B"]

    def test_it_can_add_to_the_record_of_access(self, application):
        event = AccessEvent.objects.using("application").create(kind=AccessKind.READ)
        AccessedPatient.objects.using("application").create(event=event, patient_id=12345)

        assert AccessEvent.objects.get().at == event.at

    @pytest.mark.parametrize(
        "statement",
        [
            "INSERT INTO audit_app_historicalward SELECT * FROM audit_app_historicalward",
            "UPDATE audit_app_historicalward SET name = 'x'",
            "DELETE FROM audit_app_historicalward",
            "TRUNCATE audit_app_historicalward",
            "INSERT INTO trial_recording SELECT * FROM trial_recording",
            "UPDATE trial_recording SET reason = 'x'",
            "DELETE FROM trial_recording",
            "TRUNCATE trial_recording CASCADE",
            "TRUNCATE audit_app_ward CASCADE",
            "UPDATE trial_accessevent SET page = 'x'",
            "DELETE FROM trial_accessedpatient",
            "TRUNCATE trial_accessevent CASCADE",
            "ALTER TABLE audit_app_ward DISABLE TRIGGER ALL",
            "DROP TRIGGER marrow_audit ON audit_app_ward",
            "DROP TABLE audit_app_ward",
            "CREATE OR REPLACE FUNCTION marrow_keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "SET session_replication_role = replica",
        ],
    )
    def test_it_cannot_touch_the_trail(self, statement, application):
        with recording(by=service_account("ann"), reason="x"):
            Ward.objects.create(name="A")

        with application.cursor() as cursor, pytest.raises(Exception, match=r"permission denied|must be owner"):
            cursor.execute(statement)

        assert Ward.history.count() == 1

    def test_a_table_of_its_own_is_not_taken_for_ours(self, application):
        """A temporary table comes first in the search path, but the triggers do not look there."""
        account = service_account("ann")
        with application.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE trial_recording AS SELECT * FROM public.trial_recording")
            cursor.execute(
                "CREATE TEMPORARY TABLE audit_app_historicalward AS SELECT * FROM public.audit_app_historicalward"
            )
        with recording(by=account, reason="x", using="application"):
            Ward.objects.using("application").create(name="A")

        assert Ward.history.get().recording.reason == "x"

    def test_a_role_that_is_not_there_is_named(self, db):
        with pytest.raises(CommandError, match="The role 'nobody_at_all' could not be granted"):
            call_command("grant_application_role", "nobody_at_all")


@pytest.mark.django_db
def test_what_the_triggers_refuse_is_told_without_their_code(act):
    with act():
        Weighing.objects.create(label="w1", kilograms=70)

    with pytest.raises(NotRecorded) as refused, transaction.atomic():
        Weighing.objects.update(kilograms=1)

    assert str(refused.value) == (
        "This change to audit_app_weighing was not recorded, so it was refused. "
        "Write inside `with recording(by=..., reason=...)`."
    )
