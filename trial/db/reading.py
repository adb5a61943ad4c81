"""Reading one state of the database while others write, and knowing which instants are settled."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections


def settled_instant(using: str = DEFAULT_DB_ALIAS) -> datetime:
    """The latest instant before which nothing can still appear: no write begun before it is open. UTC, by the database's clock.

    Cuts and exports take settled instants only, so that what was read once can be read again.
    """
    connection: Any = connections[using]
    instant: datetime = connection.settled_instant()
    return instant


@contextmanager
def snapshot(using: str = DEFAULT_DB_ALIAS) -> Iterator[datetime]:
    """Read one state of the database while others write, and give the settled instant that it holds whole.

    Inside a transaction that is open already, that transaction goes on: what it wrote is read too.
    """
    connection: Any = connections[using]
    if connection.in_atomic_block:
        yield connection.snapshot_instant or settled_instant(using)
        return
    connection.snapshot_instant = settled_instant(using)  # for a snapshot inside this one, which reads the same state
    try:
        with connection.reading():
            yield connection.snapshot_instant
    finally:
        connection.snapshot_instant = None
