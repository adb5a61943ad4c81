"""Every page in a real browser: its picture at two widths, no barrier, no complaint of the console, nothing beside the box.

The pictures in docs/pictures are of the demo study, so that they show what a reader of the documentation will see.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from analysis.demo.build import plan_study
from analysis.demo.write import write_study
from patients.models import Transplant
from safety.models import AdverseEvent
from tests.cast import Cast
from trial.models import Membership, Patient, Query, Role

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PICTURES = Path(settings.BASE_DIR) / "docs" / "pictures"
WIDTHS = (1360, 390)
MOST_BYTES = 60_000  # of a page without a figure in it
WITH_FIGURE = {"story"}
LONG = {
    "published",
    "changes",
    "patients",
    "form-table",
    "visits",
    "grid",
    "queries",
    "today",
}  # their pictures show the first window only


def person(role: Role) -> User:
    """The first person of a role, as the sign-in page of the demo chooses."""
    return Membership.objects.filter(role=role).order_by("pk").select_related("person__user")[0].person.user


@pytest.fixture
def small_demo(live_server: LiveServer) -> str:
    """A small study of the same kind as the demo, and the address of its pages."""
    write_study(plan_study(1, 24), label="small")
    return f"{live_server.url}/MT103-211"


@pytest.fixture
def whole_demo(live_server: LiveServer) -> str:
    """The reconstructed study of 189 patients, and the address of its pages."""
    write_study(plan_study(1, 189), label="whole")
    return f"{live_server.url}/MT103-211"


def every_page(study: str) -> dict[str, str]:
    """A page of each kind, by the name of its picture."""
    transplant = Transplant.objects.order_by("patient__number")[0]
    event = AdverseEvent.history.filter(history_type="~").order_by("history_id")[0]
    of_transplant = f"{study}/patients/{transplant.patient.number}"
    of_event = f"{study}/patients/{Patient.objects.get(pk=event.patient_id).number}/AE/{event.id}/"
    return {
        "patients": f"{study}/patients/",
        "patient": f"{of_transplant}/",
        "visits": f"{of_transplant}/visits/",
        "story": f"{of_transplant}/story/",
        "grid": f"{study}/grid/",
        "queries": f"{study}/queries/",
        "form": f"{of_transplant}/HSCT/",
        "form-table": f"{of_transplant}/LBH/",
        "record": of_event,
        "history": f"{of_event}history/",
        "changes": f"{study}/changes/?kind=~",
        "report": f"{study}/report/",
        "output-table": f"{study}/report/T-4.1/",
        "output-safety": f"{study}/report/T-6.1/",
        "output-flow": f"{study}/report/F-1.2/",
        "output-curve": f"{study}/report/F-5.4/",
        "published": f"{study}/report/A-9.3/",
        "past": f"{study}/report/T-5.3/?cutoff=2014-09-30&as_of=2014-09-30",
        "search": f"{study}/search/?q=survival",
        "query": address_of_a_thread(study),
        "query-figures": f"{study}/queries/figures/",
    }


def address_of_a_thread(study: str) -> str:
    """The page of the first query that a person asked, with its thread."""
    query = Query.objects.filter(check_code="").order_by("pk").select_related("patient")[0]
    return f"{study}/patients/{query.patient.number}/queries/{query.pk}/"


def pages_of_entry(study: str, coordinator: User) -> dict[str, str]:
    """A coordinator's pages, by the name of their picture: a form with an open question, and what is due today."""
    query = Query.objects.visible_to(coordinator).open().filter(record__isnull=False).order_by("pk")[0]
    of_patient = f"{study}/patients/{query.patient.number}"
    return {"entry": f"{of_patient}/{query.form}/{query.record}/edit/", "today": f"{study}/today/"}


def look_at(page: Page, pages: dict[str, str], barriers: Callable[[], str], pictures: Path | None = None) -> None:
    """Open each page at each width; fail with a list of what is wrong on which."""
    found = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for name, address in pages.items():
            answer = page.goto(address)
            assert answer is not None
            page.wait_for_load_state("networkidle")
            if name == "output-curve":
                expect(page.locator(".plot svg")).to_be_visible()
            if pictures:
                page.screenshot(path=pictures / f"{name}-{width}.png", full_page=name not in LONG)
            barrier = barriers()
            wide = page.evaluate("document.documentElement.scrollWidth")
            said = {
                "status": answer.status if answer.status != 200 else "",
                "barrier": barrier,
                "wider than the window": wide if wide > width else "",
                "bytes": len(answer.body()) if len(answer.body()) > MOST_BYTES and name not in WITH_FIGURE else "",
            }
            if any(said.values()):
                found[f"{name} at {width}"] = {what: value for what, value in said.items() if value}
    assert found == {}


