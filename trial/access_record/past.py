"""Who could see what on a day: read from the history, not from today's rows.

The rule: what counts is how the record stood at the end of that day (UTC). The roles give what the table of grants says now:
an older version of Marrow may have granted less.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from django.db.models import Q

from trial.access import GRANTS, Permission
from trial.audit import rows_as_of
from trial.models import Membership, Person, Role, Site, Study


@dataclass(frozen=True, slots=True)
class Standing:
    """One role of one person on the day, and what it let them do: nothing when the person was not active.

    `site` is empty for all sites, `until` for a role without an end.
    """

    person: int
    name: str
    organisation: str
    role: Role
    site: str
    since: date
    until: date | None
    is_active: bool
    permissions: tuple[Permission, ...]


def access_on(study: Study, day: date) -> list[Standing]:
    """Every role that held in the study on a day, by the name of the person. Three queries."""
    instant = datetime.combine(day, time.max, UTC)
    held = rows_as_of(Membership, instant).filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=day), study_id=study.pk, starts_on__lte=day
    )
    columns = ("person_id", "role", "site_id", "starts_on", "ends_on")
    memberships = list(held.order_by("id").values_list(*columns))
    people = {
        key: (name, organisation, is_active)
        for key, name, organisation, is_active in rows_as_of(Person, instant)
        .filter(id__in=held.order_by().values("person_id"))
        .values_list("id", "name", "organisation", "is_active")
    }
    sites = {
        key: f"{number} {name}"
        for key, number, name in rows_as_of(Site, instant).filter(study_id=study.pk).values_list("id", "number", "name")
    }
    standings = []
    for person, role, site, since, until in memberships:
        name, organisation, is_active = people[person]
        granted = tuple(permission for permission, roles in GRANTS.items() if role in roles) if is_active else ()
        where = "" if site is None else sites[site]
        standings.append(Standing(person, name, organisation, Role(role), where, since, until, is_active, granted))
    return sorted(standings, key=lambda standing: (standing.name.casefold(), standing.person))
