"""Ask every page for what is not the asker's, compare the answer with that to a name that nobody has, and count the leaks.

A leak is an answer that differs from the one to the missing name in its status, its headers or its text, beside the name
itself; a word of a place that is not theirs in any answer at all; and an answer that failed.
"""

import io
import re
import time
import zipfile
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote, urlencode

from django.db import transaction
from django.test import Client

from tests.access.ids import IDENTITIES, Chosen, Page, own_addresses, own_names, trials
from tests.access.world import PLACES, Viewer, World

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE")
READING = {"GET", "HEAD", "OPTIONS", "TRACE"}
FORM = "application/x-www-form-urlencoded"

# What differs between two answers to the same question: the token of a form, the number of the request, the instant.
VOLATILE = [
    re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"'),
    re.compile(r"\b[0-9a-f]{32}\b"),
    re.compile(r"(as[-_ ]of|made_at)\W{1,9}\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"),  # of a live report
    re.compile(r"(?<=/sign-in/link/)[^/\"]+"),  # good for one person from one second on
    re.compile(r"live, <time .*?</time>"),
]
Given = dict[str, str]  # the fields of a form or a query
SIGNED_IN_FOR = 300  # seconds; after ten minutes some pages would ask who one is
OF_THE_TRANSPORT = {"Content-Length", "Set-Cookie", "Expires"}


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def is_refusal(self) -> bool:
        return self.status >= 400

    def neutral(self, names: Iterable[tuple[str, str]]) -> tuple[int, dict[str, str], str]:
        """The answer without what may differ: the names that were asked for, and what is new in each answer."""
        headers = {name: without(text, names) for name, text in self.headers.items() if name not in OF_THE_TRANSPORT}
        return self.status, headers, without(self.body, names)


def without(text: str, names: Iterable[tuple[str, str]]) -> str:
    """The text with each foreign name, and the name that nobody had in its place, as a blank."""
    for pair in names:
        written = {form for name in pair for form in (name, quote(name), escape(name))}
        for form in sorted(written, key=len, reverse=True):
            text = text.replace(form, "…")
    for pattern in VOLATILE:
        text = pattern.sub("…", text)
    return text


@dataclass
class Browser:
    """One person's browser. Whatever it does is undone, unless it is told to `keep` it."""

    viewer: Viewer
    keep: bool = False
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def __post_init__(self) -> None:
        if self.viewer.token:
            self.client.defaults["HTTP_AUTHORIZATION"] = f"Token {self.viewer.token}"
        elif self.viewer.user is not None:
            self.client.force_login(self.viewer.user)
        self._cookies = copy(self.client.cookies)
        self._since = time.monotonic()

    def ask(self, method: str, address: str, given: Given | None = None) -> Answer:
        """Send one request. `given` are the fields of a form; for an address that is only read they go into the query."""
        if time.monotonic() - self._since > SIGNED_IN_FOR:
            self.__post_init__()
        self.client.cookies = SimpleCookie({name: morsel.value for name, morsel in self._cookies.items()})
        body = "" if method in READING else urlencode(given or {})
        if given and method in READING:
            address += f"?{urlencode(given)}"
        with transaction.atomic():
            response: Any = self.client.generic(method, address, body, content_type=FORM)
            answer = Answer(response.status_code, dict(response.headers), text_of(response))
            transaction.set_rollback(not self.keep)
        return answer


def text_of(response: Any) -> str:
    """The body as text; of an archive, its files one after the other."""
    content = b"".join(response.streaming_content) if response.streaming else response.content
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = b"\n".join(archive.read(name) for name in archive.namelist())
    return content.decode("utf-8", "replace")


