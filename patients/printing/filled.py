"""A patient's casebook as it stands: every form with its answers, who entered them, and its queries, in reading order.

The rule: everything is read in one snapshot, in a number of queries that does not depend on how much was entered.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import FieldDoesNotExist

from patients.casebook import (
    Shown,
    children_of,
    columns_with_answers,
    show_answer,
    show_record,
    unanswered,
    wide_column,
)
from patients.checking import casebook_for
from patients.derived_values import derived_in
from patients.grid.cells import Cell, Progress, progress_of
from patients.grid.expecting import LOG
from patients.printing.document import (
    Answered,
    AskedQuery,
    DerivedAnswer,
    Document,
    FilledForm,
    FilledRecord,
    Part,
    Table,
)
from patients.querying.about import word_place
from patients.views import facts_of, patients_with_facts
from trial.audit import Recording
from trial.changes import questions
from trial.derived_answers import derivations_of
from trial.fields import Answer
from trial.models import FormEntry, Patient, Query
from trial.records import SECTIONS, PatientRecord, record_model, record_models
from trial.review.models import AT_REST, QueryState
from trial.wording import label_of_field, word_date, word_instant, word_record

CHANGED = "†"
NOTHING = "–"
LEGEND = (
    f"{NOTHING} marks a question that may stay blank and has no answer. “No answer yet” marks one that is still owed. "
    "What the other answers rule out is left out. What is derived stands in italics, with its rule.",
    f"{CHANGED} marks an answer that was changed after it was first given. The system's history shows each version.",
    "⟦U+1F600⟧ stands for a sign that the print cannot show, by its Unicode number.",
)

Key = tuple[str, int]  # the code of a form, and the number of one of its records


@dataclass
class Acts:
    """Who did what to one record and the rows of its blocks, in the order in which it was done."""

    entered: int | None = None
    latest: int | None = None
    changed: set[str] = field(default_factory=set)  # columns

    def add(self, act: int, kind: str, columns: Iterable[str], *, is_of_block: bool) -> None:
        """Take one version of the record, or of a row of its block, into account."""
        if not is_of_block and self.entered is None:
            self.entered = act
        self.latest = max(act, self.latest or act)
        if kind == "~" and not is_of_block:
            self.changed |= set(columns)


def filled_casebook(patient: Patient, at: datetime) -> Document:
    """The casebook of a patient; `at` is the instant that the surrounding snapshot holds."""
    return _Casebook(patient).document(at)


class _Casebook:
    """What was read of one patient, once."""

    def __init__(self, patient: Patient) -> None:
        self.patient = patient
        self.zone = ZoneInfo(patient.site.time_zone)
        self.progress: Progress = progress_of([patient], AnonymousUser())[0]
        self.entries: dict[tuple[str, str], list[FormEntry]] = defaultdict(list)
        self.entry_of_key: dict[int, FormEntry] = {}
        for entry in FormEntry.objects.filter(patient=patient).order_by("repeat", "pk"):
            self.entries[entry.visit, entry.form].append(entry)
            self.entry_of_key[entry.pk] = entry
        self.records: dict[int, list[Any]] = defaultdict(list)  # by entry, without the rows of blocks
        self.rows: dict[tuple[str, int], list[Any]] = defaultdict(list)  # of blocks, by their form and their record
        self.acts: dict[Key, Acts] = defaultdict(Acts)
        for model in record_models():
            self._read(model)
        derivations = [each for model in record_models() for each in derivations_of(model.form.code)]
        self.book = casebook_for(patient, derivations)  # a form of it is read when a rule first looks at it
        self.queries: dict[int | None, list[Query]] = defaultdict(list)
        for query in Query.objects.filter(patient=patient).order_by("pk"):
            self.queries[query.entry_id].append(query)
        self.steps = _steps_of_queries(patient)
        wanted = {act for acts in self.acts.values() for act in (acts.entered, acts.latest) if act}
        wanted |= {act for steps in self.steps.values() for _, act in steps}
        self.recordings = Recording.objects.in_bulk(list(wanted))

    def _read(self, model: type[PatientRecord]) -> None:
        linked = [question.name for question in questions(model) if question.is_relation]
        parent = _parent_of(model)
        records = model._default_manager.filter(patient=self.patient).order_by("pk")
        for record in records.select_related(*linked) if linked else records:  # without names it would follow them all
            record.entry = self.entry_of_key[record.entry_id]
            if parent:
                self.rows[model.form.code, getattr(record, parent)].append(record)
            else:
                self.records[record.entry_id].append(record)
        history: Any = model.history.model._default_manager
        versions = history.filter(patient=self.patient.pk).order_by("history_id")
        for key, act, kind, changed in versions.values_list(parent or "id", "recording", "history_type", "changed"):
            self.acts[model.form.page, key].add(act, kind, changed, is_of_block=bool(parent))
        if parent:
            for key, columns in versions.filter(history_type="~").values_list("id", "changed"):
                self.acts[model.form.code, key].changed |= set(columns)

    def document(self, at: datetime) -> Document:
        """All of it as it is printed."""
        patient = self.patient
        facts = facts_of(patients_with_facts(Patient.objects.filter(pk=patient.pk)).get())
        return Document(
            title=f"Casebook of {patient.number}",
            study=patient.study.code,
            study_title=patient.study.title,
            site=str(patient.site),
            patient=patient.number,
            is_synthetic=patient.study.is_synthetic,
            printed=self.word(at),
            facts=tuple(facts),
            legend=LEGEND,
            parts=tuple(self.parts()),
        )

    def parts(self) -> Iterator[Part]:
        """The sections of the casebook, with the visits where their section stands; before them what is asked about no entry."""
        if asked := tuple(map(self.asked, self.queries[None])):
            yield Part("Queries about the patient and visits", "", filled=(FilledForm("", "", "", (), (), asked),))
        for section in SECTIONS:
            if section == "Visits":
                yield from map(self.visit, self.progress.order)
            forms = [model for model in record_models() if model.form.section == section]
            found = tuple(self.forms_at(LOG, forms))
            if found:
                yield Part(section, "", filled=found)

    def visit(self, code: str) -> Part:
        """A visit with its forms, and the day on which it was planned or took place."""
        planned, took_place = self.progress.visits.get(code), self.progress.collected.get(code)
        notes = [f"Planned for {word_date(planned.day)}"] if planned else ["Not planned"]
        notes += [f"first data collected on {word_date(took_place)}"] if took_place else []
        return Part(f"Visit {code}", f"{', '.join(notes)}.", filled=tuple(self.forms_at(code, record_models())))

    def forms_at(self, visit: str, models: Iterable[type[PatientRecord]]) -> Iterator[FilledForm]:
        """The forms of a visit in the order of the casebook."""
        for model in models:
            entries = self.entries.get((visit, model.form.code), [])
            if entries:
                yield self.form(model, entries, self.progress.cells[visit, model.form.code])

    def form(self, model: type[PatientRecord], entries: Sequence[FormEntry], cell: Cell) -> FilledForm:
        """One form at one visit: all its entries."""
        records = [record for entry in entries for record in self.records[entry.pk]]
        keys = {record.pk for record in records}
        asked = [query for entry in entries for query in self.queries[entry.pk] if query.record not in keys]
        is_named = len(records) > 1 or model.form.repeats
        return FilledForm(
            code=model.form.code,
            title=model.form.title,
            status=cell.words,
            notes=tuple(note for entry in entries for note in _notes(entry, self.records[entry.pk])),
            records=tuple(self.record(record, is_named=is_named) for record in records),
            queries=tuple(map(self.asked, asked)),
        )

    def record(self, record: PatientRecord, *, is_named: bool) -> FilledRecord:
        """One record with its blocks, and who entered and last changed it."""
        acts = self.acts[record.form.code, record.pk]
        owed = set(unanswered(record))
        answers = [
            Answered(
                shown.label,
                _in_words(shown) or NOTHING,
                is_changed=question.column in acts.changed,
                is_owed=shown.name in owed,
            )
            for question in questions(type(record))
            if _is_printed(shown := show_answer(record, question), question, record)
        ]
        (derived,) = derived_in(self.book, type(record), [record])
        tables = [self.table(child, record) for child, _ in children_of(type(record))]
        return FilledRecord(
            name=word_record(record) if is_named else "",
            answers=tuple(answers),
            derived=tuple(
                DerivedAnswer(each.label, f"{each.text} {each.unit}".strip(), each.rule)
                for each in derived
                if each.text
            ),
            tables=tuple(table for table in tables if table.rows),
            acts=tuple(self.word_acts(acts)),
            queries=tuple(self.asked(query) for query in self.queries[record.entry_id] if query.record == record.pk),
        )

    def table(self, child: type[PatientRecord], record: PatientRecord) -> Table:
        """The rows of one block. A column in which nothing is said is left out."""
        rows = self.rows[child.form.code, record.pk]
        key = wide_column(child, str(_parent_of(child)).removesuffix("_id"))
        if key is not None:
            order = [code for code, _ in key.codes]
            rows = sorted(rows, key=lambda row: order.index(getattr(row, key.name)))
        shown = [show_record(row) for row in rows]
        columns = columns_with_answers(shown)
        marks = [
            {
                question.name
                for question in questions(child)
                if question.column in self.acts[child.form.code, row.pk].changed
            }
            for row in rows
        ]
        heads = [shown[0][n] for n in columns] if shown else []
        return Table(
            title=child.form.title,
            heads=tuple(f"{head.label} ({head.unit})" if head.unit else head.label for head in heads),
            are_numbers=tuple(head.is_number for head in heads),
            rows=tuple(
                tuple(_cell(answers[n], is_changed=answers[n].name in changed) for n in columns)
                for answers, changed in zip(shown, marks, strict=True)
            ),
        )

    def asked(self, query: Query) -> AskedQuery:
        """A query, with who asked and who answered."""
        steps = self.steps[query.pk]
        last = {state: act for state, act in steps if state == query.state}
        answered = next((act for state, act in reversed(steps) if state == QueryState.ANSWERED), None)
        closed = last.get(query.state) if query.state in AT_REST else None
        return AskedQuery(
            about=_about(query),
            question=query.question,
            asked=self.word_act("Asked", steps[0][1]),
            answer=query.answer,
            answered=self.word_act("Answered", answered) if answered and query.answer else "",
            state=self.word_act(QueryState(query.state).label, closed) if closed else QueryState(query.state).label,
        )

    def word_acts(self, acts: Acts) -> Iterator[str]:
        """Who entered a record, and who changed it last, if anybody did."""
        if acts.entered is not None:
            yield self.word_act("Entered", acts.entered)
        if acts.latest is not None and acts.latest != acts.entered:
            yield f"{self.word_act('Last changed', acts.latest)}: {self.recordings[acts.latest].reason}"

    def word_act(self, did: str, act: int) -> str:
        """What was done, when and by whom: `Entered 12-Mar-2013 10:30 (09:30 UTC) by Ann Lee (Site coordinator)`."""
        recording = self.recordings[act]
        return f"{did} {self.word(recording.at)} by {_who(recording)}"

    def word(self, at: datetime) -> str:
        """An instant by the clock of the site and in UTC."""
        return word_instant_at(at, self.zone)


def word_instant_at(at: datetime, zone: ZoneInfo) -> str:
    """An instant by the clock of a place and in UTC: `12-Mar-2013 10:30 Europe/Madrid (09:30 UTC)`."""
    here, utc = at.astimezone(zone), at.astimezone(UTC)
    in_utc = f"{utc:%H:%M} UTC" if here.date() == utc.date() else word_instant(at)
    return f"{here:%d-%b-%Y %H:%M} {zone.key} ({in_utc})"


def _parent_of(model: type[PatientRecord]) -> str | None:
    """The column of a block's row that says whose row it is; None for a form of its own."""
    if not model.form.part_of:
        return None
    return next(f"{name}_id" for child, name in children_of(record_model(model.form.part_of)) if child is model)


