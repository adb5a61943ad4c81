"""Casebooks for the tests of edit checks: `row("AE", started="2013-03-04", grade=3)` is a record as the checks see it.

An answer that is not given is blank. Dates and moments are given as text; a moment is UTC and the site's clock shows the same.
"""

from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from patients.checking import answers_of, tests_of
from trial import partial_dates
from trial.edit_checks import Casebook, EditCheck, Finding, Record, find
from trial.fields import FullDateField, MomentField, PartialDateField
from trial.parameters import Parameters
from trial.records import record_model

TODAY = date(2014, 9, 30)
# The modules whose EXAMPLES show each edit check where it asks.
WITH_EXAMPLES = (
    "tests.patients.test_edit_checks_enrolment",
    "tests.patients.test_edit_checks_history",
    "tests.patients.test_edit_checks_visits",
    "tests.patients.test_edit_checks_marrow",
    "tests.patients.test_edit_checks_treatment",
    "tests.patients.test_edit_checks_follow_up",
    "tests.safety.test_edit_checks",
)
_numbers = count(1)


def row(
    form: str, *, key: int = 0, visit: str = "LOG", comment: str | None = None, rows: Any = (), **answers: Any
) -> Record:
    """A record of a form. `rows` are those of its repeating blocks."""
    model = record_model(form)
    known: dict[str, Any] = dict.fromkeys(tests_of(model)) | answers_of(model())
    for name, value in answers.items():
        if name not in known:
            raise ValueError(f"The form {form} has no answer '{name}'.")
        known[name] = _value(model, name, value)
        if name.endswith("_at") and value:
            known[f"{name.removesuffix('_at')}_on"] = known[name].date()
    blocks: dict[str, list[Record]] = {}
    for each in rows:
        blocks.setdefault(each.form, []).append(each)
    number = key or next(_numbers)
    return Record(form, number, number, visit, known, blocks, comment)


def _value(model: Any, name: str, value: Any) -> Any:
    field = next((field for field in model._meta.concrete_fields if field.attname == name), None)
    if not isinstance(value, str):
        return value
    if isinstance(field, PartialDateField):
        return partial_dates.parse(value)
    if isinstance(field, FullDateField):
        return date.fromisoformat(value)
    if isinstance(field, MomentField):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value


def book(*records: Record, gates: dict[str, bool] | None = None, today: date = TODAY) -> Casebook:
    """A casebook with these records."""
    by_form: dict[str, list[Record]] = {}
    for record in records:
        by_form.setdefault(record.form, []).append(record)
    return Casebook(by_form, Parameters(), today, gates or {})


def findings(checks: tuple[EditCheck, ...], code: str, *records: Record, **given: Any) -> list[Finding]:
    """What the check of that code finds."""
    chosen = [check for check in checks if check.code == code]
    if not chosen:
        raise ValueError(f"There is no check {code}.")
    return find(chosen, book(*records, **given))
