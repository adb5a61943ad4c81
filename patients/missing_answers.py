"""The checks on answers that a form needs and that were marked as missing: the site is asked why (STUDY B.1, rule 3).

The rule: one question a record, which names each such answer and its mark. What the other answers rule out is not needed, nor
what the version of the form did not ask. Its check is `MC-` and the code of the form.
"""

from collections.abc import Iterator
from typing import Any

from patients.casebook import children_of, wide_column
from patients.laboratory_tests import TESTS
from trial.code_lists import label_of
from trial.edit_checks import Casebook, EditCheck, Record, Severity, Verdict
from trial.records import PatientRecord, record_model, record_models
from trial.wording import label_of_field, word_missing


def needed_but_missing(record: Record) -> Iterator[tuple[str, str]]:
    """The answers of one record, or row of a block, that are needed and marked as missing: the question, and the mark in words."""
    missing = record.answers["missing"]
    if not missing:
        return
    for answer in record_model(record.form).answers():
        is_needed = answer.required and answer.name not in record.not_asked and answer.is_asked(record)
        if is_needed and answer.name in missing:
            yield label_of_field(answer), word_missing(missing, answer.name)


def named(row: Record, number: int, parent: type[PatientRecord]) -> str:
    """What a row of a block is called: the words of the code that has this row, else its number."""
    model = record_model(row.form)
    reference = next(name for child, name in children_of(parent) if child is model)
    key = wide_column(model, reference)
    return label_of(key.codes, getattr(row, key.name)) if key is not None else f"{model.form.title} {number}"


def of_row(row: Record, title: str) -> Iterator[str]:
    """What is missing of one row. Of a laboratory result it is the result, whatever of it was marked; optional tests may be missing."""
    found = list(needed_but_missing(row))
    test = TESTS.get(row.answers.get("test") or "")
    if test is not None:
        found = found[:1] if test.required else []
    for label, mark in found:
        yield f"{title} ({mark})" if test is not None else f"{title}, {label} ({mark})"


def why_missing(model: type[PatientRecord]) -> EditCheck:
    """The check of one form."""

    def fails(record: Record, book: Casebook) -> Verdict:
        said = [f"{label} ({mark})" for label, mark in needed_but_missing(record)]
        for rows in record.rows.values():
            for number, row in enumerate(rows, start=1):
                said += of_row(row, named(row, number, model))
        return {"answers": "; ".join(said)} if said else False

    code = model.form.code
    return EditCheck(
        code=f"MC-{code}",
        form=code,
        field="",
        asks="The form needs these answers, and they are marked as missing: {answers}. Please say why.",
        severity=Severity.WARNING,
        fails=fails,
        by_record=True,
    )


def _checks() -> Iterator[EditCheck]:
    for model in record_models():
        blocks: list[Any] = [child for child, _ in children_of(model)]
        if not model.form.part_of and any(answer.required for each in (model, *blocks) for answer in each.answers()):
            yield why_missing(model)


CHECKS = tuple(_checks())
