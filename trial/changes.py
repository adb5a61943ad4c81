"""The trail as people read it: who changed what, when, from what to what, and why; of a record, or of the whole study.

Nothing here writes. A page of the study-wide list costs the same number of queries however long the trail is: the acts
of the page are found by their instant, one union over the history tables finds their rows, and each table that has some
is asked for them once and for the versions before them once.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import models
from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast

from trial.access import Viewer, sees_all_patients, sites_visible_to
from trial.fields import MissingCodesField, MomentField, OffsetField
from trial.models import AccessReview, FormEntry, Membership, Patient, Person, Recording, Site, Study, Transfer
from trial.records import PatientRecord, record_model, record_models
from trial.wording import label_of_field, unit_of, word_answer, word_missing, word_record

KINDS = {"+": "entered", "~": "changed", "-": "deleted"}
CORRECTED = "corrected"  # what was changed, cleared or taken away, and had been there before

ENTRY_LABELS = {
    "is_not_done": "Not done",
    "not_done_reason": "Why it was not done",
    "has_any": "Anything to report",
}
# What an entry takes over from its record, whose own line says it. The other order is that of another engine's columns.
OF_THE_RECORD = {"collected_on", "form_version"}
TAKEN_OVER = (["collected_on"], ["collected_on", "form_version"], ["form_version", "collected_on"])

ACTS_AT_ONCE = 1000  # of a list that is read to its end
ROWS_AT_ONCE = 5000  # of one table; a database takes some ten thousand values in one query

NOT_ANSWERS = {"id", "version", "patient", "entry", "missing"}

Model = type[Any]  # an audited model: its `history` is put there by simple-history, which has no types


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of one change, in words. `why` is the reason given for this field, else for the whole act."""

    kind: str
    name: str
    label: str
    unit: str
    old: str
    new: str
    why: str


