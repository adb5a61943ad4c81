"""The data dictionary: every form and answer, written from the declarations themselves.

The rule: nothing is told twice. What stands here is what the database refuses and what the pages show.
"""

from collections.abc import Iterable

from trial.code_lists import codes_of
from trial.derived_answers import derivations_of
from trial.fields import Answer, CodedField, CodesField, LimitedAnswer, NumberField, PartialDateField
from trial.records import FIRST_VERSION, PatientRecord, record_models

KINDS = {
    "TextField": "text",
    "CodedField": "one of",
    "CodesField": "any of",
    "YesNoField": "yes or no",
    "WholeNumberField": "whole number",
    "NumberField": "number",
    "RatioField": "ratio",
    "FullDateField": "date",
    "MomentField": "instant, UTC",
    "OffsetField": "minutes ahead of UTC",
    "PartialDateField": "date",
}


def data_dictionary() -> str:
    """The data dictionary as Markdown: a section a form, a row an answer."""
    lines = [
        "# Data dictionary",
        "",
        "Written by `manage.py write_docs` from the models. *Name* is Marrow's, *CDISC* the name at the border;",
        "a form's code stands before its CDISC names (`HSCT.HSDAT`). **R** marks an answer without which the form is",
        "incomplete. Limits include their bounds and are enforced by the database. An answer that not every version of its",
        "form asks says from which version, or until which. *Derived* answers follow from others: they are shown with their",
        "rule and never asked, stored or typed; one that may be overwritten names the answer that does it.",
    ]
    for model in record_models():
        lines += ["", *_form(model)]
    return "\n".join(lines) + "\n"


def _form(model: type[PatientRecord]) -> list[str]:
    form = model.form
    kept = "asked at visits" if form.at_visits else "a log" if form.repeats else "once"
    part = f", part of {form.part_of}" if form.part_of else ""
    return [
        f"## {form.code}: {form.title}",
        "",
        f"{form.section}; {kept}{part}. Version {model.present_version()}. Table `{model._meta.db_table}`.",
        "",
        "| Name | Label | CDISC | Kind | Unit | R | Limits or codes |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(_answer(answer) for answer in model.answers()),
        *_derived(form.code),
    ]


def _derived(form: str) -> list[str]:
    derivations = derivations_of(form)
    if not derivations:
        return []
    rows = [
        (each.name, each.label, each.unit, each.rule, each.source, ", ".join(each.reads), each.answer)
        for each in derivations
    ]
    return [
        "",
        "| Derived | Label | Unit | Rule | STUDY | Reads | Overwritten by |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(_row(cells) for cells in rows),
    ]


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _answer(answer: Answer) -> str:
    required = "R" if answer.required else ""
    label = f"{answer.verbose_name}{_versions(answer)}"
    cells = (answer.name, label, answer.oid, _kind(answer), answer.unit, required, _bounds(answer))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _versions(answer: Answer) -> str:
    """From which version of the form it is asked, and until which, where that is not always."""
    said = [f"from version {answer.since}"] if answer.since > FIRST_VERSION else []
    said += [f"until version {answer.until}"] if answer.until is not None else []
    return f" ({', '.join(said)})" if said else ""


def _kind(answer: Answer) -> str:
    kind = KINDS[type(answer).__name__]
    if isinstance(answer, NumberField) and answer.places:
        return f"{kind}, {answer.places} decimal place{'s' if answer.places > 1 else ''}"
    if isinstance(answer, PartialDateField):
        return f"{kind}{' and time' if answer.with_time else ''}, {answer.least} at least"
    return kind


def _bounds(answer: Answer) -> str:
    if isinstance(answer, LimitedAnswer):
        low, high = answer.limits
        return f"{'' if low is None else low} – {'' if high is None else high}" if answer.limits != (None, None) else ""
    return "; ".join(codes_of(answer.codes)) if isinstance(answer, CodedField | CodesField) else ""
