"""What the names in an address stand for, and what of each stands at each place of the world.

The rule: an address may hold nothing that is not here. A new one fails the sweep until somebody says what it names, and
whose it is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from allauth.account.utils import user_pk_to_url_str
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils.http import int_to_base36

from analysis.report import report
from analysis.views import address_of
from tests.access.world import ELSEWHERE, EVENTS, FAR, HERE, PLACES, Viewer, World
from trial.records import record_models

Chosen = dict[str, str]  # the values that an address has so far, by the name of the argument


@dataclass(frozen=True)
class Identity:
    """Something that is somebody's. `at` gives those of a place, `missing` one that nobody ever had."""

    at: Callable[[World, str, Chosen], list[str]]
    missing: str
    is_theirs: Callable[[Viewer, str], bool] = lambda viewer, place: place in viewer.places


@dataclass(frozen=True)
class Word:
    """Something that is nobody's, as a form is: the same at every place."""

    values: tuple[str, ...]
    missing: str


def is_a_study_of(viewer: Viewer, place: str) -> bool:
    """Whether the study of this place is one that the person knows of."""
    return bool(viewer.study) and (place == FAR) == (viewer.study == FAR)


def is_an_acquaintance_of(viewer: Viewer, place: str) -> bool:
    """Whether the people of a place are no secret: those of the study for whoever sees its people, else of the site."""
    sees_people = viewer.name.startswith(("administrator", "data manager", "inspector"))
    return place in viewer.places or (sees_people and is_a_study_of(viewer, place))


def is_somebody_of(viewer: Viewer, place: str) -> bool:
    """Whether the viewer is the very person whose things stand at the place."""
    return (viewer.name, place) in {("coordinator", HERE), ("colleague", ELSEWHERE)}


def is_nobodys(viewer: Viewer, place: str) -> bool:
    """Nobody may learn from it whether there is such a thing."""
    return False


def cells(world: World, place: str, chosen: Chosen) -> list[str]:
    """The numbers of T-6.4 that only this place has: those of its own kind of event."""
    made = report(_who_sees_all(world, place), study=world.studies[place].study.code)
    tables = [table for output in made.outputs if output.number == "T-6.4" for table in output.tables]
    found = [cell for table in tables for row in table.rows for cell in row.cells if cell is not None]
    return [address_of(cell) for cell in found if cell.level == EVENTS[place]][:2]


def _who_sees_all(world: World, place: str) -> Any:
    return (world["monitor"] if place != FAR else world["foreigner"]).user


IDENTITIES: dict[str, Identity] = {
    "study": Identity(lambda world, place, _: [world.studies[place].study.code], "MT103-999", is_a_study_of),
    "study's key": Identity(lambda world, place, _: [str(world.studies[place].study.pk)], "99000001", is_a_study_of),
    "site": Identity(lambda world, place, _: [str(world.sites[place].pk)], "99000002"),
    # Whoever sees the people of a study sees at which of its sites they are.
    "site of the study": Identity(lambda world, place, _: [str(world.sites[place].pk)], "99000002", is_a_study_of),
    "patient": Identity(lambda world, place, _: [patient.number for patient in world.patients[place]], "MAGPIE-001"),
    "patient's key": Identity(lambda world, place, _: [str(p.pk) for p in world.patients[place]], "99000003"),
    "record": Identity(
        lambda world, place, chosen: [str(key) for key in world.records.get((place, chosen.get("form", "AE")), [])],
        "99000004",
    ),
    "query": Identity(lambda world, place, _: [str(key) for key in world.queries[place]], "99000011"),
    "event": Identity(lambda world, place, _: [str(key) for key in world.records[place, "AE"]], "99000011"),
    "row of an event": Identity(lambda world, place, _: [str(world.records[place, "AE.GRADE"][0])], "99000012"),
    "act": Identity(lambda world, place, _: [str(act) for act in world.acts[place]], "99000005"),
    "cell": Identity(cells, "ffffffffff"),
    "account": Identity(lambda world, place, _: [str(world.somebody_of(place).pk)], "99000006", is_an_acquaintance_of),
    "user name": Identity(lambda world, place, _: [world.somebody_of(place).username], "magpie", is_an_acquaintance_of),
    "person": Identity(lambda world, place, _: [str(world.person_of(place).pk)], "99000007", is_an_acquaintance_of),
    "membership": Identity(
        lambda world, place, _: [str(key) for key in world.person_of(place).memberships.values_list("pk", flat=True)],
        "99000008",
        is_an_acquaintance_of,
    ),
    "access event": Identity(lambda world, place, _: [str(event) for event in world.events[place]], "99000009"),
    "token": Identity(lambda world, place, _: [world.tokens[place]], "marrow_ffffffff", is_somebody_of),
    "passkey": Identity(lambda world, place, _: [str(world.passkeys[place])], "99000010", is_somebody_of),
    "account of a link": Identity(
        lambda world, place, _: [user_pk_to_url_str(world.somebody_of(place))], int_to_base36(99000006), is_nobodys
    ),
}

