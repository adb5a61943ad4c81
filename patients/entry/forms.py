"""The small forms beside a sheet: that a form was not done or has nothing to report, and that a record is removed."""

from django import forms

from patients.entry.controls import check_text
from trial.models import FormEntry


class ReasonForm(forms.Form):
    """A reason, without which nothing happens."""

    reason = forms.CharField(required=False, max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, data: object = None, files: object = None, *, label: str, asked: str) -> None:
        super().__init__(data, files)  # type: ignore[arg-type]  # a QueryDict, and no files
        self.fields["reason"].label = label
        self.asked = asked

    def clean_reason(self) -> str:
        """The reason; one that says nothing is refused."""
        reason = check_text(self.cleaned_data["reason"])
        if not reason.strip(" .-"):
            raise forms.ValidationError(self.asked)
        return reason


class NotDoneForm(ReasonForm):
    """Why a form was not done; and where the site said already that there is none, why that is changed."""

    entry_version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)
    because = forms.CharField(
        required=False,
        max_length=200,
        label="Why that is changed",
        help_text="The reason is kept in the audit trail.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, data: object = None, *, entry: FormEntry | None = None) -> None:
        super().__init__(data, label="Why it was not done", asked="Say why the form was not done.")
        self.auto_id = "not_done_%s"  # the page has a reason of its own
        self.said_before = entry.not_done_reason if entry else None
        self.fields["entry_version"].initial = entry.version if entry else 0
        if entry is None or not entry.says_there_is_none:
            del self.fields["because"]

    def clean_because(self) -> str:
        """Why it is changed; empty text where it is not."""
        because = check_text(self.cleaned_data["because"])
        if not because.strip(" .-") and self.said_before != self.cleaned_data.get("reason"):
            raise forms.ValidationError("Say why this is being changed. The reason is kept in the audit trail.")
        return because


class RemoveForm(ReasonForm):
    """Why a record is removed, and which version of it the person saw."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    def __init__(self, data: object = None, files: object = None, *, version: int) -> None:
        super().__init__(
            data,
            files,
            label="Why it is removed",
            asked="Say why this is removed. The reason is kept in the audit trail.",
        )
        self.fields["version"].initial = version
