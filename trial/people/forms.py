"""The forms of people and their roles. Shape only: the rules that need the database are in `actions.py`."""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from trial.forms import DayField, NarrowingForm
from trial.models import Membership, Person, Role, Site, Study
from trial.people.actions import Newcomer, Wanted
from trial.people.reading import AccountState, Holding, Member, holding, word_place
from trial.wording import word_date

NOBODY = "nobody"  # the choice that acknowledges that nobody reads on
AT_ONCE, ON_A_DAY = "now", "day"


class PeopleForm(NarrowingForm):
    """What the list of people is narrowed to."""

    q = forms.CharField(label="Name, organisation, user name", required=False, max_length=100)
    role = forms.ChoiceField(label="Role", required=False)
    site = forms.ChoiceField(label="Site", required=False)
    when = forms.ChoiceField(label="Role held", required=False)
    state = forms.ChoiceField(label="Account", required=False)

    def __init__(self, data: Any, *, study: Study) -> None:
        super().__init__(data)
        sites = Site.objects.filter(study=study)
        self.choose("role", list(Role.choices), "All roles")
        self.choose("site", [(str(site.pk), str(site)) for site in sites], "All sites")
        self.choose("when", [(when.name, when.value.capitalize()) for when in Holding], "At any time")
        self.choose("state", [(state.name, state.value) for state in AccountState], "All accounts")
        self.dress()

    def narrow(self, members: Iterable[Member], on: date) -> list[Member]:
        """Those who were asked for. Call it on a valid form."""
        return [member for member in members if self.fits(member, on)]

    def fits(self, member: Member, on: date) -> bool:
        """Whether this person was asked for. Role, site and time must be true of one and the same role."""
        asked = self.cleaned_data
        words = f"{member.name} {member.organisation} {member.user_name}".casefold()
        if not all(word in words for word in asked["q"].casefold().split()):
            return False
        if asked["state"] and AccountState[asked["state"]] not in member.states:
            return False
        if asked["when"] == Holding.ENDED.name and any(
            holding(one, on) is not Holding.ENDED for one in member.memberships
        ):
            return False  # who has another role today has not left
        if not (asked["role"] or asked["site"] or asked["when"]):
            return True
        return any(self.fits_role(membership, on) for membership in member.memberships)

    def fits_role(self, membership: Membership, on: date) -> bool:
        """Whether this is a role that was asked for. A role at all sites is one at each."""
        asked = self.cleaned_data
        return (
            asked["role"] in ("", membership.role)
            and (not asked["site"] or membership.site_id in (None, int(asked["site"])))
            and asked["when"] in ("", holding(membership, on).name)
        )


# Letters and signs to Unicode that nobody sees: joiners, fillers, the blank of braille, selectors of a variation.
UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0]")


def refuse_unseen(text: str) -> None:
    """Refuse a text with a sign that does not print: it would look like another name, or turn what stands beside it round."""
    for sign in text:
        if not sign.isprintable() or UNSEEN.match(sign):
            what = "a line break" if sign in "\r\n" else f"a sign that does not print (U+{ord(sign):04X})"
            raise ValidationError(f"This text has {what}. Take it out, or type the text anew on one line.", "unseen")


