"""The grid of a study of 1,000 patients: its first pages, narrowed, and the whole day's work. The statements do not grow with it."""

import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from statistics import median

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from patients.models import Enrolment, InfusionInterval, Visit
from tests import make
from tests.cast import Cast
from trial.audit import recording
from trial.models import FormEntry, Patient

pytestmark = [pytest.mark.benchmark, pytest.mark.slow]  # a thousand patients take minutes to write

FEW, PATIENTS = 50, 1000
RUNS = 5
MOST_TIMES = 4  # the first page among a thousand patients, in times of that among fifty
ADDRESSES = ("grid/", "grid/?page=2", "grid/?status=overdue", "today/")
VISITS = ("SCR", "C1D1", "C1D2", "C1D3", "C1D8", "C1D15", "C1D22", "C1EOC")
FORMS = ("SV", "PS", "VS", "LBH", "LBC")
CONSENT = date(2013, 3, 1)
START = datetime(2013, 3, 11, 9, 0, tzinfo=UTC)


def enrol(cast: Cast, patients: range) -> None:
    """Patients after their first cycle, each with 42 entries, of which the visits alone are filled."""
    with recording(by=make.author(), reason="A large study.", study=cast.study):
        made = Patient.objects.bulk_create(
            [Patient(study=cast.study, site=cast.here, number=f"SYN-012-{number:04}") for number in patients]
        )
        keys = [("ENR", "LOG"), ("EX", "LOG"), *((form, visit) for visit in VISITS for form in FORMS)]
        entries = FormEntry.objects.bulk_create(
            [FormEntry(patient=patient, form=form, visit=visit) for patient in made for form, visit in keys]
        )
        of = {(entry.patient_id, entry.form, entry.visit): entry for entry in entries}
        dose = {"cycle": 1, "number": 1, "dose_ug_per_day": Decimal(9), "change": "START", "started_at_offset": 60}
        Enrolment.objects.bulk_create(
            [Enrolment(patient=each, entry=of[each.pk, "ENR", "LOG"], consented_on=CONSENT) for each in made]
        )
        InfusionInterval.objects.bulk_create(
            [
                InfusionInterval(
                    patient=each,
                    entry=of[each.pk, "EX", "LOG"],
                    started_at=START,
                    ended_at=START + timedelta(days=28),
                    ended_at_offset=60,
                    **dose,
                )
                for each in made
            ]
        )
        Visit.objects.bulk_create(
            [
                Visit(patient=each, entry=of[each.pk, "SV", visit], visited_on=START.date())
                for each in made
                for visit in VISITS
            ]
        )


def measured(client: Client, address: str) -> tuple[float, float, int]:
    """Of a page: seconds, seconds of the processor, and the number of its statements."""
    client.get(f"/MT103-211/{address}")  # the statements are put together once
    with CaptureQueriesContext(connection) as queries:
        assert client.get(f"/MT103-211/{address}").status_code == 200
    statements = len(queries)  # now: the next request empties what was captured
    taken, used = [], []
    for _ in range(RUNS):
        began, began_to_work = time.perf_counter(), time.thread_time()
        client.get(f"/MT103-211/{address}")
        taken.append(time.perf_counter() - began)
        used.append(time.thread_time() - began_to_work)
    return median(taken), min(used), statements


def test_the_grid_of_a_thousand_patients(cast: Cast, coordinator: User, capsys: pytest.CaptureFixture[str]):
    with recording(by=make.author(), reason="The day of the demo.", study=cast.study):
        cast.study.today = date(2013, 4, 12)
        cast.study.save()
    client = Client()
    client.force_login(coordinator)

    enrol(cast, range(FEW))
    few = {address: measured(client, address) for address in ADDRESSES}
    enrol(cast, range(FEW, PATIENTS))
    many = {address: measured(client, address) for address in ADDRESSES}

    with capsys.disabled():
        print(
            f"\n{connection.vendor + ', ' + str(PATIENTS) + ' patients':<28}{'ms':>8}{'processor ms':>14}{'statements':>12}"
        )
        for address, (taken, used, statements) in many.items():
            print(f"{address:<28}{1000 * taken:>8.0f}{1000 * used:>14.0f}{statements:>12}")
    assert {address: found[2] for address, found in many.items()} == {
        address: found[2] for address, found in few.items()
    }
    # seconds are in docs/performance.md; here: a page of 25 patients costs much the same in a study of 50 as in one of 1,000
    assert many["grid/"][1] <= MOST_TIMES * few["grid/"][1]
