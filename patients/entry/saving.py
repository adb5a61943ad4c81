"""Saving a sheet: one act, one transaction, on what the person saw. And what else is done to a form: not done, removed.

The rule: the patient is locked, what was read is compared with what is there, and either all of the sheet is written or
nothing. Checks run in the same transaction, so that a page never shows a save without its questions.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import or_
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import Exists, OuterRef, ProtectedError, Q

from patients.checking import hold, run_checks
from patients.entry.answering import Answered
from patients.entry.once import SentPage
from patients.entry.sheet import Block, Sheet, is_blank
from patients.entry.unsaved import keep_for_new
from patients.grid.course import STEERING_FORMS
from patients.grid.expecting import expect
from patients.impossible import impossible
from trial import partial_dates
from trial.access import Permission, StaffRequest, acting
from trial.audit import Stale, save_together
from trial.changes import questions
from trial.derivations import at_site
from trial.drafts import drop_what_was_sent
from trial.edit_checks import SavedRecord
from trial.fields import FullDateField, MomentField, PartialDateField
from trial.models import FormEntry, Patient, Query
from trial.records import PatientRecord, record_models
from trial.review.queries import Closed, Settled, close_with_form, keep_answer

FIRST_ENTRY = "First entry of the form."
FILLED_IN = "Answers were added that had been blank."
ANSWERED = "Queries were answered."
NOTHING = "The site answered that there is nothing to report."
EACH_HAS_ITS_OWN = "A reason is given for each answer."


@dataclass(frozen=True, slots=True)
class Without:
    """What a site says of a form without a record: why it was not done, or else that there is nothing to report.

    `because` is why something else is said now than before, and `version` that of the entry which the person saw.
    """

    why_not_done: str = ""
    because: str = ""
    version: int = 0


class Overtaken(Exception):
    """Somebody else saved or removed the form since the person opened it. Nothing was written."""


class SentTwice(Exception):
    """The page was sent before, with the same answers. Nothing was written this time; `record` is what was saved then."""

    def __init__(self, record: PatientRecord) -> None:
        super().__init__(str(record))
        self.record = record


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save left: the record, and the queries that it opened or closed."""

    record: PatientRecord
    settled: Settled


def save_sheet(
    request: StaffRequest, patient: Patient, sheet: Sheet, *, visit: str, answers: Mapping[int, Answered] | None = None
) -> Saved:
    """Write a valid sheet as one act, and drop its draft. Raise `Overtaken` where it is not based on what is saved now.

    Raise `SentTwice` where the same page saved a record of a log already, and `ValidationError` for what contradicts another
    record, or what the database refuses and the sheet could not see.
    """
    answers = answers or {}
    reason = sheet.head.cleaned_data["reason"] or _reason_of(sheet, has_answers=bool(answers))
    corrected = sheet.main.corrected()
    reasons = {name: said for name, said in sheet.reasons.items() if name in corrected}
    record = sheet.record
    page = SentPage(request.user, request.path, request.POST)
    is_guarded = sheet.is_new and type(record).form.repeats  # any other form is there once: a second save is overtaken
    try:
        with acting(request, Permission.CASEBOOK_EDIT, patient, reason=reason, field_reasons=reasons):
            hold(patient)  # two saves of one form must not cross
            if is_guarded and (before := page.find(type(record))):
                raise SentTwice(before)
            # not the entry that the page found empty: somebody may have filled it since
            entries = entries_at(patient, type(record), visit) if sheet.is_new else {}
            _compare(sheet, entries)
            for block in sheet.blocks:
                block.complete(record)
            entry = next_entry(patient, type(record), visit, entries) if sheet.is_new else record.entry
            _save_entry(entry, sheet)
            record.entry = entry
            rows = [row.record for block in sheet.blocks for row in block.used() if not row.is_removed]
            if said := impossible(patient, record, rows):
                raise ValidationError(said)
            record.save()
            for block in sheet.blocks:
                _save_rows(block, record)
            _answer(answers)
            saved = SavedRecord(record.form.code, record.pk)
            settled = run_checks(patient, forms_of(record), saved=saved, channel="page", is_locked=True)
            ask_for_what_follows(patient, record)
            if is_guarded:
                page.keep(record)
            drop_what_was_sent(request)  # here: whoever is cut off has the record or the draft, and not both
    except Stale as error:
        raise Overtaken from error
    except ProtectedError as error:
        raise ValidationError(what_protects(error)) from error
    except IntegrityError as error:
        raise ValidationError(
            "The database refused this form, and nothing was saved. Check numbers and dates that may stand twice."
        ) from error
    return Saved(record, settled)


