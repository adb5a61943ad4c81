"""What the frame of every page shows: the study, who is signed in and as what, where they may go, what must not be overlooked."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest

from trial.access import Permission, may, memberships_of
from trial.models import Membership, Role, Study

LINKS = (
    ("Patients", "patient-list", "users", Permission.PATIENTS_VIEW),
    ("Report", "report", "report", Permission.REPORT_VIEW),
    ("Changes", "changes", "history", Permission.HISTORY_VIEW),
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
        return list(memberships_of(user).select_related("person", "study", "site").order_by("pk"))

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
        place = {"patient": "patient-list", "form": "patient-list", "record": "patient-list"}.get(str(here), str(here))
        place = "report" if place.startswith("report") else place
        return [
            Link(title, page, icon, place == page or (page == "patient-list" and place == "record-history"))
            for title, page, icon, permission in LINKS
            if may(self._request.user, permission, self.study)
        ]

    @cached_property
    def is_synthetic(self) -> bool:
        """Whether anything on these pages can be of a synthetic study."""
        if self.memberships:
            return any(membership.study.is_synthetic for membership in self.memberships)
        return Study.objects.filter(is_synthetic=True).exists()


def frame(request: HttpRequest) -> dict[str, Any]:
    """The context processor: `frame` in every template."""
    return {"frame": Frame(request)}


def first_page(frame: Frame) -> str | None:
    """The name of the page where this person's day begins; None where no page is for them."""
    membership = frame.membership
    return FIRST_PAGE.get(Role(membership.role)) if membership else None
