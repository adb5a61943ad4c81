"""The day's work: the forms that are due or overdue and the questions that wait for an answer, oldest first."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import DateTimeField, OuterRef, QuerySet, Subquery
from django.urls import reverse

from patients.casebook import Status
from patients.expected import FROM_END_OF_TREATMENT, FROM_FIRST_DOSE, Course, ExpectedVisit, expected_visits
from patients.grid.cells import Cell, address_of, drafts_of, whose
from patients.grid.course import courses_of, today_of
from patients.grid.expecting import LOG
from patients.grid.status import empty_entries
from trial.access import Permission, Viewer, memberships_granting
from trial.models import Patient, Query, Study
from trial.records import Form, record_model
from trial.review.models import QueryState


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do at one form: a form to fill, or a query to answer where `asked` is given."""

    form: Form | None  # none where the patient or a visit is asked about
    patient: Patient
    may_edit: bool
    visit: str = LOG
    asked: Query | None = None
    is_draft: bool = False

    @property
    def address(self) -> str:
        """Where it is done. Told when it is shown: of ten thousand tasks a page shows a hundred."""
        if self.asked is not None:
            return address_of_query(self.asked, may_edit=self.may_edit)
        assert self.form is not None  # what is to be filled is a form
        return address_of(self.patient, Cell(self.form.code, self.visit, Status.EXPECTED), may_edit=self.may_edit)


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done for one patient at one visit, since a day. `late` is by how many days its window is over."""

    since: date
    patient: Patient
    visit: str  # empty for questions, and for what belongs to no visit
    kind: str  # Overdue, Due, Asked
    tasks: tuple[Task, ...]
    late: int = 0


def sites_where(viewer: Viewer, permission: Permission, study: Study) -> set[int] | None:
    """The sites at which this person may do something; None where they may at all."""
    sites = set(memberships_granting(viewer, permission, study).values_list("site", flat=True))
    return None if None in sites else sites


def is_at(patient: Patient, sites: set[int] | None) -> bool:
    """Whether a patient is at one of the sites."""
    return sites is None or patient.site_id in sites


def with_day_asked(queries: QuerySet[Query]) -> QuerySet[Query]:
    """Queries with the instant at which each was first asked, in `asked_at`."""
    first = Query.history.model.objects.filter(id=OuterRef("pk"), version=1)
    return queries.annotate(asked_at=Subquery(first.values("recording__at")[:1], output_field=DateTimeField()))


def address_of_query(query: Query, *, may_edit: bool) -> str:
    """The form at which a query is answered; the page of one about a visit or the patient."""
    patient = query.patient
    names: dict[str, object] = {"study": patient.study.code, "patient": patient.number}
    if not query.form:
        return reverse("query", kwargs=names | {"query": query.pk})
    form = record_model(query.form).form
    if query.record and not form.part_of:
        page = "entry" if may_edit else "record"
        return reverse(page, kwargs=names | {"form": form.code, "record": query.record})
    return reverse("form", kwargs=names | {"form": form.page})


def work_for(viewer: Viewer, study: Study) -> list[Work]:
    """What is to be done for the patients whom this person sees, the oldest first."""
    visible = Patient.objects.visible_to(viewer).filter(study=study)
    found = [*_forms(viewer, study, visible), *_questions(viewer, study, visible)]
    return sorted(found, key=lambda work: (work.since, work.patient.number, work.visit))


def overdue_patients(patients: QuerySet[Patient]) -> set[int]:
    """The keys of the patients with an empty form whose visit's window is over."""
    waiting = set(empty_entries(patients).exclude(visit=LOG).values_list("patient", "visit"))
    people = patients.filter(pk__in={patient for patient, _ in waiting}).select_related("study", "site")
    courses = courses_of(people)
    found = set()
    for patient in people:
        windows = _windows(patient, courses.get(patient.pk))
        if any(key == patient.pk and _days_late(patient, windows.get(visit)) for key, visit in waiting):
            found.add(patient.pk)
    return found


