"""A casebook with many records of a form is checked in a time that grows with their number, and not with its square."""

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


def counted(form: str, **answers) -> Record:
    found = row(form, **answers)
    return replace(found, answers=Counted(found.answers))


def infusion(number: int) -> list[Record]:
    """An interval of half a day at another rate than the one before, with its premedication."""
    start = FIRST + timedelta(days=number)
    return [
        counted(
            "EX",
            number=number,
            cycle=1 + number // 20,
            dose_ug_per_day=9 if number % 2 else 28,
            started_at=start.isoformat(),
            ended_at=(start + timedelta(hours=12)).isoformat(),
            change_reason="ADVERSE EVENT",
        ),
        counted("DEX", purpose="PREMEDICATION", dose_mg=20, given_at=(start - timedelta(hours=1)).isoformat()),
    ]


def assessment(number: int) -> list[Record]:
    """A response with its marrow, its blood count and its examination."""
    day = (FIRST + timedelta(days=number)).date().isoformat()
    marrow = counted("BM", key=10_000 + number, sampled_on=day, blasts_percent=3, is_adequate=True, reader="CENTRAL")
    response = ("CR", "PR", "NR", "CRh")[number % 4]
    return [
        marrow,
        sample("LBH", number),
        counted("EMD", assessed_on=day, status="NO EVIDENCE"),
        counted("RS", response=response, assessed_on=day, cycle=3, marrow_id=marrow.key),
    ]


def weight(number: int) -> list[Record]:
    """A weight that is far from the one before."""
    day = (FIRST - timedelta(days=number)).date().isoformat()
    return [counted("PS", assessed_on=day, weight_kg=40 if number % 2 else 60, writing="UNCHANGED")]


MANY = {
    **{form: lambda number, form=form: [sample(form, number)] for form in RESULTS},
    "EX": infusion,
    "RS": assessment,
    "PS": weight,
}


def reads_of(form: str, records: int) -> int:
    """How often the answers of so many records are read, when all that looks at them is checked."""
    treated = row("EX", started_at="2013-03-04T09:00", ended_at="2013-04-01T09:00", dose_ug_per_day=9, cycle=1)
    casebook = book(
        row("ENR", consented_on="2013-03-01", is_enrolled=True),
        *([] if form == "EX" else [treated]),
        *(record for number in range(records) for record in MANY[form](number)),
    )
    before = Counted.reads
    assert find(touching(edit_checks(), [form]), casebook)
    return Counted.reads - before


@pytest.mark.parametrize("form", MANY)
def test_twice_as_many_records_are_read_about_twice_as_often(form):
    assert reads_of(form, 160) < 2.3 * reads_of(form, 80)
