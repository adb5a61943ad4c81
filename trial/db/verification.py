"""Proof of the trail: that rows, histories, recordings and triggers agree, told row by row where they do not.

What this cannot see is a trail that was rewritten as a whole by somebody who owns the database, and a cell that is told
nowhere else (decision 0013 lists them); against that there are seals.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations import operations
from django.db.migrations.loader import MigrationLoader

from trial.db.protection import Protection, points_elsewhere, sql_literal
from trial.db.reading import snapshot
from trial.db.tables import (
    OWNERS,
    PERSON_TABLE,
    RECORDING_TABLE,
    Column,
    TrackedTable,
    has_recordings,
    tracked_tables,
)

MIGRATION_TABLE = "django_migrations"
LEAVES_HISTORY_ALONE = (  # operations that cannot make two different values of a history equal
    operations.CreateModel,
    operations.DeleteModel,
    operations.RemoveField,
    operations.AddIndex,
    operations.RemoveIndex,
    operations.RenameIndex,
    operations.AddConstraint,
    operations.RemoveConstraint,
    operations.AlterModelOptions,
    operations.AlterModelManagers,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be. `record` and `version` are None where it is not about a row."""

    table: str
    record: Any
    version: int | None
    what: str

    def __str__(self) -> str:
        record = "" if self.record is None else f" {self.record}"
        version = "" if self.version is None else f" version {self.version}"
        return f"{self.table}{record}{version}: {self.what}"


@dataclass(frozen=True, slots=True)
class Proof:
    """What was looked at, and what was found."""

    tables: int
    history_rows: int
    recordings: int
    dated: int  # recordings whose instant the demo gave
    findings: tuple[Finding, ...]


def prove(using: str = DEFAULT_DB_ALIAS) -> Proof:
    """Look at every tracked table, its history, the recordings and the triggers, in one state of the database."""
    connection: Any = connections[using]
    protection: Protection = connection.protection
    with snapshot(using), connection.cursor() as cursor:
        columns = protection.columns()
        if not has_recordings(columns):
            missing = Finding(RECORDING_TABLE, None, None, "is not there. Run `migrate` first.")
            return Proof(0, 0, 0, 0, (missing,))
        tables = tracked_tables(columns, protection.references())
        findings = [Finding("triggers", None, None, fault) for fault in protection.faults()]
        altering = altering_migrations(connection)
        rows = 0
        for table in tables:
            findings += uncopied_columns(table, columns)
            history_rows = count(cursor, table.history)
            if not history_rows and not count(cursor, table.name):
                continue
            rows += history_rows
            findings += rows_unlike_their_history(cursor, protection, table)
            findings += rows_gone_without_history(cursor, table)
            findings += histories_with_faults(cursor, protection, table, altering.get(table.app, ()))
            findings += rows_unlike_their_recording(cursor, table)
            findings += rows_that_point_elsewhere(cursor, table)
        findings += recordings_without_rows(cursor, tables)
        findings += recordings_at_odd_instants(
            cursor, protection, has_migrations=any(column.table == MIGRATION_TABLE for column in columns)
        )
        findings += recordings_under_strange_names(cursor, protection, tables)
        recordings = count(cursor, RECORDING_TABLE)
        dated = count(cursor, RECORDING_TABLE, "is_dated")
    return Proof(len(tables), rows, recordings, dated, tuple(findings))


def count(cursor: Any, table: str, condition: str = "1 = 1") -> int:
    cursor.execute(f'SELECT count(*) FROM "{table}" WHERE {condition}')
    (number,) = cursor.fetchone()
    return int(number)


def altering_migrations(connection: Any) -> dict[str, tuple[str, ...]]:
    """The applied migrations, by app, after which two values of a history may be equal that were not: it was filled or rounded.

    One that is no longer in the code counts too, as nobody knows what it did.
    """
    loader = MigrationLoader(connection, ignore_no_migrations=True)
    found: dict[str, tuple[str, ...]] = {}
    for app, name in sorted(loader.applied_migrations):
        migration = loader.disk_migrations.get((app, name))
        if migration is None or not all(isinstance(step, LEAVES_HISTORY_ALONE) for step in migration.operations):
            found[app] = (*found.get(app, ()), name)
    return found


def uncopied_columns(table: TrackedTable, columns: list[Column]) -> Iterator[Finding]:
    """Columns of the table that its history does not have."""
    for column in columns:
        if column.table == table.name and column.name not in table.columns:
            yield Finding(table.name, None, None, f"the column {column.name} has no history.")


