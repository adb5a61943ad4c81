"""What the access record is narrowed to."""

from datetime import date

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from trial.access_record.accesses import NEWEST_FIRST, ORDERS, Filters, people_ever_in
from trial.access_record.models import AccessKind
from trial.access_record.wording import PAGES
from trial.forms import DayField, NarrowingForm
from trial.models import Study
from trial.wording import word_date


class AccessForm(NarrowingForm):
    """The fields above the list. The order is not among them: it is in the heads of the columns."""

    q = forms.CharField(label="Search", required=False, max_length=60)
    person = forms.ChoiceField(required=False)
    kind = forms.ChoiceField(required=False)
    patient = forms.CharField(required=False, max_length=14)
    opened = forms.ChoiceField(label="Page", required=False)  # in an address `page` is the page of the list
    since = DayField("From")
    until = DayField("To")
    address = forms.CharField(required=False, max_length=45)

    def __init__(self, data: object, *, study: Study) -> None:
        super().__init__(data)  # type: ignore[arg-type]  # a QueryDict
        people = [(str(user), name) for name, user in people_ever_in(study).values_list("name", "user")]
        self.choose("person", sorted(people, key=lambda person: person[1]), "Everybody")
        self.choose("kind", list(AccessKind.choices), "Everything")
        pages = [(name, words.format(what="…", first="…")) for name, words in PAGES.items()]
        self.choose("opened", [(name, words[:1].upper() + words[1:]) for name, words in pages], "All pages")
        self.dress()

    def filters(self) -> Filters:
        """The narrowing that was asked for. Call it on a valid form."""
        asked = self.cleaned_data
        return Filters(
            q=asked["q"],
            person=int(asked["person"]) if asked["person"] else None,
            kind=asked["kind"],
            patient=asked["patient"],
            page=asked["opened"],
            since=asked["since"],
            until=asked["until"],
            address=asked["address"],
        )


class DayForm(NarrowingForm):
    """The day that is asked about; today unless said."""

    on = DayField("On")

    def __init__(self, data: object) -> None:
        super().__init__(data)  # type: ignore[arg-type]  # a QueryDict
        self.dress()

    def clean_on(self) -> date:
        """The day, if it has begun."""
        today = timezone.now().date()
        day: date = self.cleaned_data["on"] or today
        if day > today:
            raise ValidationError(f"{word_date(day)} is still to come. Give a day up to {word_date(today)}.")
        return day


def read_order(text: str) -> str:
    """The order that the address asks for; newest first where it asks for none that there is."""
    return text if text.removeprefix("-") in ORDERS else NEWEST_FIRST