class Reasoned(forms.Form):
    """A form whose act is put on record with a reason."""

    reason = forms.CharField(
        label="Why",
        max_length=300,
        validators=[refuse_unseen],
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="In your own words. It is kept in the audit trail.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields([*(name for name in self.fields if name != "reason"), "reason"])

    def clean_reason(self) -> str:
        """A reason that says something."""
        reason: str = self.cleaned_data["reason"]
        if not reason.strip(" .-\t\r\n"):
            raise ValidationError("Say why. The reason is kept in the audit trail.")
        return reason

    def full_reason(self) -> str:
        """What the trail keeps. Call it on a valid form."""
        reason: str = self.cleaned_data["reason"]
        return reason


class Seen(forms.Form):
    """A form about something that others may change meanwhile: it sends back the version that the person saw."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def see_again(self, version: int) -> None:
        """Show what was typed once more, now against the version that there is. Call it when `Stale` was said."""
        data: Any = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict
        data["version"] = str(version)
        self.data = data


def day_field(label: str, *, required: bool = True, help_text: str = "") -> DayField:
    """A day that is typed, as above lists."""
    field = DayField(label)
    field.required = required
    field.help_text = help_text
    return field


class RoleFields(forms.Form):
    """A role, where, from when and until when."""

    role = forms.ChoiceField(label="Role", choices=[("", "Choose a role"), *Role.choices])
    is_everywhere = forms.BooleanField(label="All sites", required=False)
    sites = forms.ModelMultipleChoiceField(
        label="Sites",
        queryset=Site.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "There is no such site in this study. Choose from the list."},
    )
    starts_on = day_field("First day", help_text="Today or later, as 2014-09-30 or 30-Sep-2014.")
    ends_on = day_field("Last day", required=False, help_text="Included. Empty for no end; an inspector needs one.")

    def __init__(self, *args: Any, study: Study, today: date, **kwargs: Any) -> None:
        kwargs["initial"] = {"starts_on": today.isoformat()} | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        field = self.fields["sites"]
        assert isinstance(field, forms.ModelMultipleChoiceField)
        field.queryset = Site.objects.filter(study=study)

    def clean(self) -> dict[str, Any]:
        """Either all sites or some."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("is_everywhere") and cleaned.get("sites"):
            self.add_error("sites", "All sites and single ones are both chosen. Take one of the two away.")
        elif not cleaned.get("is_everywhere") and not cleaned.get("sites") and "sites" not in self.errors:
            self.add_error("sites", "No site is chosen. Choose all sites, or at least one.")
        return cleaned

    def wanted(self) -> Wanted:
        """The role that was asked for. Call it on a valid form."""
        asked = self.cleaned_data
        return Wanted(Role(asked["role"]), tuple(asked["sites"]), asked["starts_on"], asked["ends_on"])


class RoleForm(RoleFields, Reasoned):
    """Another role for somebody of the study."""


BY_MAIL, BY_HAND = "mail", "hand"


class LinkForm(Reasoned):
    """Making a one-time link, and how it reaches the person. Where there is no mail there is no choice."""

    way = forms.ChoiceField(
        label="The link",
        choices=[(BY_MAIL, "Send it to the person's e-mail address"), (BY_HAND, "Show it to me, to hand it over")],
        widget=forms.RadioSelect,
        initial=BY_MAIL,
        help_text="By mail, nobody but the person ever sees it. Which of the two was chosen is put on record.",
    )

    def __init__(self, *args: Any, can_mail: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not can_mail:
            del self.fields["way"]

    def by_mail(self) -> bool:
        """Whether the link goes by mail. Call it on a valid form."""
        return bool(self.cleaned_data.get("way") == BY_MAIL)


class InviteForm(RoleFields, LinkForm):
    """Somebody new, with a first role."""

    name = forms.CharField(
        label="Name", max_length=Person._meta.get_field("name").max_length, validators=[refuse_unseen]
    )
    organisation = forms.CharField(
        label="Organisation",
        max_length=Person._meta.get_field("organisation").max_length,
        validators=[refuse_unseen],
    )
    email = forms.EmailField(
        label="E-mail", max_length=254, error_messages={"invalid": "This is not an e-mail address. Check it."}
    )
    user_name = forms.CharField(
        label="User name",
        required=False,
        max_length=60,
        help_text="Leave it empty for one made from the name: Ann Lee becomes ann.lee.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}),
    )

    field_order = ("name", "organisation", "email", "user_name", "role", "is_everywhere", "sites")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields([*self.field_order, "starts_on", "ends_on", "way", "reason"])

    def clean_email(self) -> str:
        """The address as it is stored: one spelling, so that no two accounts share it."""
        email: str = self.cleaned_data["email"]
        return email.casefold()

    def newcomer(self) -> Newcomer:
        """Who is to have an account. Call it on a valid form."""
        asked = self.cleaned_data
        return Newcomer(asked["name"], asked["organisation"], asked["email"], asked["user_name"])


class ExistingForm(RoleFields, Reasoned):
    """A role here for somebody who has an account already, from another study."""

    account = forms.CharField(
        label="User name or e-mail address",
        max_length=254,
        help_text="The whole of it, as the person gave it to you. There is no list to choose from.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields(["account", "role", "is_everywhere", "sites", "starts_on", "ends_on", "reason"])


# Who reads on, where an investigator stops (ICH E6(R3) 4.3: the investigator has access to the site's data at all times).


class Handover(Reasoned):
    """For each site whose investigator goes: who reads on there, or that nobody does. Both become part of the reason."""

    def __init__(self, *args: Any, leaving: Sequence[Membership], today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.leaving = [
            membership
            for membership in leaving
            if membership.role == Role.INVESTIGATOR and holding(membership, today) is Holding.NOW
        ]
        self.heirs: dict[str, Membership] = {}
        for membership in self.leaving:
            place = word_place(membership.site)
            heirs = successors_of(membership, today)
            self.heirs |= {str(heir.pk): heir for heir in heirs}
            self.fields[name_of(membership)] = forms.ChoiceField(
                label=f"Who reads on for {place}",
                required=False,
                choices=[
                    ("", "Choose"),
                    *((str(heir.pk), heir.person.name) for heir in heirs),
                    (NOBODY, f"Nobody: I know that no investigator can read the data of {place} then"),
                ],
                help_text="An investigator has access to the data of their site at all times. Name who follows.",
            )
        self.order_fields([*(name for name in self.fields if name != "reason"), "reason"])

    def is_taken_away(self, membership: Membership) -> bool:
        """Whether what was typed takes this investigator's reading away."""
        return True

    def last_day(self) -> date | None:
        """The last day on which the investigator reads; None for at once."""
        return None

    def clean(self) -> dict[str, Any]:
        """A successor, or the acknowledgement, for each site."""
        cleaned: dict[str, Any] = super().clean() or {}
        if self.errors:
            return cleaned
        for membership in self.leaving:
            name, chosen = name_of(membership), cleaned[name_of(membership)]
            if not self.is_taken_away(membership):
                cleaned[name] = ""
            elif not chosen:
                self.add_error(
                    name,
                    f"{membership.person} is investigator of {word_place(membership.site)}. "
                    "Choose who reads on, or say that nobody does.",
                )
            elif chosen != NOBODY:
                self.check_successor(name, self.heirs[chosen])
        return cleaned

    def check_successor(self, name: str, heir: Membership) -> None:
        """Whoever follows must still be there afterwards."""
        last_day = self.last_day()
        if heir.ends_on is not None and last_day is not None and heir.ends_on <= last_day:
            self.add_error(
                name, f"{heir.person} is investigator only until {word_date(heir.ends_on)}. Choose somebody who stays."
            )

    def full_reason(self) -> str:
        """The reason, and for each site who reads on."""
        said = []
        for membership in self.leaving:
            chosen = self.cleaned_data[name_of(membership)]
            place = word_place(membership.site)
            if chosen == NOBODY:
                said.append(f"Acknowledged: no investigator reads on for {place}.")
            elif chosen:
                said.append(f"{self.heirs[chosen].person} reads on for {place}.")
        return " ".join([super().full_reason(), *said])


def name_of(membership: Membership) -> str:
    """The name of the field that asks who follows in this role."""
    return f"successor_{membership.pk}"


def successors_of(membership: Membership, today: date) -> list[Membership]:
    """The other investigators whose role holds today at the same site, or at all."""
    others = (
        Membership.objects.filter(
            study=membership.study_id, role=Role.INVESTIGATOR, person__is_active=True, person__user__is_active=True
        )
        .exclude(person=membership.person_id)
        .select_related("person")
        .order_by("person__name", "pk")
    )
    return [
        other
        for other in others
        if other.site_id in (None, membership.site_id) and holding(other, today) is Holding.NOW
    ]


class EndForm(Handover, Seen):
    """The end of a role: at once, or with a day."""

    when = forms.ChoiceField(
        label="When",
        choices=[(AT_ONCE, "At once"), (ON_A_DAY, "With the end of the day below")],
        widget=forms.RadioSelect,
        initial=AT_ONCE,
    )
    last = day_field("Last day", required=False, help_text="As 2014-09-30 or 30-Sep-2014.")

    def clean(self) -> dict[str, Any]:
        """A day where one is meant, and none where none is."""
        cleaned: dict[str, Any] = super().clean()
        if cleaned.get("when") == ON_A_DAY and not cleaned.get("last") and "last" not in self.errors:
            self.add_error("last", "Give the last day, or end the role at once.")
        elif cleaned.get("when") == AT_ONCE and cleaned.get("last"):
            self.add_error("last", "The role is to end at once, and a last day is given. Take one of the two away.")
        return cleaned

    def last_day(self) -> date | None:
        """The last day; None for at once."""
        day: date | None = self.cleaned_data.get("last")
        return day


class DatesForm(Handover, Seen):
    """Other dates for a role."""

    starts_on = day_field("First day")
    ends_on = day_field("Last day", required=False, help_text="Included. Empty for no end.")

    def is_taken_away(self, membership: Membership) -> bool:
        """An end that comes earlier than it did."""
        day = self.last_day()
        return day is not None and (membership.ends_on is None or day < membership.ends_on)

    def last_day(self) -> date | None:
        """The last day that was typed."""
        day: date | None = self.cleaned_data.get("ends_on")
        return day


class DisableForm(Handover, Seen):
    """Closing an account."""


class FactorForm(Reasoned):
    """Taking away a second factor that was lost."""


class EnableForm(Reasoned, Seen):
    """Opening an account again."""


class ReviewForm(forms.Form):
    """The confirmation of the list of people."""

    seen = forms.CharField(widget=forms.HiddenInput)
    is_confirmed = forms.BooleanField(error_messages={"required": "Tick the statement to confirm it."})
    remarks = forms.CharField(
        label="Remarks", required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, statement: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["is_confirmed"].label = statement

    def see_again(self, digest: str) -> None:
        """Show the form once more, now against the list that there is; what was confirmed was another list."""
        data: Any = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict
        data["seen"] = digest
        data.pop("is_confirmed", None)
        self.data = data
