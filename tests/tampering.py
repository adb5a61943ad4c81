"""Altering the trail as somebody could who owns the database: with the triggers away, and with every hash made anew."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from trial.audit import Recording
from trial.audit.seals.acts import acts, sources
from trial.audit.seals.canonical import BEFORE_THE_FIRST, seal_hash
from trial.audit.seals.models import Seal
from trial.audit.seals.sealing import NO_STUDY, Digester


def sql(statement: str, *parameters: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def behind_the_triggers(*tables: str) -> Iterator[None]:
    """Write to these tables past triggers and foreign keys. Inside a transaction that will be rolled back, or with neither broken."""
    if connection.vendor == "postgresql":
        sql("SET LOCAL session_replication_role = replica")
        yield
        sql("SET LOCAL session_replication_role = origin")
        return
    sql("PRAGMA defer_foreign_keys = ON")
    away = [piece for piece in connection.protection.triggers() if piece.table in tables or not tables]
    connection.protection.remove(away)
    yield
    for piece in away:
        sql(piece.creates)


def hash_anew() -> None:
    """Make seals that fit the trail as it is now, at the instants of those that there were. A new recording comes where its number is."""
    was = {seal.recording_id: seal for seal in Seal.objects.order_by("recording_id")}
    studies = dict(Recording.objects.values_list("pk", "study_id"))
    digesters = {source.table: Digester(source) for source in sources("default")}
    contents = {
        number: "".join(digesters[source.table].part_of(rows) for source, rows in parts)
        for number, parts in acts("default", sources("default"))
        if isinstance(number, int) and number in studies and number <= max(was)
    }
    ends: dict[int, tuple[int, str]] = {}
    made, settled = [], min(seal.settled for seal in was.values())
    for number in sorted(contents):
        settled = was[number].settled if number in was else settled
        chain = studies[number] or NO_STUDY
        position, before = ends.get(chain, (0, BEFORE_THE_FIRST))
        values: dict[str, Any] = {
            "chain": chain,
            "position": position + 1,
            "settled": settled,
            "content": contents[number],
        }
        own = seal_hash(before, recording=number, **values)
        ends[chain] = (position + 1, own)
        made.append(Seal(recording_id=number, hash=own, **values))
    with behind_the_triggers("trial_seal"):
        sql("DELETE FROM trial_seal")
        Seal.objects.bulk_create(made)
