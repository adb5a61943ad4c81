"""When a session ends by itself, who is told what, and what each change of a person's rights ends."""

import base64
import hmac
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client, RequestFactory, override_settings

from tests.cast import FIRST_DAY, Cast
from trial.audit import recording
from trial.models import AccessEvent, Membership, Role
from trial.sign_in.rights import rights_of
from trial.sign_in.sessions import SEEN_COOKIE, open_sessions
from trial.token_actions import make_token, memberships_for_tokens

PAGE = "/MT103-211/patients/"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
IDLE = timedelta(minutes=15)
CHANGED = "You were signed out because your password, second factor, roles or account changed."


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize(("after", "status"), [(IDLE - SECOND, 200), (IDLE + SECOND, 302)])
def test_a_session_ends_after_a_quarter_of_an_hour_without_a_request(coordinator: User, after: timedelta, status: int):
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in(coordinator)

        clock.move_to(NOON + after)

        assert client.get(PAGE).status_code == status


@pytest.mark.parametrize("latest", [1, 30, 59, 60, 61, 119])
@pytest.mark.parametrize(("after", "status"), [(IDLE - SECOND, 200), (IDLE + SECOND, 302)])
def test_the_limit_counts_from_the_latest_request_to_the_second(
    coordinator: User, latest: int, after: timedelta, status: int
):
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in(coordinator)
        client.get(PAGE)
        clock.move_to(NOON + latest * SECOND)
        client.get(PAGE)

        clock.move_to(NOON + latest * SECOND + after)

        assert client.get(PAGE).status_code == status


@pytest.mark.parametrize("told", ["that of another session", "2000000000.000:made", "2000000000"])
def test_the_moment_in_the_browser_is_of_one_session_and_cannot_be_made(coordinator: User, monitor: User, told: str):
    with time_machine.travel(NOON, tick=False) as clock:
        idle, busy = signed_in(coordinator), signed_in(monitor)
        idle.get(PAGE)
        clock.move_to(NOON + IDLE - SECOND)
        busy.get(PAGE)
        clock.move_to(NOON + IDLE + SECOND)

        idle.cookies[SEEN_COOKIE] = busy.cookies[SEEN_COOKIE].value if "session" in told else told

        assert idle.get(PAGE).status_code == 302


def test_an_active_session_is_written_once_a_minute(coordinator: User):
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in(coordinator)

        written = []
        for seconds in range(0, 180, 20):
            clock.move_to(NOON + seconds * SECOND)
            client.get(PAGE)
            written.append(Session.objects.get().get_decoded()["marrow_seen"] - NOON.timestamp())

    assert written == [0, 0, 0, 60, 60, 60, 120, 120, 120]


def test_a_session_ends_after_twelve_hours_however_busy(coordinator: User):
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in(coordinator)
        for minutes in range(10, 12 * 60, 10):
            clock.move_to(NOON + timedelta(minutes=minutes))
            assert client.get(PAGE).status_code == 200
        clock.move_to(NOON + timedelta(hours=12))
        at_the_limit = client.get(PAGE)
        clock.move_to(NOON + timedelta(hours=12) + SECOND)

        after = client.get(PAGE, follow=True)

    assert at_the_limit.status_code == 200
    assert "You were signed out because a session lasts 12 hours at most." in after.content.decode()


def test_after_a_weekend_the_sign_in_page_says_why_and_where_one_will_be(coordinator: User):
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in(coordinator)
        clock.move_to(NOON + timedelta(hours=60))

        answer = client.get(f"{PAGE}?site=1", follow=True)

    page = answer.content.decode()
    assert answer.redirect_chain == [("/sign-in/?next=/MT103-211/patients/%3Fsite%3D1", 302)]
    assert "You were signed out because nothing was done for 15 minutes." in page
    assert "Sign in again to go on at /MT103-211/patients/?site=1." in page


def test_the_end_of_a_session_is_on_the_access_record_once(coordinator: User):
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in(coordinator)
        client.get(PAGE)
        key = client.session.session_key
        clock.move_to(NOON + IDLE + SECOND)

        client.get(PAGE)
        client.get(PAGE)

    (event,) = AccessEvent.objects.filter(kind="session ended")
    assert (event.by, event.what) == (coordinator, "nothing was done for 15 minutes")
    assert event.session == AccessEvent.objects.filter(kind="read").latest("pk").session != ""
    assert not Session.objects.filter(session_key=key).exists()


