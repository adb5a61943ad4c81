"""API tokens: shown once, kept as a digest, good for one role in one study, and over when anything of that is."""

import html
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, override_settings

from tests.cast import FIRST_DAY, Cast
from trial.audit import recording
from trial.models import AccessEvent, ApiToken, Membership, Patient, Role, Study

LIST, NEW, REPORT = "/account/tokens/", "/account/tokens/new/", "/api/v1/report?output=T-4.1"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SHOWN = re.compile(r'id="token" value="(marrow_[0-9a-f]{64})"')


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def make(user: User, role: str = "monitor", *, study: str = "MT103-211", name: str = "report", days: int = 90) -> str:
    """The text of a new token, made on the page."""
    answer = signed_in(user).post(NEW, {"name": name, "scope": f"{study} {role}", "days": days})
    assert answer.status_code == 200, answer.content.decode()
    found = SHOWN.search(answer.content.decode())
    assert found is not None
    return found[1]


def ask(token: str, address: str = REPORT) -> Any:
    return Client().get(address, headers={"Authorization": f"Token {token}"})


def test_a_token_is_shown_once_with_how_to_use_it_and_then_signs_in(monitor: User):
    client = signed_in(monitor)

    made = client.post(NEW, {"name": "weekly <b>", "scope": "MT103-211 monitor", "days": "30"})
    listed = client.get(LIST).content.decode()

    page = html.unescape(made.content.decode())
    (token,) = SHOWN.findall(page)
    assert ask(token).status_code == 200
    assert page.count(token) == 1
    assert "http://testserver/api/v1/report?study=MT103-211" in page
    assert "no-store" in made["Cache-Control"]
    assert token not in listed
    assert "weekly &lt;b&gt;" in listed
    assert token[:15] in listed


def test_a_dump_of_the_database_holds_no_token_that_can_be_used(monitor: User):
    token = make(monitor)
    ask(token)

    dump = "\n".join(rows_of_every_table())
    words = set(re.findall(r"[A-Za-z0-9_]{15,}", dump))

    assert token not in dump
    assert token.removeprefix("marrow_") not in dump
    assert ApiToken.objects.get().digest in words
    with override_settings(API_PER_ADDRESS=100_000):
        assert {ask(prefix + word).status_code for word in words for prefix in ("", "marrow_")} == {401}


def rows_of_every_table() -> list[str]:
    with connection.cursor() as cursor:
        rows = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows += [str(row) for row in cursor.fetchall()]
    return rows


def test_making_and_revoking_are_on_the_access_record(monitor: User):
    token = make(monitor, name="report", days=30)

    signed_in(monitor).post(f"/account/tokens/{token[:15]}/revoke/")

    made, revoked = AccessEvent.objects.filter(kind__startswith="token").order_by("id")
    assert [made.kind, revoked.kind] == ["token made", "token revoked"]
    assert made.by == revoked.by == monitor
    assert made.study == revoked.study == Study.objects.get()
    assert made.role == revoked.role == "monitor"
    assert made.what.startswith("report, until ")
    assert revoked.what == "report"


def test_a_revoked_token_opens_nothing(monitor: User):
    token, other = make(monitor), make(monitor, name="another")

    answer = signed_in(monitor).post(f"/account/tokens/{token[:15]}/revoke/")

    assert answer["Location"] == LIST
    assert [ask(token).status_code, ask(other).status_code] == [401, 200]
    assert ask(token).json()["detail"] == "This token is not known here, or was revoked."


def test_nobody_revokes_the_token_of_somebody_else(monitor: User, statistician: User):
    token = make(monitor)

    answer = signed_in(statistician).post(f"/account/tokens/{token[:15]}/revoke/")

    assert answer.status_code == 404
    assert ask(token).status_code == 200


