"""The course of each patient's disease: best response, relapse, transplant and death, placed by rank (STUDY E.2, items 1, 7, 8, 9).

The rule: a day is a study day (day 1 is the first dose). Medians and shares are met by how many lie on which side of a day.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

REMISSIONS = ("CR", "CRh")


@dataclass(frozen=True, slots=True)
class Course:
    """What becomes of one patient. Days are study days, None is never.

    `second_cycle_day` is the start of a second cycle, had there been one; `marrow_days` are those at the ends of cycles 1 and 2.
    """

    in_cohort: bool
    response: str
    death_day: int | None
    lost_day: int | None = None
    second_cycle_day: int = 43
    marrow_days: tuple[int, int] = (29, 71)
    response_cycle: int = 0
    relapse_day: int | None = None
    dies_in_remission: bool = False
    transplant_day: int | None = None

    @property
    def responds(self) -> bool:
        """Whether CR or CRh is the best response within two cycles."""
        return self.response in REMISSIONS

    @property
    def response_day(self) -> int:
        """The study day of the first remission."""
        return self.marrow_days[self.response_cycle - 1]

    @property
    def remission_days(self) -> int | None:
        """Days from the first remission to relapse or death, both included; None while neither has come."""
        end = self.death_day if self.dies_in_remission else self.relapse_day
        return None if end is None else end - self.response_day + 1


def reconstructed_courses(rng: random.Random) -> list[Course]:
    """The 64 of the cohort, then the 125 others."""
    median_day = rng.randint(183, 189)
    remission_median = rng.randint(176, 184)
    cohort = _cohort(rng, remission_median)
    early = sum(course.death_day is not None and course.death_day < median_day for course in cohort)
    short = sum(course.remission_days is not None and course.remission_days < remission_median for course in cohort)
    others = _others(rng, median_day, 94 - early, remission_median, 40 - short)
    return cohort + others


def drawn_courses(rng: random.Random, count: int) -> list[Course]:
    """Courses of the same kind without any constraint: drawn from a reconstruction, their days stretched or shortened."""
    pool = reconstructed_courses(rng)
    return [_stretched(rng, rng.choice(pool)) for _ in range(count)]


def _stretched(rng: random.Random, course: Course) -> Course:
    """The same course with its later days moved by up to a fifth, in order."""
    settled = max(course.marrow_days) if course.responds else 42
    factor = rng.uniform(0.8, 1.2)

    def moved(day: int | None) -> int | None:
        return day if day is None or day <= settled else settled + max(1, round((day - settled) * factor))

    relapse, transplant = moved(course.relapse_day), moved(course.transplant_day)
    return replace(
        course,
        death_day=moved(course.death_day),
        lost_day=moved(course.lost_day),
        relapse_day=relapse,
        transplant_day=transplant,
    )


def _cohort(rng: random.Random, remission_median: int) -> list[Course]:
    """The 64: 31 deaths to day 250, then days 256 and 262, 41 by day 365, 52 by 1095, one lost between, 11 alive."""
    sure = [256, 262]
    rng.shuffle(sure)
    not_evaluable = sorted(rng.sample(range(9, 34), 5))
    early_others = [*rng.sample(range(44, 98), 6), *rng.sample(range(100, 249), 14), sure[0]]
    first_year = rng.sample(range(266, 363), 8)
    later = sorted(rng.sample(range(372, 1090), 11))
    responders_early = [*rng.sample(range(118, 249), 6), sure[1]]
    from_later = rng.sample(range(11), 2)
    other_deaths = early_others + first_year[:5] + [later[i] for i in from_later]
    responder_deaths = responders_early + first_year[5:] + [later[i] for i in range(11) if i not in from_later]
    before_loss = rng.randint(3, 7)
    lost_day = (later[before_loss - 1] + later[before_loss]) // 2
    short = [
        *rng.sample(range(20, remission_median - 6), 11),
        *rng.sample(range(remission_median + 4, 223), 3),
        rng.randint(224, 226),
    ]
    remitted = _responders(
        rng, True, responder_deaths, alive_relapsed=2, alive=7, lost=[lost_day], short=short, long=4, in_remission=2
    )
    remitted = _named_responses(rng, remitted, complete=18, transplants={"CR": 6, "CRh": 1})
    others = _non_responders(rng, True, not_evaluable, other_deaths, 2, [], {"BFHM": 6, "PR": 2, "NR": 17, "PD": 5})
    return remitted + others


def _others(
    rng: random.Random, median_day: int, early_deaths: int, remission_median: int, short_remissions: int
) -> list[Course]:
    """The 125: with the cohort, the 95th death falls on `median_day` and the 41st end of remission on `remission_median`."""
    not_evaluable = sorted(rng.sample(range(8, 35), 9))
    early = early_deaths - 61
    other_deaths = [
        *rng.sample(range(42, 98), 18),
        *rng.sample(range(98, median_day), 34),
        median_day,
        *rng.sample(range(median_day + 10, 900), 4),
    ]
    responder_deaths = [
        *rng.sample(range(80, median_day), early),
        *rng.sample(range(median_day + 8, 420), 12),
        *rng.sample(range(421, 1080), 24 - early),
    ]
    short = [*rng.sample(range(14, remission_median), short_remissions), remission_median]
    long = 38 - 4 - len(short)
    lost = rng.sample(range(420, 1000), 2)
    remitted = _responders(
        rng, False, responder_deaths, alive_relapsed=2, alive=12, lost=lost, short=short, long=long, in_remission=4
    )
    remitted = _named_responses(rng, remitted, complete=45, transplants={"CR": 22, "CRh": 3})
    lost_others = rng.sample(range(420, 800), 2)
    others = _non_responders(
        rng, False, not_evaluable, other_deaths, 5, lost_others, {"BFHM": 11, "PR": 3, "NR": 40, "PD": 10}
    )
    return remitted + others


def _timing(rng: random.Random) -> tuple[int, tuple[int, int]]:
    """The start of cycle 2 and the days of the marrows that end cycles 1 and 2 (day 29 of a cycle, 3 days either way)."""
    second = 43 + rng.choice((0, 0, 0, 1, 2, 4, 6))
    return second, (29 + rng.choice((-1, 0, 0, 0, 1, 2)), second + 28 + rng.choice((-2, -1, 0, 0, 0, 1, 2)))


def _responders(
    rng: random.Random,
    in_cohort: bool,
    deaths: Sequence[int],
    *,
    alive_relapsed: int,
    alive: int,
    lost: Sequence[int],
    short: Sequence[int],
    long: int,
    in_remission: int,
) -> list[Course]:
    """Join deaths and ends of remission rank by rank, so that no remission outlives its patient.

    `short` are remissions in days (the longest of them may be a median and is not shortened), `long` how many relapse later,
    `in_remission` how many die without relapse.
    """
    ranked = sorted(deaths)
    courses: list[Course] = []
    candidates = [i for i, day in enumerate(ranked) if day >= 350][:9]
    chosen = set(rng.sample(candidates, in_remission))
    relapsing: list[Course] = []
    for i, day in enumerate([*ranked, *[None] * alive_relapsed]):
        second, marrows = _timing(rng)
        cycle = 2 if (day is None or day > 300) and rng.random() < 0.25 else 1
        course = Course(in_cohort, "", day, None, second, marrows, cycle)
        if i in chosen:
            courses.append(replace(course, dies_in_remission=True))
        else:
            relapsing.append(course)
    remissions: list[int] = sorted(short)
    most = max(short)
    for course in relapsing[len(short) :]:
        last = 700 if course.death_day is None else min(700, course.death_day - course.response_day - 15)
        remissions.append(rng.randint(most + 6, max(most + 7, last)))
    assert len(remissions) == len(short) + long
    for i, course in enumerate(relapsing):
        if remissions[i] != most and (allowed := _longest(course)) < remissions[i]:
            remissions[i] = rng.randint(max(8, allowed // 2), allowed)
    for _ in range(len(relapsing) * 4):
        i, j = rng.randrange(len(relapsing)), rng.randrange(len(relapsing))
        if remissions[i] <= _longest(relapsing[j]) and remissions[j] <= _longest(relapsing[i]):
            remissions[i], remissions[j] = remissions[j], remissions[i]
    courses += [
        replace(course, relapse_day=course.response_day + days - 1)
        for course, days in zip(relapsing, remissions, strict=True)
    ]
    for day in [*lost, *[None] * alive]:
        second, marrows = _timing(rng)
        courses.append(Course(in_cohort, "", None, day, second, marrows, 2 if rng.random() < 0.25 else 1))
    return courses


def _longest(course: Course) -> int:
    """The longest remission that ends some days before the patient's death."""
    return 5000 if course.death_day is None else course.death_day - course.response_day - 4


