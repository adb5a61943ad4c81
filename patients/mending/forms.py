"""The small forms with which something is put right: each asks for the reason."""

from datetime import date
from typing import Any

from django import forms
from django.http import Http404

from patients.entry.controls import Ground, check_text, read_date
from patients.entry.forms import ReasonForm
from patients.entry.views import LOG, check_visit
from patients.grid.cells import visits_in_order
from patients.mending.moving import Place
from trial.access import Permission, Viewer, may
from trial.models import FormEntry, Patient, Site
from trial.records import PatientRecord


class SeenForm(ReasonForm):
    """A reason, and the version of the row that the person saw."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    def __init__(self, data: object = None, files: object = None, *, version: int, label: str, asked: str) -> None:
        super().__init__(data, files, label=label, asked=asked)
        self.fields["version"].initial = version

    def see_again(self, version: int) -> None:
        """Show what was typed once more, now against the version that there is."""
        sent = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict
        sent["version"] = str(version)
        self.data = sent


class PresentVersionForm(SeenForm):
    """Why an entry is brought to the present version of its form."""

    def __init__(self, data: object = None, files: object = None, *, version: int) -> None:
        super().__init__(
            data,
            files,
            version=version,
            label="Why it is brought to this version",
            asked="Say why this form is brought to another version. The reason is kept in the audit trail.",
        )


class TransferForm(SeenForm):
    """To which site a patient goes, on which day, and why."""

    site = forms.ChoiceField(label="To the site", widget=forms.Select(attrs={"class": "form-select"}))
    transferred_on = forms.CharField(
        label="Transferred on",
        help_text="The day that both sites agreed on, as 12mar2014.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "size": 12}),
    )

    def __init__(self, data: object = None, files: object = None, *, patient: Patient, sites: list[Site]) -> None:
        super().__init__(
            data,
            files,
            version=patient.version,
            label="Why the patient is transferred",
            asked="Say why the patient is transferred. The reason is kept in the audit trail.",
        )
        self.ground = Ground(patient)
        self.sites = {str(site.pk): site for site in sites}
        choices = [("", "Choose a site"), *((str(site.pk), str(site)) for site in sites)]
        self.fields["site"].choices = choices  # type: ignore[attr-defined]  # a list of choices
        self.fields["site"].error_messages["required"] = "Choose the site to which the patient goes."
        self.fields["transferred_on"].error_messages["required"] = "Say on which day the patient went."
        self.order_fields(["site", "transferred_on", "reason"])

    def clean_site(self) -> Site:
        """The site that was chosen."""
        return self.sites[self.cleaned_data["site"]]

    def clean_transferred_on(self) -> date:
        """The day. One that has not come yet, or has no reading, is refused."""
        text = check_text(self.cleaned_data["transferred_on"])
        return read_date(text, self.ground, least="day", with_time=False).earliest


class ScreenAgainForm(SeenForm):
    """On which day a patient is screened again, and why."""

    screened_on = forms.CharField(
        label="Screening",
        help_text="The first day of the new screening, as 12mar2014.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "size": 12}),
    )

    def __init__(self, data: object = None, files: object = None, *, patient: Patient, version: int) -> None:
        super().__init__(
            data,
            files,
            version=version,
            label="Why the patient is screened again",
            asked="Say why the patient is screened again. The reason is kept in the audit trail.",
        )
        self.ground = Ground(patient)
        self.fields["screened_on"].error_messages["required"] = "Say on which day the new screening began."
        self.order_fields(["screened_on", "reason"])

    def clean_screened_on(self) -> date:
        """The day. One that has not come yet, or has no reading, is refused."""
        text = check_text(self.cleaned_data["screened_on"])
        return read_date(text, self.ground, least="day", with_time=False).earliest


class MoveForm(SeenForm):
    """Where a form is moved to, and why. A form that belongs to no visit only goes to another patient."""

    entry_version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)
    patient = forms.CharField(
        label="To the patient",
        required=False,
        max_length=14,
        help_text="The number. Leave it as it is where only the visit was wrong.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    visit = forms.ChoiceField(label="To the visit", required=False, widget=forms.Select(attrs={"class": "form-select"}))

    def __init__(self, data: object = None, files: object = None, *, record: PatientRecord, viewer: Viewer) -> None:
        super().__init__(
            data,
            files,
            version=record.version,
            label="Why it is moved",
            asked="Say why this form is moved. The reason is kept in the audit trail of both places.",
        )
        self.record = record
        self.viewer = viewer
        self.fields["entry_version"].initial = record.entry.version
        self.fields["patient"].initial = record.patient.number
        here = record.entry.visit
        there = FormEntry.objects.filter(patient=record.patient).exclude(visit=LOG).values_list("visit", flat=True)
        visits = visits_in_order({*there, here} - {LOG}) if record.form.at_visits or here != LOG else []
        if record.form.repeats and not record.form.at_visits and visits:
            visits.append(LOG)
        if visits:
            words = {LOG: "No visit: the log", here: f"{here}, as it is"}
            self.fields["visit"].choices = [(code, words.get(code, code)) for code in visits]  # type: ignore[attr-defined]
            self.fields["visit"].initial = here
        else:
            del self.fields["visit"]
        self.order_fields(["patient", "visit", "reason"])

    def clean_patient(self) -> Patient:
        """The patient of that number whom the person may enter forms for."""
        number = self.cleaned_data["patient"].strip().upper() or self.record.patient.number
        visible = Patient.objects.visible_to(self.viewer).filter(study=self.record.patient.study_id)
        found: Patient | None = visible.select_related("study", "site").filter(number=number).first()
        if found is None or not may(self.viewer, Permission.CASEBOOK_EDIT, found):
            raise forms.ValidationError(
                f"There is no patient '{number}' for whom you may enter forms. Check the number."
            )
        return found

    def clean(self) -> dict[str, Any]:
        """Refuse the place at which the form stands already, and a visit that the other patient cannot have."""
        asked = self.cleaned_data
        patient, visit = asked.get("patient"), asked.get("visit") or self.record.entry.visit
        if patient is None or "visit" in self.errors:
            return asked
        if (patient.pk, visit) == (self.record.patient_id, self.record.entry.visit):
            self.add_error(
                "patient", f"The form stands at {Place(patient, visit)} already. Choose another patient or visit."
            )
        try:
            check_visit(patient, type(self.record), visit)
        except Http404 as error:
            self.add_error("visit" if "visit" in self.fields else "patient", str(error))
        asked["to"] = Place(patient, visit)
        return asked

    def see_again_with(self, record: PatientRecord) -> None:
        """Show what was typed once more, now against the record and the entry as they are."""
        self.see_again(record.version)
        self.data["entry_version"] = str(record.entry.version)  # type: ignore[index]  # a QueryDict that is a copy
