"""Who may do what, where. One table of grants; every page declares a permission; every list begins with `visible_to`.

The rule: what a person may not see is missing (404), what they may see but not do is forbidden (403). Both are put on the
access record, and so is whose data a page showed.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, tzinfo
from enum import StrEnum
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils import timezone

from trial.access_record.keeping import has_said, plain, record_access, shown_by, shows, taken_by
from trial.access_record.models import AccessKind
from trial.audit import Recording, recording
from trial.models import Membership, Patient, Role, Site, Study, Transfer
from trial.wording import word_date

Viewer = AbstractBaseUser | AnonymousUser


class Permission(StrEnum):
    """What a page may ask for: noun, then verb. The value completes the sentence "You may not ..."."""

    HOME_VIEW = "open this page"
    PATIENTS_VIEW = "see patients and their forms"
    PATIENTS_TRANSFER = "transfer patients between sites"
    CASEBOOK_EDIT = "enter and change forms"
    QUERY_ANSWER = "answer queries"
    QUERY_RAISE = "ask queries"
    QUERY_CLOSE = "close, cancel or reopen queries"
    HISTORY_VIEW = "see who changed what, when and why"
    REPORT_VIEW = "see the report"
    DATA_EXPORT = "take datasets away"
    PEOPLE_VIEW = "see who works on the study"
    PEOPLE_EDIT = "manage people and their roles"
    PEOPLE_REVIEW = "confirm who has access"
    ACCESS_VIEW = "see who looked at what"
    TOKENS_EDIT = "make API tokens"
    ACCOUNT_OWN = "manage your own account"


EVERYBODY = frozenset(Role)
CLINICAL = EVERYBODY - {Role.ADMINISTRATOR}

GRANTS: dict[Permission, frozenset[Role]] = {
    Permission.HOME_VIEW: EVERYBODY,
    Permission.PATIENTS_VIEW: CLINICAL,
    Permission.PATIENTS_TRANSFER: frozenset({Role.DATA_MANAGER}),
    Permission.CASEBOOK_EDIT: frozenset({Role.COORDINATOR, Role.INVESTIGATOR}),
    Permission.QUERY_ANSWER: frozenset(
        {Role.COORDINATOR, Role.INVESTIGATOR, Role.DATA_MANAGER}
    ),  # each what is asked of them
    Permission.QUERY_RAISE: frozenset({Role.MONITOR, Role.DATA_MANAGER, Role.SAFETY_PHYSICIAN}),
    Permission.QUERY_CLOSE: frozenset({Role.MONITOR, Role.DATA_MANAGER}),
    Permission.HISTORY_VIEW: CLINICAL,
    Permission.REPORT_VIEW: CLINICAL,
    Permission.DATA_EXPORT: frozenset({Role.STATISTICIAN, Role.DATA_MANAGER, Role.INSPECTOR}),
    Permission.PEOPLE_VIEW: frozenset({Role.ADMINISTRATOR, Role.DATA_MANAGER, Role.INSPECTOR}),
    Permission.PEOPLE_EDIT: frozenset({Role.ADMINISTRATOR}),
    Permission.PEOPLE_REVIEW: frozenset({Role.ADMINISTRATOR, Role.DATA_MANAGER}),
    Permission.ACCESS_VIEW: frozenset({Role.DATA_MANAGER, Role.INSPECTOR}),
    Permission.TOKENS_EDIT: CLINICAL,
    Permission.ACCOUNT_OWN: EVERYBODY,  # and whoever has no role yet: `requires_sign_in`
}


# What lets a person look and no more: under these permissions nothing can be posted, whatever the view would do with it.
FOR_READING = frozenset(permission for permission in Permission if permission.name.endswith("_VIEW"))
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


person_of_account: Any = User._meta.get_field("person")


class StaffRequest(HttpRequest):
    """A request whose sender is signed in."""

    user: User


def memberships_of(user: Viewer, on: date | None = None) -> QuerySet[Membership]:
    """The memberships that hold for an active person on a day (today unless told), within the scope of their API token."""
    day = on or timezone.now().date()
    scope: tuple[Any, str] | None = getattr(user, "token_scope", None)  # set where a token signs a person in
    within = Q() if scope is None else Q(study=scope[0], role=scope[1])
    return Membership.objects.filter(
        within,
        Q(ends_on__isnull=True) | Q(ends_on__gte=day),
        starts_on__lte=day,
        person__user_id=user.pk if user.is_authenticated else None,
        person__is_active=True,
        person__user__is_active=True,
    )


def memberships_granting(
    user: Viewer, permission: Permission, at: Study | Patient | None = None
) -> QuerySet[Membership]:
    """The memberships that grant this person the permission: at a patient's site, in a study, or anywhere at all."""
    memberships = memberships_of(user).filter(role__in=GRANTS[permission])
    if isinstance(at, Patient):
        memberships = memberships.filter(Q(site__isnull=True) | Q(site=at.site_id), study=at.study_id)
    elif at is not None:
        memberships = memberships.filter(study=at)
    return memberships


