"""The empty forms of the casebook, annotated: each question with its name for the outside, and the codes behind its words.

The rule: what is on paper is what the forms on the screen ask, from the same declarations.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any

from patients.casebook import children_of, wide_column
from patients.entry.sheet import word_condition
from patients.laboratory_tests import panel_of
from patients.models.laboratory import LaboratoryResult
from patients.printing.document import BlankForm, BlankQuestion, BlankTable, Document, Option, Part
from patients.printing.typesetting import typeset
from patients.units import units_of
from trial.changes import questions
from trial.fields import Answer, CodedField, CodesField, FullDateField, MomentField, PartialDateField, YesNoField
from trial.models import Patient, Study
from trial.records import SECTIONS, PatientRecord, record_models
from trial.wording import WHY_BLANK, label_of_field, unit_of, word_date

ROWS = 5  # to fill in a block that has no row for each code
LONG_TEXT = 200  # characters; a question that may hold so many gets several lines
YES_OR_NO = (Option("Y", "Yes"), Option("N", "No"))
LEGEND = (
    "* marks a question without which the form is incomplete. Small and grey stand the name of the question and the code "
    "that is stored.",
    f"Where there is no answer, write why: {', '.join(f'{code} ({words.lower()})' for code, words in WHY_BLANK.items())}.",
    "Write UN for the unknown part of a date. Times are those of the clock at the site.",
)


def blank_casebook_pdf(study: Study, day: date, patient: Patient | None = None) -> bytes:
    """The empty forms as a PDF that says the day on which it was made: the same bytes all day."""
    return _typeset_once(blank_casebook(study, day, patient), datetime.combine(day, time.min, UTC))


_typeset_once = lru_cache(maxsize=8)(typeset)  # the forms are the same for everybody who prints them that day


def blank_casebook(study: Study, day: date, patient: Patient | None = None) -> Document:
    """Every form of the study, empty; with the number and the site of a patient on each page where one is given."""
    return Document(
        title=f"Blank casebook of {patient.number}" if patient else "Blank casebook",
        study=study.code,
        study_title=study.title,
        site=str(patient.site) if patient else "",
        patient=patient.number if patient else "",
        is_synthetic=study.is_synthetic,
        printed=word_date(day),
        facts=(),
        legend=LEGEND,
        parts=tuple(_parts()),
    )


def _parts() -> Iterator[Part]:
    for section in SECTIONS:
        forms = [model for model in record_models() if model.form.section == section and not model.form.part_of]
        yield Part(section, "", blank=tuple(map(_form, forms)))


def _form(model: type[PatientRecord]) -> BlankForm:
    form = model.form
    kept = "At each visit that asks for it" if form.at_visits else "A sheet for each" if form.repeats else "Once"
    return BlankForm(
        code=form.code,
        title=form.title,
        note=f"{kept}. Visit: ____________   Sheet ____ of ____",
        questions=tuple(_question(field, form.code) for field in asked_now(model)),
        tables=tuple(_table(child, parent) for child, parent in children_of(model)),
    )


def asked_now(model: type[PatientRecord]) -> list[Any]:
    """The questions that the present version of a form asks."""
    present = model.present_version()
    return [field for field in questions(model) if not isinstance(field, Answer) or field.is_of(present)]


def _question(field: Any, form: str) -> BlankQuestion:
    return BlankQuestion(
        question=label_of_field(field),
        oid=_oid(field, form),
        kind=_kind(field),
        unit=unit_of(field),
        options=tuple(_options(field)),
        is_required=isinstance(field, Answer) and field.required,
        note=_note(field),
    )


def _oid(field: Any, form: str) -> str:
    return f"{form}.{field.oid}" if getattr(field, "oid", "") else form


def _kind(field: Any) -> str:
    if isinstance(field, YesNoField):
        return "one"
    if isinstance(field, CodesField):
        return "boxes"
    if isinstance(field, CodedField) and field.codes:
        return "one"
    if isinstance(field, MomentField) or (isinstance(field, PartialDateField) and field.with_time):
        return "moment"
    if isinstance(field, PartialDateField):
        return "partial day"
    if isinstance(field, FullDateField):
        return "day"
    return "lines" if (getattr(field, "max_length", None) or 0) >= LONG_TEXT else "line"


def _options(field: Any) -> Sequence[Option]:
    if isinstance(field, YesNoField):
        return YES_OR_NO
    codes = field.codes if isinstance(field, CodedField | CodesField) else ()
    return [Option(code, label) for code, label in codes]


def _note(field: Any) -> str:
    """What helps to answer, and when the question is asked at all."""
    if field.is_relation:
        return f"Which one: write down what names it on its form {field.related_model.form.code}."
    only = f"Only where {word_condition(field)}." if isinstance(field, Answer) and field.asked_if else ""
    several = "Tick all that hold." if isinstance(field, CodesField) else ""
    return " ".join(part for part in (only, several, getattr(field, "hint", "")) if part)


def _table(child: type[PatientRecord], parent: str) -> BlankTable:
    if issubclass(child, LaboratoryResult):
        return _panel(child)
    key = wide_column(child, parent)
    asked = [field for field in asked_now(child) if field is not key]
    heads = tuple(f"{label_of_field(field)}{_behind(field)}" for field in asked)
    oids = tuple(_oid(field, child.form.page) for field in asked)
    notes = tuple(_word_options(field) for field in asked if isinstance(field, CodedField | CodesField))
    if key is None:
        return BlankTable(child.form.title, heads, oids, (("",) * len(heads),) * ROWS, notes)
    rows = tuple((f"{label} ({code})" if code != label else label, *_cells(asked)) for code, label in key.codes)
    return BlankTable(child.form.title, (label_of_field(key), *heads), (_oid(key, child.form.page), *oids), rows, notes)


def _cells(asked: Sequence[Any]) -> list[str]:
    return ["☐ Yes   ☐ No" if isinstance(field, YesNoField) else "" for field in asked]


def _behind(field: Any) -> str:
    unit = unit_of(field)
    required = " *" if isinstance(field, Answer) and field.required else ""
    return f" ({unit}){required}" if unit else required


def _word_options(field: CodedField | CodesField) -> str:
    codes = "; ".join(f"{label} ({code})" if label != code else label for code, label in field.codes)
    return f"{label_of_field(field)}: {codes}."


def _panel(child: type[LaboratoryResult]) -> BlankTable:
    """The tests of a laboratory form: a result and its unit as on the report. All else follows from them."""
    rows = tuple(
        (
            f"{test.label} ({test.code}){' *' if test.required else ''}",
            "",
            "  ".join(f"☐ {u}" for u in units_of(test.code)),
        )
        for test in panel_of(child.form.part_of)
    )
    return BlankTable(
        child.form.title,
        ("Test", "Result, as on the report", "Unit"),
        tuple(_oid(child._meta.get_field(name), child.form.page) for name in ("test", "value_text", "unit_text")),
        rows,
    )