def _reason_of(sheet: Sheet, *, has_answers: bool) -> str:
    """The reason of a save for which none is owed."""
    if sheet.is_new:
        return FIRST_ENTRY
    if sheet.main.corrected():
        return EACH_HAS_ITS_OWN
    return ANSWERED if has_answers and not sheet.main.changed() else FILLED_IN


def ask_for_what_follows(patient: Patient, record: PatientRecord) -> None:
    """Bring the expected forms up to date where this record steers the schedule."""
    if record.form.code in STEERING_FORMS:
        expect(patient, channel="page")


def forms_of(record: PatientRecord) -> list[str]:
    """The codes of the forms that a save of this record touches."""
    code = record.form.code
    return [code, *(model.form.code for model in record_models() if model.form.part_of == code)]


def _compare(sheet: Sheet, entries: Mapping[FormEntry, bool]) -> None:
    """Raise `Overtaken` unless the page showed what was read for this save.

    What is written between that reading and the lock is refused by the database, row by row, as `Stale`; what is removed
    meanwhile is missed where it is written (`_save_rows`).
    """
    seen = sheet.head.cleaned_data
    if sheet.is_new:
        if not type(sheet.record).form.repeats and entries and all(entries.values()):
            raise Overtaken
    else:
        version = sheet.entry.version if sheet.entry else 0
        if (sheet.record.version, version) != (seen["version"], seen["entry_version"]):
            raise Overtaken
    for block in sheet.blocks:
        saved = [row for row in block.rows if not row.is_new]
        if block.gone or any(row.record.version != row.cleaned_data["version"] for row in saved):
            raise Overtaken
        if block.key and any(row.record.pk != row.cleaned_data["pk"] for row in block.used()):
            raise Overtaken  # of that code the page showed another row, or one that is gone


def _save_rows(block: Block, record: PatientRecord) -> None:
    """Write the rows of a block: those taken out first, so that another can say the same in their place."""
    used = list(block.used())
    removed = [row.record for row in used if row.is_removed]
    if removed:
        as_seen = reduce(or_, (Q(pk=each.pk, version=each.version) for each in removed))
        number, _ = block.child._default_manager.filter(as_seen).delete()
        if number != len(removed):
            raise Overtaken
    kept = [row.record for row in used if not row.is_removed]
    for each in kept:
        each.entry = record.entry
        setattr(each, block.parent, record)
    save_together(kept)


def _save_entry(entry: FormEntry, sheet: Sheet) -> None:
    """Bring the entry in line with its record: the comment, the day, the version of the form, and that there is something."""
    entry.is_not_done, entry.not_done_reason = False, None
    entry.has_any = True if entry.has_any is False else entry.has_any
    if sheet.is_new:
        entry.form_version = type(sheet.record).present_version()
    entry.comment = sheet.head.cleaned_data["comment"]
    if sheet.is_new or {field.name for field in _dated(sheet.record)} & set(sheet.record.changed_fields()):
        entry.collected_on = _day_of(sheet.record)
    entry.save()


def _day_of(record: PatientRecord) -> date | None:
    """The first day that the record names in full, by the clock of the site: when its data were collected."""
    for field in _dated(record):
        value = getattr(record, field.attname)
        if is_blank(value):
            continue
        if isinstance(field, FullDateField):
            return value if isinstance(value, date) else None
        if isinstance(field, MomentField):
            return at_site(value, getattr(record, f"{field.name}_offset")).date()
        with suppress(partial_dates.NotADate):
            read = partial_dates.parse(value)
            return read.earliest if read.is_complete else None
    return None


def _dated(record: PatientRecord) -> list[Any]:
    """The questions of a record that ask for a date or a moment."""
    return [
        field for field in questions(type(record)) if isinstance(field, FullDateField | MomentField | PartialDateField)
    ]


def _answer(answers: Mapping[int, Answered]) -> None:
    """Write answers to queries. One that was closed meanwhile needs none."""
    for number, answered in sorted(answers.items()):
        with suppress(Closed):
            keep_answer(number, answered.text, version=answered.version)


