"""Recorded acts: who, in what role, why and when; and that none is there when nothing was written."""

import contextlib
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError, connection, transaction
from django.http import HttpResponse
from django.test import RequestFactory

from tests.audit_app.models import Visitor, Ward, Weighing
from trial.audit import NotRecorded, Recording, Stale, recording, service_account
from trial.audit.middleware import KeepRequest, current_request
from trial.db.verification import prove
from trial.models import Person, Study

pytestmark = pytest.mark.django_db


def test_a_recording_keeps_who_in_what_role_why_and_when(ann):
    before = datetime.now(UTC)
    with recording(by=ann, reason="Set up"):
        study = Study.objects.create(code="S", title="A study")
    with recording(
        by=ann,
        reason="  Typing error ",
        study=study,
        channel="page",
        role="monitor",
        organisation="Institute",
        field_reasons={"name": "misread"},
        request_id="r-1",
    ) as act:
        Ward.objects.create(name="A")

    act.refresh_from_db()
    assert (act.by, act.person_name, act.role, act.organisation) == (ann, "Ann Weber", "monitor", "Institute")
    assert (act.reason, act.field_reasons, act.channel, act.request_id) == (
        "Typing error",
        {"name": "misread"},
        "page",
        "r-1",
    )
    assert act.study == study
    assert not act.is_dated
    assert before - timedelta(milliseconds=1) <= act.at <= datetime.now(UTC)
    assert str(act) == "Ann Weber: Typing error"


def test_an_act_has_one_instant_for_all_its_rows(act):
    with act() as recorded:
        for name in "ABC":
            Ward.objects.create(name=name)

    assert set(Ward.history.values_list("recording_id", flat=True)) == {recorded.pk}
    assert len(set(Ward.history.values_list("history_date", flat=True))) == 1


def test_nothing_is_recorded_when_nothing_is_written(act):
    with act():
        Ward.objects.count()
        Visitor.objects.create(name="untracked")

    assert Recording.objects.count() == 0
    assert Visitor.objects.count() == 1


def test_nothing_is_recorded_when_the_act_fails(act):
    with pytest.raises(IntegrityError), act():
        write("A", "A")

    assert Recording.objects.count() == Ward.objects.count() == Ward.history.count() == 0


def test_an_act_inside_an_act_is_its_own(act):
    with act("outer"):
        Ward.objects.create(name="A")
        with act("inner"):
            Ward.objects.create(name="B")
        Ward.objects.create(name="C")

    assert reasons() == {"A": "outer", "B": "inner", "C": "outer"}
    assert Recording.objects.count() == 2


def test_acts_inside_an_act_that_has_not_written_yet_have_their_own_numbers(act):
    with act("outer"):
        with act("first"):
            Ward.objects.create(name="A")
        with act("writes nothing"):
            pass
        with act("second"):
            Ward.objects.create(name="B")
        Ward.objects.create(name="C")

    assert reasons() == {"A": "first", "B": "second", "C": "outer"}


def test_the_outer_act_goes_on_after_an_inner_one_failed(act):
    with act("outer"):
        Ward.objects.create(name="A")
        with pytest.raises(IntegrityError), act("inner"):
            Ward.objects.create(name="A")
        Ward.objects.create(name="B")

    assert reasons() == {"A": "outer", "B": "outer"}


def test_an_act_can_write_after_a_part_of_it_was_taken_back(act):
    with act("outer"):
        with pytest.raises(IntegrityError), transaction.atomic():
            write("A", "A")
        Ward.objects.create(name="B")

    assert reasons() == {"B": "outer"}


def test_an_act_that_is_marked_to_be_taken_back_leaves_nothing(act):
    with transaction.atomic(), act():
        Ward.objects.create(name="A")
        transaction.set_rollback(True)

    assert Ward.objects.count() == Recording.objects.count() == 0


def test_after_an_act_nothing_can_be_written_in_its_name(act):
    with act():
        Ward.objects.create(name="A")

    with pytest.raises(NotRecorded), transaction.atomic():
        Ward.objects.create(name="B")


