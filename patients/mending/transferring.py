"""A patient goes on at another site: the number stays, and so does everything that was recorded.

The rule: who may see a patient follows from the site of the patient, so that the old site sees them no longer from the moment of
the act. The day on which the patient went is told by whoever arranged it; it is kept beside the act and changes nothing by itself.
"""

from dataclasses import dataclass
from datetime import date

from django.core.exceptions import ValidationError
from django.utils import timezone

from patients.grid.course import today_of
from patients.mending.versions import Overtaken
from patients.models import Enrolment
from trial.access import CLINICAL, Permission, StaffRequest, Viewer, acting, memberships_granting
from trial.audit import Stale
from trial.models import Membership, Patient, Query, Site, Transfer
from trial.review.models import AT_REST
from trial.wording import word_date


@dataclass(frozen=True, slots=True)
class Consequences:
    """Whom a transfer concerns: how many people see the patient by a role at this site, and how many queries go along."""

    people: int
    queries: int


def sites_to_go_to(viewer: Viewer, patient: Patient) -> list[Site]:
    """The sites between which this person may transfer the patient, without the present one."""
    granting = memberships_granting(viewer, Permission.PATIENTS_TRANSFER, patient.study)
    allowed = set(granting.values_list("site", flat=True))
    others = Site.objects.filter(study=patient.study_id).exclude(pk=patient.site_id).order_by("number")
    return [site for site in others if None in allowed or site.pk in allowed]


def consequences(patient: Patient) -> Consequences:
    """Whom the transfer of a patient would concern."""
    today = timezone.now().date()
    held = Membership.objects.filter(site=patient.site_id, role__in=CLINICAL, person__is_active=True)
    here = held.filter(starts_on__lte=today).exclude(ends_on__lt=today).values("person").distinct()
    waiting = Query.objects.filter(patient=patient).exclude(state__in=AT_REST)
    return Consequences(here.count(), waiting.count())


def transfer(request: StaffRequest, patient: Patient, to: Site, *, on: date, version: int, reason: str) -> Transfer:
    """Let a patient be of another site. `version` is that of the patient whom the person saw.

    Raise `Overtaken` where the patient was changed since, and `ValidationError` for a site or a day that cannot be.
    """
    try:
        with acting(request, Permission.PATIENTS_TRANSFER, patient, reason=reason):
            now = Patient.objects.select_for_update().get(pk=patient.pk)  # locked: two transfers must not cross
            if now.version != version:
                raise Overtaken
            _check_day(now, on)
            made = Transfer(patient=now, from_site_id=now.site_id, to_site=to, transferred_on=on)
            made.validate_constraints()
            made.save()
            now.site = to
            now.save()
    except Stale as error:
        raise Overtaken from error
    return made


def _check_day(patient: Patient, on: date) -> None:
    """Raise `ValidationError` for a day to come, before the consent, or before the last transfer."""
    if on > (today := today_of(patient)):
        raise ValidationError(f"{word_date(on)} has not come yet: today is {word_date(today)}. Check the day.")
    consents = Enrolment.objects.filter(patient=patient, consented_on__isnull=False).order_by("pk")
    consented = consents.values_list("consented_on", flat=True).first()
    if consented is not None and on < consented:
        raise ValidationError(
            f"{word_date(on)} is before the patient consented, on {word_date(consented)}. Check the day."
        )
    last = Transfer.objects.filter(patient=patient).order_by("-transferred_on").first()
    if last is not None and on < last.transferred_on:
        raise ValidationError(
            f"{word_date(on)} is before the last transfer, on {word_date(last.transferred_on)}. Check the day."
        )
