"""Reading the trail act by act: each recording with its history rows, in the order of their numbers, in bounded memory.

Every table is one stream, ordered by recording, and the streams are merged. So memory holds a piece of each table and the
largest act, however long the trail is.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.apps import apps
from django.db import connections, models

from trial.audit.models import Recording
from trial.audit.seals.canonical import Columns, reading_of
from trial.db.tables import RECORDING_TABLE, SALT_COLUMN

PIECE = 500  # rows of a table that are in memory at once
VALUES_FROM = 5  # recording, number, record, version and salt come before the values of the columns


@dataclass(frozen=True, slots=True)
class Source:
    """A table of the trail as it is now: where its rows stand, and what is hashed of them."""

    columns: Columns
    model_columns: frozenset[str]  # also those that a migration which is still to be applied brings
    stored_in: str
    recording: str
    number: str
    record: str
    version: str
    has_salt: bool
    is_sqlite: bool

    @property
    def table(self) -> str:
        """The name of the table whose trail this is."""
        return self.columns.table

    def select(self, condition: str = "1 = 1", *, with_positions: bool = False) -> str:
        """The SQL that reads its rows (`t`) in the order of the recordings; `with_positions` of their seals, those without one last."""
        names = [f't."{self.recording}"', f't."{self.number}"', f't."{self.record}"', self.version]
        names.append(f't."{SALT_COLUMN}"' if self.has_salt else "NULL")
        # Behind a plus sign SQLite gives what is stored: of a bare column Python would read no instant where a forger wrote none.
        bare = "+" if self.is_sqlite else ""
        names += [f'{bare}t."{name}"' for name in self.columns.names]
        order = [f't."{self.recording}"', f't."{self.number}"']
        joined = ""
        if with_positions:
            joined = f'LEFT JOIN trial_seal s ON s.recording_id = t."{self.recording}"'
            names.insert(0, "s.position")
            order = ["s.position IS NULL", "s.position", *order]
        return (
            f'SELECT {", ".join(names)} FROM "{self.stored_in}" t {joined} '  # noqa: S608 - names of our own tables
            f"WHERE {condition} ORDER BY {', '.join(order)}"
        )


def sources(using: str) -> list[Source]:
    """The recordings, then every tracked table that the database has, by name."""
    connection: Any = connections[using]
    there: dict[str, set[str]] = {}
    for column in connection.protection.columns():
        there.setdefault(column.table, set()).add(column.name)
    is_sqlite = connection.vendor == "sqlite"
    found = [
        _source(Recording, RECORDING_TABLE, there, is_sqlite, record="id", version="0", number="id", recording="id")
    ]
    for model in apps.get_models():
        history = getattr(model, "history", None)
        if history is None or hasattr(model, "history_id") or history.model._meta.db_table not in there:
            continue
        key = model._meta.pk.attname
        found.append(
            _source(
                history.model,
                model._meta.db_table,
                there,
                is_sqlite,
                record=key,
                version='t."version"',
                number="history_id",
                recording="recording_id",
            )
        )
    return [found[0], *sorted(found[1:], key=lambda source: source.table)]


def _source(model: type[models.Model], table: str, there: dict[str, set[str]], is_sqlite: bool, **where: str) -> Source:
    stored_in = model._meta.db_table
    fields = {str(field.column): field for field in model._meta.concrete_fields if field.column != SALT_COLUMN}
    names = tuple(sorted(name for name in fields if name in there.get(stored_in, ())))
    readings = tuple(_reading_of(fields[name]) for name in names)
    return Source(
        columns=Columns(table, names, readings),
        model_columns=frozenset(fields),
        stored_in=stored_in,
        has_salt=SALT_COLUMN in there.get(stored_in, ()),
        is_sqlite=is_sqlite,
        **where,
    )


def _reading_of(field: Any) -> Any:
    """How a column is read. A reference holds the key of what it points to."""
    while field.is_relation:
        field = field.target_field
    return reading_of(field.get_internal_type(), getattr(field, "decimal_places", 0) or 0)


Row = Sequence[Any]


def rows_by_recording(using: str, source: Source, condition: str = "1 = 1") -> Iterator[tuple[int | float, list[Row]]]:
    """The rows of one table, those of a recording together."""
    rows = read_in_pieces(using, source.select(condition))
    for number, group in groupby(rows, key=itemgetter(0)):
        # SQLite lets a forger write a text there; it is read last, as it is sorted
        yield (number if isinstance(number, int) else float("inf")), list(group)


def read_in_pieces(using: str, sql: str, parameters: Sequence[Any] = (), *, piece: int = PIECE) -> Iterator[Row]:
    """The rows of a query, without holding them all. Inside a transaction: PostgreSQL keeps the cursor in it."""
    connection: Any = connections[using]
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, parameters)
        while rows := cursor.fetchmany(piece):
            yield from rows


def acts(
    using: str, tables: Sequence[Source], only: Iterable[int] | None = None
) -> Iterator[tuple[int | float, list[tuple[Source, list[Row]]]]]:
    """Each number of a recording that any of the tables has, with the rows under it, in the order of the tables."""
    numbers = None if only is None else ", ".join(str(int(number)) for number in only)

    def stream(place: int, source: Source) -> Iterator[tuple[int | float, int, list[Row]]]:
        condition = "1 = 1" if numbers is None else f't."{source.recording}" IN ({numbers})'
        for number, rows in rows_by_recording(using, source, condition):
            yield number, place, rows

    merged = heapq.merge(*(stream(place, source) for place, source in enumerate(tables)))
    for number, parts in groupby(merged, key=itemgetter(0)):
        yield number, [(tables[place], rows) for _, place, rows in parts]
