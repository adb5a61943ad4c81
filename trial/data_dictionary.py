"""The data dictionary: every form and answer, written from the declarations themselves.

The rule: nothing is told twice. What stands here is what the database refuses and what the pages show.
"""

from trial.code_lists import codes_of
from trial.fields import Answer, CodedField, CodesField, LimitedAnswer, NumberField, PartialDateField
from trial.records import PatientRecord, record_models

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
        "incomplete. Limits include their bounds and are enforced by the database.",
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
        f"{form.section}; {kept}{part}. Table `{model._meta.db_table}`.",
        "",
        "| Name | Label | CDISC | Kind | Unit | R | Limits or codes |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(_answer(answer) for answer in model.answers()),
    ]


def _answer(answer: Answer) -> str:
    required = "R" if answer.required else ""
    cells = (answer.name, str(answer.verbose_name), answer.oid, _kind(answer), answer.unit, required, _bounds(answer))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


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
