"""Changing tables under triggers: AlterField, AddField with a default, RemoveField, and data in the same `migrate`, on a tracked
model whose name sorts after *Historical*.
"""

import json
from importlib import import_module
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, NotSupportedError, connection, migrations, models, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState

from tests.audit_app import migrations as audit_app_migrations
from tests.audit_app.models import Round, Ward, Weighing
from trial.audit import NotRecorded, recording, service_account
from trial.audit.seals.models import SealedColumns
from trial.audit.seals.proof import prove_seals
from trial.audit.seals.sealing import seal
from trial.db.verification import prove

pytestmark = pytest.mark.django_db(transaction=True)


def steps() -> list[migrations.Migration]:
    """The migrations of the test app, in order."""
    folder = Path(audit_app_migrations.__path__[0])
    names = sorted(file.stem for file in folder.glob("0*.py"))
    return [import_module(f"tests.audit_app.migrations.{name}").Migration(name, "audit_app") for name in names]


def state_before(step: str) -> ProjectState:
    """The models of the test app as the migrations before this one leave them. Its other apps do not matter to it."""
    state = ProjectState()
    for migration in steps():
        if migration.name == step:
            break
        migration.mutate_state(state, preserve=False)
    return state


def forwards(*names: str) -> None:
    """Apply migrations as `migrate` does, each in a schema editor of its own, without rendering the models of all other apps."""
    for migration in steps():
        if migration.name in names:
            with connection.schema_editor(atomic=True) as editor:
                migration.apply(state_before(migration.name), editor)


def backwards(*names: str) -> None:
    """Take migrations back, the last one first."""
    for migration in reversed(steps()):
        if migration.name in names:
            with connection.schema_editor(atomic=True) as editor:
                migration.unapply(state_before(migration.name), editor)


AFTER_THE_FIRST = (
    "0002_longer_labels",
    "0003_units",
    "0004_no_scratch",
    "0005_rounds",
    "0006_first_rounds",
    "0007_salts",
)


@pytest.fixture
def migrated():
    """The test database has its tables straight from the models. Let it know that these are what the migrations make.

    Afterwards it forgets them: to `verify_audit` a migration excuses what the tests of tampering want to see found.
    """
    call_command("migrate", fake=True, verbosity=0)
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {MigrationRecorder.Migration._meta.db_table}")


@pytest.fixture
def at_the_beginning():
    """The tables as the first migration makes them, with one weighing that was changed once. Afterwards, as the last does."""
    backwards(*AFTER_THE_FIRST)
    fill_the_first_tables()
    yield
    columns = {(column.table, column.name) for column in connection.protection.columns()}
    done = 0
    if ("audit_app_weighing", "unit") in columns:
        done = 2
    if ("audit_app_weighing", "scratch") not in columns:
        done = 3
    if ("audit_app_round", "id") in columns:
        done = 5
    if ("audit_app_historicalround", "salt") in columns:
        done = 6
    forwards(*AFTER_THE_FIRST[done:])


def fill_the_first_tables() -> None:
    with recording(by=service_account("ann"), reason="First entry"):
        ward = Ward.objects.create(name="A")
        sql(
            "INSERT INTO audit_app_weighing (label, kilograms, scratch, details, changed_on, version, ward_id) "
            "VALUES ('w1', 70, 5, '{}', '2020-01-01', 1, %s)",
            ward.pk,
        )
    with recording(by=service_account("ann"), reason="Scales were wrong"):
        sql("UPDATE audit_app_weighing SET kilograms = 71, scratch = 6, version = version + 1")


def sql(statement: str, *parameters: object) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def versions(column: str) -> list[tuple]:
    return sql(f"SELECT version, {column}, changed FROM audit_app_historicalweighing ORDER BY version")


def changed(row: tuple) -> list[str]:
    return json.loads(row[-1]) if isinstance(row[-1], str) else row[-1]


def assert_tracked(update: str) -> None:
    """The table refuses what is not recorded, records what is, and the whole trail is true."""
    assert connection.protection.faults() == []
    with pytest.raises(NotRecorded), transaction.atomic():
        sql(f"UPDATE audit_app_weighing SET {update}, version = version + 1")
    with recording(by=service_account("ann"), reason="After the migration"):
        sql(f"UPDATE audit_app_weighing SET {update}, version = version + 1")
    assert prove().findings == ()


