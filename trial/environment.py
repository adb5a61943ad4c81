"""Readers of the `MARROW_*` settings. An unusable value stops the start, with a sentence that says what to do."""

import os
import re
import secrets
from collections.abc import Sequence
from ipaddress import ip_address
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


def refuse_files_that_all_may_read() -> None:
    """Raise `ImproperlyConfigured` when a file that a `MARROW_..._FILE` names is open to everybody on this machine."""
    for name, file in sorted(os.environ.items()):
        is_ours = name.startswith("MARROW_") and name.endswith("_FILE") and Path(file).exists()
        if is_ours and Path(file).stat().st_mode & 0o007:
            raise ImproperlyConfigured(
                f"{name} is '{file}', which everybody on this machine may read or write. Close it: chmod o-rwx {file}"
            )


def is_a_sample(key: str) -> bool:
    """Whether a secret key looks copied from an example: those are known to everybody."""
    return any(word in key.lower() for word in ("insecure", "changeme", "change-me", "example", "sample", "replace-me"))


def is_weak(key: str) -> bool:
    """Whether a secret key is too short, or long by repeating itself: fewer than 10 letters or 40 pieces of three differ."""
    pieces = {key[start : start + 3] for start in range(len(key) - 2)}
    return len(key) < 50 or len(set(key)) < 10 or len(pieces) < 40


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


def read_path(name: str, default: Path | None, *, base: Path) -> Path | None:
    """The setting `name`, a file or folder (from `base` when relative); `default` where it is not set."""
    value = read_text(name, "")
    return base / value if value else default


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


def refuse_a_readable_connection(name: str, database: dict[str, Any]) -> None:
    """Raise `ImproperlyConfigured` when a connection to another machine need not be encrypted."""
    asked = database["OPTIONS"]
    if database["ENGINE"] != "trial.db.postgresql" or asked.get("sslmode") in {"require", "verify-ca", "verify-full"}:
        return
    host = database["HOST"] or asked.get("host") or os.environ.get("PGHOST", "")  # in the order that the driver takes
    hosts = [*host.split(","), *asked.get("hostaddr", "").split(",")]
    if "service" in asked or not all(is_this_machine(host) for host in hosts):
        # The address is not shown: it may hold a password.
        raise ImproperlyConfigured(
            f"{name} leads to another machine and lets the connection be read on the way. Add ?sslmode=verify-full, "
            "with sslrootcert naming the certificate of the server's authority; at least sslmode=require."
        )


def is_this_machine(host: str) -> bool:
    """Whether a database's host is a socket, or a name or number of this machine itself."""
    if not host or host == "localhost" or host.startswith(("/", "@")):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def read_mail(name: str) -> dict[str, Any] | None:
    """Where letters are handed over: `smtp://user:password@host:port`, or `smtps://` for TLS from the first byte; None without.

    Returns Django's EMAIL_ settings. An `smtp://` server on another machine must offer STARTTLS: letters carry links.
    """
    value = read_text(name, "")
    if not value:
        return None
    wanted = "Set it to smtp://user:password@host:port, or to smtps:// where TLS comes first."
    try:
        address = urlsplit(value)
        port = address.port
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is not an address that can be read ({error}). {wanted}") from error
    if address.scheme not in {"smtp", "smtps"} or not address.hostname or address.path.strip("/") or address.query:
        # The address is not shown: it may hold a password.
        raise ImproperlyConfigured(f"{name} begins with '{address.scheme}://' or names no server alone. {wanted}")
    is_tls_first = address.scheme == "smtps"
    return {
        "EMAIL_HOST": address.hostname,
        "EMAIL_PORT": port or (465 if is_tls_first else 587),
        "EMAIL_HOST_USER": unquote(address.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(address.password or ""),
        "EMAIL_USE_SSL": is_tls_first,
        "EMAIL_USE_TLS": not is_tls_first and address.hostname not in {"localhost", "127.0.0.1", "::1"},
    }


def read_addresses(name: str) -> list[str]:
    """The setting `name`, e-mail addresses between commas."""
    addresses = read_list(name, [])
    for address in addresses:
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
            raise ImproperlyConfigured(f"{name} has '{address}' in it. List e-mail addresses, between commas.")
    return addresses


def read_single_sign_on(*, is_production: bool) -> dict[str, Any] | None:
    """The OpenID Connect provider that may vouch for people, as allauth has it. All four settings, or none."""
    names = [f"MARROW_OIDC_{part}" for part in ("ISSUER", "CLIENT_ID", "SECRET", "NAME")]
    values = {name: read_text(name, "") for name in names}
    if not any(values.values()):
        return None
    missing = [name for name, value in values.items() if not value]
    if missing:
        raise ImproperlyConfigured(
            f"{missing[0]} is missing. Single sign-on needs all of {', '.join(names[:-1])} and {names[-1]}, or none."
        )
    issuer, client, secret, title = values.values()
    address = urlsplit(issuer)
    is_here = address.hostname in {"localhost", "127.0.0.1"} and not is_production
    if not address.hostname or (address.scheme != "https" and not (address.scheme == "http" and is_here)):
        raise ImproperlyConfigured(
            f"MARROW_OIDC_ISSUER is '{issuer}'. Set it to the https:// address that the provider calls its issuer."
        )
    app = {
        "provider_id": "oidc",
        "name": title,
        "client_id": client,
        "secret": secret,
        "settings": {"server_url": issuer.rstrip("/")},
    }
    return {"APPS": [app], "OAUTH_PKCE_ENABLED": True}


def secret_key_of_this_install(file: Path) -> str:
    """The key in `file`, made at the first start and readable by its owner alone. Production names its own instead."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as handle:
            handle.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return file.read_text(encoding="ascii")
