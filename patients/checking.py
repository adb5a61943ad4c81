"""Edit checks on live records: the casebook as the checks see it, which checks there are, and a run over one patient.

The rule: one run serves a save, an import and the sweep. It reads only the forms that its checks really look at, a query a
form; the rows of a block that are no columns of it are one more.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cache, partial
from importlib import import_module
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.utils import timezone
from django.utils.module_loading import module_has_submodule

from patients.casebook import children_of, wide_column
from patients.laboratories import laboratories_for
from trial import partial_dates
from trial.derivations import Looking
from trial.edit_checks import Casebook, EditCheck, Record, SavedRecord, find, touching
from trial.fields import MomentField, PartialDateField
from trial.models import FormEntry, Patient
from trial.records import FIRST_VERSION, PatientRecord, record_model, record_models
from trial.review.queries import Settled, settle


@cache
def edit_checks() -> tuple[EditCheck, ...]:
    """Every check, from the modules `edit_checks`, `soft_limits` and `missing_answers` of each app, in the order of their codes."""
    found: list[EditCheck] = []
    for config in apps.get_app_configs():
        for name in ("edit_checks", "soft_limits", "missing_answers"):
            if module_has_submodule(config.module, name):
                found += getattr(import_module(f"{config.name}.{name}"), "CHECKS", ())
    return tuple(sorted(found, key=lambda check: check.code))


def run_checks(
    patient: Patient,
    forms: Iterable[str] | None = None,
    *,
    saved: SavedRecord | None = None,
    channel: str = "command",
    is_locked: bool = False,
) -> Settled:
    """Run the checks that a change of these forms touches (all when None), and bring the patient's queries in line.

    Where one record was `saved`, and nothing else of its form was changed, what cannot follow from it is not asked anew.
    `is_locked` says that the transaction of whoever calls holds the patient already.
    """
    checks = edit_checks() if forms is None else touching(edit_checks(), forms)
    with transaction.atomic(savepoint=not is_locked):
        if not is_locked:
            hold(patient)  # two runs would ask the same question twice
        findings = find(checks, casebook_for(patient, checks), saved)
        return settle(patient, findings, checks, saved=saved, channel=channel)


def hold(patient: Patient) -> None:
    """Let nobody else write to the patient until the transaction ends. In SQLite whoever writes holds everything already."""
    if connection.features.has_select_for_update:
        Patient.objects.select_for_update().only("pk").get(pk=patient.pk)


def casebook_for(patient: Patient, checks: Iterable[Looking]) -> Casebook:
    """The patient's records of the forms that checks, or derived answers, look at. A form is read when it is first looked at."""
    wanted = {form for check in checks for form in (check.form, *check.reads)}
    forms = [model.form.code for model in record_models() if not model.form.part_of and model.form.code in wanted]
    answered = FormEntry.objects.filter(patient=patient, has_any__isnull=False)
    gates = ReadWhenAsked(("",), lambda _: dict(answered.values_list("form", "has_any")))
    study = patient.study
    return Casebook(
        ReadWhenAsked(forms, lambda form: _records(patient, record_model(form))),
        study.parameters,
        study.today or timezone.now().date(),
        ReadWhenAsked([form for form in forms if record_model(form).form.repeats], lambda form: gates[""].get(form)),
        partial(laboratories_for, patient),
    )


class ReadWhenAsked(Mapping[str, Any]):
    """What is read from the database under each of some names, when it is first looked at."""

    def __init__(
        self, names: Iterable[str], read: Callable[[str], Any], *, found: Mapping[str, Any] | None = None
    ) -> None:
        self._found: dict[str, Any] = dict(found or {})  # what is read already
        self._names = dict.fromkeys((*self._found, *names))
        self._read = read

    def __getitem__(self, name: str) -> Any:
        if name not in self._found:
            if name not in self._names:
                raise KeyError(name)
            self._found[name] = self._read(name)
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _records(patient: Patient, model: type[PatientRecord]) -> list[Record]:
    """The records of one form. A result of a laboratory sample is an answer under the code of its test, None where there is none."""
    later = [code for code in _blocks(model) if code not in _shown_as_columns(model)]
    blocks = ReadWhenAsked(later, lambda code: _rows(patient, record_model(code), _blocks(model)[code]))
    tests = dict.fromkeys(tests_of(model))
    records = []
    for values, columns in _read(patient, model):
        visit, comment, version = (values.pop(f"entry__{name}") for name in ("visit", "comment", "form_version"))
        key, entry = values["id"], values["entry_id"]
        rows = ReadWhenAsked(later, partial(_rows_of, blocks, key), found=columns)
        answers: dict[str, Any] = dict(tests)
        for code, found in columns.items():
            column = _shown_as_columns(model)[code]
            answers.update((getattr(row, column), row) for row in found)
        answers |= _answers(model, values)
        not_asked = _not_asked(model, version or FIRST_VERSION)
        records.append(Record(model.form.code, key, entry, visit, answers, rows, comment, not_asked))
    return records


