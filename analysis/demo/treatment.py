"""How each patient was treated: cycles, interruptions, and why treatment ended (STUDY A.1, A.2, A.6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.demo.arithmetic import Dealer

if TYPE_CHECKING:
    from analysis.demo.plan import Plan

DAYS_ON = 28
NEVER = 9999


@dataclass(slots=True)
class CyclePlan:
    """One cycle from study day `start_day`. `days` is what was infused, at the same clock time on the last day as on the first.

    A pause of `pause_hours` begins `pause_after` days into the cycle; it is made up, so the end moves by it. Where a severe
    event ended the cycle before, this one `starts_low`, at the dose of the first week.
    """

    number: int
    start_day: int
    days: int = DAYS_ON
    pause_after: int = 0
    pause_hours: int = 0
    pause_reason: str = ""
    pause_event: int | None = None
    restarts_low: bool = False
    starts_low: bool = False
    is_held: bool = False  # for a severe event of the plan, which is its reason
    end_reason: str = ""
    end_event: int | None = None

    @property
    def end_day(self) -> int:
        """The study day on which the infusion ends, by the clock of its start or some hours later."""
        return self.start_day + self.days + -(-self.pause_hours // 24)


def treat(plans: Sequence["Plan"], dealer: Dealer) -> None:
    """Give every patient cycles that fit the course. `fatal_term` and `withdraws` are decided before."""
    for plan in plans:
        plan.cycles = _cycles(plan)
    if dealer.exact:
        longest = max(
            (p for p in plans if p.course.responds and p.course.transplant_day is None),
            key=lambda p: (_last_infusion_day(p), p.number),
        )
        longest.cycles = _scheduled(longest, 5)
    for plan in plans:
        _end(plan)
        _pause(plan)


def _last_infusion_day(plan: "Plan") -> int:
    """The last study day on which blinatumomab may run: until relapse, shortly before a transplant, or the day before death."""
    course = plan.course
    return min(
        (course.relapse_day or NEVER) - 1,
        (course.transplant_day or NEVER) - 14,
        (course.death_day or NEVER) - 1,
        (course.lost_day or NEVER) - 1,
    )


def _scheduled(plan: "Plan", count: int) -> list[CyclePlan]:
    """`count` cycles of full length: 28 days of infusion, 14 without, some days of delay."""
    starts = [1, plan.course.second_cycle_day]
    while len(starts) < count:
        starts.append(starts[-1] + 42 + plan.rng.choice((0, 0, 0, 1, 3, 7)))
    return [CyclePlan(i + 1, start) for i, start in enumerate(starts[:count])]


def _cycles(plan: "Plan") -> list[CyclePlan]:
    """The cycles that were started. A cycle cut short by relapse or death ends on that day's eve."""
    course, rng = plan.course, plan.rng
    last = _last_infusion_day(plan)
    if course.responds:
        wanted = max(course.response_cycle, rng.choices((1, 2, 3, 4, 5), (4, 22, 30, 12, 32))[0])
        least = 28 if course.transplant_day else 8
    elif course.response == "NE":
        wanted, least = 1, 0
    else:
        two = 0.15 if course.response == "PD" else 0.6
        wanted, least = (2 if rng.random() < two else 1), 8
        if plan.fatal_term:
            wanted = 1 if (course.death_day or NEVER) < 58 else 2
    cycles = [c for c in _scheduled(plan, wanted) if c.start_day == 1 or c.start_day + least <= last]
    final = cycles[-1]
    if final.start_day + DAYS_ON > last:
        final.days = max(2, last - final.start_day)
    if plan.fatal_term and course.death_day is not None:
        final.days = max(2, min(final.days, course.death_day - final.start_day - rng.randint(1, 9)))
    return cycles


def _end(plan: "Plan") -> None:
    """Why treatment ended. Who withdraws for an adverse event stops the last cycle early, after any marrow of the response."""
    course, rng, final = plan.course, plan.rng, plan.cycles[-1]
    if plan.fatal_term:
        plan.end_of_treatment = "DEATH" if (course.death_day or 0) - final.end_day <= 3 else "ADVERSE EVENT"
        final.end_reason = "ADVERSE EVENT"
    elif course.death_day is not None and course.death_day - final.end_day <= 3:
        plan.end_of_treatment, final.end_reason = "DEATH", "PROGRESSION"
    elif course.transplant_day:
        plan.end_of_treatment = "PROCEED TO ALLOHSCT"
    elif course.responds and (course.relapse_day or NEVER) - final.end_day < 30:
        plan.end_of_treatment, final.end_reason = "DISEASE RELAPSE", "PROGRESSION"
    elif course.responds and final.number == 5 and final.days == DAYS_ON:
        plan.end_of_treatment = "COMPLETED"
    elif course.responds:
        may_stop = final.number > course.response_cycle
        plan.end_of_treatment = rng.choice(
            ("ADVERSE EVENT", "PHYSICIAN DECISION", "WITHDRAWAL BY SUBJECT") if may_stop else ("PHYSICIAN DECISION",)
        )
    elif course.response == "PD":
        plan.end_of_treatment, final.end_reason = "PROGRESSIVE DISEASE", "PROGRESSION"
    else:
        plan.end_of_treatment = rng.choices(("LACK OF EFFICACY", "ADVERSE EVENT"), (80, 20))[0]
    if plan.end_of_treatment == "ADVERSE EVENT" and not plan.fatal_term:
        if plan.worst_grade >= 3:
            final.days = min(final.days, rng.randint(9, 25))
            final.end_reason = "ADVERSE EVENT"
        else:
            plan.end_of_treatment = "PHYSICIAN DECISION"
    if final.days < DAYS_ON and not final.end_reason:
        final.end_reason = "PROCEDURE/HSCT PLANNING" if course.transplant_day else "OTHER"


def _pause(plan: "Plan") -> None:
    """An interruption in one of the full cycles: for an adverse event in a quarter of the patients, technical in a tenth."""
    full = [cycle for cycle in plan.cycles if cycle.days == DAYS_ON]
    draw = plan.rng.random()
    if not full or draw > 0.35 or full[-1].end_day + 3 > _last_infusion_day(plan):
        return
    cycle = full[0]
    cycle.pause_after = plan.rng.randint(9, 20)
    if draw < 0.1:
        cycle.pause_hours, cycle.pause_reason = plan.rng.randint(2, 14), "TECHNICAL"
    elif plan.worst_grade >= 3:
        cycle.pause_hours, cycle.pause_reason = plan.rng.randint(18, 66), "ADVERSE EVENT"
        cycle.restarts_low = plan.rng.random() < 0.3
    else:
        cycle.pause_after = 0
