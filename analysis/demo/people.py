"""Where the demo study runs and who works on it. Hospitals and people are invented."""

import random
from dataclasses import dataclass, field

SYNTHETIC_TITLE = "Blinatumomab in adults with relapsed or refractory B-precursor ALL (synthetic reconstruction)"

# Countries with their invented hospitals and the time zone of each: 37 in 7 countries (STUDY A.1).
_COUNTRIES: tuple[tuple[str, dict[str, str]], ...] = (
    (
        "DEU",
        {
            "Lindental": "Europe/Berlin",
            "Auenstadt": "Europe/Berlin",
            "Kaltwasser": "Europe/Berlin",
            "Nordhafen": "Europe/Berlin",
            "Steinbrueck": "Europe/Berlin",
            "Wiesengrund": "Europe/Berlin",
            "Eichenau": "Europe/Berlin",
            "Hohenfeld": "Europe/Berlin",
        },
    ),
    (
        "FRA",
        {
            "Val-Serein": "Europe/Paris",
            "Pont-Clair": "Europe/Paris",
            "Sainte-Aube": "Europe/Paris",
            "Rivebelle": "Europe/Paris",
            "Montfleury": "Europe/Paris",
        },
    ),
    (
        "ITA",
        {
            "Collechiaro": "Europe/Rome",
            "Borgoalto": "Europe/Rome",
            "Fontelunga": "Europe/Rome",
            "Montesole": "Europe/Rome",
        },
    ),
    ("ESP", {"Rioclaro": "Europe/Madrid", "Valdeflores": "Europe/Madrid", "Isla Verde": "Atlantic/Canary"}),
    ("CHE", {"Seematt": "Europe/Zurich"}),
    (
        "GBR",
        {
            "Ashmere": "Europe/London",
            "Thornbeck": "Europe/London",
            "Westholme": "Europe/London",
            "Kirkdale": "Europe/London",
        },
    ),
    (
        "USA",
        {
            "Cedar Falls Cancer Center": "America/New_York",
            "Harbor Point University": "America/New_York",
            "Lakewood Memorial": "America/Chicago",
            "Prairie View": "America/Chicago",
            "Red Mesa": "America/Phoenix",
            "Summit Ridge": "America/Denver",
            "Pacific Grove": "America/Los_Angeles",
            "Bayside": "America/Los_Angeles",
            "Magnolia": "America/Chicago",
            "Old Orchard": "America/New_York",
            "Silver Lake": "America/New_York",
            "Clearwater": "America/New_York",
        },
    ),
)

_NAMES = (
    "Alma Birk|Bruno Castell|Clara Dorn|Dario Esposti|Edith Falk|Felix Gruen|Greta Holm|Hugo Ibarra|Ines Jarre|Jonas Keller|"
    "Karin Lorenz|Luca Moretti|Marta Nadal|Nils Oster|Olga Pereira|Pablo Quiroga|Renata Sauer|Simon Thaler|Tessa Ulmer|"
    "Victor Wendt|Wanda Ximenes|Yves Zeller|Anja Brandt|Basil Crane|Cora Dale|Dennis Ebert|Elena Fabbri|Frank Gibbs|"
    "Gina Hart|Henri Imbert|Irene Juhl|Jack Kemp|Karla Lind|Leon Marsh|Mona Neri|Noah Orr|Paula Prince"
).split("|")


@dataclass(frozen=True, slots=True)
class PersonPlan:
    """Somebody who works on the study: the account's name, what the trail calls them, their role, and their site if they have one."""

    username: str
    name: str
    organisation: str
    role: str
    site: str = ""


@dataclass(frozen=True, slots=True)
class SitePlan:
    """One hospital. `size` is its weight when patients are distributed."""

    number: str
    name: str
    country: str
    time_zone: str
    size: int
    laboratory: str = field(default="")

    @property
    def is_american(self) -> bool:
        """Whether its laboratory reports in conventional units."""
        return self.country == "USA"


def sites(rng: random.Random) -> list[SitePlan]:
    """The 37 sites, numbered 001 to 037, a few of them large."""
    places = [(country, name, zone) for country, hospitals in _COUNTRIES for name, zone in hospitals.items()]
    sizes = [rng.choice((1, 2, 2, 3, 4, 5, 8, 13)) for _ in places]
    return [
        SitePlan(f"{i:03}", f"{name} Hospital" if country == "GBR" else name, country, zone, size, f"LAB-{i:03}")
        for i, ((country, name, zone), size) in enumerate(zip(places, sizes, strict=True), start=1)
    ]


def people(places: list[SitePlan]) -> list[PersonPlan]:
    """A coordinator and an investigator at each site, and the study team. The first of each role is who the demo signs in as."""
    staff = []
    for i, place in enumerate(places):
        first, family = _NAMES[i].split(" ")
        investigator = f"Dr {_NAMES[-1 - i].split(' ')[0]} {family}son"
        staff.append(
            PersonPlan(f"coordinator-{place.number}", f"{first} {family}", place.name, "coordinator", place.number)
        )
        staff.append(PersonPlan(f"investigator-{place.number}", investigator, place.name, "investigator", place.number))
    sponsor, office = "Marrow Demo Sponsor", "Marrow Demo Data Office"
    return staff + [
        PersonPlan("monitor", "Ruth Ackermann", "Marrow Demo Monitoring", "monitor"),
        PersonPlan("data-manager", "Tomas Berg", office, "data manager"),
        PersonPlan("safety-physician", "Dr Lea Winter", sponsor, "safety physician"),
        PersonPlan("statistician", "Iris Molnar", sponsor, "statistician"),
        PersonPlan("inspector", "Owen Pryce", "Demo Inspectorate", "inspector"),
        PersonPlan("administrator", "Sam Kessler", office, "administrator"),
    ]
