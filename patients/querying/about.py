"""What a query is about, in words, and what can be asked about a place of the casebook."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.http import Http404
from django.urls import reverse

from patients.checking import tests_of
from patients.entry.views import LOG, VISITS
from trial.access import Permission, StaffRequest, granting_in
from trial.changes import questions
from trial.models import FormEntry, Patient, Query
from trial.records import PatientRecord, record_model
from trial.wording import label_of_field, word_record


@dataclass(frozen=True, slots=True)
class Place:
    """Where a question is put: the patient, a visit, a form, or a record of it."""

    patient: Patient
    visit: str = ""
    model: type[PatientRecord] | None = None
    entry: FormEntry | None = None
    record: Any = None

    @property
    def words(self) -> str:
        """The place as a title has it."""
        if self.record is not None:
            return f"{self.record.form.title}: {word_record(self.record)}"
        parts = [self.model.form.title if self.model else "", f"visit {self.visit}" if self.visit else ""]
        return ", ".join(part for part in parts if part) or f"the patient {self.patient}"

    @property
    def address(self) -> str:
        """The page of the place."""
        names: dict[str, Any] = {"study": self.patient.study.code, "patient": self.patient.number}
        if self.record is not None:
            return reverse("record", kwargs=names | {"form": self.record.form.code, "record": self.record.pk})
        if self.model is not None:
            return reverse("form", kwargs=names | {"form": self.model.form.code})
        return reverse("patient-grid" if self.visit else "patient", kwargs=names)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """What can be asked about in its record: the name and the words of each answer, and of each test of a laboratory form."""
        if self.record is None:
            return []
        model: type[PatientRecord] = type(self.record)
        labels = [(field.name, label_of_field(field)) for field in questions(model)]
        return labels + [(code, word_test(model, code)) for code in tests_of(model)]

    def query(self, field: str, question: str, asked_of: str) -> Query:
        """A new query about the place, or about one field of it."""
        return Query(
            patient=self.patient,
            entry=self.entry,
            form=self.model.form.code if self.model else "",
            record=self.record.pk if self.record else None,
            field=field,
            visit="" if self.entry else self.visit,
            question=question,
            asked_of=asked_of,
        )


def place_asked(patient: Patient, asked: Any) -> Place:
    """The place that an address names. Raise 404 where the patient has no such place."""
    code, visit, number = (str(asked.get(name, "")) for name in ("form", "visit", "record"))
    if not code:
        if visit and not _is_visit(patient, visit):
            raise Http404(f"Patient {patient} has no visit '{visit[:20]}'.")
        return Place(patient, visit)
    try:
        model = record_model(code)
    except LookupError as error:
        raise Http404(str(error)) from error
    if number:
        found: Any = model._default_manager.filter(patient=patient).select_related("entry")
        is_number = number.isdecimal() and number.isascii() and len(number) <= 18
        record = found.filter(pk=int(number)).first() if is_number else None
        if record is None:
            raise Http404(f"Patient {patient} has no record {number[:20]} of the form {code}.")
        return Place(patient, record.entry.visit, model, record.entry, record)
    entries = list(FormEntry.objects.filter(patient=patient, form=model.form.page).order_by("repeat")[:2])
    if visit:
        entries = list(FormEntry.objects.filter(patient=patient, form=model.form.page, visit=visit).order_by("repeat"))
        if not entries and not _is_visit(patient, visit):
            raise Http404(f"Patient {patient} has no visit '{visit[:20]}'.")
        return Place(patient, visit, model, next(iter(entries), None))
    return Place(patient, "", model, entries[0] if len(entries) == 1 else None)


def _is_visit(patient: Patient, visit: str) -> bool:
    planned = bool(VISITS.fullmatch(visit))
    return planned or (visit != LOG and FormEntry.objects.filter(patient=patient, visit=visit).exists())


def word_field(query: Query) -> str:
    """The field of a query in words; a test of a laboratory form by its name."""
    if not query.field:
        return ""
    model = record_model(query.form)
    try:
        return label_of_field(model._meta.get_field(query.field))  # type: ignore[arg-type]  # a column
    except FieldDoesNotExist:
        return word_test(model, query.field) if query.field in tests_of(model) else query.field


def word_test(model: type[PatientRecord], code: str) -> str:
    """The words of a code that a block shows as a column."""
    block, name = tests_of(model)[code]
    column: Any = record_model(block)._meta.get_field(name)
    return str(dict(column.flatchoices)[code])


def title_of(query: Query) -> str:
    """The form that a query is about, or what else it is about."""
    if query.form:
        return record_model(query.form).form.title
    return f"Visit {query.visit}" if query.visit else "The patient"


def word_place(query: Query) -> str:
    """All that a query is about: the form, its visit and its field."""
    visit = query.entry.visit if query.entry else query.visit
    at = f"visit {visit}" if query.form and visit not in ("", LOG) else ""
    return ", ".join(part for part in (title_of(query), at, word_field(query)) if part)


def roles_at(request: StaffRequest, patient: Patient) -> list[str]:
    """The roles in which this person sees the patient."""
    return [str(membership.role) for membership in granting_in(request, Permission.PATIENTS_VIEW, patient)]
