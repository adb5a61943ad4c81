"""Every T-4 and T-5 number of an unconstrained demo beside an independent recomputation from its raw tables."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.reference.recompute import number, patients

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = ("value", "lower", "upper", "n", "N")


def run(database: Path, *arguments: str) -> str:
    """A command on a database of its own, as somebody at a terminal gives it: without the settings of the tests."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MARROW_", "DJANGO_"))}
    environment |= {"MARROW_DATABASE": str(database), "MARROW_MODE": "demo"}
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=900).stdout


def plain(value: Any) -> float | None:
    return None if value is None or value != value else float(value)


@pytest.mark.reference
@pytest.mark.parametrize(
    ("count", "cutoffs"),
    [(60, ["2014-09-30"]), pytest.param(500, ["2014-09-30", "2016-12-31"], marks=pytest.mark.slow)],
)
def test_every_number_of_response_and_survival_is_recomputed_from_the_raw_tables(
    tmp_path: Path, count: int, cutoffs: list[str]
):
    database = tmp_path / f"recompute-{count}.sqlite3"
    run(database, "demo", "--no-serve", "--patients", str(count), "--seed", "7")

    for cutoff in cutoffs:
        outputs = json.loads(run(database, "report", "--cutoff", cutoff))["outputs"]
        recomputed = patients(database, cutoff)
        compared = 0
        for output in outputs:
            if not output["number"].startswith(("T-4.", "T-5.")):
                continue
            for result in output["results"]:
                key = output["number"], result["group"], result["variable"], result["level"], result["statistic"]
                ours = [plain(result[name]) for name in NUMBERS]
                theirs = [plain(each) for each in number(recomputed, *key)]
                near = [None if one is None else pytest.approx(one, rel=1e-9, abs=1e-9) for one in theirs]
                assert ours == near, (cutoff, key)
                compared += 1
        assert compared > 180


@pytest.mark.reference
def test_the_recomputation_fits_on_one_page_and_takes_nothing_from_marrow():
    text = (ROOT / "tests" / "reference" / "recompute.py").read_text(encoding="utf-8")

    assert len(text.splitlines()) <= 80
    assert max(map(len, text.splitlines())) <= 140
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or "."] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names])
    }
    assert imported == {"sqlite3", "numpy", "pandas", "lifelines", "scipy"}
