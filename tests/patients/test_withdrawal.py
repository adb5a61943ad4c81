"""A patient withdraws consent: nothing later is expected or kept, nothing is deleted, and every page says so."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from patients.expected import Course, course_of, expected_visits, expected_without_visit
from patients.mending.withdrawing import withdrawals_of
from patients.models import (
    Death,
    Deviation,
    EndOfStudy,
    Enrolment,
    InfusionBag,
    InfusionInterval,
    PerformanceStatus,
    SurvivalContact,
    VitalSigns,
    Withdrawal,
)
from patients.withdrawal import Withdrawn, withdrawn
from tests import make
from tests.casebooks import book, row
from tests.patients.test_entry_saving import fields_of, text_of
from trial.models import FormEntry, Patient

HERE = "/MT103-211/patients/SYN-012-001/"
FIRST = date(2013, 3, 11)
DAY = date(2013, 3, 20)
REFUSED = (
    "Assessed: 21-Mar-2013 is after 20-Mar-2013, when the patient withdrew consent. Nothing later may be kept. Check the "
    "date; a breach of the withdrawal is entered as a protocol deviation (DV)."
)


@pytest.fixture
def desk(coordinator: User) -> Client:
    client = Client()
    client.force_login(coordinator)
    return client


def saved(desk: Client, form: str, visit: str = "LOG", **answers: str) -> str:
    """The words of the page that answers to a new form; empty text where it was saved."""
    answer = desk.post(f"{HERE}{form}/at/{visit}/", answers)
    return "" if answer.status_code == 302 else text_of(answer.content.decode())


# What follows


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([], None),
        ([(None, "ALL")], None),  # no day, nothing to count from
        ([(DAY, "TREATMENT")], Withdrawn(DAY)),
        ([(DAY, "FOLLOW-UP")], Withdrawn(DAY, DAY)),
        ([(DAY, "ALL")], Withdrawn(DAY, DAY, DAY)),
        ([(DAY, None)], Withdrawn(DAY, DAY)),  # the extent is not said: the careful reading
        ([(DAY, "ALL"), (FIRST, "TREATMENT")], Withdrawn(FIRST, DAY, DAY)),
        ([(FIRST, "FOLLOW-UP"), (DAY, "ALL")], Withdrawn(FIRST, FIRST, DAY)),
    ],
)
def test_each_extent_has_its_first_day(said: list[tuple[date | None, str | None]], expected: Withdrawn | None):
    assert withdrawn(said) == expected


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (Withdrawn(DAY), "Consent to treatment withdrawn on 20-Mar-2013. Follow-up goes on."),
        (
            Withdrawn(DAY, DAY),
            "Consent withdrawn on 20-Mar-2013. No visit and no contact is expected from then on. "
            "What was collected until then stays.",
        ),
        (
            Withdrawn(FIRST, DAY, DAY),
            "Consent withdrawn on 20-Mar-2013, to treatment on 11-Mar-2013. No visit and no contact is expected from "
            "then on, and samples are not used any more. What was collected until then stays.",
        ),
    ],
)
def test_what_follows_is_said_in_words(state: Withdrawn, words: str):
    assert f"{state.headline} {state.words}" == words


def treated(*more: object) -> Course:
    """A patient who began the first cycle, as the schedule reads the casebook."""
    moments = {"started_at": "2013-03-11T09:00", "ended_at": "2013-03-20T09:00"}
    infusion = {"cycle": 1, "number": 1, "dose_ug_per_day": 9, **moments}
    consent = row("ENR", consented_on="2013-03-01", is_enrolled=True)
    found = course_of(book(consent, row("EX", **infusion), *more, today=date(2014, 3, 1)))
    assert found is not None
    return found


def codes(course: Course) -> set[str]:
    return {visit.code for visit in expected_visits(course, date(2014, 3, 1))}


def test_after_a_withdrawal_from_contacts_nothing_is_expected_but_its_own_forms():
    course = treated(row("WDR", withdrawn_on="2013-03-20", extent="FOLLOW-UP"))

    assert codes(course) == {"SCR", "C1D1", "C1D2", "C1D3", "C1D8"}
    assert {"EOT", "EOS", "WDR"} <= set(expected_without_visit(course))
    assert course.left_on == DAY


def test_after_a_withdrawal_from_treatment_follow_up_goes_on():
    course = treated(row("WDR", withdrawn_on="2013-03-20", extent="TREATMENT"), row("EOT", reason="OTHER"))

    assert "C1D15" not in codes(course)
    assert {"C1EOC", "SFU3", "EFU3"} <= codes(course)
    assert course.left_on is None
    assert "EOS" not in expected_without_visit(course)


def test_the_end_of_study_says_it_too_and_then_the_extent_is_asked():
    course = treated(row("EOS", ended_on="2013-03-20", reason="WITHDRAWAL OF CONSENT"))

    assert course.withdrawn == Withdrawn(DAY, DAY)
    assert "WDR" in expected_without_visit(course)
    assert "WDR" not in expected_without_visit(treated(row("EOS", ended_on="2013-03-20", reason="STUDY CLOSED")))


# Stop, keep


def test_what_came_later_is_refused_and_what_came_before_is_still_entered(desk: Client, patient: Patient):
    assert saved(desk, "WDR", withdrawn_on="20mar2013", extent="FOLLOW-UP") == ""

    late = saved(desk, "PS", "C1D15", assessed_on="21mar2013", ecog="1")
    assert REFUSED in late
    assert not PerformanceStatus.objects.exists()
    assert saved(desk, "PS", "C1D8", assessed_on="20mar2013", ecog="1") == ""
    assert "after 20-Mar-2013" in saved(desk, "AE", term="Fever", started="apr2013")
    assert saved(desk, "AE", number="1", term="Fever", started="mar2013") == ""  # it may have begun before


def test_what_was_entered_before_stays_and_is_corrected_as_ever(desk: Client, patient: Patient):
    record = make.record(PerformanceStatus, patient, "C1D15", assessed_on=date(2013, 4, 2))
    make.record(Withdrawal, patient, withdrawn_on=DAY, extent="ALL")
    address = f"{HERE}PS/{record.pk}/edit/"

    def sent(**answers: str) -> Any:
        page = fields_of(desk.get(address).content.decode())
        usual = {"assessed_on": "02-Apr-2013", "ecog": "1", "weight_kg": "71.5", "did_writing_test": "no"}
        return desk.post(address, page | usual | {"reason": "Misread."} | answers)

    assert sent(ecog="2").status_code == 302
    assert "03-Apr-2013 is after 20-Mar-2013" in text_of(sent(ecog="2", assessed_on="3apr2013").content.decode())
    record.refresh_from_db()
    assert (record.ecog, record.assessed_on) == (2, date(2013, 4, 2))


def test_the_rows_of_a_block_are_held_to_it_too(desk: Client, patient: Patient):
    interval = make.record(InfusionInterval, patient, started_at=datetime(2013, 3, 11, 9, tzinfo=UTC))
    make.record(InfusionBag, patient, interval=interval)
    make.record(Withdrawal, patient, withdrawn_on=DAY)
    address = f"{HERE}EX/{interval.pk}/edit/"
    page = desk.get(address).content.decode()

    row_there = {"EX.BAG.0-hung_at": "04-Mar-2013 10:30", "EX.BAG.0-bag": "LOT-0815"}
    new_row = {"EX.BAG.1-hung_at": "22mar2013 0900", "EX.BAG.rows": "2"}
    main = {"cycle": "1", "number": "1", "started_at": "11-Mar-2013 10:00", "dose_ug_per_day": "9", "change": "START"}
    answer = desk.post(address, fields_of(page) | main | row_there | new_row)

    assert answer.status_code == 400
    assert "22-Mar-2013 is after 20-Mar-2013" in text_of(answer.content.decode())
    assert InfusionBag.objects.count() == 1


@pytest.mark.parametrize("extent", ["FOLLOW-UP", "ALL"])
def test_a_death_a_deviation_and_the_end_of_study_may_be_later(desk: Client, patient: Patient, extent: str):
    make.record(Withdrawal, patient, withdrawn_on=DAY, extent=extent)

    assert saved(desk, "DTH", died_on="2may2013", cause_in_words="From the register.") == ""
    assert saved(desk, "EOS", ended_on="22mar2013", reason="WITHDRAWAL OF CONSENT") == ""
    assert (
        saved(desk, "DV", deviated_on="23mar2013", discovered_on="24mar2013", description="A visit took place.") == ""
    )
    assert (Death.objects.count(), EndOfStudy.objects.count(), Deviation.objects.count()) == (1, 1, 1)


@pytest.mark.parametrize(("extent", "is_kept"), [("FOLLOW-UP", True), ("ALL", False)])
def test_a_public_record_needs_no_contact(desk: Client, patient: Patient, extent: str, is_kept: bool):
    make.record(Withdrawal, patient, withdrawn_on=DAY, extent=extent)

    said = saved(desk, "SFU", "SFU3", contacted_on="2may2013", status="DEAD", source="REGISTRY/PUBLIC RECORD")
    by_phone = saved(desk, "SFU", "SFU6", contacted_on="2aug2013", status="ALIVE IN REMISSION", source="PHONE")

    assert (said == "") is is_kept
    assert "after 20-Mar-2013" in by_phone
    assert SurvivalContact.objects.count() == int(is_kept)


def test_who_withdrew_from_treatment_alone_is_followed_up(desk: Client, patient: Patient):
    make.record(Withdrawal, patient, withdrawn_on=DAY, extent="TREATMENT")

    assert saved(desk, "PS", "SFUP30", assessed_on="21apr2013", ecog="1") == ""


def test_the_entries_that_are_expected_follow_at_once_and_the_filled_ones_stay(desk: Client, patient: Patient):
    consent = date(2013, 3, 1)
    make.record(Enrolment, patient, consented_on=consent, screened_on=consent, enrolled_on=consent)
    started = datetime(2013, 3, 11, 9, tzinfo=UTC)
    make.record(
        InfusionInterval, patient, started_at=started, ended_at=started + timedelta(days=28), ended_at_offset=60
    )
    signs = make.record(VitalSigns, patient, "C1D15")

    assert saved(desk, "WDR", withdrawn_on="20mar2013", extent="ALL") == ""

    visits = set(FormEntry.objects.filter(patient=patient).values_list("visit", flat=True))
    assert {"C1D8", "C1D15"} <= visits
    assert "C1D22" not in visits
    assert FormEntry.objects.filter(patient=patient, visit="C1D15").values_list("form", flat=True).get() == "VS"
    assert VitalSigns.objects.filter(pk=signs.pk).exists()
    assert FormEntry.objects.filter(patient=patient, form="EOS").exists()


# Mark


def test_each_page_of_the_patient_says_it_and_so_do_the_lists(desk: Client, patient: Patient):
    other = make.patient(patient.site)
    record = make.record(PerformanceStatus, patient, "C1D8")
    make.record(Withdrawal, patient, withdrawn_on=DAY, extent="ALL")
    said = "Consent withdrawn on 20-Mar-2013. No visit and no contact is expected from then on, and samples"

    for page in (
        "",
        "visits/",
        "PS/",
        f"PS/{record.pk}/",
        f"PS/{record.pk}/edit/",
        f"PS/{record.pk}/history/",
        "VS/at/C1D1/",
    ):
        assert said in text_of(desk.get(HERE + page).content.decode()), page
    assert "Consent withdrawn" not in text_of(desk.get(f"/MT103-211/patients/{other}/").content.decode())
    listed = text_of(desk.get("/MT103-211/patients/").content.decode())
    assert listed.count("Consent withdrawn 20-Mar-2013") == 1
    assert text_of(desk.get("/MT103-211/grid/").content.decode()).count("Consent withdrawn") == 1
    assert "Consent withdrawn 20-Mar-2013" in desk.get("/MT103-211/patients.csv").content.decode()


def test_who_withdrew_from_treatment_alone_is_told_apart(desk: Client, patient: Patient):
    make.record(Withdrawal, patient, withdrawn_on=DAY, extent="TREATMENT")

    assert "Consent to treatment withdrawn on 20-Mar-2013. Follow-up goes on." in text_of(
        desk.get(HERE).content.decode()
    )
    assert "Treatment withdrawn 20-Mar-2013" in text_of(desk.get("/MT103-211/patients/").content.decode())
    assert "Treatment withdrawn" in text_of(desk.get("/MT103-211/grid/").content.decode())


def test_who_withdrew_is_found_by_one_query_whatever_the_number_of_patients(patient: Patient):
    others = [make.patient(patient.site) for _ in range(3)]
    make.record(Withdrawal, patient, withdrawn_on=DAY, extent="TREATMENT")
    make.record(EndOfStudy, others[0], ended_on=DAY, reason="WITHDRAWAL OF CONSENT")
    make.record(EndOfStudy, others[1], ended_on=DAY, reason="STUDY CLOSED")

    with CaptureQueriesContext(connection) as queries:
        found = withdrawals_of([patient.pk, *(other.pk for other in others)])

    assert found == {patient.pk: Withdrawn(DAY), others[0].pk: Withdrawn(DAY, DAY)}
    assert len(queries) == 1
