"""Which tables are tracked, read from the database itself.

Models are not asked: in a migration they are stand-ins, and half of the columns may not be there yet.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

HISTORY_TABLE = re.compile(r"^(?P<app>.+?)_historical(?P<model>.+)$")
HISTORY_COLUMNS = frozenset(
    {
        "history_id",
        "history_date",
        "history_change_reason",
        "history_type",
        "history_user_id",
        "recording_id",
        "changed",
    }
)
RECORDING_TABLE = "trial_recording"
PERSON_TABLE = "trial_person"


@dataclass(frozen=True, slots=True)
class Column:
    """A column that the database has."""

    table: str
    name: str
    is_key: bool


@dataclass(frozen=True, slots=True)
class TrackedTable:
    """A table whose rows have a history. `columns` are those that it shares with its history, the key among them."""

    name: str
    history: str
    key: str
    columns: tuple[str, ...]

    @property
    def app(self) -> str:
        """The app that the table belongs to, by the name of its history."""
        return self.history.partition("_historical")[0]

    @property
    def followed(self) -> tuple[str, ...]:
        """The columns whose changes are named in `changed`."""
        return tuple(column for column in self.columns if column not in {self.key, "version"})


def table_of_history(history: str) -> str | None:
    """The name of the table that a history table belongs to, by their names alone; None for any other table."""
    found = HISTORY_TABLE.match(history)
    return f"{found['app']}_{found['model']}" if found else None


def tracked_tables(columns: Iterable[Column]) -> tuple[TrackedTable, ...]:
    """The tracked tables among all columns of a database, by name.

    A table is tracked when it has a version and one key column, and a history table of the right name and columns is beside it.
    """
    by_table: dict[str, list[Column]] = {}
    for column in columns:
        by_table.setdefault(column.table, []).append(column)
    tracked = []
    for history, history_columns in by_table.items():
        name = table_of_history(history)
        kept = {column.name for column in history_columns}
        if name is None or name not in by_table or not kept >= HISTORY_COLUMNS:
            continue
        keys = [column.name for column in by_table[name] if column.is_key]
        shared = tuple(column.name for column in by_table[name] if column.name in kept)
        if len(keys) == 1 and {*keys, "version"} <= set(shared):
            tracked.append(TrackedTable(name, history, keys[0], shared))
    return tuple(sorted(tracked, key=lambda table: table.name))


def has_recordings(columns: Iterable[Column]) -> bool:
    """True when the table of recorded acts is there."""
    return any(column.table == RECORDING_TABLE for column in columns)
