"""The session of a sign-in: a new number at the way in, dead at the way out, and gone with the browser."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from tests.cast import Cast
from tests.trial.sign_in.signing_in import code, give_app, give_password, is_signed_in


def test_a_session_that_was_planted_before_is_not_the_one_that_is_signed_in(client: Client, cast: Cast):
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    planted = str(session.session_key)
    client.cookies["marrow-sid"] = planted

    give_password(client, "monitor")

    stranger = Client()
    stranger.cookies["marrow-sid"] = planted
    assert is_signed_in(client)
    assert client.session.session_key != planted
    assert stranger.get("/account/").status_code == 302


def test_the_session_of_the_first_step_is_not_that_of_the_second(client: Client, cast: Cast):
    give_app(cast["monitor"])
    give_password(client, "monitor")
    first_step = client.session.session_key

    client.post("/sign-in/second-step/", {"code": code()})

    assert is_signed_in(client)
    assert client.session.session_key != first_step


def test_the_old_cookie_is_dead_after_signing_out(client: Client, cast: Cast):
    give_password(client, "monitor")
    old = client.cookies["marrow-sid"].value

    client.post("/sign-out/")

    thief = Client()
    thief.cookies["marrow-sid"] = old
    assert thief.get("/account/").status_code == 302
    assert thief.get("/account/", headers={"sec-fetch-mode": "cors"}).status_code == 401


def test_the_cookie_goes_with_the_browser(client: Client, cast: Cast):
    give_password(client, "monitor")

    cookie = client.cookies["marrow-sid"]
    assert cookie["max-age"] == ""
    assert cookie["expires"] == ""
    assert cookie["httponly"]


def test_ones_other_sessions_can_be_ended(cast: Cast):
    here, there = Client(), Client()
    give_password(here, "monitor")
    give_password(there, "monitor")

    here.post("/account/sessions/")

    assert here.get("/account/").status_code == 200
    assert there.get("/account/").status_code == 302


def test_a_session_that_a_limit_has_ended_is_not_in_the_list(cast: Cast):
    here, there = Client(), Client()
    with time_machine.travel(timezone.now() - timedelta(minutes=20), tick=False):
        give_password(there, "monitor")
    give_password(here, "monitor")

    listed = here.get("/account/sessions/").content.decode()
    overview = here.get("/account/").content.decode()

    assert "This is your only session." in listed
    assert "Sessions: 1 open." in overview


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 "
            "Safari/537.36 Edg/143.0.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "not said"),
    ],
)
def test_the_list_of_sessions_names_the_browser(client: Client, cast: Cast, said: str, shown: str):
    give_password(client, "monitor", HTTP_USER_AGENT=said)

    assert f"<td>{shown}</td>" in client.get("/account/sessions/").content.decode()
