"""The triggers of PostgreSQL.

They read the recorded act from two settings of the transaction: `marrow.recording`, its number, and `marrow.act`, its details
as JSON. Their functions run as the owner of the tables, so the application's role needs no right to write the trail.
"""

from collections.abc import Iterable

from django.db.backends.utils import truncate_name

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
    table_of_history,
)

LOCK_SPACE = 0x4D52  # the upper 16 bits of our advisory locks; the lower 48 are the milliseconds of an open act
SEARCH_PATH = "pg_catalog, pg_temp"  # so that nobody's own table or operator is taken for ours
ROW, BEFORE, INSERT, DELETE, UPDATE, TRUNCATE = 1, 2, 4, 8, 16, 32  # bits of pg_trigger.tgtype
SALT = "uuid_send(gen_random_uuid())"  # 122 random bits, without an extension
EVENTS = {
    ROW | INSERT | DELETE | UPDATE: "AFTER INSERT OR UPDATE OR DELETE",
    ROW | BEFORE | INSERT: "BEFORE INSERT",
    ROW | BEFORE | DELETE | UPDATE: "BEFORE UPDATE OR DELETE",
    BEFORE | TRUNCATE: "BEFORE TRUNCATE",
}


class PostgresqlProtection(Protection):
    """The triggers of a PostgreSQL database, in the schema that the connection works in."""

    clock = "clock_timestamp()"

    def columns(self) -> list[Column]:
        with self.connection.cursor() as cursor:
            cursor.execute(
                "SELECT c.relname, a.attname, coalesce(a.attnum = ANY (i.indkey), false) FROM pg_class c "
                "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
                "LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary "
                "WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') "
                "ORDER BY c.relname, a.attnum"
            )
            return [Column(*row) for row in cursor.fetchall()]

    def references(self) -> list[Reference]:
        with self.connection.cursor() as cursor:
            cursor.execute(
                "SELECT c.relname, a.attname, t.relname, k.attname FROM pg_constraint f "
                "JOIN pg_class c ON c.oid = f.conrelid JOIN pg_class t ON t.oid = f.confrelid "
                "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = f.conkey[1] "
                "JOIN pg_attribute k ON k.attrelid = t.oid AND k.attnum = f.confkey[1] "
                "WHERE f.contype = 'f' AND cardinality(f.conkey) = 1 AND c.relnamespace = current_schema()::regnamespace "
                "AND t.relnamespace = c.relnamespace ORDER BY 1, 2, 3"
            )
            return [Reference(*row) for row in cursor.fetchall()]

    def installed(self) -> list[Piece]:
        with self.connection.cursor() as cursor:
            cursor.execute(
                "SELECT t.tgname, c.relname, t.tgtype::int, p.proname, t.tgenabled::text, t.tgqual IS NULL AND t.tgattr = '' "
                "FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid "
                "WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace ORDER BY 1, 2"
            )
            triggers = [
                Piece(
                    f"{name} on {table}",
                    table,
                    f"{kind} {function}" if enabled == "O" and is_plain else f"{kind} {function} {enabled} {is_plain}",
                    "",
                    f'DROP TRIGGER "{name}" ON "{table}"',
                )
                for name, table, kind, function, enabled, is_plain in cursor.fetchall()
            ]
            cursor.execute(
                "SELECT proname, prosrc, prosecdef, array_to_string(proconfig, '; ') FROM pg_proc "
                "WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'marrow\\_%' ORDER BY proname"
            )
            functions = [
                Piece(
                    f"{name}()", "", f"{source}|{as_owner}|{config}", "", f'DROP FUNCTION "{name}"()', is_trigger=False
                )
                for name, source, as_owner, config in cursor.fetchall()
            ]
            cursor.execute(
                "SELECT x.relname, t.relname, i.indisunique AND i.indisvalid AND i.indpred IS NULL, "
                "array_to_string(ARRAY(SELECT pg_get_indexdef(i.indexrelid, n, false) FROM generate_series(1, i.indnatts) n), "
                "', ') FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid "
                "WHERE x.relnamespace = current_schema()::regnamespace AND x.relname LIKE 'marrow\\_version\\_%' ORDER BY 1"
            )
            indexes = [
                Piece(name, table, f"{is_whole} {columns}", "", f'DROP INDEX "{name}"', is_trigger=False)
                for name, table, is_whole, columns in cursor.fetchall()
            ]
        return [*triggers, *functions, *indexes]

    def schema(self) -> str:
        """The schema of the tables, quoted."""
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT quote_ident(current_schema())")
            return str(cursor.fetchone()[0])

    def stamp(self, *, dated: bool) -> Piece:
        instant = "(current_setting('marrow.act')::jsonb ->> 'at')::timestamptz" if dated else "clock_timestamp()"
        return function(
            "marrow_stamp",
            f"""
BEGIN
  IF pg_trigger_depth() < 2 THEN {refuse(refusals.FORGED, RECORDING_TABLE)} END IF;
  -- A reader that looks for open acts sees this lock before the act has its instant. The first act of a transaction is enough.
  IF coalesce(current_setting('marrow.locked', true), '') = '' THEN
    PERFORM pg_advisory_xact_lock_shared(
      ({LOCK_SPACE}::bigint << 48) | floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint);
    PERFORM set_config('marrow.locked', 'on', true);
  END IF;
  NEW.at := {instant};
  NEW.is_dated := {str(dated).lower()};
  RETURN NEW;
END""",
        )

    def pieces(
        self,
        tables: tuple[TrackedTable, ...],
        recording_columns: tuple[str, ...],
        append_only: tuple[AppendOnlyTable, ...],
    ) -> list[Piece]:
        schema = self.schema()
        kept = "MESSAGE = format({}, TG_TABLE_NAME)"
        pieces = [
            self.stamp(dated=False),
            function("marrow_keep", f"\nBEGIN {refuse_as(kept.format(named(refusals.KEPT)))} END"),
            function("marrow_keep_access", f"\nBEGIN {refuse_as(kept.format(named(refusals.ACCESS_KEPT)))} END"),
            function("marrow_clock", "\nBEGIN\n  NEW.at := clock_timestamp();\n  RETURN NEW;\nEND"),
            function("marrow_fill", f"\nBEGIN {refuse_as(kept.format(named(refusals.EMPTIED)))} END"),
            function(
                "marrow_guard",
                f"\nBEGIN\n  IF pg_trigger_depth() < 2 THEN {refuse_as(kept.format(named(refusals.FORGED)))} END IF;"
                "\n  RETURN NEW;\nEND",
            ),
            trigger("marrow_stamp", RECORDING_TABLE, ROW | BEFORE | INSERT, "marrow_stamp"),
            *keepers(RECORDING_TABLE),
        ]
        for table in tables:
            writer = truncate_name(f"marrow_audit_{table.name}", 63)
            pieces += [
                one_version(table),
                function(writer, writer_body(schema, table, recording_columns), as_owner=True),
                trigger("marrow_audit", table.name, ROW | INSERT | DELETE | UPDATE, writer),
                trigger("marrow_fill", table.name, BEFORE | TRUNCATE, "marrow_fill"),
                trigger("marrow_guard", table.history, ROW | BEFORE | INSERT, "marrow_guard"),
                *keepers(table.history),
            ]
        for added in append_only:
            pieces += keepers(added.name, "marrow_keep" if added.is_of_trail else "marrow_keep_access")
            if added.is_stamped:
                pieces.append(trigger("marrow_clock", added.name, ROW | BEFORE | INSERT, "marrow_clock"))
        return pieces

    def concerned(self, triggers: list[Piece], statement: str) -> list[Piece]:
        # Those of the tables that it names and of their histories, or the other way round: each needs a lock on its table. A
        # name inside a longer one counts: one too many does no harm.
        named = {record_of(piece) for piece in triggers if piece.table in statement}
        return [piece for piece in triggers if record_of(piece) in named or RECORDING_TABLE in named]

    def differing(self, columns: Iterable[str], before: str, after: str) -> str:
        return differing_columns(columns, before, after)

    def unnamed(self, columns: Iterable[str], before: str, after: str) -> str:
        each = (
            f'{before}."{name}" IS DISTINCT FROM {after}."{name}" AND NOT jsonb_exists({after}.changed, {sql_literal(name)})'
            for name in columns
        )
        return " OR ".join(each) or "false"

    def misnamed(self, columns: Iterable[str], before: str, after: str) -> str:
        each = (
            f'{before}."{name}" IS NOT DISTINCT FROM {after}."{name}" AND jsonb_exists({after}.changed, {sql_literal(name)})'
            for name in columns
        )
        return " OR ".join(each) or "false"

    def is_a_day_later(self, later: str, earlier: str) -> str:
        return f"coalesce({later} > {earlier} + interval '1 day', false)"