def test_alter_field_keeps_rows_history_and_triggers(at_the_beginning):
    forwards("0002_longer_labels")

    assert_tracked("label = 'a label of more than twenty'")
    assert [row[:2] for row in versions("label")] == [(1, "w1"), (2, "w1"), (3, "a label of more than twenty")]
    assert changed(versions("label")[-1]) == ["label"]


def test_add_field_with_a_default_fills_rows_and_history_alike(at_the_beginning):
    forwards("0002_longer_labels", "0003_units")

    assert_tracked("unit = 'g'")
    assert [row[:2] for row in versions("unit")] == [(1, "kg"), (2, "kg"), (3, "g")]
    assert changed(versions("unit")[-1]) == ["unit"]


def test_remove_field_takes_it_from_rows_and_history(at_the_beginning):
    forwards("0002_longer_labels", "0003_units", "0004_no_scratch")

    assert_tracked("kilograms = 72")
    columns = {column.name for column in connection.protection.columns() if column.table.endswith("weighing")}
    assert "scratch" not in columns


def test_all_the_way_back_and_forth_keeps_the_trail(at_the_beginning):
    forwards(*AFTER_THE_FIRST[:3])
    backwards(*AFTER_THE_FIRST[:3])
    forwards(*AFTER_THE_FIRST)

    assert_tracked("kilograms = 72")
    assert [row[:2] for row in versions("kilograms")] == [(1, 70), (2, 71), (3, 72)]


def test_data_are_recorded_in_the_same_migrate_as_their_table(migrated):
    call_command("migrate", "audit_app", "0001", verbosity=0)
    fill_the_first_tables()

    call_command("migrate", "audit_app", verbosity=0)

    (row,) = Round.history.all()
    assert (row.title, row.version, row.recording.person_name) == ("First", 1, "migration")
    assert Round.objects.get().ward == Ward.objects.get()
    assert_tracked("kilograms = 72")


def test_seals_hold_over_a_column_with_a_default_and_over_salts(at_the_beginning):
    forwards("0002_longer_labels")
    seal()

    forwards(*AFTER_THE_FIRST[1:])

    assert versions("unit")[0][1] == "kg"  # filled by the migration, and no part of what was sealed
    assert_tracked("kilograms = 72")
    seal()
    proof = prove_seals()
    assert (proof.findings, proof.unsealed, proof.unreadable) == ([], 0, 0)
    kinds = SealedColumns.objects.filter(table="audit_app_weighing").values_list("columns", flat=True)
    assert sorted("unit" in kind.split() for kind in kinds) == [False, True]


ADD_A_COLUMN = migrations.AddField("weighing", "spare", models.IntegerField(null=True))
FILL_IT = "UPDATE audit_app_weighing SET kilograms = 1, version = version + 1"


def apply(*operations: migrations.operations.base.Operation, atomic: bool = True) -> None:
    """Run the operations as one migration of the test app would."""
    migration = migrations.Migration("0007_test", "audit_app")
    migration.operations = list(operations)
    migration.atomic = atomic
    with connection.schema_editor(atomic=atomic) as editor:
        migration.apply(state_before("0007_test"), editor)


@pytest.fixture
def weighing():
    with recording(by=service_account("ann"), reason="First entry"):
        return Weighing.objects.create(label="w1", kilograms=70)


@pytest.mark.parametrize(
    "data",
    [
        migrations.RunSQL(FILL_IT),
        migrations.RunSQL([(FILL_IT, [])]),
        migrations.RunPython(lambda apps, editor: apps.get_model("audit_app", "Weighing").objects.update(kilograms=1)),
        migrations.RunPython(lambda apps, editor: sql(FILL_IT)),
    ],
    ids=["SQL", "SQL with parameters", "a queryset", "a cursor"],
)
def test_data_changed_after_the_schema_in_one_migration_is_refused(data, weighing):
    with pytest.raises(NotRecorded):
        apply(ADD_A_COLUMN, data)

    assert connection.protection.faults() == []
    assert Weighing.objects.get().kilograms == 70
    assert "spare" not in {column.name for column in connection.protection.columns()}


