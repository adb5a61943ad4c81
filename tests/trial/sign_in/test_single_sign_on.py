"""Single sign-on, in real round trips with a provider on this machine."""

import html
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, override_settings

from tests.cast import Cast
from tests.trial.sign_in.oidc_provider import CLIENT, SECRET, Provider
from tests.trial.sign_in.signing_in import code, events, found, give_app, is_signed_in
from trial import environment


@pytest.fixture
def provider(monkeypatch) -> Iterator[Provider]:
    """The provider, and Marrow told of it as an operator tells it."""
    provider = Provider()
    for name, value in {"ISSUER": provider.issuer, "CLIENT_ID": CLIENT, "SECRET": SECRET, "NAME": "St. Mary"}.items():
        monkeypatch.setenv(f"MARROW_OIDC_{name}", value)
    told = environment.read_single_sign_on(is_production=False)
    with override_settings(SINGLE_SIGN_ON=told, SOCIALACCOUNT_PROVIDERS={"openid_connect": told}):
        yield provider
    provider.close()


@pytest.fixture
def known(cast: Cast) -> Cast:
    cast["monitor"].email = "Monitor@Hospital.example"
    cast["monitor"].save()
    return cast


class NoFollowing(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


def leave(client: Client, **typed: str) -> str:
    """The address of the provider to which the sign-in page leads."""
    page = client.post("/sign-in/with/", typed).content.decode()
    return html.unescape(found(r'http-equiv="refresh" content="0; url=([^"]+)"', page))


def way_back(address: str) -> str:
    """Where the provider leads back to, as the browser would follow it."""
    try:
        urllib.request.build_opener(NoFollowing).open(address)
    except urllib.error.HTTPError as redirect:
        return redirect.headers["Location"].removeprefix("http://testserver")
    raise AssertionError("The provider did not lead back.")


def go(client: Client, **typed: str):
    return client.get(way_back(leave(client, **typed)))


def said(answer) -> str:
    return html.unescape(found(r'role="alert">([^<]+)<', answer.content.decode()))


def test_who_the_provider_vouches_for_is_signed_in_to_the_account_they_have(client: Client, known: Cast, provider):
    answer = go(client)

    assert answer["Location"] == "/"
    assert client.session["_auth_user_id"] == str(known["monitor"].pk)
    assert events() == [("signed in", "Monitor", "single sign-on")]


def test_the_sign_in_page_offers_it_by_its_name(client: Client, known: Cast, provider):
    assert "Sign in with St. Mary" in client.get("/sign-in/").content.decode()


def test_one_comes_out_where_one_wanted_to_go(client: Client, known: Cast, provider):
    assert go(client, next="/account/")["Location"] == "/account/"


def test_and_never_outside(client: Client, known: Cast, provider):
    assert go(client, next="https://evil.example/")["Location"] == "/"


def test_once_linked_the_person_is_known_by_the_providers_number(client: Client, known: Cast, provider):
    go(client)
    known["monitor"].email = "another@hospital.example"
    known["monitor"].save()
    again = Client()

    go(again)

    assert again.session["_auth_user_id"] == str(known["monitor"].pk)
    assert SocialAccount.objects.count() == 1


def test_the_password_is_left_alone(client: Client, known: Cast, provider):
    go(client)

    known["monitor"].refresh_from_db()
    assert known["monitor"].check_password("as long as it needs to be")


def test_the_second_factor_is_asked_all_the_same(client: Client, known: Cast, provider):
    give_app(known["monitor"])

    answer = go(client)

    assert answer["Location"] == "/sign-in/second-step/"
    assert not is_signed_in(client)
    client.post("/sign-in/second-step/", {"code": code()})
    assert is_signed_in(client)
    assert events("signed in") == [("signed in", "Monitor", "single sign-on, totp")]


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "somebody@hospital.example"},
        {"email_verified": False},
        {"email_verified": "false"},
        {"email_verified": None},
        {"email": ""},
    ],
)
def test_whom_nobody_here_knows_gets_a_sentence_and_no_account(client: Client, known: Cast, provider, claims):
    provider.claims |= claims
    accounts = User.objects.count()

    answer = go(client)

    assert answer.status_code == 403
    assert "Marrow has no one account with the e-mail address that it vouches for." in said(answer)
    assert not is_signed_in(client)
    assert User.objects.count() == accounts
    assert not SocialAccount.objects.exists()
    assert events() == [("sign-in failed", "", "single sign-on")]


