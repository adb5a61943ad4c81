"""A patient is enrolled: gets a number that nobody else has or ever had, and the form of the consent.

The rule: the system gives the number, in the order of enrolment at the site. Of two people who enrol at once, one waits.
"""

import re
from collections.abc import Mapping
from typing import Any

from patients.checking import run_checks
from patients.grid.expecting import LOG, expect
from patients.models import Enrolment
from trial.access import Permission, StaffRequest, acting
from trial.models import FormEntry, Patient, Site

SYNTHETIC = "SYN-"  # before the number of a patient whom nobody treats, so that a bare row is labelled (STUDY A.4)
DIGITS = 3


class MayBeTheSame(Exception):
    """Somebody was enrolled at the site meanwhile with the same day of consent. Nothing was written."""

    def __init__(self, other: Patient) -> None:
        super().__init__(f"{other} was enrolled at this site meanwhile, with the same day of consent.")
        self.other = other


def new_patient(site: Site) -> Patient:
    """A patient with the next number of the site, `SSS-NNN`. Call it inside an act; others wait until that is over."""
    Site.objects.select_for_update().get(pk=site.pk)  # locked: two people would be given the same number
    patient = Patient(study=site.study, site=site, number=_next_number(site))
    patient.save()
    return patient


def _next_number(site: Site) -> str:
    """The number after the highest that was ever given, be that patient removed since or at another site."""
    before = f"{SYNTHETIC if site.study.is_synthetic else ''}{site.number}-"
    given = Patient.history.filter(study=site.study_id, number__startswith=before).values_list("number", flat=True)
    counted = [int(found[1]) for number in given if (found := re.fullmatch(rf"{re.escape(before)}([0-9]+)", number))]
    return f"{before}{max(counted, default=0) + 1:0{DIGITS}}"


def enrol(request: StaffRequest, site: Site, answers: Mapping[str, Any], *, seen: int) -> Patient:
    """Enrol a patient with these answers of the form of the consent, as one act.

    `seen` is the key of the latest patient whom the person knew of. Raise `MayBeTheSame` where a later one looks the same:
    a form that was sent twice must not make two patients.
    """
    unsaved = Patient(study=site.study, site=site)
    with acting(request, Permission.CASEBOOK_EDIT, unsaved, reason="The patient signed consent."):
        patient = new_patient(site)
        later = Enrolment.objects.filter(patient__site=site, patient__gt=seen, consented_on=answers["consented_on"])
        if (same := later.select_related("patient").first()) is not None:
            raise MayBeTheSame(same.patient)
        entry = FormEntry(patient=patient, form=Enrolment.form.code, visit=LOG, collected_on=answers["consented_on"])
        entry.form_version = Enrolment.form.version
        entry.save()
        Enrolment(patient=patient, entry=entry, **answers).save()
        run_checks(patient, [Enrolment.form.code], channel="page")
        expect(patient, channel="page")
    return patient


def latest_patient(sites: list[Site]) -> int:
    """The key of the latest patient at these sites; 0 where there is none."""
    latest = Patient.objects.filter(site__in=sites).order_by("-pk").values_list("pk", flat=True).first()
    return latest or 0
