"""What a page of entering weighs: it is loaded many times a day, also over a hospital's slow network."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from patients.models import Eligibility
from safety.models import EventGrade
from tests import make
from trial.models import Patient

pytestmark = pytest.mark.django_db
MOST_BYTES = 60_000  # LOOK: pages under 60 kB without figures


def test_an_adverse_event_with_a_long_history_of_grades_is_light(client: Client, patient: Patient, coordinator: User):
    first = make.record(EventGrade, patient)
    for day in range(10, 14):
        make.record(EventGrade, patient, event=first.event, began=f"2013-03-{day}", grade=2)
    client.force_login(coordinator)

    page = client.get(f"/MT103-211/patients/{patient.number}/AE/{first.event.pk}/edit/")

    assert b"Row 5" in page.content
    assert len(page.content) < MOST_BYTES


@pytest.mark.parametrize("address", ["IE/at/LOG/", "HSCT/at/LOG/", "LBC/at/C1D1/", "GVA/at/LOG/"])
def test_the_longest_forms_are_light(client: Client, patient: Patient, coordinator: User, address: str):
    client.force_login(coordinator)

    page = client.get(f"/MT103-211/patients/{patient.number}/{address}")

    assert page.status_code == 200
    assert len(page.content) < MOST_BYTES


def test_a_saved_eligibility_is_light(client: Client, patient: Patient, coordinator: User):
    saved = make.record(Eligibility, patient)
    client.force_login(coordinator)

    page = client.get(f"/MT103-211/patients/{patient.number}/IE/{saved.pk}/edit/")

    assert len(page.content) < MOST_BYTES
    assert b'aria-label="Why there is no answer: Waiver granted"' in page.content
