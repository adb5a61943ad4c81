"""Whether a database keeps what it acknowledges: the checks marrow.D001 to D004 of an open connection.

An unsafe setting is an error in production and a warning elsewhere.
"""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.db.backends.base.base import BaseDatabaseWrapper

from trial.db.sqlite3.library import WAL_IS_SAFE

# `synchronous`: 2 is FULL, 3 is EXTRA. Below that, a save that was acknowledged can be lost when the power goes.
SQLITE_PRAGMAS: dict[str, set[Any]] = {
    "synchronous": {2, 3},
    "foreign_keys": {1},
    "recursive_triggers": {1},
    "mmap_size": {0},
    "journal_mode": {"wal"} if WAL_IS_SAFE else {"delete", "truncate", "persist"},
}
POSTGRESQL_SETTINGS = {
    "fsync": {"on"},
    "full_page_writes": {"on"},
    "synchronous_commit": {"on", "local", "remote_write", "remote_apply"},
    "data_checksums": {"on"},
}


def severity() -> type[Error] | type[Warning]:
    """What an unsafe finding is: an error in production, a warning in development and in the demo."""
    return Error if settings.IS_PRODUCTION else Warning


def check_database(connection: BaseDatabaseWrapper) -> list[CheckMessage]:
    """What is unsafe about the database of a connection, on either engine."""
    return check_sqlite(connection) if connection.vendor == "sqlite" else check_postgresql(connection)


def check_sqlite(connection: BaseDatabaseWrapper) -> list[CheckMessage]:
    """The pragmas of an open SQLite connection, and how its transactions begin."""
    found = severity()
    messages: list[CheckMessage] = []
    with connection.cursor() as cursor:
        for pragma, right in SQLITE_PRAGMAS.items():
            cursor.execute(f"PRAGMA {pragma}")
            row = cursor.fetchone()
            if row and row[0] not in right:  # a database in memory has no mmap_size and answers nothing
                wanted = " or ".join(str(value) for value in sorted(right))
                messages.append(found(f"SQLite's {pragma} is {row[0]}.", hint=f"Set it to {wanted}.", id="marrow.D001"))
    if connection.settings_dict["OPTIONS"].get("transaction_mode") != "IMMEDIATE":
        messages.append(
            found(
                "SQLite's transactions do not begin IMMEDIATE, so that two writers can both fail.",
                hint="Set transaction_mode to IMMEDIATE in the OPTIONS of the database.",
                id="marrow.D002",
            )
        )
    return messages


def check_postgresql(connection: BaseDatabaseWrapper) -> list[CheckMessage]:
    """The server's settings for durability, and whether the role could switch the triggers off."""
    found = severity()
    messages: list[CheckMessage] = []
    with connection.cursor() as cursor:
        for name, right in POSTGRESQL_SETTINGS.items():
            cursor.execute("SELECT current_setting(%s)", [name])
            (value,) = cursor.fetchone()
            if value not in right:
                messages.append(
                    found(
                        f"PostgreSQL's {name} is {value}.",
                        hint=f"Set it to {' or '.join(sorted(right))}.",
                        id="marrow.D003",
                    )
                )
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        (is_superuser,) = cursor.fetchone()
        # Also what it owns by being a member of the owner.
        cursor.execute(
            "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace "
            "AND pg_has_role(current_user, relowner, 'MEMBER')"
        )
        (owned,) = cursor.fetchone()
    if is_superuser or owned:
        # A warning also in production: `migrate` runs as the owner, and it runs this check.
        standing = "is a superuser" if is_superuser else f"owns {owned} table{'' if owned == 1 else 's'}"
        messages.append(
            Warning(
                f"The database role {standing}, so it could switch the audit triggers off.",
                hint="Let the web server use a role that owns no table.",
                id="marrow.D004",
            )
        )
    return messages
