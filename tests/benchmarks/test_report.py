"""How long the whole report takes in a warm process, and that its queries do not grow with the patients."""

from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from analysis.catalogue import entries
from analysis.demo.build import plan_study
from analysis.demo.write import write_study
from analysis.derive import derive
from analysis.extract import EVERYTHING, extract
from analysis.report import Basis, Report, report
from analysis.tables.groups import PRIOR, Analysis

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db]

RUNS = 5
MOST_SECONDS = 1.0


def build(patients: int) -> None:
    with transaction.atomic():
        write_study(plan_study(1, patients), label="A study for a benchmark.")


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = perf_counter()
    done = work()
    return perf_counter() - began, done


def queries() -> int:
    with CaptureQueriesContext(connection) as captured:
        report(EVERYTHING).as_json()
    return len(captured)


def test_all_outputs_for_189_patients_take_a_second_from_the_call_to_the_finished_json(
    capsys: pytest.CaptureFixture[str],
):
    build(189)
    report(EVERYTHING).as_json()  # warm

    whole, steps = [], []
    for _ in range(RUNS):
        seconds, _ = timed(lambda: report(EVERYTHING).as_json())
        whole.append(seconds)
    for _ in range(RUNS):
        study = report(EVERYTHING, outputs=["T-4.1"]).study
        reading, read = timed(lambda study=study: extract(EVERYTHING, study))
        deriving, datasets = timed(lambda read=read: derive(read.frames, read.parameters, read.cutoff))
        analysis = Analysis(datasets, read.parameters, PRIOR, is_synthetic=True)
        tabling, outputs = timed(lambda analysis=analysis: tuple(one.output(analysis) for one in entries("MT103-211")))
        writing, _ = timed(Report(Basis(read, datasets, PRIOR), outputs).as_json)
        steps.append((reading, deriving, tabling, writing))

    with capsys.disabled():
        parts = [median(column) for column in zip(*steps, strict=True)]
        print(f"\nAll outputs, 189 patients, median of {RUNS}: {median(whole):.2f} s")
        print("extract {:.2f} s, derive {:.2f} s, tables and figures {:.2f} s, JSON {:.2f} s".format(*parts))
    assert median(whole) <= MOST_SECONDS


def test_ten_times_the_patients_take_the_same_number_of_queries(capsys: pytest.CaptureFixture[str]):
    found = {}
    for patients in (189, 1890):
        point = transaction.savepoint()
        build(patients)
        found[patients] = queries()
        seconds, _ = timed(lambda: report(EVERYTHING).as_json())
        with capsys.disabled():
            print(f"\n{patients} patients: {found[patients]} queries, {seconds:.2f} s")
        transaction.savepoint_rollback(point)

    assert found[189] == found[1890]
