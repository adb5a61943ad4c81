"""A correction run: the queries of a list one after the other, each on the page where it is dealt with.

The rule: the run is the list as it was when it began. Whoever answers a query keeps the place, though the list has one less.
"""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from trial.models import Query, Study

KEY = "query_run"  # in the session
LONGEST = 1000  # queries of a run


@dataclass(frozen=True, slots=True)
class Run:
    """A run, at one of its places. `narrowed` is what the list was narrowed to."""

    study: str
    queries: tuple[int, ...]
    narrowed: str
    place: int

    @property
    def count(self) -> int:
        """How many queries it has."""
        return len(self.queries)

    @property
    def query(self) -> int:
        """The number of the query at this place."""
        return self.queries[self.place - 1]

    @property
    def mark(self) -> str:
        """What an address says of the place."""
        return f"?place={self.place}"

    @property
    def before(self) -> str:
        """Where the query before this one is; empty text at the first."""
        return self._address(self.place - 1) if self.place > 1 else ""

    @property
    def after(self) -> str:
        """Where the next query is; empty text at the last."""
        return self._address(self.place + 1) if self.place < self.count else ""

    @property
    def back(self) -> str:
        """The list, narrowed as it was."""
        return f"{reverse('queries', kwargs={'study': self.study})}?{self.narrowed}"

    def _address(self, place: int) -> str:
        return f"{reverse('queries-run', kwargs={'study': self.study})}?place={place}"


def begin(request: Any, study: Study, queries: list[int], narrowed: str) -> Run:
    """A run through these queries, from the first on."""
    request.session[KEY] = {"study": study.code, "queries": queries[:LONGEST], "narrowed": narrowed}
    return Run(study.code, tuple(queries[:LONGEST]), narrowed, 1)


def run_at(request: Any, study: Study) -> Run | None:
    """The run of this session, at the place that the address or the form names; None where there is none."""
    kept: dict[str, Any] | None = request.session.get(KEY)
    named = request.POST.get("place", "") or request.GET.get("place", "")
    place = int(named) if named.isdecimal() and named.isascii() and len(named) < 6 else 0
    if kept is None or kept["study"] != study.code or not 1 <= place <= len(kept["queries"]):
        return None
    return Run(study.code, tuple(kept["queries"]), kept["narrowed"], place)


def run_of(request: Any, query: Query) -> Run | None:
    """The run in which this page shows the query; None where it is opened on its own."""
    run = run_at(request, query.patient.study)
    return run if run is not None and run.query == query.pk else None