def test_a_token_is_good_until_the_moment_at_which_it_expires(monitor: User):
    with time_machine.travel(NOON, tick=False) as clock:
        token = make(monitor, days=1)
        clock.move_to(NOON + timedelta(days=1) - timedelta(seconds=1))
        before = ask(token).status_code
        clock.move_to(NOON + timedelta(days=1))

        after = ask(token)
        listed = signed_in(monitor).get(LIST).content.decode()

    assert before == 200
    assert after.status_code == 401
    assert after["WWW-Authenticate"] == "Token"
    assert after.json()["detail"].startswith("This token has ended: it expired on 03-Mar-2026.")
    assert "Ended: it expired on 03-Mar-2026." in listed


@pytest.mark.parametrize(("days", "made"), [("0", 0), ("1", 1), ("365", 1), ("366", 0), ("", 0), ("many", 0)])
def test_a_token_lasts_a_day_to_a_year(monitor: User, days: str, made: int):
    answer = signed_in(monitor).post(NEW, {"name": "report", "scope": "MT103-211 monitor", "days": days})

    assert ApiToken.objects.count() == made
    assert ("Your new API token" in answer.content.decode()) == bool(made)
    assert 'value="90"' in signed_in(monitor).get(NEW).content.decode()


def test_a_page_that_is_sent_twice_makes_one_token(monitor: User):
    make(monitor)

    answer = signed_in(monitor).post(NEW, {"name": "report", "scope": "MT103-211 monitor", "days": "90"})

    assert ApiToken.objects.count() == 1
    assert "You have a token called &#x27;report&#x27; already. Give this one another name." in answer.content.decode()


def test_a_token_sees_what_its_role_sees_and_not_the_other_roles_of_the_person(
    cast: Cast, coordinator: User, patient: Patient, patient_elsewhere: Patient
):
    with recording(by=cast["administrator"], reason="One more role.", study=cast.study):
        Membership(person=coordinator.person, study=cast.study, role=Role.MONITOR, starts_on=FIRST_DAY).save()

    ask(make(coordinator, "coordinator", name="narrow"))
    ask(make(coordinator, "monitor", name="wide"))

    narrow, wide = AccessEvent.objects.filter(kind="read", page="api-report").order_by("id")
    assert [narrow.role, wide.role] == ["coordinator", "monitor"]
    assert [seen.patient_id for seen in narrow.patients.all()] == [patient.pk]
    assert {seen.patient_id for seen in wide.patients.all()} == {patient.pk, patient_elsewhere.pk}


def test_a_token_of_one_study_does_not_know_the_others(cast: Cast, monitor: User):
    with recording(by=cast["administrator"], reason="A second study begins."):
        second = Study(code="OTHER-1", title="Another study")
        second.save()
        Membership(person=monitor.person, study=second, role=Role.MONITOR, starts_on=FIRST_DAY).save()

    token = make(monitor, study="MT103-211")

    assert ask(token, f"{REPORT}&study=MT103-211").status_code == 200
    assert ask(token, f"{REPORT}&study=OTHER-1").status_code == 404
    assert ask(token, f"{REPORT}&study=NOWHERE").status_code == 404


def test_a_token_ends_with_the_last_day_of_the_role(cast: Cast, monitor: User):
    with recording(by=cast["administrator"], reason="The role has an end.", study=cast.study):
        membership = Membership.objects.get(person__user=monitor)
        membership.ends_on = date(2026, 3, 3)
        membership.save()
    with time_machine.travel(NOON, tick=False) as clock:
        token = make(monitor)
        clock.move_to(NOON + timedelta(days=1))
        last_day = ask(token).status_code
        clock.move_to(NOON + timedelta(days=2))

        after = ask(token)

    assert last_day == 200
    assert after.status_code == 401
    assert "its owner does not have that role any more" in after.json()["detail"]


def test_a_token_ends_where_a_second_factor_becomes_required(monitor: User):
    token = make(monitor)

    with override_settings(SECOND_FACTOR="required"):
        answer = ask(token)

    assert answer.status_code == 401
    assert "its owner has no second factor, which is required here" in answer.json()["detail"]


