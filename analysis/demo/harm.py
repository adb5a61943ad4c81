"""What went wrong: adverse events of each patient, with the worst grades that STUDY E.2 asks for (items 3 to 6).

The rule: no event is graded above its patient's worst grade, and one event reaches it. Death from leukaemia is no event (F-13).
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from analysis.demo.arithmetic import Dealer, Unmet
from analysis.demo.plan import Plan
from safety.terms import NARROW_NEUROLOGIC, TERMS

# Term, chance in percent, how often it has which grade (1, 2, 3, 4). Frequencies are those of the label, by and large.
_COMMON = """
    Pyrexia 58 40 45 15 0|Nausea 24 60 40 0 0|Peripheral oedema 24 65 30 5 0|Hypokalaemia 22 50 30 18 2|Constipation 20 65 35 0 0
    Anaemia 20 10 30 55 5|Diarrhoea 19 60 35 5 0|Fatigue 17 50 45 5 0|Cough 17 70 30 0 0|Chills 13 70 30 0 0
    Abdominal pain 12 55 40 5 0|Vomiting 12 60 35 5 0|Back pain 12 50 40 10 0|Rash 12 60 35 5 0|Thrombocytopenia 11 10 20 30 40
    Neutropenia 11 0 10 35 55|Hypotension 11 40 45 15 0|Pain in extremity 11 55 40 5 0|Bone pain 9 40 45 15 0
    Alanine aminotransferase increased 11 40 20 35 5|Hypomagnesaemia 11 70 30 0 0|Dyspnoea 10 50 35 15 0
    Hyperglycaemia 10 30 35 35 0|Leukopenia 8 0 10 40 50|Arthralgia 10 60 40 0 0|Decreased appetite 10 60 35 5 0
    Hypogammaglobulinaemia 8 40 55 5 0|Epistaxis 8 70 25 5 0|Tachycardia 8 70 30 0 0|Asthenia 8 55 40 5 0
    Aspartate aminotransferase increased 7 45 25 28 2|Hyperbilirubinaemia 5 40 35 25 0|C-reactive protein increased 6 45 45 10 0
    Pneumonia 7 0 30 60 10|Bacteraemia 5 0 20 75 5|Catheter related infection 6 0 40 60 0|Oral candidiasis 5 60 40 0 0
    Upper respiratory tract infection 6 0 80 20 0|Cytomegalovirus infection 4 30 50 20 0|Herpes simplex 4 40 60 0 0
    Staphylococcal infection 4 0 45 55 0|Clostridium difficile colitis 3 10 50 40 0|Sinusitis 3 0 80 20 0
    Stomatitis 5 50 40 10 0|Infusion related reaction 5 30 60 10 0|Hypertension 6 30 50 20 0|Hypophosphataemia 5 30 40 30 0
    Erythema 5 75 25 0 0|Pruritus 5 80 20 0 0|Pain 6 50 40 10 0|Chest pain 5 60 40 0 0|Hypocalcaemia 4 50 40 10 0
    Lymphopenia 4 0 10 40 50|Febrile neutropenia 12 0 0 95 5|Coagulopathy 2 40 40 20 0|Tumour lysis syndrome 2 0 0 100 0
    Gamma-glutamyltransferase increased 4 20 30 45 5|Myalgia 4 60 40 0 0|Hyponatraemia 3 60 0 40 0|Alopecia 2 80 20 0 0
    Fall 3 60 40 0 0|Contusion 4 80 20 0 0|Acute kidney injury 2 20 40 40 0|Pleural effusion 2 20 50 30 0|Blurred vision 3 80 20 0 0
    Overdose 2 100 0 0 0|Capillary leak syndrome 1 0 60 40 0|Deep vein thrombosis 2 0 70 30 0|Drug hypersensitivity 2 40 60 0 0
