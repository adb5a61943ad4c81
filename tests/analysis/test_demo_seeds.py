"""Other seeds of the demo, through the analysis: no judged figure differs there either (STUDY E.2)."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from analysis.demo.build import plan_study
from analysis.demo.write import write_study
from analysis.report import EVERYTHING, report

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=[2, 3])
def seed_of_the_module(request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any) -> Iterator[int]:
    """The study of another seed, written once, in a transaction that is taken back."""
    with django_db_blocker.unblock(), transaction.atomic():
        write_study(plan_study(request.param), label=f"Seed {request.param} for a test.")
        yield request.param
        transaction.set_rollback(True)


@pytest.fixture
def another(seed_of_the_module: int, db: None) -> int:
    """The seed of that study. What a test changes is taken back after it."""
    return seed_of_the_module


def shown(number: str, **asked: Any) -> list[Any]:
    (output,) = report(EVERYTHING, study="MT103-211", outputs=[number], **asked).outputs
    return list(output.results)


def test_no_judged_figure_differs(another: int) -> None:
    verdicts = [(line.variable, line.extra["verdict"]) for line in shown("A-9.3") if "verdict" in line.extra]

    assert len(verdicts) == 140
    assert [variable for variable, verdict in verdicts if verdict == "differs"] == []


def test_three_years_of_survival_are_open_at_the_early_cut(another: int) -> None:
    survival = {r.level: r.text for r in shown("T-5.3", cutoff="2014-09-30") if r.group == "Prior alloHSCT"}

    assert survival["12 months"].startswith("35.9 %")
    assert survival["36 months"] == "NE"
