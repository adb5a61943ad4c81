"""The pages of the access record: of the whole study, of one event, of one patient; and their CSV files."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render

from trial.access import GRANTS, Permission, StaffRequest, requires, sees_all_patients
from trial.access_record.accesses import NEWEST_FIRST, ORDERS, Accesses, Filters, Line, keys_in
from trial.access_record.forms import AccessForm, DayForm, read_order
from trial.access_record.keeping import shows, takes_away
from trial.access_record.past import access_on
from trial.models import Patient, Role, Study
from trial.spreadsheets import CONTENT_TYPE, csv_lines
from trial.what_for import says_what_for

EVENTS_A_PAGE = 50

HEADS = {"at": "When", "person": "Who", "what": "What", "address": "From"}

COLUMNS = (
    *("When (UTC)", "Who", "Role", "Organisation", "Kind", "What", "Patients", "Purpose", "Recipient", "SHA-256"),
    *("Channel", "Token", "Address", "Session", "Request", "Event"),
)
WORTH_SAYING = [permission for permission in GRANTS if permission != Permission.HOME_VIEW]  # everybody has a first page
PEOPLE_COLUMNS = (
    *("On", "Who", "Organisation", "Role", "Site", "Since", "Until", "Active"),
    *(f"Could {permission}" for permission in WORTH_SAYING),
)


@requires(Permission.ACCESS_VIEW, on=Study)
def access_list(request: StaffRequest, study: Study) -> HttpResponse:
    """Who read, took away or was refused what in the study, and who signed in; newest first unless asked."""
    form, found = _asked(request, study)
    return _list(request, study, form, found)


@requires(Permission.ACCESS_VIEW, on=Study)
@says_what_for("access")
def access_csv(request: StaffRequest, study: Study) -> HttpResponse | StreamingHttpResponse:
    """The list as it is narrowed, all pages of it, as CSV."""
    form, found = _asked(request, study)
    if found is None:
        return _list(request, study, form, found)
    return _file(request, found, f"{_label(study)}{study.code}-access.csv")


def _asked(request: StaffRequest, study: Study) -> tuple[AccessForm, Accesses | None]:
    """The narrowing that was asked for, and what it lets through; nothing where it cannot be read."""
    form = AccessForm(request.GET, study=study)
    if not form.is_valid():
        return form, None
    order = read_order(request.GET.get("sort", NEWEST_FIRST))
    return form, Accesses(request.user, study, form.filters(), order)


def _list(request: StaffRequest, study: Study, form: AccessForm, found: Accesses | None) -> HttpResponse:
    context = {
        "study": study,
        "form": form,
        "page": None if found is None else _page(request, found),
        "heads": list(_heads(read_order(request.GET.get("sort", NEWEST_FIRST)))),
        "sees_all": sees_all_patients(request.user, study, Permission.ACCESS_VIEW),
    }
    return render(request, "trial/access.html", context, status=400 if found is None else 200)


@requires(Permission.ACCESS_VIEW, on=Study)
def access_event(request: StaffRequest, study: Study, event: int) -> HttpResponse:
    """One event: everything that was kept of it, and every patient whose data it showed."""
    found = Accesses(request.user, study, Filters())
    found.events = found.events.filter(pk=event)
    lines = found[0:1]
    if not lines:
        raise Http404(f"There is no event {event} in the access record of {study}, or it is not for you.")
    shows(request, keys_in(lines))
    return render(request, "trial/access_event.html", {"study": study, "line": lines[0]})


@requires(Permission.ACCESS_VIEW, on=Study, reveals=False)
def access_people(request: StaffRequest, study: Study) -> HttpResponse:
    """Who could see what on a day: each role that held, and what it let the person do."""
    return _people(request, study, DayForm(request.GET))


@requires(Permission.ACCESS_VIEW, on=Study, reveals=False)
@says_what_for("access-people")
def access_people_csv(request: StaffRequest, study: Study) -> HttpResponse | StreamingHttpResponse:
    """The same as CSV."""
    form = DayForm(request.GET)
    if not form.is_valid():
        return _people(request, study, form)
    day = form.cleaned_data["on"]
    takes_away(request, what=f"{day}")
    rows = (
        (
            f"{day}",
            *(one.name, one.organisation, one.role.label, one.site or "all sites"),
            *(f"{one.since}", f"{one.until or ''}", "yes" if one.is_active else "no"),
            *("yes" if permission in one.permissions else "" for permission in WORTH_SAYING),
        )
        for one in access_on(study, day)
    )
    response = StreamingHttpResponse(csv_lines(PEOPLE_COLUMNS, rows), content_type=CONTENT_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{_label(study)}{study.code}-access-on-{day}.csv"'
    return response


def _people(request: StaffRequest, study: Study, form: DayForm) -> HttpResponse:
    context: dict[str, Any] = {"study": study, "form": form, "day": None}
    if not form.is_valid():
        return render(request, "trial/access_people.html", context, status=400)
    day = form.cleaned_data["on"]
    standings = access_on(study, day)
    held = {standing.role for standing in standings}
    grants = [
        (role, [permission for permission in WORTH_SAYING if role in GRANTS[permission]])
        for role in Role
        if role in held
    ]
    context |= {"day": day, "standings": standings, "grants": grants}
    return render(request, "trial/access_people.html", context)


@requires(Permission.ACCESS_VIEW, on=Patient)
def patient_access(request: StaffRequest, patient: Patient) -> HttpResponse:
    """Who read this patient's data or took them away: the accounting that a patient may ask for."""
    page = _page(request, _accounting(request, patient))
    heads = [(title, "", "") for title in HEADS.values()]
    return render(request, "trial/access_patient.html", {"patient": patient, "page": page, "heads": heads})


