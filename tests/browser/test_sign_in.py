"""Signing in with a real browser: passkeys from adding to use, without a mouse, and pages that keep nobody out."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.cast import Cast
from tests.trial.sign_in.signing_in import PASSWORD, code, give_app
from trial.sign_in.links import password_link

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def key(page: Page) -> None:
    """A passkey in this computer, whose owner is always there and always says yes."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def give_password(page: Page, server: LiveServer, name: str) -> None:
    """Sign in by the keyboard alone."""
    page.goto(f"{server.url}/sign-in/")
    page.get_by_label("User name").focus()
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: not address.endswith("/sign-in/"))


def add_passkey(page: Page, server: LiveServer, *, alone: bool) -> None:
    page.goto(f"{server.url}/account/second-factor/passkeys/add/")
    if alone:
        page.get_by_label("I also want to sign in with it alone").check()
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()


def sign_out(page: Page, server: LiveServer) -> None:
    page.goto(f"{server.url}/account/")
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_password_and_a_code_sign_in(live_server: LiveServer, cast: Cast, page: Page):
    give_app(cast["monitor"])

    give_password(page, live_server, "monitor")
    page.get_by_label("Code of your app, or a recovery code").fill(code())
    page.keyboard.press("Enter")

    expect(page.locator(".menu summary")).to_contain_text("Monitor")


def test_a_passkey_is_a_second_factor(live_server: LiveServer, cast: Cast, page: Page, key: None):
    give_password(page, live_server, "monitor")
    add_passkey(page, live_server, alone=False)
    sign_out(page, live_server)

    give_password(page, live_server, "monitor")
    page.get_by_role("button", name="Use a passkey").click()

    expect(page.locator(".menu summary")).to_contain_text("Monitor")


def test_a_passkey_signs_in_alone(live_server: LiveServer, cast: Cast, page: Page, key: None):
    give_password(page, live_server, "monitor")
    add_passkey(page, live_server, alone=True)
    sign_out(page, live_server)

    page.get_by_role("button", name="Sign in with a passkey").click()

    expect(page.locator(".menu summary")).to_contain_text("Monitor")


def test_a_passkey_of_a_closed_account_does_not(live_server: LiveServer, cast: Cast, page: Page, key: None):
    give_password(page, live_server, "monitor")
    add_passkey(page, live_server, alone=True)
    sign_out(page, live_server)
    User.objects.filter(username="monitor").update(is_active=False)

    page.get_by_role("button", name="Sign in with a passkey").click()

    expect(page.get_by_role("heading", name="This account is closed")).to_be_visible()


def test_a_passkey_is_renamed_and_removed(live_server: LiveServer, cast: Cast, page: Page, key: None):
    give_password(page, live_server, "monitor")
    add_passkey(page, live_server, alone=False)

    page.goto(f"{live_server.url}/account/second-factor/passkeys/")
    page.get_by_role("link", name="Rename").click()
    page.get_by_label("What you call it").fill("The blue key")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("rowheader", name="The blue key")).to_be_visible()
    page.get_by_role("link", name="Remove").click()
    expect(page.get_by_text("The blue key")).to_be_visible()
    page.get_by_role("button", name="Remove the passkey").click()

    expect(page.get_by_text("You have no passkey.")).to_be_visible()


def test_a_passkey_confirms_who_one_is(live_server: LiveServer, cast: Cast, page: Page, key: None):
    give_password(page, live_server, "monitor")
    add_passkey(page, live_server, alone=False)

    page.goto(f"{live_server.url}/account/confirm/passkey/?next=/account/sessions/")
    page.get_by_role("button", name="Use a passkey").click()

    expect(page.get_by_role("heading", name="Where you are signed in")).to_be_visible()


def test_where_no_passkey_fits_the_page_says_so(live_server: LiveServer, cast: Cast, page: Page, key: None):
    page.goto(f"{live_server.url}/sign-in/")

    page.get_by_role("button", name="Sign in with a passkey").click()

    expect(page.get_by_role("alert")).to_contain_text("The passkey was not used")


OPEN = ("/sign-in/", "/sign-in/forgotten/", "/sign-in/forgotten/sent/", "/sign-in/closed/", "/sign-in/link/done/")
OWN = (
    "/account/",
    "/account/password/",
    "/account/confirm/",
    "/account/confirm/code/",
    "/account/confirm/passkey/",
    "/account/second-factor/",
    "/account/second-factor/app/add/",
    "/account/second-factor/passkeys/",
    "/account/second-factor/passkeys/add/",
    "/account/second-factor/recovery-codes/",
    "/account/second-factor/recovery-codes/new/",
    "/account/sessions/",
)


@pytest.mark.parametrize("width", [1360, 390])
def test_the_pages_around_signing_in_keep_nobody_out(
    width: int, live_server: LiveServer, cast: Cast, page: Page, barriers: Callable[[], str]
):
    page.set_viewport_size({"width": width, "height": 800})
    pages = [*OPEN, password_link(cast["inspector"])]

    for address in pages:
        page.goto(live_server.url + address)

        assert barriers() == "", address
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


@pytest.mark.parametrize("width", [1360, 390])
def test_the_pages_of_ones_own_account_keep_nobody_out(
    width: int, live_server: LiveServer, cast: Cast, page: Page, key: None, barriers: Callable[[], str]
):
    page.set_viewport_size({"width": width, "height": 800})
    give_password(page, live_server, "monitor")
    add_passkey(page, live_server, alone=True)

    for address in OWN:
        page.goto(live_server.url + address)

        assert barriers() == "", address
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
