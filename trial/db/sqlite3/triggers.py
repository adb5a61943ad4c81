"""The triggers of SQLite.

They ask two functions that the connection brings: `marrow_recording()`, the number of the recorded act that is open (or
NULL), and `marrow_act()`, what is known of it as JSON. A program that has no such function cannot write at all.

Every refusal is a RAISE(ABORT): an `INSERT OR IGNORE` outside would silence a constraint that fails inside a trigger.
"""

from collections.abc import Iterable

from trial.db import refusals
from trial.db.protection import Piece, Protection, points_elsewhere, sql_literal, version_index
from trial.db.tables import (
    OWNERS,
    RECORDING_TABLE,
    SALT_COLUMN,
    AppendOnlyTable,
    Bond,
    Column,
    Reference,
    TrackedTable,
)

# The instant as Django writes it: no fraction when it is whole, so that texts compare as instants do. SQLite's clock has
# milliseconds.
NOW = (
    "CASE WHEN strftime('%f', 'now') LIKE '%.000' THEN strftime('%Y-%m-%d %H:%M:%S', 'now') "
    "ELSE strftime('%Y-%m-%d %H:%M:%f', 'now') || '000' END"
)
SALT = "randomblob(16)"
UNSTAMPED = "''"  # a recording that its stamp trigger has not reached yet


class SqliteProtection(Protection):
    """The triggers of an SQLite database."""

    clock = "'now'"

    def columns(self) -> list[Column]:
        with self.connection.cursor() as cursor:
            cursor.execute(
                "SELECT m.name, c.name, c.pk FROM sqlite_master m JOIN pragma_table_info(m.name) c "
                "WHERE m.type = 'table' ORDER BY m.name, c.cid"
            )
            return [Column(table, name, bool(key)) for table, name, key in cursor.fetchall()]

    def references(self) -> list[Reference]:
        with self.connection.cursor() as cursor:
            cursor.execute(
                'SELECT m.name, f."from", f."table", '
                'coalesce(f."to", (SELECT name FROM pragma_table_info(f."table") WHERE pk = 1)) '  # no column: its key
                "FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table' "
                "GROUP BY m.name, f.id HAVING count(*) = 1 ORDER BY 1, 2, 3"
            )
            return [Reference(*row) for row in cursor.fetchall()]

    def installed(self) -> list[Piece]:
        with self.connection.cursor() as cursor:
            cursor.execute(
                "SELECT type, name, tbl_name, sql FROM sqlite_master "
                "WHERE type = 'trigger' OR type = 'index' AND name LIKE 'marrow\\_version\\_%' ESCAPE '\\' "
                "ORDER BY type, name"
            )
            return [
                Piece(name, table, sql, sql, f'DROP {kind} "{name}"', is_trigger=kind == "trigger")
                for kind, name, table, sql in cursor.fetchall()
            ]

    def stamp(self, *, dated: bool) -> Piece:
        instant, is_dated = ("json_extract(marrow_act(), '$.at')", 1) if dated else (NOW, 0)
        return trigger(
            f"marrow_stamp_{RECORDING_TABLE}",
            RECORDING_TABLE,
            "AFTER INSERT",
            [f"UPDATE {RECORDING_TABLE} SET at = {instant}, is_dated = {is_dated} WHERE id = NEW.id"],
        )

    def pieces(
        self,
        tables: tuple[TrackedTable, ...],
        recording_columns: tuple[str, ...],
        append_only: tuple[AppendOnlyTable, ...],
    ) -> list[Piece]:
        pieces = [self.stamp(dated=False), *recording_guards()]
        for table in tables:
            pieces += [one_version(table), *history_guards(table), *writers(table, recording_columns)]
        for kept in append_only:
            pieces += append_only_guards(kept)
        return pieces

    def concerned(self, triggers: list[Piece], statement: str) -> list[Piece]:
        return triggers  # whenever a table is renamed SQLite reads all of them again: a tenth of a second each time

    def differing(self, columns: Iterable[str], before: str, after: str) -> str:
        return differing_columns(columns, before, after)

    def unnamed(self, columns: Iterable[str], before: str, after: str) -> str:
        each = (
            f'{before}."{name}" IS NOT {after}."{name}" AND instr({after}.changed, {sql_literal(quoted(name))}) = 0'
            for name in columns
        )
        return " OR ".join(each) or "0"

    def misnamed(self, columns: Iterable[str], before: str, after: str) -> str:
        each = (
            f'{before}."{name}" IS {after}."{name}" AND instr({after}.changed, {sql_literal(quoted(name))}) > 0'
            for name in columns
        )
        return " OR ".join(each) or "0"

    def is_a_day_later(self, later: str, earlier: str) -> str:
        return f"coalesce(julianday({later}) > julianday({earlier}) + 1, 0)"


