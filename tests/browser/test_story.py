"""The story of a patient in the browser: reached by keyboard, read at both widths, every mark a link to its form."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from patients.models import Enrolment, InfusionInterval
from safety.models import AdverseEvent
from tests import make
from tests.cast import Cast
from trial.models import Patient

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DAY_1 = datetime(2013, 3, 4, 9, tzinfo=UTC)


@pytest.mark.parametrize("width", [1360, 390])
def test_a_story_is_read_by_keyboard_at_any_width(
    page: Page,
    sign_in: Callable[[User], None],
    barriers: Callable[[], str],
    live_server: LiveServer,
    cast: Cast,
    patient: Patient,
    width: int,
):
    make.record(Enrolment, patient, consented_on="2013-02-25")
    make.record(InfusionInterval, patient, started_at=DAY_1, ended_at=DAY_1 + timedelta(weeks=4), ended_at_offset=60)
    event = make.record(AdverseEvent, patient, started="2013-03-05", ended="2013-03-09", special_interest=["CRS"])
    sign_in(cast["coordinator"])
    page.set_viewport_size({"width": width, "height": 844})

    page.goto(f"{live_server.url}/MT103-211/patients/{patient.number}/")
    page.get_by_role("link", name="Story").click()
    page.wait_for_load_state()
    figure = page.get_by_role("region", name="Figure of the story; scrolls sideways")
    mark = figure.get_by_role("link", name="Fever, grade 2, 05-Mar-2013 to 09-Mar-2013 (day 2 to 6)")

    assert page.evaluate("document.documentElement.scrollWidth") <= width  # the figure scrolls inside its box
    assert barriers() == ""
    page.get_by_role("link", name="Skip the figure, to the same in a table").focus()
    page.keyboard.press("Tab")
    expect(figure).to_be_focused()
    mark.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{live_server.url}/MT103-211/patients/{patient.number}/AE/{event.pk}/")
