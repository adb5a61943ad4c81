"""What the grid and the day's work are narrowed to, and what is asked of a new patient."""

from datetime import date
from typing import Any

from django import forms
from django.db.models import QuerySet

from patients.entry.controls import Ground, control_of
from patients.grid.status import empty_entries, with_incomplete_entries
from patients.grid.work import overdue_patients
from patients.models import Enrolment
from trial import column_checks
from trial.access import Viewer, sites_visible_to
from trial.forms import NarrowingForm
from trial.models import Patient, Query, Site, Study
from trial.review.models import QueryState
from trial.typed_dates import Limits

KINDS = (("Overdue", "Overdue"), ("Due", "Due"), ("Asked", "Asked"))


class SitedForm(NarrowingForm):
    """A list of what is at sites: those that the person sees."""

    site = forms.ChoiceField(label="Site", required=False)

    def __init__(self, data: Any, *, viewer: Viewer, study: Study) -> None:
        super().__init__(data)
        self.sites: list[Site] = list(sites_visible_to(viewer, study))
        self.choose("site", [(str(site.pk), str(site)) for site in self.sites], "All sites")

    @property
    def site_asked(self) -> int | None:
        """The site that was asked for. Call it on a valid form."""
        return int(self.cleaned_data["site"]) if self.cleaned_data["site"] else None


class GridForm(SitedForm):
    """Which patients the grid shows."""

    patient = forms.CharField(label="Patient number", required=False, max_length=14)
    status = forms.ChoiceField(label="With a form that is", required=False)

    def __init__(self, data: Any, *, viewer: Viewer, study: Study) -> None:
        super().__init__(data, viewer=viewer, study=study)
        choices = [("overdue", "Overdue"), ("expected", "Expected"), ("incomplete", "Incomplete"), ("asked", "Queried")]
        self.choose("status", choices, "In any state")
        self.order_fields(["patient", "site", "status"])
        self.dress()

    def narrow(self, patients: QuerySet[Patient]) -> QuerySet[Patient]:
        """The patients that were asked for. Call it on a valid form."""
        asked = self.cleaned_data
        if self.site_asked:
            patients = patients.filter(site=self.site_asked)
        if asked["patient"].strip():
            patients = patients.filter(number__icontains=asked["patient"].strip())
        if asked["status"] == "overdue":
            return patients.filter(pk__in=overdue_patients(patients))
        if asked["status"] == "expected":
            return patients.filter(pk__in=empty_entries(patients).values("patient"))
        if asked["status"] == "incomplete":
            return with_incomplete_entries(patients)
        if asked["status"] == "asked":
            return patients.filter(pk__in=Query.objects.filter(state=QueryState.OPEN).values("patient"))
        return patients


class WorkForm(SitedForm):
    """What of the day's work is shown."""

    patient = forms.CharField(label="Patient number", required=False, max_length=14)
    kind = forms.ChoiceField(label="What", required=False)

    def __init__(self, data: Any, *, viewer: Viewer, study: Study) -> None:
        super().__init__(data, viewer=viewer, study=study)
        self.choose("kind", list(KINDS), "Due, overdue and asked")
        self.order_fields(["kind", "patient", "site"])
        self.dress()


class NewGround(Ground):
    """What the controls of a patient who is not there yet need to know: nobody knows the day of birth."""

    @property
    def limits(self) -> Limits:
        """The days that an answer can name."""
        return Limits(date(column_checks.FIRST_YEAR, 1, 1), self.today)


class EnrolForm(forms.Form):
    """The consent of a new patient: what is known on the day on which the number is given."""

    ANSWERS = (
        *("consented_on", "consent_version", "agrees_to_survival_follow_up", "agrees_to_samples"),
        *("screened_on", "cohort"),
    )
    NEEDED = ("consented_on", "consent_version")

    site = forms.ChoiceField(label="Site", widget=forms.Select(attrs={"class": "form-select"}))
    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, data: Any = None, files: Any = None, *, study: Study, sites: list[Site], seen: int) -> None:
        super().__init__(data, files, initial={"seen": seen, "site": sites[0].pk})
        self.sites = {str(site.pk): site for site in sites}
        choices = [(str(site.pk), str(site)) for site in sites]
        self.fields["site"].choices = choices  # type: ignore[attr-defined]  # a list of choices
        chosen = self.sites.get(str((data or {}).get("site", "")), sites[0])
        ground = NewGround(Patient(study=study, site=chosen))
        answers = {answer.name: answer for answer in Enrolment.answers()}
        for name in self.ANSWERS:
            control = control_of(answers[name], ground)
            control.required = name in self.NEEDED
            control.error_messages["required"] = f"{control.label} is needed before a patient gets a number."
            self.fields[name] = control

    @property
    def site_chosen(self) -> Site:
        """The site. Call it on a valid form."""
        return self.sites[self.cleaned_data["site"]]

    @property
    def answers(self) -> dict[str, Any]:
        """The answers of the form of the consent. Call it on a valid form."""
        return {name: self.cleaned_data[name] for name in self.ANSWERS}

    def see_again(self, seen: int) -> None:
        """Show what was typed once more, to somebody who has been told of the patients until now."""
        data: Any = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict
        data["seen"] = str(seen)
        self.data = data