def may(user: Viewer, permission: Permission, at: Study | Patient | None = None) -> bool:
    """Whether a role of this person grants the permission: at a patient's site, in a study, or anywhere at all."""
    return memberships_granting(user, permission, at).exists()


def held_in(request: Any) -> list[Membership]:
    """The memberships of whoever sent a request, the oldest first. They are read once for it, with person, study and site."""
    user, http = request.user, plain(request)
    whose = (user.pk, getattr(user, "token_scope", None))
    held: tuple[Any, list[Membership]] | None = http.__dict__.get("marrow_held")
    if held is None or held[0] != whose:
        memberships = memberships_of(user).select_related("person", "study", "site").order_by("pk")
        found = list(memberships) if user.is_authenticated else []
        for membership in found:
            person_of_account.set_cached_value(user, membership.person)  # it names who acts
        held = http.__dict__["marrow_held"] = (whose, found)
    return held[1]


def granting_in(request: Any, permission: Permission, at: Study | Patient | None = None) -> list[Membership]:
    """Those of the memberships in a request that grant the permission: at a patient's site, in a study, or anywhere at all."""
    granting = [membership for membership in held_in(request) if membership.role in GRANTS[permission]]
    if isinstance(at, Patient):
        return [each for each in granting if each.study_id == at.study_id and each.site_id in (None, at.site_id)]
    return granting if at is None else [each for each in granting if each.study_id == at.pk]


def studies_visible_to(user: Viewer) -> QuerySet[Study]:
    """The studies in which this person has a role."""
    return Study.objects.filter(pk__in=memberships_of(user).values("study"))


def memberships_seeing(user: Viewer, permission: Permission = Permission.PATIENTS_VIEW) -> QuerySet[Membership]:
    """The memberships that may see patients: for a page of another permission, those of them that grant it too.

    A role that may take data away at one site gives nothing of a site where the person has another role.
    """
    return memberships_of(user).filter(role__in=GRANTS[Permission.PATIENTS_VIEW] & GRANTS[permission])


def patients_visible_to(user: Viewer, permission: Permission = Permission.PATIENTS_VIEW) -> QuerySet[Patient]:
    """The patients at the sites of this person's roles that see patients on such a page. Usable as a subquery."""
    memberships = memberships_seeing(user, permission)
    everywhere = memberships.filter(site__isnull=True).values("study")
    return Patient.objects.filter(Q(study__in=everywhere) | Q(site__in=memberships.values("site")))


def sees_all_patients(user: Viewer, study: Study, permission: Permission = Permission.PATIENTS_VIEW) -> bool:
    """Whether this person sees every site of the study on such a page, so that counts are the study's and not a site's."""
    return memberships_seeing(user, permission).filter(site__isnull=True, study=study).exists()


