"""Which form follows a saved one."""

from datetime import UTC, date, datetime

import pytest
from django.test import Client

from patients.grid.expecting import expect
from patients.grid.following import next_expected
from patients.models import Enrolment, InfusionInterval, PerformanceStatus, VitalSigns
from tests import make
from trial.audit import recording
from trial.models import FormEntry, Patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def in_cycle_1(patient: Patient) -> Patient:
    """A patient on day 9 of cycle 1. Nothing is entered but consent and infusion."""
    make.record(Enrolment, patient, consented_on=date(2013, 3, 1), is_enrolled=True)
    make.record(
        InfusionInterval, patient, cycle=1, dose_ug_per_day=9, started_at=datetime(2013, 3, 11, 9, 0, tzinfo=UTC)
    )
    # the visit of day 8 is asked for first: the order of the rows is not that of the days
    make.entry_expected(patient, "VS", "C1D8")
    expect(patient, today=date(2013, 3, 19))
    return patient


def after(patient: Patient, form: str, visit: str) -> tuple[str, str] | None:
    following = next_expected(patient, FormEntry.objects.get(patient=patient, form=form, visit=visit))
    return (following.form, following.visit) if following else None


def test_the_next_form_of_a_visit_is_that_of_the_casebook(in_cycle_1: Patient):
    assert after(in_cycle_1, "SV", "C1D1") == ("PS", "C1D1")
    assert after(in_cycle_1, "PS", "C1D1") == ("VS", "C1D1")
    assert after(in_cycle_1, "VS", "C1D1") == ("LBH", "C1D1")
    assert after(in_cycle_1, "LBO", "C1D1") == ("SV", "C1D1")  # the first that is left of the visit


def test_after_a_visit_comes_the_next_day(in_cycle_1: Patient):
    codes = list(FormEntry.objects.filter(patient=in_cycle_1, visit="C1D1").values_list("form", flat=True))
    for code in codes:
        say_not_done(in_cycle_1, code, "C1D1")

    assert after(in_cycle_1, "LBO", "C1D1") == ("LBH", "C1D2")
    for code in ("SV", "PS", "VS", "LBH", "LBC", "LBO"):
        for visit in ("C1D2", "C1D3"):
            say_not_done(in_cycle_1, code, visit)
    assert after(in_cycle_1, "LBO", "C1D1") == ("LBH", "C1D8")  # and not VS, whose row is older


def test_after_the_last_visit_comes_what_was_left(in_cycle_1: Patient):
    for entry in FormEntry.objects.filter(patient=in_cycle_1, visit="C1D8"):
        say_not_done(in_cycle_1, entry.form, "C1D8")

    assert after(in_cycle_1, "LBO", "C1D8") == ("IE", "LOG")


def test_after_the_forms_without_a_visit_comes_screening(in_cycle_1: Patient):
    for entry in FormEntry.objects.filter(patient=in_cycle_1, visit="LOG"):
        if entry.form not in ("ENR", "EX"):
            say_not_done(in_cycle_1, entry.form, "LOG")

    assert after(in_cycle_1, "ENR", "LOG") == ("LBH", "SCR")


def test_a_visit_that_nobody_planned_stands_at_its_day(in_cycle_1: Patient):
    there = make.record(PerformanceStatus, in_cycle_1, "UNS1").entry
    waiting = make.entry_expected(in_cycle_1, "VS", "UNS1")
    with recording(by=make.author(), reason="Seen on day 2."):
        there.collected_on = date(2013, 3, 12)
        there.save()
    for visit in ("C1D1", "C1D2"):
        for entry in FormEntry.objects.filter(patient=in_cycle_1, visit=visit):
            say_not_done(in_cycle_1, entry.form, visit)

    assert after(in_cycle_1, "LBO", "C1D1") == (waiting.form, "UNS1")
    assert after(in_cycle_1, "VS", "UNS1") == ("LBH", "C1D3")


def test_where_nothing_waits_there_is_no_next_form(patient: Patient):
    only = make.record(VitalSigns, patient, "C1D1").entry

    assert next_expected(patient, only) is None


def test_ctrl_enter_opens_it(in_cycle_1: Patient, client: Client, coordinator):
    client.force_login(coordinator)
    here = f"/MT103-211/patients/{in_cycle_1.number}/"

    answer = client.post(f"{here}PS/at/C1D1/", {"assessed_on": "11mar2013", "next": "1"})

    assert answer["Location"] == f"{here}VS/at/C1D1/"


def say_not_done(patient: Patient, form: str, visit: str) -> None:
    entry = FormEntry.objects.get(patient=patient, form=form, visit=visit)
    with recording(by=make.author(), reason="Not done."):
        entry.is_not_done, entry.not_done_reason = True, "Not done."
        entry.save()
