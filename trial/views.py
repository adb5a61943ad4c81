"""The first page of each role, and the study-wide list of changes."""

import re
from collections.abc import Iterator
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render

from trial.access import (
    Permission,
    StaffRequest,
    requires,
    sees_all_patients,
)
from trial.access_record.keeping import shows, takes_away
from trial.changes import Act, Changes, Line, last_rows
from trial.forms import ChangesForm
from trial.frame import FIRST_PAGE, Frame
from trial.models import Patient, Role, Study
from trial.spreadsheets import CONTENT_TYPE, csv_lines
from trial.what_for import says_what_for

ACTS_A_PAGE = 30
CHANGES_OF_AN_ACT = 100


@requires(Permission.HOME_VIEW)
def home(request: StaffRequest) -> HttpResponse:
    """On to where the day of the person's role begins."""
    membership = Frame(request).membership
    assert membership is not None  # whoever has no role was refused
    return redirect(FIRST_PAGE[Role(membership.role)], study=membership.study.code)


def _asked(request: StaffRequest, study: Study) -> tuple[ChangesForm, Changes | None]:
    """The narrowing that was asked for, and what it lets through; nothing where it cannot be read."""
    form = ChangesForm(request.GET, viewer=request.user, study=study)
    return form, Changes(request.user, study, form.filters()) if form.is_valid() else None


@requires(Permission.HISTORY_VIEW, on=Study)
def changes(request: StaffRequest, study: Study) -> HttpResponse:
    """Who changed what, when and why, in the whole study, newest first."""
    form, found = _asked(request, study)
    return _list(request, study, form, found)


def _list(request: StaffRequest, study: Study, form: ChangesForm, found: Changes | None) -> HttpResponse:
    """The page of the list: 400, with the form as it was typed, where the narrowing cannot be read."""
    context: dict[str, Any] = {
        "study": study,
        "form": form,
        "page": None,
        "sees_all": sees_all_patients(request.user, study),
    }
    if found is None:
        return render(request, "trial/changes.html", context, status=400)
    acts: Any = _Acts(found)  # all that the paginator needs of a list: a length, and slices
    page = Paginator(acts, ACTS_A_PAGE).get_page(request.GET.get("page"))
    acts_here = list(page.object_list)
    shows(request, patients_in(acts_here))
    return render(request, "trial/changes.html", context | {"page": page, "acts": with_patients(acts_here)})


@requires(Permission.HISTORY_VIEW, on=Study)
def changes_of_act(request: StaffRequest, study: Study, act: int) -> HttpResponse:
    """One act with all that it changed, in portions."""
    form, found = _asked(request, study)
    if found is None:
        return _list(request, study, form, found)
    asked = request.GET.get("first", "")
    start = int(asked) if re.fullmatch(r"[0-9]{1,9}", asked) else 0
    acts = found.of_act(act, start, CHANGES_OF_AN_ACT)
    if not acts:
        raise Http404("There is no such act among the changes that you may see.")
    shows(request, patients_in(acts))
    following = start + CHANGES_OF_AN_ACT if acts[0].more else None
    context = {"study": study, "acts": with_patients(acts), "act": acts[0], "following": following}
    return render(request, "trial/act.html", context)


COLUMNS = (
    *("When (UTC)", "Who", "Role", "Organisation", "Patient", "Site", "Form", "Title", "Record"),
    *("Field", "Unit", "Old", "New", "Kind", "Why", "Act"),
)


@requires(Permission.HISTORY_VIEW, on=Study)
@says_what_for("changes")
def changes_csv(request: StaffRequest, study: Study) -> HttpResponse | StreamingHttpResponse:
    """The list as it is narrowed, all pages of it, as CSV."""
    form, found = _asked(request, study)
    if found is None:
        return _list(request, study, form, found)
    patients = {patient.id: patient for patient in last_rows(Patient).filter(study=study).select_related("site")}
    shows(request, found.patients())
    takes_away(request)
    label = "synthetic-" if study.is_synthetic else ""
    response = StreamingHttpResponse(csv_lines(COLUMNS, _rows(found, patients)), content_type=CONTENT_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{label}{study.code}-changes.csv"'
    return response


def _rows(found: Changes, patients: dict[int, Any]) -> Iterator[tuple[Any, ...]]:
    for line in found.lines():
        patient = patients.get(line.patient or 0)
        act = line.act
        who = (f"{act.at:%Y-%m-%d %H:%M:%S}", act.person_name, act.role, act.organisation)
        where = (patient.number, patient.site.number) if patient else ("", "")
        what = (line.form, line.title, line.name, line.field, line.unit, line.old, line.new, line.kind, line.why)
        yield (*who, *where, *what, act.pk)


class _Acts:
    """The list as Django's paginator wants it."""

    def __init__(self, found: Changes) -> None:
        self.found = found

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, wanted: slice) -> list[Act]:
        return self.found.page(wanted.start, wanted.stop - wanted.start)


def patients_in(acts: list[Act]) -> set[int]:
    """The keys of the patients whom these acts concern."""
    return {line.patient for act in acts for line in act.lines if line.patient}


def with_patients(acts: list[Act]) -> list[tuple[Act, list[tuple[Line, Any]]]]:
    """Each act with its lines, and beside each line the last history row of the patient whom it concerns."""
    patients = {patient.id: patient for patient in last_rows(Patient).filter(id__in=patients_in(acts))}
    return [(act, [(line, patients.get(line.patient or 0)) for line in act.lines]) for act in acts]
