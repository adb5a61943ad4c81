"""The trail itself cannot be changed, forged, emptied or pruned: by no path of Python, SQL or a command."""

from datetime import UTC, datetime

import pytest
from django.core import serializers
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import ProtectedError
from simple_history.utils import bulk_create_with_history, bulk_update_with_history, update_change_reason

from tests.audit_app.models import Ward, Weighing
from tests.audit_app.rows import FIRST, sql, story
from trial.audit import NotRecorded, Recording, recording

pytestmark = pytest.mark.django_db

NOT_RECORDED = "was not recorded, so it was refused"
KEPT = "Its rows are never changed or removed"
FORGED = "Only the triggers write it"


HISTORY_IS_KEPT = [
    lambda: Weighing.history.update(kilograms=1),
    lambda: Weighing.history.all().delete(),
    lambda: Weighing.history.all()._raw_delete("default"),
    lambda: Weighing.history.first().delete(),
    lambda: Weighing.history.first().save(),
    lambda: sql("UPDATE audit_app_historicalweighing SET kilograms = 1"),
    lambda: sql("DELETE FROM audit_app_historicalweighing"),
    lambda: sql("UPDATE trial_recording SET reason = 'another'"),
    lambda: sql("DELETE FROM trial_recording"),
    lambda: Recording.objects.update(reason="another"),
    lambda: Recording.objects.all()._raw_delete("default"),
    lambda: update_change_reason(Weighing.objects.get(), "another"),
]


@pytest.mark.parametrize("path", HISTORY_IS_KEPT)
@pytest.mark.parametrize("inside", [True, False], ids=["inside a recording", "outside"])
def test_the_trail_cannot_be_changed(path, inside, weighing, act):
    with pytest.raises(NotRecorded, match=KEPT), act() if inside else transaction.atomic():
        path()

    assert story(weighing.pk) == [FIRST]
    assert Recording.objects.get().reason == "First entry"


def forge(kind: str, version: int, record_id: int) -> None:
    columns = [field.column for field in Weighing.history.model._meta.fields if field.column != "history_id"]
    given = {"version": str(version), "history_type": f"'{kind}'", "id": str(record_id)}
    values = ", ".join(given.get(column, f'"{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    sql(f"INSERT INTO audit_app_historicalweighing ({names}) SELECT {values} FROM audit_app_historicalweighing LIMIT 1")


@pytest.mark.parametrize("kind", ["+", "~", "-"])
@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_history_row_cannot_be_forged(kind, version, weighing, act):
    for record_id in (weighing.pk, weighing.pk + 1):
        with pytest.raises(NotRecorded, match=FORGED), act():
            forge(kind, version, record_id)

    assert story(weighing.pk) == [FIRST]


@pytest.mark.parametrize(
    "path",
    [
        lambda record, ann: Weighing.history.create(
            **{field.attname: getattr(record, field.attname) for field in record._meta.fields},
            history_date=datetime(2001, 1, 1, tzinfo=UTC),
            history_type="~",
            history_change_reason="",
            history_user_id=ann.pk,
            recording_id=1,
        ),
        lambda record, ann: Recording.objects.bulk_create(
            [Recording(at=datetime(2001, 1, 1, tzinfo=UTC), by=ann, person_name="", reason="", channel="")]
        ),
        lambda record, ann: bulk_create_with_history([Weighing(label="w9", kilograms=1)], Weighing),
        lambda record, ann: bulk_update_with_history([record], Weighing, ["kilograms"]),
    ],
    ids=["history.create", "recordings", "bulk_create_with_history", "bulk_update_with_history"],
)
def test_python_cannot_write_the_trail(path, weighing, act, ann):
    with pytest.raises(NotRecorded, match=FORGED), act():
        path(weighing, ann)

    assert Weighing.history.count() == 1


def test_a_recording_cannot_be_saved(ann):
    with pytest.raises(NotRecorded, match="written by the database alone"):
        Recording(by=ann, reason="x").save()


def test_caller_cannot_choose_instant_or_person_of_a_history_row(weighing, act, ann):
    weighing.kilograms = 71
    weighing._history_date = datetime(2001, 1, 1, tzinfo=UTC)
    weighing._history_user = None
    weighing._change_reason = "invented"

    with act("True reason"):
        weighing.save()

    row = weighing.history.first()
    assert row.history_date.year != 2001
    assert (row.history_user_id, row.history_change_reason) == (ann.pk, "True reason")
    assert row.history_date == row.recording.at


def test_there_is_no_saving_without_history(weighing):
    assert not hasattr(weighing, "save_without_historical_record")


def test_switching_simple_history_off_changes_nothing(weighing, act, settings):
    settings.SIMPLE_HISTORY_ENABLED = False
    weighing.skip_history_when_saving = True
    weighing.kilograms = 71

    with act():
        weighing.save()

    assert story(weighing.pk) == [FIRST, (2, "~", 71, ["kilograms", "changed_on"])]


def test_an_account_that_acted_cannot_be_deleted(weighing, ann):
    with pytest.raises(ProtectedError):
        ann.delete()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL has TRUNCATE")
@pytest.mark.parametrize("table", ["audit_app_weighing", "audit_app_historicalweighing", "trial_recording"])
def test_truncate_is_refused(table, weighing, act):
    sql("SET CONSTRAINTS ALL IMMEDIATE")  # a table whose foreign keys are still to be checked cannot be emptied anyway
    with pytest.raises(NotRecorded, match=r"cannot be emptied|never changed or removed"), act():
        sql(f"TRUNCATE {table} CASCADE")

    assert Weighing.history.count() == 1


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["clean_old_history", "--auto", "--days", "0"], "History is never pruned"),
        (["clean_duplicate_history", "--auto"], "History is never pruned"),
        (["populate_history", "--auto"], "written by the database alone"),
        (["flush", "--no-input"], "The database is not emptied"),
    ],
)
def test_a_command_that_would_harm_the_trail_ends_with_a_sentence(command, sentence, weighing):
    with pytest.raises(CommandError, match=sentence):
        call_command(*command)

    assert Weighing.history.count() == 1


def test_loaddata_into_a_tracked_table_ends_with_a_sentence(weighing, tmp_path):
    fixture = tmp_path / "weighings.json"
    fixture.write_text(serializers.serialize("json", [weighing]).replace('"pk": ', '"pk": 1000').replace("w1", "w2"))

    with pytest.raises(CommandError, match=NOT_RECORDED):
        call_command("loaddata", str(fixture), verbosity=0)

    assert Weighing.objects.count() == 1


def test_loaddata_inside_a_recording_is_recorded(weighing, act, ann, tmp_path):
    fixture = tmp_path / "wards.json"
    fixture.write_text('[{"model": "audit_app.ward", "pk": 900, "fields": {"name": "Z"}}]')

    with recording(by=ann, reason="Fixture"):
        call_command("loaddata", str(fixture), verbosity=0)

    assert Ward.history.get(id=900).version == 1