def by_password(cast: Cast, user: User) -> None:
    user.set_password("something else that is long")
    user.save()


def by_account(cast: Cast, user: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE auth_user SET is_active = %s WHERE id = %s", [False, user.pk])


def by_person(cast: Cast, user: User) -> None:
    with recording(by=cast["administrator"], reason="The person left.", study=cast.study):
        user.person.is_active = False
        user.person.save()


def by_end_of_role(cast: Cast, user: User) -> None:
    with recording(by=cast["administrator"], reason="The role ends.", study=cast.study):
        membership = Membership.objects.get(person__user=user)
        membership.ends_on = membership.starts_on
        membership.save()


def by_further_role(cast: Cast, user: User) -> None:
    with recording(by=cast["administrator"], reason="One more role.", study=cast.study):
        Membership(person=user.person, study=cast.study, role=Role.STATISTICIAN, starts_on=FIRST_DAY).save()


def by_role_in_sql(cast: Cast, user: User) -> None:
    with (
        recording(by=cast["administrator"], reason="Another role.", study=cast.study),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE trial_membership SET role = 'data manager', version = version + 1 WHERE person_id = %s",
            [user.person.pk],
        )


def by_new_factor(cast: Cast, user: User) -> None:
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "JBSWY3DPEHPK3PXP"})


def by_lost_factor(cast: Cast, user: User) -> None:
    Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).delete()


