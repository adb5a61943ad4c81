"""Who failed screening is screened again: the same number, a new day, and the criteria asked once more (STUDY B.4, IE).

The rule: the form of the consent speaks of the last screening. The one that failed before stays beside it, with its day and its
reason, and so does its form of eligibility.
"""

from datetime import date

from django.core.exceptions import ValidationError
from django.db.models import Max

from patients.checking import run_checks
from patients.entry.saving import entries_at
from patients.grid.course import today_of
from patients.grid.expecting import LOG, expect
from patients.mending.versions import Overtaken
from patients.mending.withdrawing import withdrawal_of
from patients.models import EarlierScreening, Eligibility, Enrolment
from trial.access import Permission, StaffRequest, acting
from trial.audit import Stale
from trial.models import FormEntry, Patient
from trial.wording import word_date

OF_THE_SCREENING = ("is_enrolled", "enrolled_on", "screen_failure")  # what is asked anew


def failed_screening(patient: Patient) -> Enrolment | None:
    """The form of the consent of a patient whose last screening failed; None for anybody else."""
    consents = Enrolment.objects.filter(patient=patient).select_related("entry").order_by("pk")
    first = consents.first()
    return first if first is not None and first.is_enrolled is False else None


def screen_again(request: StaffRequest, patient: Patient, *, on: date, version: int, reason: str) -> None:
    """Begin another screening of a patient who failed the last one. `version` is that of the form of the consent.

    Raise `Overtaken` where the form was changed since, and `ValidationError` for a day that cannot be.
    """
    try:
        with acting(request, Permission.CASEBOOK_EDIT, patient, reason=reason):
            Patient.objects.select_for_update().get(pk=patient.pk)  # locked: the form must not be saved meanwhile
            consent = failed_screening(patient)
            if consent is None or consent.version != version:
                raise Overtaken
            _check_day(patient, consent, on)
            _put_beside(consent)
            consent.screened_on = on
            for name in OF_THE_SCREENING:
                setattr(consent, name, None)
            unasked = {"screened_on", *OF_THE_SCREENING}
            consent.missing = {name: why for name, why in consent.missing.items() if name not in unasked}
            consent.save()
            _ask_for_eligibility(patient)
            run_checks(patient, [Enrolment.form.code, Eligibility.form.code], channel="page", is_locked=True)
            expect(patient, channel="page")
    except Stale as error:
        raise Overtaken from error


def _put_beside(consent: Enrolment) -> None:
    """Keep the screening that failed as a row beside the form."""
    before = EarlierScreening(
        patient=consent.patient,
        entry=consent.entry,
        enrolment=consent,
        screened_on=consent.screened_on,
        screen_failure=consent.screen_failure,
        missing={name: consent.missing[name] for name in ("screened_on", "screen_failure") if name in consent.missing},
    )
    before.save()


def _ask_for_eligibility(patient: Patient) -> None:
    """One more entry of the form of eligibility, unless one is still empty."""
    entries = entries_at(patient, Eligibility, LOG)
    if all(entries.values()):
        last = FormEntry.objects.filter(patient=patient, form=Eligibility.form.code).aggregate(last=Max("repeat"))[
            "last"
        ]
        FormEntry(patient=patient, form=Eligibility.form.code, visit=LOG, repeat=(last or 0) + 1).save()


def _check_day(patient: Patient, consent: Enrolment, on: date) -> None:
    """Raise `ValidationError` for a day to come, not after the last screening, or after a withdrawal of consent."""
    if on > (today := today_of(patient)):
        raise ValidationError(f"{word_date(on)} has not come yet: today is {word_date(today)}. Check the day.")
    if consent.screened_on is not None and on <= consent.screened_on:
        raise ValidationError(
            f"{word_date(on)} is not after the last screening, on {word_date(consent.screened_on)}. Check the day."
        )
    withdrawn = withdrawal_of(patient)
    if withdrawn is not None and withdrawn.contact_on is not None and on > withdrawn.contact_on:
        raise ValidationError(
            f"{word_date(on)} is after {word_date(withdrawn.contact_on)}, when the patient withdrew consent. "
            "Nobody is screened without it."
        )