@dataclass(frozen=True, slots=True)
class Change:
    """One version of one record: the act it belongs to, and the fields that differ from the version before."""

    kind: str
    model: Model
    record: int
    version: int
    patient: int | None
    form: str
    title: str
    row: Any
    act: Recording
    fields: tuple[FieldChange, ...]

    @property
    def name(self) -> str:
        """What the record was called in this version."""
        return (
            word_record(self.row.instance) if issubclass(self.model, PatientRecord) else _name_of(self.model, self.row)
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the study-wide list. `form` and `record` lead to the record's page; empty where it has none.

    `name` says which record of the form changed; it is empty for one that came or went, which old or new names.
    """

    act: Recording
    patient: int | None
    form: str
    title: str
    record: int | None
    name: str
    kind: str
    field: str
    unit: str
    old: str
    new: str
    why: str


@dataclass(frozen=True, slots=True)
class Act:
    """One recorded act and what it changed. `more` is how many changes of records are not among the lines."""

    recording: Recording
    lines: tuple[Line, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Filters:
    """What the study-wide list is narrowed to; empty means everything.

    `kind` is the sign of the history row (`KINDS`) or `CORRECTED`, `person` an account, `since` and `until` are days of UTC, included.
    """

    kind: str = ""
    site: int | None = None
    patient: str = ""
    person: int | None = None
    form: str = ""
    since: date | None = None
    until: date | None = None


def questions(model: Model) -> "list[models.Field[Any, Any]]":
    """The fields of a record that people read, in the order of the form: answers, and links to other records.

    The offset of a moment is shown with the moment and has no line of its own.
    """
    return [
        field
        for field in model._meta.concrete_fields
        if field.name not in NOT_ANSWERS and not isinstance(field, OffsetField) and field.editable
    ]


def forms_of_the_study() -> list[tuple[str, str]]:
    """The code and the title of every form that has a page, in the order of the casebook."""
    return [(model.form.code, model.form.title) for model in record_models() if not model.form.part_of]


def changes_of_record(model: Model, patient: int, record: int) -> list[Change]:
    """Every version of one record of a patient, newest first. The first version shows each answer that was given."""
    # The patient is part of the question: of another's record nothing is read, so that it takes no longer than one that
    # never was.
    rows = list(model.history.filter(id=record, patient=patient).select_related("recording").order_by("-history_id"))
    before = [*rows[1:], None][: len(rows)]
    return [
        change_between(model, row, earlier, row.recording, with_first=True)
        for row, earlier in zip(rows, before, strict=True)
    ]


class Changes:
    """The study-wide list of acts, newest first, scoped to what the viewer may see."""

    SHOWN_OF_AN_ACT = 40  # an import can change thousands of records at once; the rest is on the page of that act

    def __init__(self, viewer: Viewer, study: Study, filters: Filters) -> None:
        self.filters = filters
        sees_all = sees_all_patients(viewer, study)
        self._scopes = list(_scopes(viewer, study, filters, sees_all))
        self._acts = Recording.objects.filter(_of_acts(filters)).order_by("-at", "-id")
        is_narrowed = filters.kind or filters.site or filters.patient or filters.form
        if is_narrowed or not sees_all or Study.objects.count() > 1:
            self._acts = self._acts.filter(pk__in=_rows(self._scopes, "recording_id"))

    def __len__(self) -> int:
        """The number of acts."""
        return self._acts.count()

    def page(self, start: int, size: int) -> list[Act]:
        """The acts from number `start`, at most `size`."""
        acts = list(self._acts[start : start + size])
        return self._read(acts, self.SHOWN_OF_AN_ACT)

    def of_act(self, number: int, start: int, size: int) -> list[Act]:
        """The changes of one act from number `start`, at most `size`; no act where the viewer may see none of them."""
        # Not by way of the whole list: every row of the study would be read to see whether the act is in it.
        places = self._places(Q(recording=number))
        if not places:
            return []
        acts = list(Recording.objects.filter(_of_acts(self.filters), pk=number))
        return [act for act in self._worded(acts, places, size, start) if act.lines or start]

    def lines(self) -> Iterator[Line]:
        """Every line of the list, worded in portions. The trail only grows, so what was found stays true meanwhile.

        Where each change stands is held in memory, some hundred bytes a change; the rows themselves are not.
        """
        numbers = list(self._acts.values_list("pk", flat=True))
        places = self._places(Q())
        for first in range(0, len(numbers), ACTS_AT_ONCE):
            portion = numbers[first : first + ACTS_AT_ONCE]
            found = Recording.objects.in_bulk(portion)
            for act in self._worded([found[number] for number in portion], places, None):
                yield from act.lines

    def patients(self) -> set[int]:
        """The keys of the patients whom the list concerns, all pages of it."""
        # The acts are asked for once: as a part of each question below, their own one over all tables would come with it.
        acts = set(self._acts.values_list("pk", flat=True))
        found: set[int] = set()
        for model, scope in self._scopes:
            if model is Patient or issubclass(model, FormEntry | PatientRecord | Transfer):
                key = "id" if model is Patient else "patient_id"
                rows = _history(model).filter(scope).order_by().values_list("recording_id", key).distinct()
                found.update(patient for act, patient in rows if act in acts)
        return found

    def _read(self, acts: Sequence[Recording], shown: int | None, start: int = 0) -> list[Act]:
        """The acts with their lines: of each at most `shown` changes of records, from number `start`."""
        if not acts:
            return []
        return self._worded(acts, self._places(Q(recording__in=[act.pk for act in acts])), shown, start)

    def _places(self, here: Q) -> dict[int, list[tuple[int, int]]]:
        """The number of the model and the history id of each row in the scope, by the recording that it belongs to."""
        rows = _rows([(model, scope & here) for model, scope in self._scopes], "table", "history_id", "recording_id")
        places: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for table, history_id, number in sorted(rows):
            places[number].append((table, history_id))
        return places

    def _worded(
        self,
        acts: Sequence[Recording],
        places: dict[int, list[tuple[int, int]]],
        shown: int | None,
        start: int = 0,
    ) -> list[Act]:
        end = None if shown is None else start + shown
        wanted = [(*place, act) for act in acts for place in places[act.pk][start:end]]
        changes: dict[int, list[Change]] = defaultdict(list)
        for change in _changes([model for model, _ in self._scopes], wanted):
            if self.filters.kind == CORRECTED:  # what was blank before is none, in whatever act it was filled
                change = replace(change, fields=tuple(field for field in change.fields if field.old))
            changes[change.act.pk].append(change)
        return [
            Act(act, tuple(_lines(changes[act.pk])), max(0, len(places[act.pk]) - start - len(changes[act.pk])))
            for act in acts
        ]


def _history(model: Model) -> QuerySet[Any, Any]:
    return model.history.model._default_manager.all()


def last_rows(model: Model) -> QuerySet[Any, Any]:
    """The last history row of each record, of the deleted ones too."""
    history = _history(model).order_by()
    return history.filter(history_id__in=history.values("id").annotate(last=Max("history_id")).values("last"))


def _rows(scopes: Sequence[tuple[Model, Q]], *columns: str) -> QuerySet[Any, Any]:
    """These columns of every row in the scopes, of all models in one query; `table` is the number of the model."""
    parts = []
    for number, (model, scope) in enumerate(scopes):
        rows = _history(model).filter(scope).order_by()
        if "table" in columns:
            rows = rows.annotate(table=Value(number, output_field=models.IntegerField()))
        parts.append(rows.values_list(*columns))
    return parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]


def _written_out(keys: QuerySet[Any, Any]) -> RawSQL | list[int]:
    """The question for these keys as text. The ORM would build it anew for each of the fifty tables that ask it."""
    try:
        return RawSQL(*keys.query.sql_with_params())  # noqa: S611 - the ORM's own text, with its parameters apart
    except EmptyResultSet:
        return []


def _of_acts(filters: Filters) -> Q:
    """Which recordings the filters on acts let through."""
    acts = Q()
    if filters.person is not None:
        acts &= Q(by=filters.person)
    if filters.since:
        acts &= Q(at__gte=datetime.combine(filters.since, time(), UTC))
    if filters.until:
        acts &= Q(at__lte=datetime.combine(filters.until, time.max, UTC))
    return acts


def _scopes(viewer: Viewer, study: Study, filters: Filters, sees_all: bool) -> Iterator[tuple[Model, Q]]:
    """Each model that can have a row in the list, and which of its history rows may be there.

    A patient counts to the site that the last row of the history names: one who was deleted stays in the list.
    """

    def kind(model: Model) -> Q:
        if filters.kind == CORRECTED:
            return _corrected(model)
        return Q(history_type=filters.kind) if filters.kind else Q()

    patients = last_rows(Patient).filter(study=study)
    if not sees_all:
        patients = patients.filter(site__in=sites_visible_to(viewer, study).order_by().values("pk"))
    if filters.site is not None:
        patients = patients.filter(site=filters.site)
    if filters.patient:
        patients = patients.filter(number__icontains=filters.patient)
    theirs = _written_out(patients.values("id"))
    of_patients = Q(patient__in=theirs)
    for model in record_models():
        if filters.form in ("", model.form.page):
            yield model, kind(model) & of_patients
    of_form = Q(form=filters.form) if filters.form else Q()
    yield FormEntry, kind(FormEntry) & of_patients & of_form & ~Q(history_type="~", changed__in=TAKEN_OVER)
    if not filters.form:
        yield Patient, kind(Patient) & Q(id__in=theirs)
        yield Transfer, kind(Transfer) & of_patients
    if sees_all and not (filters.form or filters.patient or filters.site):
        yield Study, kind(Study) & Q(id=study.pk)
        yield Site, kind(Site) & Q(study=study.pk)
        yield Membership, kind(Membership) & Q(study=study.pk)
        yield AccessReview, kind(AccessReview) & Q(study=study.pk)
        yield Person, kind(Person) & Q(id__in=_history(Membership).filter(study=study.pk).order_by().values("person"))


def _corrected(model: Model) -> Q:
    """The history rows of a model that changed or cleared what was there before. The deletion of a record took all of it away.

    What an entry takes over from its record is told by the row of the record.
    """
    left_out = {"id", "version", *(OF_THE_RECORD if model is FormEntry else ())}
    was_there = Q()
    for field in model._meta.concrete_fields:
        if field.name not in left_out:
            was_there |= _is_filled(field) & Q(named__contains=f'"{field.column}"')
    before = _history(model).order_by().filter(id=OuterRef("id"), version=OuterRef("version") - 1)
    before = before.annotate(named=Cast(OuterRef("changed"), models.TextField())).filter(was_there)
    changed = Q(Exists(before), history_type="~")
    return changed | Q(history_type="-") if issubclass(model, PatientRecord) else changed


def _is_filled(field: "models.Field[Any, Any]") -> Q:
    """Whether a column of a history row says anything."""
    if isinstance(field, MissingCodesField):
        return ~Q(**{field.attname: {}})
    if isinstance(field, models.BooleanField) and not field.null:
        return Q(**{field.attname: True})
    filled = Q(**{f"{field.attname}__isnull": False})
    return filled & ~Q(**{field.attname: ""}) if isinstance(field, models.CharField | models.TextField) else filled


def _changes(tables: Sequence[Model], wanted: Sequence[tuple[int, int, Recording]]) -> Iterator[Change]:
    """The changes of the rows (number of the model, history id, act), in their order."""
    numbers: dict[int, list[int]] = defaultdict(list)
    for table, history_id, _ in wanted:
        numbers[table].append(history_id)
    rows: dict[tuple[int, int], Any] = {}
    earlier: dict[tuple[int, int, int], Any] = {}
    for table, history_ids in numbers.items():
        history = _history(tables[table])
        for first in range(0, len(history_ids), ROWS_AT_ONCE):
            here = list(history.filter(history_id__in=history_ids[first : first + ROWS_AT_ONCE]))
            rows |= {(table, row.history_id): row for row in here}
            changed = [row for row in here if row.history_type == "~"]
            if changed:
                # not: one condition a row (id and version); a database takes a thousand of them at most
                # but: any of these records at any of these versions, which holds every pair, and the pair is looked up
                before = history.filter(
                    id__in={row.id for row in changed}, version__in={row.version - 1 for row in changed}
                )
                earlier |= {(table, row.id, row.version): row for row in before}
    for table, history_id, act in wanted:
        row = rows[table, history_id]
        yield change_between(tables[table], row, earlier.get((table, row.id, row.version - 1)), act)


def _lines(changes: Iterable[Change]) -> Iterator[Line]:
    """Each changed field, and one line for the records of one form of one patient that came or went together.

    The records come before the entry that they hang on, so that the line is named for the first of them.
    """
    together: dict[tuple[Any, ...], list[Change]] = {}
    for change in changes:
        if change.kind == "changed":
            together[id(change), 0] = [change]
        else:
            page = _page_of(change)
            together.setdefault((change.kind, change.patient, page), []).append(change)
    for group in together.values():
        first = group[0]
        record = first.record if issubclass(first.model, PatientRecord) else None
        name = first.name if first.kind == "changed" and _is_one_of_many(first.model) else ""
        where = (first.act, first.patient, first.form, first.title, record, name, first.kind)
        if first.kind == "changed":
            for field in first.fields:
                yield Line(*where, field.label, field.unit, field.old, field.new, field.why)
            continue
        records = [change for change in group if change.model is not FormEntry]
        named = first.name if len(records) < 2 else f"{first.name}, and {len(records) - 1} more"
        if first.kind == "entered":
            yield Line(*where, "First entry", "", "", named, first.act.reason)
        else:
            yield Line(*where, "Deleted", "", named, "", first.act.reason)


def _is_one_of_many(model: Model) -> bool:
    """Whether a patient can have several records of the model, so that the form's title does not say which."""
    return not issubclass(model, PatientRecord) or model.form.repeats or model.form.at_visits


def _page_of(change: Change) -> str:
    """What records that came together are counted under: the form on whose page they are shown, with its entry."""
    if change.model is FormEntry:
        return change.form
    return change.model.form.page if issubclass(change.model, PatientRecord) else change.model.__name__


def change_between(model: Model, row: Any, before: Any, act: Recording, *, with_first: bool = False) -> Change:
    """One history row in words. The answers of a first version are worded only `with_first`: the list does not show them."""
    is_worded = row.history_type == "~" or (with_first and row.history_type == "+")
    form, title = _form_of(model, row)
    return Change(
        kind=KINDS[row.history_type],
        model=model,
        record=row.id,
        version=row.version,
        patient=row.id if model is Patient else getattr(row, "patient_id", None),
        form=form,
        title=title,
        row=row,
        act=act,
        fields=tuple(_fields(model, row, before, act)) if is_worded else (),
    )


def _form_of(model: Model, row: Any) -> tuple[str, str]:
    if issubclass(model, PatientRecord):
        return model.form.code, record_model(model.form.page).form.title
    if model is FormEntry:
        return row.form, dict(forms_of_the_study()).get(row.form, row.form)
    return "", str(model._meta.verbose_name).capitalize()


def _name_of(model: Model, row: Any) -> str:
    if model is FormEntry:
        return f"Form opened, {row.visit}" if row.visit != "LOG" else "Log opened"
    if model is Membership:
        return f"Role: {row.role}"
    if model is Transfer:
        return word_record(row.instance)
    return str(row.instance)


def _fields(model: Model, row: Any, before: Any, act: Recording) -> Iterable[FieldChange]:
    reasons = act.field_reasons if isinstance(act.field_reasons, dict) else {}
    changed = set(row.changed_fields) if before is not None else None
    for field in model._meta.concrete_fields:
        if field.name in NOT_ANSWERS or (changed is not None and field.name not in changed):
            continue
        if isinstance(field, OffsetField) and _has_its_moment(model, field, changed):
            continue
        old = _worded(field, before) if before is not None else ""
        new = _worded(field, row)
        if not (old or new) or (model is FormEntry and not old and field.name in OF_THE_RECORD):
            continue
        label = ENTRY_LABELS.get(field.name, label_of_field(field)) if model is FormEntry else label_of_field(field)
        why = reasons.get(field.name, act.reason)
        yield FieldChange(KINDS[row.history_type], field.name, label, unit_of(field), old, new, why)
    yield from _blanks(model, row, before, act)


def _blanks(model: Model, row: Any, before: Any, act: Recording) -> Iterable[FieldChange]:
    """The reasons why an answer is blank, one line for each field whose reason changed."""
    now, was = _missing_of(row), _missing_of(before)
    known = {field.name for field in model._meta.concrete_fields}
    for name in sorted({*now, *was}):
        old, new = word_missing(was, name), word_missing(now, name)
        if old != new:
            label = label_of_field(model._meta.get_field(name)) if name in known else name
            yield FieldChange(KINDS[row.history_type], name, f"{label}: why it is blank", "", old, new, act.reason)


def _missing_of(row: Any) -> dict[str, Any]:
    """Why answers are blank, by the name of the field; what is no such mapping, whole and as it stands."""
    missing = getattr(row, "missing", None) or {}
    return missing if isinstance(missing, dict) else {"missing": missing}


def _has_its_moment(model: Model, field: OffsetField, changed: set[str] | None) -> bool:
    """Whether the moment that the offset belongs to is shown too, with the offset in it."""
    moment = model._meta.get_field(field.name.removesuffix("_offset"))
    return isinstance(moment, MomentField) and (changed is None or moment.name in changed)


def _worded(field: "models.Field[Any, Any]", row: Any) -> str:
    value = getattr(row, field.attname)
    if value is not None and field.related_model is Site:
        return str(Site.objects.filter(pk=value).first() or f"Site {value}")
    if value is not None and field.is_relation:
        return f"{field.related_model._meta.verbose_name} {value}".capitalize()  # type: ignore[union-attr]
    return word_answer(field, value, beside=row)