@pytest.mark.django_db(transaction=True)
def test_an_act_does_not_outlive_its_transaction(act):
    def write_after_a_rollback():
        write("A")
        connection.in_atomic_block = False  # what a transaction that ended by other means would leave
        try:
            connection.rollback()
            write("B")
        finally:
            connection.in_atomic_block = True

    with pytest.raises(NotRecorded), act():
        write_after_a_rollback()

    assert Ward.objects.count() == 0


def write(*names: str) -> None:
    for name in names:
        Ward.objects.create(name=name)


def reasons() -> dict[str, str]:
    return {row.name: row.history_change_reason for row in Ward.history.all()}


@pytest.mark.parametrize("reason", ["", "   ", ".", " - ", "\t\n", "..."])
def test_a_reason_that_says_nothing_is_refused(reason, act):
    with pytest.raises(ValueError, match="Say why"), act(reason):
        pass


def test_a_reason_of_any_length_is_kept_whole(act):
    with act("because " * 500) as recorded:
        Ward.objects.create(name="A")

    recorded.refresh_from_db()
    assert recorded.reason == ("because " * 500).strip()


@pytest.mark.parametrize("nobody", [None, AnonymousUser(), User(username="not saved")])
def test_an_act_of_nobody_is_refused(nobody):
    with pytest.raises(ValueError, match="Nobody was named"), recording(by=nobody, reason="x"):
        pass


def test_the_trail_keeps_the_name_of_the_person_and_else_of_the_account(ann):
    with recording(by=ann, reason="x") as by_name:
        Person.objects.create(user=ann, name="Dr Ann Weber", organisation="Clinic")
    ann.refresh_from_db()
    with recording(by=ann, reason="x") as by_person:
        Ward.objects.create(name="A")
    with recording(by=service_account("nightly sweep"), reason="x") as by_account:
        Ward.objects.create(name="B")

    names = dict(Recording.objects.values_list("id", "person_name"))
    assert names == {by_name.pk: "Ann Weber", by_person.pk: "Dr Ann Weber", by_account.pk: "nightly sweep"}


def test_nobody_can_sign_in_with_a_service_account(db):
    account = service_account("nightly sweep")

    assert account == service_account("nightly sweep")
    assert not account.is_active
    assert not account.has_usable_password()


def test_acts_of_one_request_carry_its_number(ann):
    numbers = []

    def page(request):
        assert current_request.get() is request
        for name in "AB":
            with recording(by=ann, reason="x") as act:
                Ward.objects.create(name=name)
            act.refresh_from_db()
            numbers.append(act.request_id)
        return HttpResponse()

    KeepRequest(page)(RequestFactory().get("/"))
    KeepRequest(lambda request: HttpResponse())(RequestFactory().get("/"))

    assert len(set(numbers)) == 1
    assert len(numbers[0]) == 32
    assert current_request.get() is None


def test_the_instant_is_comparable_to_the_millisecond(act):
    """SQLite compares texts: a whole second has no fraction there, as Django writes it."""
    with act() as recorded:
        Ward.objects.create(name="A")

    recorded.refresh_from_db()
    assert Recording.objects.filter(at=recorded.at, at__lte=recorded.at, at__gte=recorded.at).exists()


# Threads have connections of their own.


def in_threads(count: int, work) -> None:
    def closing() -> None:
        try:
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=closing) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="on SQLite another thread waits until the act has ended")
def test_another_thread_does_not_write_in_the_name_of_this_one(act):
    refused = []

    def work():
        with pytest.raises(NotRecorded) as refusal:
            Ward.objects.create(name="B")
        refused.append(refusal.type)

    with act():
        Ward.objects.create(name="A")
        in_threads(1, work)

    assert refused == [NotRecorded]


@pytest.mark.django_db(transaction=True)
def test_no_change_is_lost_when_four_write_at_once(ann):
    """Each reads, adds one and saves; who comes too late is refused, reads again and repeats."""
    with recording(by=ann, reason="x"):
        Weighing.objects.create(label="counter", kilograms=0)

    def add_twenty_five():
        added = 0
        while added < 25:
            counter = Weighing.objects.get()
            counter.kilograms += 1
            with contextlib.suppress(Stale), recording(by=ann, reason="One more"):
                counter.save()
                added += 1

    in_threads(4, add_twenty_five)

    assert Weighing.objects.get().kilograms == 100
    assert Weighing.objects.get().version == Weighing.history.count() == 101
    assert prove().findings == ()
