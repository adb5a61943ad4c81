"""The forms of screening: consent, eligibility, who the patient is, what the disease was and how it was treated before."""

from datetime import date, timedelta
from typing import Any

from analysis.demo.casebook import Casebook, Row
from analysis.demo.plan import Plan

_INCLUSIONS = tuple(f"IN{i:02}" for i in range(1, 8))
_EXCLUSIONS = tuple(f"EX{i:02}" for i in range(1, 20))
_SALVAGE_REGIMENS = ("FLAG-IDA", "High-dose cytarabine, mitoxantrone", "Hyper-CVAD", "Clofarabine, cyclophosphamide")
# The information for patients changed twice while the study enrolled: since when, and the version.
_CONSENT_VERSIONS = ((date(2012, 9, 1), "2.0"), (date(2013, 4, 1), "3.0"))
_RACES = ("WHITE",) * 22 + ("ASIAN", "BLACK OR AFRICAN AMERICAN", "OTHER", "NOT REPORTED", "NOT REPORTED")


def fill_screening(book: Casebook, marrow: Row | None) -> None:
    """Everything that is asked once. `marrow` is the central reading of the baseline marrow."""
    plan = book.plan
    screened = plan.consented_on
    enrolled = plan.first_dose - timedelta(days=1 if (plan.first_dose - screened).days > 2 else 0)
    consent = book.add(
        "ENR",
        enrolled,
        consented_on=screened,
        consent_version=next((name for since, name in reversed(_CONSENT_VERSIONS) if screened > since), "1.0"),
        agrees_to_survival_follow_up=True,
        agrees_to_samples=plan.rng.random() < 0.93,
        screened_on=screened,
        is_enrolled=True,
        enrolled_on=enrolled,
        cohort="MAIN",
    )
    _consent_again(book, consent)
    fill_demographics(book)
    therapies = _therapies(plan)
    _history(book, therapies)
    fill_eligibility(book, enrolled, _features(plan), frozenset())
    for therapy in therapies:
        book.add("PTX", screened, **therapy)
    for transplant in plan.transplants:
        book.add("HSCT", screened, **transplant)
    if not plan.transplants:
        book.nothing("HSCT", screened)
    book.add(
        "BDIS",
        enrolled,
        marrow=marrow,
        cytogenetics=[_cytogenetics(plan)],
        philadelphia="NEGATIVE",
        cns_status="CNS1",
        has_extramedullary_disease=plan.has_lesions,
        extramedullary_sites=[plan.rng.choice(("LYMPH NODE", "SPLEEN", "LIVER"))] if plan.has_lesions else None,
        largest_lesion_mm=plan.rng.randint(12, 60) if plan.has_lesions else None,
        has_mrd_marker=plan.mrd != "not evaluable",
        may_live_12_weeks=True,
    )


def _consent_again(book: Casebook, consent: Row) -> None:
    """Whoever was in the study when the information changed signed the new version some weeks later."""
    numbers = book.numbers("consent again")
    last = book.plan.on(book.plan.last_observed_day)
    for since, version in _CONSENT_VERSIONS:
        signed = since + timedelta(days=numbers.randint(7, 45))
        if consent.values["consented_on"] <= since and signed <= last:
            book.add(
                "ENR.CONSENT",
                signed,
                part_of=consent,
                enrolment=consent,
                consented_on=signed,
                consent_version=version,
            )


def fill_demographics(book: Casebook) -> None:
    """Birth (to the day, or to the month at sites whose rules ask for it), sex, race and ethnicity."""
    plan, rng = book.plan, book.plan.rng
    born = plan.born_on
    by_month = (
        plan.site.country in ("DEU", "FRA") and _age(date(born.year, born.month, 15), plan.consented_on) == plan.age
    )
    is_woman = plan.sex == "F"
    may_be_pregnant = (plan.age < 50) if is_woman else None
    book.add(
        "DM",
        plan.consented_on,
        born_on=born.isoformat()[:7] if by_month else born.isoformat(),
        sex=plan.sex,
        races=[rng.choice(_RACES)],
        ethnicity="HISPANIC OR LATINO" if plan.site.is_american and rng.random() < 0.2 else "NOT HISPANIC OR LATINO",
        may_become_pregnant=may_be_pregnant,
        pregnancy_test="NEG" if may_be_pregnant else None,
    )


