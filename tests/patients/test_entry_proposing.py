"""What stands ready in a new form: the next number, the event, and the deviation that a query proposes."""

import re
from datetime import date

import pytest
from django.test import Client

from patients.checking import edit_checks, run_checks
from patients.codes import DEVIATION
from patients.models import Demographics, Deviation, Enrolment, Visit
from safety.models import AdverseEvent, CytokineRelease, EventGrade
from tests import make
from tests.cast import Cast
from trial.models import Patient, Query

pytestmark = pytest.mark.django_db
HERE = "/MT103-211/patients/SYN-012-001/"


@pytest.fixture
def desk(client: Client, cast: Cast, patient: Patient) -> Client:
    """The coordinator's browser."""
    client.force_login(cast["coordinator"])
    return client


def page(desk: Client, address: str) -> str:
    answer = desk.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def value_of(page: str, name: str) -> str:
    """What stands in a text control."""
    found = re.search(rf'<input type="text" name="{name}" value="([^"]*)"', page)
    return found[1] if found else ""


def chosen(page: str, name: str) -> list[str]:
    """What is chosen of radios or of a list."""
    ticked = re.findall(rf'<input type="radio" name="{name}" value="([^"]*)"[^>]* checked', page)
    lists = re.findall(rf'<select name="{name}".*?</select>', page, re.DOTALL)
    return [value for value in [*ticked, *re.findall(r'value="([^"]*)" selected', "".join(lists))] if value]


@pytest.mark.parametrize(("form", "name"), [("AE", "number"), ("PTX", "line"), ("CYC", "number")])
def test_the_first_record_of_a_numbered_log_is_number_1(desk: Client, form: str, name: str):
    assert value_of(page(desk, f"{HERE}{form}/at/LOG/"), name) == "1"


def test_the_next_event_has_the_number_after_the_highest_that_the_patient_has(
    desk: Client, patient: Patient, patient_elsewhere: Patient
):
    make.record(EventGrade, patient)
    of_patient = AdverseEvent.objects.get()
    make.record(EventGrade, patient_elsewhere)

    assert value_of(page(desk, f"{HERE}AE/at/LOG/"), "number") == str(of_patient.number + 1)


def test_a_saved_record_is_proposed_nothing(desk: Client, patient: Patient):
    make.record(EventGrade, patient)
    event = AdverseEvent.objects.get()

    assert value_of(page(desk, f"{HERE}AE/{event.pk}/edit/"), "number") == str(event.number)


def test_the_event_page_names_the_detail_that_is_entered_and_the_detail_knows_its_event(desk: Client, patient: Patient):
    make.record(EventGrade, patient)
    event = AdverseEvent.objects.get()

    of_event = page(desk, f"{HERE}AE/{event.pk}/edit/")

    assert f'href="{HERE}CRS/at/LOG/?event={event.pk}">Enter CRS detail</a>' in of_event
    assert chosen(page(desk, f"{HERE}CRS/at/LOG/?event={event.pk}"), "event") == [str(event.pk)]


def test_an_event_has_one_detail_of_a_kind(desk: Client, patient: Patient):
    step = make.record(EventGrade, patient)
    make.record(CytokineRelease, patient, event=step.event)

    of_event = page(desk, f"{HERE}AE/{step.event.pk}/edit/")

    assert "CRS detail" not in of_event
    assert "Enter SAE detail" in of_event


@pytest.mark.parametrize("asked", ["?event=x", "?event=999999", "?query=7", "?query=" + "9" * 40, "?query=-1"])
def test_an_address_that_names_nothing_proposes_nothing(desk: Client, asked: str):
    assert value_of(page(desk, f"{HERE}DV/at/LOG/{asked}"), "description") == ""


# A deviation


def test_enrolment_before_consent_is_saved_and_asked_about_and_its_deviation_is_proposed(
    desk: Client, patient: Patient
):
    typed = {
        "consented_on": "5mar2013",
        "consent_version": "1.0",
        "agrees_to_survival_follow_up": "yes",
        "cohort": "MAIN",
        "agrees_to_samples": "yes",
        "screened_on": "5mar2013",
        "is_enrolled": "yes",
        "enrolled_on": "4mar2013",
        "ENR.CONSENT.rows": "0",
        "ENR.SCREENING.rows": "0",
        "version": "0",
        "entry_version": "0",
    }

    saved = desk.post(f"{HERE}ENR/at/LOG/", typed, follow=True).content.decode()
    query = Query.objects.get(check_code="EC-002")
    form = page(desk, f"{HERE}DV/at/LOG/?query={query.pk}")

    assert Enrolment.objects.get().enrolled_on == date(2013, 3, 4)
    assert query.severity == "E"
    assert f'<a href="{HERE}DV/at/LOG/?query={query.pk}">Enter the protocol deviation</a>' in saved
    assert not Deviation.objects.exists()
    assert chosen(form, "kind") == ["CONSENT"]
    assert value_of(form, "deviated_on") == "04-Mar-2013"
    assert "Enrolment on 04-Mar-2013 is before consent on 05-Mar-2013." in form
    assert value_of(form, "concerns") == "ENR, EC-002"


def test_a_patient_of_seventeen_is_saved_and_asked_about_and_the_deviation_is_proposed(desk: Client, patient: Patient):
    make.record(Enrolment, patient)  # consent on 4 March 2013
    typed = {"born_on": "5mar1995", "sex": "M", "races": ["WHITE"], "ethnicity": "NOT REPORTED"}

    saved = desk.post(f"{HERE}DM/at/LOG/", typed | {"version": "0", "entry_version": "0"}, follow=True).content.decode()
    query = Query.objects.get(check_code="EC-003")
    form = page(desk, f"{HERE}DV/at/LOG/?query={query.pk}")

    assert Demographics.objects.get().born_on == "1995-03-05"
    assert f"{HERE}DV/at/LOG/?query={query.pk}" in saved
    assert chosen(form, "kind") == ["ELIGIBILITY"]
    assert value_of(form, "deviated_on") == "04-Mar-2013"
    assert "the patient was 17 years old at consent" in form
    assert not Deviation.objects.exists()


def test_a_procedure_before_consent_proposes_the_day_on_which_it_was_done(desk: Client, patient: Patient):
    make.record(Visit, patient, "SCR", visited_on=date(2013, 3, 1))
    make.record(Enrolment, patient)
    run_checks(patient)

    query = Query.objects.get(check_code="EC-001")
    assert value_of(page(desk, f"{HERE}DV/at/LOG/?query={query.pk}"), "deviated_on") == "01-Mar-2013"


def test_the_list_of_queries_leads_to_the_deviation_too(desk: Client, patient: Patient):
    make.record(Enrolment, patient, enrolled_on=date(2013, 3, 1))
    run_checks(patient)
    query = Query.objects.get(check_code="EC-002")

    assert f'href="{HERE}DV/at/LOG/?query={query.pk}"' in page(desk, "/MT103-211/queries/")


def test_every_deviation_that_a_check_proposes_is_of_a_class_that_the_form_has():
    proposing = {check.code: check.proposes_deviation for check in edit_checks() if check.proposes_deviation}

    assert proposing == {
        "EC-001": "CONSENT",
        "EC-002": "CONSENT",
        "EC-003": "ELIGIBILITY",
        "EC-154": "SAFETY REPORTING",
    }
    assert set(proposing.values()) <= {code for code, _ in DEVIATION}