"""
_ANCHORS = {
    1: ("Nausea", "Fatigue", "Cough", "Chills"),
    2: ("Pyrexia", "Back pain", "Diarrhoea", "Hypokalaemia", "Peripheral oedema"),
    3: ("Febrile neutropenia", "Febrile neutropenia", "Febrile neutropenia", "Anaemia", "Neutropenia", "Pneumonia")
    + ("Bacteraemia", "Catheter related infection", "Alanine aminotransferase increased", "Hyperglycaemia"),
    4: ("Neutropenia", "Neutropenia", "Thrombocytopenia", "Thrombocytopenia", "Leukopenia", "Lymphopenia", "Sepsis")
    + ("Alanine aminotransferase increased", "Febrile neutropenia"),
}
_FATAL_INFECTIONS = ("Sepsis", "Septic shock", "Pneumonia", "Fungal pneumonia", "Candida sepsis", "Bacteraemia")
_FATAL_OTHERS = (
    "Multiple organ failure",
    "Pulmonary haemorrhage",
    "Gastrointestinal haemorrhage",
    "Respiratory failure",
)
_NARROW_SEVERE = (
    "Encephalopathy",
    "Confusional state",
    "Ataxia",
    "Aphasia",
    "Tremor",
    "Seizure",
    "Delirium",
    "Somnolence",
)
_BROAD_SEVERE = ("Headache", "Syncope")
_NARROW_FOURTH = ("Encephalopathy", "Seizure")
_MILD_NEUROLOGIC = (
    ("Headache",) * 8
    + ("Tremor",) * 5
    + ("Dizziness",) * 3
    + ("Insomnia",) * 3
    + (
        "Confusional state",
        "Paraesthesia",
        "Somnolence",
        "Aphasia",
        "Anxiety",
        "Memory impairment",
        "Ataxia",
        "Agitation",
    )
)

# Worst grade per patient: cohort and others without a fatal event (STUDY E.2, item 3, for the cohort).
WORST_GRADES = {True: {4: 28, 3: 20, 2: 7, 1: 1}, False: {4: 47, 3: 40, 2: 20, 1: 3}}
FATAL = {True: 8, False: 15}
FATAL_INFECTIONS = {True: 5, False: 9}
NEUROLOGIC_SEVERE = {True: {4: 2, 3: 8}, False: {4: 4, 3: 17}}
NEUROLOGIC_NARROW = {True: 9, False: 17}
NEUROLOGIC_BY_AGE = {True: (18, 25), False: (80, 164)}
RELEASE = {True: {3: 2, 2: 4, 1: 2}, False: {3: 2, 2: 7, 1: 6}}
GVHD_PATIENTS = 7


@dataclass(eq=False)
class Event:
    """One adverse event. Days are study days; `steps` is the grade history, `serious` the criteria that hold."""

    term: str
    start: int
    end: int | None
    grade: int
    steps: list[tuple[int, int]]
    serious: frozenset[str] = frozenset()
    related: bool = False
    action: str = "DOSE NOT CHANGED"
    after_transplant: bool = False
    number: int = 0
    details: dict[str, str] = field(default_factory=dict)

    @property
    def baskets(self) -> frozenset[str]:
        """The baskets of special interest of its term."""
        return TERMS[self.term].baskets

    @property
    def is_fatal(self) -> bool:
        """Whether it ended in death."""
        return self.grade == 5


def choose_grades(plans: Sequence[Plan], dealer: Dealer) -> None:
    """Who has a fatal event, and the worst grade of everybody else. Fatal events strike who is not in remission, on treatment."""
    for in_cohort in (True, False):
        members = [p for p in plans if p.course.in_cohort == in_cohort]
        dying = [p for p in members if not p.course.responds and (p.course.death_day or 999) <= 97]
        fatal = dealer.pick(dying, FATAL[in_cohort], max(1, 2 * FATAL[in_cohort]))
        for i, plan in enumerate(fatal):
            pool = _FATAL_INFECTIONS if i < FATAL_INFECTIONS[in_cohort] else _FATAL_OTHERS
            plan.worst_grade, plan.fatal_term = 5, dealer.rng.choice(pool)
        rest = [p for p in members if not p.fatal_term]
        for plan, grade in zip(rest, dealer.deal(len(rest), WORST_GRADES[in_cohort]), strict=True):
            plan.worst_grade = grade


def choose_neurologic(plans: Sequence[Plan], dealer: Dealer) -> None:
    """Who has which worst neurologic grade, whether narrow or broad, whether serious, and from which day (E.1, P-22, P-25, P-26)."""
    severe: list[Plan] = []
    for in_cohort in (True, False):
        members = [
            p for p in plans if p.course.in_cohort == in_cohort and not p.fatal_term and p.last_emergent_day >= 8
        ]
        chosen: list[Plan] = []
        for grade, count in NEUROLOGIC_SEVERE[in_cohort].items():
            pool = [p for p in members if p.worst_grade >= grade and p not in chosen]
            for plan in dealer.pick(pool, count, len(members) or 1):
                plan.neurologic_grade = grade
                chosen.append(plan)
        dealer.rng.shuffle(chosen)
        chosen.sort(key=lambda p: -p.neurologic_grade)
        for i, plan in enumerate(chosen):
            is_narrow = i < NEUROLOGIC_NARROW[in_cohort]
            fourth = plan.neurologic_grade == 4
            pool_of_terms = (_NARROW_FOURTH if fourth else _NARROW_SEVERE) if is_narrow else _BROAD_SEVERE
            plan.neurologic_term = dealer.rng.choice(pool_of_terms)
            plan.neurologic_is_serious = is_narrow
        severe += chosen
    broad = [p for p in severe if p.neurologic_term in _BROAD_SEVERE]
    for plan in dealer.pick(broad, 3, 5):
        plan.neurologic_is_serious = True
    mild: list[Plan] = []
    for is_old, (count, whole) in NEUROLOGIC_BY_AGE.items():
        group = [p for p in plans if (p.age >= 65) == is_old]
        have = [p for p in group if p.neurologic_grade]
        mild += dealer.pick([p for p in group if not p.neurologic_grade], max(0, count - len(have)), whole)
    for plan in mild:
        plan.neurologic_grade = min(dealer.rng.choice((1, 1, 2)), plan.worst_grade)
        plan.neurologic_term = dealer.rng.choice(_MILD_NEUROLOGIC)
    narrow = [p for p in mild if p.worst_grade >= 2 and p.last_emergent_day >= 6]
    for plan in dealer.pick(narrow, 5, 60):
        plan.neurologic_grade, plan.neurologic_is_serious = 2, True
        plan.neurologic_term = dealer.rng.choice(("Confusional state", "Aphasia", "Somnolence"))
    _onset_days([*severe, *mild], dealer.rng)
    _stop_for_good([*severe, *mild])


def _onset_days(plans: Sequence[Plan], rng: random.Random) -> None:
    """Onset of the first neurologic event: a seventh on day 9, as many before it as after it, so that day 9 is the median."""
    order = sorted(plans, key=lambda p: (min(p.last_emergent_day, 30), rng.random()))
    side = (len(order) - len(order) // 7) // 2
    for place, plan in enumerate(order):
        if place < side or plan.last_emergent_day < 9:
            plan.neurologic_day = rng.randint(1, min(8, plan.last_emergent_day))
        elif place < len(order) - side:
            plan.neurologic_day = 9
        else:
            plan.neurologic_day = rng.randint(10, max(10, min(60, plan.last_emergent_day)))


def _stop_for_good(plans: Sequence[Plan]) -> None:
    """Put a neurologic event of grade 4 on the day of the last dose: it stops treatment for good (STUDY A.6).

    Whoever would leave the early side by that changes days with somebody of the late side, so that the median stays.
    """
    for plan in (p for p in plans if p.neurologic_grade == 4):
        last, day = plan.last_dose_day, plan.neurologic_day
        if day <= 9 < last:
            late = [p for p in plans if p.neurologic_grade < 3 and p.neurologic_day > 9 and p.last_emergent_day >= 9]
            if not late:
                continue
            late[0].neurologic_day = day
        elif last <= 9 < day or (day != 9) == (last == 9):
            continue
        plan.neurologic_day = last


def choose_special(plans: Sequence[Plan], dealer: Dealer) -> None:
    """Who has a cytokine release syndrome, and in whom GVHD flares (cohort members with earlier GVHD first; E.2, items 4 and 6)."""
    for in_cohort, shares in RELEASE.items():
        members = [p for p in plans if p.course.in_cohort == in_cohort]
        taken: list[Plan] = []
        for grade, count in shares.items():
            pool = [p for p in members if p.worst_grade >= grade and p not in taken and not p.fatal_term]
            for plan in dealer.pick(pool, count, len(members) or 1):
                plan.release_grade = grade
                taken.append(plan)
    cohort = [p for p in plans if p.course.in_cohort and p.worst_grade >= 2 and p.last_emergent_day >= 15]
    earlier = [p for p in cohort if p.transplants[-1]["had_acute_gvhd"] or p.transplants[-1]["had_chronic_gvhd"]]
    for plan in dealer.pick(earlier, GVHD_PATIENTS, 40):
        plan.gvhd = dealer.rng.choice(("ACUTE", "ACUTE", "CHRONIC"))


def harm(plan: Plan) -> None:
    """Write the events of one patient into the plan, numbered by onset."""
    rng = plan.rng
    events = [*_anchor(plan), *_neurologic(plan), *_release(plan), *_gvhd(plan), *_ordinary(plan)]
    events += _later_gvhd(plan)
    for event in events:
        if event.grade in (3, 4) and event.baskets & {"NEUROLOGIC", "CRS"}:
            hold(plan, event)
    _cause_of_changes(plan, events)
    events.sort(key=lambda e: (e.start, e.term))
    for number, event in enumerate(events, start=1):
        event.number = number
        if (
            not event.serious
            and event.grade >= 3
            and "GVHD" not in "".join(event.baskets)
            and not _is_neurologic(event)
        ):
            event.serious = _criteria(rng, event.grade) if rng.random() < _chance_serious(event) else frozenset()
    plan.events = events
    for cycle in plan.cycles:
        for event in events:
            if event.details.get("cycle") == str(cycle.number):
                if event.action == "DRUG INTERRUPTED":
                    cycle.pause_event = event.number
                else:
                    cycle.end_event = event.number


def _is_neurologic(event: Event) -> bool:
    return "NEUROLOGIC" in event.baskets


def _chance_serious(event: Event) -> float:
    if "INFECTION" in event.baskets or event.term == "Febrile neutropenia":
        return 0.85
    return 0.12 if event.term in ("Anaemia", "Neutropenia", "Thrombocytopenia", "Leukopenia", "Lymphopenia") else 0.3


def _criteria(rng: random.Random, grade: int) -> frozenset[str]:
    found = {"hospital"}
    if grade == 4 and rng.random() < 0.4:
        found.add("life")
    return frozenset(found)


def _spell(plan: Plan, term: str, grade: int, start: int, days: int) -> Event:
    """An event of `days` days from `start`: it begins at `grade` or below, comes to it, and fades before it ends."""
    rng, last = plan.rng, plan.last_observed_day
    least = min(TERMS[term].grades)
    end: int | None = start + days
    if end is not None and end > last:
        end = None
    onset = max(least, grade - rng.choice((0, 0, 1))) if grade < 5 else max(least, 3)
    steps = [(start, onset)]
    stop = end if end is not None else last
    if grade > onset:
        peak = min(stop, start + max(1, days // 3))
        if peak == start:
            steps = [(start, grade)]
        else:
            steps.append((peak, grade))
    if end is not None and end - steps[-1][0] >= 3 and grade >= 2:
        steps.append((steps[-1][0] + (end - steps[-1][0]) // 2, max(1, grade - 1)))
    if end is not None and end > steps[-1][0]:
        steps.append((end, 0))
    return Event(term, start, end, grade, steps)


def _early_day(plan: Plan, latest: int | None = None) -> int:
    """A day of onset, the earlier the likelier."""
    last = min(plan.last_emergent_day, latest or 9999)
    return 1 + int((last - 1) * plan.rng.random() ** 1.7)


def _anchor(plan: Plan) -> list[Event]:
    """The event that reaches the worst grade of the patient; the fatal one ends on the day of death."""
    rng = plan.rng
    if plan.fatal_term:
        death = plan.course.death_day or 1
        start = max(1, death - rng.randint(2, 12))
        # The infusion is stopped on the day of the onset, so that no dose follows a withdrawal.
        start = max(min(start, plan.last_dose_day), plan.last_dose_day - 1)
        middle_day = start + (death - start) // 2
        onset = max(3, min(TERMS[plan.fatal_term].grades))
        steps = [(start, onset), (middle_day, 4), (death, 5)] if middle_day > start else [(start, 4), (death, 5)]
        on_treatment = start <= plan.last_dose_day
        action = "DRUG WITHDRAWN" if on_treatment else "NOT APPLICABLE"
        event = Event(
            plan.fatal_term, start, death, 5, steps, frozenset({"death", "hospital"}), rng.random() < 0.3, action
        )
        if on_treatment:
            event.details["cycle"] = str(plan.cycles[-1].number)
        return [event]
    term = rng.choice(_ANCHORS[plan.worst_grade])
    event = _spell(plan, term, plan.worst_grade, _early_day(plan), rng.randint(3, 20))
    event.related = rng.random() < 0.5
    return [event]


def _neurologic(plan: Plan) -> list[Event]:
    if not plan.neurologic_grade:
        return []
    rng = plan.rng
    first = _spell(plan, plan.neurologic_term, plan.neurologic_grade, plan.neurologic_day, rng.randint(1, 9))
    first.related = rng.random() < 0.75
    if plan.neurologic_is_serious:
        first.serious = _criteria(rng, plan.neurologic_grade)
    found = [first]
    latest = min(plan.last_emergent_day, 80)
    if rng.random() < 0.12 and latest > plan.neurologic_day + 6:
        other = rng.choice([term for term in ("Tremor", "Dizziness", "Insomnia") if term != plan.neurologic_term])
        again = _spell(plan, other, 1, rng.randint(plan.neurologic_day + 5, latest), rng.randint(2, 6))
        found.append(again)
    return found


def _release(plan: Plan) -> list[Event]:
    if not plan.release_grade:
        return []
    rng = plan.rng
    start = min(plan.last_emergent_day, rng.choice((1, 1, 2, 2, 3, 8, 9)))
    event = _spell(plan, "Cytokine release syndrome", plan.release_grade, start, rng.randint(2, 6))
    event.related = True
    if plan.release_grade == 3:
        event.serious = _criteria(rng, 3)
    return [event]


def _gvhd(plan: Plan) -> list[Event]:
    """GVHD of grade 3 at most that neither stops treatment nor leads to hospital (E.2, item 6)."""
    if not plan.gvhd:
        return []
    rng = plan.rng
    acute = (
        "Acute graft versus host disease of skin",
        "Acute graft versus host disease of gut",
        "Acute graft versus host disease",
    )
    chronic = (
        "Chronic graft versus host disease of skin",
        "Chronic graft versus host disease of mouth",
        "Chronic graft versus host disease",
    )
    term = rng.choice(acute if plan.gvhd == "ACUTE" else chronic)
    grade = min(plan.worst_grade, rng.choice((1, 2, 2, 3)), 3)
    event = _spell(plan, term, grade, rng.randint(8, plan.last_emergent_day), rng.randint(10, 45))
    event.details["transplant"] = "PRIOR HSCT"
    return [event]


def hold(plan: Plan, event: Event) -> None:
    """Interrupt the infusion for a severe event that begins while it runs (STUDY A.6).

    Until three days after it resolved, then a week at the low dose; the end of the cycle stays where it was. Where no room is
    left for that, the cycle ends with the event, and the next one starts low; in the last cycle that is the end of treatment.
    """
    cycle = next((c for c in plan.cycles if c.start_day <= event.start <= c.end_day), None)
    if cycle is None:
        return
    is_last = cycle is plan.cycles[-1]
    if event.grade == 4 or (is_last and event.start >= cycle.end_day - 1):
        event.action = "DRUG WITHDRAWN" if is_last and event.start >= cycle.end_day - 1 else "DRUG INTERRUPTED"
        return
    after = max(1, event.start - cycle.start_day)
    _shorten(plan, event, 4)
    pause_days = (event.end or event.start) - event.start + 3
    whole = cycle.end_day - cycle.start_day
    event.action = "DRUG INTERRUPTED"
    if after + pause_days < whole and not cycle.is_held:
        cycle.days, cycle.pause_after, cycle.pause_hours = whole - pause_days, after, 24 * pause_days
        cycle.pause_reason, cycle.restarts_low, cycle.is_held = "ADVERSE EVENT", True, True
        event.details["cycle"] = str(cycle.number)
    elif not is_last:
        following = plan.cycles[plan.cycles.index(cycle) + 1]
        cycle.days, cycle.pause_hours, cycle.pause_reason = after, 0, ""
        cycle.is_held, following.starts_low = True, True
    elif event.start > 9:
        _move(plan, event, cycle.end_day - event.start)
        event.action = "DRUG WITHDRAWN"


def _shorten(plan: Plan, event: Event, days: int) -> None:
    """Let an event resolve within so many days, with the steps of its grades that come before."""
    if event.end is not None and event.end - event.start <= days:
        return
    event.end = min(event.start + days, plan.last_observed_day)
    event.steps = [step for step in event.steps if step[0] < event.end and step[1]]
    if event.steps and event.end > event.steps[-1][0]:
        event.steps.append((event.end, 0))


def _move(plan: Plan, event: Event, days: int) -> None:
    """The same event some days later."""
    event.start += days
    event.end = None if event.end is None else min(event.end + days, plan.last_observed_day)
    event.steps = [(day + days, grade) for day, grade in event.steps if event.end is None or day + days <= event.end]


def _later_gvhd(plan: Plan) -> list[Event]:
    """GVHD after a later transplantation, well after the treatment-emergent time; it is told apart from the cohort's (F-11)."""
    day = plan.course.transplant_day
    if day is None or plan.rng.random() < 0.55:
        return []
    start = max(day + plan.rng.randint(20, 90), plan.last_dose_day + 34)
    if start > min(plan.last_observed_day, plan.course.relapse_day or 9999) - 20:
        return []
    event = _spell(plan, "Acute graft versus host disease", plan.rng.choice((1, 2)), start, plan.rng.randint(10, 60))
    event.after_transplant = True
    event.action = "NOT APPLICABLE"
    event.details["transplant"] = "POST-STUDY HSCT"
    return [event]


