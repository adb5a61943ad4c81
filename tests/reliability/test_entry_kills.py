"""The server is killed at a random moment of a save, again and again: a form is there as a whole or not at all.

What was answered is there; what is not there is still a draft. Six kills in every run; two hundred with
`./marrow test tests/reliability -m slow`.
"""

import random
import threading
import time
from typing import NamedTuple

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from patients.laboratory_tests import panel_of
from patients.models import ChemistryResult, ChemistrySample
from tests.cast import Cast
from tests.serving import Desk, Server
from trial.audit import Recording, service_account, snapshot
from trial.db.verification import prove
from trial.drafts import find_draft
from trial.models import FormEntry, Patient, Query
from trial.review.queries import CHECKER

pytestmark = pytest.mark.django_db(transaction=True)

HERE = "/MT103-211/patients/SYN-012-001/"
PANEL = panel_of("LBC")
STATEMENTS = 42  # of a save, savepoints and what follows it in the session included
HOT = {"ALT": "15000", "K": "9", "SODIUM": "99"}  # asked about


class Left(NamedTuple):
    """What is in the database of one form."""

    entries: int
    samples: int
    results: int
    queries: int
    acts: tuple[str, ...]  # why each was done, in order
    has_draft: bool


NOTHING = Left(0, 0, 0, 0, (), has_draft=True)


def typed() -> dict[str, str]:
    """A chemistry of forty-two answers, as its page sends it."""
    sent = {"taken_at": "4mar2013 09:30", "laboratory": "LAB-012"}
    for test in PANEL:
        usual = (test.low + min(test.high, 10 * test.low + 30)) / 2
        sent[f"LBC.RESULT.{test.code}-value_text"] = HOT.get(test.code, f"{usual:.{test.places}f}")
        sent[f"LBC.RESULT.{test.code}-unit_text"] = test.unit
    return sent


def left_of(visit: str, patient: Patient, person: User) -> Left:
    """What is there of the form of a visit, at one instant: what the dead server sent last may still be under way."""
    with snapshot():
        return _left_of(visit, patient, person)


def _left_of(visit: str, patient: Patient, person: User) -> Left:
    entries = FormEntry.objects.filter(patient=patient, form="LBC", visit=visit, form_version__isnull=False)
    samples = ChemistrySample.objects.filter(entry__in=entries)
    history = FormEntry.history.model.objects.filter(visit=visit, form="LBC").values_list("recording", flat=True)
    asked = Query.objects.filter(entry__in=entries)
    acts = {*history, *Query.history.model.objects.filter(entry__in=entries).values_list("recording", flat=True)}
    return Left(
        entries.count(),
        samples.count(),
        ChemistryResult.objects.filter(sample__in=samples).count(),
        asked.count(),
        tuple(Recording.objects.filter(pk__in=acts).order_by("pk").values_list("reason", flat=True)),
        find_draft(person, f"{HERE}LBC/at/{visit}/") is not None,
    )


def save(
    desk: Desk, visit: str, *, kill_after: float | None = None, kill_before: int | None = None
) -> tuple[int | None, float]:
    """Keep a draft, then save the form, and kill the server: so many seconds from then, before a statement, else at the end.

    The status of the answer, None where none came, and the seconds until then.
    """
    server = Server(dies_before=kill_before)
    page = f"{HERE}LBC/at/{visit}/"
    assert desk.send(server.port, f"{HERE}LBC/draft/", typed() | {"page": page}) == 204
    killer = threading.Timer(kill_after, server.kill) if kill_after is not None else None
    began = time.perf_counter()
    if killer:
        killer.start()
    answer = desk.send(server.port, page, typed() | {"save": "1"})
    seconds = time.perf_counter() - began
    if killer:
        killer.join()
    else:
        server.kill()
    return answer, seconds


def kill_again_and_again(times: int, patient: Patient, person: User) -> None:
    service_account(CHECKER)
    desk = Desk(person)
    answer, usual = save(desk, "UNS1")
    whole = left_of("UNS1", patient, person)
    assert (answer, whole.entries, whole.samples, whole.results, whole.has_draft) == (302, 1, 1, len(PANEL), False)
    assert whole.queries >= len(HOT)
    assert whole.acts == ("First entry of the form.", "Edit checks were run.")
    chance = random.Random(times)
    answered = 0
    seen: dict[str, Left] = {}

    for run in range(times):
        visit = f"SFU{run + 1}"
        if run % 2:
            answer, _ = save(desk, visit, kill_after=chance.uniform(0.3 * usual, 1.2 * usual))
        else:
            answer, _ = save(desk, visit, kill_before=chance.randint(1, STATEMENTS))
        seen[visit] = left_of(visit, patient, person)
        assert seen[visit] in (NOTHING, whole), visit
        if answer is not None:
            assert (answer, seen[visit]) == (302, whole)
            answered += 1

    assert prove().findings == ()
    unsaved = [visit for visit, left in seen.items() if left == NOTHING]
    browser = Client()
    browser.force_login(person)
    for visit in unsaved[:2]:
        page = f"{HERE}LBC/at/{visit}/"
        assert f'value="{HOT["ALT"]}"' in browser.get(page).content.decode()
        assert browser.post(page, typed()).status_code == 302
        assert left_of(visit, patient, person) == whole
    saved = len(seen) - len(unsaved)
    print(f"\n{connection.vendor}: {times} kills, {answered} saves answered, {saved} there, 0 lost, 0 half")


def test_six_kills_of_the_server_leave_each_form_whole_or_a_draft(cast: Cast, patient: Patient, coordinator: User):
    kill_again_and_again(6, patient, coordinator)


@pytest.mark.slow
def test_two_hundred_kills_of_the_server_leave_each_form_whole_or_a_draft(
    cast: Cast, patient: Patient, coordinator: User
):
    kill_again_and_again(200, patient, coordinator)