@requires(Permission.ACCESS_VIEW, on=Patient)
@says_what_for("patient-access")
def patient_access_csv(request: StaffRequest, patient: Patient) -> StreamingHttpResponse:
    """The same accounting as CSV, to be given to the patient: it names no other patient."""
    return _file(request, _accounting(request, patient), f"{patient.number}-access.csv")


def _accounting(request: StaffRequest, patient: Patient) -> Accesses:
    return Accesses(request.user, patient.study, Filters(of=patient.pk))


def _page(request: StaffRequest, found: Accesses) -> Any:
    """The page of the list that the address asks for, put on record as showing the patients whom it names."""
    events: Any = found  # all that the paginator needs of a list: a length, and slices
    page = Paginator(events, EVENTS_A_PAGE).get_page(request.GET.get("page"))
    page.object_list = list(page.object_list)
    shows(request, keys_in(page.object_list))
    return page


def _file(request: StaffRequest, found: Accesses, name: str) -> StreamingHttpResponse:
    shows(request, found.patients())
    takes_away(request)
    response = StreamingHttpResponse(csv_lines(COLUMNS, _rows(found.up_to_now())), content_type=CONTENT_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _rows(lines: Iterable[Line]) -> Iterator[tuple[Any, ...]]:
    for line in lines:
        event = line.event
        who = (event.person_name, event.role, event.organisation, event.get_kind_display())
        what = (str(line.sentence), " ".join(patient.number for patient in line.patients))
        given = (event.purpose, event.recipient, event.content_hash)
        where = (event.channel, event.token, event.address or "", event.session, event.request_id, event.pk)
        yield (f"{event.at:%Y-%m-%d %H:%M:%S}", *who, *what, *given, *where)


def _heads(order: str) -> Iterator[tuple[str, str, str]]:
    """Each column that can be sorted by: its title, the order that its head leads to, and how it is sorted now."""
    for column in ORDERS:
        sorted_now = {column: "ascending", f"-{column}": "descending"}.get(order, "")
        yield HEADS[column], f"-{column}" if sorted_now == "ascending" else column, sorted_now


def _label(study: Study) -> str:
    return "synthetic-" if study.is_synthetic else ""
