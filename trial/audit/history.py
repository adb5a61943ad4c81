"""Asking any instant: what records were, and how to read one state while others write."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models

from trial.audit.records import HistoryQuerySet


def rows_as_of(model: type[models.Model], instant: datetime) -> HistoryQuerySet:
    """The history rows that hold what each record of a tracked model was at an instant, that instant included.

    Deleted records are left out. Follow with `.values_list(...)`: the columns of the record are the columns of its history.
    """
    reader: Any = model.history  # type: ignore[attr-defined]  # every tracked model has one
    rows: HistoryQuerySet = reader.rows_as_of(instant)
    return rows


def settled_instant(using: str = DEFAULT_DB_ALIAS) -> datetime:
    """The latest instant before which nothing can still appear: no write begun before it is open. UTC, by the database's clock.

    Cuts and exports take settled instants only, so that what was read once can be read again.
    """
    instant: datetime = connections[using].settled_instant()  # type: ignore[attr-defined]  # both backends have it
    return instant


@contextmanager
def snapshot(using: str = DEFAULT_DB_ALIAS) -> Iterator[datetime]:
    """Read one state of the database while others write, and give the settled instant that it holds whole.

    Inside a transaction that is open already, that transaction goes on: what it wrote is read too.
    """
    connection: Any = connections[using]
    settled = settled_instant(using)
    if connection.in_atomic_block:
        yield settled
        return
    with connection.reading():
        yield settled
