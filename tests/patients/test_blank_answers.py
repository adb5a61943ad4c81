"""A blank answer is allowed: no check and no derived answer breaks on one, whatever else the casebook holds."""

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest

from patients.checking import edit_checks
from patients.expected import course_of, expected_visits
from tests.casebooks import TODAY, WITH_EXAMPLES, book, row
from trial.derived_answers import derivations_of
from trial.edit_checks import Record, find, touching


def with_one_blank(records: Any) -> Iterator[tuple[Record, list[Record]]]:
    """Each record with one of its answers taken out, and all the records with it. A moment takes its day with it."""
    for place, record in enumerate(records):
        for name, value in record.answers.items():
            if value is None or (name.endswith("_on") and f"{name.removesuffix('_on')}_at" in record.answers):
                continue
            gone = {name: None} | ({f"{name.removesuffix('_at')}_on": None} if name.endswith("_at") else {})
            blank = replace(record, answers={**record.answers, **gone})
            yield blank, [*records[:place], blank, *records[place + 1 :]]


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_a_blank_answer_breaks_no_check_and_no_derived_answer(module):
    for _, records, *_ in import_module(module).EXAMPLES:
        for blank, beside in with_one_blank(records):
            casebook = book(*beside)
            find(touching(edit_checks(), [blank.form]), casebook)
            for record in beside:
                for derivation in derivations_of(record.form):
                    derivation.derive(record, casebook)


def test_a_dose_of_which_the_cycle_is_not_known_starts_none():
    course = course_of(
        book(
            row("ENR", consented_on="2013-03-01", is_enrolled=True),
            row("EX", number=1, cycle=1, started_at="2013-03-04T09:00", dose_ug_per_day=9),
            row("EX", number=2, started_at="2013-03-11T09:00", dose_ug_per_day=28),
        )
    )

    assert list(course.cycles) == [1]
    assert "C1D8" in {visit.code for visit in expected_visits(course, TODAY)}