def rows_unlike_their_history(cursor: Any, protection: Protection, table: TrackedTable) -> Iterator[Finding]:
    """Rows whose history row of the same version is missing, tells of a deletion, or has other values."""
    differing = protection.differing(table.columns, "l", "h")
    cursor.execute(
        f'SELECT l."{table.key}", l.version, h.history_type, {differing} FROM "{table.name}" l '
        f'LEFT JOIN "{table.history}" h ON h."{table.key}" = l."{table.key}" AND h.version = l.version '
        f"WHERE h.history_id IS NULL OR h.history_type = '-' OR {differing} <> '[]' ORDER BY 1"
    )
    for record, version, kind, names in cursor.fetchall():
        if kind is None:
            what = "the row has no history row of this version."
        elif kind == "-":
            what = "the row is there, but its history says that it was deleted."
        else:
            what = f"the row differs from its history in {', '.join(json.loads(names))}."
        yield Finding(table.name, record, version, what)


def rows_gone_without_history(cursor: Any, table: TrackedTable) -> Iterator[Finding]:
    """Records whose row is gone, though their last history row tells of no deletion."""
    key = table.key
    cursor.execute(
        f'SELECT h."{key}", h.version FROM "{table.history}" h LEFT JOIN "{table.name}" l ON l."{key}" = h."{key}" '
        f"WHERE l.\"{key}\" IS NULL AND h.history_type <> '-' AND NOT EXISTS "
        f'(SELECT 1 FROM "{table.history}" x WHERE x."{key}" = h."{key}" AND x.version > h.version) ORDER BY 1'
    )
    for record, version in cursor.fetchall():
        yield Finding(table.name, record, version, "the row is gone, and its history does not say so.")


def histories_with_faults(
    cursor: Any, protection: Protection, table: TrackedTable, altering: tuple[str, ...] = ()
) -> Iterator[Finding]:
    """History rows that do not follow the version before, in number, in kind, in order, in time or in what they say was changed.

    A row that may be older than one of the migrations that were `altering` its history may name a field whose values are
    equal now.
    """
    key = table.key
    differing = protection.differing(table.followed, "p", "h")
    unnamed = protection.unnamed(table.followed, "p", "h")
    misnamed = protection.misnamed(table.followed, "p", "h")
    if altering:
        names = ", ".join(map(sql_literal, altering))
        applied = f"app = {sql_literal(table.app)} AND name IN ({names})"
        last = f"(SELECT max(applied) FROM {MIGRATION_TABLE} WHERE {applied})"
        misnamed = f"({misnamed}) AND {protection.is_a_day_later('h.history_date', last)}"
    faults = {
        "h.version > 1 AND p.history_id IS NULL": "the history row before this one is missing.",
        "h.version = 1 AND h.history_type <> '+'": "the history does not begin with the creation of the record.",
        "h.version > 1 AND h.history_type = '+'": "the record was created a second time.",
        "h.version < 1": "there is no such version.",
        "p.history_type = '-'": "the history goes on after the deletion of the record.",
        "p.history_id > h.history_id": "the history row was written before that of an earlier version.",
        "h.version > l.version": "the history goes further than the row.",
        f"h.history_type = '~' AND ({unnamed})": "the history row does not name all fields that were changed.",
        f"h.history_type = '~' AND ({misnamed})": "the history row names a field that was not changed.",
        f"h.history_type = '-' AND {differing} <> '[]'": "the record was deleted with other values than it had.",
        "h.history_type <> '~' AND h.changed <> '[]'": "a creation or deletion names changed fields.",
        protection.is_a_day_later(
            "p.history_date", "h.history_date"
        ): "its instant is before that of an earlier version.",
    }
    kinds = " ".join(f"WHEN {condition} THEN {number}" for number, condition in enumerate(faults))
    sentences = list(faults.values())
    cursor.execute(
        f'SELECT record, version, fault FROM (SELECT h."{key}" AS record, h.version, CASE {kinds} END AS fault '
        f'FROM "{table.history}" h '
        f'LEFT JOIN "{table.history}" p ON p."{key}" = h."{key}" AND p.version = h.version - 1 '
        f'LEFT JOIN "{table.name}" l ON l."{key}" = h."{key}") followed WHERE fault IS NOT NULL ORDER BY 1, 2'
    )
    for record, version, fault in cursor.fetchall():
        yield Finding(table.name, record, version, sentences[fault])


def rows_unlike_their_recording(cursor: Any, table: TrackedTable) -> Iterator[Finding]:
    """History rows whose recording is missing, or has another instant, person or reason."""
    cursor.execute(
        f'SELECT h."{table.key}", h.version, r.id FROM "{table.history}" h '
        f"LEFT JOIN {RECORDING_TABLE} r ON r.id = h.recording_id WHERE r.id IS NULL OR h.history_date <> r.at "
        "OR h.history_user_id <> r.by_id OR h.history_change_reason <> r.reason ORDER BY 1, 2"
    )
    for record, version, recording in cursor.fetchall():
        what = "its recording is missing." if recording is None else f"it does not agree with recording {recording}."
        yield Finding(table.name, record, version, what)


