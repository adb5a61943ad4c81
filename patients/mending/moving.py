"""A form that was entered for the wrong visit or the wrong patient is moved to where it belongs.

The rule: one act, or nothing. Within a patient the record stays what it is and hangs on another entry. A record never changes
its patient (decision 0014): for another one it is written there anew with the rows of its blocks, and deleted here. The reason of the
act says from where and to where, so that either trail leads to the other.
"""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import ProtectedError

from patients.casebook import children_of
from patients.checking import run_checks
from patients.entry.laboratory import grade_results
from patients.entry.saving import ask_for_what_follows, entries_at, forms_of, let_go, next_entry, what_protects
from patients.entry.sheet import is_blank
from patients.entry.unsaved import Drafts
from patients.entry.whereabouts import Whereabouts
from patients.impossible import impossible
from patients.mending.versions import Overtaken
from patients.models.laboratory import LaboratoryResult
from trial.access import Permission, StaffRequest, acting
from trial.audit import Stale
from trial.models import FormEntry, Patient, Query
from trial.records import PatientRecord, record_models
from trial.review.models import AT_REST
from trial.review.queries import close_with_form
from trial.wording import word_record

EVENT = "event_number"  # the answer that names an adverse event by its number


@dataclass(frozen=True, slots=True)
class Place:
    """Where a form stands: a patient and a visit."""

    patient: Patient
    visit: str

    def __str__(self) -> str:
        return str(self.patient) if self.visit == "LOG" else f"{self.patient}, visit {self.visit}"


@dataclass(frozen=True, slots=True)
class Consequences:
    """What a move takes along: the rows of the blocks, and the queries that wait or were answered."""

    rows: int
    queries: int


def consequences(record: PatientRecord) -> Consequences:
    """What would go along with a record."""
    rows = sum(
        child._default_manager.filter(**{parent: record.pk}).count() for child, parent in children_of(type(record))
    )
    return Consequences(rows, _queries(record).exclude(state__in=AT_REST).count())


def move_record(
    request: StaffRequest,
    record: PatientRecord,
    to: Place,
    *,
    versions: tuple[int, int],
    reason: str,
) -> PatientRecord:
    """Move a record to another place, and give it as it is there. `versions` are those of the record and its entry that the person saw.

    What anybody typed into it and did not save goes along.
    Raise `Overtaken` where it was changed since, `ValidationError` where it cannot stand there or something holds it here.
    """
    model, patient = type(record), record.patient
    reason = f"Moved from {Place(patient, record.entry.visit)} to {to}: {reason}"
    try:
        with acting(request, Permission.CASEBOOK_EDIT, patient, reason=reason):
            both = sorted({patient.pk, to.patient.pk})
            # locked, in the order of their keys: of two moves that cross, one waits
            list(Patient.objects.select_for_update().filter(pk__in=both).order_by("pk"))
            now = model._default_manager.filter(pk=record.pk).select_related("entry", "patient__study").first()
            if now is None or (now.version, now.entry.version) != versions:
                raise Overtaken
            entry, left = _entry_at(model, to), now.entry
            if to.patient.pk == patient.pk:
                moved = _hang_on(now, entry)
            else:
                moved = _write_anew(now, entry, to)
            let_go(left, model)
            for each in (patient, to.patient) if len(both) > 1 else (patient,):
                run_checks(each, forms_of(record), channel="page", is_locked=True)
                ask_for_what_follows(each, record)
    except Stale as error:
        raise Overtaken from error
    except ProtectedError as error:
        raise ValidationError(what_protects(error, "moved")) from error
    except IntegrityError as error:
        raise ValidationError(
            f"The form cannot stand at {to}: a number or a date of it is there already. Correct that first."
        ) from error
    return moved


def _entry_at(model: type[PatientRecord], to: Place) -> FormEntry:
    """The entry there on which the record is to hang. Raise `ValidationError` where that form says something already."""
    entries = entries_at(to.patient, model, to.visit)
    if not model.form.repeats and any(entries.values()):
        raise ValidationError(f"The form {model.form.title} is entered at {to} already. Move or remove that one first.")
    entry = next_entry(to.patient, model, to.visit, entries)
    if entry.is_not_done or entry.has_any is False:
        said = "was not done" if entry.is_not_done else "has nothing to report"
        raise ValidationError(
            f"At {to} it was said that the form {model.form.title} {said}. Open that form and take it back first."
        )
    return entry