WORDS_OF_ADDRESSES: dict[str, Word] = {
    "form": Word(tuple(model.form.code for model in record_models()), "XX"),
    "output": Word(("T-6.4", "F-5.4", "A-9.3"), "T-9.9"),
    "visit": Word(("LOG", "SCR", "C1D1"), "V99"),
    "figure": Word(("0",), "7"),
    "identity provider": Word(("company",), "nowhere"),
    "key of a link": Word(("abc123-0123456789abcdef0123456789abcdef",), "none-0"),
}

# What an argument of an address names. The page's name stands before it where pages disagree.
ARGUMENTS: dict[str, str] = {
    "study": "study",
    "patient": "patient",
    "record": "record",
    "query": "query",
    "act": "act",
    "cell": "cell",
    "form": "form",
    "output": "output",
    "number": "figure",
    "visit": "visit",
    "person": "person",
    "membership": "membership",
    "event": "access event",
    "token": "token",
    "pk": "passkey",
    "uidb36": "account of a link",
    "key": "key of a link",
    "provider_id": "identity provider",
    "first-administrator:token": "key of a link",
}


@dataclass(frozen=True)
class Page:
    """A page of the site: its name, and the arguments of its address in their order."""

    name: str
    arguments: tuple[str, ...]

    def __str__(self) -> str:
        return self.name

    def address(self, chosen: Chosen) -> str:
        return reverse(self.name, kwargs=chosen)

    def identity(self, argument: str) -> Identity | Word:
        """What the argument names. Raise `LookupError` when nobody has said."""
        key = ARGUMENTS.get(f"{self.name}:{argument}") or ARGUMENTS.get(argument)
        if key is None:
            raise LookupError(
                f"The sweep does not know what '{argument}' names in the address of '{self.name}'. "
                "Say it in ARGUMENTS of tests/access/ids.py."
            )
        return IDENTITIES[key] if key in IDENTITIES else WORDS_OF_ADDRESSES[key]


def all_pages() -> dict[str, Page]:
    """Every page of the site by its name, the API's among them."""
    return {page.name: page for page in _pages(get_resolver(), (), "")}


def _pages(resolver: URLResolver, arguments: tuple[str, ...], namespace: str) -> Iterator[Page]:
    for route in resolver.url_patterns:
        named = (*arguments, *route.pattern.regex.groupindex)
        if isinstance(route, URLResolver):
            inner = f"{namespace}{route.namespace}:" if route.namespace else namespace
            yield from _pages(route, named, inner)
        else:
            assert isinstance(route, URLPattern)
            if not route.name:
                raise LookupError(f"The page at '{route.pattern}' has no name. Give it one.")
            yield Page(f"{namespace}{route.name}", named)


@dataclass(frozen=True)
class Trial:
    """An address, and the same address with a name in it that nobody ever had. Both must be answered alike."""

    foreign: str
    missing: str
    names: tuple[tuple[str, str], ...]  # each foreign name, and what stands in its place
    asked: tuple[str, ...]  # every name in the foreign address


def own_names(world: World, viewer: Viewer, page: Page, **fixed: str) -> Chosen:
    """The first value of each argument at the viewer's own place, beside those that are given."""
    chosen: Chosen = {}
    for argument in page.arguments:
        if argument in fixed:
            chosen[argument] = fixed[argument]
            continue
        identity = page.identity(argument)
        values = identity.values if isinstance(identity, Word) else identity.at(world, viewer.home, chosen)
        chosen[argument] = values[0]
    return chosen


def own_addresses(world: World, viewer: Viewer, page: Page, most: int) -> list[Chosen]:
    """The names in addresses of what is theirs (or, for whom nothing is, of what would be): at most so many addresses."""
    own = own_names(world, viewer, page)
    found = [own]
    for argument in page.arguments:
        if argument in ("form", "patient") and "record" in page.arguments:
            continue  # a record belongs to one form of one patient
        identity = page.identity(argument)
        others = identity.values if isinstance(identity, Word) else identity.at(world, viewer.home, own)
        found += [own | {argument: value} for value in (identity.missing, *others[1:])]
    return found[:most]


def trials(world: World, viewer: Viewer, page: Page, most: int) -> Iterator[Trial]:
    """What is not theirs in the place of what is: all names of the address together, then (`most` of a kind) each alone."""
    own = own_names(world, viewer, page)
    identities = [(argument, page.identity(argument)) for argument in page.arguments]
    for place in PLACES:
        strange: list[tuple[str, list[str], str]] = []
        for argument, identity in identities:
            if isinstance(identity, Identity) and not identity.is_theirs(viewer, place):
                strange.append((argument, identity.at(world, place, own)[: max(most, 1)], identity.missing))
        if strange:
            yield _trial(page, own, [(argument, values[0], missing) for argument, values, missing in strange])
        for argument, values, missing in strange:
            # Alone it is the same question where there is nothing beside it.
            for value in values[: most if len(strange) > 1 else 0] or values[1:most]:
                yield _trial(page, own, [(argument, value, missing)])


def _trial(page: Page, own: Chosen, swapped: list[tuple[str, str, str]]) -> Trial:
    foreign = own | {argument: value for argument, value, _ in swapped}
    missing = own | {argument: nobodys for argument, _, nobodys in swapped}
    names = tuple((value, nobodys) for _, value, nobodys in swapped)
    return Trial(page.address(foreign), page.address(missing), names, tuple(foreign.values()))