def fill_eligibility(book: Casebook, on: date, features: list[str], violated: frozenset[str]) -> None:
    """One screening against all criteria; `violated` are those that keep the patient out."""
    sheet = book.add("IE", on, by="investigator", protocol_version="2.0", qualifying_features=features, has_waiver=None)
    for criterion in (*_INCLUSIONS, *_EXCLUSIONS):
        is_met = (criterion in _INCLUSIONS) != (criterion in violated)
        book.add("IE.CRITERION", on, part_of=sheet, eligibility=sheet, criterion=criterion, is_met=is_met)


def _age(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _cytogenetics(plan: Plan) -> str:
    return plan.rng.choices(
        (
            "NORMAL",
            "OTHER ABNORMAL",
            "COMPLEX (>=5)",
            "t(4;11)/KMT2A-r",
            "HYPODIPLOID/NEAR-HAPLOID",
            "HYPERDIPLOID",
            "NOT DONE",
        ),
        (40, 24, 8, 8, 3, 4, 13),
    )[0]


def _features(plan: Plan) -> list[str]:
    """Which poor-prognosis feature qualifies the patient (IN03); consistent with the history that is filled in."""
    found = []
    if plan.course.in_cohort:
        last = plan.transplants[-1]
        if _days_between(last["transplanted_on"], last["relapsed_on"]) <= 365:
            found.append("RELAPSE <=12 MO AFTER ALLOHSCT")
    if plan.salvages >= 1:
        found.append(">= SECOND SALVAGE")
    return found or (["RELAPSE <=12 MO AFTER ALLOHSCT"] if plan.course.in_cohort else ["FIRST RELAPSE <=12 MO"])


def _days_between(first: str, second: str) -> int:
    return (date.fromisoformat((second + "-15")[:10]) - date.fromisoformat((first + "-15")[:10])).days


def _therapies(plan: Plan) -> list[dict[str, Any]]:
    """The lines of therapy in order: induction, consolidation, then as many salvages as the plan says."""
    rng = plan.rng
    first = plan.transplants[0]["transplanted_on"] if plan.transplants else None
    anchor = (
        date.fromisoformat((first + "-15")[:10])
        if first
        else plan.first_dose - timedelta(days=60 + 110 * plan.salvages)
    )
    before = plan.salvages - (plan.salvage_after_transplant or 0) if plan.transplants else plan.salvages
    after = plan.salvages - before if plan.transplants else 0
    before_start = anchor - timedelta(days=60 + 100 * before) if plan.transplants else None
    induced = (before_start or anchor - timedelta(days=rng.randint(20, 60))) - timedelta(days=rng.randint(210, 330))
    lines = [
        _line(plan, "INDUCTION", induced, 35, "Multi-agent induction", "CR"),
        _line(plan, "CONSOLIDATION", induced + timedelta(days=50), 110, "High-dose methotrexate and cytarabine", "CR"),
    ]
    if plan.transplants:
        starts = [anchor - timedelta(days=40 + 100 * (before - i)) for i in range(before)]
    else:
        starts = [anchor + timedelta(days=20 + 110 * i) for i in range(before)]
    for i, start in enumerate(starts):
        ends_well = bool(plan.transplants) and i == before - 1
        lines.append(
            _line(plan, "SALVAGE", start, 28, rng.choice(_SALVAGE_REGIMENS), "CR" if ends_well else "NO RESPONSE")
        )
    if after:
        relapsed = date.fromisoformat((plan.transplants[-1]["relapsed_on"] + "-15")[:10])
        room = (plan.first_dose - relapsed).days
        for i in range(after):
            start = relapsed + timedelta(days=2 + i)
            lines.append(
                _line(plan, "SALVAGE", start, max(2, min(28, room - 19)), rng.choice(_SALVAGE_REGIMENS), "NO RESPONSE")
            )
    for number, line in enumerate(lines, start=1):
        line["line"] = number
        if plan.course.in_cohort:
            is_after = after and number > len(lines) - after
            line["timing_to_transplant"] = "AFTER" if is_after else "BEFORE"
        else:
            line["timing_to_transplant"] = "NOT APPLICABLE"
    return lines


def _line(plan: Plan, kind: str, start: date, days: int, regimen: str, best: str) -> dict[str, Any]:
    end = max(start, min(start + timedelta(days=days), plan.first_dose - timedelta(days=15)))
    whole = kind == "SALVAGE" or plan.rng.random() < 0.6
    return {
        "kind": kind,
        "regimen": regimen,
        "started_on": start.isoformat()[: 10 if whole else 7],
        "ended_on": end.isoformat()[: 10 if whole else 7],
        "best_response": best,
        "responded_on": end.isoformat()[:7] if best == "CR" else None,
        "is_blinatumomab": False,
        "is_cd19_directed": False,
    }


def _history(book: Casebook, therapies: list[dict[str, Any]]) -> None:
    """Diagnosis, first remission and relapses, in step with the lines of therapy."""
    plan, rng = book.plan, book.plan.rng
    induced = date.fromisoformat((therapies[0]["started_on"] + "-15")[:10])
    refractory = not plan.course.in_cohort and not plan.transplants and plan.salvages >= 1 and rng.random() < 0.12
    remitted = induced + timedelta(days=rng.randint(28, 42))
    relapse_text = plan.transplants[-1]["relapsed_on"] if plan.transplants else None
    salvage_starts = [t["started_on"] for t in therapies if t["kind"] == "SALVAGE"]
    if refractory:
        therapies[0]["best_response"] = therapies[1]["best_response"] = "NO RESPONSE"
        therapies[0]["responded_on"] = therapies[1]["responded_on"] = None
    first_relapse = (
        date.fromisoformat(salvage_starts[0]) - timedelta(days=9)
        if salvage_starts and (not plan.transplants or therapies[2]["timing_to_transplant"] == "BEFORE")
        else date.fromisoformat((relapse_text + "-15")[:10])
        if relapse_text
        else plan.first_dose - timedelta(days=rng.randint(24, 45))
    )
    relapses = (
        0
        if refractory
        else 1
        + (
            bool(plan.transplants)
            and relapse_text is not None
            and bool(salvage_starts)
            and therapies[2]["timing_to_transplant"] == "BEFORE"
        )
    )
    if "FIRST RELAPSE <=12 MO" in _features(plan):
        first_relapse = min(first_relapse, remitted + timedelta(days=360))
    last_relapse = relapse_text or first_relapse.isoformat()
    book.add(
        "ALLH",
        plan.consented_on,
        diagnosed_on=(induced - timedelta(days=rng.randint(2, 9))).isoformat()[: rng.choice((7, 10))],
        immunophenotype=rng.choices(("COMMON", "PRO-B", "PRE-B", "BCP NOT FURTHER SPECIFIED"), (55, 22, 15, 8))[0],
        is_cd19_positive=True,
        cd19_percent=rng.randint(75, 99),
        cytogenetics=[_cytogenetics(plan)],
        philadelphia="NEGATIVE",
        has_reached_cr=not refractory,
        first_cr_on=None if refractory else remitted.isoformat(),
        first_relapse_on=None if refractory else max(first_relapse, remitted + timedelta(days=30)).isoformat(),
        relapses=relapses,
        salvage_therapies=plan.salvages,
        status="PRIMARY REFRACTORY"
        if refractory
        else "UNTREATED FIRST RELAPSE"
        if not plan.salvages
        else "REFRACTORY RELAPSE"
        if not plan.transplants or plan.salvage_after_transplant
        else "UNTREATED LATER RELAPSE",
        last_relapse_on=None if refractory else last_relapse,
        had_extramedullary_disease=plan.has_lesions or rng.random() < 0.12,
        had_cns_disease=rng.random() < 0.1,
        had_neurologic_events=rng.random() < 0.2,
        had_cranial_irradiation=rng.random() < 0.15,
    )
