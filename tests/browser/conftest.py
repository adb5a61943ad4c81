"""The browser: this machine's Chromium, a page that fails on any complaint of its console, and a person signed in.

A complaint of the content security policy is one of the console, so every browser test tests the policy too.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import ConsoleMessage, Page
from pytest_django.live_server_helper import LiveServer

# Playwright's synchronous interface runs an event loop in this thread, where the ORM would refuse to work.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Chromium as the machine has it: nothing is downloaded."""
    names = ("chromium", "chromium-browser", "google-chrome")
    arguments = ["--no-sandbox", "--disable-background-networking", "--disable-dev-shm-usage"]
    program = next(filter(None, map(shutil.which, names)), None)
    return browser_type_launch_args | {"executable_path": program, "args": arguments}


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    """A page that may not complain: a message of error or warning in its console fails the test."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(f"{message.text} ({message.location.get('url')})")

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_default_timeout(20_000)  # milliseconds; a machine that runs other tests beside these is slow
    yield page
    assert complaints == []


@pytest.fixture
def sign_in(page: Page, live_server: LiveServer, client: Client) -> Callable[[User], None]:
    """Sign a person in without the sign-in page: `sign_in(user)`, then `page.goto(live_server.url + ...)`."""

    def signed_in(user: User) -> None:
        client.force_login(user)
        cookie = client.cookies["marrow-sid"]
        page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])

    return signed_in


@pytest.fixture
def barriers(page: Page) -> Callable[[], str]:
    """What keeps people from using the page as it stands, by the rules of WCAG 2.2 AA; empty where nothing does."""

    def found() -> str:
        result = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
        return result.generate_report() if result.violations_count else ""

    return found
