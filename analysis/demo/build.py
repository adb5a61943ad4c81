"""The whole demo study as plain values: sites, people, and a casebook for each patient. The same seed gives the same study."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from analysis.demo import constraints
from analysis.demo.arithmetic import Dealer
from analysis.demo.casebook import Casebook
from analysis.demo.courses import Course, drawn_courses, reconstructed_courses
from analysis.demo.event_forms import fill_events
from analysis.demo.follow_up_forms import fill_follow_up
from analysis.demo.harm import Event, check_terms, choose_grades, choose_neurologic, choose_special, harm
from analysis.demo.past import give_past
from analysis.demo.people import PersonPlan, SitePlan, people, sites
from analysis.demo.plan import CLOSED_ON, FIRST_DOSES, TODAY, Plan, describe
from analysis.demo.schedule_forms import fill_schedule
from analysis.demo.screening_forms import fill_demographics, fill_eligibility, fill_screening
from analysis.demo.support_forms import fill_support
from analysis.demo.treatment import treat
from analysis.demo.treatment_forms import fill_treatment
from analysis.demo.visit_forms import fill_only_visit, fill_visits

RECONSTRUCTED = 189
_DAYS_TO_NEXT_SCREENING = 12
_FAILURES = ("IN04", "EX13", "EX02", "IN05", "EX18", "EX07")


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """Who runs the study, and the plans of the treated patients and of those who failed screening."""

    sites: list[SitePlan]
    people: list[PersonPlan]
    treated: list[Plan]
    failed: list[Plan]

    @property
    def patients(self) -> list[Plan]:
        """All who signed consent, by number."""
        return sorted([*self.treated, *self.failed], key=lambda plan: plan.number)


def plan_study(seed: int = 1, patients: int = RECONSTRUCTED) -> StudyPlan:
    """Plan the study. With 189 patients it meets every hard constraint of STUDY E.2, or raises `Unmet`; otherwise it is free."""
    check_terms()
    rng = random.Random(f"marrow-demo-{seed}")  # noqa: S311 - repeatable, and keeps no secret
    exact = patients == RECONSTRUCTED
    places = sites(rng)
    courses = reconstructed_courses(rng) if exact else drawn_courses(rng, patients)
    failures = max(1, round(patients * 12 / RECONSTRUCTED)) if patients else 0
    plans = _enrol(courses, failures, places, rng, exact)
    treated, failed = plans[:patients], plans[patients:]
    dealer = Dealer(rng, exact)
    describe(treated, dealer)
    for plan in failed:
        plan.age, plan.blasts = rng.randint(19, 74), float(rng.randint(2, 90))
        plan.born_on = plan.consented_on - timedelta(days=round(plan.age * 365.25) + rng.randint(20, 300))
        plan.is_screened_again = plan is failed[0]
    choose_grades(treated, dealer)
    treat(treated, dealer)
    give_past(treated, dealer)
    choose_neurologic(treated, dealer)
    choose_special(treated, dealer)
    for plan in treated:
        plan.upgrades = _may_upgrade(plan)
        harm(plan)
    if exact:
        constraints.hold(treated)
    return StudyPlan(places, people(places), treated, failed)


def fill(plan: Plan) -> Casebook:
    """The casebook of one patient, every entry dated."""
    book = Casebook(plan)
    if plan.cycles:
        marrow = fill_visits(book)
        fill_screening(book, marrow)
        fill_treatment(book)
        fill_events(book)
        fill_follow_up(book)
        fill_support(book)
    else:
        _fill_failure(book)
    fill_schedule(book)
    book.enter(CLOSED_ON + timedelta(days=10))
    return book


def _fill_failure(book: Casebook) -> None:
    """A patient who signed consent and was not enrolled, because of one criterion; one of them after a second screening."""
    plan = book.plan
    on = plan.consented_on + timedelta(days=plan.rng.randint(3, 12))
    criterion = plan.rng.choice(_FAILURES)
    _show(plan, criterion)
    fill_only_visit(book)
    fill_demographics(book)
    again = on + timedelta(days=_DAYS_TO_NEXT_SCREENING) if plan.is_screened_again else None
    enrolment = book.add(
        "ENR",
        again or on,
        consented_on=plan.consented_on,
        consent_version="1.0",
        agrees_to_survival_follow_up=False,
        agrees_to_samples=True,
        screened_on=again or plan.consented_on,
        is_enrolled=False,
        screen_failure=criterion,
        cohort="MAIN",
    )
    fill_eligibility(book, on, [">= SECOND SALVAGE"], frozenset({criterion}))
    if again:
        book.add(
            "ENR.SCREENING",
            again,
            part_of=enrolment,
            enrolment=enrolment,
            screened_on=plan.consented_on,
            screen_failure=criterion,
        )
        fill_eligibility(book, again, [">= SECOND SALVAGE"], frozenset({criterion}))


def _show(plan: Plan, criterion: str) -> None:
    """Let the forms of the visit show why the patient was not enrolled, where one of them can."""
    plan.blasts = min(plan.blasts, 8) if criterion == "IN04" else max(plan.blasts, 12)
    plan.ecog = 3 if criterion == "IN05" else plan.ecog
    if criterion == "EX13":
        day = plan.day(plan.consented_on)
        plan.events = [Event("Alanine aminotransferase increased", day, None, 3, [(day, 3)])]


def _may_upgrade(plan: Plan) -> bool:
    """Whether a first CRh becomes CR at the end of cycle 2, in some of those for whom a second marrow is there to show it."""
    course = plan.course
    ends = min(course.relapse_day or 9999, course.transplant_day or 9999, plan.last_observed_day) - 3
    may = (
        course.response == "CR" and course.response_cycle == 1 and len(plan.cycles) > 1 and course.marrow_days[1] < ends
    )
    return may and plan.rng.random() < 0.2


def _enrol(
    courses: Sequence[Course], failures: int, places: list[SitePlan], rng: random.Random, exact: bool
) -> list[Plan]:
    """Spread patients over sites and first doses over the period; number them within their site by consent."""
    first, last = FIRST_DOSES
    span = (last - first).days
    doses = [first + timedelta(days=rng.randint(0, span)) for _ in range(len(courses) + failures)]
    if exact:
        # The longest followed at the early cut lives on; else survival would fall to nothing there, and not be open.
        alive = [
            i for i, course in enumerate(courses) if course.in_cohort and not course.death_day and not course.lost_day
        ]
        treated_first = rng.choice(alive)
        doses[treated_first] = first
        doses[rng.choice([i for i in range(len(courses)) if i != treated_first])] = last
    chosen = rng.choices(places, weights=[place.size for place in places], k=len(doses))
    if len(doses) >= 2 * len(places):
        chosen[: len(places)] = rng.sample(places, len(places))
        head_of_sites = chosen[: len(courses)]
        rng.shuffle(head_of_sites)
        chosen[: len(courses)] = head_of_sites
    consents = [dose - timedelta(days=rng.randint(5, 18)) for dose in doses]
    numbers: dict[int, str] = {}
    counts: dict[str, int] = {}
    for i in sorted(range(len(doses)), key=lambda i: (consents[i], i)):
        place = chosen[i]
        counts[place.number] = counts.get(place.number, 0) + 1
        numbers[i] = f"SYN-{place.number}-{counts[place.number]:03}"
    nobody = Course(False, "NE", None)
    return [
        Plan(course, numbers[i], chosen[i], doses[i], consents[i], own_numbers(numbers[i], rng))
        for i, course in enumerate([*courses, *[nobody] * failures])
    ]


def own_numbers(number: str, rng: random.Random) -> random.Random:
    """The random numbers of one patient, so that a change in one casebook leaves the others as they are."""
    return random.Random(f"{number}-{rng.random()}")  # noqa: S311 - repeatable, and keeps no secret


def study_dates() -> tuple[date, date]:
    """The day before the first consent could be signed, and the demo's own today."""
    return FIRST_DOSES[0] - timedelta(days=90), TODAY
