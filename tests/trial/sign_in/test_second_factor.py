"""The second factor: asked after the password, each code once, its secrets never readable in the database."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.test import Client, override_settings

from tests.cast import Cast
from tests.trial.sign_in.signing_in import (
    PASSWORD,
    SECRET,
    code,
    events,
    give_app,
    give_password,
    is_signed_in,
    recovery_codes,
)
from trial.sign_in.links import password_link

NOON = datetime(2026, 3, 2, 12, 0, 5, tzinfo=UTC)


def at_second_step(client: Client, cast: Cast, name: str = "monitor") -> Client:
    if not cast[name].authenticator_set.exists():
        give_app(cast[name])
    give_password(client, name)
    return client


def test_the_code_of_the_tests_is_that_of_the_standard():
    # RFC 6238, appendix B, SHA-1: the secret is "12345678901234567890", and of eight digits the last six.
    assert code("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", at=59) == "287082"
    assert code("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", at=1111111109) == "081804"


def test_a_password_alone_opens_no_page_where_there_is_a_second_factor(client: Client, cast: Cast):
    at_second_step(client, cast)

    answers = {page: client.get(page).status_code for page in ["/", "/account/", "/MT103-211/changes/"]}

    assert not is_signed_in(client)
    assert set(answers.values()) == {302}
    assert "<h1>The second step</h1>" in client.get("/sign-in/second-step/").content.decode()


def test_the_code_of_the_app_signs_in(client: Client, cast: Cast):
    answer = at_second_step(client, cast).post("/sign-in/second-step/", {"code": code()})

    assert is_signed_in(client)
    assert answer["Location"] == "/"


@pytest.mark.parametrize(("steps", "works"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_the_code_before_and_the_one_after_count_too(client: Client, cast: Cast, steps: int, works: bool):
    with time_machine.travel(NOON, tick=False):
        at_second_step(client, cast).post("/sign-in/second-step/", {"code": code(steps=steps)})

        assert is_signed_in(client) is works


@pytest.mark.parametrize("later", [0, 20, 31, 50, 89])
def test_a_code_works_once_for_as_long_as_it_could_work(cast: Cast, later: int):
    with time_machine.travel(NOON, tick=False) as clock:
        used = code(steps=1)
        at_second_step(Client(), cast).post("/sign-in/second-step/", {"code": used})
        clock.move_to(NOON + timedelta(seconds=later))
        again = at_second_step(Client(), cast)

        page = again.post("/sign-in/second-step/", {"code": used}).content.decode()

        assert not is_signed_in(again)
        assert "This code is not right, or was used before." in page


def test_a_code_that_signed_in_confirms_nothing_afterwards(client: Client, cast: Cast):
    with time_machine.travel(NOON, tick=False):
        used = code()
        at_second_step(client, cast).post("/sign-in/second-step/", {"code": used})

        page = client.post("/account/confirm/code/", {"code": used}).content.decode()

    assert "This code is not right, or was used before." in page


def test_the_code_that_added_an_app_does_not_sign_in(cast: Cast):
    adding, elsewhere = Client(), Client()
    with time_machine.travel(NOON, tick=False):
        give_password(adding, "monitor")
        adding.get("/account/second-factor/app/add/")
        used = code(adding.session["mfa.totp.secret"])
        adding.post("/account/second-factor/app/add/", {"code": used})
        give_password(elsewhere, "monitor")

        page = elsewhere.post("/sign-in/second-step/", {"code": used}).content.decode()

    assert cast["monitor"].authenticator_set.filter(type="totp").exists()
    assert not is_signed_in(elsewhere)
    assert "This code is not right, or was used before." in page


def test_a_recovery_code_works_once(cast: Cast):
    give_app(cast["monitor"])
    spare = recovery_codes(cast["monitor"])[0]
    first, second = Client(), Client()

    for client in (first, second):
        at_second_step(client, cast).post("/sign-in/second-step/", {"code": spare})

    assert is_signed_in(first)
    assert not is_signed_in(second)
    assert len(recovery_codes(cast["monitor"])) == 9


def test_the_code_of_somebody_else_does_not_sign_in(client: Client, cast: Cast):
    give_app(cast["inspector"], "KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU")

    at_second_step(client, cast).post("/sign-in/second-step/", {"code": code("KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU")})

    assert not is_signed_in(client)


def test_the_second_factor_is_asked_after_a_new_password_too(client: Client, cast: Cast):
    give_app(cast["monitor"])
    form = client.get(password_link(cast["monitor"]))["Location"]
    new = "a pelican beside four lanterns"
    client.post(form, {"password1": new, "password2": new})

    give_password(client, "monitor", new)

    assert not is_signed_in(client)
    assert "<h1>The second step</h1>" in client.get("/sign-in/second-step/").content.decode()


@pytest.mark.django_db(transaction=True)  # allauth tells of it when the transaction has ended
def test_an_app_is_added_with_its_first_code_and_brings_recovery_codes(client: Client, cast: Cast):
    give_password(client, "monitor")
    client.post("/account/confirm/", {"password": PASSWORD})
    client.get("/account/second-factor/app/add/")
    secret = client.session["mfa.totp.secret"]

    page = client.post("/account/second-factor/app/add/", {"code": code(secret)}, follow=True).content.decode()

    assert "They are not shown again." in page
    assert all(spare in page for spare in recovery_codes(cast["monitor"]))
    assert ("factor added", "Monitor", "totp") in events()
    assert ("factor added", "Monitor", "recovery_codes") in events()


def test_recovery_codes_are_shown_once(client: Client, cast: Cast):
    at_second_step(client, cast).post("/sign-in/second-step/", {"code": code()})
    client.post("/account/confirm/", {"password": PASSWORD})
    client.get("/account/second-factor/recovery-codes/")

    page = client.get("/account/second-factor/recovery-codes/").content.decode()

    assert "10 of 10 are left. They were shown once and are not shown again." in page
    assert not any(spare in page for spare in recovery_codes(cast["monitor"]))


@pytest.mark.django_db(transaction=True)
def test_making_new_recovery_codes_ends_the_old_ones(client: Client, cast: Cast):
    at_second_step(client, cast).post("/sign-in/second-step/", {"code": code()})
    client.post("/account/confirm/", {"password": PASSWORD})
    old = recovery_codes(cast["monitor"])

    client.post("/account/second-factor/recovery-codes/new/")

    assert not set(old) & set(recovery_codes(cast["monitor"]))


def test_changing_a_factor_asks_once_more_who_it_is_ten_minutes_after_the_sign_in(client: Client, cast: Cast):
    with time_machine.travel(NOON, tick=False) as clock:
        at_second_step(client, cast).post("/sign-in/second-step/", {"code": code()})
        soon = client.get("/account/second-factor/app/remove/")
        clock.move_to(NOON + timedelta(minutes=10, seconds=1))

        answers = [
            client.get("/account/second-factor/app/remove/"),
            client.get("/account/second-factor/passkeys/add/"),
            client.post("/account/second-factor/recovery-codes/new/"),
        ]

    assert soon.status_code == 200
    assert [answer["Location"].split("?")[0] for answer in answers] == ["/account/confirm/"] * 3


def test_removing_the_app_takes_its_recovery_codes_with_it(client: Client, cast: Cast):
    at_second_step(client, cast).post("/sign-in/second-step/", {"code": code()})
    client.post("/account/confirm/", {"password": PASSWORD})

    client.post("/account/second-factor/app/remove/")

    assert not Authenticator.objects.filter(user=cast["monitor"]).exists()
    assert ("factor removed", "Monitor", "totp") in events()


def test_too_many_wrong_codes_are_refused_and_told(client: Client, cast: Cast):
    at_second_step(client, cast)

    pages = [client.post("/sign-in/second-step/", {"code": "000000"}).content.decode() for _ in range(6)]

    assert "There were too many attempts." not in pages[4]
    assert "There were too many attempts. Wait five minutes, then try again." in pages[5]
    assert events("sign-in failed") == [("sign-in failed", "Monitor", "totp")] * 5
    assert events("locked out") == [("locked out", "monitor", "")]


def test_no_secret_of_a_factor_can_be_read_in_the_database(cast: Cast):
    give_app(cast["monitor"])
    seed = Authenticator.objects.get(type="recovery_codes").data["seed"]

    stored = " ".join(str(row) for row in Authenticator.objects.values_list("data", flat=True))

    assert SECRET not in stored
    assert not any(spare in stored for spare in recovery_codes(cast["monitor"]))
    assert Authenticator.objects.get(type="totp").data["secret"].startswith("gAAAA")  # Fernet's own first bytes
    assert seed.startswith("gAAAA")


def test_where_the_key_of_the_server_changed_the_page_says_so(client: Client, cast: Cast):
    give_app(cast["monitor"])

    with override_settings(SECRET_KEY="another key, since somebody lost the first one"):
        give_password(client, "monitor")
        answer = client.post("/sign-in/second-step/", {"code": code()})

    assert answer.status_code == 403
    assert "the secret key of this server was changed" in answer.content.decode()


def test_the_key_of_before_still_reads_what_it_wrote(client: Client, cast: Cast, settings):
    give_app(cast["monitor"])

    with override_settings(SECRET_KEY="another key, on purpose", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        give_password(client, "monitor")
        client.post("/sign-in/second-step/", {"code": code()})

        assert is_signed_in(client)
