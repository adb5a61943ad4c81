"""Django's SQLite backend on the library of `library.py`, with the triggers of the audit trail and what they ask for."""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.utils.functional import cached_property

from trial.db.acts import Act
from trial.db.median import SQLITE_NAME, MedianOfNumbers
from trial.db.protection import check_once
from trial.db.refusals import RefusalWrapper
from trial.db.sqlite3.library import dbapi2
from trial.db.tables import RECORDING_TABLE


@contextmanager
def library_in_place() -> Iterator[None]:
    """While Django's backend is imported, `sqlite3` is the library that was chosen: Django names it in five modules."""
    usual = sys.modules["sqlite3"]
    sys.modules["sqlite3"] = sys.modules[dbapi2.__name__.partition(".")[0]]
    try:
        yield
    finally:
        sys.modules["sqlite3"] = usual


def require_the_library(backend: Any) -> None:
    """Raise `ImproperlyConfigured` if Django's backend was imported earlier, with another library."""
    if backend.Database.sqlite_version_info != dbapi2.sqlite_version_info:
        raise ImproperlyConfigured(
            "Django's SQLite backend was imported before Marrow's, with another SQLite library. "
            "Name trial.db.sqlite3 as the engine and import nothing of django.db.backends.sqlite3 before it."
        )


with library_in_place():
    django_backend: Any = import_module("django.db.backends.sqlite3.base")
require_the_library(django_backend)

from trial.db.sqlite3.schema import DatabaseSchemaEditor  # noqa: E402 - imports Django's backend: the library comes first
from trial.db.sqlite3.triggers import NOW, SqliteProtection  # noqa: E402


def create_closed(database: str | Path) -> None:
    """Create the file of a new database closed to others: SQLite would leave that to the umask, and its -wal and -shm follow."""
    if str(database).startswith(("file:", ":memory:")):
        return
    with suppress(OSError):  # where the file cannot be made, SQLite says so when it opens it
        os.close(os.open(database, os.O_CREAT | os.O_WRONLY, 0o660))


class DatabaseWrapper(django_backend.DatabaseWrapper):  # type: ignore[misc]  # imported above, by name
    """A connection that knows the recorded act of its transaction and tells it to the triggers."""

    SchemaEditorClass = DatabaseSchemaEditor
    transaction_mode: str | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._act: Act | None = None
        self.snapshot_instant: datetime | None = None  # while a snapshot is read

    @cached_property
    def protection(self) -> SqliteProtection:
        """The triggers of this database."""
        return SqliteProtection(self)

    @cached_property
    def wrap_database_errors(self) -> RefusalWrapper:
        """Django's hook for errors, with the triggers' refusals told apart."""
        return RefusalWrapper(self)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        create_closed(conn_params["database"])
        connection = super().get_new_connection(conn_params)
        # Whatever the settings say: without the first, INSERT OR REPLACE would remove rows behind the triggers; without
        # the second, triggers may not call our functions.
        connection.execute("PRAGMA recursive_triggers = ON")
        connection.execute("PRAGMA trusted_schema = ON")
        connection.create_function("marrow_recording", 0, lambda: self.act.number if self.act else None)
        connection.create_function("marrow_act", 0, lambda: self.act.details if self.act else None)
        connection.create_aggregate(SQLITE_NAME, 1, MedianOfNumbers)
        return connection

    def init_connection_state(self) -> None:
        super().init_connection_state()
        check_once(self)

    @property
    def act(self) -> Act | None:
        """The recorded act that is open in this transaction."""
        return self._act if self.in_atomic_block else None

    def begin_act(self, details: dict[str, Any]) -> Act:
        """Bind a new act to this transaction. Its number is the next one: the transaction holds the write lock."""
        with self.cursor() as cursor:
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [RECORDING_TABLE])
            row = cursor.fetchone()
        number = max(row[0] if row else 0, self.act.number if self.act else 0) + 1
        self._act = Act(number, json.dumps({**details, "id": number}))
        return self._act

    def bind_act(self, act: Act | None) -> None:
        """Put the outer act back. What is bound here is no part of SQLite's transaction, so an error changes nothing in that."""
        self._act = act

    remember_act = bind_act

    def instant(self) -> datetime:
        """The database's clock, with its milliseconds."""
        with self.cursor() as cursor:
            cursor.execute(f"SELECT {NOW}")
            return datetime.fromisoformat(cursor.fetchone()[0]).replace(tzinfo=UTC)

    def settled_instant(self) -> datetime:
        """The latest instant before which nothing can still appear.

        The write lock is held until the clock has left that millisecond, so whoever writes next is stamped later.
        """
        if self.in_atomic_block:
            return self.instant()
        with self.cursor() as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            try:
                settled = self.instant()
                time.sleep(0.001)  # first: one question is then enough, and a report always takes as many statements
                while self.instant() <= settled:
                    time.sleep(0.001)
            finally:
                cursor.execute("COMMIT")
        return settled

    @contextmanager
    def reading(self) -> Iterator[None]:
        """A transaction that reads one state of the database, takes no lock that it does not need, and can write nothing."""
        usual = self.transaction_mode
        with self.cursor() as cursor:
            cursor.execute("PRAGMA query_only = ON")
        try:
            self.transaction_mode = "DEFERRED"
            with transaction.atomic(using=self.alias), self.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM sqlite_master")  # the first read is what fixes the state
                yield
        finally:
            self.transaction_mode = usual
            with self.cursor() as cursor:
                cursor.execute("PRAGMA query_only = OFF")