def _windows(patient: Patient, course: Course | None) -> dict[str, ExpectedVisit]:
    return {visit.code: visit for visit in expected_visits(course, today_of(patient))} if course else {}


def _days_late(patient: Patient, window: ExpectedVisit | None) -> int:
    return max((today_of(patient) - window.closes).days, 0) if window else 0


def _forms(viewer: Viewer, study: Study, visible: QuerySet[Patient]) -> list[Work]:
    """The forms that are expected and empty, those of one visit together."""
    waiting: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    entries = empty_entries(visible).order_by("pk").values_list("patient", "visit", "form")
    for patient_id, visit, form in entries:
        waiting[patient_id][visit].append(form)
    people = list(visible.filter(pk__in=waiting).select_related("study", "site"))
    courses = courses_of(people)
    drafts = drafts_of(viewer)
    editable = sites_where(viewer, Permission.CASEBOOK_EDIT, study)
    found = []
    for patient in people:
        course = courses.get(patient.pk)
        windows, today = _windows(patient, course), today_of(patient)
        typed = drafts.get(whose(patient), set())
        may_edit = is_at(patient, editable)
        for visit, forms in waiting[patient.pk].items():
            window = windows.get(visit)
            late = _days_late(patient, window)
            tasks = [
                Task(record_model(form).form, patient, may_edit, visit, is_draft=(form, visit) in typed)
                for form in forms
            ]
            if visit == LOG:
                days: dict[date, list[Task]] = defaultdict(list)
                for form, task in zip(forms, tasks, strict=True):
                    days[_due_since(form, course) or today].append(task)
                found += [Work(day, patient, "", "Due", tuple(each)) for day, each in days.items()]
            else:
                since = window.day if window else today
                found.append(Work(since, patient, visit, "Overdue" if late else "Due", tuple(tasks), late))
    return found


def _due_since(form: str, course: Course | None) -> date | None:
    """The day since which a form that belongs to no visit is asked for."""
    if course is None:
        return None
    if form in FROM_FIRST_DOSE:
        return course.first_dose_on
    if form in FROM_END_OF_TREATMENT:
        return course.last_dose_on
    return {"DTH": course.died_on, "EOS": course.left_on or course.died_on}.get(form, course.consented_on)


def _questions(viewer: Viewer, study: Study, visible: QuerySet[Patient]) -> list[Work]:
    """The queries that wait for an answer, those that were asked of a patient on one day together."""
    queries = Query.objects.filter(patient__in=visible, state=QueryState.OPEN)
    editable = sites_where(viewer, Permission.CASEBOOK_EDIT, study)
    days: dict[tuple[date, Patient], dict[tuple[str, str, int | None], Task]] = defaultdict(dict)
    for query in with_day_asked(queries).select_related("patient__study", "patient__site").order_by("pk"):
        patient = query.patient
        page = record_model(record_model(query.form).form.page).form if query.form else None
        task = Task(page, patient, is_at(patient, editable), asked=query)
        day = query.asked_at.date()  # type: ignore[attr-defined]  # annotated
        days[day, patient].setdefault((query.form, query.visit, query.record), task)
    return [Work(day, patient, "", "Asked", tuple(tasks.values())) for (day, patient), tasks in days.items()]


def asked_before(queries: QuerySet[Query], days: int, today: date) -> QuerySet[Query]:
    """Those of the queries that were first asked so many days ago, or earlier. They need their `asked_at`."""
    return queries.filter(asked_at__date__lte=today - timedelta(days=days))  # type: ignore[misc]  # annotated


def counts_of(work: Sequence[Work]) -> dict[str, int]:
    """How many forms are to be looked at, by kind."""
    found: dict[str, int] = {}
    for each in work:
        found[each.kind] = found.get(each.kind, 0) + len(each.tasks)
    return found