def _steps_of_queries(patient: Patient) -> dict[int, list[tuple[str, int]]]:
    """The states that each query went through, each with its act."""
    history: Any = Query.history.model._default_manager
    steps: dict[int, list[tuple[str, int]]] = defaultdict(list)
    versions = history.filter(patient=patient.pk).order_by("history_id")
    for key, state, act in versions.values_list("id", "state", "recording"):
        if not steps[key] or steps[key][-1][0] != state:
            steps[key].append((state, act))
    return steps


def _who(recording: Recording) -> str:
    role = ", ".join(part for part in (recording.role, recording.organisation) if part)
    return f"{recording.person_name} ({role})" if role else recording.person_name


def _notes(entry: FormEntry, records: Sequence[PatientRecord]) -> Iterator[str]:
    if entry.is_not_done:
        yield f"Not done: {entry.not_done_reason}"
    elif entry.has_any is False:
        yield "Nothing to report."
    elif not records:
        yield "Expected. Nothing is entered yet."
    if entry.comment:
        yield f"Comment: {entry.comment}"


def _is_printed(shown: Shown, question: Any, record: PatientRecord) -> bool:
    """Whether a question stands on paper: unless it was answered, what its form did not ask or others rule out does not."""
    is_asked = not isinstance(question, Answer) or question.is_asked(record)
    return bool((is_asked and shown.on_form) or shown.text or shown.why_blank)


def _in_words(shown: Shown) -> str:
    if not shown.text:
        return shown.why_blank
    return f"{shown.text} {shown.unit}" if shown.unit else shown.text


def _cell(shown: Shown, *, is_changed: bool) -> str:
    text = shown.text or shown.why_blank or NOTHING
    return f"{text} {CHANGED}" if is_changed else text


def _about(query: Query) -> str:
    """The question that a query is about; of a laboratory form the test. The code of the check that asks stands behind it."""
    if query.entry_id is None:
        return word_place(query)
    words = query.field
    with suppress(FieldDoesNotExist):
        words = label_of_field(record_model(query.form)._meta.get_field(query.field))  # type: ignore[arg-type]  # a column
    return " · ".join(part for part in (words, query.check_code) if part)
