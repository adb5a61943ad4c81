"""What one worker knows, the other knows: two server processes on one database, as in production."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from tests.cast import Cast
from tests.trial.sign_in.signing_in import PASSWORD, code, found, give_app

ROOT = Path(settings.BASE_DIR)
SERVE = """
import sys
from wsgiref.simple_server import make_server
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
from django.core.wsgi import get_wsgi_application
server = make_server("127.0.0.1", 0, get_wsgi_application())
print(server.server_port, flush=True)
server.serve_forever()
"""


class Browser:
    """Just enough of one: cookies, forms with their token, and the page that came of it."""

    def __init__(self, port: int) -> None:
        self.site = f"http://127.0.0.1:{port}"
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def send(self, path: str, **typed: str) -> str:
        token = found(r'name="csrfmiddlewaretoken" value="(\w+)"', self.get(path))
        data = urllib.parse.urlencode(typed | {"csrfmiddlewaretoken": token}).encode()
        with self.opener.open(self.site + path, data, timeout=30) as answer:
            return str(answer.url) + "\n" + answer.read().decode()

    def get(self, path: str) -> str:
        with self.opener.open(self.site + path, timeout=30) as answer:
            return str(answer.url) + "\n" + answer.read().decode()


pytestmark = pytest.mark.django_db(transaction=True)  # the workers see only what is committed


@pytest.fixture(scope="module")
def workers(django_db_setup: None) -> Iterator[Callable[[int], Browser]]:
    """A browser at one of two server processes: `workers(0)`, `workers(1)`."""
    name = str(connection.settings_dict["NAME"])
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(ROOT)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SERVE, name],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        for _ in range(2)
    ]
    ports = [int(process.stdout.readline()) for process in processes]
    yield lambda number: Browser(ports[number])
    for process in processes:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        process.stdout.close()


def at_second_step(browser: Browser) -> Browser:
    assert "The second step" in browser.send("/sign-in/", login="monitor", password=PASSWORD)
    return browser


def test_a_code_that_one_worker_took_the_other_refuses(cast: Cast, workers):
    give_app(cast["monitor"])
    first, second = at_second_step(workers(0)), at_second_step(workers(1))
    used = code()

    taken = first.send("/sign-in/second-step/", code=used)
    replayed = second.send("/sign-in/second-step/", code=used)
    fresh = second.send("/sign-in/second-step/", code=code(steps=1))

    assert "The second step" not in taken
    assert "This code is not right, or was used before." in replayed
    assert "The second step" not in fresh


def test_wrong_passwords_are_counted_over_both_workers(cast: Cast, workers):
    pages = [workers(turn % 2).send("/sign-in/", login="monitor", password=f"wrong {turn}") for turn in range(6)]

    assert "There were too many attempts." not in pages[4]
    assert "There were too many attempts." in pages[5]


def test_a_session_of_one_worker_is_known_to_the_other(cast: Cast, workers):
    here = workers(0)
    here.send("/sign-in/", login="monitor", password=PASSWORD)
    there = workers(1)
    there.opener = here.opener

    assert "Your account" in there.get("/account/")
