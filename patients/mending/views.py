"""The pages on which something is put right. Each says the consequences first, and does nothing until a reason is given."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from patients.casebook import show_answer
from patients.entry.views import OF_ANOTHER, model_of
from patients.mending.forms import MoveForm, PresentVersionForm, ScreenAgainForm, TransferForm
from patients.mending.moving import Place, consequences, move_record
from patients.mending.screening import failed_screening, screen_again
from patients.mending.transferring import consequences as concerned
from patients.mending.transferring import sites_to_go_to, transfer
from patients.mending.versions import Overtaken, amendment, bring_to_present, is_behind
from patients.models import Enrolment
from trial.access import Permission, StaffRequest, requires
from trial.drafts import filled, is_opened_by_another
from trial.models import Patient
from trial.records import PatientRecord
from trial.wording import word_record

SOMEBODY_WAS_FIRST = "Somebody changed this form since you opened it. Read it again before you go on."

edits = requires(Permission.CASEBOOK_EDIT, on=Patient)


def record_of(patient: Patient, form: str, key: int) -> PatientRecord:
    """The record that an address names. Raise 404 where the patient has none."""
    records = model_of(form)._default_manager.filter(patient=patient, pk=key)
    found = records.select_related("entry", "patient__study", "patient__site").first()
    if found is None:
        raise Http404(f"Patient {patient} has no record {key} of the form {form}.")
    return found


@edits
def entry_version(request: StaffRequest, patient: Patient, form: str, record: int) -> HttpResponse:
    """Bring an entry of an old version of its form to the present one, with a reason."""
    found = record_of(patient, form, record)
    names: dict[str, Any] = {"study": patient.study.code, "patient": patient.number, "form": form, "record": record}
    if not is_behind(found):
        messages.info(request, f"This form is of version {found.version_filled}, the present one, already.")
        return redirect("entry", **names)
    asked = filled(request, PresentVersionForm, version=found.entry.version)
    problem, status = "", 200
    if request.method == "POST":
        status = 400
        if is_opened_by_another(request, request.user):
            problem, status = OF_ANOTHER, 409
        elif asked.is_valid():
            try:
                entry = bring_to_present(
                    request,
                    patient,
                    found,
                    version=asked.cleaned_data["version"],
                    reason=asked.cleaned_data["reason"],
                )
            except Overtaken:
                found = record_of(patient, form, record)
                problem, status = SOMEBODY_WAS_FIRST, 409
                asked.see_again(found.entry.version)
            else:
                messages.success(request, f"{found.form.title}: This form is of version {entry.form_version} now.")
                return redirect("entry", **names)
    context = {
        "patient": patient,
        "page_form": found.form,
        "form": found.form,
        "record": found,
        "name": word_record(found),
        "amendment": amendment(type(found), found.version_filled, found.present_version()),
        "asked": asked,
        "problem": problem,
    }
    return render(request, "patients/entry_version.html", context, status=status)


@edits
def entry_move(request: StaffRequest, patient: Patient, form: str, record: int) -> HttpResponse:
    """Move a form that was entered for the wrong visit or the wrong patient."""
    found = record_of(patient, form, record)
    asked = filled(request, MoveForm, record=found, viewer=request.user)
    problem, status = "", 200
    if request.method == "POST":
        status = 400
        if is_opened_by_another(request, request.user):
            problem, status = OF_ANOTHER, 409
        elif asked.is_valid():
            to: Place = asked.cleaned_data["to"]
            names: dict[str, Any] = {"study": patient.study.code, "form": form}
            try:
                moved = move_record(
                    request,
                    found,
                    to,
                    versions=(asked.cleaned_data["version"], asked.cleaned_data["entry_version"]),
                    reason=asked.cleaned_data["reason"],
                )
            except Overtaken:
                found = record_of(patient, form, record)
                problem, status = SOMEBODY_WAS_FIRST, 409
                asked.see_again_with(found)
            except ValidationError as error:
                problem, status = " ".join(error.messages), 409
            else:
                messages.success(request, f"{found.form.title}: Moved to {to}. The audit trail of both places says so.")
                return redirect("entry", **names, patient=to.patient.number, record=moved.pk)
    context = {
        "patient": patient,
        "page_form": found.form,
        "form": found.form,
        "record": found,
        "name": word_record(found),
        "visit": found.entry.visit,
        "goes_along": consequences(found),
        "asked": asked,
        "problem": problem,
    }
    return render(request, "patients/entry_move.html", context, status=status)


@requires(Permission.PATIENTS_TRANSFER, on=Patient)
def patient_transfer(request: StaffRequest, patient: Patient) -> HttpResponse:
    """Let a patient go on at another site."""
    sites = sites_to_go_to(request.user, patient)
    asked = filled(request, TransferForm, patient=patient, sites=sites)
    problem, status = "", 200
    if request.method == "POST":
        status = 400
        if asked.is_valid():
            to = asked.cleaned_data["site"]
            try:
                transfer(
                    request,
                    patient,
                    to,
                    on=asked.cleaned_data["transferred_on"],
                    version=asked.cleaned_data["version"],
                    reason=asked.cleaned_data["reason"],
                )
            except Overtaken:
                patient = Patient.objects.select_related("study", "site").get(pk=patient.pk)
                problem, status = (
                    f"Somebody changed this patient since you opened the page: the site is {patient.site}.",
                    409,
                )
                asked.see_again(patient.version)
            except ValidationError as error:
                problem, status = " ".join(error.messages), 409
            else:
                messages.success(request, f"{patient} is at site {to} now, with all forms and queries.")
                return redirect("patient", study=patient.study.code, patient=patient.number)
    context = {"patient": patient, "sites": sites, "asked": asked, "problem": problem, "concerns": concerned(patient)}
    return render(request, "patients/transfer.html", context, status=status)


@edits
def patient_screen_again(request: StaffRequest, patient: Patient) -> HttpResponse:
    """Begin another screening of a patient who failed the last one."""
    names: dict[str, Any] = {"study": patient.study.code, "patient": patient.number}
    failed = failed_screening(patient)
    if failed is None:
        messages.info(request, f"{patient} did not fail the last screening, so that there is nothing to begin anew.")
        return redirect("patient-grid", **names)
    asked = filled(request, ScreenAgainForm, patient=patient, version=failed.version)
    problem, status = "", 200
    if request.method == "POST":
        status = 400
        if asked.is_valid():
            try:
                screen_again(
                    request,
                    patient,
                    on=asked.cleaned_data["screened_on"],
                    version=asked.cleaned_data["version"],
                    reason=asked.cleaned_data["reason"],
                )
            except Overtaken:
                problem, status = SOMEBODY_WAS_FIRST, 409
                now = failed_screening(patient)
                asked.see_again(now.version if now else failed.version)
            except ValidationError as error:
                problem, status = " ".join(error.messages), 409
            else:
                messages.success(request, f"The new screening of {patient} has begun. Its forms are expected below.")
                return redirect("patient-grid", **names)
    context = {
        "patient": patient,
        "failed": failed,
        "reason_of_failure": show_answer(failed, Enrolment._meta.get_field("screen_failure")),
        "asked": asked,
        "problem": problem,
    }
    return render(request, "patients/screen_again.html", context, status=status)
