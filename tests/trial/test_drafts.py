"""What was typed when the session had ended is there again, for the same person, on the same page; and confirming again."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client, RequestFactory, override_settings

from tests.cast import Cast
from trial.drafts import MOST_CHARACTERS, drop_draft, drop_what_was_sent, find_draft, find_drafts, keep_draft
from trial.models import ApiToken, Draft

PAGE = "/account/tokens/new/"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(minutes=15, seconds=1)
PASSWORD = "as long as it needs to be"
TYPED = {"name": 'quarterly "report" <1>', "scope": "MT103-211 monitor", "days": "30 days"}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@contextmanager
def sent_too_late(user: User, typed: dict[str, str] = TYPED, page: str = PAGE) -> Iterator[Client]:
    """The browser of somebody who filled in a form, went away for longer than allowed, and sent it."""
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in(user)
        client.get(page)
        clock.move_to(LATER)
        client.post(page, typed)
        yield client


def test_a_form_that_is_sent_too_late_is_filled_again_after_signing_in(monitor: User):
    with sent_too_late(monitor) as client:
        sign_in = client.get("/sign-in/").content.decode()
        answer = client.post("/sign-in/", {"login": "monitor", "password": PASSWORD, "next": PAGE}, follow=True)

    page = answer.content.decode()
    assert answer.redirect_chain == [(PAGE, 302)]
    assert 'value="quarterly &quot;report&quot; &lt;1&gt;"' in page
    assert 'value="30 days"' in page
    assert '<option value="MT103-211 monitor" selected>' in page
    assert "This form is filled with what you typed at" in page
    assert "What you typed is kept for you." in sign_in
    assert "Sign in again to go on at /account/tokens/new/." in sign_in
    assert not ApiToken.objects.exists()


def test_nobody_else_sees_what_somebody_typed(cast: Cast, monitor: User, statistician: User):
    with sent_too_late(monitor) as client:
        client.force_login(statistician)

        page = client.get(PAGE).content.decode()
        of_another, of_their_own = find_draft(statistician, PAGE), find_draft(monitor, PAGE)

    assert "quarterly" not in page
    assert of_another is None
    assert of_their_own is not None
    assert of_their_own.typed == {name: [text] for name, text in TYPED.items()}


def test_what_is_sent_takes_the_place_of_the_draft(monitor: User):
    with sent_too_late(monitor) as client:
        client.force_login(monitor)
        answer = client.post(PAGE, TYPED | {"days": "30"})

        again = client.get(PAGE).content.decode()

    assert answer.status_code == 200
    assert ApiToken.objects.get().name == TYPED["name"]
    assert "quarterly" not in again


def test_one_may_begin_with_an_empty_form(monitor: User):
    with sent_too_late(monitor) as client:
        client.force_login(monitor)
        assert "quarterly" in client.get(PAGE).content.decode()

        answer = client.post("/account/drafts/forget/", {"page": PAGE}, follow=True)

    assert answer.redirect_chain == [(PAGE, 302)]
    assert "quarterly" not in answer.content.decode()


def test_forgetting_leads_nowhere_but_to_ones_own_draft(monitor: User):
    answer = signed_in(monitor).post("/account/drafts/forget/", {"page": "https://elsewhere.example/"})

    assert answer["Location"] == "/"


def test_secrets_are_not_kept(monitor: User):
    typed = {
        "csrfmiddlewaretoken": "a",
        "password": "b",
        "password1": "c",
        "oldpassword": "d",
        "code": "e",
        "api_token": "f",
        "client_secret": "g",
        "name": "kept",
        "drug_code": "kept too",
    }

    with sent_too_late(monitor, typed):
        kept = find_draft(monitor, PAGE)

    assert kept is not None
    assert kept.typed == {"name": ["kept"], "drug_code": ["kept too"]}


def test_nothing_of_the_account_pages_is_kept(monitor: User):
    with sent_too_late(monitor, {"anything": "typed"}, page="/account/password/"):
        pass

    assert not Draft.objects.exists()


def test_a_page_of_another_site_cannot_put_a_draft_here(monitor: User):
    with time_machine.travel(NOON, tick=False) as clock:
        client = Client(enforce_csrf_checks=True)
        client.force_login(monitor)
        clock.move_to(LATER)

        answer = client.post(PAGE, TYPED)

    assert answer.status_code == 403
    assert not Draft.objects.exists()


@pytest.mark.parametrize(
    "typed", [{"name": ["x" * MOST_CHARACTERS]}, {"name": ["a\0b"]}, {"a\0": ["b"]}, {}, {"password": ["secret"]}]
)
def test_what_cannot_be_kept_is_not_said_to_be_kept(monitor: User, typed: dict[str, list[str]]):
    assert not keep_draft(monitor, PAGE, typed)
    assert find_draft(monitor, PAGE) is None


def test_a_draft_is_of_one_page_and_is_replaced_and_dropped(monitor: User):
    keep_draft(monitor, "/a/", {"x": ["1"]})
    keep_draft(monitor, "/a/", {"x": ["2", "3"]})
    keep_draft(monitor, "/b/", {"x": ["4"]})

    dropped = drop_draft(monitor, "/b/")

    assert Draft.objects.get().typed == {"x": ["2", "3"]}
    assert find_draft(monitor, "/b/") is None
    assert dropped
    assert not drop_draft(monitor, "/b/")


FIRST, SECOND = "1" * 32, "2" * 32  # the marks of two opened pages


def test_two_opened_pages_of_one_address_have_a_draft_each(monitor: User):
    with time_machine.travel(NOON, tick=False) as clock:
        keep_draft(monitor, "/log/", {"once": [FIRST], "x": ["1"]})
        clock.shift(1)
        keep_draft(monitor, "/log/", {"once": [SECOND], "x": ["2"]})
        clock.shift(1)
        keep_draft(monitor, "/log/", {"once": [FIRST], "x": ["3"]})

        found = find_drafts(monitor, "/log/")
        newest, second = find_draft(monitor, "/log/"), find_draft(monitor, f"/log/?once={SECOND}")

    assert [draft.typed["x"] for draft in found] == [["3"], ["2"]]
    assert (newest, second) == (found[0], found[1])


def test_the_save_of_one_opened_page_leaves_the_drafts_of_the_others(monitor: User):
    keep_draft(monitor, "/log/", {"once": [FIRST], "x": ["1"]})
    keep_draft(monitor, "/log/", {"once": [SECOND], "x": ["2"]})
    keep_draft(monitor, "/log/", {"x": ["without a mark"]})
    keep_draft(monitor, "/log/1/", {"x": ["another page"]})
    request = RequestFactory().post("/log/", {"once": SECOND, "x": "2"})
    request.user = monitor

    drop_what_was_sent(request)

    assert {draft.page for draft in Draft.objects.all()} == {f"/log/?once={FIRST}", "/log/1/"}


def test_what_is_no_mark_names_no_page(monitor: User):
    keep_draft(monitor, "/log/", {"once": ["../else/"], "x": ["1"]})

    assert Draft.objects.get().page == "/log/"


def test_a_draft_is_gone_after_a_month(monitor: User):
    with time_machine.travel(NOON, tick=False) as clock:
        keep_draft(monitor, "/old/", {"x": ["1"]})
        clock.move_to(NOON + timedelta(days=30))
        at_the_limit = find_draft(monitor, "/old/")
        clock.move_to(NOON + timedelta(days=30, seconds=1))

        after = find_draft(monitor, "/old/")
        keep_draft(monitor, "/new/", {"x": ["1"]})

    assert at_the_limit is not None
    assert at_the_limit.typed == {"x": ["1"]}
    assert after is None
    assert [draft.page for draft in Draft.objects.all()] == ["/new/"]


def test_a_form_that_is_sent_from_another_page_leads_back_to_that_page(monitor: User):
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in(monitor)
        clock.move_to(LATER)

        answer = client.post(
            "/MT103-211/report/export/",
            {"cohort": "all"},
            headers={"Referer": "http://testserver/MT103-211/report/?cohort=all"},
        )

    assert answer["Location"] == "/sign-in/?next=/MT103-211/report/%3Fcohort%3Dall"


def test_ten_minutes_after_signing_in_one_is_asked_again_and_comes_back(monitor: User):
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in(monitor)
        clock.move_to(NOON + timedelta(minutes=10))
        within = client.get(PAGE)
        clock.move_to(NOON + timedelta(minutes=10, seconds=1))
        asked = client.get(PAGE)
        back = client.post("/account/confirm/", {"password": PASSWORD, "next": PAGE})
        clock.move_to(NOON + timedelta(minutes=20, seconds=1))
        confirmed = client.get(PAGE)
        clock.move_to(NOON + timedelta(minutes=20, seconds=2))
        asked_again = client.get(PAGE)

    assert within.status_code == 200
    assert asked["Location"] == "/account/confirm/?next=%2Faccount%2Ftokens%2Fnew%2F"
    assert back["Location"] == PAGE
    assert confirmed.status_code == 200
    assert asked_again.status_code == 302


def test_a_wrong_password_confirms_nothing(monitor: User):
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in(monitor)
        clock.move_to(NOON + timedelta(minutes=11))
        client.post("/account/confirm/", {"password": "another one", "next": PAGE})

        assert client.get(PAGE).status_code == 302


def test_a_form_that_is_led_away_to_confirm_is_filled_again(monitor: User):
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in(monitor)
        clock.move_to(NOON + timedelta(minutes=11))
        asked = client.post(PAGE, TYPED, follow=True)

        back = client.post("/account/confirm/", {"password": PASSWORD, "next": PAGE}, follow=True)

    assert "What you typed is kept for you." in asked.content.decode()
    assert 'value="quarterly &quot;report&quot; &lt;1&gt;"' in back.content.decode()
    assert not ApiToken.objects.exists()


def test_a_script_that_must_confirm_gets_403_and_the_sentence(monitor: User):
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in(monitor)
        clock.move_to(NOON + timedelta(minutes=11))

        answer = client.post(PAGE, TYPED, headers={"Sec-Fetch-Mode": "cors"})

    assert answer.status_code == 403
    assert answer.json()["detail"] == "This needs you to confirm who you are: it was more than ten minutes ago."


def test_an_account_with_nothing_to_confirm_by_counts_as_confirmed_in_the_demo_alone(monitor: User):
    monitor.set_unusable_password()
    monitor.save()
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in(monitor)
        clock.move_to(NOON + timedelta(minutes=11))

        elsewhere = client.get(PAGE)
        with override_settings(IS_DEMO=True):
            in_the_demo = client.get(PAGE)

    assert in_the_demo.status_code == 200
    assert elsewhere.status_code == 403
    assert "Sign out and in again to do this" in elsewhere.content.decode()
