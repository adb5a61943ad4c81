"""Who the patients are: the attributes of each, dealt so that counts and medians come out (STUDY E.2, item 11).

The rule: within a stratum (cohort or not, responder or not) attributes are dealt independently of each other and of the course.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from analysis.demo.arithmetic import Dealer
from analysis.demo.courses import Course
from analysis.demo.people import SitePlan
from analysis.demo.treatment import CyclePlan

FIRST_DOSES = (date(2012, 1, 13), date(2013, 9, 30))
CUTS = (date(2014, 9, 30), date(2016, 12, 31))
CLOSED_ON = date(2017, 1, 20)
TODAY = date(2017, 3, 1)

STRATA = ((True, True), (True, False), (False, True), (False, False))

# How many patients of each stratum (cohort responders, cohort others, remaining responders, remaining others).
MEN = ((19, 10), (21, 14), (33, 19), (46, 27))
AGE_GROUPS = ((17, 9, 3, 0), (19, 11, 4, 1), (22, 12, 7, 11), (32, 14, 14, 13))
SALVAGES = ((2, 13, 7, 7), (2, 15, 11, 7), (17, 23, 7, 5), (17, 26, 17, 13))
BLASTS = ((15, 4, 10), (5, 5, 25), (28, 6, 18), (11, 10, 52))
MRD: Mapping[tuple[bool, str], Mapping[str, int]] = {
    (True, "CR"): {"complete": 15, "detectable": 1, "positive": 1, "not evaluable": 1},
    (True, "CRh"): {"complete": 4, "detectable": 2, "positive": 3, "not evaluable": 2},
    (False, "CR"): {"complete": 27, "detectable": 6, "positive": 8, "not evaluable": 4},
    (False, "CRh"): {"complete": 4, "detectable": 1, "positive": 1, "not evaluable": 1},
}
ECOG = {0: 62, 1: 95, 2: 32}


@dataclass(eq=False)
class Plan:
    """One patient, before any form is written. Ages in years, weights in kg, heights in cm, blasts in percent."""

    course: Course
    number: str
    site: SitePlan
    first_dose: date
    consented_on: date
    rng: random.Random
    age: int = 0
    born_on: date = date(1970, 1, 1)
    sex: str = "M"
    ecog: int = 1
    weight: float = 75.0
    height: int = 172
    salvages: int = 1
    blasts: float = 80.0
    blood_blasts: float = 0.5
    has_lesions: bool = False
    mrd: str = ""
    upgrades: bool = False
    transplants: list[dict[str, Any]] = field(default_factory=list)
    salvage_after_transplant: bool = False
    cycles: list[CyclePlan] = field(default_factory=list)
    end_of_treatment: str = ""
    worst_grade: int = 2
    neurologic_grade: int = 0
    neurologic_day: int = 0
    neurologic_term: str = ""
    neurologic_is_serious: bool = False
    release_grade: int = 0
    gvhd: str = ""
    fatal_term: str = ""
    is_screened_again: bool = False
    events: list[Any] = field(default_factory=list)

    def on(self, day: int) -> date:
        """The date of a study day; there is no day 0."""
        return self.first_dose + timedelta(days=day - 1 if day > 0 else day)

    def day(self, on: date) -> int:
        """The study day of a date."""
        days = (on - self.first_dose).days
        return days + 1 if days >= 0 else days

    @property
    def died_on(self) -> date | None:
        """The date of death."""
        return None if self.course.death_day is None else self.on(self.course.death_day)

    @property
    def last_dose_day(self) -> int:
        """The study day on which the last infusion ended."""
        return self.cycles[-1].end_day

    @property
    def last_observed_day(self) -> int:
        """The last study day on which anything may be observed: the day before death, the loss, or the close of the study."""
        if self.course.death_day is not None:
            return self.course.death_day - 1
        return self.course.lost_day or self.day(CUTS[-1])

    @property
    def last_emergent_day(self) -> int:
        """The last study day on which an event is put, inside the treatment-emergent time and before any later transplant."""
        later = self.course.transplant_day or 9999
        return max(1, min(self.last_dose_day + 25, self.last_observed_day, later - 5))

    @property
    def primary_end_day(self) -> int:
        """The study day before which an assessment belongs to the first two cycles."""
        third = [cycle.start_day for cycle in self.cycles if cycle.number == 3]
        return third[0] if third else [c.start_day for c in self.cycles if c.number <= 2][-1] + 56


def strata(plans: Sequence[Plan]) -> list[list[Plan]]:
    """The patients of each stratum, in the order of `STRATA`."""
    return [[p for p in plans if (p.course.in_cohort, p.course.responds) == stratum] for stratum in STRATA]


def describe(plans: Sequence[Plan], dealer: Dealer) -> None:
    """Deal every attribute that does not depend on treatment."""
    rng = dealer.rng
    for group, men, salvages, blasts in zip(strata(plans), MEN, SALVAGES, BLASTS, strict=True):
        _give(group, dealer.deal(len(group), dict(zip("MF", men, strict=True))), _set("sex"))
        _give(group, dealer.deal(len(group), dict(enumerate(salvages))), _set("salvages"))
        _give(group, dealer.deal(len(group), dict(enumerate(blasts))), _blasts)
    _ages(plans, dealer)
    _give(plans, dealer.deal(len(plans), ECOG), _set("ecog"))
    for (in_cohort, response), shares in MRD.items():
        members = [p for p in plans if p.course.in_cohort == in_cohort and p.course.response == response]
        _give(members, dealer.deal(len(members), shares), _set("mrd"))
    for plan in plans:
        if plan.salvages == 3 and rng.random() < 0.3:
            plan.salvages += rng.randint(1, 2)
        plan.height = round(rng.gauss(177 if plan.sex == "M" else 165, 7))
        plan.weight = round(min(128.0, max(46.0, rng.gauss(25.2, 3.8) * (plan.height / 100) ** 2)), 1)
        share = min(1.0, rng.random() * plan.blasts / 70)
        plan.blood_blasts = 0.0 if rng.random() < 0.3 else round(12 * share**3, 2)
        plan.has_lesions = rng.random() < (0.22 if plan.course.response in ("PD", "NR") else 0.1)


def _give(plans: Sequence[Plan], values: Sequence[Any], put: Callable[[Plan, Any], None]) -> None:
    for plan, value in zip(plans, values, strict=True):
        put(plan, value)


def _set(name: str) -> Callable[[Plan, Any], None]:
    return lambda plan, value: setattr(plan, name, value)


def _blasts(plan: Plan, group: int) -> None:
    """Baseline marrow blasts below 50, from 50 to below 75, from 75 percent; progression and partial remission need room."""
    low, high = ((14, 49), (50, 74), (75, 98))[group]
    if plan.course.response == "PR":
        low = max(low, 16)
    plan.blasts = float(plan.rng.randint(low, high))


def _ages(plans: Sequence[Plan], dealer: Dealer) -> None:
    """Ages by group and stratum; then the middle ones are put on 32 years (cohort) and 39 years (all), the ends on 18 and 79."""
    rng = dealer.rng
    bounds = ((19, 34), (35, 54), (55, 64), (65, 78))
    for group, shares in zip(strata(plans), AGE_GROUPS, strict=True):
        for plan, at in zip(group, dealer.deal(len(group), dict(enumerate(shares))), strict=True):
            plan.age = rng.randint(*bounds[at])
    if dealer.exact:
        cohort = [p for p in plans if p.course.in_cohort]
        others = [p for p in plans if not p.course.in_cohort]
        _centre_ages(rng, cohort, plans)
        oldest = max(others, key=lambda p: p.age)
        youngest = min(others, key=lambda p: p.age)
        oldest.age, youngest.age = 79, 18
    for plan in plans:
        birthday = date(plan.consented_on.year - plan.age, plan.consented_on.month, min(plan.consented_on.day, 28))
        plan.born_on = birthday - timedelta(days=rng.randint(2, 360))


def _centre_ages(rng: random.Random, cohort: Sequence[Plan], plans: Sequence[Plan]) -> None:
    """36 of the 64 and 90 of the 189 are under 35: rank 32 and 33 of the cohort become 32 years, rank 95 of all 39 years."""
    young = sorted((p for p in cohort if p.age < 35), key=lambda p: (p.age, p.number))
    for rank, plan in enumerate(young):
        if rank < 31:
            plan.age = rng.randint(19, 32)
        elif rank > 32:
            plan.age = rng.randint(32, 34)
        else:
            plan.age = 32
    middle = sorted((p for p in plans if 35 <= p.age < 55), key=lambda p: (p.age, p.number))
    for rank, plan in enumerate(middle):
        if rank < 4:
            plan.age = rng.randint(35, 39)
        elif rank > 4:
            plan.age = rng.randint(39, 54)
        else:
            plan.age = 39