def record_of(piece: Piece) -> str:
    """The table whose rows a trigger is about: for a trigger on a history, the table that it belongs to."""
    return table_of_history(piece.table) or piece.table


def differing_columns(columns: Iterable[str], before: str, after: str) -> str:
    """The SQL of a JSON list of those columns in which two rows differ."""
    parts = [
        f'CASE WHEN {before}."{name}" IS DISTINCT FROM {after}."{name}" THEN {sql_literal(name)} END'
        for name in columns
    ]
    return f"to_jsonb(array_remove(ARRAY[{', '.join(parts)}]::text[], NULL))"


def named(text: str) -> str:
    """A text as a literal for SQL's format(), which puts in the name of the table."""
    return sql_literal(text.replace("%", "%%").format(table="%s"))


def refuse(text: str, table: str, **names: str) -> str:
    return refuse_as(f"MESSAGE = {sql_literal(text.format(table=table, **names))}")


def refuse_as(message: str) -> str:
    return f"RAISE EXCEPTION USING ERRCODE = '23514', {message};"


def function(name: str, body: str, *, as_owner: bool = False) -> Piece:
    """One trigger function with a fixed search path."""
    security = " SECURITY DEFINER" if as_owner else ""
    return Piece(
        f"{name}()",
        "",
        f"{body}|{as_owner}|search_path={SEARCH_PATH}",
        f'CREATE OR REPLACE FUNCTION "{name}"() RETURNS trigger LANGUAGE plpgsql{security} '
        f"SET search_path = {SEARCH_PATH} AS $marrow${body}$marrow$",
        "SELECT",  # a function is replaced in place
        is_trigger=False,
    )


