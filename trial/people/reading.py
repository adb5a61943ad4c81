"""Who works on a study, as the pages show it: roles with their sites and dates, the state of each account, the reviews.

Nothing here writes. A list costs the same number of queries however many people it has, and says nothing of another study.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from allauth.mfa.models import Authenticator
from django.db.models import Max, QuerySet
from django.utils import timezone

from trial.access_record.models import AccessEvent, AccessKind
from trial.models import Membership, Person, Role, Site, Study
from trial.people.reviews import Reviewed, first_known, reviews_of
from trial.sign_in.guessing import LOCKED_MINUTES
from trial.sign_in.rights import SECOND_FACTORS
from trial.wording import word_date

LOCKED_FOR = timedelta(minutes=LOCKED_MINUTES)


class AccountState(StrEnum):
    """What is to be known of an account. The value is the word on the page."""

    ACTIVE = "Active"
    DISABLED = "Disabled"
    NEVER_SIGNED_IN = "Never signed in"
    NO_SECOND_FACTOR = "No second factor"
    LOCKED = "Locked"

    @property
    def word(self) -> str:
        """As `components/status.html` shows it, with its icon and colour."""
        return self.value

    @property
    def icon(self) -> str:
        """The sign before the word."""
        return STATE_LOOKS[self][0]

    @property
    def colour(self) -> str:
        """The colour of the word, which says nothing that the word does not."""
        return STATE_LOOKS[self][1]


STATE_LOOKS = {
    AccountState.ACTIVE: ("check", "success"),
    AccountState.DISABLED: ("x", "muted"),
    AccountState.NEVER_SIGNED_IN: ("circle", "muted"),
    AccountState.NO_SECOND_FACTOR: ("alert-triangle", "warning"),
    AccountState.LOCKED: ("lock", "warning"),
}


class Holding(StrEnum):
    """When a role holds, seen from a day. The value is the word on the page."""

    NOW = "today"
    TO_COME = "to come"
    ENDED = "ended"


def holding(membership: Membership, on: date) -> Holding:
    """Whether the role holds on that day, will later, or did before."""
    if membership.starts_on > on:
        return Holding.TO_COME
    return Holding.ENDED if membership.ends_on is not None and membership.ends_on < on else Holding.NOW


def word_place(site: Site | None) -> str:
    """`site 012 Ulm`, or `all sites`."""
    return f"site {site}" if site else "all sites"


def word_period(starts_on: date, ends_on: date | None) -> str:
    """`from 01-Jan-2011`, with `until ...` where the last day is known. Both days are included."""
    until = f" until {word_date(ends_on)}" if ends_on else ""
    return f"from {word_date(starts_on)}{until}"


def word_role(membership: Any) -> str:
    """`Monitor, all sites`. Takes a membership; one that its history holds, too."""
    return f"{Role(membership.role).label}, {word_place(membership.site)}"


@dataclass(frozen=True, slots=True)
class Held:
    """A role of one person with its dates, at one site, several or all: memberships that differ in the site alone."""

    role: str
    places: str
    starts_on: date
    ends_on: date | None
    when: Holding

    @property
    def label(self) -> str:
        """The role in words."""
        return Role(self.role).label

    @property
    def period(self) -> str:
        """The dates in words."""
        return word_period(self.starts_on, self.ends_on)

    def __str__(self) -> str:
        return f"{self.label}, {self.places}, {self.period}"


@dataclass(frozen=True, slots=True)
class Member:
    """One person of a study, with all that a line of the list says."""

    person: Person
    memberships: tuple[Membership, ...]
    held: tuple[Held, ...]
    states: tuple[AccountState, ...]
    last_signed_in_at: datetime | None
    last_reviewed_on: date | None

    @property
    def name(self) -> str:
        """The person's name."""
        return self.person.name

    @property
    def organisation(self) -> str:
        """Whom the person works for."""
        return self.person.organisation

    @property
    def user_name(self) -> str:
        """The name that the person signs in with."""
        return self.person.user.username

    @property
    def roles(self) -> str:
        """All roles in one text, by which the list is sorted."""
        return "; ".join(map(str, self.held))

    @property
    def state(self) -> str:
        """All states in one text, by which the list is sorted."""
        return ", ".join(self.states)


def people_of(study: Study) -> QuerySet[Person]:
    """Everybody who has or ever had a role in the study, also one whose role was withdrawn before it began."""
    # The history, and not the memberships: a withdrawn role is a deleted row.
    ever = Membership.history.filter(study=study.pk).order_by().values("person")
    return Person.objects.filter(pk__in=ever).select_related("user").order_by("name", "pk")


