"""Lists that are taken away: of real patients none leaves before it was said what for and for whom, and both are on record."""

import html
import re
from urllib.parse import parse_qsl

import pytest
from django.test import Client

from safety.models import AdverseEvent
from tests import make
from tests.cast import Cast
from tests.site_map import every_address
from trial.access_record.models import AccessEvent, AccessKind
from trial.audit import recording
from trial.models import Patient

SAID = {"purpose": "Answer to the ethics committee", "recipient": "Dr Ada Roe"}


@pytest.fixture
def lists(patient: Patient) -> dict[str, str]:
    """Each list that can be taken away: the name of its page, and its address."""
    make.record(AdverseEvent, patient)  # the addresses of every page are those of an event's
    return {name: address for name, address in every_address().items() if address.endswith(".csv")}


@pytest.fixture
def keeper(client: Client, cast: Cast) -> Client:
    """A browser in which somebody is signed in who may take every list away."""
    client.force_login(cast["data manager"])
    return client


@pytest.fixture
def real(cast: Cast, patient: Patient) -> Patient:
    """The patient, of a study that is not synthetic any more."""
    with recording(by=make.author(), reason="The study is real."):
        cast.study.is_synthetic = False
        cast.study.save()
    return patient


def taken() -> list[AccessEvent]:
    return list(AccessEvent.objects.filter(kind=AccessKind.EXPORTED).order_by("pk"))


def test_no_list_of_real_patients_leaves_for_nothing_or_to_nobody(keeper: Client, lists, real: Patient):
    half = ({}, {"purpose": "Audit"}, {"recipient": "Dr Roe"}, {"purpose": "  ", "recipient": "Dr Roe"})
    too_long = ({"purpose": "x" * 201, "recipient": "Dr Roe"}, {"purpose": "Audit", "recipient": "x" * 201})

    answers = {
        (name, str(given)): keeper.get(address, given)
        for name, address in lists.items()
        for given in (*half, *too_long)
    }

    assert len(answers) == 7 * 6
    assert {key: answer.status_code for key, answer in answers.items()} == dict.fromkeys(answers, 400)
    assert {answer["Content-Type"] for answer in answers.values()} == {"text/html; charset=utf-8"}
    assert taken() == []


def test_every_list_that_leaves_is_on_record_with_what_for_and_for_whom(keeper: Client, lists, real: Patient):
    answers = {name: keeper.get(address, SAID) for name, address in lists.items()}

    assert {name: answer["Content-Type"] for name, answer in answers.items()} == dict.fromkeys(
        answers, "text/csv; charset=utf-8"
    )
    assert [event.page for event in taken()] == list(answers)
    assert {(event.purpose, event.recipient) for event in taken()} == {("Answer to the ethics committee", "Dr Ada Roe")}


def test_the_question_finds_no_fault_before_anything_was_said(keeper: Client, real: Patient):
    first = keeper.get("/MT103-211/patients.csv").content.decode()
    half = keeper.get("/MT103-211/patients.csv", {"recipient": "Dr Ada Roe"}).content.decode()

    assert "What it is for" in first
    assert "Say what the data are for." not in first
    assert "Say what the data are for." in half
    assert "Say who receives the data." not in half
    assert 'value="Dr Ada Roe"' in half


def test_the_list_that_leaves_is_the_one_that_was_narrowed(keeper: Client, real: Patient, patient_elsewhere: Patient):
    page = keeper.get("/MT103-211/patients.csv?q=SYN-012&sort=-number").content.decode()
    asked = page[page.index("<h1>Take a list away") :]
    kept = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', asked))
    (back,) = re.findall(r'<a class="btn" href="([^"]*)">Back to the list', asked)

    text = keeper.get("/MT103-211/patients.csv", kept | SAID).content.decode()

    assert kept == {"q": "SYN-012", "sort": "-number"}
    assert html.unescape(back).split("?")[0] == "/MT103-211/patients/"
    assert parse_qsl(html.unescape(back).split("?")[1]) == [("q", "SYN-012"), ("sort", "-number")]
    assert real.number in text
    assert patient_elsewhere.number not in text


def test_of_synthetic_patients_nothing_is_asked_and_what_is_said_is_kept(keeper: Client, lists, patient: Patient):
    asked = [keeper.get(address) for address in lists.values()]
    said = keeper.get("/MT103-211/changes.csv", SAID)

    assert {answer.status_code for answer in (*asked, said)} == {200}
    assert {event.purpose for event in taken()} == {"", "Answer to the ethics committee"}


def test_a_narrowing_that_cannot_be_read_is_said_on_the_list(keeper: Client, real: Patient):
    answer = keeper.get("/MT103-211/changes.csv", SAID | {"since": "yesterday"})

    assert answer.status_code == 400
    assert "yesterday" in answer.content.decode()
    assert taken() == []
