"""The write paths of RELIABILITY 1.3 and of the issue, each on both engines: the history is complete and true, or the write is
refused with a sentence and leaves nothing.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.apps.registry import Apps
from django.core import serializers
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F, ProtectedError
from simple_history.utils import bulk_create_with_history, bulk_update_with_history, update_change_reason

from tests.audit_app.models import Bed, Ward, Weighing
from trial.audit import NotRecorded, Recording, Stale, recording
from trial.db.verification import prove

pytestmark = pytest.mark.django_db

NOT_RECORDED = "was not recorded, so it was refused"
NOT_RAISED = "its version was not raised by one"
KEPT = "Its rows are never changed or removed"
FORGED = "Only the triggers write it"


@pytest.fixture
def weighing(act):
    """A weighing of 70 kg on ward A, with its first history row."""
    with act("First entry"):
        return Weighing.objects.create(
            ward=Ward.objects.create(name="A"), label="w1", kilograms=70, details={"by": "x"}
        )


def sql(statement: str, *parameters: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def story(record_id: int) -> list[tuple[int, str, int, list[str]]]:
    """Version, kind, kilograms and changed fields of a weighing's history, oldest first."""
    rows = Weighing.history.filter(id=record_id).order_by("version")
    return [(row.version, row.history_type, row.kilograms, row.changed) for row in rows]


FIRST = (1, "+", 70, [])


class Plain(models.Model):
    """The table of weighings through a model that knows nothing of the audit core, as a migration would see it."""

    label = models.CharField(max_length=30)
    kilograms = models.IntegerField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        app_label = "audit_app"
        apps = Apps()  # not among the models of the project
        db_table = "audit_app_weighing"

    def __str__(self) -> str:
        return self.label


class Proxy(Weighing):
    """A proxy of a tracked model. `marrow.A002` forbids it; what it writes is recorded all the same."""

    class Meta:
        app_label = "audit_app"
        apps = Apps()  # not among the models of the project
        proxy = True


def save_all(record: Weighing) -> None:
    record.kilograms = 71
    record.save()


def save_some(record: Weighing) -> None:
    record.kilograms = 71
    record.note = "never written"
    record.save(update_fields=["kilograms"])


def save_an_expression(record: Weighing) -> None:
    record.kilograms = F("kilograms") + 1
    record.save()


def update_or_create(record: Weighing) -> None:
    Weighing.objects.update_or_create(label="w1", defaults={"kilograms": 71})


def bulk_update(record: Weighing) -> None:
    record.kilograms = 71
    Weighing.objects.bulk_update([record], ["kilograms"])


def save_a_proxy(record: Weighing) -> None:
    changed = Proxy.objects.get(pk=record.pk)
    changed.kilograms = 71
    changed.save()


def save_a_deserialised(record: Weighing) -> None:
    record.kilograms = 71
    record.version = 2
    (again,) = serializers.deserialize("json", serializers.serialize("json", [record]))
    again.save()


def plain_update_that_raises_the_version(record: Weighing) -> None:
    models.QuerySet(Plain).filter(pk=record.pk).update(kilograms=71, version=F("version") + 1)


def raw_update_that_raises_the_version(record: Weighing) -> None:
    sql("UPDATE audit_app_weighing SET kilograms = 71, version = version + 1 WHERE id = %s", record.pk)


def upsert_that_raises_the_version(record: Weighing) -> None:
    sql(
        "INSERT INTO audit_app_weighing (label, kilograms, unit, details, changed_on, version) "
        "VALUES ('w1', 71, 'kg', '{}', '2020-01-01', 1) ON CONFLICT (label) "
        "DO UPDATE SET kilograms = excluded.kilograms, version = audit_app_weighing.version + 1"
    )


CHANGES_KILOGRAMS = [
    save_all,
    save_some,
    save_an_expression,
    lambda record: Weighing.objects.filter(pk=record.pk).update(kilograms=71),
    lambda record: Weighing._base_manager.filter(pk=record.pk).update(kilograms=71),
    lambda record: record.ward.weighings.update(kilograms=71),
    update_or_create,
    bulk_update,
    save_a_proxy,
    plain_update_that_raises_the_version,
    raw_update_that_raises_the_version,
    upsert_that_raises_the_version,
    save_a_deserialised,
]


