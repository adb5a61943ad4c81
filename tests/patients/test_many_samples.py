"""A casebook with many samples is checked in a time that grows with their number, and not with its square."""

from collections import UserDict
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from patients.checking import edit_checks
from tests.casebooks import book, row
from trial.edit_checks import Record, find, touching

FIRST = datetime(2013, 3, 11, 8)
RESULTS = {
    "LBH": {"NEUT": 0, "PLAT": 18, "HGB": 80, "WBC": 2},
    "LBC": {"ALT": 400, "BILI": 60, "ALP": 80, "UREA": 21},
}


class Counted(UserDict):
    """Answers that count how often they are read."""

    reads = 0

    def __getitem__(self, name):
        Counted.reads += 1
        return super().__getitem__(name)


def sample(form: str, number: int) -> Record:
    results = {
        test: row(f"{form}.RESULT", test=test, value=value, value_text=str(value), unit_text="U/L", high=10, grade=4)
        for test, value in RESULTS[form].items()
    }
    taken_at = (FIRST + timedelta(days=number)).isoformat()
    taken = row(form, taken_at=taken_at, laboratory="LAB1", visit="UNS", rows=list(results.values()), **results)
    return replace(taken, answers=Counted(taken.answers))


def reads_of(form: str, samples: int) -> int:
    """How often the answers of so many samples are read, when all that looks at them is checked."""
    casebook = book(
        row("ENR", consented_on="2013-03-01", is_enrolled=True),
        row("EX", started_at="2013-03-04T09:00", ended_at="2013-04-01T09:00", dose_ug_per_day=9, cycle=1),
        *(sample(form, number) for number in range(samples)),
    )
    before = Counted.reads
    assert find(touching(edit_checks(), [form]), casebook)
    return Counted.reads - before


@pytest.mark.parametrize("form", RESULTS)
def test_twice_as_many_samples_are_read_about_twice_as_often(form):
    assert reads_of(form, 80) < 2.3 * reads_of(form, 40)
