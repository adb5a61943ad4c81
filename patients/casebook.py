"""The forms of one patient: what is expected, what is there, what is missing, and what each record says in words."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

from django.db import models
from django.db.models import Max, Value

from trial.audit import Recording
from trial.changes import questions
from trial.fields import Answer, CodedField, FullDateField, MomentField, PartialDateField
from trial.models import FormEntry, Patient
from trial.records import SECTIONS, Form, PatientRecord, record_models
from trial.wording import label_of_field, unit_of, word_answer, word_missing, word_record

DATES = (FullDateField, MomentField, PartialDateField)


class Status(Enum):
    """How far a form is: an icon, a word, a colour. Derived each time, never stored (DESIGN 4)."""

    OVERDUE = ("alert-triangle", "Overdue", "danger")
    EXPECTED = ("circle", "Expected", "muted")
    DRAFT = ("pencil", "Draft", "warning")
    INCOMPLETE = ("circle-half", "Incomplete", "warning")
    COMPLETE = ("circle-filled", "Complete", "success")
    NOT_DONE = ("x", "Not done", "muted")

    def __init__(self, icon: str, word: str, colour: str) -> None:
        self.icon = icon
        self.word = word
        self.colour = colour


@dataclass(frozen=True, slots=True)
class FilledEntry:
    """One form entry with its records, the rows of its repeating block included."""

    entry: FormEntry
    records: tuple[PatientRecord, ...]

    @property
    def status(self) -> Status:
        """What is to be done with the entry."""
        if self.entry.is_not_done:
            return Status.NOT_DONE
        if any(unanswered(record) for record in self.records):
            return Status.INCOMPLETE
        if self.records or self.entry.has_any is False:
            return Status.COMPLETE
        return Status.INCOMPLETE if self.entry.has_any else Status.EXPECTED


@dataclass(frozen=True, slots=True)
class FormOfPatient:
    """One form of the study and the patient's entries of it."""

    form: Form
    entries: tuple[FilledEntry, ...]
    last_change: Recording | None

    @property
    def status(self) -> Status | None:
        """The status that asks for most; None where the form is not expected of this patient yet."""
        found = {filled.status for filled in self.entries}
        order = (Status.INCOMPLETE, Status.EXPECTED, Status.COMPLETE, Status.NOT_DONE)
        return next((status for status in order if status in found), None)

    @property
    def summary(self) -> str:
        """What is there, in a few words."""
        if not self.entries:
            return ""
        if self.form.at_visits:
            return _counted(len(self.entries), "visit", "visits")
        if all(filled.entry.has_any is False for filled in self.entries):
            return "Nothing to report"
        if not self.form.repeats:
            return ""
        rows = sum(record.form.code == self.form.code for filled in self.entries for record in filled.records)
        return _counted(rows, "row", "rows")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the casebook: its forms in order."""

    title: str
    forms: tuple[FormOfPatient, ...]


@dataclass(frozen=True, slots=True)
class Casebook:
    """All forms of one patient, and every record by the code of its form."""

    sections: tuple[Section, ...]
    records: dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Shown:
    """One answer as a page shows it. `why_blank` is in words; `link` is the record that the answer points to.

    What is not `on_form` is neither asked by the version of the form under which the record was entered, nor answered.
    """

    name: str
    label: str
    unit: str
    text: str
    why_blank: str = ""
    link: PatientRecord | None = None
    is_number: bool = False
    on_form: bool = True
    derived: str = ""  # what follows from the answer


def unanswered(record: PatientRecord) -> list[str]:
    """The names of required answers that are blank without a reason.

    What the other answers rule out is not required, nor what the version of the form did not ask.
    """
    missing = record.missing if isinstance(record.missing, dict) else {}
    return [
        field.name
        for field in record.answers()
        if field.required
        and getattr(record, field.attname) in (None, "")
        and field.name not in missing
        and record.asks(field)
        and field.is_asked(record)
    ]


def casebook_of(patient: Patient) -> Casebook:
    """The casebook of a patient, in one query per form whatever the number of records."""
    records: dict[str, list[Any]] = {}
    by_entry: dict[int, list[PatientRecord]] = defaultdict(list)
    for model in record_models():
        rows: list[Any] = list(model.objects.filter(patient=patient).order_by("pk"))
        records[model.form.code] = rows
        for row in rows:
            by_entry[row.entry_id].append(row)
    entries: dict[str, list[FilledEntry]] = defaultdict(list)
    for entry in FormEntry.objects.filter(patient=patient).order_by("collected_on", "pk"):
        for row in by_entry[entry.pk]:
            row.entry = entry  # so that it knows the version of its form without another query
        entries[entry.form].append(FilledEntry(entry, tuple(by_entry[entry.pk])))
    changes = last_changes(patient)
    forms: dict[str, list[FormOfPatient]] = defaultdict(list)
    for model in record_models():
        form = model.form
        if not form.part_of:
            of_patient = FormOfPatient(form, tuple(entries[form.code]), changes.get(form.code))
            forms[form.section].append(of_patient)
    sections = tuple(Section(title, tuple(forms[title])) for title in SECTIONS if forms[title])
    return Casebook(sections, records)


def last_changes(patient: Patient) -> dict[str, Recording]:
    """The latest act on each form of a patient, by the code of the form."""
    parts = [
        model.history.model._default_manager.filter(patient=patient.pk)
        .order_by()
        .annotate(page=Value(model.form.page, output_field=models.CharField()))
        .values("page")
        .annotate(act=Max("recording_id"))
        .values_list("page", "act")
        for model in record_models()
    ]
    latest: dict[str, int] = {}
    for page, act in parts[0].union(*parts[1:], all=True):
        if act is not None:  # nothing was ever recorded on that form
            latest[page] = max(act, latest.get(page, 0))
    acts = Recording.objects.in_bulk(list(set(latest.values())))
    return {page: acts[act] for page, act in latest.items()}


def children_of(model: type[PatientRecord]) -> list[tuple[type[PatientRecord], str]]:
    """The models of the repeating blocks of a form, each with the name of its reference to the form's record."""
    return [
        (child, field.name)
        for child in record_models()
        if child.form.part_of == model.form.code
        for field in child._meta.concrete_fields
        if field.is_relation and field.related_model is model
    ]


