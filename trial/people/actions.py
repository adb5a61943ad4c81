"""What an administrator does to people's access. Call each inside `acting(...)`; each holds its study while it looks and writes.

Each action says in a sentence what it did. `CannotChange` says which rule stands against it, and what to do instead.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Q

from trial.access import Permission, may
from trial.audit import Stale
from trial.models import AccessReview, Membership, Person, Role, Site, Study
from trial.people.reading import (
    Holding,
    Member,
    holding,
    members_of,
    people_of,
    word_period,
    word_places,
    word_role,
)
from trial.people.reviews import statement
from trial.sign_in.names import MOST as MOST_OF_A_NAME
from trial.sign_in.names import checked_user_name
from trial.wording import word_date

DAY = timedelta(days=1)


class CannotChange(Exception):
    """A rule stands against the change. The text is for the person who asked for it; `field` is where it belongs."""

    def __init__(self, sentence: str, field: str | None = None) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True)
class Wanted:
    """A role that somebody is to have: at these sites (at all of them where none is named), from a day, until a day."""

    role: Role
    sites: tuple[Site, ...]
    starts_on: date
    ends_on: date | None

    def __str__(self) -> str:
        return f"{self.role.label}, {word_places(self.sites)}, {word_period(self.starts_on, self.ends_on)}"


def hold(study: Study) -> None:
    """Let nobody else change the people of the study until this act is over: a rule must not break between look and write."""
    # no_key: patients of the study may be entered meanwhile
    Study.objects.select_for_update(no_key=True).get(pk=study.pk)


def hold_accounts() -> None:
    """The same for all studies: accounts, and so user names and e-mail addresses, are of the whole install."""
    list(Study.objects.select_for_update(no_key=True).order_by("pk"))


# Roles.


def give_role(person: Person, study: Study, wanted: Wanted, *, by: User, today: date) -> str:
    """Give the person a role: one membership for each site, or one for all sites."""
    hold(study)
    refuse_own(person, by)
    refuse_past(wanted.starts_on, today)
    check_period(wanted.role, wanted.starts_on, wanted.ends_on)
    if wanted.role == Role.ADMINISTRATOR and wanted.sites:
        raise CannotChange("An administrator is of the whole study. Choose all sites.", "sites")
    for site in wanted.sites or (None,):
        membership = Membership(
            person=person,
            study=study,
            site=site,
            role=wanted.role,
            starts_on=wanted.starts_on,
            ends_on=wanted.ends_on,
        )
        refuse_overlap(membership)
        membership.save()
    return f"Gave {person} the role {wanted}."


def change_dates(
    membership: Membership, starts_on: date, ends_on: date | None, *, seen: int, by: User, today: date
) -> str:
    """Change from when or until when a role holds. `seen` is the version that the person looked at."""
    hold(membership.study)
    membership = current(membership, seen)
    when = holding(membership, today)
    refuse_own(membership.person, by)
    if when is Holding.ENDED:
        raise CannotChange(f"This role ended on {word_last_day(membership)}. Give it anew instead.")
    if when is Holding.TO_COME:
        refuse_past(starts_on, today)
    elif starts_on != membership.starts_on:
        raise CannotChange(
            f"The role holds since {word_date(membership.starts_on)}, and that is not changed any more.", "starts_on"
        )
    check_period(membership.role, starts_on, ends_on)
    if ends_on is not None and ends_on < today:
        raise CannotChange(
            f"{word_date(ends_on)} is over, and the role held until today. End it at once, or choose a day to come.",
            "ends_on",
        )
    with keeping_an_administrator([membership.study], today):
        membership.starts_on, membership.ends_on = starts_on, ends_on
        refuse_overlap(membership)
        membership.save()
    return f"Changed the dates of a role of {membership.person}: {word_role(membership)}, {word_period(starts_on, ends_on)}."


def end_role(membership: Membership, last_day: date | None, *, seen: int, by: User, today: date) -> str:
    """End a role with a day, which is its last; or at once, where none is given. One that never held a whole day is withdrawn."""
    hold(membership.study)
    membership = current(membership, seen)
    person, role = membership.person, word_role(membership)
    refuse_own(person, by)
    if holding(membership, today) is Holding.ENDED:
        raise CannotChange(f"This role ended on {word_last_day(membership)} already.")
    if last_day is not None and last_day < today:
        raise CannotChange(
            f"{word_date(last_day)} is over, and the role held until today. End it at once, or choose a day to come.",
            "last_day",
        )
    if last_day is not None and last_day < membership.starts_on:
        raise CannotChange(f"The role begins on {word_date(membership.starts_on)}. End it at once instead.", "last_day")
    with keeping_an_administrator([membership.study], today):
        if last_day is None and membership.starts_on >= today:
            membership.delete()  # a last day before the first one would be no period; the trail keeps what was given
        else:
            membership.ends_on = last_day or today - DAY
            membership.save()
    when = f"with {word_date(last_day)}" if last_day else "at once"
    return f"Ended the role of {person} {when}: {role}."


def refuse_past(starts_on: date, today: date) -> None:
    """Who had access is a fact; nobody is given some for days that are over."""
    if starts_on < today:
        raise CannotChange(
            f"The first day is {word_date(starts_on)}. Access cannot be given for the past: choose today or later.",
            "starts_on",
        )


def check_period(role: str, starts_on: date, ends_on: date | None) -> None:
    """The rules on the dates of any role."""
    if ends_on is not None and ends_on < starts_on:
        raise CannotChange(
            f"The last day is {word_date(ends_on)}, before the first one. Choose {word_date(starts_on)} or later.",
            "ends_on",
        )
    if role == Role.INSPECTOR and ends_on is None:
        raise CannotChange("An inspector has access for a time. Say until when.", "ends_on")


def refuse_own(person: Person, by: User) -> None:
    """Nobody changes their own access."""
    if person.user_id == by.pk:
        raise CannotChange("You cannot change your own access. Ask another administrator of the study.")


def refuse_overlap(membership: Membership) -> None:
    """The same role twice at one site on one day would leave two answers to the question until when it holds."""
    same = Membership.objects.filter(person=membership.person, study=membership.study, role=membership.role).exclude(
        pk=membership.pk
    )
    if membership.site is not None:
        same = same.filter(Q(site=membership.site) | Q(site__isnull=True))
    if membership.ends_on is not None:
        same = same.filter(starts_on__lte=membership.ends_on)
    same = same.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=membership.starts_on))
    there = same.select_related("site").order_by("starts_on", "pk").first()
    if there is not None:
        raise CannotChange(
            f"{membership.person} is {word_role(there)}, {word_period(there.starts_on, there.ends_on)} already. "
            "Change the dates of that role, or choose days outside of it."
        )


def current(membership: Membership, seen: int) -> Membership:
    """The role as it is now. Raise `Stale` when somebody changed it after the version that was seen."""
    found = Membership.objects.select_related("person__user", "study", "site").filter(pk=membership.pk).first()
    if found is None:
        raise Stale("Somebody withdrew this role meanwhile. Nothing was changed.")
    if found.version != seen:
        last = found.history.select_related("recording").latest()
        raise Stale(
            f"{last.recording.person_name} changed this role meanwhile: it is now "
            f"{word_period(found.starts_on, found.ends_on)}. What you typed is below; save again if it should replace that."
        )
    return found


def word_last_day(membership: Membership) -> str:
    """The last day in words, of a role that has one."""
    assert membership.ends_on is not None
    return word_date(membership.ends_on)


# A study is never without an administrator.


def first_day_uncovered(periods: Iterable[tuple[date, date | None]], from_day: date) -> date | None:
    """The first day from that one on that no period covers; None when every day to come is covered. Both ends count."""
    day = from_day
    for starts_on, ends_on in sorted(periods, key=lambda period: period[0]):
        if starts_on > day:
            return day
        if ends_on is None or ends_on == date.max:
            return None
        day = max(day, ends_on + DAY)
    return day


def first_day_without_administrator(study: Study, today: date) -> date | None:
    """The first day, today or later, on which no active person is administrator of the study; None for no such day."""
    periods = Membership.objects.filter(
        study=study, role=Role.ADMINISTRATOR, person__is_active=True, person__user__is_active=True
    ).values_list("starts_on", "ends_on")
    return first_day_uncovered(periods, today)


@contextmanager
def keeping_an_administrator(studies: Sequence[Study], today: date, by: User | None = None) -> Iterator[None]:
    """Refuse the change inside when it leaves a study without an administrator on a day that had one.

    The refusal names the study; with `by`, only where that person is an administrator of it.
    """
    before = [first_day_without_administrator(study, today) for study in studies]
    yield
    for study, was in zip(studies, before, strict=True):
        day = first_day_without_administrator(study, today)
        if day is not None and (was is None or day < was):
            when = "any more" if day == today else f"on {word_date(day)}"
            # Which studies there are is not told to others.
            if by is not None and not may(by, Permission.PEOPLE_EDIT, study):
                raise CannotChange(
                    f"Another study would have no administrator {when}. End the roles in this study instead, and tell "
                    "whoever runs this installation."
                )
            raise CannotChange(f"{study} would have no administrator {when}. Make somebody else administrator first.")


# Accounts.


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody who is to have an account. Where no user name was chosen, one is made from the name."""

    name: str
    organisation: str
    email: str
    user_name: str = ""


