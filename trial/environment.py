"""Readers of the `MARROW_*` settings. An unusable value stops the start, with a sentence that says what to do."""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def read_text(name: str, default: str) -> str:
    """The setting `name`, else the content of the file that `<name>_FILE` names, else `default`.

    The file is for secrets, which must not show in a process list. Both at once is refused.
    """
    value, file = os.environ.get(name), os.environ.get(f"{name}_FILE")
    if value is not None and file is not None:
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set. Keep one of them.")
    if file is not None:
        try:
            value = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(
                f"{name}_FILE is '{file}', which cannot be read ({error}). Name a readable text file."
            ) from error
    if value is None:
        return default
    if not value.strip():
        raise ImproperlyConfigured(f"{name} is empty. Give it a value or remove it.")
    return value


def read_choice(name: str, default: str, choices: Sequence[str]) -> str:
    """The setting `name`, one of `choices`."""
    value = read_text(name, default)
    if value not in choices:
        listed = ", ".join(f"'{choice}'" for choice in choices[:-1]) + f" or '{choices[-1]}'"
        raise ImproperlyConfigured(f"{name} is '{value}'. Set it to {listed}.")
    return value


def read_flag(name: str, default: bool) -> bool:
    """The setting `name`, on or off."""
    return read_choice(name, "on" if default else "off", ("on", "off")) == "on"


def read_number(name: str, default: int, *, least: int, most: int) -> int:
    """The setting `name`, a whole number from `least` to `most`."""
    value = read_text(name, str(default))
    if not (value.isascii() and value.isdigit() and least <= int(value) <= most):
        raise ImproperlyConfigured(f"{name} is '{value}'. Set it to a whole number from {least} to {most}.")
    return int(value)


def read_list(name: str, default: Sequence[str]) -> list[str]:
    """The setting `name`, words between commas."""
    return [word.strip() for word in read_text(name, ",".join(default)).split(",") if word.strip()]


def read_database(name: str, default: Path, *, base: Path) -> dict[str, Any]:
    """Where the data lives: the path of an SQLite file (from `base` when relative) or a `postgresql://` address.

    Returns ENGINE and NAME, and for PostgreSQL also USER, PASSWORD, HOST, PORT and the OPTIONS after the question mark.
    """
    value = read_text(name, str(default))
    if "://" not in value:
        return {"ENGINE": "trial.db.sqlite3", "NAME": base / value, "OPTIONS": {}}
    wanted = "Set it to the path of an SQLite file, or to postgresql://user:password@host:port/name."
    try:
        address = urlsplit(value)
        port = address.port or ""
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is not an address that can be read ({error}). {wanted}") from error
    database = unquote(address.path.removeprefix("/"))
    if address.scheme not in {"postgresql", "postgres"} or not database:
        # The address is not shown: it may hold a password.
        raise ImproperlyConfigured(f"{name} begins with '{address.scheme}://' or names no database. {wanted}")
    return {
        "ENGINE": "trial.db.postgresql",
        "NAME": database,
        "USER": unquote(address.username or ""),
        "PASSWORD": unquote(address.password or ""),
        "HOST": unquote(address.hostname or ""),
        "PORT": str(port),
        "OPTIONS": dict(parse_qsl(address.query)),
    }


def secret_key_of_this_install(file: Path) -> str:
    """The key in `file`, made at the first start and readable by its owner alone. Production names its own instead."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as handle:
            handle.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return file.read_text(encoding="ascii")
