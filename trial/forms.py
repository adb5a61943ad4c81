"""The forms above lists: what narrows a list, kept as it was typed when it cannot be read."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from trial.access import Viewer, sites_visible_to
from trial.changes import CORRECTED, KINDS, Filters, forms_of_the_study
from trial.days import NotADay, read_day
from trial.models import Membership, Site, Study


class DayField(forms.DateField):
    """A day as text: a browser's own picker would write it in the order of its language, and 03/12 has two readings."""

    def __init__(self, label: str) -> None:
        widget = forms.TextInput(attrs={"placeholder": "2014-09-30", "autocomplete": "off", "size": 10})
        super().__init__(label=label, required=False, widget=widget)

    def to_python(self, value: Any) -> date | None:
        """The day, in each of the ways that `read_day` knows."""
        if value in self.empty_values:
            return None
        try:
            return read_day(str(value))
        except NotADay as error:
            raise ValidationError(str(error), code="invalid") from error


class NarrowingForm(forms.Form):
    """What a list is narrowed to. Its state is the address of the page, and nothing typed is lost when it is wrong."""

    def dress(self) -> None:
        """Give the fields their looks. Call it when all fields are there."""
        for field in self.fields.values():
            is_choice = isinstance(field, forms.ChoiceField)
            field.widget.attrs["class"] = "form-select form-select-sm" if is_choice else "form-control form-control-sm"

    def choose(self, name: str, choices: list[tuple[str, str]], everything: str) -> None:
        """Fill one field's list; the first line chooses nothing."""
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", everything), *choices]
        field.error_messages["invalid_choice"] = "'%(value)s' is not in this list. Choose one that is."

    @property
    def is_narrowed(self) -> bool:
        """Whether anything was asked for."""
        return any(self.data.get(name) for name in self.fields)


class ChangesForm(NarrowingForm):
    """What the list of changes is narrowed to."""

    kind = forms.ChoiceField(required=False)
    patient = forms.CharField(required=False, max_length=14)
    site = forms.ChoiceField(required=False)
    person = forms.ChoiceField(required=False)
    form = forms.ChoiceField(required=False)
    since = DayField("From")
    until = DayField("To")

    def __init__(self, data: object, *, viewer: Viewer, study: Study) -> None:
        super().__init__(data)  # type: ignore[arg-type]  # a QueryDict
        sites = list(sites_visible_to(viewer, study))
        kinds = [(sign, word.capitalize()) for sign, word in KINDS.items()]
        self.choose("kind", [*kinds, (CORRECTED, "Corrections: an earlier value changed, or gone")], "All changes")
        self.choose("site", [(str(site.pk), str(site)) for site in sites], "All sites")
        self.choose("person", people_of(study, sites), "Everybody")
        self.choose("form", [(code, f"{code} {title}") for code, title in forms_of_the_study()], "All forms")
        self.dress()

    def filters(self) -> Filters:
        """The narrowing that was asked for. Call it on a valid form."""
        asked = self.cleaned_data
        return Filters(
            kind=asked["kind"],
            patient=asked["patient"].strip(),
            site=int(asked["site"]) if asked["site"] else None,
            person=int(asked["person"]) if asked["person"] else None,
            form=asked["form"],
            since=asked["since"],
            until=asked["until"],
        )


def people_of(study: Study, sites: list[Site]) -> list[tuple[str, str]]:
    """Who can have changed something there: account and name of everybody who ever had a role at these sites or at all."""
    memberships = Membership.objects.filter(study=study).select_related("person")
    here = {site.pk for site in sites}
    people = {
        str(membership.person.user_id): membership.person.name
        for membership in memberships
        if membership.site_id is None or membership.site_id in here
    }
    return sorted(people.items(), key=lambda person: person[1])
