"""SQLite's own ways around a constraint (OR IGNORE, OR REPLACE), and a program that knows nothing of Marrow."""

import contextlib
from importlib import import_module

import pytest
from django.db import connection, transaction

from tests.audit_app.models import Ward, Weighing
from tests.audit_app.rows import FIRST, create_with_sql, sql, story
from trial.audit import NotRecorded, Stale
from trial.db.sqlite3.library import dbapi2
from trial.db.verification import prove

pytestmark = pytest.mark.django_db

NOT_RECORDED = "was not recorded, so it was refused"
NOT_RAISED = "its version was not raised by one"
FORGED = "Only the triggers write it"


sqlite_only = pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite has OR IGNORE and OR REPLACE")


@sqlite_only
@pytest.mark.parametrize(
    "verb", ["INSERT OR IGNORE", "INSERT OR REPLACE", "REPLACE", "INSERT OR FAIL", "INSERT OR ROLLBACK"]
)
def test_insert_or_anything_outside_a_recording_is_refused(verb, weighing):
    with pytest.raises(NotRecorded, match=NOT_RECORDED), transaction.atomic():
        create_with_sql(verb=verb)

    assert Weighing.objects.count() == 1


@sqlite_only
def test_insert_or_ignore_inside_a_recording_is_recorded(weighing, act):
    with act():
        create_with_sql(verb="INSERT OR IGNORE")
        create_with_sql(verb="INSERT OR IGNORE")

    assert Weighing.history.filter(label="w2").count() == 1
    assert prove().findings == ()


@sqlite_only
def test_insert_or_replace_of_another_row_is_a_deletion_and_a_creation(weighing, act):
    old = weighing.pk
    with act():
        sql(
            "INSERT OR REPLACE INTO audit_app_weighing (label, kilograms, unit, details, changed_on, version) "
            "VALUES ('w1', 99, 'kg', '{}', '2020-01-01', 1)"
        )

    assert story(old) == [FIRST, (2, "-", 70, [])]
    assert story(Weighing.objects.get().pk) == [(1, "+", 99, [])]
    assert prove().findings == ()


@sqlite_only
@pytest.mark.parametrize("verb", ["INSERT OR REPLACE", "REPLACE", "INSERT OR IGNORE"])
def test_insert_or_replace_of_the_same_row_is_refused_or_does_nothing(verb, weighing, act):
    statement = (
        f"{verb} INTO audit_app_weighing (id, label, kilograms, unit, details, changed_on, version) "
        "VALUES (%s, 'w1', 99, 'kg', '{}', '2020-01-01', 1)"
    )
    if verb == "INSERT OR IGNORE":
        with act():
            sql(statement, weighing.pk)
    else:
        with pytest.raises(NotRecorded, match="is not used twice"), act():
            sql(statement, weighing.pk)

    assert story(weighing.pk) == [FIRST]
    assert Weighing.objects.get().kilograms == 70


@sqlite_only
@pytest.mark.parametrize("verb", ["UPDATE OR IGNORE", "UPDATE OR REPLACE"])
def test_update_or_anything_is_recorded_or_refused(verb, weighing, act):
    with pytest.raises(NotRecorded, match=NOT_RECORDED), transaction.atomic():
        sql(f"{verb} audit_app_weighing SET kilograms = 71, version = version + 1")
    with pytest.raises(Stale, match=NOT_RAISED), act():
        sql(f"{verb} audit_app_weighing SET kilograms = 71")
    with act():
        sql(f"{verb} audit_app_weighing SET kilograms = 71, version = version + 1")

    assert story(weighing.pk) == [FIRST, (2, "~", 71, ["kilograms"])]
    assert prove().findings == ()


@sqlite_only
def test_update_or_replace_records_the_row_that_it_pushes_out(weighing, act):
    with act():
        other = Weighing.objects.create(label="w2", kilograms=80)
    other_id = other.pk
    with act():
        sql("UPDATE OR REPLACE audit_app_weighing SET label = 'w2', version = version + 1 WHERE label = 'w1'")

    assert [row[:2] for row in story(other_id)] == [(1, "+"), (2, "-")]
    assert story(weighing.pk)[-1] == (2, "~", 70, ["label"])
    assert prove().findings == ()


@sqlite_only
def test_a_history_row_cannot_be_replaced(weighing, act):
    columns = ", ".join(f'"{field.column}"' for field in Weighing.history.model._meta.fields)
    with pytest.raises(NotRecorded, match=FORGED), act() as _:
        sql(
            f"INSERT OR REPLACE INTO audit_app_historicalweighing ({columns}) SELECT {columns} FROM audit_app_historicalweighing"
        )


@pytest.mark.django_db(transaction=True)
def test_a_program_without_marrow_cannot_write():
    """On SQLite it has no such function, which guards against accident; PostgreSQL says the sentence."""
    where = connection.settings_dict
    if connection.vendor == "sqlite":
        # not: the standard library's sqlite3
        # but: the library that this process has the file open with; two in one process undo each other's locks
        stranger, words = dbapi2.connect(where["NAME"]), "no such function: marrow_recording"
    else:
        address = {"host": where["HOST"], "port": where["PORT"], "user": where["USER"], "password": where["PASSWORD"]}
        stranger, words = import_module("psycopg").connect(dbname=where["NAME"], **address), NOT_RECORDED

    with contextlib.closing(stranger), pytest.raises(Exception, match=words):
        stranger.execute("INSERT INTO audit_app_ward (name, version) VALUES ('A', 1)")

    assert Ward.objects.count() == 0
