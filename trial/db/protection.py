"""The triggers of a database as a whole: what they should be, what they are, and how they are renewed.

With them comes one index a history, on record and version: it is unique, and the triggers and `as_of` look rows up by it.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.db.backends.utils import truncate_name

from trial.db.durability import check_database
from trial.db.tables import (
    RECORDING_TABLE,
    AppendOnlyTable,
    Bond,
    Column,
    Reference,
    TrackedTable,
    append_only_tables,
    has_recordings,
    tracked_tables,
)

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


class TriggersAltered(CommandError, ImproperlyConfigured):
    """A trigger of the audit trail is missing or was altered, so this process must not work on the database.

    As a `CommandError` it ends a command with its sentence instead of a traceback.
    """


class UnsafeDatabase(CommandError, ImproperlyConfigured):
    """The database is set so that it could lose what it acknowledged, so production must not work on it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One trigger, function or index: its name, how the database describes it, and the statements that make and remove it.

    `table` is the table that it sits on, empty for a function.
    """

    name: str
    table: str
    described: str
    creates: str
    removes: str
    is_trigger: bool = True


class Protection(ABC):
    """The triggers of one connection's database. One subclass an engine."""

    clock: ClassVar[str]  # the SQL of the present instant

    def __init__(self, connection: "BaseDatabaseWrapper") -> None:
        self.connection = connection

    @abstractmethod
    def columns(self) -> list[Column]:
        """All columns of all tables, in their order, by one query."""

    @abstractmethod
    def references(self) -> list[Reference]:
        """All foreign keys of one column, by one query. Ordered, as the triggers are made from them and then compared."""

    @abstractmethod
    def pieces(
        self,
        tables: tuple[TrackedTable, ...],
        recording_columns: tuple[str, ...],
        append_only: tuple[AppendOnlyTable, ...],
    ) -> list[Piece]:
        """Triggers and functions as they should be, in the order in which they can be made."""

    @abstractmethod
    def stamp(self, *, dated: bool) -> Piece:
        """The piece that stamps the instant of a recording: by the database's clock, or (`dated`) as the writer says."""

    @abstractmethod
    def installed(self) -> list[Piece]:
        """Triggers and functions as they are: Marrow's, and whatever else sits on a table. They cannot be remade from this."""

    @abstractmethod
    def differing(self, columns: Iterable[str], before: str, after: str) -> str:
        """The SQL of a JSON list: those of the columns in which the rows of two aliases differ."""

    @abstractmethod
    def unnamed(self, columns: Iterable[str], before: str, after: str) -> str:
        """The SQL that is true when a column differs between two aliases and is not in the `changed` of the second.

        The other way round is `misnamed`.
        """

    @abstractmethod
    def misnamed(self, columns: Iterable[str], before: str, after: str) -> str:
        """The SQL that is true when a column in the `changed` of the second alias has the same value in both.

        So it may also be after a migration that filled or rounded both: `changed` stays what it was.
        """

    @abstractmethod
    def is_a_day_later(self, later: str, earlier: str) -> str:
        """The SQL that is true when one instant is more than a day after another one. Not true when one of them is NULL."""

    def tables(self) -> tuple[TrackedTable, ...]:
        """The tracked tables that the database has."""
        return tracked_tables(self.columns(), self.references())

    def expected(self) -> list[Piece]:
        """The triggers and functions that the database should have. None before the first migration."""
        columns = self.columns()
        if not has_recordings(columns):
            return []
        recording_columns = tuple(column.name for column in columns if column.table == RECORDING_TABLE)
        tracked = tracked_tables(columns, self.references())
        return self.pieces(tracked, recording_columns, append_only_tables(columns))

    def faults(self) -> list[str]:
        """A sentence for each trigger that is missing, altered or strange. Empty when all is as it should be."""
        expected = {piece.name: piece for piece in self.expected()}
        installed = {piece.name: piece for piece in self.installed()}
        guarded = {piece.table for piece in expected.values()} - {""}
        sentences = []
        for name, piece in expected.items():
            if name not in installed:
                sentences.append(f"{name} is missing.")
            elif installed[name].described != piece.described:
                sentences.append(f"{name} was altered.")
        for name, piece in installed.items():
            if name not in expected and (name.startswith("marrow_") or piece.table in guarded):
                sentences.append(f"{name} should not be there.")
        return sentences

    def renew(self) -> list[str]:
        """Make the triggers what they should be, and return the names of those that were not. Strange ones stay, for `faults()`."""
        expected = self.expected()
        wanted = {piece.name: piece.described for piece in expected}
        installed = self.installed()
        right = {piece.name for piece in installed if wanted.get(piece.name) == piece.described}
        with self.connection.cursor() as cursor:
            for piece in installed:
                is_replaced_in_place = not piece.table and piece.name in wanted  # a function, on which triggers hang
                if piece.name.startswith("marrow_") and piece.name not in right and not is_replaced_in_place:
                    cursor.execute(piece.removes)
            for piece in expected:
                if piece.name not in right:
                    cursor.execute(piece.creates)
        return [name for name in wanted if name not in right]

    @abstractmethod
    def concerned(self, triggers: list[Piece], statement: str) -> list[Piece]:
        """Those of the triggers that must be away while a statement changes tables."""

    def triggers(self) -> list[Piece]:
        """Marrow's triggers that are there."""
        return [piece for piece in self.installed() if piece.is_trigger and piece.name.startswith("marrow_")]

    def remove(self, triggers: Iterable[Piece]) -> None:
        """Remove triggers for a change of tables, inside a transaction that renews them."""
        with self.connection.cursor() as cursor:
            for piece in triggers:
                cursor.execute(piece.removes)

    def install_stamp(self, *, dated: bool) -> None:
        """Change the one piece that stamps recordings. Only the demo, while it builds its own database, asks for `dated`."""
        piece = self.stamp(dated=dated)
        with self.connection.cursor() as cursor:
            cursor.execute(piece.removes)
            cursor.execute(piece.creates)


