"""The browser is killed while somebody types: at most two seconds of typing are lost, and the rest is there again.

One moment in every run; twelve with `./marrow test tests/browser -m slow`.
"""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, Playwright
from pytest_django.live_server_helper import LiveServer

from patients.models import PerformanceStatus
from tests.cast import Cast
from trial.drafts import find_draft
from trial.models import Patient

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGE = "/MT103-211/patients/SYN-012-001/PS/at/C1D1/"
MOST_LOST = 2.0  # seconds of typing
LETTERS = "the patient walked to the ward "


@contextmanager
def a_browser(playwright: Playwright, folder: Path, program: str) -> Iterator[tuple[Page, Callable[[], None]]]:
    """A browser of its own, and how to kill it with all its processes."""
    command = [program, "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--remote-debugging-port=0"]
    process = subprocess.Popen(
        [*command, f"--user-data-dir={folder}"], stderr=subprocess.DEVNULL, start_new_session=True
    )
    port = folder / "DevToolsActivePort"
    try:
        for _ in range(400):
            if port.exists() and "\n" in port.read_text():
                break
            time.sleep(0.05)
        browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port.read_text().split()[0]}")
        yield browser.contexts[0].pages[0], lambda: os.killpg(process.pid, signal.SIGKILL)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def lateness(page: Page) -> float:
    """By how many seconds this machine is late, now, with a timer of 1.5 seconds."""
    late = page.evaluate(
        "async () => { const began = performance.now();"
        " await new Promise((done) => setTimeout(done, 1500)); return performance.now() - began - 1500; }"
    )
    return float(late) / 1000


def type_and_kill(page: Page, kill: Callable[[], None], after: float) -> list[tuple[float, str]]:
    """Type for so many seconds and kill the browser. What stood there, and how many seconds before the end it was typed."""
    box = page.locator("[name=comment]")
    box.focus()
    typed: list[tuple[float, str]] = []
    text, began = "", time.monotonic()
    for letter in cycle(LETTERS):
        page.keyboard.type(letter)
        text += letter
        typed.append((time.monotonic(), text))
        if time.monotonic() - began > after:
            break
        time.sleep(0.05)
    kill()
    end = time.monotonic()
    return [(end - moment, text) for moment, text in typed]


def kept_of(person: User) -> str:
    """What the draft of the page holds, once the last one that was sent has arrived."""
    texts: list[str] = []
    while len(texts) < 3 or len(set(texts[-3:])) > 1:
        draft = find_draft(person, PAGE)
        texts.append(draft.typed["comment"][0] if draft else "")
        time.sleep(0.2)
    return texts[-1]


@pytest.fixture
def killed_while_typing(
    playwright: Playwright, live_server: LiveServer, client: Client, cast: Cast, patient: Patient, tmp_path: Path
) -> Callable[[float], None]:
    """Kill a browser so many seconds after the first key, and look at what is left."""
    client.force_login(cast["coordinator"])
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    runs = iter(range(100))

    def run(after: float) -> None:
        client.post(PAGE.replace("at/C1D1/", "draft/"), {"page": PAGE, "comment": ""})
        with a_browser(playwright, tmp_path / f"browser-{next(runs)}", program) as (page, kill):
            page.context.add_cookies(
                [{"name": "marrow-sid", "value": client.cookies["marrow-sid"].value, "url": live_server.url}]
            )
            page.goto(live_server.url + PAGE)
            late = lateness(page)
            typed = type_and_kill(page, kill, after)
        kept = kept_of(cast["coordinator"])

        owed = [text for before_the_end, text in typed if before_the_end > MOST_LOST + late]
        assert typed[-1][1].startswith(kept.rstrip() if kept else "")
        assert len(kept) >= len((owed or [""])[-1].rstrip()), (after, kept, owed[-1])
        assert f">{kept}" in client.get(PAGE).content.decode().replace("\n", "")
        assert not PerformanceStatus.objects.exists()

    return run


def test_two_seconds_of_typing_are_lost_at_most_when_the_browser_is_killed(killed_while_typing):
    killed_while_typing(3.9)


@pytest.mark.slow
def test_two_seconds_of_typing_are_lost_at_most_at_twelve_moments(killed_while_typing):
    chance = random.Random(12)
    for _ in range(12):
        killed_while_typing(chance.uniform(0.1, 7))
