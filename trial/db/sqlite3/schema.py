"""SQLite's schema editor, with the triggers kept true."""

from typing import Any

from django.db.backends.sqlite3.schema import DatabaseSchemaEditor as SqliteSchemaEditor

from trial.db.schema import TriggerKeeper


class DatabaseSchemaEditor(TriggerKeeper, SqliteSchemaEditor):
    """Django's, with the triggers away while tables are remade."""

    def _remake_table(self, *args: Any, **kwargs: Any) -> None:
        self.depth_of_own_change += 1
        try:
            super()._remake_table(*args, **kwargs)  # type: ignore[misc]  # not in the stubs
        finally:
            self.depth_of_own_change -= 1
