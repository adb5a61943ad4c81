"""What the application's role may do: everything but write the trail; and to the record of access it may only add.

The owner of the tables runs `migrate`, and no web server.
"""

from collections.abc import Iterable
from typing import Any

from trial.db.tables import APPEND_ONLY_TABLES, RECORDING_TABLE


def grant_application_role(connection: Any, role: str) -> None:
    """Give a role what the application needs, in the schema of this connection, and take from it all writing of the trail.

    New tables are not granted by themselves: repeat this after each `migrate`.
    """
    schema = connection.protection.schema()

    def named(tables: Iterable[str]) -> str:
        return ", ".join(f"{schema}.{connection.ops.quote_name(table)}" for table in sorted(tables))

    there = {column.table for column in connection.protection.columns()}
    kept = there & {RECORDING_TABLE, "django_migrations", *(table.history for table in connection.protection.tables())}
    added_to = there & set(APPEND_ONLY_TABLES)
    quoted = connection.ops.quote_name(role)
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT USAGE ON SCHEMA {schema} TO {quoted}")
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {quoted}")
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {quoted}")
        cursor.execute(f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {named(kept)} FROM {quoted}")
        cursor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {named(added_to)} FROM {quoted}")
