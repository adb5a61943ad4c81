"""Letters, with a real mail server: a link for a forgotten password, and no word of who has an account."""

import re

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, override_settings

from tests.cast import Cast
from tests.post import Box
from tests.trial.sign_in.signing_in import events, found, give_password, is_signed_in, work_of
from trial import environment

NEW = "a pelican beside four lanterns"


@pytest.fixture
def with_mail(cast: Cast) -> Cast:
    cast["monitor"].email = "Monitor@Hospital.example"
    cast["monitor"].save()
    return cast


def ask(client: Client, address: str):
    return client.post("/sign-in/forgotten/", {"email": address})


@pytest.mark.parametrize("typed", ["Monitor@Hospital.example", "monitor@hospital.example", "MONITOR@HOSPITAL.EXAMPLE"])
def test_a_link_by_mail_sets_a_password(client: Client, with_mail: Cast, box: Box, until, typed: str):
    ask(client, typed)
    until(lambda: len(box.letters) == 1)
    letter = box.letters[0]
    path = found(r"http://testserver(/sign-in/link/\S+)", letter.get_content())

    form = client.get(path)["Location"]
    client.post(form, {"password1": NEW, "password2": NEW})
    give_password(client, "monitor", NEW)

    assert is_signed_in(client)
    assert letter["To"] == "Monitor@Hospital.example"
    assert letter["Subject"] == "Marrow: a link to choose a new password"
    assert "It works once, within 24 hours" in letter.get_content()


def test_the_answer_is_the_same_for_an_address_that_is_nobodys(with_mail: Cast, box: Box, until):
    known, unknown = Client(), Client()

    answers = [ask(known, "monitor@hospital.example"), ask(unknown, "nobody@hospital.example")]
    pages = [client.get(answer["Location"]) for client, answer in zip((known, unknown), answers, strict=True)]
    until(lambda: len(box.letters) == 1)

    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0]["Location"] == answers[1]["Location"]
    assert pages[0].content == pages[1].content
    assert sorted(pages[0].cookies) == sorted(pages[1].cookies)
    assert [letter["To"] for letter in box.letters] == ["Monitor@Hospital.example"]


def test_the_work_is_the_same_for_an_address_that_is_nobodys(with_mail: Cast, box: Box, until):
    ask(Client(), "somebody@hospital.example")  # the first request of an address counts it anew

    known = work_of(lambda: ask(Client(), "monitor@hospital.example"))
    unknown = work_of(lambda: ask(Client(), "nobody@hospital.example"))
    until(lambda: len(box.letters) == 1)

    assert known == unknown


def test_that_a_link_was_asked_for_is_on_record_and_the_address_is_not(with_mail: Cast, box: Box, until):
    ask(Client(), "monitor@hospital.example")
    ask(Client(), "nobody@hospital.example")
    until(lambda: len(box.letters) == 1)

    assert events() == [("reset asked", "monitor", ""), ("reset asked", "(not a user name)", "")]


def test_a_closed_account_gets_no_link(with_mail: Cast, box: Box):
    with_mail["monitor"].is_active = False
    with_mail["monitor"].save()

    ask(Client(), "monitor@hospital.example")

    assert box.letters == []
    assert events() == [("reset asked", "(not a user name)", "")]


def test_an_address_that_two_accounts_have_gets_no_link(with_mail: Cast, box: Box):
    with_mail["inspector"].email = "monitor@hospital.example"
    with_mail["inspector"].save()

    ask(Client(), "monitor@hospital.example")

    assert box.letters == []


def test_a_mail_server_that_does_not_answer_changes_nothing_for_the_person(with_mail: Cast, caplog, until):
    with override_settings(
        HAS_MAIL=True,
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=9,
        EMAIL_USE_TLS=False,
    ):
        answer = ask(Client(), "monitor@hospital.example")
        until(lambda: "A letter could not be sent" in caplog.text)

    assert answer["Location"] == "/sign-in/forgotten/sent/"
    assert "monitor@hospital.example" not in caplog.text.lower()


def test_asking_over_and_over_for_one_address_is_limited(with_mail: Cast, box: Box, until):
    answers = [ask(Client(), "monitor@hospital.example") for _ in range(6)]
    until(lambda: len(box.letters) == 5)

    assert [answer.status_code for answer in answers] == [302] * 5 + [429]


def test_without_a_mail_server_the_page_says_whom_to_ask(client: Client, cast: Cast):
    with override_settings(HAS_MAIL=False):
        page = client.get("/sign-in/forgotten/").content.decode()
        answer = ask(client, "monitor@hospital.example")

    assert "This server sends no mail. Ask the administrator of your study" in page
    assert '<input type="email"' not in page
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("smtp://mail.example.org", ("mail.example.org", 587, "", "", False, True)),
        ("smtp://m%40x:p%3Aw@mail.example.org:2525", ("mail.example.org", 2525, "m@x", "p:w", False, True)),
        ("smtps://m:p@mail.example.org", ("mail.example.org", 465, "m", "p", True, False)),
        ("smtp://localhost:25", ("localhost", 25, "", "", False, False)),
    ],
)
def test_a_mail_server_is_named_by_its_address(monkeypatch, value: str, expected: tuple):
    monkeypatch.setenv("MARROW_MAIL", value)

    assert tuple(environment.read_mail("MARROW_MAIL").values()) == expected


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("mail.example.org", "MARROW_MAIL begins with '://' or names no server alone."),
        ("http://mail.example.org", "MARROW_MAIL begins with 'http://' or names no server alone."),
        ("smtp://user:secret@", "MARROW_MAIL begins with 'smtp://' or names no server alone."),
        ("smtp://host:many", "MARROW_MAIL is not an address that can be read"),
    ],
)
def test_an_address_that_cannot_be_used_stops_the_start(monkeypatch, value: str, sentence: str):
    monkeypatch.setenv("MARROW_MAIL", value)

    with pytest.raises(ImproperlyConfigured, match=re.escape(sentence)) as refusal:
        environment.read_mail("MARROW_MAIL")

    assert "secret" not in str(refusal.value)


def test_alerts_go_to_addresses(monkeypatch):
    monkeypatch.setenv("MARROW_ALERTS", "one@example.org, two")

    with pytest.raises(ImproperlyConfigured, match=r"MARROW_ALERTS has 'two' in it. List e-mail addresses"):
        environment.read_addresses("MARROW_ALERTS")