CHANGES = (
    by_password,
    by_account,
    by_person,
    by_end_of_role,
    by_further_role,
    by_role_in_sql,
    by_new_factor,
    by_lost_factor,
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_of_rights_ends_every_session_and_token_of_the_person_at_the_next_request(
    cast: Cast, monitor: User, investigator: User, rf: RequestFactory, change: Callable[[Cast, User], None]
):
    Authenticator.objects.create(user=monitor, type=Authenticator.Type.WEBAUTHN, data={"name": "a", "credential": {}})
    sessions = [signed_in(monitor) for _ in range(3)]
    token = token_of(monitor, rf)
    other, other_token = signed_in(investigator), token_of(investigator, rf)
    before = [*(client.get(PAGE).status_code for client in sessions), ask(token)]

    change(cast, monitor)
    page = sessions[0].get(PAGE, follow=True)
    script = sessions[1].get(PAGE, headers={"Sec-Fetch-Mode": "cors"})
    api = sessions[2].get("/api/v1/report")

    assert before == [200, 200, 200, 200]
    assert page.redirect_chain == [(f"/sign-in/?next={PAGE}", 302)]
    assert CHANGED in page.content.decode()
    assert (script.status_code, script.json()["detail"]) == (401, CHANGED)
    assert (api.status_code, api.json()["detail"]) == (401, CHANGED)
    assert [client.get(PAGE).status_code for client in sessions] == [302, 302, 302]
    assert ask(token) == 401
    assert (other.get(PAGE).status_code, ask(other_token)) == (200, 200)


def token_of(user: User, rf: RequestFactory) -> str:
    request = rf.post("/account/tokens/new/")
    request.user = user
    (membership,) = memberships_for_tokens(user)
    return make_token(request, membership, name="for the test", days=90)[1]


def ask(token: str) -> int:
    return Client().get("/api/v1/report?output=T-4.1", headers={"Authorization": f"Token {token}"}).status_code


def test_the_use_of_a_factor_and_a_sign_in_change_no_rights(monitor: User):
    codes = Authenticator.objects.create(
        user=monitor, type=Authenticator.Type.RECOVERY_CODES, data={"seed": "a", "used_mask": 0}
    )
    passkey = Authenticator.objects.create(
        user=monitor, type=Authenticator.Type.WEBAUTHN, data={"name": "blue", "credential": {"id": "b"}}
    )
    before = rights_of(monitor)

    codes.data = {"seed": "a", "used_mask": 4}
    codes.save()
    passkey.data = {"name": "red", "credential": {"id": "b"}}
    passkey.record_usage()
    passkey.save()
    signed_in(monitor)

    assert rights_of(monitor) == before
    assert len(before) == 64


def test_the_rights_are_read_with_one_query_however_many_roles(
    cast: Cast, monitor: User, django_assert_num_queries: Any
):
    by_further_role(cast, monitor)
    by_new_factor(cast, monitor)

    with django_assert_num_queries(1):
        rights_of(monitor)


def test_who_changes_their_own_password_stays_signed_in_here_and_nowhere_else(monitor: User):
    here, elsewhere = signed_in(monitor), signed_in(monitor)
    new = "a sentence nobody would guess 7"

    answer = here.post(
        "/account/password/", {"oldpassword": "as long as it needs to be", "password1": new, "password2": new}
    )

    assert answer.status_code == 302, answer.content.decode()
    assert [here.get(PAGE).status_code, elsewhere.get(PAGE).status_code] == [200, 302]


@pytest.mark.django_db(transaction=True)  # allauth tells of a new factor when it is committed
def test_who_adds_a_second_factor_stays_signed_in_here_and_nowhere_else(monitor: User):
    here, elsewhere = signed_in(monitor), signed_in(monitor)
    here.post("/account/confirm/", {"password": "as long as it needs to be"})
    here.get("/account/second-factor/app/add/")
    secret = here.session["mfa.totp.secret"]

    answer = here.post("/account/second-factor/app/add/", {"code": code_now(secret)})

    assert answer.status_code == 302, answer.content.decode()
    assert set(Authenticator.objects.values_list("type", flat=True)) == {"totp", "recovery_codes"}
    assert [here.get(PAGE).status_code, elsewhere.get(PAGE).status_code] == [200, 302]


def code_now(secret: str) -> str:
    """The code of RFC 6238: six digits, thirty seconds, SHA-1."""
    key = base64.b32decode(secret)
    digest = hmac.new(key, int(time.time() // 30).to_bytes(8, "big"), "sha1").digest()
    offset = digest[-1] & 15
    return f"{(int.from_bytes(digest[offset : offset + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


@override_settings(SECOND_FACTOR="required")
def test_who_has_no_second_factor_where_one_is_required_gets_only_to_their_own_account(monitor: User):
    client = signed_in(monitor)

    refused = [
        page for page in (PAGE, "/", "/account/tokens/") if client.get(page)["Location"] != "/account/second-factor/"
    ]
    own = [client.get(page).status_code for page in ("/account/", "/account/second-factor/")]
    script = client.get(PAGE, headers={"HX-Request": "true"})
    api = client.get("/api/v1/report")
    said = client.get(PAGE, follow=True).content.decode()
    out = client.post("/sign-out/").status_code

    assert refused == []
    assert own == [200, 200]
    assert (script.status_code, api.status_code, out) == (403, 403, 302)
    assert "A second factor is required here, and your account has none yet. Add one to go on." in said


@override_settings(SECOND_FACTOR="required")
def test_with_a_second_factor_every_page_is_open_where_one_is_required(cast: Cast, monitor: User):
    by_new_factor(cast, monitor)

    client = signed_in(monitor)

    assert client.get(PAGE).status_code == 200
    assert client.get("/api/v1/report").status_code == 200


@override_settings(SECOND_FACTOR="required")
def test_recovery_codes_alone_are_no_second_factor(monitor: User):
    Authenticator.objects.create(user=monitor, type=Authenticator.Type.RECOVERY_CODES, data={"seed": "a"})

    assert signed_in(monitor).get(PAGE).status_code == 302


def test_a_script_of_somebody_who_is_not_signed_in_gets_401_and_a_person_the_sign_in_page(db: None):
    asked = {
        "a person": {},
        "a person in a browser": {"Sec-Fetch-Mode": "navigate"},
        "a fetch": {"Sec-Fetch-Mode": "same-origin"},
        "an image": {"Sec-Fetch-Mode": "no-cors"},
        "htmx": {"HX-Request": "true"},
        "an older script": {"X-Requested-With": "XMLHttpRequest"},
    }

    found = {who: Client().get(PAGE, headers=headers).status_code for who, headers in asked.items()}

    assert found == {
        "a person": 302,
        "a person in a browser": 302,
        "a fetch": 401,
        "an image": 401,
        "htmx": 401,
        "an older script": 401,
    }


def test_open_sessions_are_those_within_the_limits(monitor: User):
    def session(key: str, began: timedelta, seen: timedelta) -> None:
        UserSession.objects.create(
            user=monitor, session_key=key, ip="127.0.0.1", created_at=NOON - began, last_seen_at=NOON - seen
        )

    with time_machine.travel(NOON, tick=False):
        session("new", timedelta(0), timedelta(0))
        session("in use", timedelta(hours=11), timedelta(minutes=14))
        session("idle", timedelta(hours=1), timedelta(minutes=17))
        session("old", timedelta(hours=13), timedelta(minutes=1))

        found = set(open_sessions(monitor).values_list("session_key", flat=True))

    assert found == {"new", "in use"}
