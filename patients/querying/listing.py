"""The list of queries: read, answered in place, dealt with together, or gone through one after the other.

The rule: many at once is one act, all or nothing. Where some cannot, the list comes back with why, and the others are chosen still.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet, Sum
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from patients.entry.proposing import deviation_address
from patients.grid.work import address_of_query, is_at, sites_where, with_day_asked
from patients.querying.about import title_of, word_field
from patients.querying.narrowing import AnswerForm, QueriesForm, TogetherForm
from patients.querying.runs import begin, run_at
from trial.access import Permission, StaffRequest, acting, granting_in, requires, sees_all_patients
from trial.access_record.keeping import shows
from trial.audit import Stale
from trial.models import Membership, Patient, Query, Study
from trial.records import record_model
from trial.review.models import AT_REST, QueryState, Step
from trial.review.queries import Closed, NotAll, NotPossible, ask_all_again, keep_answer, may_take, take_all

QUERIES_A_PAGE = 25
CHOSEN_ONES_SHOWN = 10  # of those that cannot, by their numbers
ASK_AGAIN = "ask"

# What can be done with many: the page that does it, the words of its button, and of what was done.
TOGETHER: dict[str, tuple[str, Permission, str, str]] = {
    Step.ANSWERED: ("queries-answer-all", Permission.QUERY_ANSWER, "Answer", "answered"),
    Step.CLOSED: ("queries-decide-all", Permission.QUERY_CLOSE, "Close", "closed"),
    Step.REOPENED: ("queries-decide-all", Permission.QUERY_CLOSE, "Open again", "opened again"),
    Step.CANCELLED: ("queries-decide-all", Permission.QUERY_CLOSE, "Cancel", "cancelled"),
    ASK_AGAIN: ("queries-ask-all", Permission.QUERY_RAISE, "Ask about the same again", "asked"),
}
NOT_THERE = "It is not among the queries that you may see or decide about."
CHANGED_LIST = "The list changed since you opened it, so nothing was done. Look at it again, and choose anew."


@dataclass(frozen=True, slots=True)
class ListedQuery:
    """A query as the list shows it. `answering` is the form with which it is answered in place; None where it cannot be."""

    query: Query
    title: str
    field: str
    address: str
    days: int
    answering: AnswerForm | None
    deviation: str  # where the deviation is entered that it proposes; empty where it proposes none
    is_picked: bool

    @property
    def pick(self) -> str:
        """What choosing it sends: the query, and the version that is shown."""
        return f"{self.query.pk}.{self.query.version}"


@dataclass(slots=True)
class Refused:
    """What could not be done: the form as it was typed, a sentence, and of many which could not and why."""

    said: str = ""
    why: list[tuple[str, int, list[Query]]] = field(
        default_factory=list
    )  # the reason, how many, and those of them to show
    picked: frozenset[int] = frozenset()
    answering: AnswerForm | None = None
    together: TogetherForm | None = None
    status: int = 400


@requires(Permission.PATIENTS_VIEW, on=Study)
def query_list(request: StaffRequest, study: Study) -> HttpResponse:
    """The queries of the patients whom the person sees, the oldest first; the open ones unless told."""
    return Listing(request, study, request.GET).show()


@requires(Permission.PATIENTS_VIEW, on=Study, reveals=False)
def query_run(request: StaffRequest, study: Study) -> HttpResponse:
    """Lead to a query of a correction run; where the address names no place, begin one with the list that it names."""
    if "place" not in request.GET:
        listing = Listing(request, study, request.GET)
        numbers = list(listing.ordered().values_list("pk", flat=True)) if listing.form.is_valid() else []
        if not numbers:
            messages.info(request, "There is no query to go through.")
            return redirect(listing.address)
        run = begin(request, study, numbers, request.GET.urlencode())
    else:
        found = run_at(request, study)
        if found is None:
            messages.info(request, "Nobody goes through queries there. Narrow the list, and begin.")
            return redirect("queries", study=study.code)
        run = found
    visible = Query.objects.visible_to(request.user).filter(patient__study=study).select_related("patient__study")
    query = visible.filter(pk=run.query).first()
    if query is None:
        messages.info(request, f"Query {run.place} of {run.count} is not there for you any more.")
        return redirect(run.after or run.back)
    may_edit = is_at(query.patient, sites_where(request.user, Permission.CASEBOOK_EDIT, study))
    if may_edit and query.record and query.state not in AT_REST and not record_model(query.form).form.part_of:
        return redirect(address_of_query(query, may_edit=True) + run.mark)
    names = {"study": study.code, "patient": query.patient.number, "query": query.pk}
    return redirect(reverse("query", kwargs=names) + run.mark)


@requires(Permission.QUERY_ANSWER, on=Study)
@require_POST
def query_answer(request: StaffRequest, study: Study) -> HttpResponse:
    """Answer one query, and go back to the list as it was narrowed. What cannot be taken is shown there as it was typed."""
    number = request.POST.get("query", "")
    is_number = number.isdecimal() and number.isascii() and len(number) <= 18
    visible = Query.objects.visible_to(request.user).filter(patient__study=study).select_related("patient__study")
    query = visible.filter(pk=number).first() if is_number else None
    if query is None:
        raise Http404(f"There is no query '{number}' among those you may see in study {study}.")
    shows(request, [query.patient_id])
    listing = Listing(request, study, QueryDict(request.POST.get("list", "")))
    form = AnswerForm(request.POST, query=query)
    if form.is_valid():
        try:
            with acting(request, Permission.QUERY_ANSWER, query.patient, reason="A query was answered."):
                keep_answer(query.pk, form.cleaned_data["answer"], version=form.cleaned_data["version"])
        except Closed:
            form.add_error("answer", "This query was closed meanwhile. It needs no answer any more.")
        except Stale:
            form.add_error(
                "answer", "This query was changed or answered since you opened the list. Read it again, and save."
            )
        except NotPossible as error:
            form.add_error("answer", f"The answer was not kept. {error}")
        else:
            messages.success(request, f"Your answer on {query.patient} was saved. The data manager reads it.")
            return redirect(listing.address)
        form.see_again(Query.objects.get(pk=query.pk).version)
    return listing.show(Refused(answering=form))


@requires(Permission.QUERY_ANSWER, on=Study)
@require_POST
def answer_all(request: StaffRequest, study: Study) -> HttpResponse:
    """Give one answer to many queries."""
    return Together(request, study, Step.ANSWERED).answer()


@requires(Permission.QUERY_CLOSE, on=Study)
@require_POST
def decide_all(request: StaffRequest, study: Study) -> HttpResponse:
    """Close, cancel or open again many queries for one reason."""
    step = request.POST.get("step", "")
    if step not in TOGETHER or TOGETHER[step][0] != "queries-decide-all":
        raise BadRequest(f"'{step[:20]}' is nothing that can be decided about queries. Go back, and choose a button.")
    return Together(request, study, step).answer()


@requires(Permission.QUERY_RAISE, on=Study)
@require_POST
def ask_all(request: StaffRequest, study: Study) -> HttpResponse:
    """Ask one question about what each of many queries is about."""
    return Together(request, study, ASK_AGAIN).answer()


class Listing:
    """The list as an address narrows it."""

    def __init__(self, request: StaffRequest, study: Study, asked: QueryDict) -> None:
        self.request = request
        self.study = study
        self.asked = asked
        self.form = QueriesForm(asked, viewer=request.user, study=study)
        self.today: date = study.today or timezone.now().date()

    @property
    def address(self) -> str:
        """The list, narrowed as it is."""
        return f"{reverse('queries', kwargs={'study': self.study.code})}?{self.asked.urlencode()}"

    def visible(self) -> QuerySet[Query]:
        """All queries that this person may see in the study, each with the instant of its first asking."""
        patients = Patient.objects.visible_to(self.request.user).filter(study=self.study)
        return with_day_asked(Query.objects.filter(patient__in=patients))

    def narrowed(self) -> QuerySet[Query]:
        """Those of them that were asked for."""
        return self.form.narrow(self.visible(), self.today)

    def ordered(self) -> QuerySet[Query]:
        """The same in their order."""
        return self.form.sort_them(self.narrowed())

    def seen(self) -> tuple[int, str]:
        """How many match, and a mark that changes when one of them does, comes or goes: versions only grow."""
        found = self.narrowed().order_by().aggregate(n=Count("pk"), keys=Sum("pk"), versions=Sum("version"))
        return found["n"], f"{found['n']}-{found['keys'] or 0}-{found['versions'] or 0}"

    def show(self, refused: Refused | None = None) -> HttpResponse:
        """The page. A query whose answer was refused stands on top of it, with what was typed."""
        request, study, form = self.request, self.study, self.form
        refused = refused or Refused(status=200)
        context: dict[str, Any] = {
            "study": study,
            "form": form,
            "sites": form.sites,
            "sees_all": sees_all_patients(request.user, study),
            "list": self.asked.urlencode(),
            "page": None,
        }
        if not form.is_valid():
            return render(request, "patients/queries.html", context, status=400)
        count, mark = self.seen()
        paginator = Paginator(self.ordered().select_related("patient__study", "patient__site"), QUERIES_A_PAGE)
        paginator.count = count  # known already
        page = paginator.get_page(self.asked.get("page"))
        listed = list(page.object_list)
        if refused.answering is not None:
            everything = self.visible().select_related("patient__study", "patient__site")
            its_own = everything.get(pk=refused.answering.query.pk)
            listed = [its_own, *(query for query in listed if query.pk != its_own.pk)]
        named = [query for _, _, queries in refused.why for query in queries]
        shows(request, list({query.patient_id for query in [*listed, *named]}))
        states = self.form.narrow_but_state(self.visible(), self.today).order_by()
        by_state = dict(states.values_list("state").annotate(number=Count("pk")))
        context |= {
            "page": page,
            "rows": self._rows(listed, refused),
            "counts": [(state, state.label, by_state[state]) for state in QueryState if state in by_state],
            "seen": mark,
            "together": self._together(),
            "text": refused.together or TogetherForm(),
            "refused": refused,
        }
        return render(request, "patients/queries.html", context, status=refused.status)

    def _together(self) -> list[tuple[str, str, str]]:
        """What this person may do with many: the step, the address, the words of the button."""
        return [
            (step, reverse(page, kwargs={"study": self.study.code}), words)
            for step, (page, permission, words, _) in TOGETHER.items()
            if granting_in(self.request, permission, self.study)
        ]

    def _rows(self, queries: list[Any], refused: Refused) -> list[ListedQuery]:
        editable = sites_where(self.request.user, Permission.CASEBOOK_EDIT, self.study)
        answerers = granting_in(self.request, Permission.QUERY_ANSWER, self.study)
        found = []
        for query in queries:
            form = AnswerForm(query=query) if may_answer(answerers, query) else None
            if refused.answering is not None and refused.answering.query.pk == query.pk:
                form = refused.answering
            found.append(
                ListedQuery(
                    query,
                    title_of(query),
                    word_field(query),
                    address_of_query(query, may_edit=is_at(query.patient, editable)),
                    max((self.today - query.asked_at.date()).days, 0),
                    form,
                    deviation_address(query) if is_at(query.patient, editable) else "",
                    query.pk in refused.picked,
                )
            )
        return found


def may_answer(memberships: list[Membership], query: Query) -> bool:
    """Whether one of these roles answers the query at the site of its patient."""
    here = [each for each in memberships if each.site_id in (None, query.patient.site_id)]
    return any(may_take(str(each.role), Step.ANSWERED, query) for each in here)


class Together:
    """One request to do the same with many queries."""

    def __init__(self, request: StaffRequest, study: Study, step: str) -> None:
        self.request = request
        self.study = study
        self.step = step
        self.permission, self.done = TOGETHER[step][1], TOGETHER[step][3]
        self.listing = Listing(request, study, QueryDict(request.POST.get("list", "")))
        self.text = TogetherForm(request.POST)

    def answer(self) -> HttpResponse:
        """Do it, and say for how many; or the list again, with what was typed and chosen."""
        if not self.listing.form.is_valid():
            return self.listing.show()
        if "all" in self.request.POST:
            if self.listing.seen()[1] != self.request.POST.get("seen"):
                return self.listing.show(Refused(CHANGED_LIST, together=self.text, status=409))
            picked: dict[int, int | None] = dict.fromkeys(self.listing.narrowed().values_list("pk", flat=True))
        else:
            picked = picks_in(self.request.POST)
        return self._do(picked)

    def _do(self, picked: dict[int, int | None]) -> HttpResponse:
        chosen = frozenset(picked)
        if not picked:
            return self._refuse("No query was chosen. Mark the queries, or all that match.", chosen)
        if not self.text.is_valid():
            return self._refuse(" ".join(map(str, self.text.errors["text"])), chosen)
        within = self._within(chosen)
        if missing := chosen - within:
            return self._refuse_some({NOT_THERE: sorted(missing)}, chosen)
        text = self.text.cleaned_data["text"]
        try:
            with acting(self.request, self.permission, self.study, reason=text):
                if self.step == ASK_AGAIN:
                    number = ask_all_again(sorted(chosen), text)
                else:
                    number = take_all(picked, Step(self.step), text)
        except NotAll as error:
            return self._refuse_some(error.why, chosen)
        except NotPossible as error:
            return self._refuse(f"Nothing was done. {error}", chosen)
        words = "1 query was" if number == 1 else f"{number} queries were"
        messages.success(self.request, f"{words} {self.done}.")
        return redirect(self.listing.address)

    def _within(self, chosen: frozenset[int]) -> frozenset[int]:
        """Those that the person may deal with so: at the sites of the roles that let them."""
        memberships = granting_in(self.request, self.permission, self.study)
        sites = {membership.site_id for membership in memberships}
        found = Query.objects.visible_to(self.request.user).filter(pk__in=chosen, patient__study=self.study)
        if None not in sites:
            found = found.filter(patient__site__in=sites)
        return frozenset(found.values_list("pk", flat=True))

    def _refuse(self, said: str, chosen: frozenset[int]) -> HttpResponse:
        return self.listing.show(Refused(said, picked=chosen, together=self.text))

    def _refuse_some(self, why: Mapping[str, list[int]], chosen: frozenset[int]) -> HttpResponse:
        """409: nothing was done. Those that can are chosen still, so that the same button does it for them."""
        cannot = {number for numbers in why.values() for number in numbers}
        visible = Query.objects.visible_to(self.request.user).filter(patient__study=self.study)
        named = []
        for said, numbers in why.items():
            some = visible.filter(pk__in=numbers).select_related("patient").order_by("pk")[:CHOSEN_ONES_SHOWN]
            named.append((said, len(numbers), list(some)))
        count = len(cannot)
        left = len(chosen) - count
        said = f"Nothing was done: {count} of {len(chosen)} cannot be {self.done}."
        if left:
            still = "The other one is" if left == 1 else f"The other {left} are"
            said += f" {still} marked still: press the button again, and it is done without those."
        return self.listing.show(Refused(said, named, chosen - cannot, together=self.text, status=409))


def picks_in(data: QueryDict) -> dict[int, int | None]:
    """The queries that were chosen, each with the version that was shown. What is no number of a query is 0, which none has."""
    found: dict[int, int | None] = {}
    for pick in data.getlist("pick"):
        number, _, version = pick.partition(".")
        is_number = all(part.isdecimal() and part.isascii() and len(part) <= 18 for part in (number, version))
        found[int(number) if is_number else 0] = int(version) if is_number else None
    return found
