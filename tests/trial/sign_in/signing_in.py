"""What the tests of signing in do again and again: sign in, hold an app, count what is on record."""

import base64
import hashlib
import hmac
import re
import struct
import time
from collections.abc import Callable
from typing import Any, ClassVar

from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from trial.models import AccessEvent

PASSWORD = "as long as it needs to be"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


class CountingHasher(MD5PasswordHasher):
    """Keeps what it was given to hash."""

    algorithm = "counting"
    hashed: ClassVar[list[str]] = []

    def encode(self, password: str, salt: str) -> str:
        self.hashed.append(password)
        return super().encode(password, salt)


def code(secret: str = SECRET, *, steps: int = 0, at: float | None = None) -> str:
    """What an authenticator app shows (RFC 6238: SHA-1, 30 seconds, six digits), some steps from now."""
    counter = int((time.time() if at is None else at) // 30) + steps
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", counter), hashlib.sha1).digest()
    place = digest[-1] & 15
    return f"{(int.from_bytes(digest[place : place + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


def give_app(user: User, secret: str = SECRET) -> None:
    """Give the person an authenticator app, and recovery codes with it."""
    TOTP.activate(user, secret)
    RecoveryCodes.activate(user)


def recovery_codes(user: User) -> list[str]:
    """The recovery codes that this person has left."""
    unused: list[str] = user.authenticator_set.get(type="recovery_codes").wrap().get_unused_codes()
    return unused


def give_password(client: Client, name: str, password: str = PASSWORD, **extra: Any) -> Any:
    """Send the sign-in form."""
    return client.post("/sign-in/", {"login": name, "password": password}, **extra)


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def events(*kinds: str) -> list[tuple[str, str, str]]:
    """What is on the access record, oldest first: kind, name and what. All of it, or the kinds asked for."""
    found = AccessEvent.objects.order_by("pk")
    rows = found.filter(kind__in=kinds) if kinds else found
    return list(rows.values_list("kind", "person_name", "what"))


def found(pattern: str, text: str) -> str:
    """What the pattern's first group finds in the text, or all of it; fails where it finds nothing."""
    match = re.search(pattern, text)
    assert match, f"{pattern} is not in {text[:2000]}"
    return match[match.re.groups and 1]


def work_of(act: Callable[[], Any]) -> list[str]:
    """What is asked of the database, without the values: for two cases to be told apart by time, it would differ."""
    with CaptureQueriesContext(connection) as queries:
        act()
    return [re.sub(r"'[^']*'|\b\d+\b|NULL|\w*x\d+\w*", "?", query["sql"])[:80] for query in queries]