def _common() -> list[tuple[str, int, tuple[int, ...]]]:
    rows = [row.strip().rsplit(" ", 5) for line in _COMMON.strip().splitlines() for row in line.split("|")]
    return [(name, int(chance), tuple(map(int, weights))) for name, chance, *weights in rows if name in TERMS]


_ORDINARY = _common()


def _ordinary(plan: Plan) -> list[Event]:
    """The many events of everyday: each term by its chance, no grade above the patient's worst."""
    rng = plan.rng
    found = []
    exposure = min(1.0, 0.45 + plan.last_emergent_day / 60)
    for term, chance, weights in _ORDINARY:
        if rng.random() * 100 >= chance * exposure:
            continue
        most = min(plan.worst_grade, 4)
        allowed = [
            grade for grade in (1, 2, 3, 4) if grade in TERMS[term].grades and grade <= most and weights[grade - 1]
        ]
        if not allowed:
            continue
        grade = rng.choices(allowed, [weights[grade - 1] for grade in allowed])[0]
        event = _spell(plan, term, grade, _early_day(plan), rng.randint(1, 16))
        event.related = rng.random() < 0.35
        found.append(event)
    if rng.random() < 0.25:
        start = -rng.randint(3, 12)
        term = rng.choice(("Fatigue", "Back pain", "Bone pain", "Constipation", "Hypokalaemia"))
        found.append(Event(term, start, start + 30 if plan.last_observed_day > start + 31 else None, 1, [(start, 1)]))
    return found


