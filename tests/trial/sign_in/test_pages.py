"""The pages of one's own account: each opens, in Marrow's frame, and none offers what Marrow does not have."""

import pytest
from django.test import Client

from tests.cast import Cast

PAGES = {
    "/account/": "Your account",
    "/account/password/": "Change your password",
    "/account/confirm/": "Confirm that it is you",
    "/account/second-factor/": "Your second factor",
    "/account/second-factor/passkeys/": "Your passkeys",
    "/account/sessions/": "Where you are signed in",
}
OPEN_PAGES = {
    "/sign-in/": "Sign in",
    "/sign-in/forgotten/": "Forgotten your password",
    "/sign-in/forgotten/sent/": "Look into your mail",
    "/sign-in/link/done/": "Your password is saved",
    "/sign-in/closed/": "This account is closed",
}


def signed_in(client: Client, name: str = "monitor") -> Client:
    client.post("/sign-in/", {"login": name, "password": "as long as it needs to be"})
    return client


@pytest.mark.parametrize(("address", "heading"), PAGES.items())
def test_a_page_of_ones_own_account_opens(client: Client, cast: Cast, address: str, heading: str):
    answer = signed_in(client).get(address)

    assert answer.status_code == 200
    assert f"<h1>{heading}</h1>" in answer.content.decode()
    assert 'class="brand"' in answer.content.decode()


@pytest.mark.parametrize(("address", "heading"), OPEN_PAGES.items())
def test_a_page_around_signing_in_opens_for_everybody(client: Client, cast: Cast, address: str, heading: str):
    answer = client.get(address)

    assert answer.status_code == 200
    assert f"<h1>{heading}</h1>" in answer.content.decode()


@pytest.mark.parametrize("address", PAGES)
def test_nobody_sees_an_account_without_signing_in(client: Client, cast: Cast, address: str):
    assert client.get(address)["Location"] == f"/sign-in/?next={address}"


def test_somebody_without_a_role_has_an_account_all_the_same(client: Client, cast: Cast):
    page = signed_in(client, "stranger").get("/account/").content.decode()

    assert "You have no role in a study today." in page


def test_the_account_shows_the_roles_with_their_sites_and_days(client: Client, cast: Cast):
    page = signed_in(client, "coordinator").get("/account/").content.decode()

    assert "Site coordinator" in page
    assert "012 Ulm" in page
    assert "01-Jan-2011" in page
    assert "no end" in page


@pytest.mark.parametrize("address", ["/sign-up/", "/sign-in/signup/", "/account/email/", "/account/signup/"])
def test_nobody_can_sign_up_or_change_an_address(client: Client, cast: Cast, address: str):
    assert signed_in(client).get(address).status_code == 404


def test_next_leads_on_within_marrow_and_never_out_of_it(client: Client, cast: Cast):
    typed = {"login": "monitor", "password": "as long as it needs to be"}

    within = client.post("/sign-in/?next=/account/", typed)
    client.post("/sign-out/")
    outside = client.post("/sign-in/?next=https://evil.example/", typed)

    assert within["Location"] == "/account/"
    assert outside["Location"] == "/"


def test_signing_out_is_never_done_by_following_a_link(client: Client, cast: Cast):
    answer = signed_in(client).get("/sign-out/")

    assert answer.status_code == 405
    assert "_auth_user_id" in client.session


def test_an_account_without_a_password_is_told_how_to_get_one(client: Client, cast: Cast):
    signed_in(client)
    cast["monitor"].set_unusable_password()
    client.force_login(cast["monitor"])

    cast["monitor"].save()
    client.force_login(cast["monitor"])
    page = client.get("/account/password/", follow=True).content.decode()

    assert "You have no password. The administrator of your study can make a link" in page