UNCHECKED: ContextVar[bool] = ContextVar("unchecked", default=False)
checked_databases: set[tuple[str, str]] = set()


@contextmanager
def without_first_check() -> Iterator[None]:
    """For those that must reach a database which is not as it should be: `migrate`, `verify_audit`, and `demo` before it builds."""
    token = UNCHECKED.set(True)
    try:
        yield
    finally:
        UNCHECKED.reset(token)


def check_once(connection: Any) -> None:
    """Look at the database at the first connection of this process to it, and close the connection if it must not be used.

    Raise `UnsafeDatabase` in production when it could lose what it acknowledged: a web server starts without the system
    checks. Raise `TriggersAltered` in every mode when a trigger is missing or altered.
    """
    database = (connection.alias, str(connection.settings_dict["NAME"]))
    if UNCHECKED.get() or database in checked_databases:
        return
    unsafe = (
        [message for message in check_database(connection) if message.is_serious()] if settings.IS_PRODUCTION else []
    )
    if unsafe:
        connection.close()
        sentences = " ".join(f"({message.id}) {message.msg} {message.hint}" for message in unsafe)
        raise UnsafeDatabase(f"{sentences} Nothing is read or written in this state.")
    faults = connection.protection.faults()
    if faults:
        connection.close()
        more = f" And {len(faults) - 3} more." if len(faults) > 3 else ""
        raise TriggersAltered(
            f"The triggers that write the audit trail are not as they should be: {' '.join(faults[:3])}{more} "
            "Nothing is read or written in this state. Look at `verify_audit`; `migrate` makes the triggers again."
        )
    checked_databases.add(database)


def version_index(history: str) -> str:
    """The name of the index on record and version, short enough for PostgreSQL."""
    return truncate_name(f"marrow_version_{history}", 63)


def points_elsewhere(bond: Bond, row: str, schema: str = "") -> str:
    """The SQL that is true when the row of an alias points to a row of another owner, or to none that is there yet.

    A row that is not there counts too: references are checked at the end of a transaction, and it could still come with
    another owner. `schema` is quoted and ends with its dot.
    """
    return (
        f'{row}."{bond.column}" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {schema}"{bond.target}" pointed '
        f'WHERE pointed."{bond.target_column}" = {row}."{bond.column}" AND (pointed."{bond.owner}" = {row}."{bond.owner}" '
        f'OR coalesce(pointed."{bond.owner}", {row}."{bond.owner}") IS NULL))'
    )


def sql_literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
