"""How long the whole report takes in a warm process, and that its queries do not grow with the patients."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.benchmark, pytest.mark.slow]  # ten times the demo takes minutes to write

ROOT = Path(__file__).resolve().parents[2]
MOST_READINGS = (
    12  # the whole report, in times that it takes to read the records alone; three or four on a quiet machine
)


def run(database: Path, *arguments: str) -> str:
    """A program on a database of its own, without the settings of the tests."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MARROW_", "DJANGO_"))}
    environment |= {"MARROW_DATABASE": str(database), "MARROW_MODE": "demo", "PYTHONPATH": str(ROOT)}
    environment |= {"DJANGO_SETTINGS_MODULE": "trial.settings"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, Any]]:
    """What was measured on demos of 189 and of 1,890 patients."""
    found = {}
    for patients in (189, 1890):
        database = tmp_path_factory.mktemp("report") / f"report-{patients}.sqlite3"
        run(database, "manage.py", "demo", "--no-serve", "--patients", str(patients))
        found[patients] = json.loads(run(database, "tests/benchmarks/time_report.py"))
    return found


def test_all_outputs_for_189_patients_take_a_few_times_what_reading_their_records_takes(
    measured: dict[int, dict[str, Any]], capsys: pytest.CaptureFixture[str]
):
    with capsys.disabled():
        for patients, numbers in measured.items():
            times = ", ".join(f"{name} {value:.2f} s" for name, value in numbers.items() if name != "queries")
            print(f"\n{patients} patients, medians of five: {times}; {numbers['queries']} queries")

    assert measured[189]["all"] <= MOST_READINGS * measured[189]["extract"]  # seconds are in docs/performance.md


def test_ten_times_the_patients_take_the_same_number_of_queries(measured: dict[int, dict[str, Any]]):
    assert measured[189]["queries"] == measured[1890]["queries"]
