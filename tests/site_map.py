"""Every page of the site: one address of each, filled from what the database holds, and a walk along the links.

An argument of an address that nobody knows here fails, so that no new page is left out by being hard to reach.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import Resolver404, get_resolver, resolve, reverse
from django.utils import timezone

from safety.models import AdverseEvent
from trial.audit.models import Recording
from trial.models import AccessEvent, ApiToken, Membership, Person, Query, Study
from trial.page_checks import pages
from trial.sign_in.first_administrator import invitation_for


def an_event() -> Any:
    """An adverse event that was corrected where there is one, else any."""
    corrected = AdverseEvent.history.filter(history_type="~").values("id")
    events = AdverseEvent.objects.order_by("pk")
    return events.filter(pk__in=corrected).first() or events.first()


# What stands for each argument of an address, by its name, or by the page's name and its own where those differ.
ARGUMENTS: dict[str, Callable[[], Any]] = {
    "study": lambda: Study.objects.order_by("pk")[0].code,
    "patient": lambda: an_event().patient.number,
    "form": lambda: "AE",
    "visit": lambda: "LOG",
    "record": lambda: an_event().pk,
    "query": lambda: next(iter(Query.objects.order_by("pk").values_list("pk", flat=True)), 1),
    "act": lambda: Recording.objects.filter(study__isnull=False).latest("pk").pk,
    "output": lambda: "T-4.1",
    "report-figure-json output": lambda: "F-5.4",
    "report-figure-svg output": lambda: "F-5.4",
    "number": lambda: 0,
    "cell": lambda: "nowhere",  # the walk finds the real ones
    "uidb36": lambda: user_pk_to_url_str(User.objects.order_by("pk")[0]),
    "key": lambda: default_token_generator.make_token(User.objects.order_by("pk")[0]),
    "pk": lambda: 1,  # of a second factor
    "token": lambda: next(iter(ApiToken.objects.values_list("token_key", flat=True)), "nowhere"),
    "first-administrator token": lambda: invitation_for("NEW-1", "A study to come", timezone.now().date()),
    "provider_id": lambda: "nowhere",  # of single sign-on, which the tests' settings do not have
    "person": lambda: Person.objects.order_by("pk")[0].pk,
    "membership": lambda: Membership.objects.order_by("person", "pk")[0].pk,
    "event": lambda: next(iter(AccessEvent.objects.order_by("pk").values_list("pk", flat=True)), 1),
}


def every_address() -> dict[str, str]:
    """One address of each page, by the page's name."""
    found = {}
    for page in pages():
        name = str(page.name)
        arguments: list[str] = get_resolver().reverse_dict.getlist(name)[0][0][0][1]
        values = {}
        for argument in arguments:
            assert f"{name} {argument}" in ARGUMENTS or argument in ARGUMENTS, (
                f"Nothing here stands for '{argument}' in the address of '{name}'. Add it to ARGUMENTS."
            )
            values[argument] = (ARGUMENTS.get(f"{name} {argument}") or ARGUMENTS[argument])()
        found[name] = reverse(name, kwargs=values)
    return found


class Links(HTMLParser):
    """Collects where a page leads: its links, the addresses of its GET forms, and the files it loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        wanted = {"a": "href", "img": "src", "figure": "data-spec", "div": "data-spec"}.get(tag)
        if wanted and (address := given.get(wanted)):
            self.found.append(address)
        if tag == "form" and (given.get("method") or "get").lower() == "get" and (address := given.get("action")):
            self.found.append(address)


def links_of(page: str, at: str) -> list[str]:
    """The addresses of this site to which a page at an address leads."""
    parser = Links()
    parser.feed(page)
    absolute = [urljoin(f"http://testserver{at}", link) for link in parser.found]
    ours = [urlsplit(link) for link in absolute if link.startswith("http://testserver/")]
    return [f"{part.path}?{part.query}" if part.query else part.path for part in ours]


@dataclass
class Walk:
    """Which addresses are still to be visited: all of `every_address`, and of each page as many as `of_each` links more."""

    of_each: int
    waiting: list[str] = field(default_factory=lambda: list(every_address().values()))
    seen: dict[str, int] = field(default_factory=dict)  # how many addresses of each page were taken up
    known: set[str] = field(default_factory=set)

    def take_up(self, addresses: list[str], how: str = "linked") -> None:
        """Put new addresses in the queue, unless enough of their page are there that were found in the same way."""
        for address in addresses:
            try:
                match = resolve(urlsplit(address).path)
            except Resolver404:
                continue  # a static file
            kind = f"{match.url_name} {'?' in address} {how}"
            if address not in self.known and self.seen.get(kind, 0) < self.of_each:
                self.seen[kind] = self.seen.get(kind, 0) + 1
                self.known.add(address)
                self.waiting.append(address)

    def __iter__(self) -> Iterator[str]:
        self.known |= set(self.waiting)
        while self.waiting:
            yield self.waiting.pop(0)


def walk(client: Client, of_each: int = 2) -> Iterator[tuple[str, HttpResponse]]:
    """Ask every page by GET, and follow the links: (address, answer)."""
    route = Walk(of_each)
    for address in route:
        answer: Any = client.get(address)
        if answer.status_code in {301, 302}:
            route.take_up([answer["Location"]])
        elif "html" in answer.get("Content-Type", ""):
            route.take_up(links_of(answer.content.decode(), address))
        yield address, answer
