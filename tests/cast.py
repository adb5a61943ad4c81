"""The cast of the tests: one study, a site and another one, and the same people each time. A pytest plugin.

Two people of one site, a colleague elsewhere, those who see every site, somebody with no role: what a test of access needs.
"""

from dataclasses import dataclass, field
from datetime import date

import pytest
from django.contrib.auth.models import User

from trial.audit import recording
from trial.models import Membership, Patient, Person, Role, Site, Study

FIRST_DAY = date(2011, 1, 1)


@dataclass
class Cast:
    """The study and the accounts, by what they are."""

    study: Study
    here: Site
    elsewhere: Site
    people: dict[str, User] = field(default_factory=dict)

    def __getitem__(self, name: str) -> User:
        return self.people[name]


# What each person is called, their role (none for the stranger), and where: at the site, at the other one, at all.
PEOPLE = (
    ("coordinator", Role.COORDINATOR, "here"),
    ("investigator", Role.INVESTIGATOR, "here"),
    ("colleague", Role.COORDINATOR, "elsewhere"),
    ("monitor", Role.MONITOR, ""),
    ("data manager", Role.DATA_MANAGER, ""),
    ("safety physician", Role.SAFETY_PHYSICIAN, ""),
    ("statistician", Role.STATISTICIAN, ""),
    ("inspector", Role.INSPECTOR, ""),
    ("administrator", Role.ADMINISTRATOR, ""),
    ("stranger", None, ""),
)


def account(name: str) -> User:
    """An account that can sign in. Accounts are not tracked."""
    return User.objects.create_user(username=name.replace(" ", "-"), password="as long as it needs to be")


def assemble(code: str = "MT103-211", *, is_synthetic: bool = True, tag: str = "") -> Cast:
    """Write the study, its two sites and its people. A second study beside it gives its accounts and people a `tag`."""
    founder = account(f"founder of {code}")
    with recording(by=founder, reason="The study begins."):
        study = Study(code=code, title="Blinatumomab in relapsed or refractory ALL", is_synthetic=is_synthetic)
        study.save()
        here = Site(study=study, number="012", name="Ulm", country="DEU", time_zone="Europe/Berlin")
        here.save()
        elsewhere = Site(study=study, number="034", name="Houston", country="USA", time_zone="America/Chicago")
        elsewhere.save()
        cast = Cast(study, here, elsewhere)
        for name, role, where in PEOPLE:
            user = account(name + tag)
            person = Person(user=user, name=name.title() + tag, organisation="Marrow Research")
            person.save()
            cast.people[name] = user
            if role:
                site = {"here": here, "elsewhere": elsewhere, "": None}[where]
                Membership(person=person, study=study, site=site, role=role, starts_on=FIRST_DAY).save()
    return cast


@pytest.fixture
def cast(db: None) -> Cast:
    """The study with its two sites and its people."""
    return assemble()


def _one(name: str) -> object:
    @pytest.fixture(name=name.replace(" ", "_"))
    def person(cast: Cast) -> User:
        return cast[name]

    return person


coordinator = _one("coordinator")
investigator = _one("investigator")
colleague = _one("colleague")
monitor = _one("monitor")
data_manager = _one("data manager")
safety_physician = _one("safety physician")
statistician = _one("statistician")
inspector = _one("inspector")
administrator = _one("administrator")
stranger = _one("stranger")


@pytest.fixture
def study(cast: Cast) -> Study:
    """The study of the cast."""
    return cast.study


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient at the coordinator's site."""
    return _patient(cast, cast.here, "SYN-012-001")


@pytest.fixture
def patient_elsewhere(cast: Cast) -> Patient:
    """A patient at the other site."""
    return _patient(cast, cast.elsewhere, "SYN-034-001")


def _patient(cast: Cast, site: Site, number: str) -> Patient:
    with recording(by=cast["coordinator"], reason="The patient signed consent.", study=cast.study):
        patient = Patient(study=cast.study, site=site, number=number)
        patient.save()
    return patient
