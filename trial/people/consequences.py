"""What a change of access would do, in sentences with names and numbers, said before it is done."""

from collections.abc import Collection, Iterable
from datetime import date

from django.utils import timezone
from django.utils.text import capfirst

from trial.access import GRANTS, Permission
from trial.models import ApiToken, Membership, Person, Role, Study
from trial.people.forms import successors_of
from trial.people.reading import Holding, Member, holding, word_place
from trial.sign_in.sessions import open_sessions

SEES_PATIENTS = GRANTS[Permission.PATIENTS_VIEW]


def of_any_change(person: Person) -> str:
    """Sessions and tokens end when what a person may do changes."""
    tokens = ApiToken.objects.filter(user=person.user_id, expiry__gt=timezone.now()).count()
    sessions = open_sessions(person.user).count()
    counts = [count(sessions, "open session"), *([count(tokens, "API token")] if tokens else [])]
    return f"Ends {' and '.join(counts)} of {person}."


def count(number: int, thing: str) -> str:
    """`no open session`, `1 open session`, `2 open sessions`."""
    return f"{number or 'no'} {thing}{'s' if number > 1 else ''}"


def of_ending(member: Member, ending: Collection[Membership], study: Study, on: date) -> list[str]:
    """What ending these roles takes away from the person, and from the sites whose last investigator goes."""
    now = [one for one in member.memberships if holding(one, on) is Holding.NOW]
    before = patients_seen(now)
    after = patients_seen(one for one in now if one not in ending)
    said = [of_any_change(member.person)]
    if before != after:
        said.append(of_sight(member.person, before, after, study))
    elif before:
        said.append(f"Other roles of {member.person} show the same patients.")
    for membership in ending:
        is_investigator = membership.role == Role.INVESTIGATOR and holding(membership, on) is Holding.NOW
        if is_investigator and not successors_of(membership, on):
            said.append(f"{capfirst(word_place(membership.site))} has no other investigator.")
    return said


ALL_SITES = "all sites"


def patients_seen(memberships: Iterable[Membership]) -> set[str]:
    """The numbers of the sites whose patients these roles show; `all sites` alone for a role that shows all."""
    seeing = [membership for membership in memberships if membership.role in SEES_PATIENTS]
    if any(membership.site is None for membership in seeing):
        return {ALL_SITES}
    return {membership.site.number for membership in seeing if membership.site}


def of_sight(person: Person, before: set[str], after: set[str], study: Study) -> str:
    """Whose patients the person does not see any more."""
    if not after:
        lost = f"of {study}" if before == {ALL_SITES} else of_sites(before)
        return f"{person} then sees no patient {lost} any more."
    if before == {ALL_SITES}:
        return f"{person} then sees the patients {of_sites(after)} only."
    return f"{person} then sees no patient {of_sites(before - after)} any more, and still those {of_sites(after)}."


def of_sites(numbers: set[str]) -> str:
    """`of site 012`, `of sites 012 and 034`."""
    ordered = sorted(numbers)
    if len(ordered) == 1:
        return f"of site {ordered[0]}"
    return f"of sites {', '.join(ordered[:-1])} and {ordered[-1]}"
