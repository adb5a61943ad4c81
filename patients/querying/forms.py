"""What is typed about queries: a question, an answer, and why one is closed, cancelled or opened again."""

from typing import Any

from django import forms

from patients.entry.controls import check_text
from patients.querying.about import Place
from trial.review.models import Audience, Query, QueryState, Step

LONGEST_QUESTION, LONGEST_TEXT = 500, 1000  # characters: what the columns hold


class SayingForm(forms.Form):
    """A text that says something, on the version of a query that the person saw."""

    text = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2, "class": "form-control"}))
    missing = "Say why."

    def clean_text(self) -> str:
        """The text; one that says nothing is refused."""
        text = check_text(self.cleaned_data["text"])
        if not text.strip(" .-"):
            raise forms.ValidationError(self.missing)
        most = self.fields["text"].max_length or LONGEST_TEXT  # type: ignore[attr-defined]  # a CharField
        if len(text) > most:
            raise forms.ValidationError(f"The text has {len(text)} characters. Say it in {most}.")
        return text


class AskForm(SayingForm):
    """A question, what it is about, and who is asked."""

    field = forms.ChoiceField(label="About", required=False, widget=forms.Select(attrs={"class": "form-select"}))
    asked_of = forms.ChoiceField(
        label="Who is asked",
        choices=Audience,
        initial=Audience.SITE,
        widget=forms.RadioSelect(),
    )
    missing = "Type the question."

    def __init__(self, data: Any = None, files: Any = None, *, place: Place, field: str = "") -> None:
        super().__init__(data, files, initial={"field": field})
        self.fields["text"].label = "Question"
        self.fields["text"].help_text = f"At most {LONGEST_QUESTION} characters. Whoever is asked reads it in the form."
        self.fields["text"].max_length = LONGEST_QUESTION  # type: ignore[attr-defined]  # a CharField
        about = self.fields["field"]
        about.choices = [("", "The form as a whole"), *place.fields]  # type: ignore[attr-defined]  # a list of choices
        about.error_messages["invalid_choice"] = "'%(value)s' is no question of this form. Choose one that is."
        if not place.fields:
            del self.fields["field"]
        self.order_fields(["field", "text", "asked_of"])


class StepForm(SayingForm):
    """One step with one query."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)
    LABELS = {
        Step.ANSWERED: "Answer",
        Step.CLOSED: "Why it is closed",
        Step.CANCELLED: "Why it is cancelled",
        Step.REOPENED: "Why it is opened again",
    }

    def __init__(self, data: Any = None, *, query: Query, step: Step) -> None:
        answer = query.answer if step == Step.ANSWERED and query.state == QueryState.ANSWERED else ""
        super().__init__(data, initial={"version": query.version, "text": answer}, auto_id=f"id_{step}_%s")
        self.step = step
        self.fields["text"].label = self.LABELS[step]
        if step == Step.ANSWERED:
            self.missing = "Say what the answer is."

    def see_again(self, version: int) -> None:
        """Show what was typed once more, now against the version that there is."""
        data: Any = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict
        data["version"] = str(version)
        self.data = data