def test_an_address_that_two_accounts_have_signs_in_to_neither(client: Client, known: Cast, provider):
    known["inspector"].email = "monitor@hospital.example"
    known["inspector"].save()

    assert go(client).status_code == 403
    assert not is_signed_in(client)


def test_an_account_that_is_nobodys_is_not_signed_in_to(client: Client, known: Cast, provider):
    User.objects.create_user("service", email="service@hospital.example")
    provider.claims["email"] = "service@hospital.example"

    assert go(client).status_code == 403
    assert not is_signed_in(client)


@pytest.mark.parametrize("is_linked", [False, True])
def test_a_closed_account_stays_closed(client: Client, known: Cast, provider, is_linked: bool):
    if is_linked:
        go(Client())
    known["monitor"].is_active = False
    known["monitor"].save()

    go(client)

    assert not is_signed_in(client)


def test_two_answers_about_two_people_sign_nobody_in(client: Client, known: Cast, provider):
    provider.in_token = {"sub": "person-2"}

    answer = go(client)

    assert "spoke of two different people" in said(answer)
    assert not is_signed_in(client)


@pytest.mark.parametrize("wrong", [{"aud": "another client"}, {"iss": "http://127.0.0.1:9"}, {"exp": 1}])
def test_a_token_for_somebody_else_or_too_old_signs_nobody_in(client: Client, known: Cast, provider, wrong):
    provider.in_token = wrong

    answer = go(client)

    assert answer.status_code == 401
    assert "St. Mary did not confirm who you are" in said(answer)
    assert not is_signed_in(client)


def test_the_answer_to_another_browser_signs_nobody_in(client: Client, known: Cast, provider):
    back = way_back(leave(Client()))

    answer = client.get(back)

    assert answer.status_code == 401
    assert not is_signed_in(client)


def test_an_answer_works_once(client: Client, known: Cast, provider):
    back = way_back(leave(client))
    client.get(back)
    client.post("/sign-out/")

    client.get(back)

    assert not is_signed_in(client)


def test_who_turns_back_is_at_the_sign_in_page_again(client: Client, known: Cast, provider):
    provider.denies = True

    answer = client.get(way_back(leave(client)), follow=True)

    assert answer.redirect_chain[-1][0] == "/sign-in/"
    assert events() == []


def test_a_provider_that_does_not_answer_is_said_to(client: Client, known: Cast, provider, caplog):
    provider.close()

    answer = client.post("/sign-in/with/")

    assert answer.status_code == 503
    assert "St. Mary does not answer. Sign in with your password, or later." in said(answer)


def test_without_a_provider_there_is_no_such_page(client: Client, cast: Cast):
    assert "Sign in with St." not in client.get("/sign-in/").content.decode()
    assert client.post("/sign-in/with/").status_code == 404
    assert client.get("/sign-in/with/oidc/back/?state=x&code=y").status_code == 404


ALL = {"ISSUER": "https://login.example.org/", "CLIENT_ID": "marrow", "SECRET": "secret", "NAME": "St. Mary"}


@pytest.mark.parametrize("missing", sorted(ALL))
def test_all_four_settings_or_none(monkeypatch, missing: str):
    for name in ALL.keys() - {missing}:
        monkeypatch.setenv(f"MARROW_OIDC_{name}", ALL[name])

    with pytest.raises(ImproperlyConfigured, match=rf"MARROW_OIDC_{missing} is missing. Single sign-on needs all of"):
        environment.read_single_sign_on(is_production=True)


@pytest.mark.parametrize("issuer", ["http://login.example.org", "login.example.org", "http://127.0.0.1:8080"])
def test_the_provider_is_reached_by_https(monkeypatch, issuer: str):
    for name, value in (ALL | {"ISSUER": issuer}).items():
        monkeypatch.setenv(f"MARROW_OIDC_{name}", value)

    with pytest.raises(
        ImproperlyConfigured, match=rf"MARROW_OIDC_ISSUER is '{issuer}'. Set it to the https:// address"
    ):
        environment.read_single_sign_on(is_production=True)


def test_the_secret_may_be_in_a_file(monkeypatch, tmp_path):
    (tmp_path / "secret").write_text("from a file\n")
    for name in ("ISSUER", "CLIENT_ID", "NAME"):
        monkeypatch.setenv(f"MARROW_OIDC_{name}", ALL[name])
    monkeypatch.setenv("MARROW_OIDC_SECRET_FILE", str(tmp_path / "secret"))

    app = environment.read_single_sign_on(is_production=True)["APPS"][0]

    assert app["secret"] == "from a file"
    assert app["settings"]["server_url"] == "https://login.example.org"