def _named_responses(
    rng: random.Random, courses: Sequence[Course], complete: int, transplants: dict[str, int]
) -> list[Course]:
    """Say who reaches CR and who CRh, and who is transplanted in remission: those who die in remission, and others long in it."""
    order = sorted(range(len(courses)), key=lambda i: (not courses[i].dies_in_remission, rng.random()))
    staying = [i for i in order if (courses[i].remission_days or 400) >= 75]
    names = {
        i: name for name, i in zip([n for n, count in transplants.items() for _ in range(count)], staying, strict=False)
    }
    rest = ["CR"] * (complete - transplants["CR"])
    rest += ["CRh"] * (len(courses) - len(names) - len(rest))
    rng.shuffle(rest)
    named = []
    for i, course in enumerate(courses):
        if i not in names:
            named.append(replace(course, response=rest.pop()))
            continue
        after = rng.randint(38, min(125, (course.remission_days or 400) - 25))
        named.append(replace(course, response=names[i], transplant_day=course.response_day + after))
    return named


def _non_responders(
    rng: random.Random,
    in_cohort: bool,
    not_evaluable: Sequence[int],
    deaths: Sequence[int],
    alive: int,
    lost: Sequence[int],
    responses: dict[str, int],
) -> list[Course]:
    """Those without remission; who died before a marrow could be taken is not evaluable."""
    courses = []
    for day in not_evaluable:
        second, marrows = _timing(rng)
        courses.append(Course(in_cohort, "NE", day, None, second, marrows))
    names = [name for name, count in responses.items() for _ in range(count)]
    rng.shuffle(names)
    ends = [*((day, None) for day in deaths), *((None, day) for day in lost), *[(None, None)] * alive]
    for name, (death, loss) in zip(names, ends, strict=True):
        second, marrows = _timing(rng)
        courses.append(Course(in_cohort, name, death, loss, second, marrows))
    return courses
