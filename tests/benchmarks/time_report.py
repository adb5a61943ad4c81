"""Run as a program on a demo database: how long all outputs take in a warm process, and with how many queries. Prints JSON."""

import json
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import django

RUNS = 5


def timed(work: Callable[[], Any], into: list[float]) -> Any:
    """Do some work and note its seconds."""
    began = perf_counter()
    done = work()
    into.append(perf_counter() - began)
    return done


def measure() -> dict[str, Any]:
    """Medians in seconds of the whole and of its steps, and the number of queries of one report."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from analysis.catalogue import entries
    from analysis.derive import derive
    from analysis.extract import EVERYTHING, extract
    from analysis.report import Basis, Report, report
    from analysis.tables.groups import PRIOR, Analysis

    with CaptureQueriesContext(connection) as queries:
        study = report(EVERYTHING).study  # this warms the process, too
    with CaptureQueriesContext(connection) as queries:
        report(EVERYTHING)
    times: dict[str, list[float]] = {name: [] for name in ("all", "extract", "derive", "tables", "json")}
    for _ in range(RUNS):
        timed(lambda: report(EVERYTHING).as_json(), times["all"])
    for _ in range(RUNS):
        read = timed(lambda: extract(EVERYTHING, study), times["extract"])
        made = timed(lambda read=read: derive(read.frames, read.parameters, read.cutoff), times["derive"])
        analysis = Analysis(made, read.parameters, PRIOR, is_synthetic=True)
        done = timed(lambda it=analysis: tuple(one.output(it) for one in entries(study.code)), times["tables"])
        timed(Report(Basis(read, made, PRIOR), done).as_json, times["json"])
    return {name: median(seconds) for name, seconds in times.items()} | {"queries": len(queries)}


if __name__ == "__main__":
    django.setup()
    print(json.dumps(measure()))
