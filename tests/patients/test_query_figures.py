"""Figures about queries: what is open and how old, how long answers took, and what each check brought. Counted by hand here."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import make
from tests.patients.test_queries_together import browser_of, text_of
from tests.trial.review.test_queries import CHECKER, asked
from trial.audit import recording, service_account
from trial.audit.demo_clock import dated_recording, set_clock
from trial.db.median import MedianDuration
from trial.models import AccessEvent, Patient, Query
from trial.review.models import Step
from trial.review.queries import ask, take

FIRST = datetime(2013, 3, 1, 9, tzinfo=UTC)
TODAY = date(2013, 6, 30)
PAGE, FILE = "/MT103-211/queries/figures/", "/MT103-211/queries/figures.csv"


def lines_of(user: User, **given: str) -> dict[tuple[str, str, str, str], str]:
    answer = browser_of(user).get(FILE, given)
    rows = csv.reader(io.StringIO(answer.content.decode().lstrip("\ufeff")))
    return {tuple(row[:4]): row[4] for row in rows}


@pytest.fixture
def course(patient: Patient, patient_elsewhere: Patient, coordinator: User, monitor: User) -> None:
    """Nine queries at two sites, each with the days after its asking on which it was answered and closed."""
    study = patient.study
    with recording(by=make.author(), reason="The study has its own today."):
        study.today = TODAY
        study.save()
    course = [
        # whose, the check, asked on this day, answered and closed after so many days, how
        (patient, "EC-1", 0, 2, 12, Step.CLOSED),
        (patient, "EC-1", 0, 4, None, None),
        (patient, "EC-1", 0, None, 8, Step.MENDED),
        (patient, "EC-2", 0, 9, 16, Step.CLOSED),
        (patient, "EC-2", 0, None, 1, Step.CANCELLED),
        (patient, "EC-2", 118, None, None, None),  # three days old today
        (patient_elsewhere, "EC-1", 114, None, None, None),  # seven
        (patient_elsewhere, "EC-1", 31, None, None, None),  # ninety
        (patient_elsewhere, "", 32, None, None, None),  # eighty-nine
    ]
    set_clock(connection, dated=True)
    for number, (whose, check, day, answered, closed, how) in enumerate(course):
        acts = [(day, None), (answered, Step.ANSWERED), (closed, how)]
        record = 1000 + number
        entry = make_entry(whose, FIRST)
        query = Query(patient=whose, entry=entry, form="SV", record=record, question="Is it?", check_code=check)
        for after, step in acts:
            if after is None:
                continue
            who, role = (coordinator, "coordinator") if step == Step.ANSWERED else (monitor, "monitor")
            if step == Step.MENDED or (step is None and check):
                who, role = service_account(CHECKER), ""
            at = FIRST + timedelta(days=after if step is None else day + after, minutes=number)
            with dated_recording(at=at, by=who, reason="Long ago.", role=role, study=study):
                if step is None:
                    ask(query)
                else:
                    take(query, step, "" if step == Step.MENDED else "It is.")
    set_clock(connection, dated=False)


def make_entry(of: Patient, at: datetime) -> Any:
    with dated_recording(at=at, by=make.author(), reason="Long ago."):
        return make.entry(of, "SV", "C1D1")


def test_the_figures_are_those_that_one_counts_by_hand(course: None, monitor: User):
    found = lines_of(monitor)

    def open_at(site: str) -> list[str]:
        words = ("0 to 6 days", "7 to 13", "14 to 29", "30 to 89", "90 or more")
        return [found["Open queries by age", site, "", band] for band in words]

    assert open_at("012 Ulm") == ["1", "0", "0", "0", "0"]
    assert open_at("034 Houston") == ["0", "1", "0", "1", "1"]
    assert open_at("All sites") == ["1", "1", "0", "1", "1"]
    assert found["Days to the first answer", "012 Ulm", "", "median"] == "4.0"  # of 2, 4 and 9
    assert found["Days to the first answer", "012 Ulm", "", "queries"] == "3"
    assert found["Days to the first answer", "034 Houston", "", "median"] == ""
    assert found["Days to closing", "All sites", "", "median"] == "12.0"  # of 12, 8 and 16
    assert [found["Yield", "", "EC-1", each] for each in ("asked", "changed", "confirmed", "open", "cancelled")] == [
        *("5", "1", "2", "2", "0")
    ]
    assert [found["Yield", "", "EC-2", each] for each in ("asked", "changed", "confirmed", "open", "cancelled")] == [
        *("3", "0", "1", "1", "1")
    ]
    assert not [line for line in found if line[0] == "Yield" and line[2] == ""]


def test_the_page_shows_the_same(course: None, monitor: User):
    said = text_of(browser_of(monitor).get(PAGE))

    assert "012 Ulm 1 0 0 0 0 1 4.0 (3) 12.0 (3)" in said
    assert "034 Houston 0 1 0 1 1 3 none yet none yet" in said
    assert "All sites 1 1 0 1 1 4 4.0 (3) 12.0 (3)" in said
    assert "EC-1 5 1 2 2 0 EC-2 3 0 1 1 1" in said


def test_nobody_counts_what_is_at_another_site(course: None, coordinator: User):
    said = text_of(browser_of(coordinator).get(PAGE))

    assert "Houston" not in said
    assert "All sites 1" not in said
    assert "EC-1 3 1 2 0 0" in said


def test_there_are_figures_of_nothing(cast: Any, monitor: User):
    assert "No check has asked anything yet." in text_of(browser_of(monitor).get(PAGE))


def test_many_queries_take_as_many_statements_as_few(
    patient: Patient, monitor: User, django_assert_max_num_queries, django_assert_num_queries
):
    client = browser_of(monitor)
    asked(patient)
    with django_assert_max_num_queries(25) as few:
        client.get(PAGE)
    for _ in range(6):
        asked(patient)

    with django_assert_num_queries(len(few)):
        client.get(PAGE)


def test_that_the_file_was_taken_is_on_record(course: None, monitor: User):
    lines_of(monitor, purpose="The weekly call", recipient="The sponsor")

    event = AccessEvent.objects.get(page="queries-figures-csv")
    assert (event.kind, event.purpose, event.recipient) == ("exported", "The weekly call", "The sponsor")


@given(days=st.lists(st.integers(0, 4000), max_size=9))
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_the_median_of_the_database_is_the_median(db: None, days: list[int]):
    """Of durations, which each engine keeps in its own way: here of numbers of days that a query writes."""
    with connection.cursor() as cursor:
        rows = (
            " UNION ALL ".join(f"SELECT {number} AS n" for number in days)
            or "SELECT CAST(NULL AS INTEGER) AS n WHERE 1 = 0"
        )
        if connection.vendor == "sqlite":
            cursor.execute(f"SELECT marrow_median(n * 86400000000) FROM ({rows}) AS t")
            (found,) = cursor.fetchone()
            found = None if found is None else timedelta(microseconds=found)
        else:
            template = MedianDuration.template % {"expressions": "n * INTERVAL '1 day'"}
            cursor.execute(f"SELECT {template} FROM ({rows}) AS t")
            (found,) = cursor.fetchone()

    assert found == (timedelta(days=median(days)) if days else None)