def rows_that_point_elsewhere(cursor: Any, table: TrackedTable) -> Iterator[Finding]:
    """Rows of one patient or study that point to a row of another one, or to none."""
    for bond in table.bonds:
        cursor.execute(
            f'SELECT l."{table.key}", l.version FROM "{table.name}" l WHERE {points_elsewhere(bond, "l")} ORDER BY 1'
        )
        for record, version in cursor.fetchall():
            what = f"its {bond.column} points to no row of the same {OWNERS[bond.owner]}."
            yield Finding(table.name, record, version, what)


def recordings_without_rows(cursor: Any, tables: tuple[TrackedTable, ...]) -> Iterator[Finding]:
    """Recordings of which no history row is left. The triggers write one only together with its first row."""
    absent = " AND ".join(
        f'NOT EXISTS (SELECT 1 FROM "{table.history}" h WHERE h.recording_id = r.id)' for table in tables
    )
    cursor.execute(f"SELECT r.id FROM {RECORDING_TABLE} r WHERE {absent or '1 = 1'} ORDER BY 1")
    for (record,) in cursor.fetchall():
        yield Finding(RECORDING_TABLE, record, None, "its history rows are missing.")


def recordings_at_odd_instants(cursor: Any, protection: Protection, *, has_migrations: bool) -> Iterator[Finding]:
    """Recordings whose instant, or who gave it, does not fit the recordings beside them or the age of the database.

    A recording has its number before its instant, and others may be stamped in between: inside it, and on PostgreSQL beside
    it. And a clock may be set right. So a day is let pass. The demo's instants follow no order, but all are given before the
    clock's first.
    """
    later = protection.is_a_day_later
    made = f"(SELECT min(applied) FROM {MIGRATION_TABLE})" if has_migrations else "NULL"
    faults = {
        "is_dated AND NOT dated_before": "the demo gave its instant, though the clock gave that of recording {before}.",
        f"NOT is_dated AND {later('at', protection.clock)}": "its instant is still to come.",
        f"NOT is_dated AND {later(made, 'at')}": "the clock gave its instant, but there was no database then.",
        f"NOT is_dated AND NOT dated_before AND {later('at_before', 'at')}": "its instant is before that of recording {before}.",
    }
    kinds = " ".join(f"WHEN {condition} THEN {number}" for number, condition in enumerate(faults))
    sentences = list(faults.values())
    cursor.execute(
        f"SELECT id, before, fault FROM (SELECT id, before, CASE {kinds} END AS fault FROM (SELECT id, at, is_dated, "
        "lag(id) OVER (ORDER BY id) AS before, lag(at) OVER (ORDER BY id) AS at_before, "
        f"lag(is_dated) OVER (ORDER BY id) AS dated_before FROM {RECORDING_TABLE}) beside) judged "
        "WHERE fault IS NOT NULL ORDER BY 1"
    )
    for record, before, fault in cursor.fetchall():
        yield Finding(RECORDING_TABLE, record, None, sentences[fault].format(before=before))


def recordings_under_strange_names(
    cursor: Any, protection: Protection, tables: tuple[TrackedTable, ...]
) -> Iterator[Finding]:
    """Recordings under a name that the person behind the account never had.

    Asked only from a day after the person was entered, and where person and account belong together all the time: before and
    between, the account's own name was taken, and accounts have no history.
    """
    persons = next((table for table in tables if table.name == PERSON_TABLE), None)
    if persons is None:
        return
    history = persons.history
    cursor.execute(
        f"SELECT r.id FROM {RECORDING_TABLE} r JOIN {PERSON_TABLE} p ON p.user_id = r.by_id "
        f"JOIN {history} f ON f.id = p.id AND f.version = 1 JOIN auth_user u ON u.id = r.by_id "
        "WHERE r.person_name <> u.username AND r.person_name <> trim(u.first_name || ' ' || u.last_name) "
        f"AND NOT EXISTS (SELECT 1 FROM {history} h WHERE h.id = p.id AND h.name = r.person_name) "
        f"AND NOT EXISTS (SELECT 1 FROM {history} h WHERE (h.user_id = r.by_id) <> (h.id = p.id)) "
        f"AND {protection.is_a_day_later('r.at', 'f.history_date')} ORDER BY 1"
    )
    for (record,) in cursor.fetchall():
        yield Finding(RECORDING_TABLE, record, None, "the person behind its account never had that name.")
