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
    settled = settled_instant(using)
    if connection.in_atomic_block:
        yield settled
        return
    with connection.reading():
        yield settled