def words_found(answer: Answer, words: Iterable[str], asked: Iterable[str] = ()) -> list[str]:
    """Which of these words the answer holds, beside those that were asked for and come back in its sentences."""
    text = f"{answer.headers.get('Location', '')} {answer.headers.get('Content-Disposition', '')} {answer.body}"
    for name in asked:
        for form in {name, quote(name), escape(name)}:
            text = text.replace(form, "")
    for pattern in VOLATILE:  # the token of a form holds any word of a few letters once in some thousand pages
        text = pattern.sub("", text)
    text = text.lower()
    return [word for word in words if word.lower() in text]


@dataclass
class Form:
    """A form of a page: how and where it is sent, and what it sends when nobody touches it."""

    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)


class Forms(HTMLParser):
    """The forms of a page. What must be filled in is filled in with something plausible."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._is_inside = False
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(given.get("method", "get").upper(), given.get("action", "")))
            self._is_inside = True
        if not self._is_inside:
            return
        name, fields = given.get("name", ""), self.found[-1].fields
        if tag == "select":
            self._select = name
        elif tag == "option" and (self._select not in fields or "selected" in given):
            fields[self._select] = given.get("value", "")
        elif tag in ("input", "textarea", "button") and name and name != "csrfmiddlewaretoken":
            plausible = PLAUSIBLE.get(given.get("type", ""), "a plausible word") if "required" in given else ""
            fields.setdefault(name, given.get("value") or plausible)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False


PLAUSIBLE = {"date": "2013-03-04", "number": "1", "email": "a@example.org", "checkbox": "on"}


@dataclass(frozen=True)
class Plan:
    """How much of everything is asked."""

    methods: tuple[str, ...]
    own: int  # addresses of their own, for each page
    strange: int  # ids of a kind at each place that is not theirs, each alone in the address
    is_brief: (
        bool  # a page that is closed to them is asked for all names together alone, and none by a method it has not
    )


@dataclass
class Sweep:
    """One viewer's questions, and the leaks in the answers."""

    world: World
    viewer: Viewer
    asked: int = 0
    leaks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._browser = Browser(self.viewer)
        self._sent: set[tuple[str, ...]] = set()  # forms
        self._strange_words = self.world.words_unknown_to(self.viewer)

    def ask(self, method: str, address: str, names: Iterable[str], given: Given | None = None) -> Answer:
        """Ask once, and look at the answer alone. `names` are those in the question, which the answer may repeat."""
        self.asked += 1
        answer = self._browser.ask(method, address, given)
        if answer.status >= 500:
            self.leaks.append(f"{method} {address} {given or ''}: failed with {answer.status}")
        if words := words_found(answer, self._strange_words, names):
            self.leaks.append(f"{method} {address} {given or ''}: holds {', '.join(words)}")
        return answer

    def addresses(self, page: Page, plan: Plan) -> None:
        """Ask a page by each method for what is the viewer's own, and for what is not."""
        for method in plan.methods:
            own = [
                self.ask(method, page.address(names), names.values())
                for names in own_addresses(self.world, self.viewer, page, plan.own)
            ]
            if plan.is_brief and all(answer.status == 405 for answer in own):
                continue  # whatever the address is about
            is_closed = all(answer.status >= 400 for answer in own)
            answers: dict[str, Answer] = {}
            for trial in trials(self.world, self.viewer, page, 0 if is_closed and plan.is_brief else plan.strange):
                foreign = self.ask(method, trial.foreign, trial.asked)
                if trial.missing not in answers:
                    answers[trial.missing] = self.ask(method, trial.missing, trial.asked)
                if foreign.neutral(trial.names) != answers[trial.missing].neutral(trial.names):
                    self.leaks.append(f"{method} {trial.foreign}: not answered like {trial.missing}")

    def fields(self, page: Page, *, with_any: bool) -> None:
        """Put what is not theirs into each field of the page's queries and forms: what it names, or (`with_any`) anything."""
        if page.name in NEW_EACH_TIME:
            return
        for form in FORMS_THAT_POINT if page.name in ("entry", "entry-new") else ("DM",):
            self._fields(page, own_names(self.world, self.viewer, page, form=form), with_any=with_any)

    def _fields(self, page: Page, own: Chosen, *, with_any: bool) -> None:
        address = page.address(own)
        answer = self.ask("GET", address, own.values())
        forms = (
            [form for form in Forms(answer.body).found if form.method in ("GET", "POST")]
            if answer.status == 200
            else []
        )
        forms += [Form("GET", "", dict.fromkeys(QUERIES.get(page.name, ()), ""))]
        for form in forms:
            what = (form.method, form.action or address, *form.fields)
            if what in self._sent:
                continue  # the search of the bar is on every page
            self._sent.add(what)
            for name in form.fields:
                if (page.name, name) in ASKED_ON_PURPOSE or "password" in name:
                    continue
                kinds = FIELDS.get(name.rpartition("-")[2], ())
                if with_any and not page.name.startswith("entry"):  # an answer of a form names nothing
                    kinds = (*kinds, *ANYTHING)
                for kind in kinds:
                    self._field(page, form, address, name, kind, own)

    def _field(self, page: Page, form: Form, address: str, name: str, kind: str, own: Chosen) -> None:
        address = form.action.partition("?")[0] or address
        is_of_people = page.name.startswith(("people", "person"))
        identity = IDENTITIES["site of the study" if kind == "site" and is_of_people else kind]
        given = form.fields | {name: identity.missing}
        missing = None
        for place in PLACES:
            if identity.is_theirs(self.viewer, place):
                continue
            value = identity.at(self.world, place, own)[0]
            asked = (*own.values(), value, identity.missing)
            missing = missing or self.ask(form.method, address, asked, given)
            foreign = self.ask(form.method, address, asked, given | {name: value})
            names = ((value, identity.missing),)
            if foreign.neutral(names) != missing.neutral(names):
                self.leaks.append(
                    f"{form.method} {address}: the field {name} tells '{value}' from '{identity.missing}'"
                )


