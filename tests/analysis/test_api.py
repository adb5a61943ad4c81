"""The report over HTTP: the same JSON, and one shape for every refusal."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIRequestFactory, force_authenticate

from analysis.api import ReportView
from analysis.report import report
from tests.cast import Cast


def get(user: User | None, **query: Any) -> Any:
    request = APIRequestFactory().get("/api/v1/report", query)
    if user:
        force_authenticate(request, user)
    response = ReportView.as_view()(request)
    response.render() if hasattr(response, "render") else None
    return response


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
        ({"study": "X"}, 404, "There is no study 'X'. Choose from MT103-211."),
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
    assert response.data["detail"].startswith(sentence)


def test_who_is_not_signed_in_or_has_no_such_role_gets_nothing(cast: Cast, administrator: User, stranger: User):
    assert get(None).status_code == 403
    assert get(administrator).status_code == 403
    assert get(stranger).status_code == 404
