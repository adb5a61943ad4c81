"""What the frame of every page shows: the study, who is signed in and as what, where they may go, what must not be overlooked."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest

from trial.access import GRANTS, Permission, held_in
from trial.models import Membership, Role, Study

LINKS = (
    ("Patients", "patient-list", "users", Permission.PATIENTS_VIEW),
    ("Today", "today", "calendar", Permission.PATIENTS_VIEW),
    ("Queries", "queries", "help", Permission.PATIENTS_VIEW),
    ("Report", "report", "report", Permission.REPORT_VIEW),
    ("Changes", "changes", "history", Permission.HISTORY_VIEW),
    ("Access", "access", "lock", Permission.ACCESS_VIEW),
    ("People", "people", "user", Permission.PEOPLE_VIEW),
)

# The pages that one comes to from the list of patients.
OF_PATIENTS = frozenset(
    {
        "patient",
        "form",
        "record",
        "record-history",
        "patient-grid",
        "patient-story",
        "grid",
        "entry",
        "entry-new",
        "entry-remove",
        "entry-version",
        "entry-move",
        "patient-transfer",
        "patient-screen-again",
    }
)

# Where each role begins its day.
FIRST_PAGE = {
    Role.COORDINATOR: "patient-list",
    Role.INVESTIGATOR: "patient-list",
    Role.MONITOR: "changes",
    Role.DATA_MANAGER: "changes",
    Role.SAFETY_PHYSICIAN: "patient-list",
    Role.STATISTICIAN: "report",
    Role.INSPECTOR: "changes",
    Role.ADMINISTRATOR: "people",
}


@dataclass(frozen=True, slots=True)
class Link:
    """A page of the bar."""

    title: str
    page: str
    icon: str
    is_here: bool


class Frame:
    """Asked for by the templates; each part is looked up when it is first used."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def memberships(self) -> list[Membership]:
        """The roles that hold today, in the order they were given."""
        user = getattr(self._request, "user", None)
        if user is None or not user.is_authenticated:
            return []
        return list(held_in(self._request))

    @cached_property
    def study(self) -> Study | None:
        """The study of the address, else the first in which the person has a role."""
        match = self._request.resolver_match
        code = match.kwargs.get("study") if match else None
        studies = {membership.study.code: membership.study for membership in self.memberships}
        return studies.get(str(code)) or next(iter(studies.values()), None)

    @property
    def membership(self) -> Membership | None:
        """The person's first role in this study."""
        return next((membership for membership in self.memberships if membership.study == self.study), None)

    @cached_property
    def links(self) -> list[Link]:
        """The pages of the bar that this person may use."""
        if self.study is None:
            return []
        match = self._request.resolver_match
        here = match.url_name if match else ""
        place = "patient-list" if here in OF_PATIENTS else str(here)
        place = "report" if place.startswith("report") else place
        place = "queries" if place.startswith("quer") else place
        place = "people" if place.startswith(("people", "person")) else place
        place = "access" if place.startswith(("access", "patient-access")) else place
        # The roles are at hand: one question to the database for each link would be most of what a small page costs.
        roles = {membership.role for membership in self.memberships if membership.study == self.study}
        return [
            Link(title, page, icon, place == page)
            for title, page, icon, permission in LINKS
            if roles & GRANTS[permission]
        ]

    @property
    def finds_patients(self) -> bool:
        """Whether the search of the bar has anything for this person: it leads to patients, their forms and outputs."""
        return any(link.page == "patient-list" for link in self.links)

    @cached_property
    def is_synthetic(self) -> bool:
        """Whether anything on these pages can be of a synthetic study."""
        if self.memberships:
            return any(membership.study.is_synthetic for membership in self.memberships)
        return Study.objects.filter(is_synthetic=True).exists()


def frame(request: HttpRequest) -> dict[str, Any]:
    """The context processor: `frame` in every template."""
    return {"frame": Frame(request)}
