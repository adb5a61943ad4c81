"""A small world for tests of access: two studies, three sites with patients, and everybody who may look at some of them.

The rule: what stands at each place bears the word of that place in every text, so that whatever comes from there can be told.
"""

from dataclasses import dataclass, field
from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection, models

from patients.models import Demographics, Enrolment, InfusionInterval
from safety.models import AdverseEvent
from tests import make
from tests.cast import FIRST_DAY, PEOPLE, Cast, account, assemble
from tests.passkeys import credential_of
from trial.access_record.keeping import record_access
from trial.access_record.models import AccessKind
from trial.audit import recording
from trial.fields import TextField
from trial.models import ApiToken, FormEntry, Membership, Patient, Person, Query, Role, Site
from trial.records import PatientRecord, record_models
from trial.sign_in.rights import rights_of

HERE, ELSEWHERE, FAR = PLACES = ("here", "elsewhere", "far")  # own site; another site of the study; another study
WORDS = {HERE: "kestrel", ELSEWHERE: "heron", FAR: "osprey"}  # in the texts of each place, and in no page of ours
EVENTS = {HERE: "Dizziness", ELSEWHERE: "Tremor", FAR: "Seizure"}  # each makes a row of T-6.4 where it was seen
MEASURED = {"value_text", "unit_text"}  # text beside a number: it must say the same
PATIENTS_AT = {HERE: 3, ELSEWHERE: 5, FAR: 7}  # told apart by their counts too


# Everybody who asks: the people of the table of access, and some whom it has no column for.
VIEWERS = (
    *(name for name, _, _ in PEOPLE),
    "nobody",
    "data manager of one site",
    "foreigner",
    "token of a traveller",
)
MORE_OF_ONE_SITE = (
    "monitor of one site",
    "safety physician of one site",
    "statistician of one site",
    "inspector of one site",
)


@dataclass(frozen=True)
class Viewer:
    """Somebody who asks for pages: the places whose patients are theirs to see, and the studies they know of."""

    name: str
    user: User | None
    places: frozenset[str]
    study: str = HERE  # the place whose study is theirs; empty for somebody without a role
    token: str = ""  # the text of the API token with which they ask; without one they are signed in

    @property
    def home(self) -> str:
        """Where an address of theirs lies: what they may see, else the first study."""
        return next((place for place in PLACES if place in self.places), self.study or HERE)


@dataclass
class World:
    """The two studies, the patients of each place, and the viewers."""

    studies: dict[str, Cast]
    sites: dict[str, Site]
    patients: dict[str, list[Patient]] = field(default_factory=dict)
    records: dict[tuple[str, str], list[int]] = field(default_factory=dict)  # of (place, form), the keys
    acts: dict[str, list[int]] = field(default_factory=dict)
    events: dict[str, list[int]] = field(default_factory=dict)  # of access
    queries: dict[str, list[int]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)  # the first characters of each
    passkeys: dict[str, int] = field(default_factory=dict)
    viewers: list[Viewer] = field(default_factory=list)

    def __getitem__(self, name: str) -> Viewer:
        return next(viewer for viewer in self.viewers if viewer.name == name)

    def somebody_of(self, place: str) -> User:
        """An account of the place alone."""
        return self.studies[place]["colleague" if place == ELSEWHERE else "coordinator"]

    def person_of(self, place: str) -> Person:
        """Who has that account."""
        return self.somebody_of(place).person

    def words_unknown_to(self, viewer: Viewer) -> tuple[str, ...]:
        """What no answer to this person may hold: the words of places that are not theirs, and the patients' numbers."""
        strange = [place for place in PLACES if place not in viewer.places]
        numbers = [patient.number for place in strange for patient in self.patients.get(place, [])]
        return (*(WORDS[place] for place in strange), *numbers)


def lay_the_ground() -> World:
    """The studies, their sites and everybody; no patient yet."""
    spread_the_keys()
    near, far = assemble("MT103-211"), assemble("FAR-1", tag=" Osprey")
    with recording(by=make.author(), reason="The osprey study is named."):
        far.study.title = "The osprey study"
        far.study.save()
        for site in (far.here, far.elsewhere):
            site.name = f"Osprey {site.name}"
            site.save()
    world = World(
        studies={HERE: near, ELSEWHERE: near, FAR: far},
        sites={HERE: near.here, ELSEWHERE: near.elsewhere, FAR: far.here},
    )
    for place in PLACES:
        give_belongings(world, place)
    world.viewers = [*viewers_of_the_cast(near), *viewers_of_one_site(near), somebody_of(far), token_of(near, far)]
    return world


def whole_world() -> World:
    """The ground, with the patients of every place."""
    world = lay_the_ground()
    for place in PLACES:
        populate(world, place)
    correct_everywhere(world)
    return world


def correct_everywhere(world: World) -> None:
    """One act that changes something at every place. Each sees its own part of it."""
    with recording(by=make.author(), reason="The same was wrong everywhere."):
        for place in PLACES:
            entry = FormEntry.objects.filter(patient=world.patients[place][0], form="AE").latest("pk")
            entry.comment = f"Corrected everywhere, and at the {WORDS[place]}."
            entry.save()


