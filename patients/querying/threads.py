"""The thread of a query: what was said, by whom and when, and between it the changes of the value that it is about.

All of it is read from the trail, in a number of statements that depends on the records asked about, and not on the messages.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from patients.casebook import children_of
from patients.checking import tests_of
from trial.audit import Recording
from trial.changes import Change, FieldChange, changes_of_record
from trial.models import Patient, Query, QueryMessage
from trial.records import record_model
from trial.review.models import Step

TYPED_RESULT = "value_text"  # of a result of a laboratory sample, as the site typed it


@dataclass(frozen=True, slots=True)
class Said:
    """One line of a thread: a message, or a change of the value."""

    act: Recording
    step: str  # in words; empty for a change
    text: str = ""
    label: str = ""
    change: FieldChange | None = None


def messages_of(queries: Iterable[Query]) -> dict[int, list[Said]]:
    """What was said about each of these queries, the first first. One statement."""
    numbers = [query.pk for query in queries]
    history: Any = QueryMessage.history.model._default_manager
    found: dict[int, list[Said]] = defaultdict(list)
    if not numbers:
        return found
    rows = history.filter(query__in=numbers).select_related("recording").order_by("history_id")
    for row in rows:
        found[row.query_id].append(Said(row.recording, str(Step(row.step).label), row.text))
    return found


def threads_of(patient: Patient, queries: Sequence[Query]) -> dict[int, list[Said]]:
    """The messages and changes of each of these queries about one patient, in the order of time."""
    threads = messages_of(queries)
    about: dict[tuple[str, int], list[Query]] = defaultdict(list)
    for query in queries:
        if query.record and query.field:
            about[query.form, query.record].append(query)
    for (form, record), asked in about.items():
        model = record_model(form)
        of_record = changes_of_record(model, patient.pk, record)
        tests = tests_of(model)
        for query in asked:
            said = threads[query.pk]
            changes = of_record
            name = query.field
            if query.field in tests:
                name, changes = TYPED_RESULT, _changes_of_test(patient, query, *tests[query.field])
            first = said[0].act.pk if said else 0
            said += [
                Said(change.act, "", label=field.label, change=field)
                for change in changes
                if change.act.pk > first
                for field in change.fields
                if field.name == name
            ]
            said.sort(key=lambda line: line.act.pk)
    return threads


def _changes_of_test(patient: Patient, query: Query, block: str, column: str) -> list[Change]:
    """The changes of one result of a laboratory sample."""
    child = record_model(block)
    parent = next(name for model, name in children_of(record_model(query.form)) if model is child)
    history: Any = child.history.model._default_manager
    rows = history.filter(patient=patient.pk, **{parent: query.record, column: query.field}).order_by()
    numbers = rows.values_list("id", flat=True).distinct()
    return [change for number in numbers for change in changes_of_record(child, patient.pk, number)]
