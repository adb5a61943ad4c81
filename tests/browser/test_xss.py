"""Sixty attacks in every text, every page in a real browser: nothing of them runs, with the policy and without it.

Without the policy it is the pages alone that hold; with it, nothing of them even asks to run. Beside it, no page leaves
anything in the browser's storage.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urlsplit

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path, resolve
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Error, Page
from pytest_django.live_server_helper import LiveServer

from tests.browser.infested import Infested, columns_of_text, draft_everything, every_column_of_text, infest
from tests.browser.payloads import PAYLOADS, payloads_for
from tests.cast import FIRST_DAY, account, assemble
from tests.site_map import Walk, every_address
from trial import urls
from trial.access import open_to_everybody
from trial.audit import recording
from trial.models import Membership, Person, Role
from trial.page_checks import pages
from trial.records import record_models

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# What a page must not have, whatever is stored: whatever could run, load or lead away that is not ours.
SUSPECT = """
() => {
  const found = [];
  const tell = (element) => found.push(element.outerHTML.slice(0, 200));
  for (const element of document.querySelectorAll("*")) {
    const strange = ["iframe", "frame", "object", "embed", "base", "applet", "marquee", "math", "video", "audio"];
    if (strange.includes(element.localName)) tell(element);
    const isData = element.type === "application/json"; // never run; what broke out of it would be an element of its own
    if (element.localName === "script" && !isData && !element.src.startsWith(location.origin + "/static/")) tell(element);
    if (element.localName === "link" && !element.href.startsWith(location.origin + "/static/")) tell(element);
    if (element.localName === "meta" && element.httpEquiv) tell(element);
    if (element.localName === "style" && element.textContent.includes("_x(")) tell(element);
    for (const { name, value } of element.attributes) {
      const leads = ["href", "src", "action", "formaction", "xlink:href", "data", "poster"].includes(name);
      if (/^on/i.test(name) || name === "srcdoc") tell(element);
      const isPicture = element.localName === "img" && value.startsWith("data:image/");
      const scheme = value.replace(/[\\s\\0-\\x20]/g, "").split(":")[0].toLowerCase();
      if (leads && !isPicture && ["javascript", "vbscript", "data"].includes(scheme)) tell(element);
      if (name === "style" && value.includes("_x(")) tell(element);
    }
  }
  const comments = document.createNodeIterator(document, NodeFilter.SHOW_COMMENT);
  for (let comment; (comment = comments.nextNode()); ) {
    if (comment.data.includes("_x(")) found.push(`<!--${comment.data}-->`);
  }
  return [...new Set(found)];
}
"""
# Which of the attacks stand on the page as text, and which fields its forms have.
SHOWN = """
(attacks) => {
  const texts = [document.documentElement.textContent];
  for (const element of document.querySelectorAll("*")) {
    for (const { value } of element.attributes) texts.push(value);
    if (element.value) texts.push(String(element.value));
  }
  const said = texts.join("\\n");
  return attacks.map((attack, at) => (said.includes(attack) ? at + 1 : 0)).filter(Boolean);
}
"""
FORMS = """
() => [...document.forms].filter((form) => form.method !== "dialog").map((form) => ({
  method: form.method,
  action: form.getAttribute("action") || location.pathname,
  names: [...form.elements].filter((field) => field.name && !["hidden", "submit"].includes(field.type)).map((field) => field.name),
}))
"""
# Puts attacks into every field that takes text, also where a browser would not let one type them, and sends the form.
SEND = """
([action, attacks]) => {
  const form = [...document.forms].find((form) => (form.getAttribute("action") || location.pathname) === action);
  let turn = 0;
  for (const field of form.elements) {
    if (!field.name || ["hidden", "submit", "checkbox", "radio", "select-one", "select-multiple"].includes(field.type)) continue;
    if (field.localName === "input") field.type = "text";
    field.value = attacks[turn++ % attacks.length];
  }
  form.submit();
}
"""
# In a figure the property of a link is an object: the attribute is a text everywhere.
LINKS = (
    "() => [...document.querySelectorAll('a[href]')].map((link) => new URL(link.getAttribute('href'), location).href)"
)


@dataclass
class Crawl:
    """A walk through the site in one browser window, and everything that should not have happened."""

    context: BrowserContext
    site: str
    wrong: list[str] = field(default_factory=list)
    shown: set[int] = field(default_factory=set)
    opened: dict[str, int] = field(default_factory=dict)  # the status of each address
    turn: int = 0
    sent: list[str] = field(default_factory=list)  # the forms that were sent
    fields: dict[str, set[str]] = field(default_factory=dict)  # of each address with a form that is sent

    def __post_init__(self) -> None:
        self.context.expose_binding("_x", lambda source, number=None: self.tell(source["page"], f"attack {number} ran"))
        self.page = self.context.new_page()
        self.page.on("dialog", self.close)
        self.page.on("console", self.hear)
        self.page.on("popup", lambda other: self.tell(other, "another window opened"))

    def tell(self, page: Page, what: str) -> None:
        self.wrong.append(f"{what} on {urlsplit(page.url).path}")

    def close(self, dialog: Dialog) -> None:
        self.tell(self.page, f"a dialog opened ({dialog.message})")
        dialog.dismiss()

    def hear(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "Content-Security-Policy" in message.text:
            self.tell(self.page, f"the policy was hit ({message.text[:200]})")

    def open(self, address: str) -> bool:
        """Look at one page. False where it is a file to be taken away."""
        try:
            answer = self.page.goto(self.site + address)
        except Error as error:
            if "Download is starting" in error.message:
                self.opened[address] = 200
                return False
            raise
        assert answer is not None
        is_led_away = urlsplit(self.page.url).path != urlsplit(self.site + address).path
        self.opened[address] = 302 if is_led_away else answer.status
        self.look(address)
        return True

    def look(self, address: str) -> None:
        """Note what is on the page that should not be, and which attacks stand on it as text."""
        if self.page.locator("[data-spec]").count():
            self.page.wait_for_load_state("networkidle")  # the live figure
        self.wrong += [f"{found} on {address}" for found in self.page.evaluate(SUSPECT)]
        if kept := self.page.evaluate("() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)]"):
            self.wrong.append(f"the browser keeps {kept} after {address}")
        self.shown |= set(self.page.evaluate(SHOWN, list(PAYLOADS)))

    def walk(self, addresses: list[str], *, follows_links: bool = True) -> None:
        """These pages, the links of each kind once, and each list narrowed by an attack in each of its fields."""
        route = Walk(of_each=1 if follows_links else 0, waiting=list(addresses))
        for address in route:
            if not self.open(address):
                continue
            links = [urlsplit(link) for link in self.page.evaluate(LINKS) if link.startswith(f"{self.site}/")]
            route.take_up([f"{link.path}?{link.query}" if link.query else link.path for link in links])
            for form in self.page.evaluate(FORMS):
                place = urlsplit(form["action"]).path or urlsplit(address).path
                if form["method"] == "post":
                    self.fields.setdefault(place, set()).update(form["names"])
                elif form["names"]:
                    asked = zip(form["names"], self.some(len(form["names"])), strict=True)
                    route.take_up([f"{place}?{urlencode(list(asked), quote_via=quote)}"], how="narrowed")

    def some(self, number: int) -> list[str]:
        """The next attacks, to type somewhere."""
        self.turn += number
        return [PAYLOADS[at % len(PAYLOADS)] for at in range(self.turn - number, self.turn)]

    def send_every_form(self) -> None:
        """Send each form that was found with attacks in all its fields, and look at the answer."""
        for address, names in self.fields.items():
            if not names or not self.open(address) or self.opened[address] != 200:
                continue
            action = next((form["action"] for form in self.page.evaluate(FORMS) if set(form["names"]) == names), None)
            if action is None:
                continue
            with suppress(Error), self.page.expect_navigation(timeout=5_000):  # none where the answer is a file
                self.page.evaluate(SEND, [action, self.some(8)])
            self.look(f"the answer of {address}")
            self.sent.append(address)


@pytest.fixture
def viewer() -> User:
    """Somebody with every role, so that one browser sees every page; first of all at one site, which the frame names."""
    cast = assemble()
    with recording(by=cast["administrator"], reason="They look at everything."):
        person = Person(user=account("viewer"), name="Viewer", organisation="Marrow Research")
        person.save()
        for role in (Role.COORDINATOR, *Role):
            site = cast.here if not person.memberships.exists() else None
            Membership(person=person, study=cast.study, site=site, role=role, starts_on=FIRST_DAY).save()
    person.user.cast = cast
    return person.user


def window(browser: Browser, site: str, client: Client, *, with_policy: bool) -> Crawl:
    """A browser window that is signed in as `client` is, with the policy in force or switched off."""
    context = browser.new_context(bypass_csp=not with_policy)
    context.set_default_timeout(20_000)
    for cookie in client.cookies.values():
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": site}])
    return Crawl(context, site)


SHOWN_BY = {200, 302, 405}
NOT_SET_UP = {"openid_connect_login", "openid_connect_callback"}  # single sign-on, in these settings
FEWEST_FORMS = 10  # that one browser finds and sends


def try_every_page(
    browser: Browser, live_server: LiveServer, client: Client, viewer: User, patients: int = 1
) -> Infested:
    attacked = infest(viewer.cast, viewer, patients)
    client.force_login(viewer)
    UserSession.objects.update(user_agent=attacked.cycle.text(200))
    everywhere = every_address()
    in_the_open = [everywhere[str(page.name)] for page in pages() if getattr(page.callback, "permission", "") is None]
    led_on = [f"/sign-in/?{urlencode({'next': attack})}" for attack in PAYLOADS if "script:" in attack]

    bare = window(browser, live_server.url, client, with_policy=False)
    bare.walk([*everywhere.values(), *attacked.pages])
    draft_everything(attacked, viewer, bare.fields)
    client.force_login(viewer)  # anew: some forms ask again after ten minutes, and the walk may have taken longer
    held = window(browser, live_server.url, client, with_policy=True)
    held.walk(one_of_each(bare), follows_links=False)
    held.send_every_form()  # last: this changes things
    strangers = [window(browser, live_server.url, Client(), with_policy=with_policy) for with_policy in (False, True)]
    for stranger in strangers:
        stranger.walk([*in_the_open, *led_on])
        stranger.send_every_form()

    assert every_column_of_text() - attacked.filled == set()
    for crawl in (bare, held, *strangers):
        crawl.context.close()
        assert crawl.wrong == []
        assert {address: status for address, status in crawl.opened.items() if status >= 500} == {}
    assert {PAYLOADS[number - 1] for number in set(range(1, len(PAYLOADS) + 1)) - bare.shown} == set()
    assert never_opened(bare) == never_opened(held) == set()
    assert len(held.sent) >= FEWEST_FORMS
    return attacked


def one_of_each(crawl: Crawl) -> list[str]:
    """An address of each page, the first that was shown."""
    found: dict[str | None, str] = {}
    for address, status in crawl.opened.items():
        if status in SHOWN_BY:
            found.setdefault(resolve(urlsplit(address).path).url_name, address)
    return list(found.values())


def never_opened(crawl: Crawl) -> set[str]:
    """The pages of which no address was shown: neither as a page, nor by leading on, nor as one that takes forms only."""
    shown = {resolve(urlsplit(address).path).url_name for address, status in crawl.opened.items() if status in SHOWN_BY}
    return {str(page.name) for page in pages()} - shown - NOT_SET_UP


# Attacks on templates, on scripts that hold text, and in another alphabet: as text in a page they are harmless even raw.
HARMLESS_IN_HTML = ("{{", "{%", "${", "datum[", '"};', "';_x", "`;", "\\u003c", "+ADw-", "&lt;")


def careless(request: HttpRequest, number: int) -> HttpResponse:
    """A page as Marrow has none: it puts a text into itself as it is, in every place where texts stand."""
    text = PAYLOADS[number - 1]
    return HttpResponse(
        f"<!doctype html><title>{text}</title><p>{text}</p><textarea>{text}</textarea>"
        f'<input value="{text}"><input value=\'{text}\'><a href="{text}">here</a>'
    )


class Careless:
    """The addresses of Marrow, and the careless page."""

    handler404 = urls.handler404
    urlpatterns = [path("careless/<int:number>/", open_to_everybody(careless), name="careless"), *urls.urlpatterns]


def test_a_careless_page_would_be_found_and_the_policy_would_hold_it(
    browser: Browser, live_server: LiveServer, settings
):
    settings.ROOT_URLCONF = Careless
    bare = window(browser, live_server.url, Client(), with_policy=False)
    held = window(browser, live_server.url, Client(), with_policy=True)

    unseen = {attack for number, attack in enumerate(PAYLOADS, start=1) if not finds(bare, number)}
    for number in range(1, len(PAYLOADS) + 1):
        finds(held, number)

    assert {attack for attack in unseen if not attack.startswith(HARMLESS_IN_HTML)} == set()
    assert sum(" ran on " in found for found in bare.wrong) > len(PAYLOADS) // 2
    assert [found for found in held.wrong if " ran on " in found] == []
    assert any("the policy was hit" in found for found in held.wrong)


def finds(crawl: Crawl, number: int) -> bool:
    """Whether the crawl complains about the careless page with this attack."""
    before = len(crawl.wrong)
    crawl.open(f"/careless/{number}/")
    return len(crawl.wrong) > before


def test_no_text_of_the_database_runs_on_any_page(
    browser: Browser, live_server: LiveServer, client: Client, viewer: User
):
    try_every_page(browser, live_server, client, viewer)


@pytest.mark.slow
def test_no_attack_in_any_answer_of_any_form_runs(
    browser: Browser, live_server: LiveServer, client: Client, viewer: User
):
    attacked = try_every_page(browser, live_server, client, viewer, patients=len(PAYLOADS))

    untried = {
        column.name: len(missing)
        for model in record_models()
        for column in columns_of_text(model)
        if (
            missing := set(payloads_for(column.max_length))
            - set(attacked.cycle.given_to[f"{model._meta.label}.{column.name}"])
        )
    }
    assert untried == {}