def one_version(table: TrackedTable) -> Piece:
    """The index that holds each version of a record once."""
    name = version_index(table.history)
    return Piece(
        name,
        table.history,
        f"True {table.key}, version",
        f'CREATE UNIQUE INDEX "{name}" ON "{table.history}" ("{table.key}", "version")',
        f'DROP INDEX "{name}"',
        is_trigger=False,
    )


def trigger(name: str, table: str, kind: int, function_name: str) -> Piece:
    """One trigger. `kind` is PostgreSQL's own sum of bits."""
    each = "ROW" if kind & ROW else "STATEMENT"
    return Piece(
        f"{name} on {table}",
        table,
        f"{kind} {function_name}",
        f'CREATE TRIGGER "{name}" {EVENTS[kind]} ON "{table}" FOR EACH {each} EXECUTE FUNCTION "{function_name}"()',
        f'DROP TRIGGER "{name}" ON "{table}"',
    )


def keepers(table: str, refusing: str = "marrow_keep") -> list[Piece]:
    """What keeps the rows of the trail, or of the record of access, as they are."""
    return [
        trigger("marrow_keep", table, ROW | BEFORE | DELETE | UPDATE, refusing),
        trigger("marrow_hold", table, BEFORE | TRUNCATE, refusing),
    ]


