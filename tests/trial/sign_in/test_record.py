"""What the access record has of signing in, of passwords and of second factors."""

import pytest
from django.test import Client, override_settings

from tests.cast import Cast
from tests.trial.sign_in.signing_in import PASSWORD, code, events, give_app, give_password, is_signed_in
from trial.audit import recording
from trial.models import AccessEvent
from trial.sign_in.links import password_link


def test_signing_in_and_out(client: Client, cast: Cast):
    give_password(client, "monitor", REMOTE_ADDR="192.0.2.1")
    client.post("/sign-out/", REMOTE_ADDR="192.0.2.1")

    assert events() == [("signed in", "Monitor", "password"), ("signed out", "Monitor", "")]
    assert set(AccessEvent.objects.values_list("address", flat=True)) == {"192.0.2.1"}


def test_what_somebody_signed_in_with(client: Client, cast: Cast):
    give_app(cast["monitor"])

    give_password(client, "monitor")
    client.post("/sign-in/second-step/", {"code": code()})

    assert events("signed in") == [("signed in", "Monitor", "password, totp")]


def test_signing_out_of_nothing_is_nothing(client: Client, cast: Cast):
    client.post("/sign-out/")

    assert events() == []


@pytest.mark.parametrize(
    ("typed", "kept", "is_known"),
    [
        ("monitor", "monitor", True),
        (" Monitor", "monitor", True),
        ("nobody-is-called-so", "nobody-is-called-so", False),
        ("Tr0ub4dor & 3 lanterns", "(not a user name)", False),
        ("monitor@hospital.example", "(not a user name)", False),
        ("x" * 150, "(not a user name)", False),
    ],
)
def test_a_wrong_password_with_the_name_that_was_typed(client: Client, cast: Cast, typed: str, kept: str, is_known):
    give_password(client, typed, "something else")

    event = AccessEvent.objects.get()
    assert (event.kind, event.person_name) == ("sign-in failed", kept)
    assert (event.by == cast["monitor"]) is is_known


def test_the_right_password_of_a_closed_account(client: Client, cast: Cast):
    cast["monitor"].is_active = False
    cast["monitor"].save()

    page = give_password(client, "monitor").content.decode()

    assert "do not belong together" in page
    assert events() == [("sign-in failed", "monitor", "")]


def test_a_new_password_and_who_chose_it(client: Client, cast: Cast):
    give_password(client, "monitor")
    new = "a pelican beside four lanterns"
    client.post("/account/password/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    cast["monitor"].refresh_from_db()
    form = client.get(password_link(cast["monitor"]))["Location"]
    client.post(form, {"password1": PASSWORD, "password2": PASSWORD})

    assert events("password changed") == [
        ("password changed", "Monitor", ""),
        ("password changed", "Monitor", "by a link"),
    ]


def test_confirming_who_one_is(client: Client, cast: Cast):
    give_password(client, "monitor")
    client.post("/account/confirm/", {"password": PASSWORD})

    assert events("confirmed") == [("confirmed", "Monitor", "password")]


def test_one_click_in_the_demo_is_a_sign_in_too(client: Client, cast: Cast):
    with override_settings(IS_DEMO=True):
        client.post("/sign-in/as/", {"role": "monitor"})

    assert events() == [("signed in", "Monitor", "")]


def test_nothing_that_was_typed_as_a_password_is_kept(client: Client, cast: Cast):
    give_password(client, "monitor", "the-wrong-one-entirely")
    give_password(client, "monitor")

    columns = [field.name for field in AccessEvent._meta.get_fields() if field.concrete]
    kept = " ".join(str(row) for row in AccessEvent.objects.values_list(*columns))

    assert "the-wrong-one-entirely" not in kept
    assert PASSWORD not in kept


def test_the_right_password_of_a_person_who_was_ended(client: Client, cast: Cast):
    with recording(by=cast["administrator"], reason="He left."):
        person = cast["monitor"].person
        person.is_active = False
        person.save()

    answer = give_password(client, "monitor")

    assert answer["Location"] == "/sign-in/closed/"
    assert not is_signed_in(client)
    assert events() == [("sign-in failed", "Monitor", "closed")]