def test_a_change_of_the_recordings_leaves_every_trigger_right(weighing):
    with connection.schema_editor() as editor:
        editor.execute("ALTER TABLE trial_recording ADD COLUMN spare integer")
    try:
        assert_tracked("kilograms = 72")
    finally:
        with connection.schema_editor() as editor:
            editor.execute("ALTER TABLE trial_recording DROP COLUMN spare")
    assert_tracked("kilograms = 73")


def test_data_changed_between_schema_changes_are_recorded(weighing):
    def fill(apps, editor):
        with recording(by=service_account("migration"), reason="Filled"):
            Weighing.objects.update(kilograms=1)

    apply(ADD_A_COLUMN, migrations.RunPython(fill), migrations.RemoveField("weighing", "spare"))

    assert connection.protection.faults() == []
    assert list(Weighing.history.order_by("version").values_list("kilograms", flat=True)) == [70, 1]
    assert prove().findings == ()


def test_a_migration_that_fails_leaves_the_triggers(weighing):
    def fail(apps, editor):
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        apply(ADD_A_COLUMN, migrations.RunPython(fail))

    assert connection.protection.faults() == []
    assert connection.execute_wrappers == []


def test_a_migration_whose_last_statement_fails_leaves_the_triggers(weighing):
    def put_off(apps, editor):
        editor.deferred_sql.append("CREATE INDEX nowhere_at_all ON nowhere (id)")

    with pytest.raises(DatabaseError, match="nowhere"):
        apply(ADD_A_COLUMN, migrations.RunPython(put_off))

    assert connection.protection.faults() == []
    assert connection.execute_wrappers == []
    assert not connection.in_atomic_block


def test_a_migration_that_leaves_a_broken_reference_is_taken_back(weighing):
    def break_it(apps, editor):
        with recording(by=service_account("migration"), reason="Breaks"):
            Weighing.objects.update(ward_id=12345)

    with pytest.raises(IntegrityError):
        apply(ADD_A_COLUMN, migrations.RunPython(break_it))

    assert connection.protection.faults() == []
    assert not connection.in_atomic_block
    assert Weighing.objects.get().ward is None


def test_the_models_of_the_test_app_are_what_its_migrations_make(capsys):
    call_command("makemigrations", "audit_app", check_changes=True, dry_run=True)

    assert "No changes detected" in capsys.readouterr().out


def test_a_migration_that_is_not_atomic_cannot_change_tables(weighing):
    with pytest.raises(NotSupportedError, match="not atomic"):
        apply(ADD_A_COLUMN, atomic=False)

    assert connection.protection.faults() == []


def test_a_migration_that_is_not_atomic_can_make_an_index(weighing):
    index = models.Index(fields=["kilograms"], name="weighing_kilograms")
    apply(migrations.AddIndex("weighing", index), atomic=False)

    try:
        assert connection.protection.faults() == []
    finally:
        sql("DROP INDEX weighing_kilograms")


def test_showing_the_sql_of_a_migration_leaves_the_triggers_alone(migrated, weighing, capsys):
    call_command("sqlmigrate", "audit_app", "0002")

    assert connection.protection.faults() == []
    assert "audit_app_weighing" in capsys.readouterr().out


def test_a_plan_and_a_check_leave_the_triggers_alone(migrated, weighing, capsys):
    call_command("migrate", plan=True)
    with pytest.raises(SystemExit):
        call_command("migrate", "audit_app", "0001", check_unapplied=True)

    assert connection.protection.faults() == []


def test_migrate_makes_a_missing_trigger_again_and_says_so(migrated, weighing, capsys):
    piece = next(piece for piece in connection.protection.installed() if piece.table == "audit_app_weighing")
    sql(piece.removes)
    assert connection.protection.faults() == [f"{piece.name} is missing."]

    call_command("migrate", verbosity=1)

    assert connection.protection.faults() == []
    assert f"Audit triggers made again: {piece.name}." in capsys.readouterr().out