def show_record(record: PatientRecord) -> list[Shown]:
    """Every question of a record with its answer in words, in the order of the form."""
    return [show_answer(record, field) for field in questions(type(record))]


def show_answer(record: PatientRecord, field: "models.Field[Any, Any]") -> Shown:
    """One question of a record with its answer."""
    label, unit = label_of_field(field), unit_of(field)
    if field.is_relation:
        linked = getattr(record, field.name)
        return Shown(field.name, label, "", word_record(linked) if linked else "", link=linked)
    text = word_answer(field, getattr(record, field.attname), beside=record)
    why_blank = "" if text else word_missing(record.missing, field.name)
    on_form = bool(text or why_blank or record.asks(field))
    return Shown(field.name, label, unit, text, why_blank, is_number=is_number(field), on_form=on_form)


def is_number(field: "models.Field[Any, Any]") -> bool:
    """Whether the column is set to the right."""
    number = isinstance(field, models.DecimalField | models.IntegerField | models.FloatField)
    return number and isinstance(field, Answer)


def records_of(patient: Patient, model: type[PatientRecord]) -> list[Any]:
    """The records of one form with the records they point to, in the order of their first date."""
    linked = [field.name for field in questions(model) if field.is_relation]
    dates = [field.attname for field in questions(model) if isinstance(field, DATES)]
    records = list(model.objects.filter(patient=patient).select_related("entry", *linked).order_by("pk"))
    if not dates:
        return records
    return sorted(
        records, key=lambda record: _as_text(getattr(record, dates[0]))
    )  # the sort keeps equals in their order


def wide_column(child: type[PatientRecord], parent: str) -> CodedField | None:
    """The code that makes the rows of a block unique within a record, so that they can be shown as columns of it."""
    for constraint in child._meta.constraints:
        if (
            isinstance(constraint, models.UniqueConstraint)
            and len(constraint.fields) == 2
            and parent in constraint.fields
        ):
            (other,) = set(constraint.fields) - {parent}
            field = child._meta.get_field(other)
            if isinstance(field, CodedField):
                return field
    return None


def columns_with_answers(rows: Sequence[Sequence[Shown]]) -> list[int]:
    """The numbers of the columns in which some row says something; an empty column of a wide table only costs room."""
    width = len(rows[0]) if rows else 0
    return [n for n in range(width) if any(row[n].text or row[n].why_blank for row in rows)]


def _as_text(when: date | str | None) -> str:
    """A date, a moment or a partial date so that earlier is less; unknown comes first."""
    return when.isoformat() if isinstance(when, date) else when or ""


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def kept_columns(rows: Iterable[Sequence[Shown]], columns: Sequence[int]) -> list[list[Shown]]:
    """The rows with these columns alone."""
    return [[row[n] for n in columns] for row in rows]
