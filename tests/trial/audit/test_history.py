"""Reading: what a record was at any instant, its neighbours and differences; snapshots and settled instants."""

import threading
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.audit_app.models import Bed, Ward, Weighing
from trial.audit import Recording, recording, rows_as_of, service_account, settled_instant, snapshot

A_MOMENT = timedelta(milliseconds=1)


def instants(model=Weighing) -> list:
    return list(model.history.order_by("history_id").values_list("history_date", flat=True))


@pytest.fixture
def weighing(act):
    """A weighing that was made, changed twice and, beside another, deleted: each in an act of its own, at distinct instants."""
    with act():
        record = Weighing.objects.create(label="w1", kilograms=70, ward=Ward.objects.create(name="A"))
    for kilograms in (71, 72):
        wait()
        with act():
            record.kilograms = kilograms
            record.save()
    return record


def wait() -> None:
    """Until the database's clock shows a later instant."""
    now = connection.instant()
    while connection.instant() <= now + A_MOMENT:
        pass


@pytest.mark.django_db
def test_as_of_gives_the_record_of_any_instant(weighing):
    first, second, third = instants()

    def kilograms(instant):
        return [record.kilograms for record in Weighing.history.as_of(instant)]

    assert kilograms(first - A_MOMENT) == []
    assert kilograms(first) == kilograms(second - A_MOMENT) == [70]
    assert kilograms(second) == [71]
    assert kilograms(third) == kilograms(third + timedelta(days=1)) == [72]
    assert weighing.history.as_of(second).kilograms == 71


@pytest.mark.django_db
def test_as_of_leaves_deleted_records_out_from_their_deletion_on(weighing, act):
    third = instants()[-1]
    wait()
    with act():
        weighing.delete()

    assert list(rows_as_of(Weighing, third).values_list("label", "kilograms")) == [("w1", 72)]
    assert list(rows_as_of(Weighing, instants()[-1])) == []


@pytest.mark.django_db
def test_two_changes_in_one_act_count_once(act):
    """One instant, two versions: by date alone the record would come twice."""
    with act():
        record = Weighing.objects.create(label="w1", kilograms=70)
        record.kilograms = 71
        record.save()

    (instant,) = set(instants())
    assert list(rows_as_of(Weighing, instant).values_list("kilograms", flat=True)) == [71]
    assert [row.kilograms for row in Weighing.history.as_of(instant)] == [71]


@pytest.mark.django_db
def test_rows_as_of_can_be_narrowed_like_any_queryset(weighing, act):
    with act():
        Weighing.objects.create(label="w2", kilograms=80)

    rows = rows_as_of(Weighing, settled_instant())

    assert rows.filter(ward=weighing.ward).count() == 1
    assert sorted(rows.values_list("id", "label")) == sorted(Weighing.objects.values_list("id", "label"))


@pytest.mark.django_db
def test_neighbours_go_by_version_even_at_one_instant(act):
    with act():
        record = Weighing.objects.create(label="w1", kilograms=70)
        for kilograms in (71, 72):
            record.kilograms = kilograms
            record.save()

    first, second, third = record.history.order_by("version")
    assert (first.next_record, second.next_record, third.next_record) == (second, third, None)
    assert (first.prev_record, second.prev_record, third.prev_record) == (None, first, second)


@pytest.mark.django_db
def test_the_reading_side_of_simple_history_works(weighing):
    newest, middle, _ = weighing.history.all()

    delta = newest.diff_against(middle)

    assert [(change.field, change.old, change.new) for change in delta.changes] == [("kilograms", 71, 72)]
    assert weighing.history.most_recent().kilograms == 72
    assert newest.instance.kilograms == 72
    assert weighing.history.latest() == newest
    assert weighing.history.earliest().kilograms == 70
    assert newest.changed_fields == ("kilograms", "changed_on")
    assert weighing.history.last().changed_fields == ()


@pytest.mark.django_db
def test_history_names_the_fields_of_references(weighing, act):
    with act():
        weighing.ward = Ward.objects.create(name="B")
        weighing.save()

    row = weighing.history.first()
    assert "ward_id" in row.changed
    assert "ward" in row.changed_fields
    assert row.ward.name == "B"
    assert row.recording.person_name == "Ann Weber"


