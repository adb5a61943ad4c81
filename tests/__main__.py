"""`./marrow test`: the whole suite on SQLite, then what touches the database on PostgreSQL, and a closing summary."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

POSTGRESQL = "postgresql://postgres@127.0.0.1:5432/postgres"
NO_TESTS_COLLECTED = 5  # pytest's exit code when the arguments choose no test of a run


def main(arguments: list[str]) -> int:
    """Run pytest once for each engine with `arguments`; the worst exit code."""
    chosen = os.environ.get("MARROW_TEST_DATABASE")
    address = chosen if chosen not in {None, "sqlite"} else POSTGRESQL
    obstacle = None if chosen == "sqlite" else why_not(address)
    must = "postgresql" in os.environ.get("MARROW_REQUIRE", "").split(",")
    if must and obstacle:
        print(f"MARROW_REQUIRE names postgresql, but {obstacle}")
        return 1

    codes, lines = [], []
    for engine, database, extra in (("SQLite", "sqlite", []), ("PostgreSQL", address, ["--database-only"])):
        if engine == "PostgreSQL" and chosen == "sqlite":
            lines.append("PostgreSQL: not run, because MARROW_TEST_DATABASE is 'sqlite'.")
        elif engine == "PostgreSQL" and obstacle:
            lines.append(f"PostgreSQL: NOT TESTED, because {obstacle}")
        else:
            code, line = run(engine, database, [*extra, *workers(arguments), *arguments])
            codes.append(0 if code == NO_TESTS_COLLECTED and engine == "PostgreSQL" else code)
            lines.append(line)
    print("\n" + "\n".join(["== Both engines ".ljust(80, "="), *lines]))
    return max(codes)


def why_not(address: str) -> str | None:
    """A clause that says why PostgreSQL cannot be used, or None when it answers."""
    import psycopg

    try:
        psycopg.connect(address, connect_timeout=5).close()
    except psycopg.Error as error:
        first_line = str(error).strip().splitlines()[0]
        where = address.rsplit("@", 1)[-1]  # without the password
        return f"nothing usable answers at {where} ({first_line}). Start it, or name another with MARROW_TEST_DATABASE."
    return None


def workers(arguments: list[str]) -> list[str]:
    """One worker a core, unless the arguments say otherwise or want the terminal, or measure time.

    Each takes its half of the files from one end to the other, so that what a module builds is built once.
    """
    own = ("-n", "--numprocesses", "--pdb", "-s", "--capture", "--collect-only", "--co")
    if any(argument.startswith(own) for argument in arguments) or any(
        "benchmark" in argument for argument in arguments
    ):
        return []
    return ["-n", "auto", "--dist", "worksteal"]


def run(engine: str, database: str, arguments: list[str]) -> tuple[int, str]:
    """Run pytest on one engine. Returns its exit code and one line for the closing summary."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        environment = os.environ | {"MARROW_TEST_DATABASE": database, "MARROW_TEST_REPORT": str(report)}
        code = subprocess.run([sys.executable, "-m", "pytest", *arguments], env=environment, check=False).returncode
        if not report.exists():
            return code, f"{engine}: stopped with exit code {code}."
        summary: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    counts = ", ".join(f"{count} {word}" for word, count in summary["counts"].items() if count) or "no test chosen"
    skipped = "".join(f"\n  skipped {count}: {reason}" for reason, count in sorted(summary["skipped"].items()))
    return code, f"{engine}: {counts}.{skipped}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
