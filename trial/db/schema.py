"""Changing tables under triggers: they go before the first change of a migration and are back before anything else is written.

SQLite would crash on a remade table whose triggers name it, and a `post_migrate` hook would be too late for a data
migration in the same run.
"""

import re
from collections.abc import Callable
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.utils import NotSupportedError

from trial.db.protection import Piece

CHANGES_TABLES = re.compile(r"\s*(CREATE|ALTER|DROP|RENAME|COMMENT)\b", re.IGNORECASE)
LEAVES_ROWS_ALONE = re.compile(
    r"\s*(SELECT|PRAGMA|EXPLAIN|SAVEPOINT|RELEASE|ROLLBACK|SET|SHOW|BEGIN|COMMIT)\b", re.IGNORECASE
)
INDEX_ALONE = re.compile(r"\s*(CREATE\s+(UNIQUE\s+)?|DROP\s+)INDEX\b", re.IGNORECASE)


class TriggerKeeper(BaseDatabaseSchemaEditor):
    """A schema editor that takes the triggers away for its own statements only."""

    connection: Any  # one of ours, with its `protection`

    def __enter__(self) -> Any:
        self.present: list[Piece] | None = None  # the triggers that are there; None before they were asked for
        self.tables_changed = False
        self.depth_of_own_change = 0  # more than 0 while Django itself moves rows: a table remade, a NULL filled
        self.keeping = False  # while the triggers themselves are removed or renewed
        editor = super().__enter__()
        if not self.collect_sql:
            self.connection.execute_wrappers.append(self.watch)
        return editor

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        try:
            if exc_type is None and not self.collect_sql:
                for sql in self.deferred_sql:
                    self.execute(sql, None)
                self.deferred_sql = []
                self.renew_triggers()
        except BaseException as error:
            super().__exit__(type(error), error, error.__traceback__)
            raise
        else:
            super().__exit__(exc_type, exc_value, traceback)
        finally:
            if not self.collect_sql:
                self.connection.execute_wrappers.remove(self.watch)

    def watch(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        """See each statement on the connection while tables may change, and move the triggers out of its way or back."""
        if not self.keeping:
            if CHANGES_TABLES.match(sql):
                self.remove_triggers(sql)
            elif not LEAVES_ROWS_ALONE.match(sql) and not self.depth_of_own_change:
                self.renew_triggers()
        return execute(sql, params, many, context)

    def remove_triggers(self, sql: str) -> None:
        """Take away the triggers that must not be there when this statement changes tables."""
        if INDEX_ALONE.match(sql):
            return
        self.keeping = True
        try:
            if self.present is None:
                self.present = self.connection.protection.triggers()
            if self.present and not self.atomic_migration:
                raise NotSupportedError(
                    "This migration is not atomic, so the triggers of the audit trail cannot be taken away for it. "
                    "Only indexes may be made or dropped outside a transaction."
                )
            going = self.connection.protection.concerned(self.present, sql)
            self.connection.protection.remove(going)
        finally:
            self.keeping = False
        self.present = [piece for piece in self.present if piece not in going]
        self.tables_changed = True

    def renew_triggers(self) -> None:
        """Make the triggers what they should be for the tables as they now are."""
        if not self.tables_changed:
            return
        self.keeping = True
        try:
            self.connection.protection.renew()
        finally:
            self.keeping = False
        self.present = None
        self.tables_changed = False

    def alter_field(self, *args: Any, **kwargs: Any) -> None:
        """Django's, told apart from a data migration: it may fill a column of rows that are there."""
        self.depth_of_own_change += 1
        try:
            super().alter_field(*args, **kwargs)
        finally:
            self.depth_of_own_change -= 1