def members_of(study: Study, on: date, people: QuerySet[Person] | None = None) -> list[Member]:
    """The people of the study, or these of them, by name, as of today (`on`)."""
    found = list(people_of(study) if people is None else people)
    memberships: dict[int, list[Membership]] = defaultdict(list)
    for membership in memberships_in(study, found):
        memberships[membership.person_id].append(membership)
    users = [person.user_id for person in found]
    signed_in = dict(
        AccessEvent.objects.filter(kind=AccessKind.SIGNED_IN, by__in=users)
        .order_by()
        .values_list("by")
        .annotate(Max("at"))
    )
    with_factor = set(
        Authenticator.objects.filter(user__in=users, type__in=SECOND_FACTORS).values_list("user_id", flat=True)
    )
    locked = locked_out(users)
    reviews = list(reviews_of(study))
    known_since = first_known(study)
    return [
        Member(
            person=person,
            memberships=tuple(memberships[person.pk]),
            held=group(memberships[person.pk], on),
            states=states_of(
                person,
                has_signed_in=person.user_id in signed_in,
                has_factor=person.user_id in with_factor,
                is_locked=person.user_id in locked,
            ),
            last_signed_in_at=signed_in.get(person.user_id),
            last_reviewed_on=last_review_of(memberships[person.pk], reviews, known_since),
        )
        for person in found
    ]


def memberships_in(study: Study, people: Iterable[Person]) -> QuerySet[Membership]:
    """The roles of these people in the study: past ones too, in the order of their dates and sites."""
    return (
        Membership.objects.filter(study=study, person__in=list(people))
        .select_related("site", "person")
        .order_by("person", "starts_on", "role", "site__number", "pk")
    )


def group(memberships: Iterable[Membership], on: date) -> tuple[Held, ...]:
    """Memberships with one role and the same dates as one line; those that hold come first, those that ended last."""
    sites: dict[tuple[str, date, date | None], list[Site | None]] = defaultdict(list)
    when = {}
    for membership in memberships:
        key = (membership.role, membership.starts_on, membership.ends_on)
        sites[key].append(membership.site)
        when[key] = holding(membership, on)
    lines = [Held(key[0], word_places(places), key[1], key[2], when[key]) for key, places in sites.items()]
    return tuple(sorted(lines, key=lambda line: list(Holding).index(line.when)))


def word_places(sites: Iterable[Site | None]) -> str:
    """`all sites`, `site 012` or `sites 012 and 034`."""
    numbers = sorted({site.number for site in sites if site})
    if not numbers:
        return "all sites"
    return f"site {numbers[0]}" if len(numbers) == 1 else f"sites {', '.join(numbers[:-1])} and {numbers[-1]}"


def states_of(person: Person, *, has_signed_in: bool, has_factor: bool, is_locked: bool) -> tuple[AccountState, ...]:
    """What is to be known of the account: whether it is active, and what is odd about it."""
    if not (person.is_active and person.user.is_active):
        return (AccountState.DISABLED,)
    odd = {
        AccountState.LOCKED: is_locked,
        AccountState.NEVER_SIGNED_IN: not has_signed_in,
        AccountState.NO_SECOND_FACTOR: not has_factor,
    }
    return (AccountState.ACTIVE, *(state for state, holds in odd.items() if holds))


def locked_out(users: Iterable[int]) -> set[int]:
    """Which of these accounts were locked out for bad guesses a short while ago, and have not signed in since."""
    since = timezone.now() - LOCKED_FOR
    kinds = (AccessKind.LOCKED_OUT, AccessKind.SIGNED_IN)
    events = AccessEvent.objects.filter(by__in=list(users), kind__in=kinds, at__gte=since).order_by("id")
    last = dict(events.values_list("by", "kind"))
    return {user for user, kind in last.items() if user is not None and kind == AccessKind.LOCKED_OUT}


def last_review_of(
    memberships: Iterable[Membership], reviews: Iterable[Reviewed], known_since: dict[int, datetime]
) -> date | None:
    """The day of the last review on which this person had a role that was on the list then; None for no such review."""
    for reviewed in reviews:
        day = reviewed.review.reviewed_as_of
        for membership in memberships:
            # A role may be put in later with an earlier first day: whoever reviewed before that did not see it.
            if holding(membership, day) is Holding.NOW and known_since[membership.pk] <= reviewed.at:
                return day
    return None
