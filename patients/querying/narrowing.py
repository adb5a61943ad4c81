"""What the list of queries is narrowed to and how it is sorted, and the small forms that stand in it."""

import re
import textwrap
from datetime import date
from functools import cache
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet

from patients.checking import edit_checks
from patients.entry.controls import check_text
from patients.grid.forms import SitedForm
from patients.grid.work import asked_before
from trial.access import Viewer, memberships_of
from trial.changes import forms_of_the_study
from trial.models import Query, QueryMessage, Role, Study
from trial.review.models import WAITING, Audience, QueryState, Step
from trial.review.queries import waiting_for

AGES = (("7", "7 days or more"), ("14", "14 days or more"), ("30", "30 days or more"), ("90", "90 days or more"))
MOST_OF_A_CHECK = 48  # characters: there are hundreds of checks, and the page is to stay light
SEVERITIES = (("E", "Error"), ("W", "Warning"), ("N", "Note"))
STATES = (
    ("waiting", "Open or answered"),
    ("answered", "Answered"),
    ("reopened", "Opened again"),
    ("closed", "Closed"),
    ("cancelled", "Cancelled"),
    ("all", "All"),
)
SOURCES = (("check", "An edit check"), ("person", "A person"))
WAITERS = (Role.COORDINATOR, Role.INVESTIGATOR, Role.MONITOR, Role.DATA_MANAGER)
SORTED = {
    "": ("asked_at", "pk"),
    "newest": ("-asked_at", "-pk"),
    "patient": ("patient__number", "asked_at", "pk"),
    "form": ("form", "asked_at", "pk"),
    "check": ("check_code", "asked_at", "pk"),
}
SORTS = (("newest", "Newest first"), ("patient", "By patient"), ("form", "By form"), ("check", "By check"))


@cache
def checks_in_words() -> tuple[tuple[str, str], ...]:
    """The code of each check, and the beginning of what it asks. A value that the question names is left open."""
    words: dict[str, str] = {}
    for check in edit_checks():
        asks = re.sub(r"\{[^}]*\}", "…", check.asks).split(". ")[0].rstrip(".")
        words.setdefault(check.code, textwrap.shorten(asks, MOST_OF_A_CHECK, placeholder=" …"))
    return tuple((code, f"{code} {words[code]}") for code in sorted(words))


class QueriesForm(SitedForm):
    """Which queries are listed, and in which order; the open ones unless told, the oldest first."""

    state = forms.ChoiceField(label="State", required=False)
    waits = forms.ChoiceField(label="Waits for", required=False)
    source = forms.ChoiceField(label="Asked by", required=False)
    severity = forms.ChoiceField(label="Severity", required=False)
    check_code = forms.ChoiceField(label="Check", required=False)
    form = forms.ChoiceField(label="Form", required=False)
    asked_of = forms.ChoiceField(label="Asked of", required=False)
    patient = forms.CharField(label="Patient number", required=False, max_length=14)
    age = forms.ChoiceField(label="Asked", required=False)
    sort = forms.ChoiceField(label="Order", required=False)

    def __init__(self, data: Any, *, viewer: Viewer, study: Study) -> None:
        super().__init__(data, viewer=viewer, study=study)
        self.roles = sorted(set(memberships_of(viewer).filter(study=study).values_list("role", flat=True)))
        self.choose("state", list(STATES), "Open")
        self.choose("waits", [("me", "Me"), *((str(role), str(role.label)) for role in WAITERS)], "Anybody")
        self.choose("source", list(SOURCES), "A check or a person")
        self.choose("severity", list(SEVERITIES), "All")
        self.choose("check_code", [*checks_in_words(), ("nobody's", "None: asked by a person")], "All")
        self.choose("form", [(code, f"{code} {title}") for code, title in forms_of_the_study()], "All forms")
        self.choose("asked_of", [(str(value), str(label)) for value, label in Audience.choices], "Anybody")
        self.choose("age", list(AGES), "At any time")
        self.choose("sort", list(SORTS), "Oldest first")
        self.order_fields(
            [
                *("state", "waits", "source", "severity", "check_code", "form", "asked_of", "patient", "site"),
                *("age", "sort"),
            ]
        )
        self.dress()

    def narrow(self, queries: QuerySet[Query], today: date) -> QuerySet[Query]:
        """The queries that were asked for, which have their `asked_at`. Call it on a valid form."""
        return self.narrow_by_state(self.narrow_but_state(queries, today))

    def narrow_by_state(self, queries: QuerySet[Query]) -> QuerySet[Query]:
        """Those in the state that was asked for. Who waits for something says it too, where no state is named."""
        asked = self.cleaned_data["state"]
        if asked == "all" or (not asked and self.cleaned_data["waits"]):
            return queries
        if asked == "waiting":
            return queries.filter(state__in=WAITING)
        if asked == "reopened":
            again = QueryMessage.objects.filter(query=OuterRef("pk"), step=Step.REOPENED)
            return queries.filter(Exists(again), state=QueryState.OPEN)
        return queries.filter(state=asked or QueryState.OPEN)

    def narrow_but_state(self, queries: QuerySet[Query], today: date) -> QuerySet[Query]:
        """What was asked for, in whatever state it is."""
        asked = self.cleaned_data
        for name in ("severity", "form", "asked_of"):
            if asked[name]:
                queries = queries.filter(**{name: asked[name]})
        if asked["waits"]:
            waiting = Q(pk__in=[])
            for role in self.roles if asked["waits"] == "me" else [asked["waits"]]:
                waiting |= waiting_for(role)
            queries = queries.filter(waiting)
        if asked["source"]:
            queries = queries.filter(check_code="") if asked["source"] == "person" else queries.exclude(check_code="")
        if asked["check_code"]:
            queries = queries.filter(check_code="" if asked["check_code"] == "nobody's" else asked["check_code"])
        if self.site_asked:
            queries = queries.filter(patient__site=self.site_asked)
        if asked["patient"].strip():
            queries = queries.filter(patient__number__icontains=asked["patient"].strip())
        return asked_before(queries, int(asked["age"]), today) if asked["age"] else queries

    def sort_them(self, queries: QuerySet[Query]) -> QuerySet[Query]:
        """The queries in the order that was asked for. They need their `asked_at`."""
        return queries.order_by(*SORTED[self.cleaned_data["sort"]])


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


class TogetherForm(forms.Form):
    """One text for many queries: an answer, a reason or a question."""

    text = forms.CharField(
        label="One answer, reason or question for all of them",
        max_length=500,
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "form-control form-control-sm"}),
        error_messages={"required": "Say what the answer, the reason or the question is."},
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="id_together_%s")

    def clean_text(self) -> str:
        """The text; one that says nothing is refused."""
        text = check_text(self.cleaned_data["text"])
        if not text.strip(" .-"):
            raise forms.ValidationError(self.fields["text"].error_messages["required"])
        return text
