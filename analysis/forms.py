"""The form that takes datasets away."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from analysis.catalogue import NotInCatalogue
from analysis.export import FORMATS
from analysis.report import read_day, read_instant
from analysis.tables.groups import ALL, COHORTS
from trial.models import Study
from trial.what_for import LONGEST, PURPOSE_MISSING, RECIPIENT_MISSING


class ExportForm(forms.Form):
    """Which datasets leave, in which files, for what and to whom. The last two must be said of real patients."""

    cohort = forms.ChoiceField(choices=[(cohort.key, cohort.name) for cohort in COHORTS.values()], required=False)
    cutoff = forms.CharField(
        label="Cut-off",
        required=False,
        max_length=40,
        help_text="Nothing dated later counts. Empty: the study's own cut-off.",
    )
    as_of = forms.CharField(
        label="As of, UTC",
        required=False,
        max_length=40,
        help_text="The data as they were then: 2014-09-30 or 2014-09-30T12:00:00Z. Empty: now.",
    )
    format = forms.MultipleChoiceField(
        label="Files",
        choices=[(name, name.upper()) for name in FORMATS],
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": f"Choose at least one of {', '.join(FORMATS)}.",
            "invalid_choice": f"There is no format '%(value)s'. Choose from {', '.join(FORMATS)}.",
        },
    )
    purpose = forms.CharField(
        label="What they are for", max_length=LONGEST, error_messages={"required": PURPOSE_MISSING}
    )
    recipient = forms.CharField(
        label="Who receives them", max_length=LONGEST, error_messages={"required": RECIPIENT_MISSING}
    )

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if study.is_synthetic:
            self.fields["purpose"].required = self.fields["recipient"].required = False

    def clean_cohort(self) -> str:
        """The cohort; every patient where none was named."""
        return self.cleaned_data["cohort"] or ALL.key

    def clean_cutoff(self) -> str:
        """The cut-off as it was typed, if it is a day."""
        return readable(self.cleaned_data["cutoff"], read_day)

    def clean_as_of(self) -> str:
        """The instant as it was typed, if it is one."""
        return readable(self.cleaned_data["as_of"], read_instant)


def readable(text: str, read: Any) -> str:
    """The text, if this function can read it."""
    try:
        read(text)
    except NotInCatalogue as error:
        raise ValidationError(str(error)) from error
    return text