def _cause_of_changes(plan: Plan, events: list[Event]) -> None:
    """Name an event behind each interruption and early end that the treatment plan calls an adverse event."""
    for cycle in plan.cycles:
        changes: list[tuple[str, int]] = []
        if cycle.pause_reason == "ADVERSE EVENT" and not cycle.is_held:
            changes.append(("DRUG INTERRUPTED", cycle.start_day + cycle.pause_after))
        if cycle.end_reason == "ADVERSE EVENT" and not plan.fatal_term:
            changes.append(("DRUG WITHDRAWN", cycle.end_day))
        for action, day in changes:
            terms = ("Alanine aminotransferase increased", "Pneumonia", "Catheter related infection")
            event = _spell(plan, plan.rng.choice(terms), 3, max(1, day), plan.rng.randint(3, 10))
            event.action, event.related = action, True
            event.details["cycle"] = str(cycle.number)
            events.append(event)


def check_terms() -> None:
    """Raise `Unmet` when a term of this module is not in the list of terms, or a severe one is not in its basket."""
    used = {*_FATAL_INFECTIONS, *_FATAL_OTHERS, *_MILD_NEUROLOGIC, *(t for pool in _ANCHORS.values() for t in pool)}
    if unknown := used - set(TERMS):
        raise Unmet(f"These terms are not in the list: {', '.join(sorted(unknown))}.")
    if any(NARROW_NEUROLOGIC not in TERMS[term].baskets for term in _NARROW_SEVERE):
        raise Unmet("A narrow neurologic term is not in the narrow basket.")