def invite(newcomer: Newcomer, study: Study, wanted: Wanted, *, by: User, today: date) -> tuple[Person, str]:
    """Make an account that nobody can sign in to yet, for a person with a role. Its password is set by a one-time link."""
    hold_accounts()
    refuse_known_address(newcomer.email)
    proposal = newcomer.user_name or proposed_user_name(newcomer.name)
    if not proposal:
        raise CannotChange(f"No user name can be made from '{newcomer.name}'. Type one.", "user_name")
    try:
        user_name = checked_user_name(proposal)
    except ValidationError as refused:
        raise CannotChange(" ".join(refused.messages), "user_name") from refused
    user = User.objects.create_user(username=user_name, email=newcomer.email, password=None)
    person = Person(user=user, name=newcomer.name, organisation=newcomer.organisation)
    person.save()
    give_role(person, study, wanted, by=by, today=today)
    return person, f"Invited {person} of {person.organisation}: {wanted}."


def refuse_known_address(email: str) -> None:
    """An address is one person's: a link sent there must reach the right one."""
    if User.objects.filter(email__iexact=email).exists():
        raise CannotChange(
            f"There is an account with the address {email} already. Give that person a role instead.", "email"
        )


def proposed_user_name(name: str) -> str:
    """A free user name made from a person's name: `ann.lee`, or `ann.lee2`. Empty where the name has no plain letters."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    stem = ".".join(re.findall(r"[a-z0-9]+", plain.lower()))[: MOST_OF_A_NAME - 3]
    taken = {one.lower() for one in User.objects.filter(username__istartswith=stem).values_list("username", flat=True)}
    number = 1
    while stem and (proposal := stem if number == 1 else f"{stem}{number}") in taken:
        number += 1
    return proposal if stem else ""


def account_named(text: str, study: Study) -> Person:
    """The active person with exactly this user name or e-mail address, also of other studies."""
    found = Person.objects.filter(
        Q(user__username__iexact=text) | Q(user__email__iexact=text), is_active=True, user__is_active=True
    )
    person = found.select_related("user").first()
    if person is None:
        raise CannotChange(
            f"There is no active account whose user name or e-mail address is exactly '{text}'. "
            "Check it with the person, or invite them.",
            "account",
        )
    if people_of(study).filter(pk=person.pk).exists():
        raise CannotChange(
            f"{person} is among the people of {study} already. Add the role on the page of {person}.", "account"
        )
    return person


def refuse_shared_account(person: Person, by: User, today: date) -> None:
    """What could open an account is for those who are administrators wherever the person works.

    Otherwise whoever gives somebody a role in one study could take over what they do in another.
    """
    others = Study.objects.filter(
        Q(memberships__ends_on__isnull=True) | Q(memberships__ends_on__gte=today), memberships__person=person
    ).distinct()
    if not all(may(by, Permission.PEOPLE_EDIT, study) for study in others):
        raise CannotChange(
            f"{person} has a role in another study too, of which you are not administrator. "
            "End the roles in this study instead, or ask an administrator of both."
        )


def disable(person: Person, *, seen: int, by: User, today: date) -> str:
    """Close the account: sessions and tokens end, the roles stay as they are and count for nothing.

    Any administrator of the person may: it opens nothing, and a role that somebody else gave must not stand in the way.
    """
    hold_accounts()
    person = current_person(person, seen)
    refuse_own(person, by)
    administered = Study.objects.filter(memberships__person=person, memberships__role=Role.ADMINISTRATOR).distinct()
    with keeping_an_administrator(list(administered), today, by):
        person.is_active = False
        person.save()
        User.objects.filter(pk=person.user_id).update(is_active=False)
    return f"Disabled the account of {person}."


def enable(person: Person, *, seen: int, by: User, today: date) -> str:
    """Open the account again, with the roles that it has."""
    hold_accounts()
    person = current_person(person, seen)
    refuse_own(person, by)
    refuse_shared_account(person, by, today)
    person.is_active = True
    person.save()
    User.objects.filter(pk=person.user_id).update(is_active=True)
    return f"Enabled the account of {person}."


def current_person(person: Person, seen: int) -> Person:
    """The person as they are now. Raise `Stale` when somebody changed them after the version that was seen."""
    found = Person.objects.select_related("user").get(pk=person.pk)
    if found.version != seen:
        last = found.history.select_related("recording").latest()
        state = "active" if found.is_active else "disabled"
        raise Stale(
            f"{last.recording.person_name} changed this account meanwhile: it is now {state}. "
            "Do it again if that should change."
        )
    return found


def check_new_link(person: Person, *, by: User, today: date) -> str:
    """Refuse a link at which this person would set a new password, where a rule stands against it."""
    refuse_own(person, by)
    refuse_shared_account(person, by, today)
    refuse_disabled(person)
    return f"Made a one-time link at which {person} sets a new password."


def remove_second_factor(person: Person, *, by: User, today: date) -> str:
    """Take away what the person lost: apps, passkeys and recovery codes. The password alone stays."""
    refuse_own(person, by)
    refuse_shared_account(person, by, today)
    refuse_disabled(person)
    removed, _ = Authenticator.objects.filter(user=person.user_id).delete()
    if not removed:
        raise CannotChange(f"{person} has no second factor. There is nothing to remove.")
    return f"Removed the second factor of {person}."


def refuse_disabled(person: Person) -> None:
    """A closed account is opened first."""
    if not (person.is_active and person.user.is_active):
        raise CannotChange(f"The account of {person} is disabled. Enable it first.")


# The periodic review.


def list_to_review(study: Study, today: date) -> list[Member]:
    """Everybody who has a role in the study today or will have one."""
    return [
        member
        for member in members_of(study, today)
        if any(holding(membership, today) is not Holding.ENDED for membership in member.memberships)
    ]


def digest(members: Iterable[Member]) -> str:
    """A digest of what the list says of these people: it differs when a person, an account or a role changed."""
    said = [
        (
            member.person.pk,
            member.person.version,
            member.person.user.is_active,
            [(membership.pk, membership.version) for membership in member.memberships],
        )
        for member in members
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def confirm_review(study: Study, *, seen: str, today: date, remarks: str) -> AccessReview:
    """Keep that the list of people was looked through and is right. `seen` is the digest of the list that was shown."""
    hold(study)
    members = list_to_review(study, today)
    if digest(members) != seen:
        raise Stale("The list changed while you looked at it. It is shown anew below: look again, then confirm.")
    review = AccessReview(
        study=study,
        reviewed_as_of=today,
        statement=statement(study, today),
        people_count=len(members),
        remarks=remarks or None,
    )
    review.save()
    return review
