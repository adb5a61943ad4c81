"""Making an API token, revoking it, and what ends one."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from trial.access import GRANTS, Permission, memberships_of
from trial.access_record.keeping import record_access
from trial.access_record.models import AccessKind
from trial.models import ApiToken, Membership
from trial.sign_in.rights import read_rights
from trial.wording import word_date

MOST_DAYS = 365
USUAL_DAYS = 90


def memberships_for_tokens(user: Any) -> list[Membership]:
    """One membership for each study and role in which this person may have a token."""
    of_roles: dict[tuple[Any, str], Membership] = {}
    held = memberships_of(user).filter(role__in=GRANTS[Permission.TOKENS_EDIT])
    for membership in held.select_related("study", "person").order_by("study__code", "pk"):
        of_roles.setdefault((membership.study_id, membership.role), membership)
    return list(of_roles.values())


@transaction.atomic
def make_token(request: Any, membership: Membership, *, name: str, days: int) -> tuple[ApiToken, str]:
    """Make a token of this person for one study and role. Returns it with its text, which is kept nowhere."""
    if not 1 <= days <= MOST_DAYS:
        raise ValueError(f"A token lasts 1 to {MOST_DAYS} days, not {days}.")
    token, text = ApiToken.objects.create(
        request.user,
        expiry=timedelta(days=days),
        name=name,
        study=membership.study,
        role=membership.role,
        rights=read_rights(request.user.pk).fingerprint,
    )
    record_access(
        AccessKind.TOKEN_MADE,
        request=request,
        membership=membership,
        study=membership.study,
        what=f"{name}, until {word_date(token.expiry)}",
    )
    return token, text


@transaction.atomic
def revoke_token(request: Any, token: ApiToken) -> None:
    """End a token at once. The access record keeps that there was one."""
    record_access(AccessKind.TOKEN_REVOKED, request=request, study=token.study, role=token.role, what=token.name)
    token.delete()


def why_ended(token: ApiToken) -> str:
    """Why this token is not good any more, as the end of a sentence; empty while it is good."""
    if token.expiry <= timezone.now():
        return f"it expired on {word_date(token.expiry)}"
    rights = read_rights(token.user_id)
    if rights.fingerprint != token.rights:
        return "the password, second factor, roles or account of its owner changed"
    token.user.token_scope = token.scope  # `memberships_of` reads it
    if not memberships_of(token.user).exists():
        return "its owner does not have that role any more"
    if settings.SECOND_FACTOR == "required" and not rights.has_second_factor:
        return "its owner has no second factor, which is required here"
    return ""