def named(path: Callable) -> str:
    return path.__name__.replace("<lambda>", "queryset")


@pytest.mark.parametrize("path", CHANGES_KILOGRAMS, ids=named)
def test_a_change_leaves_one_true_history_row(path, weighing, act):
    with act("Scales were wrong"):
        path(weighing)

    versions = story(weighing.pk)
    assert [row[:3] for row in versions] == [FIRST[:3], (2, "~", 71)]
    assert "kilograms" in versions[1][3]
    assert "note" not in versions[1][3]
    assert weighing.history.first().recording.reason == "Scales were wrong"
    assert prove().findings == ()


@pytest.mark.parametrize("path", CHANGES_KILOGRAMS, ids=named)
def test_a_change_outside_a_recording_is_refused(path, weighing):
    with pytest.raises(NotRecorded, match=NOT_RECORDED), transaction.atomic():
        path(weighing)

    assert story(weighing.pk) == [FIRST]
    assert Weighing.objects.get().kilograms == 70
    assert Recording.objects.count() == 1


def create_with_sql(columns: str = "", values: str = "", verb: str = "INSERT") -> None:
    sql(
        f"{verb} INTO audit_app_weighing (label, kilograms, unit, details, changed_on, version{columns}) "
        f"VALUES ('w2', 80, 'kg', '{{}}', '2020-01-01', 1{values})"
    )


CREATES = [
    lambda: Weighing(label="w2", kilograms=80).save(),
    lambda: Weighing.objects.create(label="w2", kilograms=80),
    lambda: Weighing.objects.get_or_create(label="w2", defaults={"kilograms": 80}),
    lambda: Weighing.objects.update_or_create(label="w2", defaults={"kilograms": 80}),
    lambda: Weighing.objects.bulk_create([Weighing(label="w2", kilograms=80)]),
    lambda: Weighing.objects.bulk_create([Weighing(label="w2", kilograms=80)], ignore_conflicts=True),
    lambda: Ward.objects.get().weighings.create(label="w2", kilograms=80),
    create_with_sql,
]


@pytest.mark.parametrize("path", CREATES)
def test_a_new_row_begins_its_history(path, weighing, act):
    with act():
        path()

    created = Weighing.objects.get(label="w2")
    assert story(created.pk) == [(1, "+", 80, [])]
    assert prove().findings == ()


@pytest.mark.parametrize("path", CREATES)
def test_a_new_row_outside_a_recording_is_refused(path, weighing):
    with pytest.raises(NotRecorded, match=NOT_RECORDED), transaction.atomic():
        path()

    assert Weighing.objects.count() == Weighing.history.count() == 1


def raw_delete(record: Weighing) -> None:
    Weighing.objects.filter(pk=record.pk)._raw_delete("default")


DELETES = [
    lambda record: record.delete(),
    lambda record: Weighing.objects.filter(pk=record.pk).delete(),
    raw_delete,
    lambda record: sql("DELETE FROM audit_app_weighing WHERE id = %s", record.pk),
]


@pytest.mark.parametrize("path", DELETES)
def test_a_deletion_is_the_last_version(path, weighing, act):
    record_id = weighing.pk
    with act("Entered twice"):
        path(weighing)

    assert story(record_id) == [FIRST, (2, "-", 70, [])]
    assert Weighing.history.get(version=2).recording.reason == "Entered twice"
    assert prove().findings == ()


@pytest.mark.parametrize("path", DELETES)
def test_a_deletion_outside_a_recording_is_refused(path, weighing):
    with pytest.raises(NotRecorded, match=NOT_RECORDED), transaction.atomic():
        path(weighing)

    assert Weighing.objects.count() == Weighing.history.count() == 1


def test_a_cascade_is_recorded_for_each_row(act):
    with act():
        ward = Ward.objects.create(name="B")
        Bed.objects.bulk_create([Bed(ward=ward, number=number) for number in (1, 2, 3)])

    with act("The ward was closed"):
        ward.delete()

    assert (
        list(Bed.history.order_by("history_id").values_list("history_type", "version"))
        == [("+", 1)] * 3 + [("-", 2)] * 3
    )
    assert prove().findings == ()


