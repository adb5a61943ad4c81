"""How queries go: what is open and how old it is, how long answers take, and what each check has brought.

The rule: the database counts. Each figure is one statement, however many queries there are.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db.models import (
    Case,
    Count,
    DateTimeField,
    DurationField,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from patients.grid.work import with_day_asked
from patients.querying.durations import in_days
from trial.access import Permission, StaffRequest, requires, sees_all_patients, sites_visible_to
from trial.access_record.keeping import takes_away
from trial.db.median import MedianDuration
from trial.models import Patient, Query, QueryMessage, Site, Study
from trial.review.models import QueryState, Step
from trial.spreadsheets import CONTENT_TYPE, csv_lines
from trial.what_for import says_what_for

BANDS = ((0, "0 to 6 days"), (7, "7 to 13"), (14, "14 to 29"), (30, "30 to 89"), (90, "90 or more"))
ALL_SITES = "All sites"
HEADS = ("Figure", "Site", "Check", "Measure", "Value")
CLOSINGS = (Step.CLOSED, Step.MENDED, Step.REMOVED)


@dataclass(slots=True)
class OfSite:
    """The figures of one site: how many are open by their age, and the medians of how long the answers took."""

    site: str
    key: int | None = None
    ages: dict[int, int] = field(default_factory=dict)
    response: timedelta | None = None
    closing: timedelta | None = None
    answered: int = 0
    closed: int = 0

    @property
    def bands(self) -> list[tuple[int, int]]:
        """How many are open in each band, in the order of the ages."""
        return [(days, self.ages.get(days, 0)) for days, _ in BANDS]

    @property
    def open(self) -> int:
        """How many are open."""
        return sum(self.ages.values())


@dataclass(frozen=True, slots=True)
class Yield:
    """What one check has brought: of what it asked, what led to a change, what was confirmed as it is, and what waits."""

    check: str
    asked: int
    changed: int
    confirmed: int
    open: int
    cancelled: int


@dataclass(frozen=True, slots=True)
class Figures:
    """All of it, for one viewer."""

    sites: list[OfSite]
    together: OfSite
    yields: list[Yield]

    def lines(self) -> Iterator[tuple[str, str, str, str, str]]:
        """Each figure as a line of the file."""
        for each in [*self.sites, self.together]:
            for days, words in BANDS:
                yield "Open queries by age", each.site, "", words, str(each.ages.get(days, 0))
            yield "Days to the first answer", each.site, "", "median", in_days(each.response)
            yield "Days to the first answer", each.site, "", "queries", str(each.answered)
            yield "Days to closing", each.site, "", "median", in_days(each.closing)
            yield "Days to closing", each.site, "", "queries", str(each.closed)
        for one in self.yields:
            for measure in ("asked", "changed", "confirmed", "open", "cancelled"):
                yield "Yield", "", one.check, measure, str(getattr(one, measure))


def figures_of(queries: QuerySet[Query], sites: list[Site], today: date) -> Figures:
    """The figures about these queries, site by site and together."""
    timed = _timed(with_day_asked(queries))
    found = {site.pk: OfSite(str(site), site.pk) for site in sites}
    together = OfSite(ALL_SITES)
    for site, days, number in _open_by_age(timed, today):
        found[site].ages[days] = number
        together.ages[days] = together.ages.get(days, 0) + number
    measures: dict[str, Any] = {
        "response": MedianDuration("responding"),
        "closing": MedianDuration("lasting"),
        "answered": Count("responding"),
        "closed": Count("lasting"),
    }
    for row in timed.order_by().values("patient__site").annotate(**measures):
        _fill(found[row["patient__site"]], row)
    _fill(together, timed.order_by().aggregate(**measures))
    return Figures(list(found.values()), together, _yields(queries))


def _fill(figures: OfSite, measured: Any) -> None:
    for name in ("response", "closing", "answered", "closed"):
        setattr(figures, name, measured[name])


def _timed(queries: QuerySet[Query]) -> QuerySet[Query]:
    """The queries with how long it took to the first answer (`responding`), and to the closing of the closed ones (`lasting`)."""
    said: Any = QueryMessage.history.model._default_manager.filter(query=OuterRef("pk"))

    def instant(rows: Any) -> Subquery:
        return Subquery(rows.values("recording__at")[:1], output_field=DateTimeField())

    answered = instant(said.filter(step=Step.ANSWERED).order_by("history_id"))
    closed = instant(said.filter(step__in=CLOSINGS).order_by("-history_id"))
    took = ExpressionWrapper(F("answered_at") - F("asked_at"), output_field=DurationField())
    lasted = ExpressionWrapper(F("closed_at") - F("asked_at"), output_field=DurationField())
    return queries.annotate(answered_at=answered, closed_at=closed).annotate(
        responding=took, lasting=Case(When(state=QueryState.CLOSED, then=lasted), output_field=DurationField())
    )


def _open_by_age(queries: QuerySet[Any], today: date) -> Iterator[tuple[int, int, int]]:
    """The site, the first day of the band, and how many are open."""
    older = [
        When(asked_at__date__lte=today - timedelta(days=days), then=Value(days)) for days, _ in reversed(BANDS) if days
    ]
    aged = queries.filter(state=QueryState.OPEN).annotate(band=Case(*older, default=0, output_field=IntegerField()))
    counted = aged.order_by().values("patient__site", "band").annotate(number=Count("pk"))
    yield from counted.values_list("patient__site", "band", "number")


def _yields(queries: QuerySet[Query]) -> list[Yield]:
    """What each check has brought, by its code."""
    decided = Q(state__in=[QueryState.ANSWERED, QueryState.CLOSED])
    counted = (
        queries.exclude(check_code="")
        .order_by()
        .values("check_code")
        .annotate(
            asked=Count("pk"),
            changed=Count("pk", filter=Q(state=QueryState.CLOSED, is_mended=True)),
            confirmed=Count("pk", filter=decided & Q(is_mended=False)),
            waiting=Count("pk", filter=Q(state=QueryState.OPEN)),
            cancelled=Count("pk", filter=Q(state=QueryState.CANCELLED)),
        )
        .order_by("check_code")
    )
    return [
        Yield(*row)
        for row in counted.values_list("check_code", "asked", "changed", "confirmed", "waiting", "cancelled")
    ]


def _figures(request: StaffRequest, study: Study) -> Figures:
    today = study.today or timezone.now().date()
    visible = Patient.objects.visible_to(request.user).filter(study=study)
    return figures_of(Query.objects.filter(patient__in=visible), list(sites_visible_to(request.user, study)), today)


@requires(Permission.PATIENTS_VIEW, on=Study, reveals=False)
def query_figures(request: StaffRequest, study: Study) -> HttpResponse:
    """The figures about the queries at the sites that the person sees."""
    context = {
        "study": study,
        "figures": _figures(request, study),
        "bands": [words for _, words in BANDS],
        "sees_all": sees_all_patients(request.user, study),
    }
    return render(request, "patients/query_figures.html", context)


@requires(Permission.PATIENTS_VIEW, on=Study, reveals=False)
@says_what_for("queries-figures")
def query_figures_csv(request: StaffRequest, study: Study) -> HttpResponse:
    """The same as CSV, a line a figure."""
    content = "".join(csv_lines(HEADS, _figures(request, study).lines())).encode()
    takes_away(request, content_hash=hashlib.sha256(content).hexdigest())
    label = "synthetic-" if study.is_synthetic else ""
    response = HttpResponse(content, content_type=CONTENT_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{label}{study.code}-query-figures.csv"'
    return response
