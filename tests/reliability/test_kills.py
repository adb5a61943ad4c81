"""A writing process is killed at a random moment, again and again: nothing acknowledged is lost, nothing is left unaudited.

Twelve kills in every run; two hundred with `./marrow test tests/reliability -m slow`.
"""

import os
import random
import signal
import time

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.db.models import Count

from tests.audit_app.models import Bed, Ward, Weighing
from trial.audit import recording, service_account
from trial.db.verification import prove

pytestmark = pytest.mark.django_db(transaction=True)

HISTORY_ROWS_OF_AN_ACT = 11  # 1 weighing made and 1 changed; 3 beds made, 3 changed, 1 deleted, 2 changed


def write_for_ever(account: User, ward: Ward, run: int, acknowledge: int) -> None:
    """Write acts through several paths of the ORM, and acknowledge each one after its commit."""
    number = 0
    while True:
        number += 1
        label = f"{run}.{number}"
        with recording(by=account, reason=label):
            weighing = Weighing.objects.create(label=label, kilograms=1, ward=ward)
            weighing.kilograms = 2
            weighing.save()
            Bed.objects.bulk_create([Bed(ward=ward, number=number) for _ in range(3)])
            Bed.objects.filter(number=number).update(number=-number)
            Bed.objects.filter(number=-number).first().delete()
            Bed.objects.filter(number=-number).update(number=0)
        os.write(acknowledge, f"{label}\n".encode())


def kill_a_writer(account: User, ward: Ward, run: int, after: float) -> set[str]:
    """Start a writer, kill it `after` seconds from its first acknowledged act, and return the acts it acknowledged."""
    reads, writes = os.pipe()
    connections.close_all()  # a connection must not be shared with a fork
    process = os.fork()
    if process == 0:
        try:
            os.close(reads)
            write_for_ever(account, ward, run, writes)
        finally:
            os._exit(1)  # nothing of the test's process may be tidied up by its copy
    os.close(writes)
    acknowledged = os.read(reads, 4096)  # blocks until the first act
    time.sleep(after)
    os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    while more := os.read(reads, 65536):
        acknowledged += more
    os.close(reads)
    assert os.WIFSIGNALED(status), "the writer ended by itself"
    return {line for line in acknowledged.decode().split("\n") if line}


def kill_again_and_again(times: int) -> None:
    account = service_account("writer")
    with recording(by=account, reason="The ward"):
        ward = Ward.objects.create(name="A")
    chance = random.Random(times)
    acknowledged: set[str] = set()

    for run in range(times):
        acknowledged |= kill_a_writer(account, ward, run, chance.uniform(0, 0.08))
        stored = set(Weighing.objects.values_list("label", flat=True))
        assert acknowledged <= stored
        assert prove().findings == ()

    acts = dict(Weighing.history.filter(version=1).values_list("recording_id", "label"))
    rows = dict.fromkeys(acts, 0)
    for model in (Weighing, Bed):
        for recorded, count in model.history.values_list("recording_id").annotate(Count("history_id")).order_by():
            rows[recorded] += count
    assert set(rows.values()) == {HISTORY_ROWS_OF_AN_ACT}
    assert len(acts) >= len(acknowledged) >= times
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA integrity_check")
            assert cursor.fetchone() == ("ok",)
    print(
        f"\n{connection.vendor}: {times} kills, {len(acknowledged)} acts acknowledged, {len(acts)} stored, 0 lost, 0 unaudited"
    )


def test_twelve_kills_of_a_writing_process_leave_nothing_unaudited():
    kill_again_and_again(12)


@pytest.mark.slow
def test_two_hundred_kills_of_a_writing_process_leave_nothing_unaudited():
    kill_again_and_again(200)