def _fill(entry: FormEntry, of: FormEntry) -> None:
    """Give an entry what the other one said."""
    entry.comment, entry.collected_on, entry.form_version = of.comment, of.collected_on, of.form_version
    entry.save()


def _hang_on(record: PatientRecord, entry: FormEntry) -> PatientRecord:
    """Let a record, the rows of its blocks and its queries hang on another entry of the patient."""
    queries = list(_queries(record))
    _fill(entry, record.entry)
    record.entry = entry
    record.save()
    for child, parent in children_of(type(record)):
        for row in child._default_manager.filter(**{parent: record.pk}):
            row.entry = entry
            row.save()
    for query in queries:
        query.entry = entry
        query.save()
    return record


def _write_anew(record: PatientRecord, entry: FormEntry, to: Place) -> PatientRecord:
    """Write a record and the rows of its blocks for another patient, and delete them here."""
    _refuse_what_points(record)
    rows: list[tuple[PatientRecord, str]] = []
    for child, parent in children_of(type(record)):
        rows += [(row, parent) for row in child._default_manager.filter(**{parent: record.pk}).order_by("pk")]
    drafts = Drafts(record, rows)
    _fill(entry, record.entry)
    moved = _copy(record, patient=to.patient, entry=entry)
    copies = [(_copy(row, patient=to.patient, entry=entry), parent) for row, parent in rows]
    if said := impossible(to.patient, moved, [row for row, _ in copies]):
        raise ValidationError(said)
    _validate(moved, to)
    close_with_form(_queries(record))
    for row, _ in rows:
        row.delete()
    record.delete()
    moved.save()
    results: list[Any] = [
        row for row, _ in copies if isinstance(row, LaboratoryResult) and not is_blank(row.value_text)
    ]
    at = Whereabouts(moved.patient)  # the normal range is that of the other patient
    grade_results(moved, results, among=results, whereabouts=at)
    for row, parent in copies:
        setattr(row, parent, moved)
        row.save()
    drafts.go_along(moved, [row for row, _ in copies])
    return moved


def _copy(record: PatientRecord, **place: Any) -> PatientRecord:
    """A new record with the answers of another one. References to what it is part of are set by who calls."""
    answers = {answer.attname: getattr(record, answer.attname) for answer in record.answers()}
    return type(record)(missing=record.missing, **answers, **place)


def _validate(record: PatientRecord, to: Place) -> None:
    """Raise `ValidationError` where the record cannot be one of that patient."""
    try:
        record.validate_constraints(exclude={"entry"})
    except ValidationError as error:
        raise ValidationError(f"The form cannot stand at {to}: {' '.join(error.messages)}") from error


def _refuse_what_points(record: PatientRecord) -> None:
    """Raise `ValidationError` for a record that names another one of its patient, or whose number another one names."""
    for field in record._meta.concrete_fields:
        if field.is_relation and field.name not in ("patient", "entry") and (named := getattr(record, field.name)):
            raise ValidationError(
                f"This form points to {word_record(named)} of {record.patient}. Take that answer out, and move it then."
            )
    if number := getattr(record, EVENT, None):
        raise ValidationError(
            f"This form names adverse event {number} of {record.patient}. Take that answer out, and move it then."
        )
    if record.form.code != "AE":
        return
    for model in record_models():
        if any(answer.name == EVENT for answer in model.answers()):
            number = getattr(record, "number", None)
            found = model._default_manager.filter(patient=record.patient_id, **{EVENT: number}).first()
            if found is not None:
                raise ValidationError(
                    f"{found.form.title}: {word_record(found)} names this event. Correct that form first."
                )


def _queries(record: PatientRecord) -> Any:
    return Query.objects.filter(patient=record.patient_id, entry=record.entry_id)