def differing_columns(columns: Iterable[str], before: str, after: str) -> str:
    """The SQL of a JSON list of those columns in which two rows differ."""
    parts = [
        f'CASE WHEN {before}."{name}" IS NOT {after}."{name}" THEN {sql_literal(f", {quoted(name)}")} ELSE \'\' END'
        for name in columns
    ]
    return f"'[' || substr({' || '.join(parts)}, 3) || ']'" if parts else "'[]'"


def quoted(name: str) -> str:
    return f'"{name}"'


def trigger(name: str, table: str, event: str, statements: list[str], when: str = "") -> Piece:
    """One trigger. SQLite keeps its text as it was written, so that the text describes it."""
    condition = f" WHEN {when}" if when else ""
    body = "; ".join(statements)
    sql = f'CREATE TRIGGER "{name}" {event} ON "{table}" FOR EACH ROW{condition} BEGIN {body}; END'
    return Piece(name, table, sql, sql, f'DROP TRIGGER IF EXISTS "{name}"')


def refuse(text: str, table: str, **names: str) -> str:
    return f"SELECT RAISE(ABORT, {sql_literal(text.format(table=table, **names))})"


def one_version(table: TrackedTable) -> Piece:
    """The index that holds each version of a record once."""
    name = version_index(table.history)
    sql = f'CREATE UNIQUE INDEX "{name}" ON "{table.history}" ("{table.key}", "version")'
    return Piece(name, table.history, sql, sql, f'DROP INDEX "{name}"', is_trigger=False)


def recording_guards() -> list[Piece]:
    """A recording is written by the triggers alone, stamped once, and then kept as it is."""
    name = RECORDING_TABLE
    return [
        trigger(
            f"marrow_guard_{name}",
            name,
            "BEFORE INSERT",
            [refuse(refusals.FORGED, name)],
            f"NEW.id IS NOT marrow_recording() OR NEW.at IS NOT {UNSTAMPED} "
            f"OR EXISTS (SELECT 1 FROM {name} WHERE id = NEW.id)",
        ),
        trigger(
            f"marrow_keep_{name}",
            name,
            "BEFORE UPDATE",
            [refuse(refusals.KEPT, name)],
            f"OLD.at IS NOT {UNSTAMPED} OR NEW.id IS NOT OLD.id",
        ),
        trigger(f"marrow_hold_{name}", name, "BEFORE DELETE", [refuse(refusals.KEPT, name)]),
    ]


def append_only_guards(table: AppendOnlyTable) -> list[Piece]:
    """A row of the record of access, or a seal, is added once, at the instant of the clock, and then kept as it is.

    A trigger of SQLite cannot change what is inserted. So it compares: within one statement 'now' is one instant.
    """
    name, to_the_millisecond = table.name, "'%Y-%m-%d %H:%M:%f'"
    refusal = refuse(refusals.KEPT if table.is_of_trail else refusals.ACCESS_KEPT, name)
    is_there = f'EXISTS (SELECT 1 FROM "{name}" WHERE "{table.key}" = NEW."{table.key}")'  # OR REPLACE would remove it
    guards = [
        trigger(f"marrow_guard_{name}", name, "BEFORE INSERT", [refusal], is_there),
        trigger(f"marrow_keep_{name}", name, "BEFORE UPDATE", [refusal]),
        trigger(f"marrow_hold_{name}", name, "BEFORE DELETE", [refusal]),
    ]
    if table.is_stamped:
        is_other = f"strftime({to_the_millisecond}, NEW.at) IS NOT strftime({to_the_millisecond}, 'now')"
        guards.append(
            trigger(f"marrow_clock_{name}", name, "BEFORE INSERT", [refuse(refusals.OWN_CLOCK, name)], is_other)
        )
    return guards


def history_guards(table: TrackedTable) -> list[Piece]:
    """A history row is added only for what just happened to its row, and then kept as it is.

    There is no room for a forged one: a row that lives has all its versions already, one that is gone has its last.
    """
    history, name, key = table.history, table.name, table.key
    missing = (
        "NEW.recording_id IS NOT marrow_recording() "
        f'OR EXISTS (SELECT 1 FROM "{history}" WHERE "{key}" = NEW."{key}" AND version = NEW.version) '
        "OR NEW.version > 1 AND NOT EXISTS "
        f'(SELECT 1 FROM "{history}" WHERE "{key}" = NEW."{key}" AND version = NEW.version - 1 AND history_type <> \'-\') '
        "OR CASE NEW.history_type WHEN '-' "
        f'THEN EXISTS (SELECT 1 FROM "{name}" WHERE "{key}" = NEW."{key}") '
        f'ELSE NOT EXISTS (SELECT 1 FROM "{name}" WHERE "{key}" = NEW."{key}" AND version = NEW.version) END'
    )
    return [
        trigger(f"marrow_guard_{history}", history, "BEFORE INSERT", [refuse(refusals.FORGED, history)], missing),
        trigger(f"marrow_keep_{history}", history, "BEFORE UPDATE", [refuse(refusals.KEPT, history)]),
        trigger(f"marrow_hold_{history}", history, "BEFORE DELETE", [refuse(refusals.KEPT, history)]),
    ]


