"""One-time links: good once, for a day, for an account that is open, and a second factor is asked all the same."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client, RequestFactory, override_settings

from tests.cast import Cast
from trial.audit import recording
from trial.models import Membership, Role
from trial.sign_in.links import LINK_HOURS, password_link

NEW = "a pelican beside four lanterns"


def chosen(client: Client, link: str, password: str = NEW):
    """What comes of opening a link and choosing a password there."""
    opened = client.get(link, follow=True)
    form = opened.redirect_chain[-1][0] if opened.redirect_chain else link
    return client.post(form, {"password1": password, "password2": password}, follow=True)


def signs_in(client: Client, name: str, password: str) -> bool:
    client.post("/sign-in/", {"login": name, "password": password})
    return "_auth_user_id" in client.session


def test_a_link_sets_a_password_with_which_one_signs_in(client: Client, cast: Cast):
    answer = chosen(client, password_link(cast["monitor"]))

    assert "Your password is saved" in answer.content.decode()
    assert signs_in(client, "monitor", NEW)


def test_a_link_signs_nobody_in(client: Client, cast: Cast):
    chosen(client, password_link(cast["monitor"]))

    assert "_auth_user_id" not in client.session


def test_a_link_works_once(client: Client, cast: Cast):
    link = password_link(cast["monitor"])
    chosen(client, link)

    again = chosen(Client(), link, "another pelican without a lantern")

    assert "This link was used before" in again.content.decode()
    assert not signs_in(Client(), "monitor", "another pelican without a lantern")


@pytest.mark.parametrize(("hours", "works"), [(23.9, True), (24.1, False)])
def test_a_link_works_for_a_day(client: Client, cast: Cast, hours: float, works: bool):
    began = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
    with time_machine.travel(began, tick=False):
        link = password_link(cast["monitor"])

    with time_machine.travel(began + timedelta(hours=hours), tick=False):
        page = client.get(link, follow=True).content.decode()

    assert LINK_HOURS == 24
    assert ("Nobody else ever sees it" in page) is works


def test_a_link_ends_when_the_old_password_is_used_to_sign_in(client: Client, cast: Cast):
    link = password_link(cast["monitor"])
    signs_in(Client(), "monitor", "as long as it needs to be")

    assert "This link was used before" in client.get(link, follow=True).content.decode()


def test_a_link_of_a_closed_account_opens_nothing(client: Client, cast: Cast):
    link = password_link(cast["monitor"])
    cast["monitor"].is_active = False
    cast["monitor"].save()

    assert "This link was used before" in client.get(link, follow=True).content.decode()


def test_a_link_stays_dead_when_its_account_is_opened_again(client: Client, cast: Cast):
    link = password_link(cast["monitor"])
    person = cast["monitor"].person
    for is_active in (False, True):
        with recording(by=cast["administrator"], reason="He left, and came back."):
            person.is_active = is_active
            person.save()

    assert "This link was used before" in client.get(link, follow=True).content.decode()


def test_a_link_ends_when_its_holder_may_do_something_else(client: Client, cast: Cast):
    link = password_link(cast["stranger"])
    with recording(by=cast["administrator"], reason="She joins the study.", study=cast.study):
        Membership(
            person=cast["stranger"].person, study=cast.study, role=Role.STATISTICIAN, starts_on=date(2012, 1, 1)
        ).save()

    assert "This link was used before" in client.get(link, follow=True).content.decode()


def test_a_newer_link_ends_an_older_one_of_the_same_person(cast: Cast):
    with time_machine.travel(datetime(2026, 3, 1, 8, 0, tzinfo=UTC), tick=False):  # within one second, too
        older, of_another, newer = (password_link(cast[name]) for name in ("monitor", "inspector", "monitor"))

        pages = [Client().get(link, follow=True).content.decode() for link in (older, of_another, newer)]

    assert ["This link was used before" in page for page in pages] == [True, False, False]


def test_a_link_of_which_the_server_forgot_whether_it_is_the_newest_opens_nothing(client: Client, cast: Cast):
    link = password_link(cast["monitor"])
    cache.clear()

    assert "This link was used before" in client.get(link, follow=True).content.decode()


def test_a_link_that_ends_while_its_form_is_open_sets_nothing(client: Client, cast: Cast):
    form = client.get(password_link(cast["monitor"]))["Location"]
    password_link(cast["monitor"])

    client.post(form, {"password1": NEW, "password2": NEW})

    assert not signs_in(Client(), "monitor", NEW)


def test_a_link_that_somebody_made_up_opens_nothing(client: Client, cast: Cast):
    link = password_link(cast["monitor"])

    assert "This link was used before" in client.get(link[:-3] + "00/", follow=True).content.decode()


def test_the_key_of_a_link_is_not_in_the_address_of_the_form(client: Client, cast: Cast):
    link = password_link(cast["monitor"])

    opened = client.get(link)

    assert opened["Location"].endswith("-set-password/")


def test_a_link_is_whole_where_the_name_of_the_server_is_known(rf: RequestFactory, cast: Cast):
    request = rf.get("/", SERVER_NAME="testserver")

    by_request = password_link(cast["monitor"], request)
    with override_settings(IS_PRODUCTION=True, ALLOWED_HOSTS=["marrow.example.org"]):
        by_install = password_link(cast["monitor"])

    assert by_request.startswith("http://testserver/sign-in/link/")
    assert by_install.startswith("https://marrow.example.org/sign-in/link/")
    assert password_link(cast["monitor"]).startswith("/sign-in/link/")
