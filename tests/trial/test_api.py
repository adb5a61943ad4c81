"""What every endpoint of the API does, tried on two that exist for these tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client, RequestFactory, override_settings
from django.urls import include, path
from rest_framework.response import Response

from tests.cast import FIRST_DAY, Cast
from trial.access import Permission
from trial.access_record.keeping import NotDeclared, shows
from trial.api import StudyAPIView
from trial.audit import recording
from trial.models import AccessEvent, Membership, Patient, Role, Study
from trial.token_actions import make_token, memberships_for_tokens

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Patients(StudyAPIView):
    permission = Permission.PATIENTS_VIEW

    def get(self, request, study=""):
        patients = Patient.objects.visible_to(request.user).filter(study=self.study)
        shows(request, patients)
        return Response([patient.number for patient in patients])

    def post(self, request):
        return Response({}, status=201)


class Forgetful(Patients):
    def get(self, request, study=""):
        return Response([])


class Writing(Patients):
    permission = Permission.CASEBOOK_EDIT


class Signing(Writing):
    again = True


urlpatterns = [
    path("api/patients", Patients.as_view(), name="patients-of-query"),
    path("api/forgetful", Forgetful.as_view(), name="forgetful"),
    path("api/writing", Writing.as_view(), name="writing"),
    path("api/signing", Signing.as_view(), name="signing"),
    path("api/<str:study>/patients", Patients.as_view(), name="patients-of-path"),
    path("", include("trial.urls")),
]
handler403 = "trial.error_pages.forbidden"

pytestmark = pytest.mark.urls(__name__)


def signed_in(user: User, **how: Any) -> Client:
    client = Client(**how)
    client.force_login(user)
    return client


def token_of(user: User, rf: RequestFactory, name: str = "for the test") -> dict[str, str]:
    """The header that signs this person in."""
    request = rf.post("/account/tokens/new/")
    request.user = user
    (membership,) = memberships_for_tokens(user)
    return {"Authorization": f"Token {make_token(request, membership, name=name, days=90)[1]}"}


def second_study(cast: Cast, *people: str) -> None:
    with recording(by=cast["administrator"], reason="A second study begins."):
        study = Study(code="OTHER-1", title="Another study")
        study.save()
        for name in people:
            person = cast[name].person
            Membership(person=person, study=study, role=Role.MONITOR, starts_on=FIRST_DAY).save()


def test_the_study_is_the_one_of_the_path_or_of_the_query_or_the_only_one(
    cast: Cast, coordinator: User, patient: Patient
):
    client = signed_in(coordinator)

    found = [
        client.get(f"/api/{address}").json()
        for address in ("patients", "patients?study=MT103-211", "MT103-211/patients")
    ]

    assert found == [["SYN-012-001"]] * 3


def test_who_has_several_studies_must_say_which(cast: Cast, monitor: User):
    second_study(cast, "monitor")

    answer = signed_in(monitor).get("/api/patients")

    assert answer.status_code == 400
    assert answer.json()["detail"] == "You have a role in several studies. Say which: study=MT103-211, study=OTHER-1."


def test_a_study_of_others_is_answered_like_one_that_is_not_there(cast: Cast, coordinator: User):
    second_study(cast, "monitor")
    client = signed_in(coordinator)

    foreign, missing = (client.get(f"/api/patients?study={code}") for code in ("OTHER-1", "OTHER-2"))

    assert foreign.status_code == missing.status_code == 404
    assert foreign.json()["detail"] == missing.json()["detail"].replace("OTHER-2", "OTHER-1")


def test_who_may_not_and_who_has_no_role_get_a_sentence_and_are_on_record(
    cast: Cast, administrator: User, stranger: User
):
    may_not, no_role = (signed_in(user).get("/api/patients") for user in (administrator, stranger))

    assert (may_not.status_code, no_role.status_code) == (403, 404)
    assert may_not.json()["detail"] == "Your role may not see patients and their forms."
    assert no_role.json()["detail"] == "There is no study for you here yet."
    refused = AccessEvent.objects.filter(kind="refused").order_by("id")
    assert [(event.by, event.channel, event.page) for event in refused] == [
        (administrator, "api", "patients-of-query"),
        (stranger, "api", "patients-of-query"),
    ]


@pytest.mark.parametrize("address", ["/api/patients?study=MT103-211", "/api/MT103-211/patients"])
def test_a_refusal_is_on_the_record_of_the_study_that_the_call_named(address: str, cast: Cast, stranger: User):
    answer = signed_in(stranger).get(address)

    assert answer.status_code == 404
    refused = AccessEvent.objects.get(kind="refused")
    assert refused.study == cast.study


def test_a_refusal_of_a_study_that_is_not_there_is_on_record_without_one(cast: Cast, stranger: User):
    signed_in(stranger).get("/api/patients?study=OTHER-9")

    assert AccessEvent.objects.get(kind="refused").study is None


def test_nobody_gets_401_and_the_name_of_the_header(cast: Cast):
    answer = Client().get("/api/patients")

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Token"
    assert answer.json()["detail"].startswith("Say who you are: send the header 'Authorization: Token ...'")
    assert answer.json()["request"] == answer["X-Request-ID"]


def test_a_reading_is_on_record_with_the_patients_and_the_token(
    cast: Cast, coordinator: User, patient: Patient, patient_elsewhere: Patient, rf: RequestFactory
):
    Client().get("/api/patients", headers=token_of(coordinator, rf, "nightly"))

    event = AccessEvent.objects.get(kind="read")
    assert (event.by, event.channel, event.token, event.role) == (coordinator, "api", "nightly", "coordinator")
    assert (event.page, event.study) == ("patients-of-query", cast.study)
    assert [seen.patient_id for seen in event.patients.all()] == [patient.pk]


def test_an_endpoint_that_does_not_say_whose_data_it_shows_answers_nothing(cast: Cast, coordinator: User):
    with pytest.raises(NotDeclared):
        signed_in(coordinator).get("/api/forgetful")


def test_a_session_needs_the_mark_of_the_visit_and_a_token_does_not(cast: Cast, coordinator: User, rf: RequestFactory):
    by_session = signed_in(coordinator, enforce_csrf_checks=True).post("/api/writing")
    by_token = Client(enforce_csrf_checks=True).post("/api/writing", headers=token_of(coordinator, rf))

    assert (by_session.status_code, by_token.status_code) == (403, 201)


def test_a_method_that_is_not_there_gets_405(cast: Cast, coordinator: User):
    client = signed_in(coordinator)

    assert [client.generic(method, "/api/writing").status_code for method in ("PUT", "DELETE", "OPTIONS")] == [405] * 3


def test_an_act_that_asks_again_wants_a_recent_session_and_no_token(cast: Cast, coordinator: User, rf: RequestFactory):
    with time_machine.travel(NOON, tick=False) as clock:
        client, header = signed_in(coordinator), token_of(coordinator, rf)
        recent, by_token = client.post("/api/signing"), Client().post("/api/signing", headers=header)
        clock.move_to(NOON + timedelta(minutes=11))

        later = client.post("/api/signing")

    assert [recent.status_code, by_token.status_code, later.status_code] == [201, 403, 403]
    assert later.json()["detail"].startswith("This needs you to confirm who you are")


@override_settings(API_PER_PERSON=3)
def test_too_many_calls_of_one_person_are_refused_for_a_while_and_those_of_others_are_not(
    cast: Cast, coordinator: User, monitor: User, rf: RequestFactory
):
    with time_machine.travel(NOON, tick=False) as clock:
        header = token_of(coordinator, rf)
        first = [Client().get("/api/patients", headers=header).status_code for _ in range(3)]
        clock.move_to(NOON + timedelta(seconds=20))
        by_session = signed_in(coordinator).get("/api/patients")
        other = Client().get("/api/patients", headers=token_of(monitor, rf)).status_code
        clock.move_to(NOON + timedelta(seconds=60))

        later = Client().get("/api/patients", headers=header).status_code

    assert first == [200, 200, 200]
    assert by_session.status_code == 429
    assert by_session["Retry-After"] == "40"
    assert by_session.json()["detail"] == "These were too many calls. Try again in 40 seconds."
    assert (other, later) == (200, 200)


@override_settings(API_PER_ADDRESS=3)
def test_guessing_tokens_from_many_addresses_of_one_ipv6_network_is_limited(cast: Cast):
    header = {"Authorization": "Token 0000"}

    answers = [
        Client(REMOTE_ADDR=address).get("/api/patients", headers=header).status_code
        for address in (
            "2001:db8:0:7::1",
            "2001:db8:0:7::2",
            "2001:db8:0:7:ffff::3",
            "2001:db8:0:7::4",
            "2001:db8:0:8::1",
        )
    ]

    assert answers == [401, 401, 401, 429, 401]


@override_settings(API_PER_ADDRESS=3)
def test_guesses_from_one_address_are_slowed_down_and_calls_from_elsewhere_are_not(
    cast: Cast, coordinator: User, rf: RequestFactory
):
    header = token_of(coordinator, rf)
    guesses = [Client().get("/api/patients", headers={"Authorization": f"Token {n:064}"}) for n in range(4)]

    here, elsewhere = (
        Client(REMOTE_ADDR=address).get("/api/patients", headers=header) for address in ("127.0.0.1", "192.0.2.7")
    )

    assert [answer.status_code for answer in guesses] == [401, 401, 401, 429]
    assert (here.status_code, elsewhere.status_code) == (429, 200)
