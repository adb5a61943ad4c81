"""Who may do what, where. One table of grants; every page declares a permission; every list begins with `visible_to`.

The rule: what a person may not see is missing (404), what they may see but not do is forbidden (403).
"""

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils import timezone

from trial.models import Membership, Patient, Role, Site, Study

Viewer = AbstractBaseUser | AnonymousUser


class Permission(StrEnum):
    """What a page may ask for: noun, then verb. The value completes the sentence "You may not ..."."""

    HOME_VIEW = "open this page"
    PATIENTS_VIEW = "see patients and their forms"
    HISTORY_VIEW = "see who changed what, when and why"
    REPORT_VIEW = "see the report"
    DATA_EXPORT = "take datasets away"


EVERYBODY = frozenset(Role)
CLINICAL = EVERYBODY - {Role.ADMINISTRATOR}

GRANTS: dict[Permission, frozenset[Role]] = {
    Permission.HOME_VIEW: EVERYBODY,
    Permission.PATIENTS_VIEW: CLINICAL,
    Permission.HISTORY_VIEW: CLINICAL,
    Permission.REPORT_VIEW: CLINICAL,
    Permission.DATA_EXPORT: frozenset({Role.STATISTICIAN, Role.DATA_MANAGER, Role.INSPECTOR}),
}


class StaffRequest(HttpRequest):
    """A request whose sender is signed in."""

    user: User


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


def may(user: Viewer, permission: Permission, at: Study | Patient | None = None) -> bool:
    """Whether a role of this person grants the permission: at a patient's site, in a study, or anywhere at all."""
    memberships = memberships_of(user).filter(role__in=GRANTS[permission])
    if isinstance(at, Patient):
        memberships = memberships.filter(Q(site__isnull=True) | Q(site=at.site_id), study=at.study_id)
    elif at is not None:
        memberships = memberships.filter(study=at)
    return memberships.exists()


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


def sites_visible_to(user: Viewer, study: Study) -> QuerySet[Site]:
    """The sites of the study whose patients this person may see; all of them for such a role at every site."""
    sites = Site.objects.filter(study=study).order_by("number")
    if sees_all_patients(user, study):
        return sites
    memberships = memberships_of(user).filter(role__in=GRANTS[Permission.PATIENTS_VIEW])
    return sites.filter(pk__in=memberships.filter(site__isnull=False).values("site"))


View = Callable[..., HttpResponseBase]


def requires(permission: Permission, *, on: type[Study] | type[Patient] | None = None) -> Callable[[View], View]:
    """Declare who may open a page, and fetch what it is about.

    With `on`, the address names a study (`study`, its code) or a patient in it (`study` and `patient`, its number). It
    is looked up among what the person may see (404), then the permission is tested there (403), and the view gets it as
    `study` or `patient`.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
            place: Study | Patient | None = None
            if on is Study:
                place = kwargs["study"] = _study(request.user, kwargs["study"])
            elif on is Patient:
                place = kwargs["patient"] = _patient(request.user, kwargs.pop("study"), kwargs["patient"])
            if not may(request.user, permission, place):
                raise PermissionDenied(f"Your role may not {permission}.")
            return view(request, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]  # read by marrow.E001 and the access table's test
        return guarded

    return decorate


def open_to_everybody(view: View) -> View:
    """Declare a page that needs no sign-in. Nothing of a study may be on it."""
    guarded: View = login_not_required(view)
    guarded.permission = None  # type: ignore[attr-defined]  # as above: None says that this was decided
    return guarded


def _study(user: Viewer, code: str) -> Study:
    visible = studies_visible_to(user)
    for study in visible:
        if study.code == code:
            return study
    listed = ", ".join(visible.values_list("code", flat=True)) or "none"
    raise Http404(f"There is no study '{code}' for you. You have a role in: {listed}.")


def _patient(user: Viewer, study: str, number: str) -> Patient:
    patients = patients_visible_to(user).select_related("study", "site")
    patient = patients.filter(study__code=study, number=number).first()
    if patient is None:
        raise Http404(f"There is no patient '{number}' among those you may see in study {study}.")
    return patient
