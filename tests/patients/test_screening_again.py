"""Who failed screening is screened again under the same number; and who signs another consent keeps the first one."""

from datetime import date

import pytest
from django.contrib.auth.models import User
from django.test import Client

from patients.casebook import unanswered
from patients.checking import run_checks
from patients.expected import course_of, expected_visits
from patients.grid.expecting import expect
from patients.models import (
    Criterion,
    EarlierScreening,
    Eligibility,
    Enrolment,
    LaterConsent,
    Visit,
    Withdrawal,
)
from tests import make
from tests.casebooks import book, row
from tests.patients.test_entry_saving import fields_of, problems_in, text_of
from trial.models import FormEntry, Patient, Query

HERE = "/MT103-211/patients/SYN-012-001/"
FIRST, AGAIN = date(2013, 3, 4), date(2013, 4, 8)
WHY = "The infection is over."


@pytest.fixture
def desk(coordinator: User) -> Client:
    client = Client()
    client.force_login(coordinator)
    return client


@pytest.fixture
def failed(patient: Patient) -> Enrolment:
    """A patient who failed screening because of an infection."""
    consent = make.record(Enrolment, patient, is_enrolled=False, enrolled_on=None, screen_failure="EX18")
    criterion = make.record(Criterion, patient, criterion="EX18", is_met=True)
    assert criterion.eligibility.entry.repeat == 1
    make.record(Visit, patient, "SCR")
    expect(patient)
    return consent


def screen(desk: Client, **given: str):
    """Open the page that begins another screening, and send it."""
    seen = fields_of(desk.get(f"{HERE}screen-again/").content.decode())
    return desk.post(f"{HERE}screen-again/", seen | {"screened_on": "8apr2013", "reason": WHY} | given, follow=True)


def entries_of(patient: Patient) -> set[tuple[str, str, int]]:
    return set(FormEntry.objects.filter(patient=patient).values_list("form", "visit", "repeat"))


def test_the_form_speaks_of_the_new_screening_and_the_failed_one_stays_beside_it(
    desk: Client, patient: Patient, failed: Enrolment
):
    page = text_of(desk.get(f"{HERE}visits/").content.decode())

    answer = screen(desk)

    assert "The patient failed screening, so that no visit is expected. Screen again" in page
    assert answer.redirect_chain == [(f"{HERE}visits/", 302)]
    consent = Enrolment.objects.get()
    before = EarlierScreening.objects.get()
    assert (consent.pk, consent.screened_on, consent.consented_on) == (failed.pk, AGAIN, FIRST)
    assert "is_enrolled" in unanswered(consent)
    assert not consent.screen_failure
    assert (before.screened_on, before.screen_failure, before.enrolment) == (FIRST, "EX18", consent)
    assert consent.history.first().recording.reason == WHY
    assert Patient.objects.get().number == "SYN-012-001"
    facts = text_of(desk.get(HERE).content.decode())
    assert "Failed screening 04-Mar-2013" in facts


def test_eligibility_and_a_visit_of_screening_are_expected_anew(desk: Client, patient: Patient, failed: Enrolment):
    assert not {entry for entry in entries_of(patient) if entry[1] == "SCR"} - {("SV", "SCR", 1)}

    screen(desk)

    entries = entries_of(patient)
    assert {("IE", "LOG", 1), ("IE", "LOG", 2), ("SV", "SCR2", 1), ("LBH", "SCR2", 1), ("BM", "SCR2", 1)} <= entries
    assert {entry for entry in entries if entry[1] == "SCR"} == {("SV", "SCR", 1)}  # what was entered, and no more
    assert ("ALLH", "LOG", 1) in entries


def test_the_second_form_of_eligibility_is_entered_and_no_third(desk: Client, patient: Patient, failed: Enrolment):
    screen(desk)
    grid = desk.get(f"{HERE}visits/").content.decode()
    first = desk.get(f"{HERE}IE/at/LOG/")

    saved = desk.post(f"{HERE}IE/at/LOG/", {"protocol_version": "3.0"})
    twice = desk.post(f"{HERE}IE/at/LOG/", {"protocol_version": "3.0"})
    after = desk.get(f"{HERE}IE/at/LOG/")

    assert f'href="{HERE}IE/at/LOG/"' in grid
    assert (first.status_code, saved.status_code, twice.status_code, after.status_code) == (200, 302, 409, 302)
    assert list(Eligibility.objects.order_by("pk").values_list("entry__repeat", flat=True)) == [1, 2]
    assert f'href="{HERE}IE/at/LOG/"' not in desk.get(f"{HERE}visits/").content.decode()