def sites_visible_to(user: Viewer, study: Study, permission: Permission = Permission.PATIENTS_VIEW) -> QuerySet[Site]:
    """The sites of the study whose patients this person may see; all of them for such a role at every site."""
    sites = Site.objects.filter(study=study).order_by("number")
    if sees_all_patients(user, study, permission):
        return sites
    return sites.filter(pk__in=memberships_seeing(user, permission).filter(site__isnull=False).values("site"))


def acting(
    request: StaffRequest, permission: Permission, at: Study | Patient, *, reason: str, **details: Any
) -> AbstractContextManager[Recording]:
    """`recording()` for what a person does on a page or by a call: in their name, in the role that lets them do it."""
    membership = next(iter(granting_in(request, permission, at)), None)
    if membership is None:
        raise PermissionDenied(f"Your role may not {permission}.")
    return recording(
        by=request.user,
        reason=reason,
        study=at.study if isinstance(at, Patient) else at,
        role=membership.role,
        organisation=membership.person.organisation,
        channel="api" if hasattr(request, "_request") else "page",
        **details,
    )


View = Callable[..., HttpResponseBase]
Place = Study | Patient | None


def requires(
    permission: Permission,
    *,
    on: type[Study] | type[Patient] | None = None,
    reveals: bool = True,
    is_part: bool = False,
    again: bool = False,
) -> Callable[[View], View]:
    """Declare who may open a page, fetch what it is about, and put on record whose data it showed.

    With `on`, the address names a study (`study`, its code) or a patient in it (`study` and `patient`, its number). It
    is looked up among what the person may see (404), then the permission is tested there (403), and the view gets it as
    `study` or `patient`. A page about a study says which patients it shows (`shows(request, patients)`), unless it
    `reveals` nothing of any single one. A file that `is_part` of a page, as a figure is, adds nothing to the record.
    Whoever opens a page that asks `again` must have confirmed who they are within the last ten minutes.
    """
    from trial.sign_in import confirmation  # here: allauth needs the apps to be ready

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
            place = find_place(request, permission, on, kwargs)
            if again and not confirmation.confirmed_recently(request):
                return confirmation.ask_to_confirm(request)
            with timezone.override(clock_of(place)):
                response = view(request, **kwargs)
            if place is not None and not is_part and shows_data(request, place, response.status_code):
                if isinstance(place, Patient):
                    shows(request, [place])
                keep_reading(request, permission, place, reveals=reveals)
            return response

        guarded.permission = permission  # type: ignore[attr-defined]  # read by marrow.E001 and the access table's test
        return guarded

    return decorate


def clock_of(place: Study | Patient | None) -> tzinfo:
    """The clock by which a page tells instants: that of the patient's site. What may tell of several sites goes by UTC."""
    return ZoneInfo(place.site.time_zone) if isinstance(place, Patient) else UTC


SHOW_NOTHING = frozenset({204, 403, 404, 405})


def shows_data(request: HttpRequest, place: Study | Patient, status: int) -> bool:
    """Whether an answer goes on record: one that is as asked, or a refused form, which shows what is kept beside what was typed.

    A refused page about a study shows patients only where its view said so.
    """
    if status == 200:
        return True
    is_page = status < 300 or 400 <= status < 500
    return is_page and status not in SHOW_NOTHING and (isinstance(place, Patient) or has_said(request))


def find_place(
    request: HttpRequest, permission: Permission, on: type[Study] | type[Patient] | None, kwargs: dict[str, Any]
) -> Place:
    """What the address is about, put into `kwargs`. Raise 404 when the person may not see it and 403 when they may not do this."""
    place: Place = None
    code = kwargs.get("study", "")
    try:
        if on is Study:
            place = kwargs["study"] = _study(request, kwargs["study"])
        elif on is Patient:
            place = kwargs["patient"] = _patient(request, kwargs.pop("study"), kwargs["patient"])
        if not granting_in(request, permission, place):
            raise PermissionDenied(f"Your role may not {permission}.")
        if request.method not in SAFE_METHODS and permission in FOR_READING:
            raise PermissionDenied("This page is for reading: nothing can be changed or sent there.")
    except (Http404, PermissionDenied):
        keep_refusal(request, place, code)
        raise
    return place