# What a field of a query or a form names; and the queries that no form of the page writes.
FIELDS: dict[str, tuple[str, ...]] = {
    "q": ("patient",),
    "patient": ("patient", "patient's key"),
    "site": ("site",),
    "sites": ("site",),
    "person": ("account", "person"),
    "study": ("study",),
    "scope": ("study",),
    "page": ("account",),
    "query": ("query",),
    "pick": ("query",),
    "first": ("record",),
    "next": ("patient",),
    "event": ("event",),
    "pk": ("row of an event",),  # the end of the name, behind that of the block and the number of the row
    "login": ("user name",),
    "account": ("user name",),
    "user_name": ("user name",),
}
# What any field may be sent; of one length, because a field may say that a text is too long for it.
ANYTHING = ("study's key", "site", "patient", "patient's key", "record", "act", "account", "person", "membership")
FORMS_THAT_POINT = ("AE", "CRS")  # to their own rows; to an event
QUERIES: dict[str, tuple[str, ...]] = {
    "account_login": ("next",),
    "access-csv": ("q", "person", "patient", "since"),
    "entry-new": ("event",),
    "api-report": ("study", "cohort", "output", "as_of"),
    "changes-act": ("first", "site", "patient", "person"),
    "changes-csv": ("site", "patient", "person", "since"),
    "changes": ("page",),
    "access": ("page", "sort"),
    "patient-list": ("page", "sort"),
    "people": ("page", "sort"),
    "people-csv": ("q", "site"),
    "record-history": ("field",),
    "search": ("q",),
}
# Pages with a secret or a challenge that is new in each answer, and with nothing of a study.
NEW_EACH_TIME = {
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_login_webauthn",
    "mfa_reauthenticate_webauthn",
    "api-token-new",
}
# Where telling what there is from what there is not is what the page is for.
ASKED_ON_PURPOSE = {
    ("people-add", "account"),  # an administrator gives a role to somebody of another study, whose user name they know
    ("people-invite", "user_name"),  # a name that is taken in this install cannot be given again
}
