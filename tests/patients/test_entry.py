"""Entering forms: every form through its page, what is refused, what is asked, and what happens when two people do it."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from patients.entry.controls import Ground
from patients.entry.sheet import Sheet
from tests import make
from trial.models import FormEntry, Patient
from trial.records import PatientRecord, record_models

PAGES = [model for model in record_models() if not model.form.part_of]


def address(patient: Patient, form: str, rest: str) -> str:
    return f"/MT103-211/patients/{patient.number}/{form}/{rest}"


def texts_of(record: PatientRecord) -> dict[str, object]:
    """What a person types to enter the answers of this record: what the page shows for them."""
    sheet = Sheet(record, Ground(record.patient))
    return {name: text for name, text in sheet.main.initial.items() if text != ""}


@pytest.fixture
def desk(coordinator: User) -> Client:
    client = Client()
    client.force_login(coordinator)
    return client


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model.form.code)
def test_every_form_is_entered_through_its_page(model: type[PatientRecord], patient: Patient, desk: Client):
    other = make.patient(patient.site)
    model_answers = make.record(model, other)
    typed = texts_of(model_answers)
    if "event" in typed:
        typed["event"] = str(make.record(type(model_answers.event), patient).pk)
    visit = "SCR" if model.form.at_visits else "LOG"

    page = desk.get(address(patient, model.form.code, f"at/{visit}/"))
    answer = desk.post(address(patient, model.form.code, f"at/{visit}/"), typed)

    assert page.status_code == 200
    assert answer.status_code == 302, answer.content.decode()
    saved = model.objects.get(patient=patient)
    assert {**texts_of(saved), "event": ""} == {**typed, "event": ""}
    assert desk.get(answer["Location"]).status_code == 200
    assert FormEntry.objects.get(pk=saved.entry_id).visit == visit
