"""In production a process does not work on a database that could lose what it acknowledged."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError
from django.db import connection

from trial.db.protection import UnsafeDatabase, check_once, checked_databases, without_first_check

ROOT = Path(__file__).parents[3]
ON_SQLITE = connection.vendor == "sqlite"
ASK = "import django; django.setup(); from django.db import connection; connection.ensure_connection(); print('served')"

if ON_SQLITE:
    UNSAFE = 'options["init_command"] += "PRAGMA synchronous=OFF;"'
    SENTENCE = "(marrow.D001) SQLite's synchronous is 0. Set it to 2 or 3."
else:
    UNSAFE = 'options["options"] += " -c synchronous_commit=off"'
    SENTENCE = (
        "(marrow.D003) PostgreSQL's synchronous_commit is off. Set it to local or on or remote_apply or remote_write."
    )


@pytest.fixture
def start(tmp_path):
    """Start Python with Marrow's settings, changed by one line, on a new SQLite file or on the server of the tests."""

    def start(line: str) -> subprocess.CompletedProcess:
        lines = ["from trial.settings import *", 'options = DATABASES["default"]["OPTIONS"]', line]
        (tmp_path / "local_settings.py").write_text("\n".join(lines), encoding="utf-8")
        others = {name: value for name, value in os.environ.items() if not name.startswith(("MARROW_", "DJANGO_"))}
        address = str(tmp_path / "study.sqlite3") if ON_SQLITE else os.environ["MARROW_TEST_DATABASE"]
        ours = {
            "MARROW_MODE": "production",
            "MARROW_SECRET_KEY": "a-key-of-this-test-alone-0123456789-abcdefghijklmnopqrstuvwxyz",
            "MARROW_HOSTS": "marrow.example.org",
            "MARROW_DATABASE": address,
            "DJANGO_SETTINGS_MODULE": "local_settings",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)]),
        }
        return subprocess.run(
            [sys.executable, "-c", ASK], env=others | ours, cwd=tmp_path, capture_output=True, text=True, check=False
        )

    return start


def test_a_server_on_an_unsafe_database_is_refused_with_a_sentence(start):
    started = start(UNSAFE)

    assert started.returncode == 1
    assert f"UnsafeDatabase: {SENTENCE}" in started.stderr
    assert started.stderr.rstrip().endswith("Nothing is read or written in this state.")
    assert "served" not in started.stdout


class First:
    """The connection of the test as the first one of another process."""

    alias = "first of another process"

    def __init__(self) -> None:
        self.is_closed = False

    def __getattr__(self, name: str) -> object:
        return getattr(connection, name)

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def first(transactional_db):
    """A connection on which an acknowledged save could be lost."""
    off, on = (
        ("PRAGMA synchronous = OFF", "PRAGMA synchronous = FULL")
        if ON_SQLITE
        else (
            "SET synchronous_commit = off",
            "RESET synchronous_commit",
        )
    )
    first = First()
    with connection.cursor() as cursor:
        cursor.execute(off)
        yield first
        cursor.execute(on)
    checked_databases.discard((first.alias, str(connection.settings_dict["NAME"])))


def test_a_connection_that_is_refused_is_closed_and_the_next_is_refused_too(first, settings):
    settings.IS_PRODUCTION = True

    for _ in range(2):
        with pytest.raises(UnsafeDatabase, match=re.escape(SENTENCE)):
            check_once(first)

    assert first.is_closed
    assert issubclass(UnsafeDatabase, CommandError)  # a command ends with the sentence, and no traceback


def test_development_is_not_refused(first):
    check_once(first)

    assert not first.is_closed


def test_migrate_and_verify_audit_are_let_in(first, settings):
    settings.IS_PRODUCTION = True

    with without_first_check():
        check_once(first)

    assert not first.is_closed


@pytest.mark.sqlite
def test_a_safe_database_is_served(start):
    """Only on SQLite, where its settings are ours: the server of the tests may be set as it likes."""
    started = start("pass")

    assert (started.stdout, started.returncode) == ("served\n", 0), started.stderr
