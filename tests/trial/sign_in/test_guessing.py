"""Guessing: after five wrong passwords a sixth is not looked at, nobody else suffers, it passes, and somebody is told."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client, override_settings

from tests.cast import Cast
from tests.trial.sign_in.signing_in import PASSWORD, CountingHasher, events, give_password, is_signed_in, work_of
from trial.models import AccessEvent

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HERE, ELSEWHERE = {"REMOTE_ADDR": "192.0.2.1"}, {"REMOTE_ADDR": "203.0.113.7"}
REFUSED = "There were too many attempts. Wait five minutes, then try again."


def guess(name: str, times: int, *, where: dict[str, str] = ELSEWHERE, client: Client | None = None) -> list[str]:
    """Wrong passwords, and what each page says."""
    client = client or Client()
    return [give_password(client, name, f"wrong {turn}", **where).content.decode() for turn in range(times)]


def test_the_sixth_wrong_password_is_not_looked_at(cast: Cast):
    pages = guess("monitor", 6)

    assert all("do not belong together" in page and REFUSED not in page for page in pages[:5])
    assert REFUSED in pages[5]


def test_not_even_the_right_password_signs_in_then(client: Client, cast: Cast):
    guess("monitor", 5)

    page = give_password(client, "monitor", **ELSEWHERE).content.decode()

    assert REFUSED in page
    assert not is_signed_in(client)


@pytest.mark.parametrize("name", ["monitor", "nobody-is-called-so"])
def test_a_name_that_is_nobodys_is_answered_alike(cast: Cast, name: str):
    pages = guess(name, 6)

    assert "do not belong together" in pages[4]
    assert REFUSED in pages[5]


@override_settings(PASSWORD_HASHERS=["tests.trial.sign_in.signing_in.CountingHasher"])
def test_a_wrong_password_is_as_much_work_for_a_name_that_is_nobodys(cast: Cast):
    cast["monitor"].set_password(PASSWORD)
    cast["monitor"].save()
    give_password(Client(), "somebody", "wrong")  # the first request of an address counts it anew
    CountingHasher.hashed.clear()

    known = work_of(lambda: give_password(Client(), "monitor", "wrong"))
    unknown = work_of(lambda: give_password(Client(), "nobody-is-called-so", "wrong"))

    assert known == unknown
    assert CountingHasher.hashed == ["wrong", "wrong"]


@pytest.mark.parametrize("typed", ["MONITOR", " monitor ", "Monitor"])
def test_another_spelling_is_the_same_name(cast: Cast, typed: str):
    guess("monitor", 5)

    assert REFUSED in guess(typed, 1)[0]


def test_another_person_elsewhere_signs_in_meanwhile(client: Client, cast: Cast):
    guess("monitor", 6)

    give_password(client, "inspector", **HERE)

    assert is_signed_in(client)


def test_the_same_person_elsewhere_signs_in_meanwhile(client: Client, cast: Cast):
    guess("monitor", 6)

    give_password(client, "monitor", **HERE)

    assert is_signed_in(client)


def test_it_passes_after_five_minutes(client: Client, cast: Cast):
    with time_machine.travel(NOON, tick=False) as clock:
        guess("monitor", 9)

        clock.move_to(NOON + timedelta(minutes=5, seconds=1))
        give_password(client, "monitor", **ELSEWHERE)

        assert is_signed_in(client)


def test_guessing_from_many_addresses_ends_after_twenty(cast: Cast):
    pages = [guess("monitor", 1, where={"REMOTE_ADDR": f"198.51.100.{turn}"})[0] for turn in range(21)]

    assert REFUSED not in pages[19]
    assert REFUSED in pages[20]


def test_that_keeps_nobody_out_where_they_signed_in_before(client: Client, cast: Cast):
    with time_machine.travel(NOON, tick=False) as clock:
        give_password(Client(), "monitor", **HERE)
        clock.move_to(NOON + timedelta(minutes=30))
        for turn in range(21):
            guess("monitor", 1, where={"REMOTE_ADDR": f"198.51.100.{turn}"})

        give_password(client, "monitor", **HERE)

        assert is_signed_in(client)


def test_guessing_at_many_names_from_one_address_ends_after_twenty(cast: Cast):
    with time_machine.travel(NOON, tick=False):
        pages = [guess(f"somebody-{turn}", 1)[0] for turn in range(21)]

    assert REFUSED not in pages[19]
    assert REFUSED in pages[20]


def test_a_right_password_takes_no_attempt_away(cast: Cast):
    for _ in range(8):
        client = Client()
        give_password(client, "monitor", **HERE)
        assert is_signed_in(client)


def test_more_than_sixty_forms_in_a_minute_are_answered_with_429(cast: Cast):
    with time_machine.travel(NOON, tick=False):
        answers = [give_password(Client(), f"somebody-{turn}", "wrong", **ELSEWHERE) for turn in range(61)]

    assert answers[59].status_code == 200
    assert answers[60].status_code == 429
    assert "Too many attempts" in answers[60].content.decode()


def test_guessing_at_ones_own_confirmation_is_limited_too(client: Client, cast: Cast):
    give_password(client, "monitor")

    pages = [client.post("/account/confirm/", {"password": f"wrong {turn}"}).content.decode() for turn in range(6)]

    assert "This is not your password." in pages[4]
    assert REFUSED in pages[5]
    assert events("sign-in failed") == [("sign-in failed", "monitor", "confirming")] * 5


def test_guessing_at_the_old_password_for_a_new_one_is_limited_and_on_record(client: Client, cast: Cast):
    new = "a pelican beside four lanterns"
    with time_machine.travel(NOON, tick=False):
        give_password(client, "monitor")

    def change(old: str) -> str:
        typed = {"oldpassword": old, "password1": new, "password2": new}
        page: str = client.post("/account/password/", typed).content.decode()
        return page

    with time_machine.travel(NOON, tick=False) as clock:
        pages = []
        for turn in range(5):
            pages.append(change(f"wrong {turn}"))
            clock.shift(30)  # slowly, so that the limit on the page itself is not met
        with_the_right_one = change(PASSWORD)

    assert all("This is not your password of today." in page for page in pages)
    assert REFUSED in with_the_right_one
    assert events("sign-in failed") == [("sign-in failed", "monitor", "confirming")] * 5
    assert events("locked out") == [("locked out", "monitor", "")]
    assert not events("password changed")


def test_changing_the_password_counts_as_no_attempt(client: Client, cast: Cast):
    old = PASSWORD

    with time_machine.travel(NOON, tick=False) as clock:
        give_password(client, "monitor")
        for turn in range(6):
            new = f"pelican number {turn} beside lanterns"
            client.post("/account/password/", {"oldpassword": old, "password1": new, "password2": new})
            old = new
            clock.shift(30)

    assert len(events("password changed")) == 6
    assert not events("sign-in failed", "locked out")


@override_settings(BEHIND_PROXY=False)
def test_what_the_sender_says_of_their_address_changes_nothing(cast: Cast):
    pages = [
        guess("monitor", 1, where=ELSEWHERE | {"HTTP_X_FORWARDED_FOR": f"198.51.100.{turn}"})[0] for turn in range(6)
    ]

    assert REFUSED in pages[5]


@pytest.mark.parametrize(
    ("forwarded", "kept"),
    [
        ("198.51.100.4", "198.51.100.4"),
        ("198.51.100.4:5678", "198.51.100.4"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:DB8:0:0::7]:5678", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("fe80::7%eth0", "fe80::7"),
        ("::ffff:198.51.100.4", "198.51.100.4"),  # how a server that listens on IPv6 writes an IPv4 address
        ("192.0.2.99, 198.51.100.4", "198.51.100.4"),  # the last one: our proxy wrote it
        ("garbage", "203.0.113.7"),
        ("198.51.100.4, unknown", "203.0.113.7"),
        ("198.51.100.400:1", "203.0.113.7"),
        ("", "203.0.113.7"),
    ],
)
@override_settings(BEHIND_PROXY=True)
def test_whatever_a_proxy_writes_is_an_address_on_record(cast: Cast, forwarded: str, kept: str):
    page = guess("monitor", 1, where=ELSEWHERE | {"HTTP_X_FORWARDED_FOR": forwarded})[0]

    assert "do not belong together" in page
    assert AccessEvent.objects.get().address == kept


def test_an_address_of_ipv6_is_counted_with_its_neighbours(cast: Cast):
    names = [f"somebody{turn}" for turn in range(21)]

    of_one_network = [guess(name, 1, where={"REMOTE_ADDR": f"2001:db8:0:7::{names.index(name)}"})[0] for name in names]
    of_the_next = guess("monitor", 1, where={"REMOTE_ADDR": "2001:db8:0:8::1"})[0]

    assert [REFUSED in page for page in of_one_network] == [False] * 20 + [True]
    assert REFUSED not in of_the_next


def test_each_lock_out_is_on_record_once(cast: Cast):
    guess("monitor", 9)

    assert events("locked out") == [("locked out", "monitor", "")]
    assert events("sign-in failed") == [("sign-in failed", "monitor", "")] * 5


def test_a_password_typed_as_a_name_is_not_kept(cast: Cast):
    guess("My Secret: hunter2!", 6)

    assert events("sign-in failed") == [("sign-in failed", "(not a user name)", "")] * 5
    assert events("locked out") == [("locked out", "(not a user name)", "")]


def letters() -> list[tuple[str, str]]:
    return sorted((letter.to[0], letter.body) for letter in mail.outbox)


@pytest.fixture
def administrators_mail(cast: Cast) -> User:
    cast["administrator"].email = "head@hospital.example"
    cast["administrator"].save()
    return cast["administrator"]


def test_a_lock_out_is_told_at_once_to_the_administrators_and_the_operators(
    administrators_mail: User, until, cast: Cast
):
    with override_settings(HAS_MAIL=True, ALERTS=["alerts@example.org"]):
        guess("monitor", 9)
        until(lambda: len(mail.outbox) == 2)

    assert [address for address, _ in letters()] == ["alerts@example.org", "head@hospital.example"]
    assert "There were too many attempts to sign in as monitor from 203.0.113.7." in letters()[0][1]


def test_of_a_name_that_is_nobodys_only_the_operators_hear(administrators_mail: User, until, cast: Cast):
    with override_settings(HAS_MAIL=True, ALERTS=["alerts@example.org"]):
        guess("nobody-is-called-so", 6)
        until(lambda: len(mail.outbox) == 1)

    assert [address for address, _ in letters()] == ["alerts@example.org"]


def test_without_a_mail_server_a_lock_out_is_on_record_all_the_same(administrators_mail: User, cast: Cast):
    with override_settings(HAS_MAIL=False, ALERTS=[]):
        guess("monitor", 6)

    assert mail.outbox == []
    assert events("locked out") == [("locked out", "monitor", "")]


def test_the_password_of_the_cast_is_the_one_that_was_meant(cast: Cast):
    assert cast["monitor"].check_password(PASSWORD)
