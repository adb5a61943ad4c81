"""What stands ready in a new form before anybody has typed: the next number of a log, the event of a detail, a deviation.

The rule: a proposal is there to be confirmed or corrected. It is saved with the form and never by itself.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

from django.db.models import Max, UniqueConstraint
from django.http import QueryDict
from django.urls import reverse

from patients.checking import casebook_for, edit_checks
from patients.entry.controls import Ground
from patients.models import Deviation
from trial.changes import questions
from trial.edit_checks import EditCheck, Record
from trial.fields import WholeNumberField
from trial.models import Patient, Query
from trial.partial_dates import PartialDate
from trial.records import PatientRecord
from trial.review.models import AT_REST
from trial.wording import word_date

MOST_DIGITS = 18  # of a key in an address


def proposed(model: type[PatientRecord], ground: Ground, asked: QueryDict) -> dict[str, str]:
    """The texts that stand in the controls of a new record of a form; `asked` is what the address says."""
    found = _next_number(model, ground.patient)
    if event := _key(asked.get("event")):
        found |= {field.name: str(event) for field in questions(model) if field.is_relation and field.name == "event"}
    if model is Deviation and (key := _key(asked.get("query"))):
        query = Query.objects.filter(patient=ground.patient, pk=key).exclude(state__in=AT_REST).first()
        found |= _deviation(query, ground) if query else {}
    return found


def _key(text: str | None) -> int:
    """A key that an address names; 0 for what is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else 0


def _next_number(model: type[PatientRecord], patient: Patient) -> dict[str, str]:
    """The number after the highest, where the form numbers its records."""
    name = _number_of(model)
    if name is None:
        return {}
    highest = model._default_manager.filter(patient=patient).aggregate(highest=Max(name))["highest"] or 0
    return {name: str(highest + 1)}


@cache
def _number_of(model: type[PatientRecord]) -> str | None:
    """The answer by which the records of a form are numbered within the patient, if there is one."""
    for constraint in model._meta.constraints:
        if isinstance(constraint, UniqueConstraint) and constraint.fields[:1] == ("patient",):
            names = constraint.fields[1:]
            if len(names) == 1 and isinstance(model._meta.get_field(names[0]), WholeNumberField):
                return names[0]
    return None


# A deviation


def deviation_address(query: Query) -> str:
    """Where the deviation is entered that a query proposes; empty text where it proposes none."""
    check = _check_of(query)
    if check is None or not check.proposes_deviation or query.state in AT_REST:
        return ""
    patient = query.patient
    names = {"study": patient.study.code, "patient": patient.number, "form": Deviation.form.code, "visit": "LOG"}
    return f"{reverse('entry-new', kwargs=names)}?query={query.pk}"


def _deviation(query: Query, ground: Ground) -> dict[str, str]:
    """The answers of the deviation that a query proposes, as far as they follow from it."""
    check = _check_of(query)
    if check is None or not check.proposes_deviation:
        return {}
    book = casebook_for(ground.patient, [check])
    record = book.find(check.form, query.record)
    verdict = check.verdict(record, book) if record else False
    day = _day_of(check, record, verdict if isinstance(verdict, Mapping) else {}) if record else None
    return {
        "kind": check.proposes_deviation,
        "deviated_on": word_date(day) if day else "",
        "discovered_on": word_date(ground.today),
        "description": query.question,
        "concerns": f"{query.form}, {check.code}",
    }


def _check_of(query: Query) -> EditCheck | None:
    return next((check for check in edit_checks() if check.code == query.check_code), None)


def _day_of(check: EditCheck, record: Record, brought: Mapping[str, Any]) -> date | None:
    """The day of the breach: the one that the check names, else the one that it asks about."""
    value = (
        brought.get("day") or record.answers.get(f"{check.field.removesuffix('_at')}_on") or record.answers[check.field]
    )
    if isinstance(value, PartialDate):
        return value.earliest if value.is_complete else None
    return value if isinstance(value, date) else None
