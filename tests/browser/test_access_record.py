"""The pages of the access record in a real browser: no barrier and nothing beside the window at either width."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from tests.cast import Cast
from trial.access_record.keeping import record_access
from trial.access_record.models import AccessKind
from trial.models import Patient

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_every_page_of_the_access_record_is_free_of_barriers_at_both_widths(
    page: Page,
    live_server: LiveServer,
    sign_in: Callable[[User], None],
    barriers: Callable[[], str],
    cast: Cast,
    patient: Patient,
    patient_elsewhere: Patient,
):
    details = {
        "page": "report-export",
        "purpose": "Safety review",
        "recipient": "Dr Ada Roe",
        "content_hash": "ab" * 32,
    }
    both = [patient.pk, patient_elsewhere.pk]
    export = record_access(AccessKind.EXPORTED, by=cast["statistician"], study=cast.study, patients=both, **details)
    browser = Client()
    browser.force_login(cast["monitor"])
    browser.get("/MT103-211/patients/SYN-012-001/")
    sign_in(cast["inspector"])
    pages = ("access/", f"access/{export.pk}/", "access/people/", "patients/SYN-012-001/access/", "report/export/")
    found = {}

    for width in (1360, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for name in pages:
            page.goto(f"{live_server.url}/MT103-211/{name}")
            is_too_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
            if problems := barriers() or ("wider than the window" if is_too_wide else ""):
                found[name, width] = problems

    assert found == {}
