"""Limits on guessing: by name and address, by name from anywhere, and by address, of IPv6 by its /64. They pass by themselves.

Counted in the cache that all workers share. Who signed in from an address before is not kept out there by others' guessing.
"""

import hashlib

from allauth.core.internal import ratelimit
from allauth.core.internal.ratelimit import RateLimitUsage
from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from trial.access import memberships_of
from trial.access_record.keeping import client_address, network_of, record_access
from trial.access_record.models import AccessEvent, AccessKind
from trial.models import Membership, Role
from trial.sign_in.letters import send_letters
from trial.sign_in.names import folded, is_shaped_like_a_name

LOCKED_MINUTES = 5  # the time in the rates of ACCOUNT_RATE_LIMITS that a person meets
NOT_A_NAME = "(not a user name)"


class TooMany(Exception):
    """There were too many attempts; the text says what was counted."""


def typed_name(text: str) -> str:
    """What may be kept of what was typed as a user name: people type passwords into the wrong box."""
    return folded(text) if is_shaped_like_a_name(text) else NOT_A_NAME


def account_called(text: str) -> User | None:
    """The account of that name with its person, if there is one. One query, so that nobody can tell which by the time."""
    return User.objects.select_related("person").filter(username=folded(text)).first()


def count_attempt(request: HttpRequest, name: str) -> RateLimitUsage:
    """Count one attempt to sign in with this name, and give what takes it back. Raise `TooMany` when it is refused."""
    address = client_address(request)
    network = network_of(address)
    limits = {"login_failed_address": network, "login_failed": f"{name} {network}", "login_failed_name": name}
    if AccessEvent.objects.filter(kind=AccessKind.SIGNED_IN, by__username=name, address=address).exists():
        del limits["login_failed_name"]  # else anybody anywhere could keep this person out
    counted = RateLimitUsage([])
    for action, key in limits.items():
        usage = ratelimit.consume(request, app="allauth.account", action=action, key=key)
        if usage is None:
            counted.rollback()
            raise TooMany(f"{action} {key}")
        counted.usage += usage.usage
    return counted


def lock_out(request: HttpRequest, counted: str, name: str, account: User | None) -> None:
    """Put a lock-out on record and tell who must know, once for as long as it lasts. `counted` is what there was too much of."""
    digest = hashlib.sha256(counted.encode()).hexdigest()
    if not cache.add(f"marrow.locked.{digest}", "told", timeout=LOCKED_MINUTES * 60):
        return
    kept = typed_name(name)
    record_access(AccessKind.LOCKED_OUT, request=request, by=account, person_name=kept)
    send_letters(
        {*settings.ALERTS, *administrators_for(account)},
        "somebody was locked out",
        f"There were too many attempts to sign in as {kept} from {client_address(request)}. More are refused for some "
        f"{LOCKED_MINUTES} minutes.\n\nIf it was not the person, ask them. The access record has all attempts.\n",
    )


def administrators_for(account: User | None) -> list[str]:
    """The e-mail addresses of today's administrators of this person's studies."""
    if account is None:
        return []
    today = timezone.now().date()
    administrators = Membership.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=today),
        starts_on__lte=today,
        study__in=memberships_of(account).values("study"),
        role=Role.ADMINISTRATOR,
        person__is_active=True,
        person__user__is_active=True,
    )
    return list(administrators.exclude(person__user__email="").values_list("person__user__email", flat=True))