def test_bulk_create_writes_a_history_row_each(act):
    with act():
        Weighing.objects.bulk_create([Weighing(label=f"w{n}", kilograms=n) for n in range(500)])

    assert Weighing.history.count() == 500
    assert Recording.objects.count() == 1
    assert prove().findings == ()


def test_a_created_row_begins_with_version_1_whatever_was_asked(act):
    with act():
        Weighing(label="w", kilograms=1, version=7).save()
        Weighing.objects.bulk_create([Weighing(label="x", kilograms=1, version=7)])

    assert set(Weighing.objects.values_list("version", flat=True)) == {1}


def test_bulk_create_that_ignores_conflicts_records_only_what_it_wrote(weighing, act):
    with act():
        Weighing.objects.bulk_create(
            [Weighing(label="w1", kilograms=99), Weighing(label="w2", kilograms=80)], ignore_conflicts=True
        )

    assert dict(Weighing.objects.values_list("label", "kilograms")) == {"w1": 70, "w2": 80}
    assert Weighing.history.count() == 2
    assert prove().findings == ()


def test_bulk_create_that_would_overwrite_is_refused(weighing, act):
    with pytest.raises(NotRecorded, match="overwrites rows unseen"), act():
        Weighing.objects.bulk_create(
            [Weighing(label="w1", kilograms=99)],
            update_conflicts=True,
            unique_fields=["label"],
            update_fields=["kilograms"],
        )

    assert story(weighing.pk) == [FIRST]


def test_an_upsert_that_keeps_the_version_is_refused(weighing, act):
    with pytest.raises(Stale, match=NOT_RAISED), act():
        models.QuerySet(Weighing).bulk_create(
            [Weighing(label="w1", kilograms=99, ward=None)],
            update_conflicts=True,
            unique_fields=["label"],
            update_fields=["kilograms"],
        )

    assert story(weighing.pk) == [FIRST]


@pytest.mark.parametrize(
    "path",
    [
        lambda record: models.QuerySet(Plain).filter(pk=record.pk).update(kilograms=71),
        lambda record: sql("UPDATE audit_app_weighing SET kilograms = 71"),
        lambda record: sql("UPDATE audit_app_weighing SET kilograms = 71, version = version + 2"),
        lambda record: sql("UPDATE audit_app_weighing SET kilograms = 71, version = version - 1"),
        lambda record: Weighing.objects.update(kilograms=71, version=9),
    ],
)
def test_an_update_that_does_not_raise_the_version_by_one_is_refused(path, weighing, act):
    with pytest.raises(Stale, match=NOT_RAISED), act():
        path(weighing)

    assert story(weighing.pk) == [FIRST]


def test_relations_from_the_other_side_are_recorded(weighing, act):
    with act():
        other = Ward.objects.create(name="B")
        other.weighings.add(weighing)
    with act():
        other.weighings.clear()
    with act():
        other.weighings.set([weighing])
    with act():
        other.weighings.remove(weighing)

    rows = Weighing.history.order_by("version").values_list("version", "ward_id", "changed")
    a = Ward.objects.get(name="A").pk
    assert list(rows) == [
        (1, a, []),
        (2, other.pk, ["ward_id"]),
        (3, None, ["ward_id"]),
        (4, other.pk, ["ward_id"]),
        (5, None, ["ward_id"]),
    ]
    assert prove().findings == ()


def test_saving_without_a_change_writes_nothing(weighing, act):
    with act():
        weighing.save()
        weighing.save(update_fields=["kilograms"])
        Weighing.objects.get().save()
        weighing.kilograms = "70"
        weighing.save()

    assert story(weighing.pk) == [FIRST]
    assert Recording.objects.count() == 1


def test_a_change_inside_a_json_value_is_seen(weighing, act):
    weighing = Weighing.objects.get()
    weighing.details["by"] = "y"

    with act():
        weighing.save()

    assert story(weighing.pk)[1][3] == ["details", "changed_on"]


def test_two_saves_of_one_reading_are_two_versions(weighing, act):
    with act():
        for kilograms in (71, 72):
            weighing.kilograms = kilograms
            weighing.save()

    assert [row[2] for row in story(weighing.pk)] == [70, 71, 72]
    assert weighing.version == 3