def _read(patient: Patient, model: type[PatientRecord]) -> Iterable[tuple[dict[str, Any], dict[str, Sequence[Record]]]]:
    """The columns of each record and of its entry, and the rows of the blocks that are shown as columns: one statement for all."""
    names = [field.attname for field in model._meta.concrete_fields]
    names += ["entry__visit", "entry__comment", "entry__form_version"]
    found = model._default_manager.filter(patient=patient).order_by("pk")
    beside = [record_model(code) for code in _shown_as_columns(model)]
    if not beside:
        for values in found.values(*names):
            yield values, {}
        return
    (child,) = beside  # STUDY B.4 has no form with two
    parent: Any = child._meta.get_field(_blocks(model)[child.form.code])
    way = parent.remote_field.name
    of_row = {f"{way}__{field.attname}": field.attname for field in child._meta.concrete_fields}
    by_record = found.order_by("pk", f"{way}__pk").values(*names, *of_row)
    for _, group in groupby(by_record, key=itemgetter("id")):
        lines = list(group)
        rows = [_row(child, {name: line[beside] for beside, name in of_row.items()}) for line in lines]
        yield {name: lines[0][name] for name in names}, {child.form.code: [row for row in rows if row.key is not None]}


def _rows_of(blocks: Mapping[str, dict[int, list[Record]]], key: int, code: str) -> Sequence[Record]:
    """The rows of a block of one record."""
    return blocks[code].get(key, ())


def _rows(patient: Patient, child: type[PatientRecord], parent: str) -> dict[int, list[Record]]:
    """The rows of a repeating block by the key of their record."""
    found: dict[int, list[Record]] = defaultdict(list)
    names = [field.attname for field in child._meta.concrete_fields]
    for values in child._default_manager.filter(patient=patient).order_by("pk").values(*names):
        found[values[f"{parent}_id"]].append(_row(child, values))
    return found


def _row(child: type[PatientRecord], values: dict[str, Any]) -> Record:
    return Record(child.form.code, values["id"], values["entry_id"], "", _answers(child, values))


@cache
def _not_asked(model: type[PatientRecord], version: int) -> frozenset[str]:
    """The names of the answers that a version of the form does not ask."""
    return frozenset(answer.name for answer in model.answers() if not answer.is_of(version))


@cache
def _blocks(model: type[PatientRecord]) -> dict[str, str]:
    """The codes of the repeating blocks of a form, each with the name of its reference to the form's record."""
    return {child.form.code: parent for child, parent in children_of(model)}


@cache
def _shown_as_columns(model: type[PatientRecord]) -> dict[str, str]:
    """The codes of the blocks that are shown as columns, each with the name of the answer that holds the code of a column."""
    columns = {child.form.code: wide_column(child, parent) for child, parent in children_of(model)}
    return {code: column.name for code, column in columns.items() if column is not None}


@cache
def tests_of(model: type[PatientRecord]) -> dict[str, tuple[str, str]]:
    """For each code of a block that is shown as columns: the block and the name of the answer that holds the code."""
    found: dict[str, tuple[str, str]] = {}
    for block, name in _shown_as_columns(model).items():
        column: Any = record_model(block)._meta.get_field(name)
        found |= {code: (block, name) for code, _ in column.flatchoices}
    return found


def answers_of(row: Any) -> dict[str, Any]:
    """The answers by name: partial dates read, and beside each moment the day that it was at the site (`_on`)."""
    return _answers(type(row), {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields})


def _answers(model: type[PatientRecord], values: dict[str, Any]) -> dict[str, Any]:
    """The answers of a row from the values of its columns, which it takes over."""
    dates, moments = _dates_and_moments(model)
    for name in dates:
        values[name] = partial_dates.parse(values[name]) if values[name] else None
    for name in moments:
        value, offset = values[name], values.get(f"{name}_offset")
        local = value + timedelta(minutes=offset or 0) if value else None
        values[f"{name.removesuffix('_at')}_on"] = local.date() if local else None
    return values


@cache
def _dates_and_moments(model: type[PatientRecord]) -> tuple[list[str], list[str]]:
    fields = model._meta.concrete_fields
    return (
        [field.attname for field in fields if isinstance(field, PartialDateField)],
        [field.attname for field in fields if isinstance(field, MomentField)],
    )
