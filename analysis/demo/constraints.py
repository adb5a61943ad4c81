"""Holds the plan against the hard constraints of STUDY E.2, and against every judged line of E.1, before a form is written."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from fractions import Fraction

from analysis.demo.arithmetic import Unmet, middle, middle_time, months, rounded, surviving
from analysis.demo.harm import Event
from analysis.demo.plan import CUTS, FIRST_DOSES, Plan

YEAR = Fraction(1461, 4)  # 12 months of 30.4375 days


def hold(plans: Sequence[Plan]) -> None:
    """Raise `Unmet`, naming the item, when the plan misses a constraint."""
    cohort = [p for p in plans if p.course.in_cohort]
    _responses(plans, cohort)
    _molecular(plans, cohort)
    _grades(cohort)
    _special(plans, cohort)
    _survival(plans, cohort)
    _joint(plans, cohort)
    _baseline(plans, cohort)


def _expect(item: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise Unmet(f"STUDY E.2, {item}: {found} instead of {wanted}.")


def _between(item: str, found: float | Fraction, low: float, high: float) -> None:
    if not low <= found <= high:
        raise Unmet(f"STUDY E.2, {item}: {float(found)} is not between {low} and {high}.")


def _count(plans: Sequence[Plan], test: Callable[[Plan], object]) -> int:
    return sum(bool(test(plan)) for plan in plans)


def _responses(plans: Sequence[Plan], cohort: Sequence[Plan]) -> None:
    _expect("item 1, patients", (len(plans), len(cohort)), (189, 64))
    own, everybody = Counter(p.course.response for p in cohort), Counter(p.course.response for p in plans)
    _expect("item 1, responses of the cohort", (own["CR"], own["CRh"]), (18, 11))
    _expect("item 11, responses of all", (everybody["CR"], everybody["CRh"]), (63, 18))


def _molecular(plans: Sequence[Plan], cohort: Sequence[Plan]) -> None:
    def found(members: Sequence[Plan], response: str) -> tuple[int, int]:
        mrd = [p.mrd for p in members if p.course.response == response]
        complete = mrd.count("complete")
        return complete + mrd.count("detectable"), complete

    _expect("item 2, CR of the cohort", found(cohort, "CR"), (16, 15))
    _expect("item 2, CRh of the cohort", found(cohort, "CRh"), (6, 4))
    responders = [p for p in plans if p.course.responds]
    evaluable = [p for p in responders if p.mrd != "not evaluable"]
    _expect("P-13, evaluable", len(evaluable), 73)
    _expect("P-13, below 1e-4", _count(evaluable, lambda p: p.mrd in ("complete", "detectable")), 60)


def _emergent(plan: Plan) -> list[Event]:
    last = min(plan.last_dose_day + 30, plan.course.death_day or 99999)
    return [event for event in plan.events if 1 <= event.start <= last]


def _worst(plan: Plan, basket: str = "") -> int:
    return max((e.grade for e in _emergent(plan) if not basket or basket in e.baskets), default=0)


def _grades(cohort: Sequence[Plan]) -> None:
    worst = Counter(_worst(p) for p in cohort)
    low = sum(count for grade, count in worst.items() if grade <= 2)
    _expect("item 3, worst grades", (worst[5], worst[4], worst[3], low), (8, 28, 20, 8))
    neurologic = Counter(_worst(p, "NEUROLOGIC") for p in cohort)
    _expect("item 4, neurologic grades", (neurologic[3], neurologic[4], neurologic[5]), (8, 2, 0))
    release = Counter(_worst(p, "CRS") for p in cohort)
    _expect("item 4, cytokine release", (release[3], release[4] + release[5]), (2, 0))
    fatal = [(p, e) for p in cohort for e in p.events if e.is_fatal]
    _expect("item 5, fatal events", len(fatal), 8)
    _expect("item 5, of them infections", sum("INFECTION" in e.baskets for _, e in fatal), 5)
    for plan, event in fatal:
        _expect("item 5, the fatal event ends on the day of death", event.end, plan.course.death_day)
        _expect("item 5, not in remission", plan.course.responds, False)
        _between("item 5, days from last dose to death", (event.end or 0) - plan.last_dose_day, 0, 30)
    flares = [(p, e) for p in cohort for e in p.events if e.details.get("transplant") == "PRIOR HSCT"]
    _expect("item 6, patients with GVHD", len({p.number for p, _ in flares}), 7)
    for plan, event in flares:
        _expect("item 6, treatment goes on", event.action != "DRUG WITHDRAWN", True)
        _expect("item 6, no hospital", "hospital" in event.serious, False)
        _between("item 6, grade", event.grade, 1, 3)
        _between("item 6, onset before a later transplant", event.start, 1, (plan.course.transplant_day or 99999) - 1)


def _special(plans: Sequence[Plan], cohort: Sequence[Plan]) -> None:
    affected = [p for p in plans if _worst(p, "NEUROLOGIC")]
    old = [p for p in plans if p.age >= 65]
    _expect("P-26, patients of 65 years and more", len(old), 25)
    _expect("P-26, affected by age", (_count(affected, lambda p: p.age >= 65), len(affected)), (18, 98))
    for basket in ("NEUROLOGIC", "NEUROLOGIC NARROW"):
        severe = _count(plans, lambda p, b=basket: _worst(p, b) >= 3)  # type: ignore[misc]  # mypy cannot type the default
        _between(f"P-25b, {basket}", rounded(Fraction(100 * severe, 189)), 13, 17)  # type: ignore[arg-type]
        serious = _count(plans, lambda p, b=basket: any(e.serious and b in e.baskets for e in _emergent(p)))  # type: ignore[misc]
        _between(f"P-25c, {basket}", rounded(Fraction(100 * serious, 189)), 16, 19)  # type: ignore[arg-type]
    onsets = [min(e.start for e in _emergent(p) if "NEUROLOGIC" in e.baskets) for p in affected]
    _expect("P-25d, median day of onset", rounded(middle(onsets)), 9)


def _times(plans: Sequence[Plan], cut: date | None = None) -> list[tuple[int, bool]]:
    """Days from first dose to death, or to the last day on which the patient was seen alive before the cut."""
    found = []
    for plan in plans:
        limit = plan.day(cut or CUTS[-1])
        death = plan.course.death_day
        if death is not None and death <= limit:
            found.append((death, True))
        elif plan.course.lost_day is not None and plan.course.lost_day <= limit:
            found.append((plan.course.lost_day, False))
        else:
            earliest = limit if plan.first_dose == FIRST_DOSES[0] else max(limit - 13, min(limit, 366))
            found.append((earliest, False))
    return found


def _remissions(plans: Sequence[Plan]) -> list[tuple[int, bool]]:
    found = []
    for plan in plans:
        if plan.course.responds:
            days = plan.course.remission_days
            open_until = plan.last_observed_day - plan.course.response_day - 40
            found.append((days, True) if days is not None else (open_until, False))
    return found


def _survival(plans: Sequence[Plan], cohort: Sequence[Plan]) -> None:
    for members, name, places, wanted in ((cohort, "P-15", 1, "8.5"), (plans, "P-17a", 0, "6")):
        middle_day = middle_time(_times(members))
        _expect(f"item 7, {name}", middle_day and str(rounded(months(middle_day), places)), wanted)
    for cut, landmark, wanted_percent in (
        (CUTS[1], YEAR, 36),
        (CUTS[1], 3 * YEAR, 18),
        (CUTS[0], YEAR, 36),
        (CUTS[0], 3 * YEAR, None),
    ):
        share = surviving(_times(cohort, cut), landmark)
        found = None if share is None else int(rounded(share * 100))
        _expect(f"item 7, survival at {int(landmark)} days by {cut}", found, wanted_percent)
    for members, name, places, wanted in ((cohort, "item 8, P-14", 1, "7.4"), (plans, "item 11, P-17b", 0, "6")):
        middle_day = middle_time(_remissions(members))
        _expect(name, middle_day and str(rounded(months(middle_day), places)), wanted)
    own = sorted(_remissions(cohort))
    events = [days for days, event in own if event]
    _expect("item 8, ends of remission", (len(own), len(events)), (29, 21))
    _between("item 8, the 15th", events[14], 224, 226)
    _between("item 8, censored before the 15th", sum(d <= events[14] for d, e in own if not e), 0, 0)


def _joint(plans: Sequence[Plan], cohort: Sequence[Plan]) -> None:
    for plan in plans:
        course = plan.course
        if course.responds and course.relapse_day is not None and course.death_day is not None:
            _between(f"item 9, relapse of {plan.number}", course.relapse_day, course.response_day + 1, course.death_day)
    first = sorted((p for p in cohort if p.course.death_day), key=lambda p: p.course.death_day or 0)[:33]
    _between("item 9, non-responders among the first 33 deaths", _count(first, lambda p: not p.course.responds), 25, 27)


def _baseline(plans: Sequence[Plan], cohort: Sequence[Plan]) -> None:
    _expect("P-28a and b, median ages", (middle([p.age for p in plans]), middle([p.age for p in cohort])), (39, 32))
    _expect("P-28c and d, ages", (min(p.age for p in plans), max(p.age for p in plans)), (18, 79))
    _expect("P-29, two salvages and more", _count(plans, lambda p: p.salvages >= 2), 74)
    _expect("P-30, blasts of 75 % and more", _count(plans, lambda p: p.blasts >= 75), 105)
    donors = Counter(p.transplants[-1]["donor"] for p in cohort)
    unrelated = donors["MATCHED UNRELATED"] + donors["MISMATCHED UNRELATED"]
    _expect("P-31, donors", (donors["MATCHED SIBLING"], unrelated), (29, 31))
    conditioning = Counter(p.transplants[-1]["conditioning"] for p in cohort)
    _expect("P-32, conditioning", (conditioning["MYELOABLATIVE"], 64 - conditioning["UNKNOWN"]), (34, 58))
    _expect("P-33, salvage after transplant", _count(cohort, lambda p: p.salvage_after_transplant), 44)
    cycles = [len(p.cycles) for p in plans]
    _expect("P-27, cycles", (middle(cycles), min(cycles), max(cycles)), (2, 1, 5))
    for name, key, wanted in (("P-36a", "relapsed_on", 6), ("P-36b", "", 10)):
        spans = []
        for plan in cohort:
            last = plan.transplants[-1]
            end = _middle_of_month(last[key]) if key else plan.first_dose
            spans.append((end - _middle_of_month(last["transplanted_on"])).days)
        _expect(f"{name}, median months", rounded(months(middle(spans))), wanted)


def _middle_of_month(text: str) -> date:
    return date.fromisoformat(text if len(text) == 10 else f"{text}-15")
