"""The engine of a run, what this machine cannot test, and who may be called. The cast is in `cast.py`."""

import ipaddress
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.test import TransactionTestCase

from tests.database import empty_tables

# Chosen here for a run, so that each engine leaves its own line in the closing summary of `./marrow test`.
ENGINE = "SQLite" if os.environ.get("MARROW_TEST_DATABASE", "sqlite") == "sqlite" else "PostgreSQL"

# The word in MARROW_REQUIRE, the mark on the tests that need it, the programs that will do, and how to get one.
NEEDS = {
    "chromium": ("browser", ("chromium", "chromium-browser", "google-chrome"), "apt-get install chromium"),
    "r": ("r", ("Rscript",), "apt-get install r-base-core r-cran-survival"),
}
REQUIRED = {word.strip() for word in os.environ.get("MARROW_REQUIRE", "").split(",") if word.strip()}
TESTS = Path(__file__).parent
OF_THE_AUDIT_CORE = {
    TESTS / name for name in ("trial/audit", "reliability/test_seals.py", "analysis/test_trail_export.py")
}
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_reset_sequences", "live_server"}

pytest_plugins = ["tests.cast", "tests.post"]
# A busy machine is not a wrong answer. The gate tries the same examples each time; a person's machine looks for new ones.
hypothesis.settings.register_profile("marrow", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("marrow")
TransactionTestCase._fixture_teardown = empty_tables


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database-only", action="store_true", help="Run only the tests that touch the database, without a browser."
    )


def pytest_configure(config: pytest.Config) -> None:
    sys.addaudithook(refuse_the_network)
    unknown = REQUIRED - {*NEEDS, "postgresql"}
    if unknown:
        raise pytest.UsageError(f"MARROW_REQUIRE names '{min(unknown)}'. It may name postgresql, {', '.join(NEEDS)}.")
    for word in sorted(REQUIRED & NEEDS.keys()):
        _, programs, remedy = NEEDS[word]
        if not any(map(shutil.which, programs)):
            raise pytest.UsageError(f"MARROW_REQUIRE names {word}, which is not on this machine. Try: {remedy}")


def pytest_report_header(config: pytest.Config) -> str:
    return f"database engine: {ENGINE}"


def refuse_the_network(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: no test may speak to another machine. PostgreSQL and the live server are on this one."""
    if event == "socket.connect":
        address = arguments[1]
    elif event == "socket.getaddrinfo":
        address = arguments[:2]
    else:
        return
    if isinstance(address, tuple) and not is_this_machine(address[0]):
        raise ConnectionRefusedError(f"A test tried to reach {address[0]}. Tests may reach this machine only.")


def is_this_machine(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host in {None, "", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if item.get_closest_marker("django_db") or DATABASE_FIXTURES & fixtures:
            item.add_marker("database")
        if "page" in fixtures:
            item.add_marker("browser")
        for mark, programs, remedy in NEEDS.values():
            if item.get_closest_marker(mark) and not any(map(shutil.which, programs)):
                item.add_marker(pytest.mark.skip(reason=f"{programs[0]} is not on this machine ({remedy})"))
    elsewhere = "postgresql" if ENGINE == "SQLite" else "sqlite"
    keep_only(config, items, lambda item: not item.get_closest_marker(elsewhere))
    if config.getoption("--database-only"):
        keep_only(config, items, is_database_alone)


def is_database_alone(item: pytest.Item) -> bool:
    """Whether a test touches the database and needs no browser."""
    return item.get_closest_marker("database") is not None and item.get_closest_marker("browser") is None


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Measure coverage where it is promised: by the tests of the pure core, and by those of the audit core.

    Everything else runs without a tracer, which would make it half as slow again.
    """
    plugin = item.config.pluginmanager.getplugin("_cov")
    controller = plugin and plugin.cov_controller
    is_measured = OF_THE_AUDIT_CORE & {item.path, *item.path.parents} or not {"database", "browser"} & {
        mark.name for mark in item.iter_markers()
    }
    if controller is None or is_measured:
        yield
        return
    controller.pause()
    yield
    controller.resume()


def keep_only(config: pytest.Config, items: list[pytest.Item], is_wanted: Callable[[pytest.Item], bool]) -> None:
    """Leave out the items that are not wanted. They are not skipped: on this engine there is nothing to test."""
    config.hook.pytest_deselected(items=[item for item in items if not is_wanted(item)])
    items[:] = [item for item in items if is_wanted(item)]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was not tested here, and leave the counts for the closing summary of `./marrow test`."""
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = reason.removeprefix("Skipped: ")
        reasons[reason] = reasons.get(reason, 0) + 1
    if reasons:
        terminalreporter.section(f"Not tested on {ENGINE}", yellow=True)
        for reason, count in sorted(reasons.items()):
            terminalreporter.line(f"{count} skipped: {reason}")
    reports = [*terminalreporter.stats.get("passed", []), *terminalreporter.stats.get("failed", [])]
    asked = sum(value for report in reports for name, value in report.user_properties if name == "requests")
    if asked:
        terminalreporter.line(f"{asked:,} requests were sent to find what is told to the wrong person.")
    if "MARROW_TEST_REPORT" in os.environ:
        words = ("passed", "failed", "error", "skipped")
        counts = {word: len(terminalreporter.stats.get(word, [])) for word in words}
        summary = {"engine": ENGINE, "counts": counts, "skipped": reasons}
        Path(os.environ["MARROW_TEST_REPORT"]).write_text(json.dumps(summary), encoding="utf-8")
