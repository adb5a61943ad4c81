"""What happens around an account is put on the access record. Wrong passwords and signing out: see `adapter`."""

from typing import Any

from allauth.account import signals as account
from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa import signals as factors
from django.contrib.auth.models import User
from django.dispatch import receiver

from trial.access_record.keeping import record_access
from trial.access_record.models import AccessKind
from trial.sign_in.single_sign_on import HOW


@receiver(account.user_logged_in)
def signed_in(request: Any, user: User, **kwargs: Any) -> None:
    """With what: `password, totp`."""
    steps = get_authentication_records(request, user)
    with_what = [HOW if one["method"] == "socialaccount" else one.get("type") or one["method"] for one in steps]
    record_access(AccessKind.SIGNED_IN, request=request, by=user, what=", ".join(with_what))


@receiver(account.authentication_step_completed)
def confirmed(request: Any, user: User, method: str, **kwargs: Any) -> None:
    """With what; a step of signing in is part of that, and no event of its own."""
    if kwargs.get("reauthenticated"):
        record_access(AccessKind.CONFIRMED, request=request, by=user, what=kwargs.get("type") or method)


@receiver(factors.authentication_failed)
def code_failed(request: Any, user: User, authenticator: Any, reauthentication: bool, **kwargs: Any) -> None:
    """Which second factor; the password before it was right."""
    what = f"confirming, {authenticator.type}" if reauthentication else authenticator.type
    record_access(AccessKind.SIGN_IN_FAILED, request=request, by=user, what=what)


@receiver([account.password_changed, account.password_set])
def password_changed(request: Any, user: User, **kwargs: Any) -> None:
    """By the person who is signed in."""
    record_access(AccessKind.PASSWORD_CHANGED, request=request, by=user)


@receiver(account.password_reset)
def password_reset(request: Any, user: User, **kwargs: Any) -> None:
    """By whoever held a one-time link."""
    record_access(AccessKind.PASSWORD_CHANGED, request=request, by=user, what="by a link")


@receiver([factors.authenticator_added, factors.authenticator_reset])
def factor_added(request: Any, user: User, authenticator: Any, **kwargs: Any) -> None:
    """Which one; recovery codes that are made anew count too."""
    record_access(AccessKind.FACTOR_ADDED, request=request, by=user, what=authenticator.type)


@receiver(factors.authenticator_removed)
def factor_removed(request: Any, user: User, authenticator: Any, **kwargs: Any) -> None:
    """Which one."""
    record_access(AccessKind.FACTOR_REMOVED, request=request, by=user, what=authenticator.type)
