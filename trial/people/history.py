"""What became of one person's access: who changed it, when, what, and why. From the trail and from the access record.

The trail has what changed in the person and their roles. The access record has what left no row behind in a tracked table: a
new password link, a second factor taken away. What happened in another study is not told here, only that it did.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trial.access_record.models import AccessEvent, AccessKind
from trial.models import Membership, Person, Site, Study
from trial.people.reading import word_period, word_role
from trial.wording import word_date

# The pages whose acts change no tracked row; `what` of their events begins with the user name.
UNTRACKED_ACTS = ("person-link", "person-factor")


@dataclass(frozen=True, slots=True)
class AccessChange:
    """One change in words. `old` is empty for what was given, `new` for what was taken."""

    at: datetime
    by: str
    role: str
    what: str
    old: str
    new: str
    why: str
    kind: str = "changed"
    unit: str = ""  # for components/difference.html, which shows answers too


def changes_of_access(person: Person, study: Study) -> list[AccessChange]:
    """Every change of this person's access in the study, newest first."""
    found = [*_of_roles(person, study), *_of_person(person, study), *_of_account(person, study)]
    return sorted(found, key=lambda change: change.at, reverse=True)


def _of_roles(person: Person, study: Study) -> Iterator[AccessChange]:
    rows = Membership.history.filter(person=person.pk, study=study.pk).select_related("recording")
    sites = Site.objects.filter(study=study).in_bulk()
    before: dict[int, Any] = {}
    for row in rows.order_by("history_id"):
        earlier: Any = before.get(row.id)
        before[row.id] = row
        row.instance.site = sites.get(row.site_id)
        what = word_role(row.instance)
        if row.history_type == "+":
            yield _change(row, study, what, "", word_period(row.starts_on, row.ends_on), kind="entered")
        elif row.history_type == "-":
            yield _change(row, study, f"{what}: withdrawn", word_period(row.starts_on, row.ends_on), "", kind="deleted")
        else:
            for name, label in (("starts_on", "first day"), ("ends_on", "last day")):
                old, new = getattr(earlier, name), getattr(row, name)
                if old != new:
                    yield _change(row, study, f"{what}: {label}", _day(old), _day(new))
            for name in (
                "role",
                "site_id",
            ):  # no page changes these; what was written past the pages is told all the same
                if getattr(earlier, name) != getattr(row, name):
                    earlier.instance.site = sites.get(earlier.site_id)
                    yield _change(row, study, "Role", word_role(earlier.instance), what)
                    break


def _of_person(person: Person, study: Study) -> Iterator[AccessChange]:
    labels = {"name": "Name", "organisation": "Organisation", "is_active": "Account"}
    earlier: Any = None
    for row in person.history.select_related("recording").order_by("history_id"):
        for name, label in labels.items():
            old, new = getattr(earlier, name, None), getattr(row, name)
            if earlier is not None and old != new:
                yield _change(row, study, label, _word(old), _word(new))
        earlier = row


def _of_account(person: Person, study: Study) -> Iterator[AccessChange]:
    begins = f"{person.user.username}: "
    events = AccessEvent.objects.filter(
        kind=AccessKind.ROLE_CHANGED, study=study, page__in=UNTRACKED_ACTS, what__startswith=begins
    )
    for event in events:
        what = event.what.removeprefix(begins)
        yield AccessChange(event.at, event.person_name, event.role, what, "", "", event.purpose)


def _change(row: Any, study: Study, what: str, old: str, new: str, kind: str = "changed") -> AccessChange:
    act = row.recording
    if act.study_id not in {study.pk, None}:
        return AccessChange(act.at, "somebody of another study", "", what, old, new, "", kind)
    return AccessChange(act.at, act.person_name, act.role, what, old, new, act.reason, kind)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "active" if value else "disabled"
    return str(value)


def _day(value: Any) -> str:
    return word_date(value) if value else ""