def test_the_checks_look_at_the_last_screening(desk: Client, patient: Patient, failed: Enrolment):
    screen(desk)
    desk.post(f"{HERE}IE/at/LOG/", {"protocol_version": "3.0", "IE.CRITERION.EX18-is_met": "no"})
    sent = fields_of(desk.get(f"{HERE}ENR/{failed.pk}/edit/").content.decode())
    enrolled = {"consented_on": "04-Mar-2013", "screened_on": "08-Apr-2013", "is_enrolled": "yes", "cohort": "MAIN"}
    earlier = {"ENR.SCREENING.0-screened_on": "04-Mar-2013", "ENR.SCREENING.0-screen_failure": "EX18"}

    answer = desk.post(f"{HERE}ENR/{failed.pk}/edit/", sent | enrolled | earlier | {"enrolled_on": "10apr2013"})

    assert answer.status_code == 302, problems_in(answer.content.decode())
    assert Enrolment.objects.get().is_enrolled is True
    assert not Query.objects.filter(check_code="EC-005").exists()


def test_the_schedule_counts_the_screenings():
    earlier = row("ENR.SCREENING", screened_on="2013-03-04")
    answers = {"consented_on": "2013-03-01", "screened_on": "2013-04-08"}
    for casebook in (book(row("ENR", rows=[earlier], **answers)), book(row("ENR", **answers), earlier)):
        course = course_of(casebook)
        assert course is not None
        (visit,) = expected_visits(course, date(2013, 4, 10))
        assert (visit.code, visit.day, visit.closes) == ("SCR2", AGAIN, date(2013, 4, 28))
    once = course_of(book(row("ENR", **answers)))
    assert once is not None
    assert [visit.code for visit in expected_visits(once, date(2013, 4, 10))] == ["SCR"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"screened_on": ""}, "Say on which day the new screening began."),
        ({"screened_on": "4mar2013"}, "04-Mar-2013 is not after the last screening, on 04-Mar-2013. Check the day."),
        ({"reason": "."}, "Say why the patient is screened again. The reason is kept in the audit trail."),
        ({"version": "9"}, "Somebody changed this form since you opened it. Read it again before you go on."),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(desk: Client, failed: Enrolment, given: dict[str, str], said: str):
    answer = screen(desk, **given)

    page = answer.content.decode()
    assert answer.status_code in (400, 409)
    assert said in [*problems_in(page), text_of(page.split('id="problem">', 1)[-1].split("</div>", 1)[0])]
    assert Enrolment.objects.get().screened_on == FIRST
    assert not EarlierScreening.objects.exists()


def test_nobody_is_screened_after_a_withdrawal(desk: Client, patient: Patient, failed: Enrolment):
    make.record(Withdrawal, patient, withdrawn_on=date(2013, 4, 1))

    answer = screen(desk)

    assert "08-Apr-2013 is after 01-Apr-2013, when the patient withdrew consent." in text_of(answer.content.decode())
    assert not EarlierScreening.objects.exists()


def test_who_did_not_fail_is_not_screened_again(desk: Client, patient: Patient):
    make.record(Enrolment, patient)

    answer = desk.get(f"{HERE}screen-again/", follow=True)

    assert answer.redirect_chain == [(f"{HERE}visits/", 302)]
    assert "did not fail the last screening" in text_of(answer.content.decode())


# Another consent


def test_a_later_consent_stands_beside_the_first_one(desk: Client, patient: Patient):
    consent = make.record(Enrolment, patient, consent_version="2.0")
    page = desk.get(f"{HERE}ENR/{consent.pk}/edit/").content.decode()
    kept = {"consented_on": "04-Mar-2013", "consent_version": "2.0", "screened_on": "04-Mar-2013", "is_enrolled": "yes"}
    kept |= {"enrolled_on": "04-Mar-2013", "cohort": "MAIN"}
    later = {"ENR.CONSENT.0-consented_on": "12jun2013", "ENR.CONSENT.0-consent_version": "3.0"}

    answer = desk.post(f"{HERE}ENR/{consent.pk}/edit/", fields_of(page) | kept | later)

    assert answer.status_code == 302, problems_in(answer.content.decode())
    signed = LaterConsent.objects.get()
    assert (signed.consented_on, signed.consent_version, signed.enrolment_id) == (date(2013, 6, 12), "3.0", consent.pk)
    assert Enrolment.objects.get().consent_version == "2.0"
    assert "Consent again 3.0 12-Jun-2013" in text_of(desk.get(HERE).content.decode())


def test_a_check_of_what_came_before_consent_looks_at_the_first_one(patient: Patient):
    consent = make.record(Enrolment, patient)
    make.record(LaterConsent, patient, enrolment=consent, consented_on=date(2013, 6, 12))
    make.record(Visit, patient, "SCR", visited_on=date(2013, 3, 5))

    run_checks(patient)

    assert not Query.objects.filter(check_code="EC-001").exists()