def entries_at(patient: Patient, model: type[PatientRecord], visit: str) -> dict[FormEntry, bool]:
    """The entries of a form at a visit in their order, each with whether a record hangs on it."""
    there = Exists(model._default_manager.filter(entry=OuterRef("pk")))
    entries = FormEntry.objects.filter(patient=patient, form=model.form.code, visit=visit)
    return {entry: entry.is_taken for entry in entries.annotate(is_taken=there).order_by("repeat")}


def next_entry(
    patient: Patient, model: type[PatientRecord], visit: str, entries: Mapping[FormEntry, bool]
) -> FormEntry:
    """The entry for a new record of a form: the one that is expected and still empty, else the next one, which is not saved.

    Call it with the patient locked.
    """
    empty = next((entry for entry, is_taken in entries.items() if not is_taken), None)
    last = max((entry.repeat for entry in entries), default=0)
    return empty or FormEntry(patient=patient, form=model.form.code, visit=visit, repeat=last + 1)


def say_without_record(
    request: StaffRequest, patient: Patient, model: type[PatientRecord], visit: str, said: Without
) -> FormEntry:
    """Keep that a form was not done, and why, or that a log has nothing to report.

    Raise `Overtaken` where a record stands, or where somebody said something else since the person saw the entry.
    """
    with acting(request, Permission.CASEBOOK_EDIT, patient, reason=said.because or said.why_not_done or NOTHING):
        hold(patient)  # a record must not be entered meanwhile
        entries = entries_at(patient, model, visit)
        if any(entries.values()):
            raise Overtaken
        entry = next_entry(patient, model, visit, entries)
        was_said = entry.says_there_is_none
        entry.is_not_done = bool(said.why_not_done)
        entry.not_done_reason = said.why_not_done or None
        entry.has_any = None if said.why_not_done else False
        if was_said and entry.changed_fields() and entry.version != said.version:
            raise Overtaken
        entry.save()
        run_checks(patient, [model.form.code], channel="page", is_locked=True)
    return entry


def remove_record(request: StaffRequest, patient: Patient, record: PatientRecord, *, version: int, reason: str) -> None:
    """Take a record away with the rows of its blocks; the trail keeps them. Raise `ValidationError` where something points to it.

    A log is expected again when its last record is removed, and not before. Raise `Overtaken` where it was changed since the person saw it.
    """
    from patients.casebook import children_of

    try:
        with acting(request, Permission.CASEBOOK_EDIT, patient, reason=reason):
            hold(patient)  # nothing must come to point to it meanwhile
            now = type(record)._default_manager.filter(pk=record.pk).first()
            if now is None or now.version != version:
                raise Overtaken
            keep_for_new(now)
            for child, parent in children_of(type(record)):
                for row in child._default_manager.filter(**{parent: now.pk}):
                    row.delete()
            asked = Query.objects.filter(patient=patient, form=record.form.code, record=record.pk)
            close_with_form(asked.select_for_update())  # locked: somebody may be answering one
            now.delete()
            let_go(now.entry, type(record))
            run_checks(patient, forms_of(record), channel="page", is_locked=True)
            ask_for_what_follows(patient, record)
    except Stale as error:
        raise Overtaken from error
    except ProtectedError as error:
        raise ValidationError(what_protects(error)) from error


def let_go(entry: FormEntry, model: type[PatientRecord]) -> None:
    """Empty the entry of a record that was taken from it. Where others of its log stand, take it away: nothing more is expected."""
    entries = entries_at(entry.patient, model, entry.visit)
    stands = next((other for other, is_taken in entries.items() if is_taken and other != entry), None)
    if stands is None:
        entry.form_version = entry.comment = entry.collected_on = None  # they were of the record
        entry.save()
        return
    if entries[entry]:
        return
    for query in Query.objects.filter(entry=entry):
        query.entry = stands
        query.save()
    entry.delete()


def what_protects(error: ProtectedError, done: str = "removed") -> str:
    """Why a record cannot be taken from where it is: the forms that point to it."""
    from trial.wording import word_record

    found: list[Any] = sorted(error.protected_objects, key=lambda each: each.pk)
    named = "; ".join(
        f"{each.form.title}: {word_record(each)}" for each in found[:5] if isinstance(each, PatientRecord)
    )
    return f"This cannot be {done}, because other forms point to it: {named}. Remove or correct those first."
