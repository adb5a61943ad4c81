"""Eight people save one form again and again: nobody's save is lost, and nobody is told a save that was not one.

Sixteen saves in every run; a thousand with `./marrow test tests/patients/test_entry_together.py -m slow`.
"""

import random
import re
import threading
import time
from collections.abc import Iterator
from html import unescape
from itertools import pairwise

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from patients.models import Deviation, Medication, PerformanceStatus
from tests import make
from tests.cast import Cast
from tests.patients.test_moving import asked_about
from trial.audit import recording
from trial.models import FormEntry, Patient
from trial.review.queries import keep_answer

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 8
KEPT = 40  # words of the description, which has room for no more
HERE = "/MT103-211/patients/SYN-012-001/"


def run_together(work: list[threading.Thread]) -> None:
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()


def sent_by(page: str) -> dict[str, str]:
    """The versions that a page is based on, and what its description says."""
    hidden = re.findall(r'<input type="hidden" name="((?:entry_)?version)" value="(\d+)"', page)
    said = re.search(r'<textarea name="description"[^>]*>\s*([^<]*)</textarea>', page)
    assert said is not None
    return dict(hidden) | {"description": unescape(said[1]).strip()}


def marks_of(desk: Client, address: str, name: str, saves: int) -> Iterator[str]:
    """Append a mark to the description as often as asked, each time on what the page shows; give the marks that were saved."""
    chance = random.Random(name)
    for number in range(saves):
        mark = f"{name}{number}"
        page = desk.get(address)
        for _ in range(200):
            sent = sent_by(page.content.decode())
            words = [word for word in sent["description"].split() if word != mark]
            said = " ".join([*words, mark][-KEPT:])
            page = desk.post(address, sent | {"description": said, "reason": f"Adding {mark}."})
            if page.status_code == 302:
                yield mark
                break
            assert page.status_code == 409
            time.sleep(chance.uniform(0, 0.5))  # people do not save again at once
            page = desk.get(address)  # read what is there now, and append to that


def save_together(patient: Patient, person: User, saves: int) -> None:
    """Save one form as often as that by each of eight people, and look whether each save is there and in the trail."""
    record = make.record(Deviation, patient)
    address = f"{HERE}DV/{record.pk}/edit/"
    saved: list[str] = []
    failed: list[BaseException] = []

    def work(name: str) -> None:
        try:
            desk = Client()
            desk.force_login(person)
            saved.extend(marks_of(desk, address, name, saves))
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    run_together([threading.Thread(target=work, args=(chr(ord("a") + n),)) for n in range(PEOPLE)])

    record.refresh_from_db()
    assert failed == []
    assert len(saved) == PEOPLE * saves
    assert record.version == 1 + len(saved)
    past = list(record.history.order_by("version"))
    assert [row.version for row in past] == list(range(1, record.version + 1))
    added = [row.description.split()[-1] for row in past[1:]]
    assert sorted(added) == sorted(saved)  # each save is one version, which adds one mark to the one before
    for before, after in pairwise(past):
        assert after.description.split()[-KEPT:] == [*before.description.split(), after.description.split()[-1]][-KEPT:]


def test_no_save_of_eight_people_on_one_form_is_lost(cast: Cast, patient: Patient, coordinator: User):
    save_together(patient, coordinator, 2)


@pytest.mark.slow
def test_no_save_of_a_thousand_by_eight_people_is_lost(cast: Cast, patient: Patient, coordinator: User):
    save_together(patient, coordinator, 125)


def test_a_form_that_is_filled_once_is_there_once_when_eight_people_enter_it(
    cast: Cast, patient: Patient, coordinator: User
):
    answers: list[int] = []
    start = threading.Barrier(PEOPLE)

    def work() -> None:
        try:
            desk = Client()
            desk.force_login(coordinator)
            start.wait()
            answers.append(desk.post(f"{HERE}PS/at/C1D1/", {"assessed_on": "4mar2013", "ecog": "1"}).status_code)
        finally:
            connection.close()

    run_together([threading.Thread(target=work) for _ in range(PEOPLE)])

    assert sorted(answers) == [302, *[409] * (PEOPLE - 1)]
    assert PerformanceStatus.objects.count() == 1
    assert FormEntry.objects.count() == 1


def test_a_form_is_removed_while_somebody_answers_a_query_about_it(
    cast: Cast, patient: Patient, coordinator: User, investigator: User
):
    record = make.record(Deviation, patient)
    query = asked_about(record)
    desk = Client()
    desk.force_login(coordinator)
    is_answering = threading.Event()

    def answer() -> None:
        try:
            with recording(by=investigator, reason="A query was answered.", study=patient.study, role="investigator"):
                keep_answer(query.pk, "It is right.", version=1)
                is_answering.set()
                time.sleep(0.3)  # whoever removes the form reads the query now
        finally:
            connection.close()

    answering = threading.Thread(target=answer)
    answering.start()
    is_answering.wait()
    removed = desk.post(f"{HERE}DV/{record.pk}/remove/", {"version": "1", "reason": "Another patient."})
    answering.join()

    query.refresh_from_db()
    assert removed.status_code == 302
    assert (query.state, query.answer, query.version) == ("closed", "It is right.", 3)


def test_a_row_of_a_log_that_one_page_sends_eight_times_at_once_is_there_once(
    cast: Cast, patient: Patient, coordinator: User
):
    desk = Client()
    desk.force_login(coordinator)
    page = desk.get(f"{HERE}CM/at/LOG/").content.decode()
    mark = re.search(r'name="once" value="([0-9a-f]{32})"', page)
    assert mark is not None
    sent = {"once": mark[1], "drug": "Aciclovir", "started": "mar2013", "is_ongoing": "yes"}
    answers: list[tuple[int, str]] = []
    start = threading.Barrier(PEOPLE)

    def work() -> None:
        try:
            desk = Client()
            desk.force_login(coordinator)
            start.wait()
            answer = desk.post(f"{HERE}CM/at/LOG/", sent)
            answers.append((answer.status_code, answer.url))
        finally:
            connection.close()

    run_together([threading.Thread(target=work) for _ in range(PEOPLE)])

    saved = Medication.objects.get()
    assert answers == [(302, f"{HERE}CM/{saved.pk}/edit/")] * PEOPLE
