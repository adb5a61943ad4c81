"""Every edit check on patients of the demo: silent on a clean one, and heard when that patient's forms are made wrong.

What is wrong comes from the examples of the checks: the forms that an example shows take the place of the patient's own, and
where the check asks for a form that is not there, the patient's is taken out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest

from patients.checking import casebook_for, edit_checks
from tests.casebooks import TODAY, WITH_EXAMPLES, book, row
from tests.patients.test_edit_checks_history import hsct
from tests.patients.test_edit_checks_treatment import ex, full
from tests.safety.test_edit_checks import ae, dose, graded, neu, sample
from trial.edit_checks import Casebook, EditCheck, Record, find
from trial.models import Patient, Study
from trial.records import record_models

DAYS = ("2013-03-01", "2013-03-11", "2013-03-12")
SHOWN_HERE = [
    ("EC-028", [hsct()]),
    ("EC-110", [ex(number=1), full("2013-03-11T08:59", number=2)]),
    ("EC-174", [ae(led_to_hospital=False), row("HO", reason="GVHD", event_id=1)]),
    ("EC-185", [dose(), *(sample("LBC", day, **graded("ALT", 20, 3 if day > DAYS[0] else 0)) for day in DAYS)]),
    ("EC-186", [ae(), neu(resolved="2013-03-05")]),
]
SPECIFIED = [check for check in edit_checks() if check.code.startswith("EC-")]


def examples_of(check: EditCheck) -> list[Sequence[Record]]:
    """The records on which the check asks, of each of its examples."""
    examples = [example for name in WITH_EXAMPLES for example in import_module(name).EXAMPLES]
    return [
        records
        for code, records, *_ in [*examples, *SHOWN_HERE]
        if code == check.code and find([check], book(*records, gates={check.form: False}))
    ]


@pytest.fixture(scope="module")
def casebooks(demo_of_the_module: Study, django_db_blocker: Any) -> dict[str, Casebook]:
    """The casebook of each patient of the demo, by number."""
    with django_db_blocker.unblock():
        patients = Patient.objects.filter(study=demo_of_the_module)
        return {patient.number: casebook_for(patient, edit_checks()) for patient in patients}


def made_wrong(clean: Casebook, shown: Sequence[Record], check: EditCheck) -> Iterator[Casebook]:
    """The casebook with the forms of an example in the place of its own; without what else the check reads; on the example's day.

    The site says, wrongly, that there is nothing to report on the form.
    """
    by_form: dict[str, list[Record]] = {}
    for record in shown:
        by_form.setdefault(record.form, []).append(record)
    others = dict.fromkeys(set(check.reads) - set(by_form), ())
    wrong = replace(clean, records={**clean.records, **by_form}, gates={**clean.gates, check.form: False})
    yield wrong
    yield replace(wrong, records={**clean.records, **others, **by_form})
    yield replace(wrong, records={**clean.records, **others, **by_form}, asked_on=TODAY)


def test_every_check_is_silent_on_a_clean_patient_and_asks_when_their_forms_are_made_wrong(
    demo: Study, casebooks: dict[str, Casebook]
):
    unheard = []

    for check in SPECIFIED:
        clean = [casebook for casebook in casebooks.values() if not find([check], casebook)]
        wrong = (each for shown in examples_of(check) for one in clean for each in made_wrong(one, shown, check))
        if not any(find([check], each) for each in wrong):
            unheard.append((check.code, check.form))

    assert len(SPECIFIED) > 183
    assert unheard == []


class Noting(dict[str, Sequence[Record]]):
    """Records that note of which forms they were asked for."""

    def __init__(self, records: Mapping[str, Sequence[Record]]) -> None:
        super().__init__(records)
        self.asked: set[str] = set()

    def get(self, form: str, default: Any = None) -> Any:
        self.asked.add(form)
        return super().get(form, default)


def test_a_check_names_every_form_of_which_it_looks_at_other_records(demo: Study, casebooks: dict[str, Casebook]):
    """A save runs the checks that name the form, and those that do not name their own on the saved record alone."""
    looks: dict[EditCheck, set[str]] = {}
    blocks = {model.form.code for model in record_models() if model.form.part_of}  # they are read with their form
    for check in edit_checks():
        shown = [book(*records, gates={check.form: False}) for records in examples_of(check)]
        looks[check] = set()
        for casebook in [*casebooks.values(), *shown]:
            noting = Noting(casebook.records)
            for record in casebook.all(check.form):
                check.verdict(record, replace(casebook, records=noting))
            looks[check] |= noting.asked - blocks

    assert [
        (check.code, check.form, unnamed) for check, asked in looks.items() if (unnamed := asked - set(check.reads))
    ] == []
    assert [(check.code, check.form) for check, asked in looks.items() if check.form in set(check.reads) - asked] == []
