"""What the application's role may do: everything but write the trail. The owner of the tables runs `migrate`, and no web server."""

from typing import Any

from trial.db.tables import RECORDING_TABLE


def grant_application_role(connection: Any, role: str) -> None:
    """Give a role what the application needs, in the schema of this connection, and take from it all writing of the trail.

    New tables are not granted by themselves: repeat this after each `migrate`.
    """
    schema = connection.protection.schema()
    there = {column.table for column in connection.protection.columns()}
    kept = there & {RECORDING_TABLE, "django_migrations", *(table.history for table in connection.protection.tables())}
    tables = ", ".join(f"{schema}.{connection.ops.quote_name(table)}" for table in sorted(kept))
    quoted = connection.ops.quote_name(role)
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT USAGE ON SCHEMA {schema} TO {quoted}")
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {quoted}")
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {quoted}")
        cursor.execute(f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {tables} FROM {quoted}")
