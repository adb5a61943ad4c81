"""What the grid, the day's work and the list of queries are narrowed to, and how a query is answered."""

import re
import textwrap
from datetime import date
from functools import cache
from typing import Any

from django import forms
from django.db.models import QuerySet

from patients.checking import edit_checks
from patients.entry.controls import Ground, check_text, control_of
from patients.grid.status import empty_entries, with_incomplete_entries
from patients.grid.work import asked_before, overdue_patients
from patients.models import Enrolment
from trial import column_checks
from trial.access import Viewer, sites_visible_to
from trial.changes import forms_of_the_study
from trial.forms import NarrowingForm
from trial.models import Patient, Query, Site, Study
from trial.review.models import QueryState
from trial.typed_dates import Limits

AGES = (("7", "7 days or more"), ("14", "14 days or more"), ("30", "30 days or more"), ("90", "90 days or more"))
SEVERITIES = (("E", "Error"), ("W", "Warning"), ("N", "Note"))
MOST_OF_A_CHECK = 48  # characters: there are hundreds of checks, and the page is to stay light
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


@cache
def checks_in_words() -> tuple[tuple[str, str], ...]:
    """The code of each check, and the beginning of what it asks. A value that the question names is left open."""
    words: dict[str, str] = {}
    for check in edit_checks():
        asks = re.sub(r"\{[^}]*\}", "…", check.asks).split(". ")[0].rstrip(".")
        words.setdefault(check.code, textwrap.shorten(asks, MOST_OF_A_CHECK, placeholder=" …"))
    return tuple((code, f"{code} {words[code]}") for code in sorted(words))


class QueriesForm(SitedForm):
    """Which queries are listed; the open ones unless told."""

    state = forms.ChoiceField(label="State", required=False)
    severity = forms.ChoiceField(label="Severity", required=False)
    check_code = forms.ChoiceField(label="Check", required=False)
    form = forms.ChoiceField(label="Form", required=False)
    patient = forms.CharField(label="Patient number", required=False, max_length=14)
    age = forms.ChoiceField(label="Asked", required=False)

    def __init__(self, data: Any, *, viewer: Viewer, study: Study) -> None:
        super().__init__(data, viewer=viewer, study=study)
        self.choose("state", [("answered", "Answered"), ("closed", "Closed"), ("all", "All")], "Open")
        self.choose("severity", list(SEVERITIES), "All")
        self.choose("check_code", [*checks_in_words(), ("nobody's", "None: asked by a person")], "All")
        self.choose("form", [(code, f"{code} {title}") for code, title in forms_of_the_study()], "All forms")
        self.choose("age", list(AGES), "At any time")
        self.order_fields(["state", "severity", "check_code", "form", "patient", "site", "age"])
        self.dress()

    def narrow(self, queries: QuerySet[Query], today: date) -> QuerySet[Query]:
        """The queries that were asked for, which have their `asked_at`. Call it on a valid form."""
        asked = self.cleaned_data
        if asked["state"] != "all":
            queries = queries.filter(state=asked["state"] or QueryState.OPEN)
        if asked["severity"]:
            queries = queries.filter(severity=asked["severity"])
        if asked["check_code"]:
            queries = queries.filter(check_code="" if asked["check_code"] == "nobody's" else asked["check_code"])
        if asked["form"]:
            queries = queries.filter(form=asked["form"])
        if self.site_asked:
            queries = queries.filter(patient__site=self.site_asked)
        if asked["patient"].strip():
            queries = queries.filter(patient__number__icontains=asked["patient"].strip())
        return asked_before(queries, int(asked["age"]), today) if asked["age"] else queries


class AnswerForm(forms.Form):
    """The answer to one query, and the version of it that the person saw."""

    answer = forms.CharField(
        label="If it is right as it is, say why", max_length=1000, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    def __init__(self, data: Any = None, *, query: Query) -> None:
        initial = {"answer": query.answer, "version": query.version}
        super().__init__(data, initial=initial, auto_id=f"id_{query.pk}_%s")
        self.query = query
        self.fields["answer"].error_messages["required"] = "Say what the answer to the query is."
        self.fields["answer"].widget.attrs["class"] = "form-control form-control-sm"

    def clean_answer(self) -> str:
        """The answer, without blanks around it."""
        return check_text(self.cleaned_data["answer"])

    def see_again(self, version: int) -> None:
        """Show what was typed once more, now against the version that there is."""
        data: Any = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict
        data["version"] = str(version)
        self.data = data


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