def keep_reading(
    request: Any, permission: Permission, place: Study | Patient, *, reveals: bool = True, **details: str
) -> None:
    """Put on record that this person read the page, or took data away where the page said so (`takes_away`)."""
    match, taken = request.resolver_match, taken_by(request)
    arguments = {name: value for name, value in match.kwargs.items() if name not in {"study", "patient"}}
    record_access(
        AccessKind.READ if taken is None else AccessKind.EXPORTED,
        request=request,
        membership=next(iter(granting_in(request, permission, place)), None),
        study=place.study if isinstance(place, Patient) else place,
        patients=shown_by(request) if reveals else (),
        page=match.url_name,
        **{"what": " ".join(str(value) for value in arguments.values())} | (taken or {}) | details,
    )


def keep_refusal(request: Any, place: Place, code: str = "") -> None:
    """Put on record that somebody signed in asked for what is not theirs. The address alone: never what was sent.

    It is on the record of the study whose `code` was asked for, where there is one: whoever keeps it must see the attempt.
    """
    if request.user.is_authenticated:
        study = place.study if isinstance(place, Patient) else place
        if study is None:
            study = Study.objects.filter(code=code).first()
        record_access(
            AccessKind.REFUSED, request=request, study=study, page=request.resolver_match.url_name, what=request.path
        )


def requires_sign_in(view: View) -> View:
    """Declare a page about the person's own account, for everybody who is signed in, with a role or without one."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs)

    guarded.permission = Permission.ACCOUNT_OWN  # type: ignore[attr-defined]  # as above
    return guarded


def open_to_everybody(view: View) -> View:
    """Declare a page that needs no sign-in. Nothing of a study may be on it."""
    guarded: View = login_not_required(view)
    guarded.permission = None  # type: ignore[attr-defined]  # as above: None says that this was decided
    return guarded


def _study(request: Any, code: str) -> Study:
    visible = {membership.study.code: membership.study for membership in held_in(request)}
    if code not in visible:
        listed = ", ".join(sorted(visible)) or "none"
        raise Http404(f"There is no study '{code}' for you. You have a role in: {listed}.")
    return visible[code]


def _patient(request: Any, study: str, number: str) -> Patient:
    seeing = granting_in(request, Permission.PATIENTS_VIEW)
    everywhere = {membership.study_id for membership in seeing if membership.site_id is None}
    sites = {membership.site_id for membership in seeing if membership.site_id is not None}
    patients = Patient.objects.filter(Q(study__in=everywhere) | Q(site__in=sites)).select_related("study", "site")
    patients = patients.annotate(may_have_moved=Exists(Transfer.objects.filter(patient=OuterRef("pk"))))
    patient = patients.filter(study__code=study, number=number).first()
    if patient is None:
        gone = _transferred(seeing, study, number)
        raise Http404(gone or f"There is no patient '{number}' among those you may see in study {study}.")
    return patient


def _transferred(seeing: list[Membership], study: str, number: str) -> str:
    """Where a patient went whom the site of one of these roles had while the role was held; empty text for anybody else."""
    since = {membership.site_id: membership.starts_on for membership in seeing if membership.site_id is not None}
    found = Transfer.objects.filter(patient__study__code=study, patient__number=number, from_site__in=since)
    last = found.select_related("to_site").order_by("transferred_on", "pk").last()
    if last is None or last.transferred_on < since[last.from_site_id]:
        return ""
    return (
        f"Patient {number} went from your site to site {last.to_site} on {word_date(last.transferred_on)}. "
        "Whoever has a role there sees the patient now."
    )
