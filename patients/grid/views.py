"""The grid of a patient and of many, the day's work, the list of queries, and enrolment."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest, FieldDoesNotExist
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from patients.casebook import Status
from patients.entry.proposing import deviation_address
from patients.grid.answering import CannotAnswer, answer_query
from patients.grid.cells import grid_of, progress_of, rows_of
from patients.grid.enrolling import MayBeTheSame, enrol, latest_patient
from patients.grid.forms import AnswerForm, EnrolForm, GridForm, QueriesForm, WorkForm
from patients.grid.work import address_of_query, counts_of, is_at, oldest_first, sites_where, with_day_asked, work_for
from patients.mending.withdrawing import withdrawals_of
from trial.access import Permission, StaffRequest, may, requires, sees_all_patients
from trial.access_record.keeping import shows
from trial.drafts import filled
from trial.models import Patient, Query, Site, Study
from trial.records import Form, record_model
from trial.review.models import QueryState
from trial.wording import label_of_field

PATIENTS_A_PAGE = 25
LINES_A_PAGE = 100
QUERIES_A_PAGE = 50


@requires(Permission.PATIENTS_VIEW, on=Patient)
def patient_grid(request: StaffRequest, patient: Patient) -> HttpResponse:
    """The visits of one patient by forms, and the forms that belong to no visit."""
    may_edit = may(request.user, Permission.CASEBOOK_EDIT, patient)
    (progress,) = progress_of([patient], request.user)
    context = {
        "patient": patient,
        "grid": grid_of(progress, may_edit=may_edit),
        "is_to_be_treated": progress.is_to_be_treated and may_edit,
        "has_failed": progress.has_failed,
        "statuses": list(Status),
        "may_edit": may_edit,
    }
    return render(request, "patients/grid_patient.html", context)


@requires(Permission.PATIENTS_VIEW, on=Study)
def site_grid(request: StaffRequest, study: Study) -> HttpResponse:
    """Patients by visits, a page of them; narrowed to those with a form in some state where that was asked for."""
    form = GridForm(request.GET, viewer=request.user, study=study)
    context: dict[str, Any] = _context(request, study, form) | {"statuses": list(Status)}
    if not form.is_valid():
        return render(request, "patients/grid_site.html", context, status=400)
    visible = Patient.objects.visible_to(request.user).filter(study=study)
    patients = form.narrow(visible).select_related("study", "site").order_by("number")
    page = Paginator(patients, PATIENTS_A_PAGE).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    shows(request, shown)
    heads, rows = rows_of(progress_of(shown, request.user))
    states = withdrawals_of([patient.pk for patient in shown])
    withdrawn = {key for key, state in states.items() if state.contact_on is not None}
    context |= {"page": page, "heads": heads, "rows": rows, "withdrawn": withdrawn, "off_treatment": states.keys()}
    return render(request, "patients/grid_site.html", context)


@requires(Permission.PATIENTS_VIEW, on=Study)
def todays_work(request: StaffRequest, study: Study) -> HttpResponse:
    """What is due, overdue or asked at the sites of this person, the oldest first."""
    form = WorkForm(request.GET, viewer=request.user, study=study)
    context: dict[str, Any] = _context(request, study, form)
    if not form.is_valid():
        return render(request, "patients/grid_today.html", context, status=400)
    asked = form.cleaned_data
    number = asked["patient"].strip().upper()
    work = [
        each
        for each in work_for(request.user, study)
        if asked["kind"] in ("", each.kind)
        and form.site_asked in (None, each.patient.site_id)
        and number in each.patient.number.upper()
    ]
    page = Paginator(work, LINES_A_PAGE).get_page(request.GET.get("page"))
    shows(request, list({each.patient.pk for each in page.object_list}))
    return render(request, "patients/grid_today.html", context | {"page": page, "counts": counts_of(work)})


@dataclass(frozen=True, slots=True)
class AskedQuery:
    """A query as the list shows it. `answering` is the form with which it is answered in place; None where it cannot be."""

    query: Query
    form: Form
    field: str
    address: str
    days: int
    answering: AnswerForm | None
    deviation: str  # where the deviation is entered that it proposes; empty where it proposes none


@requires(Permission.PATIENTS_VIEW, on=Study)
def query_list(request: StaffRequest, study: Study) -> HttpResponse:
    """The queries of the patients whom the person sees, the oldest first; the open ones unless told."""
    return _queries(request, study, request.GET)


@requires(Permission.QUERY_ANSWER, on=Study)
@require_POST
def query_answer(request: StaffRequest, study: Study) -> HttpResponse:
    """Answer one query, and go back to the list as it was narrowed. What cannot be taken is shown there as it was typed."""
    number = request.POST.get("query", "")
    visible = Patient.objects.visible_to(request.user).filter(study=study)
    is_number = number.isascii() and number.isdigit() and len(number) < 19
    query = Query.objects.filter(patient__in=visible, pk=number).first() if is_number else None
    if query is None:
        raise Http404(f"There is no query '{number}' among those you may see in study {study}.")
    shows(request, [query.patient_id])
    narrowed = QueryDict(request.POST.get("list", ""))
    form = AnswerForm(request.POST, query=query)
    if form.is_valid():
        try:
            answer_query(request, query, form.cleaned_data["answer"], version=form.cleaned_data["version"])
        except CannotAnswer as error:
            form.add_error("answer", str(error))
            form.see_again(Query.objects.get(pk=query.pk).version)
        else:
            messages.success(request, f"Your answer on {query.patient} was saved. The data manager reads it.")
            return redirect(f"{reverse('queries', kwargs={'study': study.code})}?{narrowed.urlencode()}")
    return _queries(request, study, narrowed, refused=form)


def _queries(request: StaffRequest, study: Study, asked: QueryDict, refused: AnswerForm | None = None) -> HttpResponse:
    """The page of the list. A query whose answer was `refused` stands on top of it, with what was typed."""
    form = QueriesForm(asked, viewer=request.user, study=study)
    context: dict[str, Any] = _context(request, study, form) | {"list": asked.urlencode()}
    if not form.is_valid():
        return render(request, "patients/grid_queries.html", context, status=400)
    today = study.today or timezone.now().date()
    visible = Patient.objects.visible_to(request.user).filter(study=study)
    queries = form.narrow(with_day_asked(Query.objects.filter(patient__in=visible)), today)
    ordered = oldest_first(queries).select_related("patient__study", "patient__site")
    page = Paginator(ordered, QUERIES_A_PAGE)
    shown = page.get_page(asked.get("page"))
    listed = list(shown.object_list)
    if refused is not None:
        everything = with_day_asked(Query.objects.filter(pk=refused.query.pk))
        its_own = everything.select_related("patient__study", "patient__site").get()
        listed = [its_own, *(query for query in listed if query.pk != its_own.pk)]
    shows(request, list({query.patient_id for query in listed}))
    rows = _rows(request, study, listed, today, refused)
    return render(
        request, "patients/grid_queries.html", context | {"page": shown, "rows": rows}, status=400 if refused else 200
    )


def _rows(
    request: StaffRequest, study: Study, queries: list[Any], today: Any, refused: AnswerForm | None
) -> list[AskedQuery]:
    editable = sites_where(request.user, Permission.CASEBOOK_EDIT, study)
    answerable = sites_where(request.user, Permission.QUERY_ANSWER, study)
    found = []
    for query in queries:
        is_open = query.state != QueryState.CLOSED and is_at(query.patient, answerable)
        answering = AnswerForm(query=query) if is_open else None
        found.append(
            AskedQuery(
                query,
                record_model(query.form).form,
                _word_field(query),
                address_of_query(query, may_edit=is_at(query.patient, editable)),
                max((today - query.asked_at.date()).days, 0),
                refused if refused is not None and refused.query.pk == query.pk else answering,
                deviation_address(query) if is_at(query.patient, editable) else "",
            )
        )
    return found


def _word_field(query: Query) -> str:
    """The field of a query in words; a test of a laboratory form by its code."""
    if not query.field:
        return ""
    try:
        return label_of_field(record_model(query.form)._meta.get_field(query.field))  # type: ignore[arg-type]  # a column
    except FieldDoesNotExist:
        return query.field


@requires(Permission.CASEBOOK_EDIT, on=Study, reveals=False)
def enrol_patient(request: StaffRequest, study: Study) -> HttpResponse:
    """Give a patient who signed consent a number, and go on with the visits of that patient."""
    allowed = sites_where(request.user, Permission.CASEBOOK_EDIT, study)
    there = Site.objects.filter(study=study).select_related("study").order_by("number")
    sites = [site for site in there if allowed is None or site.pk in allowed]
    if not sites:
        raise BadRequest("This study has no site yet, so nobody can be enrolled. An operator adds one with `add_site`.")
    form: EnrolForm = filled(request, EnrolForm, study=study, sites=sites, seen=latest_patient(sites))
    problem, status = "", 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                patient = enrol(request, form.site_chosen, form.answers, seen=form.cleaned_data["seen"])
            except MayBeTheSame as error:
                problem, status = f"{error} If this is another patient, save again.", 409
                form.see_again(latest_patient(sites))
            else:
                messages.success(request, f"The patient has the number {patient}.")
                return redirect("patient-grid", study=study.code, patient=patient.number)
    context = {"study": study, "form": form, "problem": problem, "sites": sites}
    return render(request, "patients/grid_enrol.html", context, status=status)


def _context(request: StaffRequest, study: Study, form: Any) -> dict[str, Any]:
    return {
        "study": study,
        "form": form,
        "sites": form.sites,
        "sees_all": sees_all_patients(request.user, study),
        "may_enrol": may(request.user, Permission.CASEBOOK_EDIT, study),
        "page": None,
    }
