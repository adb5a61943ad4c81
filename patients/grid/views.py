"""The grid of a patient and of many, the day's work, and enrolment."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render

from patients.casebook import Status
from patients.grid.cells import grid_of, progress_of, rows_of
from patients.grid.enrolling import MayBeTheSame, enrol, latest_patient
from patients.grid.forms import EnrolForm, GridForm, WorkForm
from patients.grid.work import counts_of, sites_where, work_for
from patients.mending.withdrawing import withdrawals_of
from trial.access import Permission, StaffRequest, may, requires, sees_all_patients
from trial.access_record.keeping import shows
from trial.drafts import filled
from trial.models import Patient, Query, Site, Study
from trial.review.models import AT_REST

PATIENTS_A_PAGE = 25
LINES_A_PAGE = 100


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
        "may_ask": may(request.user, Permission.QUERY_RAISE, patient),
        "queries": Query.objects.filter(patient=patient, entry=None).exclude(state__in=AT_REST).order_by("pk"),
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
