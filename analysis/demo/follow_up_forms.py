"""The forms of follow-up: relapse, later therapy and transplant, survival contacts, death, end of study.

The rule: nothing is dated after a death, and who is alive at a named cut has a contact in the 14 days before it (STUDY A.2).
"""

from datetime import date, timedelta

from analysis.demo.casebook import Casebook, Row
from analysis.demo.plan import CLOSED_ON, CUTS, FIRST_DOSES, Plan
from patients.expected import SURVIVAL_EVERY_MONTHS
from trial.schedule import DAYS_PER_MONTH

_REGIMENS = {
    "CHEMOTHERAPY": "FLAG-IDA",
    "INOTUZUMAB": "Inotuzumab ozogamicin",
    "CAR-T": "CD19-directed CAR-T cells",
    "RADIOTHERAPY": "Total nodal irradiation",
    "DLI": "Donor lymphocyte infusion",
    "MAINTENANCE": "Mercaptopurine, methotrexate",
}


def fill_follow_up(book: Casebook) -> None:
    """Everything after treatment, in the order in which it happened."""
    plan = book.plan
    marrows = {r.values["sampled_on"]: r for r in book.rows if r.form == "BM" and r.values["reader"] == "CENTRAL"}
    if plan.course.relapse_day is not None:
        _relapse(book, marrows.get(plan.on(plan.course.relapse_day)))
    _later_therapy(book, max((plan.day(on) for on in marrows), default=1))
    if plan.course.transplant_day is not None:
        _transplant(book, plan.course.transplant_day, in_remission=True)
    _contacts(book)
    _end(book)


def _relapse(book: Casebook, marrow: Row | None) -> None:
    plan = book.plan
    on = plan.on(plan.course.relapse_day or 1)
    site = plan.rng.choice(("MARROW", "MARROW", "MARROW", "COMBINED"))
    book.add(
        "REL",
        on + timedelta(days=2),
        relapsed_on=on.isoformat(),
        site=site,
        extramedullary_sites=["LYMPH NODE"] if site == "COMBINED" else None,
        evidence=["BM BLASTS >5 %"] + (["BLOOD BLASTS"] if plan.rng.random() < 0.4 else []),
        marrow=marrow,
        cd19=plan.rng.choices(("POSITIVE", "NEGATIVE", "NOT DONE"), (75, 12, 13))[0],
    )


def _later_therapy(book: Casebook, last_marrow_day: int) -> None:
    """Other therapy after failure or relapse, never before the last marrow that could still count."""
    plan, rng, course = book.plan, book.plan.rng, book.plan.course
    failed = plan.last_dose_day if not course.responds else course.relapse_day
    if failed is None or course.response == "NE":
        book.nothing("NTX", plan.on(min(plan.last_dose_day + 30, plan.last_observed_day)))
        return
    start = max(failed, plan.last_dose_day, last_marrow_day) + rng.randint(9, 40)
    lives_on = course.death_day is None or course.death_day > start + 200
    if start > plan.last_observed_day - 5 or (rng.random() < 0.4 and not lives_on):
        return
    kind = rng.choices(("CHEMOTHERAPY", "INOTUZUMAB", "CAR-T", "RADIOTHERAPY"), (70, 12, 8, 10))[0]
    on = plan.on(start)
    dosed = plan.on(plan.last_dose_day)
    by_month = start - last_marrow_day > 25 and on.day >= 15 and rng.random() < 0.3
    by_month = by_month and (on.year, on.month) != (dosed.year, dosed.month)
    rescued = lives_on and not course.responds
    book.add(
        "NTX",
        on + timedelta(days=5),
        kind=kind,
        regimen=_REGIMENS[kind],
        started_on=on.isoformat()[:7] if by_month else on.isoformat(),
        reason="RELAPSE" if course.responds else "NO RESPONSE",
        best_response="CR" if rescued else rng.choice(("NO RESPONSE", "PROGRESSION", "NOT EVALUATED")),
    )
    if rescued and start + 120 < plan.last_observed_day:
        _transplant(book, start + rng.randint(60, 110), in_remission=False)


def _transplant(book: Casebook, day: int, *, in_remission: bool) -> None:
    plan, rng = book.plan, book.plan.rng
    number = len(plan.transplants) + 1
    unrelated = rng.random() < 0.6
    book.add(
        "NSCT",
        plan.on(day) + timedelta(days=3),
        transplanted_on=plan.on(day),
        status="CR/CRh AFTER BLINATUMOMAB" if in_remission else "CR AFTER OTHER THERAPY",
        mrd=("POSITIVE" if plan.mrd == "positive" else "NEGATIVE") if in_remission else "UNK",
        donor="MATCHED UNRELATED" if unrelated else "MATCHED SIBLING",
        graft="PBSC",
        conditioning=rng.choice(("MYELOABLATIVE", "REDUCED INTENSITY")),
        number_in_life=number if number <= 5 else None,
        had_other_therapy=not in_remission,
    )