def test_every_page_can_be_used_by_everybody(
    small_demo: str, page: Page, sign_in: Callable[[User], None], barriers: Callable[[], str]
):
    sign_in(person(Role.STATISTICIAN))

    look_at(page, every_page(small_demo), barriers)


@pytest.mark.slow
def test_every_page_of_the_demo_is_pictured(
    whole_demo: str, page: Page, sign_in: Callable[[User], None], barriers: Callable[[], str]
):
    PICTURES.mkdir(exist_ok=True)
    sign_in(person(Role.STATISTICIAN))

    look_at(page, every_page(whole_demo), barriers, pictures=PICTURES)

    sign_in(coordinator := person(Role.COORDINATOR))
    look_at(page, pages_of_entry(whole_demo, coordinator), barriers, pictures=PICTURES)


def test_an_inspector_goes_from_a_number_to_its_patients_a_form_and_its_history(
    small_demo: str, page: Page, sign_in: Callable[[User], None]
):
    sign_in(person(Role.INSPECTOR))

    page.goto(f"{small_demo}/report/T-4.1/")
    number = page.locator(".results td a").first
    text = number.inner_text()
    number.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Patients behind {text}")
    expect(page.locator("tbody tr")).to_have_count(int(text.split("/")[0]))
    page.locator("tbody tr").first.get_by_role("link", name="Bone marrow").click()
    page.locator("main table a").first.click()
    page.get_by_role("link", name="History", exact=True).click()

    expect(page.get_by_role("heading", level=2).last).to_have_text("Version 1: entered")


def test_pointing_at_a_curve_tells_time_survival_interval_and_number_at_risk(
    small_demo: str, page: Page, sign_in: Callable[[User], None]
):
    sign_in(person(Role.STATISTICIAN))
    page.goto(f"{small_demo}/report/F-5.4/")

    page.locator(".plot svg .mark-symbol path").nth(3).hover(force=True)

    tip = page.locator("#vg-tooltip-element")
    expect(tip).to_be_visible()
    for word in ("Months", "Without event (%)", "95 % interval", "At risk"):
        expect(tip).to_contain_text(word)


def test_a_slash_goes_to_the_search_and_a_question_mark_shows_the_keys(
    live_server: LiveServer, cast: Cast, page: Page, sign_in: Callable[[User], None]
):
    sign_in(cast["coordinator"])
    page.goto(f"{live_server.url}/MT103-211/patients/")

    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("/")

    expect(page.get_by_role("searchbox")).to_be_focused()


def test_the_first_tab_leads_past_the_bar(
    live_server: LiveServer, cast: Cast, page: Page, sign_in: Callable[[User], None]
):
    sign_in(cast["coordinator"])
    page.goto(f"{live_server.url}/MT103-211/patients/")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("#content")).to_be_focused()


@pytest.mark.parametrize(
    ("who", "address"),
    [
        ("", "/sign-in/"),
        ("administrator", "/"),
        ("statistician", "/MT103-211/patients/"),
        ("statistician", "/MT103-211/changes/?patient=nobody"),
        ("statistician", "/MT103-211/report/T-4.1/"),
        ("statistician", "/MT103-211/search/?q="),
    ],
)
def test_a_page_without_data_has_no_barrier_either(
    who: str, address: str, live_server: LiveServer, cast: Cast, page: Page, sign_in: Callable, barriers: Callable
):
    if who:
        sign_in(cast[who])

    page.goto(live_server.url + address)

    assert barriers() == ""


def test_a_figure_is_there_without_any_script(
    live_server: LiveServer, cast: Cast, page: Page, sign_in: Callable[[User], None]
):
    sign_in(cast["statistician"])
    page.route("**/*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto(f"{live_server.url}/MT103-211/report/F-1.2/")

    width = page.locator(".plot img").evaluate("picture => picture.naturalWidth")

    assert width > 300


@pytest.mark.parametrize("address", ["patients/", "changes/"])
def test_a_patients_number_stays_on_one_line_on_a_phone(
    address: str, live_server: LiveServer, cast: Cast, patient: Patient, page: Page, sign_in: Callable[[User], None]
):
    sign_in(cast["statistician"])
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(f"{live_server.url}/MT103-211/{address}")

    number = page.get_by_role("link", name=patient.number)

    assert number.evaluate("link => [link.getClientRects().length, getComputedStyle(link).whiteSpace]") == [1, "nowrap"]
