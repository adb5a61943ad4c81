"""The command `demo`, run as people run it: a process of its own, in a folder of its own, on SQLite."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def command(database: Path, *options: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), "demo", *options]


def environment(database: Path, mode: str = "demo") -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MARROW_", "DJANGO_"))}
    return inherited | {"MARROW_MODE": mode, "MARROW_DATABASE": str(database)}


def demo(database: Path, *options: str, mode: str = "demo") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(database, *options), env=environment(database, mode), capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    database = tmp_path_factory.mktemp("demo") / "demo.sqlite3"
    answer = demo(database, "--no-serve", "--patients", "2")
    assert answer.returncode == 0, answer.stderr
    assert "3 patients at 37 sites built in" in answer.stderr
    return database


def test_a_second_start_keeps_what_is_there(built: Path) -> None:
    before = built.stat().st_ino

    answer = demo(built, "--no-serve")

    assert answer.returncode == 0
    assert "built" not in answer.stderr
    assert built.stat().st_ino == before


def test_nothing_is_left_beside_the_finished_database(built: Path) -> None:
    assert sorted(file.name for file in built.parent.iterdir()) == [
        "demo.checkpoint-key",
        "demo.checkpoint-key.pub",
        "demo.checkpoints",
        "demo.sqlite3",
        "demo.sqlite3.lock",
    ]


def manage(database: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *words],
        env=environment(database),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_demo_is_sealed_and_signed_and_shows_a_row_that_was_rewritten(built: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite3"
    shutil.copy(built, copy)
    outside = (
        "--checkpoint",
        str(built.with_suffix(".checkpoints")),
        "--key",
        f"{built.with_suffix('.checkpoint-key')}.pub",
    )
    whole = manage(copy, "verify_audit", *outside)
    assert whole.returncode == 0, whole.stderr
    assert "1 checkpoints hold" in whole.stdout
    assert "not sealed yet" not in whole.stdout

    with closing(sqlite3.connect(copy)) as database:
        database.execute("DROP TRIGGER marrow_keep_trial_recording")
        database.execute("UPDATE trial_recording SET role = 'monitor' WHERE id = 2")
        database.commit()
    rewritten = manage(copy, "verify_audit")
    assert rewritten.returncode == 1
    assert "trial_recording 2: is not what was sealed." in rewritten.stderr

    with closing(sqlite3.connect(copy)) as database:
        database.execute("DROP TRIGGER marrow_hold_trial_seal")
        database.execute("DELETE FROM trial_seal")
        database.commit()
    assert "trial_recording 2" not in manage(copy, "verify_audit").stderr
    assert "the end was cut off" in manage(copy, "verify_audit", *outside).stderr


def test_a_fresh_demo_begins_with_a_checkpoint_of_its_own(built: Path, tmp_path: Path) -> None:
    database = tmp_path / built.name
    shutil.copy(built, database)
    shutil.copytree(built.with_suffix(".checkpoints"), database.with_suffix(".checkpoints"))

    answer = demo(database, "--no-serve", "--fresh", "--patients", "1")

    assert answer.returncode == 0, answer.stderr
    assert len(list(database.with_suffix(".checkpoints").iterdir())) == 1
    assert manage(database, "checkpoint").returncode == 0


def test_another_seed_is_refused_until_fresh_is_said(built: Path) -> None:
    answer = demo(built, "--no-serve", "--patients", "2", "--seed", "5")

    assert answer.returncode == 2
    assert "There is another demo already: Synthetic demo study built with seed 1 and 2 patients." in answer.stderr
    assert "--fresh" in answer.stderr


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    database = tmp_path / "payroll.sqlite3"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE wages (euros)")
    before = database.read_bytes()

    for options in ([], ["--fresh"]):
        answer = demo(database, "--no-serve", "--patients", "1", *options)
        assert answer.returncode == 2
        assert "holds data that are no demo. Nothing was changed." in answer.stderr
    assert database.read_bytes() == before


def test_a_real_study_is_left_alone(built: Path, tmp_path: Path) -> None:
    database = tmp_path / "real.sqlite3"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE trial_study (is_synthetic bool)")
        connection.execute("INSERT INTO trial_study VALUES (0)")

    assert "holds data that are no demo" in demo(database, "--no-serve", "--fresh", "--patients", "1").stderr


def test_the_demo_runs_in_demo_mode_alone(tmp_path: Path) -> None:
    answer = demo(tmp_path / "demo.sqlite3", "--no-serve", mode="development")

    assert answer.returncode == 2
    assert "MARROW_MODE is 'development', and the demo runs in demo mode alone." in answer.stderr


def test_no_patients_are_refused_in_a_sentence(tmp_path: Path) -> None:
    answer = demo(tmp_path / "demo.sqlite3", "--no-serve", "--patients", "0")

    assert answer.returncode == 2
    assert "--patients is 0. Give 1 or more." in answer.stderr


def test_a_taken_port_gets_a_sentence_that_says_what_to_do(built: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        answer = demo(built, "--port", str(other.getsockname()[1]))

    assert answer.returncode == 2
    assert "cannot be used" in answer.stderr
    assert "Choose another one: demo --port" in answer.stderr


def test_it_serves_this_machine_until_ctrl_c(built: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        command(built, "--port", str(port)), env=environment(built), stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        said = [server.stdout.readline() for _ in range(3)]
        page = answer_of(f"http://127.0.0.1:{port}/sign-in/")
    finally:
        server.send_signal(signal.SIGINT)
        ended = server.wait(timeout=30)
        if server.stdout:
            server.stdout.close()

    assert f"http://127.0.0.1:{port}/" in said[0]
    assert "Statistician" in said[1]
    assert "ynthetic" in page
    assert ended == 0


def answer_of(address: str) -> str:
    """What the server says, once it listens."""
    for _ in range(120):
        try:
            with urllib.request.urlopen(address) as page:
                return str(page.read().decode())
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"{address} did not answer.")


@pytest.mark.slow
def test_a_killed_build_leaves_nothing_half_built_and_the_next_start_builds(tmp_path: Path) -> None:
    database = tmp_path / "demo.sqlite3"
    build = subprocess.Popen(command(database, "--no-serve", "--patients", "60"), env=environment(database))
    while not database.with_name("demo.sqlite3.building").exists():
        assert build.poll() is None
        time.sleep(0.05)
    time.sleep(3)
    build.kill()
    build.wait()

    assert not database.exists()
    assert demo(database, "--no-serve", "--patients", "1").returncode == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["demo.sqlite3", "demo.sqlite3.lock"]