def _contact_days(book: Casebook) -> dict[str, date]:
    """The day of each contact by its visit: every three months, and within the 14 days before each cut at which the patient lives.

    The contact at a cut, and that at the loss, is the quarterly one nearby where there is one, and else unscheduled.
    """
    plan, course, rng = book.plan, book.plan.course, book.numbers("contacts")
    last = plan.on(plan.last_observed_day) if course.death_day or course.lost_day else CLOSED_ON
    until = plan.died_on or last
    days: dict[str, date] = {}
    month = SURVIVAL_EVERY_MONTHS
    while (planned := plan.first_dose + timedelta(days=round(month * DAYS_PER_MONTH))) <= until:
        days[f"SFU{month}"] = min(planned + timedelta(days=rng.randint(-9, 9)), last)
        month += SURVIVAL_EVERY_MONTHS
    for day in _fixed_days(plan, last):
        nearest = min(days, key=lambda visit: abs(days[visit] - day), default="")
        is_near = bool(nearest) and abs(days[nearest] - day) <= timedelta(days=14)
        days[nearest if is_near else f"UNS{plan.day(day)}"] = day
    return dict(sorted(days.items(), key=lambda item: item[1]))


def _fixed_days(plan: Plan, last: date) -> list[date]:
    """The contacts that the cuts ask for, and the one at the loss."""
    days = []
    for cut in CUTS:
        # not: any day of the fortnight
        # but: from the 366th day on where there is a choice, so that a year of survival is known at the early cut
        earliest = max(cut - timedelta(days=13), min(cut, plan.first_dose + timedelta(days=365)))
        if plan.first_dose == FIRST_DOSES[0]:
            earliest = cut
        if plan.on(1) < earliest <= last:
            latest = min(cut, last)
            days.append(earliest + timedelta(days=plan.rng.randint(0, (latest - earliest).days)))
    if plan.course.lost_day:
        days.append(plan.on(plan.course.lost_day))
    return [day for day in days if day > plan.on(plan.last_dose_day)]


def _contacts(book: Casebook) -> None:
    plan, rng, course = book.plan, book.plan.rng, book.plan.course
    lost_on = plan.on(course.lost_day) if course.lost_day else None
    for visit, on in _contact_days(book).items():
        day = plan.day(on)
        in_remission = course.responds and day >= course.response_day and day < (course.relapse_day or 99999)
        assessed = max(on - timedelta(days=rng.randint(0, 16)), plan.on(course.response_day)) if in_remission else None
        status = "ALIVE IN REMISSION" if in_remission else "ALIVE WITH DISEASE"
        if not course.responds and course.death_day is None:
            status = "ALIVE STATUS UNKNOWN"
        if on == lost_on:
            status = "WITHDREW CONSENT FOR SURVIVAL FOLLOW-UP"
        by_phone = rng.random() < 0.4
        book.add(
            "SFU",
            on,
            visit,
            contacted_on=on,
            status=status,
            last_alive_on=on.isoformat(),
            disease="REMISSION" if in_remission else "RELAPSE" if course.responds else "UNK",
            last_assessed_on=assessed.isoformat() if assessed else None,
            source="PHONE" if by_phone else "VISIT",
        )


def _end(book: Casebook) -> None:
    """Death and the end of the study."""
    plan, rng, course = book.plan, book.plan.rng, book.plan.course
    died_on = plan.died_on
    if died_on is None:
        ended = plan.on(course.lost_day) if course.lost_day else CLOSED_ON
        book.add(
            "EOS",
            ended,
            ended_on=ended,
            reason="WITHDRAWAL OF CONSENT" if course.lost_day else "STUDY CLOSED",
            last_alive_on=ended.isoformat() if course.lost_day else _last_seen(book).isoformat(),
        )
        if course.lost_day:
            extent = "ALL" if book.numbers("withdrawal").random() < 0.3 else "FOLLOW-UP"
            book.add("WDR", ended, withdrawn_on=ended, extent=extent, note="By phone.")
        return
    fatal = next((event for event in plan.events if event.is_fatal), None)
    cause, words = _cause(plan)
    disease = (
        "REMISSION" if course.dies_in_remission else "RELAPSED" if course.responds else "ACTIVE/NEVER IN REMISSION"
    )
    book.add(
        "DTH",
        died_on + timedelta(days=rng.randint(0, 9)),
        died_on=died_on.isoformat(),
        primary_cause=cause,
        cause_in_words=words,
        event_number=fatal.number if fatal else None,
        disease=disease,
        had_autopsy=rng.random() < 0.06,
        relation="RELATED" if fatal and fatal.related else "NOT RELATED",
    )
    book.add("EOS", died_on + timedelta(days=rng.randint(3, 14)), ended_on=died_on, reason="DEATH", last_alive_on=None)


def _last_seen(book: Casebook) -> date:
    """The day of the last contact."""
    days: list[date] = [row.values["contacted_on"] for row in book.rows if row.form == "SFU"]
    return max(days)


def _cause(plan: Plan) -> tuple[str, str]:
    """The primary cause of death as coded and in words."""
    if plan.fatal_term:
        fatal = next(event for event in plan.events if event.is_fatal)
        if "INFECTION" in fatal.baskets:
            return "ADVERSE EVENT – INFECTION", fatal.term
        is_bleeding = fatal.term.endswith("haemorrhage")
        return "ADVERSE EVENT – HEMORRHAGE" if is_bleeding else "ADVERSE EVENT – OTHER", fatal.term
    if plan.course.dies_in_remission:
        return plan.rng.choice(
            (("TRANSPLANT COMPLICATION (NON-GVHD)", "Transplant-related mortality"), ("GVHD", "GVHD after transplant"))
        )
    return "ALL / DISEASE PROGRESSION", "Progression of leukaemia"
