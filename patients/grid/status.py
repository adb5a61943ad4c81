"""How far the entries of many patients are: which have records, and which of those lack a required answer.

The rule: one query each, whatever the number of patients and forms. What is lacking is asked of the database in the words
of `patients.casebook.unanswered`, so that no record has to be read for it.
"""

from collections import defaultdict
from collections.abc import Collection
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import CharField, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast

from trial.fields import Answer, CodesField
from trial.models import FormEntry, Patient
from trial.records import FIRST_VERSION, PatientRecord, record_models

Statement = tuple[str, tuple[Any, ...]]


def records_of_entries(patients: Collection[int]) -> dict[int, list[int]]:
    """The keys of the records of each entry of these patients, by the keys of the entries; without the rows of blocks."""
    found: dict[int, list[int]] = defaultdict(list)
    for entry, record in _read("entry_id, id", _records(), patients):
        found[entry].append(record)
    return found


def incomplete_entries(patients: Collection[int]) -> set[int]:
    """The keys of the entries of these patients of which a record, or a row of its block, lacks a required answer."""
    return {entry for (entry,) in _read("entry_id", _incomplete_records(), patients)}


def empty_entries(patients: QuerySet[Patient]) -> QuerySet[FormEntry]:
    """The entries of these patients for which there is no record, nor the word that there is none."""
    sql, values = _records()
    filled = RawSQL(f"SELECT entry_id FROM ({sql}) AS records", values)  # noqa: S608, S611  # no value is in it
    waiting = FormEntry.objects.filter(patient__in=patients, is_not_done=False, has_any__isnull=True)
    return waiting.exclude(pk__in=filled)


def with_incomplete_entries(patients: QuerySet[Patient]) -> QuerySet[Patient]:
    """Those of the patients of whom some record lacks a required answer."""
    sql, values = _incomplete_records()
    return patients.filter(
        pk__in=RawSQL(f"SELECT patient_id FROM ({sql}) AS records", values)  # noqa: S608, S611  # no value is in it
    )


def lacks_an_answer(model: type[PatientRecord]) -> Q:
    """The condition under which a record of the form is incomplete."""
    lacking = Q(pk__in=[])
    for field in model.answers():
        if field.required:
            blank = _is_blank(field) & ~Q(missing__has_key=field.name)
            lacking |= blank & _is_asked(model, field) & _is_of_its_version(field)
    return lacking


def _is_of_its_version(field: Answer) -> Q:
    """The condition under which the version of the form that a record was entered under has the question."""
    version, asked = "entry__form_version", Q()
    before_versions = Q(**{f"{version}__isnull": True})
    if field.since > FIRST_VERSION:
        asked &= Q(**{f"{version}__gte": field.since})
    if field.until is not None:
        asked &= Q(**{f"{version}__lte": field.until}) | before_versions
    return asked


def _is_blank(field: Answer) -> Q:
    empty = Q(**{f"{field.name}__isnull": True})
    return empty | Q(**{field.name: ""}) if isinstance(field, CharField) else empty


def _is_asked(model: type[PatientRecord], field: Answer) -> Q:
    asked = Q()
    for name, values in field.asked_if.items():
        if isinstance(model._meta.get_field(name), CodesField):
            one = Q(pk__in=[])
            for code in values:
                one |= Q(**{f"{name}_text__contains": f'"{code}"'})
            asked &= one
        else:
            asked &= Q(**{f"{name}__in": values})
    return asked


@cache
def _records() -> Statement:
    """The records of every form as one statement, and its values; without the rows of blocks."""
    return _union([model._default_manager.order_by() for model in record_models() if not model.form.part_of])


@cache
def _incomplete_records() -> Statement:
    """The records, and the rows of blocks, that lack a required answer."""
    found = []
    for model in record_models():
        lists = [field.name for field in model.answers() if isinstance(field, CodesField)]
        texts = {f"{name}_text": Cast(name, CharField()) for name in lists}
        found.append(model._default_manager.order_by().alias(**texts).filter(lacks_an_answer(model)))
    return _union(found)


def _union(parts: list[QuerySet[Any]]) -> Statement:
    statements = [part.values_list("patient_id", "entry_id", "id").query.sql_with_params() for part in parts]
    values = [value for _, given in statements for value in given]
    return " UNION ALL ".join(sql for sql, _ in statements), tuple(values)


def _read(columns: str, statement: Statement, patients: Collection[int]) -> list[tuple[int, ...]]:
    if not patients:
        return []
    sql, values = statement
    places = ", ".join(["%s"] * len(patients))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns} FROM ({sql}) AS records WHERE patient_id IN ({places})",  # noqa: S608  # no value is in it
            (*values, *patients),
        )
        rows: list[tuple[int, ...]] = cursor.fetchall()
        return rows