def test_a_role_that_was_not_offered_is_refused(monitor: User):
    client = signed_in(monitor)

    for scope in ("MT103-211 statistician", "OTHER-1 monitor", ""):
        client.post(NEW, {"name": "report", "scope": scope, "days": "90"})

    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("sent", ["Token", "Token a b", "Token é", "Token " + "0" * 64, "Token " + "x" * 10_000])
def test_what_is_no_token_is_refused(cast: Cast, sent: str):
    answer = Client().get(REPORT, headers={"Authorization": sent})

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Token"
    assert answer.json()["detail"]


def failures() -> list[tuple[Any, str, str, str]]:
    failed = AccessEvent.objects.filter(kind="sign-in failed").order_by("id")
    return [(event.by, event.person_name, event.page, event.what) for event in failed]


def test_a_call_with_a_token_that_is_over_is_on_record_with_its_owner(cast: Cast, monitor: User):
    with time_machine.travel(NOON, tick=False):
        expired = make(monitor, name="old", days=1)
    later = make(monitor, name="newer")
    with recording(by=cast["administrator"], reason="Left.", study=cast.study):
        Membership.objects.get(person__user=monitor).delete()

    ask(expired)
    ask(later)

    over, changed = failures()
    assert over[:3] == changed[:3] == (monitor, "Monitor", "token")
    assert over[3] == "API token old: it expired on 03-Mar-2026"
    assert changed[3] == "API token newer: the password, second factor, roles or account of its owner changed"
    events = AccessEvent.objects.filter(kind="sign-in failed")
    assert [(event.channel, event.study, event.role) for event in events] == [("api", cast.study, "monitor")] * 2


def test_a_call_with_the_token_of_a_disabled_person_is_on_record_with_them(cast: Cast, monitor: User):
    token = make(monitor)
    User.objects.filter(pk=monitor.pk).update(is_active=False)

    assert ask(token).status_code == 401

    assert [found[:3] for found in failures()] == [(monitor, "Monitor", "token")]


def test_a_token_that_is_not_good_is_its_owners_whoever_is_signed_in_beside(
    cast: Cast, monitor: User, statistician: User
):
    token = make(monitor)
    User.objects.filter(pk=monitor.pk).update(is_active=False)

    signed_in(statistician).get(REPORT, headers={"Authorization": f"Token {token}"})
    signed_in(statistician).get(REPORT, headers={"Authorization": "Token " + "0" * 64})

    assert [found[:3] for found in failures()] == [(monitor, "Monitor", "token"), (None, "", "token")]


@pytest.mark.parametrize("sent", ["Token", "Token a b", "Token é", "Token marrow_" + "0" * 64])
def test_a_call_with_what_is_no_token_is_on_record_without_what_was_sent(cast: Cast, sent: str):
    Client().get(REPORT, headers={"Authorization": sent})

    assert failures() == [(None, "", "token", "API token not known")]


def test_a_revoked_token_is_on_record_as_not_known(monitor: User):
    token = make(monitor)
    ApiToken.objects.all().delete()

    ask(token)

    assert failures() == [(None, "", "token", "API token not known")]


@override_settings(API_PER_ADDRESS=2)
def test_calls_that_come_too_often_from_one_address_leave_no_more_events(cast: Cast):
    answers = [ask(f"marrow_{number:064}").status_code for number in range(5)]

    assert answers == [401, 401, 429, 429, 429]
    assert len(failures()) == 2


def test_a_call_that_brings_no_token_is_no_failed_sign_in(cast: Cast):
    Client().get(REPORT)
    Client().get(REPORT, headers={"Authorization": "Basic YTpi"})

    assert failures() == []


def test_a_token_opens_no_page(monitor: User):
    assert ask(make(monitor), "/MT103-211/patients/").status_code == 302


def test_somebody_without_tokens_is_told_so(monitor: User):
    assert "You have no tokens." in signed_in(monitor).get(LIST).content.decode()
