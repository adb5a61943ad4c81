"""The pages on which a query is asked, read with its thread, answered and decided about."""

from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from patients.grid.work import address_of_query
from patients.querying.about import place_asked, roles_at, word_place
from patients.querying.forms import AskForm, StepForm
from patients.querying.runs import run_of
from patients.querying.threads import threads_of
from trial.access import Permission, StaffRequest, acting, may, requires
from trial.audit import Stale
from trial.drafts import filled
from trial.models import Patient, Query
from trial.review.models import Step
from trial.review.queries import NotPossible, ask, steps_for, take_by_number

DECISIONS = (Step.CLOSED, Step.REOPENED, Step.CANCELLED)
CHANGED = "Somebody changed this query since you opened it. Read it again below; what you typed is still there."
DONE = {
    Step.ANSWERED: "Your answer was saved.",
    Step.CLOSED: "The query is closed.",
    Step.REOPENED: "The query is open again.",
    Step.CANCELLED: "The query is cancelled.",
}


@requires(Permission.QUERY_RAISE, on=Patient)
def ask_query(request: StaffRequest, patient: Patient) -> HttpResponse:
    """Ask a question about a patient, a visit, a form or a field, which the address names."""
    place = place_asked(patient, request.GET)
    form: AskForm = filled(request, AskForm, place=place, field=request.GET.get("field", ""))
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            given = form.cleaned_data
            new = place.query(given.get("field", ""), given["text"], given["asked_of"])
            with acting(request, Permission.QUERY_RAISE, patient, reason="A query was asked."):
                query = ask(new)
            messages.success(request, f"Asked about {word_place(query)}.")
            return redirect("query", study=patient.study.code, patient=patient.number, query=query.pk)
    context = {"patient": patient, "place": place, "form": form}
    return render(request, "patients/query_ask.html", context, status=status)


def query_of(patient: Patient, number: int) -> Query:
    """A query of the patient. Raise 404 where there is none."""
    found: Query | None = Query.objects.filter(patient=patient, pk=number).select_related("entry").first()
    if found is None:
        raise Http404(f"There is no query '{number}' of patient {patient}.")
    found.patient = patient
    return found


@requires(Permission.PATIENTS_VIEW, on=Patient)
def query_page(request: StaffRequest, patient: Patient, query: int) -> HttpResponse:
    """One query with its thread, and what this person may do with it."""
    return QueryPage(request, query_of(patient, query)).show()


@requires(Permission.QUERY_ANSWER, on=Patient)
@require_POST
def answer_query(request: StaffRequest, patient: Patient, query: int) -> HttpResponse:
    """Answer one query, and go back to its page."""
    return QueryPage(request, query_of(patient, query)).take(Step.ANSWERED, Permission.QUERY_ANSWER)


@requires(Permission.QUERY_CLOSE, on=Patient)
@require_POST
def decide_query(request: StaffRequest, patient: Patient, query: int) -> HttpResponse:
    """Close or cancel one query, or open it again, and go back to its page."""
    found = query_of(patient, query)
    step = next((step for step in DECISIONS if step == request.POST.get("step")), None)
    if step is None:
        raise BadRequest(
            f"'{request.POST.get('step', '')[:20]}' is nothing that can be decided about a query. Go back, and choose a button."
        )
    return QueryPage(request, found).take(step, Permission.QUERY_CLOSE)


@dataclass
class QueryPage:
    """One request about one query."""

    request: StaffRequest
    query: Query

    def take(self, step: Step, permission: Permission) -> HttpResponse:
        """Take a step, and say what became of it. Whatever was refused comes back as it was typed."""
        form = StepForm(self.request.POST, query=self.query, step=step)
        if not form.is_valid():
            return self.show(form, 400)
        given = form.cleaned_data
        try:
            with acting(self.request, permission, self.query.patient, reason=given["text"]):
                take_by_number(self.query.pk, step, given["text"], version=given["version"])
        except Stale:
            return self._again(form, CHANGED)
        except NotPossible as error:
            return self._again(form, f"This was not done. {error}")
        messages.success(self.request, DONE[step])
        return redirect(self._address)

    @property
    def _address(self) -> str:
        """The page of the query; in a correction run with its place."""
        patient, run = self.query.patient, run_of(self.request, self.query)
        names = {"study": patient.study.code, "patient": patient.number, "query": self.query.pk}
        return reverse("query", kwargs=names) + (run.mark if run else "")

    def _again(self, form: StepForm, said: str) -> HttpResponse:
        """409: the query as it stands now, with what was typed."""
        self.query = query_of(self.query.patient, self.query.pk)
        form.see_again(self.query.version)
        form.add_error("text", said)
        return self.show(form, 409)

    def show(self, refused: StepForm | None = None, status: int = 200) -> HttpResponse:
        """The page. A step that was `refused` stands there as it was typed, though it may not be possible any more."""
        query, patient = self.query, self.query.patient
        steps = steps_for(roles_at(self.request, patient), query)
        forms = [StepForm(query=query, step=step) for step in steps if refused is None or step != refused.step]
        context = {
            "patient": patient,
            "query": query,
            "about": word_place(query),
            "address": address_of_query(query, may_edit=may(self.request.user, Permission.CASEBOOK_EDIT, patient)),
            "thread": threads_of(patient, [query])[query.pk],
            "forms": forms if refused is None else [refused, *forms],
            "run": run_of(self.request, query),
        }
        return render(self.request, "patients/query.html", context, status=status)
