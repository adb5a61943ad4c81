"""A patient is enrolled: the number, the consent, what follows from it, and what must not happen twice."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from patients.grid.enrolling import new_patient
from patients.models import Enrolment
from tests import make
from tests.cast import Cast, assemble
from trial.audit import recording
from trial.models import FormEntry, Membership, Patient, Query, Site, Study

PAGE = "/MT103-211/enrol/"


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def sent(cast: Cast, **given: str) -> dict[str, str]:
    usual = {
        "site": str(cast.here.pk),
        "seen": "0",
        "consented_on": "12mar2013",
        "consent_version": "2.0",
        "agrees_to_survival_follow_up": "yes",
        "agrees_to_samples": "no",
        "screened_on": "12mar2013",
        "cohort": "MAIN",
    }
    return usual | given


def give_numbers(site: Site, how_many: int) -> list[str]:
    """The numbers of patients enrolled one after the other, each in an act of its own."""
    numbers = []
    for _ in range(how_many):
        with recording(by=make.author(), reason="The patient signed consent.", study=site.study):
            numbers.append(new_patient(site).number)
    return numbers


# The number


def test_numbers_run_within_each_site_and_those_of_the_demo_are_labelled(cast):
    assert give_numbers(cast.here, 2) == ["SYN-012-001", "SYN-012-002"]
    assert give_numbers(cast.elsewhere, 1) == ["SYN-034-001"]


def test_a_real_patient_has_no_label(db):
    real = assemble("REAL-1", is_synthetic=False)

    assert give_numbers(real.here, 1) == ["012-001"]


def test_a_number_is_never_given_again(cast):
    give_numbers(cast.here, 2)
    with recording(by=make.author(), reason="Enrolled by mistake.", study=cast.study):
        Patient.objects.get(number="SYN-012-002").delete()

    assert give_numbers(cast.here, 1) == ["SYN-012-003"]


def test_a_patient_who_went_to_another_site_keeps_the_number_and_it_stays_taken(cast):
    give_numbers(cast.here, 1)
    with recording(by=make.author(), reason="The patient moved.", study=cast.study):
        moved = Patient.objects.get()
        moved.site = cast.elsewhere
        moved.save()

    assert give_numbers(cast.here, 1) == ["SYN-012-002"]
    assert give_numbers(cast.elsewhere, 1) == ["SYN-034-001"]


def test_after_999_patients_a_number_has_four_digits(cast):
    make.patient(cast.here, "SYN-012-999")
    make.patient(cast.here, "SYN-012-X")

    assert give_numbers(cast.here, 1) == ["SYN-012-1000"]


@pytest.mark.django_db(transaction=True)
def test_eight_people_who_enrol_at_once_get_eight_times_three_different_numbers():
    cast = assemble()
    make.author()

    def enrol(_: int) -> list[str]:
        try:
            return give_numbers(cast.here, 3)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as people:
        numbers = sorted(number for given in people.map(enrol, range(8)) for number in given)

    assert numbers == [f"SYN-012-{number:03}" for number in range(1, 25)]
    assert Patient.objects.count() == 24


# The page


def test_enrolling_gives_a_number_the_consent_and_the_forms_of_screening(cast, coordinator):
    answer = browser_of(coordinator).post(PAGE, sent(cast), follow=True)

    patient = Patient.objects.get()
    consent = Enrolment.objects.get()
    act = patient.history.get().recording
    assert answer.redirect_chain == [("/MT103-211/patients/SYN-012-001/visits/", 302)]
    assert "The patient has the number SYN-012-001." in answer.content.decode()
    assert (consent.consented_on, consent.consent_version, consent.cohort) == (date(2013, 3, 12), "2.0", "MAIN")
    assert (consent.agrees_to_survival_follow_up, consent.agrees_to_samples) == (True, False)
    assert consent.is_enrolled is None  # it is decided when the screening is over
    assert consent.entry.collected_on == date(2013, 3, 12)
    assert FormEntry.objects.filter(patient=patient, visit="SCR", form="LBH").exists()
    assert (act.person_name, act.role, act.reason) == ("Coordinator", "coordinator", "The patient signed consent.")


def test_what_is_not_known_yet_may_be_left_blank_but_the_consent(cast, coordinator):
    client = browser_of(coordinator)

    refused = client.post(PAGE, sent(cast, consented_on="", consent_version=""))
    taken = client.post(PAGE, sent(cast, screened_on="", cohort="", agrees_to_samples=""))

    page = unescape(refused.content.decode())
    assert refused.status_code == 400
    assert "Informed consent is needed before a patient gets a number." in page
    assert "Consent version is needed before a patient gets a number." in page
    assert taken.status_code == 302
    assert Enrolment.objects.get().screened_on is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"consented_on": "03/04/13"}, "03/04/13"),
        ({"consented_on": "mar2013"}, "at least the day must be known"),
        ({"consented_on": "12mar2099"}, "12-Mar-2099"),
        ({"consent_version": "12345678901"}, "11 characters are too many. Say it in 10."),
        ({"cohort": "BOTH"}, "BOTH"),
        ({"site": "0"}, "0 is not one of the available choices"),
    ],
)
def test_what_cannot_be_taken_is_refused_and_shown_as_it_was_typed(cast, coordinator, given, said):
    answer = browser_of(coordinator).post(PAGE, sent(cast, **given))

    page = unescape(answer.content.decode())
    problems = " ".join(re.findall(r'class="field-problem"[^>]*>([^<]*)<', page))
    assert answer.status_code == 400
    assert said in problems
    assert 'value="12mar2013"' in page
    assert not Patient.objects.exists()


def test_nobody_enrols_at_a_site_that_is_not_theirs(cast, coordinator):
    answer = browser_of(coordinator).post(PAGE, sent(cast, site=str(cast.elsewhere.pk)))

    assert answer.status_code == 400
    assert not Patient.objects.exists()


def test_somebody_of_two_sites_chooses_between_them(cast, coordinator):
    with recording(by=make.author(), reason="A second site."):
        Membership(
            person=coordinator.person,
            study=cast.study,
            site=cast.elsewhere,
            role="coordinator",
            starts_on=date(2011, 1, 1),
        ).save()

    browser_of(coordinator).post(PAGE, sent(cast, site=str(cast.elsewhere.pk)))

    assert Patient.objects.get().number == "SYN-034-001"


def test_a_form_that_was_sent_twice_makes_one_patient_until_the_person_says_that_there_are_two(cast, coordinator):
    client = browser_of(coordinator)

    first = client.post(PAGE, sent(cast))
    second = client.post(PAGE, sent(cast))
    page = second.content.decode()
    third = client.post(PAGE, sent(cast, seen=re.search(r'name="seen" value="(\d+)"', page)[1]))

    assert (first.status_code, second.status_code, third.status_code) == (302, 409, 302)
    assert "SYN-012-001 was enrolled at this site meanwhile, with the same day of consent." in page
    assert list(Patient.objects.values_list("number", flat=True)) == ["SYN-012-001", "SYN-012-002"]


def test_a_screening_that_failed_asks_for_no_more_and_leaves_what_was_entered(cast, coordinator):
    client = browser_of(coordinator)
    client.post(PAGE, sent(cast))
    consent = Enrolment.objects.get()
    here = f"/MT103-211/patients/SYN-012-001/ENR/{consent.pk}/edit/"
    page = client.get(here).content.decode()
    shown = dict(re.findall(r'<input type="(?:hidden|text)" name="([^"]+)" value="([^"]*)"', page))
    checked = dict(re.findall(r'<input type="radio" name="([^"]+)" value="([^"]+)"[^>]*checked', page))

    answer = client.post(here, shown | checked | {"is_enrolled": "no", "screen_failure": "IN04"})

    left = set(FormEntry.objects.values_list("form", "visit"))
    assert answer.status_code == 302
    assert {("ENR", "LOG"), ("IE", "LOG"), ("DM", "LOG")} == {entry for entry in left if entry[1] == "LOG"}
    assert not Query.objects.filter(check_code="EC-007").exists()


def test_a_study_without_a_site_says_so_instead_of_a_form(client, cast, coordinator):
    with recording(by=coordinator, reason="A second study begins."):
        empty = Study(code="EMPTY-1", title="A study without a site")
        empty.save()
        Membership.objects.create(
            person=coordinator.person, study=empty, role="coordinator", starts_on=date(2011, 1, 1)
        )
    client.force_login(coordinator)

    answer = client.get("/EMPTY-1/enrol/")

    assert answer.status_code == 400
    assert "This study has no site yet, so nobody can be enrolled." in answer.content.decode()
