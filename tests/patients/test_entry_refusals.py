"""What no control takes: every malformed and impossible value of every answer, refused with a sentence that names the field."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django import forms
from django.contrib.auth.models import User
from django.db import models
from django.http import QueryDict
from django.test import Client

from patients.entry.controls import Ground, control_of
from patients.entry.sheet import RecordForm, is_blank
from patients.models import Demographics
from patients.models.laboratory import LaboratoryResult
from tests import make
from trial.changes import questions
from trial.fields import (
    CodedField,
    CodesField,
    FullDateField,
    LimitedAnswer,
    MomentField,
    NumberField,
    PartialDateField,
    RatioField,
    TextField,
    YesNoField,
)
from trial.models import FormEntry, Patient, Study
from trial.records import PatientRecord, record_models
from trial.wording import label_of_field

MODELS = [model for model in record_models() if not issubclass(model, LaboratoryResult)]  # those have rows of their own
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

# What is typed, and what is said of it after the name of the field.
OF_NUMBERS = {
    "1,5": "'1,5' has a comma. Type 1.5 if it stands before the decimals, 15 if not.",
    "NaN": "'NaN' is not a number. Type the number alone",
    "inf": "'inf' is not a number.",
    "١٢": "'١٢' is not a number.",
    "1 000": "'1 000' is not a number.",
    "<5": "'<5' is not a number.",
    "0x1F": "'0x1F' is not a number.",
    "9999999999": "9999999999 is too large. Check the number and its unit.",
}
OF_DATES = {
    "03/04/2013": "'03/04/2013' could be 04-Mar-2013 or 03-Apr-2013. Write the month in letters",
    "31feb2013": "'31feb2013' is not in the calendar. Check the day, the month and the year.",
    "2013-13-01": "'2013-13-01' is not in the calendar.",
    "yesterday": "'yesterday' is not a date. Write it as 12mar2014, mar2014 or 2014.",
}
OF_DAYS = {
    "12mar2089": "12-Mar-2089 has not come yet: today is 02-Mar-2026. Check the date.",
    "12mar1812": "12-Mar-1812 is too long ago. Check the year.",
}
OF_MOMENTS = {
    "12mar2013": "12-Mar-2013 is not enough: at least the day and time must be known. Write it as 12mar2014 0930.",
    "2mar2026 1301": "02-Mar-2026 13:01 has not come yet at the site. Check the time.",
    "12mar2013 2460": "'12mar2013 2460' has a time that no clock shows. Write the time from 00:00 to 23:59.",
    "12mar2013 0930 +15:00": "'12mar2013 0930 +15:00' has an offset that no clock has. Write it as +01:00.",
}
OF_TEXTS = {
    "a\x00b": "There is a character in the text that cannot be kept (U+0000). Type the text anew.",
    "a\x1b[2J": "There is a character in the text that cannot be kept (U+001B).",
    "a\ud800b": "There is a character in the text that cannot be kept (U+D800).",
}


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    """A day on which no example has come yet or lies in the past by chance."""
    with time_machine.travel(NOON, tick=False):
        yield


def wrong_for(field: "models.Field[Any, Any]") -> dict[str, str]:
    """What is typed into the control of an answer, and how the refusal goes on after its name."""
    if isinstance(field, LimitedAnswer):
        return OF_NUMBERS | beyond(field)
    if isinstance(field, MomentField):
        return OF_DATES | OF_MOMENTS
    if isinstance(field, FullDateField | PartialDateField):
        return OF_DATES | OF_DAYS | not_known_enough(field)
    if isinstance(field, CodedField | CodesField | YesNoField):
        return {"NO SUCH CODE": "'NO SUCH CODE' is not one of the answers. Choose from "} | OF_TEXTS
    if isinstance(field, models.ForeignKey):
        return {"987654": "'987654' is not one of the answers. Choose from ", "x": "'x' is not one of the answers."}
    assert isinstance(field, TextField)
    most = field.max_length or 0
    return OF_TEXTS | {"x" * (most + 1): f"{most + 1} characters are too many. Say it in {most}."}


def beyond(field: LimitedAnswer) -> dict[str, str]:
    """Numbers just outside of the limits, and one with a decimal place too many."""
    low, high = field.limits
    unit = f" {field.unit}" if field.unit else ""
    found = {}
    if low is not None:
        text = str(Decimal(str(low)) - 1)
        found[text] = f"{text}{unit} is not possible: the least is {low}. Check the number and its unit."
    if high is not None and high < 1e8:
        text = str(Decimal(str(high)) + 1)
        found[text] = f"{text}{unit} is not possible: the most is {high}. Check the number and its unit."
    if not isinstance(field, RatioField):
        places = field.places if isinstance(field, NumberField) else 0
        least = max(Decimal(str(low or 0)), Decimal(1))
        text = f"{int(least)}.{'0' * places}1" if high is None or least < high else ""
        if text:
            count = f"{places + 1} decimal place{'s' if places else ''}"
            found[text] = f"'{text}' has {count}. Type "
    return found


def not_known_enough(field: FullDateField | PartialDateField) -> dict[str, str]:
    least = field.least if isinstance(field, PartialDateField) else "day"
    if least == "day":
        return {"mar2013": "UN-Mar-2013 is not enough: at least the day must be known. Write it as 12mar2014."}
    if least == "month":
        return {"2013": "UN-UNK-2013 is not enough: at least the month must be known. Write it as mar2014."}
    return {}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.form.code)
def test_every_answer_refuses_what_it_cannot_be_and_names_its_field(model: type[PatientRecord], patient: Patient):
    ground = Ground(patient)
    taken = []

    for field in questions(model):
        for typed, said in wrong_for(field).items():
            data = QueryDict(mutable=True)
            data[field.name] = typed
            form = RecordForm(model(patient=patient), ground, data)
            words = [str(each) for each in form.errors.get(field.name, [])]
            if not any(each.startswith(f"{label_of_field(field)}: {said}") for each in words):
                taken.append((field.name, typed, words))
            if form[field.name].data not in (typed, [typed]):
                taken.append((field.name, typed, "was not kept"))

    assert taken == []


@pytest.mark.parametrize("model", [m for m in MODELS if not m.form.part_of], ids=lambda model: model.form.code)
def test_a_refused_page_keeps_what_was_typed_and_writes_nothing(
    model: type[PatientRecord], patient: Patient, coordinator: User
):
    desk = Client()
    desk.force_login(coordinator)
    visit = "C1D1" if model.form.at_visits else "LOG"
    typed = {field.name: "what?" for field in questions(model)}

    answer = desk.post(
        f"/MT103-211/patients/{patient.number}/{model.form.code}/at/{visit}/", typed | {"reason": "x\x00"}
    )

    page = answer.content.decode()
    assert answer.status_code == 400
    boxes = [control_of(field, Ground(patient)).widget for field in questions(model)]
    kept = page.count('value="what?"') + page.count("\nwhat?</textarea>")
    assert kept == sum(isinstance(box, forms.TextInput | forms.Textarea) for box in boxes)
    assert not FormEntry.objects.exists()
    assert not model.objects.exists()


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("12mar24", "2024-03-12"),
        ("mar24", "2024-03"),
        ("2024", "2024"),
        ("un mar 2024", "2024-03"),
        ("13/04/2013", "2013-04-13"),
    ],
)
def test_a_date_of_two_digits_is_read_where_the_life_of_the_patient_leaves_one_reading(
    patient: Patient, typed: str, read: str
):
    make.record(Demographics, patient, born_on="1980-05-17")
    field: Any = next(model for model in MODELS if model.form.code == "MH")._meta.get_field("started")

    assert control_of(field, Ground(patient)).read(typed) == read


def test_the_day_of_a_demo_is_its_own(patient: Patient, study: Study):
    study.today = date(2014, 9, 30)
    ground = Ground(patient)
    ground.patient.study = study

    assert ground.today == date(2014, 9, 30)


def test_what_is_shown_reads_the_same_again(patient: Patient):
    ground = Ground(patient)
    found = {}

    for model in MODELS:
        record = make.record(model, make.patient(patient.site))
        for field in questions(model):
            stored = getattr(record, field.attname)
            if is_blank(stored) or field.is_relation:
                continue
            control = control_of(field, ground)
            again = control.to_python(control.show(stored, record))
            if isinstance(field, MomentField):
                again = again[0]
            if again != stored:
                found[model.form.code, field.name] = (stored, again)

    assert found == {}
