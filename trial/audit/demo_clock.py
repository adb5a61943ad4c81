"""The demo's clock: history dated as if it had been entered years ago, in a database that the demo builds for itself.

One trigger is exchanged while the demo is built, and put back at the end. Each recording says that it was dated, and
`verify_audit` says how many were.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, transaction

from trial.audit.models import Recording
from trial.audit.recording import account_number, display_name, given_reason, open_act

if TYPE_CHECKING:
    from django.db.models import Model


@contextmanager
def demo_clock(using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Let `dated_recording()` give instants, until the end of the block. Raise `ValueError` if the database is in use already."""
    connection: Any = connections[using]
    if Recording.objects.using(using).filter(is_dated=False).exists():
        raise ValueError(
            "This database has recordings by the clock, so it is no new demo. Build the demo in a new file."
        )
    set_clock(connection, dated=True)
    try:
        yield
    except BaseException:
        with suppress(DatabaseError):  # in a transaction that failed; its end puts the clock back
            set_clock(connection, dated=False)
        raise
    set_clock(connection, dated=False)


def set_clock(connection: Any, *, dated: bool) -> None:
    """Exchange the trigger that stamps recordings."""
    with transaction.atomic(using=connection.alias):
        connection.protection.install_stamp(dated=dated)


@contextmanager
def dated_recording(
    *,
    at: datetime,
    by: "Model",
    reason: str,
    study: "Model | None" = None,
    role: str = "",
    organisation: str = "",
    channel: str = "demo",
    using: str = DEFAULT_DB_ALIAS,
) -> Iterator[Recording]:
    """A `recording()` with an instant of the demo's choice. Outside `demo_clock()` the database's clock is used all the same."""
    details: dict[str, Any] = {
        "by_id": account_number(by),
        "person_name": display_name(by),
        "role": role,
        "organisation": organisation,
        "reason": given_reason(reason),
        "field_reasons": {},
        "channel": channel,
        "request_id": "",
        "study_id": study.pk if study is not None else None,
        "at": at.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ") + connection_suffix(using),
    }
    with open_act(details, using) as act:
        yield act


def connection_suffix(using: str) -> str:
    """PostgreSQL is told that the instant is UTC; SQLite keeps the text, in which Django writes no zone."""
    return "" if connections[using].vendor == "sqlite" else "+00:00"
