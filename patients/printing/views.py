"""The casebook as a file to print: of a patient as it stands, and empty. What leaves is on the access record first."""

import hashlib

from django.http import HttpResponse
from django.utils import timezone

from patients.printing.blank import blank_casebook_pdf
from patients.printing.filled import filled_casebook
from patients.printing.typesetting import typeset
from trial.access import Permission, StaffRequest, requires
from trial.access_record.keeping import shows, takes_away
from trial.db.reading import snapshot
from trial.models import Patient, Study
from trial.what_for import says_what_for


@requires(Permission.PATIENTS_VIEW, on=Patient)
@says_what_for("patient")
def casebook_pdf(request: StaffRequest, patient: Patient) -> HttpResponse:
    """Every form of one patient with its answers and queries."""
    with snapshot() as at:
        document = filled_casebook(patient, at)
    content = typeset(document, at)
    takes_away(request, content_hash=hashlib.sha256(content).hexdigest())
    return _pdf(content, file_name(patient.study, patient))


@requires(Permission.PATIENTS_VIEW, on=Patient)
def empty_forms_pdf(request: StaffRequest, patient: Patient) -> HttpResponse:
    """Every form empty, with the number of one patient on each page."""
    content = blank_casebook_pdf(patient.study, timezone.now().date(), patient)
    takes_away(request, content_hash=hashlib.sha256(content).hexdigest())
    return _pdf(content, file_name(patient.study, patient, is_blank=True))


@requires(Permission.PATIENTS_VIEW, on=Study)
def empty_forms_of_study_pdf(request: StaffRequest, study: Study) -> HttpResponse:
    """Every form empty, for nobody in particular: there are no data in it."""
    shows(request, ())
    return _pdf(blank_casebook_pdf(study, timezone.now().date()), file_name(study, is_blank=True))


def file_name(study: Study, patient: Patient | None = None, *, is_blank: bool = False) -> str:
    """What the file is called: whose, what, and that it is synthetic where it is."""
    parts = (
        "synthetic" if study.is_synthetic else "",
        study.code,
        patient.number if patient else "",
        "blank-casebook" if is_blank else "casebook",
    )
    return f"{'-'.join(part for part in parts if part)}.pdf"


def _pdf(content: bytes, name: str) -> HttpResponse:
    return HttpResponse(
        content,
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