def test_a_stale_save_is_refused_and_can_be_repeated_after_reading_again(weighing, act):
    mine, theirs = Weighing.objects.get(), Weighing.objects.get()
    theirs.kilograms = 71
    with act():
        theirs.save()

    mine.note = "mine"
    with pytest.raises(Stale), act():
        mine.save()
    assert mine.version == 1
    mine.refresh_from_db()
    mine.note = "mine"
    with act():
        mine.save()

    assert story(weighing.pk)[-1] == (3, "~", 71, ["note", "changed_on"])


def test_saving_a_row_that_was_deleted_is_refused(weighing, act):
    mine = Weighing.objects.get()
    with act():
        weighing.delete()

    mine.kilograms = 71
    with pytest.raises(Stale, match="was deleted since it was read"), act():
        mine.save()


def test_bulk_update_of_a_stale_row_is_refused_as_a_whole(weighing, act):
    with act():
        other = Weighing.objects.create(label="w2", kilograms=80)
        Weighing.objects.filter(pk=weighing.pk).update(kilograms=75)

    weighing.kilograms = other.kilograms = 1
    with pytest.raises(Stale, match="w1 was changed or deleted"), act():
        Weighing.objects.bulk_update([weighing, other], ["kilograms"])

    assert dict(Weighing.objects.values_list("label", "kilograms")) == {"w1": 75, "w2": 80}


def test_rows_that_bulk_update_wrote_can_be_saved_again(weighing, act):
    with act():
        weighing.kilograms = 71
        Weighing.objects.bulk_update([weighing], ["kilograms"])
        weighing.kilograms = 72
        weighing.save()

    assert [row[2] for row in story(weighing.pk)] == [70, 71, 72]


def test_the_number_of_a_deleted_row_is_not_used_again(weighing, act):
    record_id = weighing.pk
    with act():
        weighing.delete()

    with pytest.raises(NotRecorded, match="is not used twice"), act():
        Weighing(pk=record_id, label="again", kilograms=1).save()
    assert story(record_id) == [FIRST, (2, "-", 70, [])]


def test_the_key_of_a_row_cannot_be_changed(weighing, act):
    with pytest.raises(NotRecorded, match="The key of a row"), act():
        sql("UPDATE audit_app_weighing SET id = id + 100, version = version + 1")


def test_a_new_row_with_another_version_is_refused(weighing, act):
    with pytest.raises(NotRecorded, match="must begin with version 1"), act():
        sql(
            "INSERT INTO audit_app_weighing (label, kilograms, unit, details, changed_on, version) "
            "VALUES ('w2', 80, 'kg', '{}', '2020-01-01', 2)"
        )


# ---------------------------------------------------------------------------------------------------------------------
# SQLite's own ways around a constraint


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


def test_a_program_without_marrow_cannot_write(weighing):
    """SQLite's refusal guards against accident: a foreign program has no such function. PostgreSQL says the sentence."""
    connection_of_a_stranger = connection.copy("default")
    # the same file or server, by the plain driver
    if connection.vendor == "sqlite":
        import sqlite3

        stranger = sqlite3.connect(":memory:")
        for (statement,) in _schema_of("audit_app_weighing"):
            stranger.execute(statement)
        with pytest.raises(sqlite3.OperationalError, match="no such function: marrow_recording"):
            stranger.execute(
                "INSERT INTO audit_app_weighing (label, kilograms, unit, details, changed_on, version) "
                "VALUES ('w', 1, 'kg', '{}', '2020-01-01', 1)"
            )
        stranger.close()
    else:
        with connection_of_a_stranger.cursor() as cursor, pytest.raises(IntegrityError, match=NOT_RECORDED):
            cursor.execute(
                "INSERT INTO audit_app_weighing (label, kilograms, unit, details, changed_on, version) "
                "VALUES ('w', 1, 'kg', '{}', '2020-01-01', 1)"
            )
        connection_of_a_stranger.close()


def _schema_of(table: str) -> list[tuple[str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sql FROM sqlite_master WHERE tbl_name = %s AND type IN ('table', 'trigger') ORDER BY type", [table]
        )
        return cursor.fetchall()


# ---------------------------------------------------------------------------------------------------------------------
# The trail itself


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
