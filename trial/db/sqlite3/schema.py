"""SQLite's schema editor, with the triggers kept true."""

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.sqlite3.schema import DatabaseSchemaEditor as SqliteSchemaEditor

from trial.db.schema import TriggerKeeper


class RollsBack(SqliteSchemaEditor):
    """Django's, whose end does not hide an error and does not leave its transaction open.

    Django looks for broken references after an error too. The transaction may then refuse to be asked, and is never ended.
    """

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        try:
            if exc_type is None:
                self.connection.check_constraints()
        except BaseException as error:
            exc_type, exc_value, traceback = type(error), error, error.__traceback__
            raise
        finally:
            BaseDatabaseSchemaEditor.__exit__(self, exc_type, exc_value, traceback)
            self.connection.enable_constraint_checking()


class DatabaseSchemaEditor(TriggerKeeper, RollsBack):
    """Django's, with the triggers away while tables are remade."""

    def _remake_table(self, *args: Any, **kwargs: Any) -> None:
        self.depth_of_own_change += 1
        try:
            super()._remake_table(*args, **kwargs)  # type: ignore[misc]  # not in the stubs
        finally:
            self.depth_of_own_change -= 1
