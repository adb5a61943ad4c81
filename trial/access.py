"""Who may do what, where. One table of grants; every page declares a permission; every list begins with `visible_to`.

The rule: what a person may not see is missing (404), what they may see but not do is forbidden (403).
"""

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from functools import wraps
from typing import Any, cast

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone

from trial.models import Membership, Patient, Role, Study

Viewer = AbstractBaseUser | AnonymousUser


class Permission(StrEnum):
    """What a page may ask for: noun, then verb."""

    HOME_VIEW = "see the way in"
    PATIENTS_VIEW = "see patients and their forms"
    HISTORY_VIEW = "see who changed what, when and why"
    REPORT_VIEW = "see the report"
    DATA_EXPORT = "take datasets away"


GRANTS: dict[Permission, frozenset[Role]] = {
    Permission.HOME_VIEW: frozenset(Role),
    Permission.PATIENTS_VIEW: frozenset(set(Role) - {Role.ADMINISTRATOR}),
    Permission.HISTORY_VIEW: frozenset(set(Role) - {Role.ADMINISTRATOR}),
    Permission.REPORT_VIEW: frozenset(set(Role) - {Role.ADMINISTRATOR}),
    Permission.DATA_EXPORT: frozenset({Role.STATISTICIAN, Role.DATA_MANAGER, Role.INSPECTOR}),
}


def memberships_of(user: Viewer, on: date | None = None) -> QuerySet[Membership]:
    """The memberships that hold for an active person on a day (today unless told)."""
    day = on or timezone.now().date()
    return Membership.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=day),
        starts_on__lte=day,
        person__user_id=user.pk if user.is_authenticated else None,
        person__is_active=True,
        person__user__is_active=True,
    )


def may(user: Viewer, permission: Permission, study: Study | None = None) -> bool:
    """Whether a role of this person, in this study or in any, grants the permission."""
    memberships = memberships_of(user).filter(role__in=GRANTS[permission])
    return (memberships.filter(study=study) if study else memberships).exists()


def studies_visible_to(user: Viewer) -> QuerySet[Study]:
    """The studies in which this person has a role."""
    return Study.objects.filter(pk__in=memberships_of(user).values("study"))


def patients_visible_to(user: Viewer) -> QuerySet[Patient]:
    """The patients at the sites of this person's roles that may see patients. Usable as a subquery."""
    memberships = memberships_of(user).filter(role__in=GRANTS[Permission.PATIENTS_VIEW])
    everywhere = memberships.filter(site__isnull=True).values("study")
    return Patient.objects.filter(Q(study__in=everywhere) | Q(site__in=memberships.values("site")))


def sees_all_patients(user: Viewer, study: Study) -> bool:
    """Whether this person sees every site of the study, so that counts are the study's and not a site's."""
    memberships = memberships_of(user).filter(role__in=GRANTS[Permission.PATIENTS_VIEW])
    return memberships.filter(site__isnull=True, study=study).exists()


View = Callable[..., HttpResponse]


def requires(permission: Permission, *, on: type[Model] | None = None) -> Callable[[View], View]:
    """Declare who may open a page, and fetch what it is about.

    With `on`, the URL's `pk` (or `number` of a patient) names a record: it is looked up among those the person may see
    (404), then the permission is tested (403), and the view gets the record in place of the key.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            if on is not None:
                visible = cast(Any, on)._default_manager.visible_to(request.user)
                key = {name: kwargs.pop(name) for name in ("pk", "number") if name in kwargs}
                kwargs["record"] = get_object_or_404(visible, **key)
            if not may(request.user, permission):
                raise PermissionDenied
            return view(request, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]  # read by the system check and the access table's test
        return guarded

    return decorate
