"""Saving a form over HTTP beside bare Django saves of the same rows, in one run, on the engine of the run.

The form is chemistry: forty-two answers, a sample and twenty results. It is served as `docs/install.md` says, by gunicorn
with two workers. The bare rows have the same columns and no trail, and each is written by a `save()` of its own.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from statistics import median, quantiles

import pytest
from django.contrib.auth.models import User
from django.db import connection, models
from django.test import Client

from patients.models import ChemistryResult, ChemistrySample
from tests import make
from tests.cast import Cast
from tests.patients.test_entry_queries import PANEL, quiet, ranges  # noqa: F401 - a fixture
from tests.serving import Desk
from trial.models import Patient

pytestmark = [pytest.mark.benchmark, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[2]
HERE = "/MT103-211/patients/SYN-012-001/"
SAVES = 99  # first entries; each is corrected once, so about two hundred saves
BARE = 40  # times that the bare rows are written
MOST_TIMES = 12  # a save over HTTP, in times of the bare saves of its rows


class BareSample(models.Model):
    """The columns of a chemistry sample without a trail."""

    version = models.PositiveIntegerField(default=1)
    patient_id = models.BigIntegerField(db_index=True)
    entry_id = models.BigIntegerField(unique=True)
    missing = models.JSONField(default=dict)
    taken_at = models.DateTimeField(null=True)
    taken_at_offset = models.SmallIntegerField(null=True)
    laboratory = models.CharField(max_length=20, null=True)

    class Meta:
        app_label = "benchmarks"  # no installed app: nothing makes a migration for it

    def __str__(self) -> str:
        return str(self.laboratory)


class BareResult(models.Model):
    """The columns of a chemistry result without a trail."""

    version = models.PositiveIntegerField(default=1)
    patient_id = models.BigIntegerField(db_index=True)
    entry_id = models.BigIntegerField(db_index=True)
    missing = models.JSONField(default=dict)
    test = models.CharField(max_length=20, null=True)
    value = models.DecimalField(max_digits=13, decimal_places=3, null=True)
    value_text = models.CharField(max_length=20, null=True)
    unit_text = models.CharField(max_length=20, null=True)
    low = models.DecimalField(max_digits=13, decimal_places=3, null=True)
    high = models.DecimalField(max_digits=13, decimal_places=3, null=True)
    grade = models.SmallIntegerField(null=True)
    sample = models.ForeignKey(BareSample, on_delete=models.PROTECT)

    class Meta:
        app_label = "benchmarks"
        constraints = [models.UniqueConstraint(fields=["sample", "test"], name="one_bare_result_a_test")]

    def __str__(self) -> str:
        return str(self.test)


@pytest.fixture
def bare_tables(transactional_db: None) -> Iterator[None]:
    with connection.schema_editor() as editor:
        editor.create_model(BareSample)
        editor.create_model(BareResult)
    yield
    with connection.schema_editor() as editor:
        editor.delete_model(BareResult)
        editor.delete_model(BareSample)


@pytest.fixture
def server(transactional_db: None) -> Iterator[tuple[int, int]]:
    """A server as production runs one: its port, and its process."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MARROW_")}
    environment |= {"MARROW_MODE": "development", "MARROW_DEBUG": "off", "MARROW_DATABASE": address_of_the_database()}
    environment |= {"MARROW_SECRET_KEY": "only-the-tests-know-this-key"}
    environment |= {"DJANGO_SETTINGS_MODULE": "tests.serving_settings", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "gunicorn", "trial.wsgi:application", "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", "2", "--threads", "4", "--no-control-socket", "--log-level", "warning"]
    process = subprocess.Popen(command, env=environment, cwd=ROOT, start_new_session=True)
    try:
        wait_for(port)
        yield port, process.pid
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def address_of_the_database() -> str:
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return str(settings["NAME"])
    return re.sub(r"/[^/?]*(?=\?|$)", f"/{settings['NAME']}", os.environ["MARROW_TEST_DATABASE"])


def wait_for(port: int) -> None:
    for _ in range(600):
        with socket.socket() as trying:
            if trying.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("The server did not begin to listen.")


def processor_seconds(group: int) -> float:
    """What the processes of the server have used."""
    used = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        if int(fields[2]) == group:
            used += int(fields[11]) + int(fields[12])
    return used / os.sysconf("SC_CLK_TCK")


def bare_saves(patient: Patient) -> list[float]:
    """The seconds of writing the rows of a form, again and again."""
    taken, usual = [], quiet()
    for number in range(BARE):
        began = time.perf_counter()
        sample = BareSample(patient_id=patient.pk, entry_id=number, taken_at=make.MOMENT, taken_at_offset=60)
        sample.laboratory = "LAB-012"
        sample.save()
        for test in PANEL:
            typed = usual[f"LBC.RESULT.{test.code}-value_text"]
            number_of = {"value": Decimal(typed), "value_text": typed, "unit_text": test.unit}
            limits = {"low": Decimal(0), "high": Decimal(test.high), "grade": 0}
            BareResult(
                patient_id=patient.pk, entry_id=number, sample=sample, test=test.code, **number_of, **limits
            ).save()
        taken.append(time.perf_counter() - began)
    return taken


def timed(desk: Desk, port: int, path: str, typed: dict[str, str], into: list[float]) -> None:
    began = time.perf_counter()
    assert desk.send(port, path, typed) == 302
    into.append(time.perf_counter() - began)


@pytest.mark.usefixtures("bare_tables", "ranges")
def test_a_form_of_forty_two_answers_is_saved_in_a_few_times_what_its_rows_take(
    server: tuple[int, int], cast: Cast, patient: Patient, coordinator: User, capsys: pytest.CaptureFixture[str]
):
    port, group = server
    desk, page = Desk(coordinator), Client()
    page.force_login(coordinator)
    for number in range(8):  # each thread of each worker puts its first statements together
        desk.send(port, f"{HERE}LBC/at/SFU{number + 1}/", quiet())
    first: list[float] = []
    corrected: list[float] = []

    used = processor_seconds(group)
    for number in range(SAVES):
        timed(desk, port, f"{HERE}LBC/at/UNS{number + 1}/", quiet(), first)
    samples = list(ChemistrySample.objects.filter(entry__visit__startswith="UNS").select_related("entry"))
    for sample in samples:
        versions = {"version": str(sample.version), "entry_version": str(sample.entry.version)}
        for result in ChemistryResult.objects.filter(sample=sample):
            row = f"LBC.RESULT.{result.test}"
            versions |= {f"{row}-version": str(result.version), f"{row}-pk": str(result.pk)}
        sent = quiet(1) | versions | {"reason": "Another analyser."}
        timed(desk, port, f"{HERE}LBC/{sample.pk}/edit/", sent, corrected)
    used = processor_seconds(group) - used
    bare = bare_saves(patient)

    lines = [f"{connection.vendor}: {'p50 ms':>20}{'p95 ms':>9}{'times bare':>12}"]
    for name, seconds in (("first entry", first), ("all corrected", corrected), ("21 bare saves", bare)):
        p95 = quantiles(seconds, n=20)[-1]
        lines.append(
            f"{name:<18}{1000 * median(seconds):>10.1f}{1000 * p95:>9.1f}{median(seconds) / median(bare):>12.1f}"
        )
    lines.append(f"processor time of the server for a save: {1000 * used / len(first + corrected):.1f} ms")
    with capsys.disabled():
        print("\n" + "\n".join(lines))
    assert ChemistryResult.objects.filter(version=2).count() == SAVES * len(PANEL)
    assert median(first + corrected) <= MOST_TIMES * median(bare)  # seconds are in docs/performance.md
