"""Settings and databases that Marrow must not run on: errors in production, warnings elsewhere. Each has its own id.

The checks of the audit trail are in `trial/audit/checks.py`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from trial.db.durability import check_database, severity

# What the trail's reading side must be told (DESIGN 3).
HISTORY_SETTINGS = {
    "SIMPLE_HISTORY_HISTORY_CHANGE_REASON_USE_TEXT_FIELD": True,
    "SIMPLE_HISTORY_REVERT_DISABLED": True,
    "SIMPLE_HISTORY_DATE_INDEX": "composite",
}


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
    sources = [sources for directive, sources in policy.items() if not directive.startswith("report-")]
    allowed = {source for listed in sources for source in listed}
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
    return messages + check_what_workers_share(found) + check_folders(found) + check_files(found)


def check_what_workers_share(found: type[Error] | type[Warning]) -> list[CheckMessage]:
    """Guessing limits and codes used once are counted in the cache, which must be one for all workers."""
    return [
        found(
            f"The cache '{alias}' is of one process alone, so a code could be used once in each worker.",
            hint="Use the database's cache, as trial/settings.py does.",
            id="marrow.S005",
        )
        for alias, cache in settings.CACHES.items()
        if str(cache["BACKEND"]).rsplit(".", 1)[-1] in {"LocMemCache", "DummyCache"}
    ]


@register(Tags.security)
def check_cookies(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """In production no cookie travels without HTTPS, is read by a script, or is set for another host."""
    if not settings.IS_PRODUCTION:
        return []
    messages: list[CheckMessage] = []
    for kind in ("SESSION", "CSRF"):
        cookie = {
            part: getattr(settings, f"{kind}_COOKIE_{part}")
            for part in ("NAME", "SECURE", "HTTPONLY", "SAMESITE", "DOMAIN", "PATH")
        }
        is_safe = (
            cookie["NAME"].startswith("__Host-")
            and cookie["SECURE"]
            and cookie["HTTPONLY"]
            and cookie["SAMESITE"] in {"Lax", "Strict"}
            and not cookie["DOMAIN"]
            and cookie["PATH"] == "/"
        )
        if not is_safe:
            messages.append(
                Error(
                    f"The cookie '{cookie['NAME']}' could be stolen on the way or set by another host.",
                    hint=f"Leave the {kind}_COOKIE_... settings as trial/settings.py has them.",
                    id="marrow.S006",
                )
            )
    return messages


def check_folders(found: type[Error] | type[Warning]) -> list[CheckMessage]:
    """A database file lies where only its own people may put, take or swap files."""
    return [
        found(
            f"The folder '{folder}' of the database may be written by everybody on this machine.",
            hint=f"Close it: chmod o-w {folder}",
            id="marrow.S007",
        )
        for database in settings.DATABASES.values()
        if database.get("ENGINE") == "trial.db.sqlite3"
        and (folder := Path(database["NAME"]).parent).exists()
        and folder.stat().st_mode & 0o002
    ]


def check_files(found: type[Error] | type[Warning]) -> list[CheckMessage]:
    """A database file, and what SQLite keeps beside it, is closed to others, or lies in a folder that is. The demo's holds no secret."""
    if settings.IS_DEMO:
        return []
    return [
        found(
            f"The database file '{file}' may be read by everybody on this machine.",
            hint=f"Close it: chmod o-rwx {file}",
            id="marrow.S008",
        )
        for database in settings.DATABASES.values()
        if database.get("ENGINE") == "trial.db.sqlite3"
        for ending in ("", "-wal", "-shm", "-journal")
        if (file := Path(f"{database['NAME']}{ending}")).exists()
        and file.stat().st_mode & 0o006
        and all(folder.stat().st_mode & 0o001 for folder in file.resolve().parents)
    ]


def refuse_unsafe_settings() -> None:
    """Raise `ImproperlyConfigured` at the first error. A web server starts without the checks, and they can be silenced."""
    for message in check_settings(None) + check_cookies(None):
        if isinstance(message, Error):
            raise ImproperlyConfigured(f"({message.id}) {message.msg} {message.hint}")


@register(Tags.database)
def check_databases(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Ask each database whether it keeps what it acknowledges. Run by `migrate` and `check --database default`."""
    messages: list[CheckMessage] = []
    for alias in databases or []:
        messages += check_database(connections[alias])
    return messages
