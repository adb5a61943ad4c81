"""No page keeps anybody out: axe finds nothing on any page of the site, by the rules of WCAG 2.0 to 2.2, A and AA, at both widths.

One address of each page is opened by one person who has every role, and those for which nobody is signed in once more by nobody.
"""

import json
from collections.abc import Iterator

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from tests.access.world import HERE, World, whole_world
from tests.cast import FIRST_DAY
from tests.site_map import every_address, links_of
from trial.audit import recording
from trial.models import FormEntry, Membership, Patient, Role
from trial.records import record_models

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDTHS = (1360, 390)
RULES = json.dumps(
    {
        "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
        "resultTypes": ["violations"],
    }
)
FIND = f"""async () => (await axe.run({RULES})).violations.map((found) =>
  `${{found.id}}: ${{found.nodes.map((node) => node.html.slice(0, 160)).slice(0, 3).join(' | ')}}`)"""
FEWEST = 60  # pages that are opened; fewer would mean that the person cannot open what they should


@pytest.fixture
def world() -> World:
    """A study with a patient who has a record of every form; its coordinator has every other role too."""
    world = whole_world()
    person = world.person_of(HERE)
    with recording(by=world.somebody_of(HERE), reason="They do everything.", study=world.studies[HERE].study):
        for role in set(Role) - {Role.COORDINATOR}:
            Membership(person=person, study=world.studies[HERE].study, role=role, starts_on=FIRST_DAY).save()
    return world


@pytest.fixture
def window(browser: Browser) -> Iterator[Page]:
    """A page of its own, in which axe is there from the start. What its console says of a page that is missing is no matter."""
    context = browser.new_context(bypass_csp=True)
    context.add_init_script(AXE_SCRIPT)
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()


def sign_in(window: Page, live_server: LiveServer, client: Client, user: User) -> None:
    client.force_login(user)
    cookie = client.cookies["marrow-sid"]
    window.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])


def addresses_in(world: World, client: Client) -> dict[str, str]:
    """An address of each page; those that only exist for something of one's own name what there is."""
    passkey = world.passkeys[HERE]
    found = {
        name: address.replace("/passkeys/1/", f"/passkeys/{passkey}/") for name, address in every_address().items()
    }
    flow = found["report-output"].replace("T-4.1", "F-1.2")
    number = next(link for link in links_of(client.get(flow).content.decode(), flow) if "/F-1.2/patients/" in link)
    return found | {"report-patients": number}


def shown(client: Client, addresses: dict[str, str]) -> dict[str, str]:
    """Those of the addresses at which a page is shown; one of those that are refused in each way."""
    pages, refused = {}, {}
    for name, address in addresses.items():
        answer = client.get(address)
        if "html" not in answer.get("Content-Type", "") or answer.has_header("Content-Disposition"):
            continue
        if answer.status_code == 200:
            pages[name] = address
        elif answer.status_code >= 400:
            refused.setdefault(f"{name}, {answer.status_code}", address)
    by_status = {name.split(", ")[1]: (name, address) for name, address in refused.items()}
    return pages | dict(by_status.values())


def barriers_at(window: Page, site: str, addresses: dict[str, str]) -> dict[tuple[str, int], list[str]]:
    """What is in somebody's way, by the name of the page and the width of the window."""
    found = {}
    for name, address in addresses.items():
        window.goto(site + address)
        for width in WIDTHS:
            window.set_viewport_size({"width": width, "height": 900})
            problems = window.evaluate(FIND)
            if window.evaluate("document.documentElement.scrollWidth > innerWidth"):
                problems.append("wider than the window")
            if problems:
                found[name, width] = problems
    return found


@pytest.mark.parametrize("part", [0, 1])
def test_no_page_has_a_barrier(part: int, world: World, window: Page, live_server: LiveServer, client: Client):
    sign_in(window, live_server, client, world.somebody_of(HERE))
    pages = shown(client, addresses_in(world, client))
    half = dict(list(pages.items())[part::2])

    found = barriers_at(window, live_server.url, half)

    assert found == {}
    assert len(pages) >= FEWEST


def test_no_page_has_a_barrier_for_somebody_who_is_not_signed_in(
    world: World, window: Page, live_server: LiveServer, client: Client
):
    pages = shown(client, every_address())

    assert barriers_at(window, live_server.url, pages) == {}
    assert len(pages) >= 5


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_no_form_has_a_barrier_when_it_is_entered_or_read(
    part: int, world: World, window: Page, live_server: LiveServer, client: Client
):
    sign_in(window, live_server, client, world.somebody_of(HERE))
    patient = world.patients[HERE][0]
    addresses = dict(list(of_every_form(patient).items())[part::4])

    assert barriers_at(window, live_server.url, addresses) == {}


def of_every_form(patient: Patient) -> dict[str, str]:
    """The page on which each form is entered anew, that of its saved record, and the one on which it is read."""
    found = {}
    where = {"study": patient.study.code, "patient": patient.number}
    for model in record_models():
        if model.form.part_of:
            continue
        record = model._default_manager.filter(patient=patient).order_by("pk")[0]
        visit = FormEntry.objects.get(pk=record.entry_id).visit
        here = where | {"form": model.form.code}
        if model.form.repeats:
            found[f"{model.form.code}, new"] = reverse("entry-new", kwargs=here | {"visit": visit})
        found[f"{model.form.code}, saved"] = reverse("entry", kwargs=here | {"record": record.pk})
        found[f"{model.form.code}, read"] = reverse("form", kwargs=here)
    return found
