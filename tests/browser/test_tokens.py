"""The pages of API tokens in a real browser, and a form that is sent too late."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from trial.models import ApiToken

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("width", [1360, 390])
def test_the_pages_of_tokens_can_be_used_by_everybody(
    page: Page,
    live_server: LiveServer,
    monitor: User,
    sign_in: Callable[[User], None],
    barriers: Callable[[], str],
    width: int,
):
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(monitor)
    found = []

    page.goto(f"{live_server.url}/account/tokens/")
    found.append(barriers())
    page.get_by_role("link", name="Make a token").click()
    found.append(barriers())
    page.get_by_label("What it is for").fill("weekly report")
    page.get_by_label("Days").fill("400")
    page.locator("main form").evaluate("form => form.noValidate = true")
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_text("400 is not a number of days from 1 to 365.")).to_be_visible()
    found.append(barriers())
    page.get_by_label("Days").fill("30")
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_label("The token for: weekly report")).to_be_focused()
    token = page.get_by_label("The token for: weekly report").input_value()
    found.append(barriers())
    sideways = page.evaluate("document.documentElement.scrollWidth") - width
    page.get_by_role("link", name="I have copied it").click()
    expect(page.get_by_role("cell", name=token[:15])).to_be_visible()
    found.append(barriers())

    assert found == [""] * 5
    assert sideways <= 0


def test_a_form_that_is_sent_too_late_is_there_again_after_signing_in(
    page: Page, live_server: LiveServer, monitor: User, sign_in: Callable[[User], None], barriers: Callable[[], str]
):
    with time_machine.travel(datetime.now(UTC)) as clock:
        sign_in(monitor)
        page.goto(f"{live_server.url}/account/tokens/new/")
        page.get_by_label("What it is for").fill("weekly report")
        clock.shift(timedelta(minutes=16))

        page.get_by_role("button", name="Make the token").click()
        expect(page.get_by_text("What you typed is kept for you.")).to_be_visible()
        page.get_by_label("User name").fill("monitor")
        page.get_by_label("Password", exact=True).fill("as long as it needs to be")
        page.get_by_role("button", name="Sign in", exact=True).click()

        expect(page.get_by_label("What it is for")).to_have_value("weekly report")
        expect(page.get_by_text("This form is filled with what you typed at")).to_be_visible()
        assert barriers() == ""
        assert not ApiToken.objects.exists()
