"""`demo`: the synthetic study, built once and then served on this machine alone."""

import fcntl
import os
import socket
import sys
import time
from argparse import ArgumentParser
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from analysis.demo.build import RECONSTRUCTED, plan_study
from analysis.demo.write import write_study
from trial.audit.seals.checkpoints import checkpoint_files, make_checkpoint, make_key, read_key
from trial.audit.seals.sealing import seal
from trial.db.protection import TriggersAltered, without_first_check
from trial.db.sqlite3.library import dbapi2
from trial.models import Membership, Recording, Role

HOST = "127.0.0.1"  # never another: the one-click sign-in is for whoever sits at this machine

# A build that fails is thrown away, so nothing has to be taken back or to survive; and the database fits into memory.
BUILDING = ("journal_mode = OFF", "synchronous = OFF", "cache_size = -400000", "temp_store = MEMORY")


class Command(BaseCommand):
    """Build the demo study where there is none, and serve it."""

    help = "Build the synthetic demo study if it is not there yet, and serve it on this machine."
    requires_system_checks: tuple[str, ...] = ()  # they would open the database before it is built

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-serve", action="store_true", help="build only")
        parser.add_argument("--fresh", action="store_true", help="replace the demo that is there")
        parser.add_argument(
            "--patients", type=int, help=f"so many unconstrained patients instead of the {RECONSTRUCTED}"
        )
        parser.add_argument("--seed", type=int, help="another study of the same kind; 1 unless told")
        parser.add_argument("--port", type=int, default=8000, help="where to serve; 8000 unless told")

    def handle(self, **options: Any) -> None:
        if not settings.IS_DEMO:
            raise CommandError(
                f"MARROW_MODE is '{settings.MODE}', and the demo runs in demo mode alone. Set MARROW_MODE to 'demo'.",
                returncode=2,
            )
        if options["patients"] is not None and options["patients"] < 1:
            raise CommandError(f"--patients is {options['patients']}. Give 1 or more.", returncode=2)
        if not options["no_serve"]:
            require_free_port(options["port"])
        seed = 1 if options["seed"] is None else options["seed"]
        patients = RECONSTRUCTED if options["patients"] is None else options["patients"]
        label = f"Synthetic demo study built with seed {seed} and {patients} patients."
        is_asked_for = options["seed"] is not None or options["patients"] is not None
        with only_one_at_a_time():
            if options["fresh"] or not has_demo():
                self.build(seed, patients, label)
            elif is_asked_for and label != label_of_demo():
                raise CommandError(
                    f"There is another demo already: {label_of_demo()} Add --fresh to replace it.", returncode=2
                )
        if not options["no_serve"]:
            self.serve(options["port"])

    def build(self, seed: int, patients: int, label: str) -> None:
        """Build under another name, and put the demo in place when it is complete."""
        began = time.monotonic()
        plan = plan_study(seed, patients)
        with new_database():
            call_command("migrate", verbosity=0, interactive=False)
            with transaction.atomic():
                write_study(plan, label=label, progress=self.show)
            self.show("Sealing the trail")
            seal()
        first_checkpoint()
        self.show(
            f"{len(plan.patients)} patients at {len(plan.sites)} sites built in {time.monotonic() - began:.0f} s",
            end="\n",
        )

    def show(self, line: str, end: str = "") -> None:
        """Progress on one line of a terminal; in a log, the end alone."""
        if sys.stderr.isatty():
            self.stderr.write(f"\r\x1b[K{line}", ending=end)
            self.stderr.flush()
        elif end:
            self.stderr.write(line)

    def serve(self, port: int) -> None:
        """Say where, as whom, and become the web server. It ends with Ctrl-C."""
        roles = [label for value, label in Role.choices if Membership.objects.filter(role=value).exists()]
        connection.close()
        self.stdout.write(f"Marrow, the synthetic demo study: http://{HOST}:{port}/")
        self.stdout.write(f"Sign in with one click as: {', '.join(roles)}.")
        self.stdout.write("Stop with Ctrl-C.")
        self.stdout.flush()
        server = [sys.executable, "-m", "gunicorn", "trial.wsgi:application", "--bind", f"{HOST}:{port}"]
        tuned = [
            "--workers",
            "1",
            "--threads",
            "4",
            "--timeout",
            "120",
            "--log-level",
            "warning",
            "--no-control-socket",
        ]
        environment = os.environ | {"MARROW_MODE": "demo", "PYTHONPATH": str(settings.BASE_DIR)}
        os.execve(sys.executable, [*server, *tuned], environment)  # noqa: S606 - no shell, and nothing of a user in it


