"""The report over HTTP: the same JSON, and one shape for every refusal."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from analysis.report import report
from tests import make
from tests.cast import Cast
from trial.audit import recording
from trial.models import AccessEvent, Patient


def get(user: User | None, **query: Any) -> Any:
    client = Client()
    if user:
        client.force_login(user)
    return client.get("/api/v1/report", query)


def test_the_answer_is_the_json_of_the_command(cast: Cast, statistician: User):
    response = get(statistician, output=["T-4.1", "T-5.3"], cohort="all", cutoff="2014-09-30")

    made = report(statistician, cohort="all", cutoff="2014-09-30", outputs=["T-4.1", "T-5.3"]).as_dict()
    answer = response.content.decode()
    assert response["Content-Type"] == "application/json"
    assert response.status_code == 200
    assert f'"cutoff": "{made["cutoff"]}"' in answer
    assert all(f'"number": "{number}"' in answer for number in ("T-4.1", "T-5.3"))


def test_a_parameter_without_a_value_was_not_asked_for(cast: Cast, statistician: User):
    names = ("study", "cohort", "as_of", "cutoff", "output")
    empty, plain = get(statistician, **dict.fromkeys(names, "")), get(statistician)

    assert empty.status_code == 200
    assert [output["number"] for output in json.loads(empty.content)["outputs"]] == [
        output["number"] for output in json.loads(plain.content)["outputs"]
    ]


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ({"study": "X"}, 404, "There is no study 'X' for you. You have a role in: MT103-211."),
        ({"cohort": "x"}, 404, "There is no cohort 'x'."),
        ({"output": "T-9"}, 404, "There is no output T-9. Choose from"),
        ({"as_of": "yesterday"}, 400, "'yesterday' is not an instant."),
        ({"cutoff": "x"}, 400, "'x' is not a date."),
        ({"colour": "red"}, 400, "There is no 'colour'. Choose from study, cohort, as_of, cutoff, output."),
    ],
)
def test_what_there_is_not_gets_a_sentence(cast: Cast, statistician: User, query: Any, status: int, sentence: str):
    response = get(statistician, **query)

    assert response.status_code == status
    assert response.json()["detail"].startswith(sentence)


def test_who_is_not_signed_in_or_has_no_such_role_gets_nothing(cast: Cast, administrator: User, stranger: User):
    assert get(None).status_code == 401
    assert get(administrator).status_code == 403
    assert get(stranger).status_code == 404


def test_the_report_is_on_record_as_read_with_the_patients_of_its_scope(
    cast: Cast, coordinator: User, patient: Patient, patient_elsewhere: Patient
):
    response = get(coordinator, output="T-4.1")

    event = AccessEvent.objects.get(kind="read")
    assert response.status_code == 200
    assert (event.by, event.page, event.channel) == (coordinator, "api-report", "api")
    assert [seen.patient_id for seen in event.patients.all()] == [patient.pk]


def test_the_report_of_the_past_is_on_record_with_the_patients_of_that_instant(
    cast: Cast, statistician: User, patient: Patient
):
    last = patient.history.latest().recording.at.isoformat().replace("+00:00", "Z")
    key = patient.pk
    with recording(by=cast["administrator"], reason="Entered at the wrong hospital."):
        patient.delete()
    later = make.patient(cast.here, "SYN-012-002")

    then = get(statistician, output="T-4.1", as_of=last)
    of_then = [seen.patient_id for seen in AccessEvent.objects.latest("pk").patients.all()]
    now = get(statistician, output="T-4.1")
    of_now = [seen.patient_id for seen in AccessEvent.objects.latest("pk").patients.all()]

    assert (then.status_code, now.status_code) == (200, 200)
    assert (of_then, of_now) == ([key], [later.pk])