def populate(world: World, place: str) -> None:
    """Patients at a place, after those who are there: the first of them with a record of every form, the others with a few."""
    there = world.patients.setdefault(place, [])
    for number in range(PATIENTS_AT[place]):
        patient = make.patient(world.sites[place], f"{WORDS[place].upper()}-{len(there) + 1:03}")
        there.append(patient)
        every = record_models() if number == 0 else (Demographics, Enrolment, InfusionInterval, AdverseEvent)
        for model in every:
            write_record(world, place, model, patient)
        change_a_record(patient, WORDS[place])
    world.queries[place] = [ask_about(patient, WORDS[place]) for patient in there]
    acts = AdverseEvent.history.filter(patient__in=[patient.pk for patient in there]).order_by("history_id")
    world.acts[place] = list(dict.fromkeys(acts.values_list("recording", flat=True)))
    world.events[place] = [
        record_access(
            AccessKind.READ, by=world.somebody_of(place), study=patient.study, patients=[patient.pk], page="patient"
        ).pk
        for patient in there
    ]


def write_record(world: World, place: str, model: type[PatientRecord], patient: Patient) -> None:
    """One record, with the word of the place in the answers that are free text."""
    word = WORDS[place]
    typed = {
        answer.name: word for answer in model.answers() if isinstance(answer, TextField) and answer.name not in MEASURED
    }
    if model is AdverseEvent:
        typed["coded_term"] = EVENTS[place]
    record = make.record(model, patient, **typed)
    world.records.setdefault((place, model.form.code), []).append(record.pk)


def change_a_record(patient: Patient, word: str) -> None:
    """A correction with its reason, so that history has something to tell."""
    event: Any = AdverseEvent.objects.filter(patient=patient).latest("pk")
    with recording(by=make.author(), reason=f"The {word} source says otherwise."):
        event.term = f"{word} once more"
        event.save()
        event.entry.comment = f"Seen by the {word}."
        event.entry.save()


def ask_about(patient: Patient, word: str) -> int:
    """An open query on an event of the patient, and its key."""
    event: Any = AdverseEvent.objects.filter(patient=patient).latest("pk")
    about = {"entry": event.entry, "form": "AE", "record": event.pk, "field": "term"}
    with recording(by=make.author(), reason=f"The {word} asks.", study=patient.study):
        query = Query(patient=patient, **about, severity="W", question=f"What did the {word} say?")
        query.save()
    return query.pk


def give_belongings(world: World, place: str) -> None:
    """A passkey and an API token for one person of the place."""
    somebody, word = world.somebody_of(place), WORDS[place]
    passkey = Authenticator.objects.create(
        user=somebody,
        type=Authenticator.Type.WEBAUTHN,
        data={"name": f"{word} key", "credential": credential_of(word.encode())},
    )
    world.passkeys[place] = passkey.pk
    study, rights = world.studies[place].study, rights_of(somebody)
    token, _ = ApiToken.objects.create(
        somebody, name=f"{word} token", study=study, role=Role.COORDINATOR, rights=rights
    )
    world.tokens[place] = token.token_key


def viewers_of_the_cast(near: Cast) -> list[Viewer]:
    """The people of the table of access, and nobody."""
    sees = {"here": {HERE}, "elsewhere": {ELSEWHERE}, "": {HERE, ELSEWHERE}}
    found = [
        Viewer(
            name,
            near[name],
            frozenset(sees[where] if role and role != Role.ADMINISTRATOR else ()),
            study=HERE if role else "",
        )
        for name, role, where in PEOPLE
    ]
    return [*found, Viewer("nobody", None, frozenset(), study="")]


def viewers_of_one_site(near: Cast) -> list[Viewer]:
    """Those who usually see every site, appointed to one site alone."""
    found = []
    with recording(by=make.author(), reason="They work at one site."):
        for role in (Role.MONITOR, Role.DATA_MANAGER, Role.SAFETY_PHYSICIAN, Role.STATISTICIAN, Role.INSPECTOR):
            name = f"{role} of one site"
            person = Person(user=account(name), name=name.title(), organisation="Marrow Research")
            person.save()
            Membership(person=person, study=near.study, site=near.here, role=role, starts_on=FIRST_DAY).save()
            found.append(Viewer(name, person.user, frozenset({HERE})))
    return found


def somebody_of(far: Cast) -> Viewer:
    """A person with every role in the other study, and none in this one."""
    with recording(by=make.author(), reason="They do everything there."):
        person = Person(user=account("foreigner"), name="Foreigner", organisation="Osprey Research")
        person.save()
        for role in Role:
            Membership(person=person, study=far.study, role=role, starts_on=FIRST_DAY).save()
    return Viewer("foreigner", person.user, frozenset({FAR}), study=FAR)


def token_of(near: Cast, far: Cast) -> Viewer:
    """The API token of a person with roles in both studies, made for the role in the other one."""
    with recording(by=make.author(), reason="They go back and forth."):
        person = Person(user=account("traveller"), name="Traveller", organisation="Marrow Research")
        person.save()
        for study in (near.study, far.study):
            Membership(person=person, study=study, role=Role.MONITOR, starts_on=FIRST_DAY).save()
    rights = rights_of(person.user)
    _, text = ApiToken.objects.create(person.user, name="both", study=far.study, role=Role.MONITOR, rights=rights)
    return Viewer("token of a traveller", person.user, frozenset({FAR}), study=FAR, token=text)


def spread_the_keys() -> None:
    """Let the keys of each table begin at a large number of its own: a key in a page is then the key of one thing alone."""
    tables = [
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if isinstance(model._meta.pk, models.AutoField | models.BigAutoField) and model._meta.managed
    ]
    with connection.cursor() as cursor:
        for number, table in enumerate(sorted(tables), start=1):
            first = 40_000_000 + number * 100_000
            if connection.vendor == "sqlite":
                cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
                cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, first])
            else:
                cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [f'"{table}"', first])