@pytest.mark.django_db
def test_a_record_read_in_part_remembers_what_it_has(weighing, act):
    part = Weighing.objects.only("label", "version").get()

    assert part.changed_fields() == []
    part.kilograms = 99
    assert part.changed_fields() == ["kilograms"]
    with act():
        part.save()
    assert Weighing.objects.get().kilograms == 99


@pytest.mark.django_db
def test_a_field_that_is_read_later_counts_as_unchanged(weighing):
    part = Weighing.objects.defer("kilograms").get()

    assert part.kilograms == 72
    assert part.changed_fields() == []


@pytest.mark.django_db
def test_a_copy_without_a_key_is_a_new_record(weighing, act):
    copy = Weighing.objects.get()
    copy.pk, copy.label = None, "copy"

    with act():
        copy.save()

    assert copy.history.get().version == 1
    assert weighing.history.count() == 3


@pytest.mark.django_db
def test_a_value_that_does_not_fit_its_field_counts_as_changed(weighing):
    weighing.kilograms = "heavy"

    assert weighing.changed_fields() == ["kilograms"]


# What needs connections of its own.

alone = pytest.mark.django_db(transaction=True)


def in_another_thread(work) -> None:
    """Run with a connection of its own, and wait."""
    thread = threading.Thread(target=closing, args=(work,))
    thread.start()
    thread.join()


def closing(work) -> None:
    try:
        work()
    finally:
        connection.close()


def new_ward(name: str) -> None:
    with recording(by=service_account("other"), reason="x"):
        Ward.objects.create(name=name)


@alone
def test_a_settled_instant_holds_what_was_committed_before_it():
    new_ward("A")

    settled = settled_instant()

    assert rows_as_of(Ward, settled).count() == 1
    new_ward("B")
    assert rows_as_of(Ward, settled).count() == 1
    assert Recording.objects.filter(at__gt=settled).count() == 1


@alone
def test_a_settled_instant_always_takes_the_same_number_of_statements():
    found = set()

    for _ in range(20):
        with CaptureQueriesContext(connection) as statements:
            settled_instant()
        found.add(len(statements))

    assert len(found) == 1


@alone
@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="on SQLite a reader of settled instants waits for the writer"
)
def test_an_instant_is_not_settled_while_an_older_write_is_open():
    wrote, may_end = threading.Event(), threading.Event()

    def slow():
        with recording(by=service_account("other"), reason="x"):
            Ward.objects.create(name="slow")
            with recording(by=service_account("other"), reason="a second act of the same transaction"):
                Ward.objects.create(name="slow too")
            wrote.set()
            may_end.wait(10)

    thread = threading.Thread(target=closing, args=(slow,))
    thread.start()
    assert wrote.wait(10)
    new_ward("quick")
    settled = settled_instant()
    seen = rows_as_of(Ward, settled).count()
    may_end.set()
    thread.join()

    assert seen == 0
    assert rows_as_of(Ward, settled).count() == seen
    assert rows_as_of(Ward, settled_instant()).count() == 3


@alone
def test_a_snapshot_reads_one_state_while_others_write():
    new_ward("A")

    with snapshot() as instant:
        before = Ward.objects.count(), rows_as_of(Ward, instant).count()
        if connection.vendor == "postgresql" or is_wal():
            in_another_thread(lambda: new_ward("B"))
        after = Ward.objects.count(), rows_as_of(Ward, instant).count()
    new_ward("C")

    assert before == after == (1, 1)
    assert Ward.objects.count() == Ward.history.count() >= 2


def is_wal() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        return cursor.fetchone() == ("wal",)


@alone
def test_a_snapshot_inside_a_snapshot_reads_the_same_state():
    with snapshot() as outer:
        wait()
        with snapshot() as inner:
            assert inner == outer
    with snapshot() as later:
        assert later > outer


@alone
def test_nothing_can_be_written_in_a_snapshot(act):
    with pytest.raises(DatabaseError), snapshot(), act():
        Ward.objects.create(name="A")

    with act():
        Ward.objects.create(name="B")
    assert Ward.objects.get().name == "B"


@alone
def test_a_snapshot_inside_a_transaction_reads_what_that_wrote(act):
    with transaction.atomic():
        with act():
            Ward.objects.create(name="A")
        with snapshot() as instant:
            assert Ward.objects.count() == 1
        with act():
            Bed.objects.create(ward=Ward.objects.get(), number=1)

    assert instant <= settled_instant()
