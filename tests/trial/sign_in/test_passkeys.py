"""What is sent in the place of a passkey is answered with a sentence, whatever it is. Real passkeys: tests/browser/test_sign_in.py."""

import json

import pytest
from django.test import Client

from tests.cast import Cast
from tests.trial.sign_in.signing_in import events, give_app, give_password, is_signed_in

PUBLIC_KEY = {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "clientExtensionResults": {}}
RESPONSE = {"clientDataJSON": "e30", "authenticatorData": "AAAA", "signature": "AAAA", "userHandle": "MQ"}
SENT = [
    "",
    "not JSON",
    "null",
    "1",
    '"text"',
    "[]",
    "{}",
    '{"response": null}',
    '{"response": []}',
    json.dumps(PUBLIC_KEY),
    json.dumps(PUBLIC_KEY | {"response": None}),
    json.dumps(PUBLIC_KEY | {"response": {}}),
    json.dumps(PUBLIC_KEY | {"response": RESPONSE}),
    json.dumps(PUBLIC_KEY | {"response": RESPONSE | {"userHandle": None}}),
    json.dumps(PUBLIC_KEY | {"response": RESPONSE | {"userHandle": "####"}}),
    json.dumps(PUBLIC_KEY | {"response": RESPONSE | {"userHandle": 7}}),
    json.dumps(PUBLIC_KEY | {"response": RESPONSE | {"clientDataJSON": "AAAA"}}),
    json.dumps(PUBLIC_KEY | {"rawId": 7, "response": RESPONSE}),
    *(
        json.dumps(PUBLIC_KEY | {"response": {"clientDataJSON": "e30", "attestationObject": object}})
        for object in ("AAAA", "oA", "oWNmbXRkbm9uZQ", "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YUEB", "/////", 7, None)
    ),
]


@pytest.mark.parametrize("sent", SENT)
def test_signing_in_alone(client: Client, cast: Cast, sent: str):
    client.get("/sign-in/passkey/", headers={"accept": "application/json"})

    answer = client.post("/sign-in/passkey/", {"credential": sent})

    assert answer["Location"] == "/sign-in/"
    assert not is_signed_in(client)


@pytest.mark.parametrize("sent", SENT)
def test_the_second_step(client: Client, cast: Cast, sent: str):
    give_app(cast["monitor"])
    give_password(client, "monitor")
    client.get("/sign-in/second-step/")

    answer = client.post("/sign-in/second-step/", {"credential": sent})

    assert answer.status_code == 200
    assert "This passkey is not one of this account" in answer.content.decode()
    assert not is_signed_in(client)


@pytest.mark.parametrize("sent", SENT)
def test_adding_one(client: Client, cast: Cast, sent: str):
    give_password(client, "monitor")
    client.get("/account/second-factor/passkeys/add/")

    answer = client.post("/account/second-factor/passkeys/add/", {"name": "My key", "credential": sent})

    assert answer.status_code == 200
    assert not cast["monitor"].authenticator_set.exists()


def test_a_passkey_that_failed_is_on_record(client: Client, cast: Cast):
    client.get("/sign-in/passkey/", headers={"accept": "application/json"})

    client.post("/sign-in/passkey/", {"credential": json.dumps(PUBLIC_KEY | {"response": RESPONSE})})

    assert events() == [("sign-in failed", "", "webauthn")]
