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
# A row belongs to one of each that it has a column for, and never changes hands. The word is for people.
OWNERS = {"patient_id": "patient", "study_id": "study"}
RECORDING_TABLE = "trial_recording"
PERSON_TABLE = "trial_person"
SALT_COLUMN = "salt"  # what the digest of a row of the trail begins with
# Rows are added, and that is all: who read what, and the seals of the trail.
ACCESS_TABLES = ("trial_accessevent", "trial_accessedpatient")
SEAL_TABLES = ("trial_seal", "trial_sealedcolumns")
APPEND_ONLY_TABLES = (*ACCESS_TABLES, *SEAL_TABLES)


@dataclass(frozen=True, slots=True)
class Column:
    """A column that the database has."""

    table: str
    name: str
    is_key: bool


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key of one column that the database has."""

    table: str
    column: str
    target: str
    target_column: str


@dataclass(frozen=True, slots=True)
class Bond:
    """A reference to a row that must have the same owner: the two tables have the column `owner` both."""

    owner: str
    column: str
    target: str
    target_column: str


@dataclass(frozen=True, slots=True)
class TrackedTable:
    """A table whose rows have a history. `columns` are those that it shares with its history, the key among them.

    `owners` are the columns that name whom a row belongs to, `bonds` the references that must stay with the same owner.
    """

    name: str
    history: str
    key: str
    columns: tuple[str, ...]
    owners: tuple[str, ...] = ()
    bonds: tuple[Bond, ...] = ()
    is_salted: bool = False  # not before the migration that brings the salt

    @property
    def app(self) -> str:
        """The app that the table belongs to, by the name of its history."""
        return self.history.partition("_historical")[0]

    @property
    def followed(self) -> tuple[str, ...]:
        """The columns whose changes are named in `changed`."""
        return tuple(column for column in self.columns if column not in {self.key, "version"})


@dataclass(frozen=True, slots=True)
class AppendOnlyTable:
    """A table without history whose rows are only ever added. `is_stamped` when it has an instant, `at`.

    `is_of_trail` for seals; the others are the record of access.
    """

    name: str
    key: str
    is_stamped: bool
    is_of_trail: bool


def table_of_history(history: str) -> str | None:
    """The name of the table that a history table belongs to, by their names alone; None for any other table."""
    found = HISTORY_TABLE.match(history)
    return f"{found['app']}_{found['model']}" if found else None


def tracked_tables(columns: Iterable[Column], references: Iterable[Reference] = ()) -> tuple[TrackedTable, ...]:
    """The tracked tables among all columns and references of a database, by name.

    A table is tracked when it has a version and one key column, and a history table of the right name and columns is beside it.
    """
    by_table: dict[str, list[Column]] = {}
    for column in columns:
        by_table.setdefault(column.table, []).append(column)
    names = {table: {column.name for column in own} for table, own in by_table.items()}
    pointing: dict[str, list[Reference]] = {}
    for reference in references:
        pointing.setdefault(reference.table, []).append(reference)
    tracked = []
    for history, history_columns in by_table.items():
        name = table_of_history(history)
        kept = {column.name for column in history_columns}
        if name is None or name not in by_table or not kept >= HISTORY_COLUMNS:
            continue
        keys = [column.name for column in by_table[name] if column.is_key]
        shared = tuple(column.name for column in by_table[name] if column.name in kept)
        if len(keys) == 1 and {*keys, "version"} <= set(shared):
            owners = tuple(owner for owner in OWNERS if owner in names[name])
            bonds = tuple(
                Bond(owner, reference.column, reference.target, reference.target_column)
                for reference in pointing.get(name, ())
                for owner in owners
                # The study of a recording is what the act was said to be about, and may be empty: it owns nothing.
                if owner in names.get(reference.target, ()) and reference.target != RECORDING_TABLE
            )
            tracked.append(TrackedTable(name, history, keys[0], shared, owners, bonds, SALT_COLUMN in kept))
    return tuple(sorted(tracked, key=lambda table: table.name))


def append_only_tables(columns: Iterable[Column]) -> tuple[AppendOnlyTable, ...]:
    """Those of the tables that are only added to which the database has."""
    found = []
    every = list(columns)
    for name in APPEND_ONLY_TABLES:
        own = [column for column in every if column.table == name]
        found += [
            AppendOnlyTable(name, column.name, any(beside.name == "at" for beside in own), name in SEAL_TABLES)
            for column in own
            if column.is_key
        ]
    return tuple(found)


def has_recordings(columns: Iterable[Column]) -> bool:
    """True when the table of recorded acts is there."""
    return any(column.table == RECORDING_TABLE for column in columns)
