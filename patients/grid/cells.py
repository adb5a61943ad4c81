"""The grid: how far each form of each visit is, for one patient and for many, and where it is entered.

The rule: a status is derived each time (DESIGN 4), in a number of queries that does not depend on the patients. A draft is
seen by who typed it, and by nobody else.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from django.db.models import Count
from django.urls import Resolver404, resolve, reverse
from django.utils.text import slugify

from patients.casebook import Status
from patients.expected import ExpectedVisit, expected_visits
from patients.grid.course import courses_of, today_of
from patients.grid.expecting import LOG
from patients.grid.status import incomplete_entries, records_of_entries
from trial.access import Viewer
from trial.drafts import Draft
from trial.models import FormEntry, Patient, Query
from trial.records import SECTIONS, Form, record_models
from trial.review.models import QueryState

# What asks for most comes first.
URGENCY = (Status.OVERDUE, Status.DRAFT, Status.INCOMPLETE, Status.EXPECTED, Status.COMPLETE, Status.NOT_DONE)
WAITING = (Status.OVERDUE, Status.EXPECTED, Status.DRAFT)  # of an entry without a record
UNSCHEDULED = "UNS"  # what the code of a visit begins with that nobody planned
DONE = (Status.COMPLETE, Status.NOT_DONE)
LATEST = date.max  # the place of a visit of which no day is known: after all others


@dataclass(frozen=True, slots=True)
class Cell:
    """One form at one visit of a patient: how far it is, with all its entries. It is open while one of them waits to be filled."""

    form: str
    visit: str
    status: Status
    records: tuple[int, ...] = ()
    queries: int = 0
    is_open: bool = False

    @property
    def words(self) -> str:
        """The status in words, as a screen reader says it."""
        asked = f", {self.queries} open {'query' if self.queries == 1 else 'queries'}" if self.queries else ""
        return f"{self.status.word}{asked}"

    @property
    def sign(self) -> str:
        """The name of its sign in the grid."""
        return slugify(self.status.word)

    @property
    def asks(self) -> bool:
        """Whether somebody is to do something here."""
        return self.status not in DONE or self.queries > 0


@dataclass
class Progress:
    """How far the forms of one patient are."""

    patient: Patient
    visits: Mapping[str, ExpectedVisit]  # that are expected until today, by their codes
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)  # by visit and form
    collected: dict[str, date] = field(default_factory=dict)  # by visit, the first day on which anything was collected
    has_failed: bool = False  # the last screening
    is_to_be_treated: bool = False  # enrolled and still without an infusion, from which the schedule goes on

    @cached_property
    def order(self) -> list[str]:
        """The codes of the visits in the order of their days."""
        return sorted({visit for visit, _ in self.cells if visit != LOG}, key=lambda code: (self.day_of(code), code))

    def day_of(self, visit: str) -> date:
        """The day on which a visit is planned; of one that nobody planned, the day on which it took place."""
        return self.visits[visit].day if visit in self.visits else self.collected.get(visit, LATEST)

    def of_visit(self, visit: str) -> list[Cell]:
        """The cells of a visit."""
        return [cell for (code, _), cell in self.cells.items() if code == visit]

    def worst(self, visits: Iterable[str]) -> Cell | None:
        """Some visits as one cell: the status that asks for most, where that is, and all open queries.

        None where nothing is expected.
        """
        cells = [cell for visit in visits for cell in self.of_visit(visit)]
        if not cells:
            return None
        most = min(cells, key=lambda cell: (URGENCY.index(cell.status), not cell.queries))
        return Cell("", most.visit, most.status, queries=sum(cell.queries for cell in cells))


def most_urgent(statuses: Iterable[Status]) -> Status:
    """The status that asks for most."""
    return min(statuses, key=URGENCY.index)


def progress_of(patients: Sequence[Patient], viewer: Viewer) -> list[Progress]:
    """How far the forms of these patients are, as this person sees it."""
    keys = [patient.pk for patient in patients]
    courses = courses_of(patients)
    records = records_of_entries(keys)
    incomplete = incomplete_entries(keys)
    open_queries = Query.objects.filter(patient__in=keys, state=QueryState.OPEN).order_by()
    asked = dict(open_queries.values_list("entry").annotate(number=Count("pk")))
    drafts = drafts_of(viewer)
    found = {}
    for patient in patients:
        course, today = courses.get(patient.pk), today_of(patient)
        visits = {visit.code: visit for visit in expected_visits(course, today)} if course else {}
        is_to_be_treated = course is not None and course.is_enrolled is True and not course.cycles
        has_failed = course is not None and course.is_enrolled is False
        found[patient.pk] = Progress(patient, visits, has_failed=has_failed, is_to_be_treated=is_to_be_treated)
    groups: dict[tuple[int, str, str], list[tuple[Status, list[int], int]]] = defaultdict(list)
    entries = FormEntry.objects.filter(patient__in=keys).order_by("pk")
    for pk, patient_id, form, visit, is_not_done, has_any, on in entries.values_list(
        "pk", "patient", "form", "visit", "is_not_done", "has_any", "collected_on"
    ):
        progress = found[patient_id]
        rows = records.get(pk, [])
        typed = drafts.get(whose(progress.patient), set())
        if on and (visit not in progress.collected or on < progress.collected[visit]):
            progress.collected[visit] = on
        if is_not_done:
            status = Status.NOT_DONE
        elif (form, visit) in typed or any((form, row) in typed for row in rows):
            status = Status.DRAFT
        elif rows:
            status = Status.INCOMPLETE if pk in incomplete else Status.COMPLETE
        elif has_any is not None:
            status = Status.INCOMPLETE if has_any else Status.COMPLETE
        else:
            window = progress.visits.get(visit)
            status = Status.OVERDUE if window and window.closes < today_of(progress.patient) else Status.EXPECTED
        groups[patient_id, visit, form].append((status, rows, asked.get(pk, 0)))
    for (patient_id, visit, form), each in groups.items():
        found[patient_id].cells[visit, form] = Cell(
            form,
            visit,
            most_urgent(status for status, _, _ in each),
            tuple(row for _, rows, _ in each for row in rows),
            sum(number for _, _, number in each),
            any(status in WAITING and not rows for status, rows, _ in each),
        )
    return list(found.values())


def whose(patient: Patient) -> tuple[str, str]:
    """How an address names a patient: by the study, in which alone the number is unique, and the number."""
    return patient.study.code, patient.number


def drafts_of(viewer: Viewer) -> dict[tuple[str, str], set[tuple[str, str | int]]]:
    """Where this person typed something that they have not saved: by `whose` it is, the forms with their visits or records."""
    found: dict[tuple[str, str], set[tuple[str, str | int]]] = defaultdict(set)
    for page in Draft.objects.filter(user=viewer.pk).values_list("page", flat=True):
        try:
            match = resolve(page.partition("?")[0])
        except Resolver404:
            continue  # a page that is gone
        if match.url_name in ("entry-new", "entry"):
            given = match.kwargs
            found[given["study"], given["patient"]].add(
                (given["form"], given["visit"] if "visit" in given else given["record"])
            )
    return found


def address_of(patient: Patient, cell: Cell, *, may_edit: bool) -> str:
    """Where a cell leads: to the form for who may enter it, else to what was entered."""
    names: dict[str, object] = {"study": patient.study.code, "patient": patient.number, "form": cell.form}
    if len(cell.records) == 1 and not cell.is_open:
        return reverse("entry" if may_edit else "record", kwargs=names | {"record": cell.records[0]})
    if not cell.records and may_edit:
        return reverse("entry-new", kwargs=names | {"visit": cell.visit})
    return reverse("form", kwargs=names)


# One patient


@dataclass(frozen=True, slots=True)
class Box:
    """A cell of the page: what it says, where it leads."""

    cell: Cell
    address: str  # from the page of the grid


@dataclass(frozen=True, slots=True)
class VisitRow:
    """One visit of a patient and its cells, in the order of the columns; None where the form is not expected."""

    code: str
    day: date | None
    opens: date | None
    closes: date | None
    boxes: tuple[Box | None, ...]


@dataclass(frozen=True, slots=True)
class LogRow:
    """One form that belongs to no visit: how far it is, how many records, and where one more is entered."""

    form: Form
    box: Box | None
    rows: int
    add: str  # empty where nothing can be added


@dataclass(frozen=True, slots=True)
class PatientGrid:
    """Visits by forms, and the forms that belong to no visit by the sections of the casebook."""

    columns: tuple[Form, ...]
    visits: tuple[VisitRow, ...]
    sections: tuple[tuple[str, tuple[LogRow, ...]], ...]
    unscheduled: str  # the code of the next visit that nobody planned
    waiting: str  # where the first form is entered that is expected and empty; empty where there is none


def grid_of(progress: Progress, *, may_edit: bool) -> PatientGrid:
    """The grid of one patient."""
    forms = [model.form for model in record_models() if not model.form.part_of]
    at_visits = {form for visit, form in progress.cells if visit != LOG}
    columns = tuple(form for form in forms if form.code in at_visits)

    home = reverse("patient", kwargs={"study": progress.patient.study.code, "patient": progress.patient.number})

    def box(cell: Cell | None) -> Box | None:
        if cell is None:
            return None
        address = address_of(progress.patient, cell, may_edit=may_edit)
        return Box(cell, address.replace(home, "../", 1))  # a patient has hundreds, and the page is to stay light

    visits = []
    for code in progress.order:
        window = progress.visits.get(code)
        visits.append(
            VisitRow(
                code,
                window.day if window else progress.collected.get(code),
                window.opens if window else None,
                window.closes if window else None,
                tuple(box(progress.cells.get((code, form.code))) for form in columns),
            )
        )
    logs: dict[str, list[LogRow]] = {section: [] for section in SECTIONS}
    for form in forms:
        if not form.at_visits and (form.code not in at_visits or (LOG, form.code) in progress.cells):
            cell = progress.cells.get((LOG, form.code))
            names = {"study": progress.patient.study.code, "patient": progress.patient.number, "form": form.code}
            may_add = may_edit and (form.repeats or cell is None or not cell.records or cell.is_open)
            add = reverse("entry-new", kwargs=names | {"visit": LOG}) if may_add else ""
            logs[form.section].append(LogRow(form, box(cell), len(cell.records) if cell else 0, add))
    waiting = next((cell for cell in progress.cells.values() if cell.status in WAITING and not cell.records), None)
    taken = [int(code[3:]) for code in progress.order if code.startswith(UNSCHEDULED) and code[3:].isdigit()]
    return PatientGrid(
        columns,
        tuple(visits),
        tuple((section, tuple(rows)) for section, rows in logs.items() if rows),
        f"{UNSCHEDULED}{max(taken, default=0) + 1}",
        address_of(progress.patient, waiting, may_edit=True) if waiting and may_edit else "",
    )


# Many patients


@dataclass(frozen=True, slots=True)
class PatientRow:
    """One patient and the state of the logs and of each visit, in the order of the columns; None where nothing is expected."""

    patient: Patient
    cells: tuple[Cell | None, ...]


def rows_of(found: Sequence[Progress]) -> tuple[list[str], list[PatientRow]]:
    """Patients by visits: the heads of the columns that any of them has, and a row for each patient.

    The visits that nobody planned share a column: each is of one patient, and a column of its own would be empty but for it.
    """
    columns = {"Log": [LOG]}
    for code in visits_in_order({code for progress in found for code in progress.order}):
        columns.setdefault(UNSCHEDULED if code.startswith(UNSCHEDULED) else code, []).append(code)
    rows = [
        PatientRow(progress.patient, tuple(progress.worst(codes) for codes in columns.values())) for progress in found
    ]
    return list(columns), rows


def visits_in_order(codes: Iterable[str]) -> list[str]:
    """The codes of visits in the order of the schedule."""
    return sorted(codes, key=_place_of)


def _place_of(code: str) -> tuple[int, int, int, str]:
    """The place of a visit among those of all patients: screening, the cycles, what follows, what nobody planned."""
    if code.startswith("SCR") or code == "PRE":
        return (0, 0, 0 if code != "PRE" else 1, code)
    digits = "".join(sign if sign.isdigit() else " " for sign in code).split()
    if code.startswith("C") and digits:
        return (1, int(digits[0]), int(digits[1]) if len(digits) > 1 else 99, code)
    kind = {"SFUP": 2, "EFU": 3, "SFU": 4}.get(code.rstrip("0123456789"), 5)
    return (kind, int(digits[0]) if digits else 0, 0, code)
