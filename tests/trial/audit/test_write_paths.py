"""The write paths of RELIABILITY 1.3 and more, each on both engines: the history is complete and true, or the write is refused
with a sentence and leaves nothing. SQLite's own verbs are in `test_sqlite_verbs.py`.
"""

from collections.abc import Callable

import pytest
from django.apps.registry import Apps
from django.core import serializers
from django.db import models, transaction
from django.db.models import F

from tests.audit_app.models import Bed, Ward, Weighing
from tests.audit_app.rows import FIRST, create_with_sql, sql, story
from trial.audit import NotRecorded, Recording, Stale
from trial.db.verification import prove

pytestmark = pytest.mark.django_db

NOT_RECORDED = "was not recorded, so it was refused"
NOT_RAISED = "its version was not raised by one"


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
