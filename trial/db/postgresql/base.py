"""Django's PostgreSQL backend, with the triggers of the audit trail and what they ask for."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql.base import DatabaseWrapper as PostgresqlWrapper
from django.utils.functional import cached_property

from trial.db.acts import Act
from trial.db.postgresql.schema import DatabaseSchemaEditor
from trial.db.postgresql.triggers import LOCK_SPACE, PostgresqlProtection
from trial.db.protection import check_once
from trial.db.refusals import RefusalWrapper
from trial.db.tables import RECORDING_TABLE


class DatabaseWrapper(PostgresqlWrapper):
    """A connection that tells the triggers which recorded act its transaction belongs to."""

    SchemaEditorClass = DatabaseSchemaEditor

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._act: Act | None = None
        self.snapshot_instant: datetime | None = None  # while a snapshot is read

    @cached_property
    def protection(self) -> PostgresqlProtection:
        """The triggers of this database."""
        return PostgresqlProtection(self)

    @cached_property
    def wrap_database_errors(self) -> RefusalWrapper:
        """Django's hook for errors, with the triggers' refusals told apart."""
        return RefusalWrapper(self)

    def init_connection_state(self) -> None:
        super().init_connection_state()
        if self.alias != NO_DB_ALIAS:
            check_once(self)

    @property
    def act(self) -> Act | None:
        """The recorded act that is open in this transaction."""
        return self._act if self.in_atomic_block else None

    def begin_act(self, details: dict[str, Any]) -> Act:
        """Bind a new act to this transaction. PostgreSQL forgets it when the transaction, or its savepoint, ends badly."""
        with self.cursor() as cursor:
            cursor.execute(
                "SELECT number, set_config('marrow.recording', number::text, true), "
                "set_config('marrow.act', (%s::jsonb || jsonb_build_object('id', number))::text, true) "
                "FROM nextval(pg_get_serial_sequence(quote_ident(current_schema()) || %s, 'id')) AS number",
                [json.dumps(details), f".{RECORDING_TABLE}"],
            )
            number, _, act = cursor.fetchone()
        self._act = Act(number, act)
        return self._act

    def bind_act(self, act: Act | None) -> None:
        """Put the outer act back."""
        self._act = act
        if self.needs_rollback:
            return  # PostgreSQL will put it back itself
        with self.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('marrow.recording', %s, true), set_config('marrow.act', %s, true)",
                [str(act.number) if act else "", act.details if act else ""],
            )

    def remember_act(self, outer: Act | None) -> None:
        """Remember the outer act after an error, or at the end of the transaction. PostgreSQL puts it back by itself then."""
        self._act = outer

    def instant(self) -> datetime:
        """The database's clock, with its microseconds."""
        with self.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            return cursor.fetchone()[0]

    def settled_instant(self) -> datetime:
        """The latest instant before which nothing can still appear.

        A writer locks the millisecond at which it begins before it stamps its act. So whoever is not seen here is stamped
        later than the clock that was read first.
        """
        with self.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            (now,) = cursor.fetchone()
            cursor.execute(
                "SELECT least(%s, to_timestamp(min(((classid::bigint & 65535) << 32) | objid::bigint) / 1000.0)) "
                "- interval '1 microsecond' FROM pg_locks "
                "WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 16 = %s AND pid <> pg_backend_pid() "
                "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
                [now, LOCK_SPACE],
            )
            return cursor.fetchone()[0]

    @contextmanager
    def reading(self) -> Iterator[None]:
        """A transaction that reads one state of the database and can write nothing."""
        with transaction.atomic(using=self.alias), self.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