def writer_body(schema: str, table: TrackedTable, recording_columns: tuple[str, ...]) -> str:
    """What writes the history row of an insert, an update or a delete, and the recording at its first."""
    name, key = table.name, table.key
    recordings = f"{schema}.{RECORDING_TABLE}"
    history = f'{schema}."{table.history}"'
    columns = ", ".join(f'"{column}"' for column in recording_columns)
    details = ", ".join(SALT if column == SALT_COLUMN else f'"{column}"' for column in recording_columns)
    points = "".join(f"\n    {points_right(schema, table, bond)}" for bond in table.bonds)
    points_still = "".join(
        f'\n    IF NEW."{bond.column}" IS DISTINCT FROM OLD."{bond.column}" THEN {points_right(schema, table, bond)} END IF;'
        for bond in table.bonds
    )
    stays = "".join(
        f'\n    IF NEW."{owner}" IS DISTINCT FROM OLD."{owner}" THEN '
        f"{refuse(refusals.CHANGES_HANDS, name, owner=OWNERS[owner])} END IF;"
        for owner in table.owners
    )
    return f"""
DECLARE
  number bigint := nullif(current_setting('marrow.recording', true), '')::bigint;
  act record;
BEGIN
  IF number IS NULL THEN {refuse(refusals.NOT_RECORDED, name)} END IF;
  SELECT r.id, r.at, r.reason, r.by_id INTO act FROM {recordings} r WHERE r.id = number;
  IF NOT FOUND THEN
    INSERT INTO {recordings} ({columns})
      SELECT {details} FROM jsonb_populate_record(NULL::{recordings}, current_setting('marrow.act')::jsonb)
      RETURNING id, at, reason, by_id INTO act;
  END IF;
  IF TG_OP = 'INSERT' THEN
    IF NEW.version IS DISTINCT FROM 1 THEN {refuse(refusals.FIRST_VERSION, name)} END IF;
    IF EXISTS (SELECT 1 FROM {history} h WHERE h."{key}" = NEW."{key}") THEN {refuse(refusals.KEY_REUSED, name)} END IF;{points}
    {history_row(history, table, "+", "NEW", "'[]'::jsonb", "NEW.version")}
  ELSIF TG_OP = 'UPDATE' THEN
    IF NEW."{key}" IS DISTINCT FROM OLD."{key}" THEN {refuse(refusals.KEY_CHANGED, name)} END IF;
    IF NEW.version IS DISTINCT FROM OLD.version + 1 THEN {refuse(refusals.STALE, name)} END IF;{stays}{points_still}
    {history_row(history, table, "~", "NEW", differing_columns(table.followed, "OLD", "NEW"), "NEW.version")}
  ELSE
    {history_row(history, table, "-", "OLD", "'[]'::jsonb", "OLD.version + 1")}
  END IF;
  RETURN NULL;
END"""


def points_right(schema: str, table: TrackedTable, bond: Bond) -> str:
    """Refuse a row that points to a row of another owner."""
    refusal = refuse(refusals.POINTS_ELSEWHERE, table.name, column=bond.column, owner=OWNERS[bond.owner])
    return f"IF {points_elsewhere(bond, 'NEW', f'{schema}.')} THEN {refusal} END IF;"


def history_row(history: str, table: TrackedTable, kind: str, row: str, changed: str, version: str) -> str:
    values = [version if column == "version" else f'{row}."{column}"' for column in table.columns]
    columns = ", ".join(f'"{column}"' for column in table.columns)
    salt_column, salt = (f", {SALT_COLUMN}", f", {SALT}") if table.is_salted else ("", "")
    return (
        f"INSERT INTO {history} ({columns}, history_date, history_change_reason, history_type, history_user_id, recording_id, "
        f"changed{salt_column}) VALUES ({', '.join(values)}, act.at, act.reason, '{kind}', act.by_id, act.id, {changed}{salt});"
    )