def writers(table: TrackedTable, recording_columns: tuple[str, ...]) -> list[Piece]:
    """What writes the history row of an insert, an update and a delete, and the recording at its first."""
    name, key = table.name, table.key
    bound = f"{refuse(refusals.NOT_RECORDED, name)} WHERE marrow_recording() IS NULL"
    begins = f"{refuse(refusals.FIRST_VERSION, name)} WHERE NEW.version IS NOT 1"
    is_new = (
        f"{refuse(refusals.KEY_REUSED, name)} WHERE EXISTS "
        f'(SELECT 1 FROM "{table.history}" WHERE "{key}" = NEW."{key}" AND version = 1)'
    )
    same_key = f'{refuse(refusals.KEY_CHANGED, name)} WHERE NEW."{key}" IS NOT OLD."{key}"'
    raised = f"{refuse(refusals.STALE, name)} WHERE NEW.version IS NOT OLD.version + 1"
    stays = [
        f'{refuse(refusals.CHANGES_HANDS, name, owner=OWNERS[owner])} WHERE NEW."{owner}" IS NOT OLD."{owner}"'
        for owner in table.owners
    ]
    points = [points_right(table, bond) for bond in table.bonds]
    points_still = [
        f'{check} AND NEW."{bond.column}" IS NOT OLD."{bond.column}"'
        for bond, check in zip(table.bonds, points, strict=True)
    ]
    opens = open_recording(recording_columns)
    return [
        trigger(
            f"marrow_insert_{name}",
            name,
            "AFTER INSERT",
            [bound, begins, is_new, *points, opens, *history_row(table, "+", "NEW", "'[]'", "NEW.version")],
        ),
        trigger(
            f"marrow_update_{name}",
            name,
            "AFTER UPDATE",
            [
                bound,
                same_key,
                raised,
                *stays,
                *points_still,
                opens,
                *history_row(table, "~", "NEW", differing_columns(table.followed, "OLD", "NEW"), "NEW.version"),
            ],
        ),
        trigger(
            f"marrow_delete_{name}",
            name,
            "AFTER DELETE",
            [bound, opens, *history_row(table, "-", "OLD", "'[]'", "OLD.version + 1")],
        ),
    ]


def points_right(table: TrackedTable, bond: Bond) -> str:
    """Refuse a row that points to a row of another owner."""
    refusal = refuse(refusals.POINTS_ELSEWHERE, table.name, column=bond.column, owner=OWNERS[bond.owner])
    return f"{refusal} WHERE {points_elsewhere(bond, 'NEW')}"


def open_recording(columns: tuple[str, ...]) -> str:
    """Write the recording of the open act, if this is the first row it writes. The stamp trigger gives it its instant."""
    given = {"at": UNSTAMPED, "is_dated": "0", SALT_COLUMN: SALT}
    values = [given.get(column, f"json_extract(marrow_act(), '$.{column}')") for column in columns]
    return (
        f"INSERT INTO {RECORDING_TABLE} ({', '.join(map(quoted, columns))}) SELECT {', '.join(values)} "
        f"WHERE NOT EXISTS (SELECT 1 FROM {RECORDING_TABLE} WHERE id = marrow_recording())"
    )


def history_row(table: TrackedTable, kind: str, row: str, changed: str, version: str) -> list[str]:
    """Write the history row, and refuse the whole statement if it is not there afterwards."""
    values = [version if column == "version" else f'{row}."{column}"' for column in table.columns]
    salt_column, salt = (f", {SALT_COLUMN}", f", {SALT}") if table.is_salted else ("", "")
    return [
        f'INSERT INTO "{table.history}" ({", ".join(map(quoted, table.columns))}, '
        "history_date, history_change_reason, history_type, history_user_id, recording_id, "
        f"changed{salt_column}) SELECT {', '.join(values)}, act.at, act.reason, '{kind}', act.by_id, act.id, {changed}{salt} "
        f"FROM {RECORDING_TABLE} act WHERE act.id = marrow_recording()",
        f"{refuse(refusals.HISTORY_MISSING, table.name)} WHERE NOT EXISTS "
        f'(SELECT 1 FROM "{table.history}" WHERE "{table.key}" = {row}."{table.key}" AND version = {version} '
        "AND recording_id = marrow_recording())",
    ]
