"""Sign-in, the way in for each role, the study-wide list of changes, and the pages for what went wrong."""

import csv
import re
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from trial.access import (
    GRANTS,
    Permission,
    StaffRequest,
    open_to_everybody,
    requires,
    sees_all_patients,
)
from trial.changes import Act, Changes, Line, last_rows
from trial.forms import ChangesForm
from trial.frame import Frame, first_page
from trial.models import Membership, Patient, Role, Study

ACTS_A_PAGE = 30
CHANGES_OF_AN_ACT = 100

ROLE_BEGINS = {
    Role.COORDINATOR: "The forms of the patients at one site.",
    Role.INVESTIGATOR: "The forms of the patients at one site.",
    Role.MONITOR: "Every change at every site: who, when, old, new, why.",
    Role.DATA_MANAGER: "Every change, every form, and the datasets.",
    Role.SAFETY_PHYSICIAN: "The patients of all sites and their adverse events.",
    Role.STATISTICIAN: "The report, and the datasets behind it.",
    Role.INSPECTOR: "How a number came about: from the report to the form and its history.",
    Role.ADMINISTRATOR: "No patient data. Says what an administrator may do.",
}


def demo_accounts() -> list[Membership]:
    """One membership of each role in the synthetic study, in the order of the roles. Empty outside the demo."""
    if not settings.IS_DEMO:
        return []
    first: dict[str, Membership] = {}
    synthetic = Membership.objects.filter(
        study__is_synthetic=True, person__is_active=True, person__user__is_active=True
    )
    for membership in synthetic.select_related("person__user", "site").order_by("pk"):
        first.setdefault(membership.role, membership)
    return [first[role] for role in Role if role in first]


class SignIn(LoginView):
    """Name and password; in the demo, one button a role."""

    template_name = "trial/sign_in.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        accounts = [(account, ROLE_BEGINS[Role(account.role)]) for account in demo_accounts()]
        return super().get_context_data(accounts=accounts, **kwargs)


sign_in = open_to_everybody(SignIn.as_view())


@open_to_everybody
@require_POST
def sign_in_as(request: HttpRequest) -> HttpResponse:
    """Sign in as the person of one role of the demo. Anywhere else this page is missing."""
    role = request.POST.get("role", "")
    account = next((account for account in demo_accounts() if account.role == role), None)
    if account is None:
        raise Http404("There is no such role to try here.")
    login(request, account.person.user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("home")


sign_out = open_to_everybody(LogoutView.as_view())


@requires(Permission.HOME_VIEW)
def home(request: StaffRequest) -> HttpResponse:
    """Where the day of each role begins; for a role without such a page, what it may do."""
    frame = Frame(request)
    page = first_page(frame)
    if page and frame.study:
        return redirect(page, study=frame.study.code)
    allowed = [
        permission
        for permission, roles in GRANTS.items()
        if permission != Permission.HOME_VIEW and frame.membership and frame.membership.role in roles
    ]
    return render(request, "trial/home.html", {"allowed": allowed})


def _asked(request: StaffRequest, study: Study) -> tuple[ChangesForm, Changes]:
    form = ChangesForm(request.GET, viewer=request.user, study=study)
    if not form.is_valid():
        wrong = "; ".join(f"{form[name].label}: {' '.join(map(str, said))}" for name, said in form.errors.items())
        raise BadRequest(f"The list cannot be narrowed like that. {wrong}")
    return form, Changes(request.user, study, form.filters())


@requires(Permission.HISTORY_VIEW, on=Study)
def changes(request: StaffRequest, study: Study) -> HttpResponse:
    """Who changed what, when and why, in the whole study, newest first."""
    form, found = _asked(request, study)
    acts: Any = _Acts(found)  # all that the paginator needs of a list: a length, and slices
    page = Paginator(acts, ACTS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "study": study,
        "form": form,
        "page": page,
        "acts": with_patients(list(page.object_list)),
        "is_narrowed": any(request.GET.get(name) for name in form.fields),
        "sees_all": sees_all_patients(request.user, study),
    }
    return render(request, "trial/changes.html", context)


@requires(Permission.HISTORY_VIEW, on=Study)
def changes_of_act(request: StaffRequest, study: Study, act: int) -> HttpResponse:
    """One act with all that it changed, in portions."""
    _, found = _asked(request, study)
    asked = request.GET.get("first", "")
    start = int(asked) if re.fullmatch(r"[0-9]{1,9}", asked) else 0
    acts = found.of_act(act, start, CHANGES_OF_AN_ACT)
    if not acts:
        raise Http404("There is no such act among the changes that you may see.")
    following = start + CHANGES_OF_AN_ACT if acts[0].more else None
    context = {"study": study, "acts": with_patients(acts), "act": acts[0], "following": following}
    return render(request, "trial/act.html", context)


COLUMNS = (
    *("When (UTC)", "Who", "Role", "Organisation", "Patient", "Site", "Form", "Title", "Record"),
    *("Field", "Unit", "Old", "New", "Kind", "Why", "Act"),
)


@requires(Permission.HISTORY_VIEW, on=Study)
def changes_csv(request: StaffRequest, study: Study) -> StreamingHttpResponse:
    """The list as it is narrowed, all pages of it, as CSV."""
    _, found = _asked(request, study)
    patients = {patient.id: patient for patient in last_rows(Patient).filter(study=study).select_related("site")}
    label = "synthetic-" if study.is_synthetic else ""
    response = StreamingHttpResponse(_csv(found, patients), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{label}{study.code}-changes.csv"'
    return response


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, value: str) -> str:
        return value


def _csv(found: Changes, patients: dict[int, Any]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff" + str(writer.writerow(COLUMNS))  # the mark tells spreadsheets that this is UTF-8
    for line in found.lines():
        patient = patients.get(line.patient or 0)
        act = line.act
        who = (f"{act.at:%Y-%m-%d %H:%M:%S}", act.person_name, act.role, act.organisation)
        where = (patient.number, patient.site.number) if patient else ("", "")
        what = (
            line.form,
            line.title,
            line.name,
            line.field,
            line.unit,
            line.old,
            line.new,
            line.kind,
            line.why,
            act.pk,
        )
        yield str(writer.writerow([inert(value) for value in (*who, *where, *what)]))


def inert(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula, made text again."""
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value


class _Acts:
    """The list as Django's paginator wants it."""

    def __init__(self, found: Changes) -> None:
        self.found = found

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, wanted: slice) -> list[Act]:
        return self.found.page(wanted.start, wanted.stop - wanted.start)


def with_patients(acts: list[Act]) -> list[tuple[Act, list[tuple[Line, Any]]]]:
    """Each act with its lines, and beside each line the last history row of the patient whom it concerns."""
    wanted = {line.patient for act in acts for line in act.lines if line.patient}
    patients = {patient.id: patient for patient in last_rows(Patient).filter(id__in=wanted)}
    return [(act, [(line, patients.get(line.patient or 0)) for line in act.lines]) for act in acts]


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: what is wrong with the address, and what would be right."""
    said = str(exception) if isinstance(exception, BadRequest) else "The request could not be understood."
    return render(request, "400.html", {"said": said}, status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: what the person's role may not do."""
    return render(request, "403.html", {"said": str(exception) or "Your role may not open this page."}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: what is missing. The sentence is ours, or none: Django's own would list the addresses."""
    said = exception.args[0] if exception.args and isinstance(exception.args[0], str) else ""
    return render(request, "404.html", {"said": said}, status=404)
