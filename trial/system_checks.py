"""Settings and databases that Marrow must not run on: errors in production, warnings elsewhere. Each has its own id.

The checks of the audit trail are in `trial/audit/checks.py`.
"""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from trial.db.sqlite3.library import WAL_IS_SAFE

# What the trail's reading side must be told (DESIGN 3).
HISTORY_SETTINGS = {
    "SIMPLE_HISTORY_HISTORY_CHANGE_REASON_USE_TEXT_FIELD": True,
    "SIMPLE_HISTORY_REVERT_DISABLED": True,
    "SIMPLE_HISTORY_DATE_INDEX": "composite",
}
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


@register(Tags.security)
def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The settings that the promises of Marrow rest on are as they were decided."""
    found = severity()
    messages: list[CheckMessage] = []
    if "django.contrib.auth.middleware.LoginRequiredMiddleware" not in settings.MIDDLEWARE:
        messages.append(
            found(
                "A page that says nothing about access is open to everybody.",
                hint="Put LoginRequiredMiddleware back into MIDDLEWARE.",
                id="marrow.S001",
            )
        )
    for alias, database in settings.DATABASES.items():
        if database.get("ATOMIC_REQUESTS"):
            messages.append(
                found(
                    f"ATOMIC_REQUESTS is on for the database '{alias}', so that every page view takes the write lock.",
                    hint="Remove it. `recording()` opens the transaction of a write.",
                    id="marrow.S002",
                )
            )
    policy = getattr(settings, "CONTENT_SECURITY_POLICY", {}).get("DIRECTIVES", {})
    allowed = {source for sources in policy.values() for source in sources}
    if policy.get("default-src") != ["'none'"] or not allowed <= {"'none'", "'self'", "data:"}:
        messages.append(
            found(
                "The content security policy lets a page load or run what did not come from this server.",
                hint="Begin CONTENT_SECURITY_POLICY with default-src 'none' and allow 'self' only.",
                id="marrow.S003",
            )
        )
    for name, value in HISTORY_SETTINGS.items():
        if getattr(settings, name, None) != value:
            messages.append(
                found(f"{name} is {getattr(settings, name, None)!r}.", hint=f"Set it to {value!r}.", id="marrow.S004")
            )
    return messages


@register(Tags.database)
def check_databases(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Ask each database whether it keeps what it acknowledges. Run by `migrate` and `check --database default`."""
    messages: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        if connection.vendor == "sqlite":
            messages += check_sqlite(connection)
        elif connection.vendor == "postgresql":
            messages += check_postgresql(connection)
    return messages


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
    if is_superuser:
        # A warning also in production: `migrate` runs as the owner, and it runs this check.
        messages.append(
            Warning(
                "The database role is a superuser, so it could switch the audit triggers off.",
                hint="Let the web server use a role that owns no table.",
                id="marrow.D004",
            )
        )
    return messages
