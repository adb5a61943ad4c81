"""The pages of people in a real browser: no barrier at either width, and a role given with the keyboard alone."""

from collections.abc import Callable
from datetime import date

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests import make
from tests.cast import Cast
from trial.audit import recording
from trial.models import AccessReview, Membership, Role

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_every_page_of_people_is_free_of_barriers_at_both_widths(
    page: Page, live_server: LiveServer, sign_in: Callable[[User], None], barriers: Callable[[], str], cast: Cast
):
    with recording(by=make.author(), reason="Looked through.", study=cast.study):
        AccessReview.objects.create(
            study=cast.study, reviewed_as_of=date(2015, 1, 5), statement="All is well.", people_count=9
        )
    sign_in(cast["administrator"])
    role = Membership.objects.get(person__user=cast["investigator"])
    of_person = f"people/{role.person_id}/"
    pages = [
        *("people/", "people/invite/", "people/add/", "people/reviews/", "people/review/", of_person),
        *(f"{of_person}{act}/" for act in ("roles/add", "disable", "enable", "password-link", "second-factor")),
        *(f"{of_person}roles/{role.pk}/{act}/" for act in ("end", "dates")),
    ]
    found = {}

    for width in (1360, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for name in pages:
            page.goto(f"{live_server.url}/MT103-211/{name}")
            is_too_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
            if problems := barriers() or ("wider than the window" if is_too_wide else ""):
                found[name, width] = problems

    assert found == {}


def test_a_role_is_given_with_the_keyboard_alone(
    page: Page, live_server: LiveServer, sign_in: Callable[[User], None], cast: Cast
):
    sign_in(cast["administrator"])
    statistician = cast["statistician"].person
    page.goto(f"{live_server.url}/MT103-211/people/{statistician.pk}/")

    page.get_by_role("link", name="Give a role").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Role", exact=True).focus()
    page.keyboard.type("Monitor")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.get_by_label("Why").focus()
    page.keyboard.type("Helps with the visits in May.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("Gave Statistician the role Monitor, all sites, from")
    assert Membership.objects.filter(person=statistician, role=Role.MONITOR, site=None).exists()