def first_checkpoint() -> None:
    """Sign the chains of the new demo. The checkpoints of the demo that it replaced would contradict it, and go with that."""
    folder, key = settings.CHECKPOINTS, settings.CHECKPOINT_KEY
    assert folder is not None  # the demo has its own
    assert key is not None
    folder.mkdir(parents=True, exist_ok=True)
    for file in checkpoint_files(folder):
        file.unlink()
    if not key.exists():
        make_key(key)
    make_checkpoint(folder, read_key(key))
    connection.close()


def require_free_port(port: int) -> None:
    """Say in a sentence what to do when another program listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise CommandError(
                f"Port {port} of this machine cannot be used ({error}). Choose another one: demo --port 8010",
                returncode=2,
            ) from error


@contextmanager
def only_one_at_a_time() -> Iterator[None]:
    """Two starts at once wait for each other."""
    name = connection.settings_dict["NAME"]
    beside = Path(name) if connection.vendor == "sqlite" else settings.VAR_DIR / name
    beside.parent.mkdir(parents=True, exist_ok=True)
    with beside.with_name(f"{beside.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def has_demo() -> bool:
    """Whether a finished demo is in the configured database. Refuse one that holds anything else."""
    if not holds_demo():
        return False
    try:
        executor = MigrationExecutor(connection)
    except TriggersAltered as error:
        raise CommandError(f"{error} Or build the demo again with --fresh.", returncode=2) from error
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CommandError(
            "The demo that is there was built by another version of Marrow. Add --fresh to build it again.",
            returncode=2,
        )
    return True


def holds_demo() -> bool:
    """Whether synthetic studies are in the database: no when it is empty. Refuse one that holds anything else.

    It is asked without a check of the triggers: a demo that somebody tampered with is a demo, and may be replaced.
    """
    if connection.vendor == "sqlite":
        return holds_demo_file(Path(connection.settings_dict["NAME"]))
    with without_first_check(), connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        found = is_demo(cursor, tables)
    connection.close()  # the next connection checks the triggers
    return found


def holds_demo_file(file: Path) -> bool:
    """The same of an SQLite file, read without Marrow's settings: they would change the journal of somebody else's file."""
    if not file.exists():
        return False
    try:
        with closing(dbapi2.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as reader:
            cursor = reader.cursor()
            tables = [name for (name,) in cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return is_demo(cursor, tables)
    except dbapi2.DatabaseError as error:
        raise CommandError(refusal(), returncode=2) from error


def is_demo(cursor: Any, tables: Collection[str]) -> bool:
    """Whether there are studies, all synthetic. Refuse a study that is not, and tables without any."""
    if not tables:
        return False
    if "trial_study" not in tables:
        raise CommandError(refusal(), returncode=2)
    cursor.execute("SELECT count(*), count(CASE WHEN is_synthetic THEN 1 END) FROM trial_study")
    studies, synthetic = cursor.fetchone()
    if studies != synthetic:
        raise CommandError(refusal(), returncode=2)
    return bool(studies)


def refusal() -> str:
    """What is said of a database that holds something that no demo wrote."""
    return (
        f"The database '{connection.settings_dict['NAME']}' holds data that are no demo. Nothing was changed. "
        "Name another one with MARROW_DATABASE."
    )


def label_of_demo() -> str:
    """How the demo that is there was built, from the first recording of its trail."""
    return str(Recording.objects.order_by("pk").values_list("reason", flat=True).first())


@contextmanager
def new_database() -> Iterator[None]:
    """An empty database to build in: a file of another name, or an empty schema. A build that is killed leaves no half demo."""
    is_there = holds_demo()
    name = connection.settings_dict["NAME"]
    if connection.vendor != "sqlite":
        if is_there:
            with without_first_check(), connection.cursor() as cursor:
                cursor.execute("DROP SCHEMA public CASCADE")
                cursor.execute("CREATE SCHEMA public")
        yield
        return
    target = Path(name)
    building = target.with_name(f"{target.name}.building")
    for leftover in target.parent.glob(f"{building.name}*"):
        leftover.unlink()
    connection.close()
    connection.settings_dict["NAME"] = building
    try:
        with connection.cursor() as cursor:
            for pragma in BUILDING:
                cursor.execute(f"PRAGMA {pragma}")
        yield
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA optimize")
        connection.close()
        for beside in ("-wal", "-shm", "-journal"):
            target.with_name(target.name + beside).unlink(missing_ok=True)
        building.replace(target)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = name
