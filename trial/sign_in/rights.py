"""What a person may do, in one fingerprint. A session and an API token keep the one they began with and end when it changes.

It is read from the database at each request, so a change counts by whatever way it was written.
"""

import hashlib
import json
from typing import Any, NamedTuple

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User

SECOND_FACTORS = frozenset(
    {Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN}
)  # recovery codes only stand in for one
# What a factor is, in the columns of allauth's `data`. The rest changes with use: which recovery codes are spent, a name.
LASTING = ("secret", "seed", "credential")


COLUMNS = tuple(field.attname for field in User._meta.concrete_fields)


class Rights(NamedTuple):
    """The fingerprint, whether the person has a second factor, and the account; None where it is gone."""

    fingerprint: str
    has_second_factor: bool
    account: User | None


def read_rights(user_id: Any) -> Rights:
    """The rights of an account as the database has them now. One query, whatever the person may do."""
    rows = (
        User.objects.filter(pk=user_id)
        .order_by("person__memberships__pk", "authenticator__pk")
        .values_list(
            "password",
            "is_active",
            "person__pk",
            "person__version",
            "person__is_active",
            "person__memberships__pk",
            "person__memberships__version",
            "authenticator__pk",
            "authenticator__type",
            "authenticator__data",
            *COLUMNS,
        )
    )
    found = list(rows)  # each role beside each factor
    held = list(dict.fromkeys(row[:7] for row in found))
    factors = {row[7]: (row[8], row[9]) for row in found if row[7] is not None}
    account = User.from_db(rows.db, COLUMNS, found[0][10:]) if found else None
    lasting = [(pk, type_, [data.get(name) for name in LASTING]) for pk, (type_, data) in sorted(factors.items())]
    fingerprint = hashlib.sha256(json.dumps([held, lasting]).encode()).hexdigest()
    return Rights(fingerprint, any(type_ in SECOND_FACTORS for _, type_, _ in lasting), account)


def rights_of(user: Any) -> str:
    """The fingerprint of what this person may do: password, account, person, roles and second factors. 64 hex digits."""
    return read_rights(user.pk).fingerprint
