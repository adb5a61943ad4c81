"""What the derived answers of live records are, in words, and by which rule: one mechanism for every page.

The rule: computed from what is saved whenever it is shown. The forms that the rules read are read once, however many records
there are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from patients.checking import answers_of, casebook_for, tests_of
from patients.laboratory_grades import GRADED_TESTS, Normal, laboratory_grade
from patients.laboratory_tests import TESTS
from patients.measured import read_measured, split_qualifier
from patients.models.laboratory import LaboratoryResult
from patients.units import UnknownUnit
from trial.derivations import Between, Derivation
from trial.derived_answers import derivations_of
from trial.edit_checks import Casebook, Record
from trial.models import Patient
from trial.records import PatientRecord
from trial.wording import word_date, word_moment, word_number


@dataclass(frozen=True, slots=True)
class Derived:
    """A derived answer as a page shows it. Without `text` it cannot be told yet.

    `answer` names the answer that may overwrite it, and `is_overwritten` says whether that one is given.
    """

    name: str
    label: str
    unit: str
    text: str
    rule: str
    source: str
    answer: str = ""
    is_overwritten: bool = False

    @property
    def says_rule(self) -> bool:
        """Whether the rule is read beside the value, where room is scarce: that of a normal result is only pointed at."""
        return bool(self.answer) or (self.name == "LBTOXGR" and self.text != "0")

    @property
    def is_number(self) -> bool:
        """Whether the column is set to the right."""
        return bool(self.unit)


def derived_of(patient: Patient, model: type[PatientRecord], records: Sequence[PatientRecord]) -> list[list[Derived]]:
    """The derived answers of each record of a form, saved or new, in the order of the form."""
    if issubclass(model, LaboratoryResult):
        return [derived_of_result(record) for record in records]
    derivations = derivations_of(model.form.code)
    if not derivations or not records:
        return [[] for _ in records]
    return derived_in(casebook_for(patient, derivations), model, records)


def derived_in(book: Casebook, model: type[PatientRecord], records: Sequence[PatientRecord]) -> list[list[Derived]]:
    """The derived answers of each record of a form, from a casebook that has the forms which its derivations read."""
    derivations = derivations_of(model.form.code)
    saved = {record.key: record for record in book.all(model.form.code)}
    return [_of_record(derivations, saved.get(record.pk) or _new(model), book) for record in records]


def _of_record(derivations: Iterable[Derivation], record: Record, book: Casebook) -> list[Derived]:
    return [
        Derived(
            each.name,
            each.label,
            each.unit,
            word_derived(each.derive(record, book)),
            each.rule,
            each.source,
            each.answer,
            bool(each.answer and getattr(record, each.answer) is not None),
        )
        for each in derivations
    ]


def _new(model: type[PatientRecord]) -> Record:
    """A record of which nothing is saved yet: what follows from other forms can be told already."""
    return Record(model.form.code, 0, 0, "", dict.fromkeys(tests_of(model)) | answers_of(model()))


def word_derived(value: Any) -> str:
    """A derived value in words, without its unit; empty text for what cannot be told."""
    if value is None:
        return ""
    if isinstance(value, Between):
        return f"{word_derived(value.least)} to {word_derived(value.most)}"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, datetime):
        offset = value.utcoffset()
        return word_moment(value, None if offset is None else int(offset.total_seconds() // 60))
    if isinstance(value, date):
        return word_date(value)
    return word_number(value) if isinstance(value, Decimal) else str(value)


# Laboratory results: what follows from them is stored with them, because the range of that day is not looked up again.

STORED_WITH_RESULT = frozenset({"value", "low", "high", "grade"})
AS_SAVED = "As it was when the result was saved: for sex, age and day of the sample."


def derived_of_result(result: Any) -> list[Derived]:
    """What is stored with a laboratory result: its value in the standard unit, the normal range, and the grade."""
    if not result.value_text:
        return []
    test, unit, found = TESTS[result.test], result.unit_text, []
    if unit != test.unit and result.value is not None:
        text = split_qualifier(result.value_text)[0] + word_number(result.value)
        found.append(Derived("LBSTRESN", "In the standard unit", test.unit, text, f"Converted from {unit}.", "C.11"))
    if result.low is not None and result.high is not None:
        text = f"{word_number(result.low)} to {word_number(result.high)}"
        found.append(Derived("LBNRLO", "Normal", unit, text, AS_SAVED, "B.1"))
    if test.code in GRADED_TESTS:
        text = "" if result.grade is None else str(result.grade)
        found.append(Derived("LBTOXGR", "CTCAE v4.03 grade", "", text, rule_of_grade(result), "C.7.2"))
    return found


def graded_beside(result: Any) -> str:
    """The grade of a laboratory result in a word or two, where it is one that counts."""
    return f"grade {result.grade}" if result.grade else ""


def rule_of_grade(result: Any) -> str:
    """The rule that gave a result its grade, or the reason why it has none."""
    if result.test == "CA":
        return "By calcium corrected for the albumin of the sample; without albumin there is no grade."
    typed = read_measured(result.value_text)
    try:
        normal = Normal(result.low, result.high)
        found = (
            laboratory_grade(result.test, typed.number, result.unit_text, normal, qualifier=typed.qualifier)
            if typed is not None
            else None
        )
    except UnknownUnit:
        found = None
    if found is None:
        return "The result as reported cannot be graded."
    return found.rule if found.grade == result.grade else "As graded when the result was saved."
