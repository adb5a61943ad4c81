"""What came before the study: transplantations and lines of therapy (STUDY E.2, item 11; C.9)."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from analysis.demo.arithmetic import Dealer
from analysis.demo.plan import Plan

DONORS = {
    "MATCHED SIBLING": 29,
    "MATCHED UNRELATED": 24,
    "MISMATCHED UNRELATED": 7,
    "HAPLOIDENTICAL": 2,
    "CORD BLOOD": 2,
}
CONDITIONINGS = {"MYELOABLATIVE": 34, "REDUCED INTENSITY": 20, "NON-MYELOABLATIVE": 4, "UNKNOWN": 6}
_MATCHES = {
    "MATCHED SIBLING": ("10/10", "10/10", "8/8"),
    "MATCHED UNRELATED": ("10/10", "10/10", "8/8"),
    "MISMATCHED UNRELATED": ("9/10", "7/8"),
    "HAPLOIDENTICAL": ("HAPLO 5/10",),
    "CORD BLOOD": ("5/6 CORD", "4/6 CORD"),
}
# Days from transplant to relapse and to first dose: the middle two of 64 lie at 6 and 10 months, as many on either side.
_TO_RELAPSE = ((42, 172), (181, 185), (192, 980))
_TO_DOSE = ((100, 290), (301, 307), (316, 1300))
TRANSPLANTED_TWICE = 7
SALVAGE_AFTER = 44


def give_past(plans: Sequence[Plan], dealer: Dealer) -> None:
    """Give every member of the cohort the transplantation after which the leukaemia came back, and who had one before."""
    cohort = [p for p in plans if p.course.in_cohort]
    intervals = _intervals(dealer, len(cohort))
    donors = dealer.deal(len(cohort), DONORS)
    conditionings = dealer.deal(len(cohort), CONDITIONINGS)
    for plan, (to_relapse, to_dose), donor, conditioning in zip(cohort, intervals, donors, conditionings, strict=True):
        plan.transplants = [_last_transplant(plan, to_relapse, to_dose, donor, conditioning)]
    salvaged = [p for p in cohort if p.salvages]
    for plan in dealer.pick(salvaged, SALVAGE_AFTER, len(cohort) or 1):
        plan.salvage_after_transplant = True
    for plan in dealer.pick([p for p in cohort if p.salvages], TRANSPLANTED_TWICE, len(cohort) or 1):
        plan.transplants.insert(0, _first_transplant(plan))
    for plan in plans:
        if not plan.course.in_cohort and plan.rng.random() < 0.04 and plan.salvages:
            plan.transplants = [_autologous(plan)]


def _intervals(dealer: Dealer, size: int) -> list[tuple[int, int]]:
    """Pairs of days (transplant to relapse, transplant to first dose), joined rank by rank so that relapse comes well before."""
    rng = dealer.rng
    sides = [0] * 31 + [1, 1] + [2] * 31 if dealer.exact else [rng.choice((0, 2)) for _ in range(size)]
    relapses = sorted(rng.randint(*_TO_RELAPSE[side]) for side in sides)
    doses = sorted(rng.randint(*_TO_DOSE[side]) for side in sides)
    pairs = [
        (min(r, d - 22) if i not in (31, 32) else r, d) for i, (r, d) in enumerate(zip(relapses, doses, strict=True))
    ]
    rng.shuffle(pairs)
    return pairs


def _truncated(plan: Plan, day: date, spared: bool, share: float) -> str:
    """ISO text of a day; in some patients only the month is known, and then the day is taken as the 15th everywhere."""
    if spared or plan.rng.random() >= share or abs(day.day - 15) > 7:
        return day.isoformat()
    return day.isoformat()[:7]


def _last_transplant(plan: Plan, to_relapse: int, to_dose: int, donor: str, conditioning: str) -> dict[str, Any]:
    rng = plan.rng
    day = plan.first_dose - timedelta(days=to_dose)
    relapse = day + timedelta(days=to_relapse)
    pinned = 160 < to_relapse < 205 or 275 < to_dose < 335
    acute, chronic = rng.random() < 0.5, rng.random() < 0.34
    lymphocytes = rng.random() < 0.22 and to_dose - to_relapse > 70
    graft = "CORD BLOOD" if donor == "CORD BLOOD" else rng.choice(("PBSC", "PBSC", "PBSC", "BONE MARROW"))
    intense = conditioning == "MYELOABLATIVE"
    return {
        "number": 1,
        "kind": "ALLOGENEIC",
        "transplanted_on": _truncated(plan, day, pinned, 0.3),
        "status": rng.choice(("CR1", "CR1", "CR2", "CR2", "CR3+")),
        "donor": donor,
        "hla_match": rng.choice(_MATCHES[donor]),
        "donor_sex": rng.choice(("M", "F")),
        "donor_age_years": None if donor == "CORD BLOOD" else rng.randint(20, 58),
        "graft": graft,
        "conditioning": conditioning,
        "conditioning_agents": "Cyclophosphamide, total body irradiation" if intense else "Fludarabine, melphalan",
        "tbi": rng.choice((">=8 Gy", ">=8 Gy", "NONE")) if intense else rng.choice(("NONE", "<=2 Gy")),
        "gvhd_prophylaxis": [rng.choice(("CNI+MTX", "CNI+MMF"))] + (["ATG"] if "UNRELATED" in donor else []),
        "cmv_donor": rng.choice(("POS", "NEG")),
        "cmv_recipient": rng.choice(("POS", "NEG")),
        "engrafted_on": (day + timedelta(days=rng.randint(12, 26))).isoformat(),
        "chimerism_percent": rng.choice((40, 55, 62, 70, 78, 84, 88, 91, 93)),
        "chimerism_on": (relapse + timedelta(days=rng.randint(0, 6))).isoformat(),
        "had_lymphocyte_infusion": lymphocytes,
        "last_lymphocyte_infusion_on": (relapse + timedelta(days=20)).isoformat() if lymphocytes else None,
        "had_acute_gvhd": acute,
        "acute_gvhd_grade": rng.choice(("I", "I", "II", "II", "III")) if acute else None,
        "acute_gvhd_scale": "MODIFIED GLUCKSBERG" if acute else None,
        "had_chronic_gvhd": chronic,
        "chronic_gvhd_severity": rng.choice(("LIMITED", "EXTENSIVE", "MILD", "MODERATE")) if chronic else None,
        "active_gvhd": "NONE",
        "is_immunosuppressed": False,
        "last_immunosuppression_on": (relapse - timedelta(days=rng.randint(2, 25))).isoformat(),
        "has_relapsed": True,
        "relapsed_on": _truncated(plan, relapse, pinned, 0.15),
        "relapse_site": rng.choice(("MARROW", "MARROW", "MARROW", "COMBINED")),
    }


def _first_transplant(plan: Plan) -> dict[str, Any]:
    """The earlier of two transplantations, more than a year before the last one."""
    rng = plan.rng
    last = date.fromisoformat((plan.transplants[0]["transplanted_on"] + "-15")[:10])
    day = last - timedelta(days=rng.randint(400, 1400))
    plan.transplants[0] |= {"number": 2, "status": rng.choice(("CR2", "CR3+"))}
    first = _last_transplant(plan, 250, (plan.first_dose - day).days, "MATCHED SIBLING", "MYELOABLATIVE")
    return first | {
        "transplanted_on": day.isoformat()[:7],
        "relapsed_on": (day + timedelta(days=rng.randint(150, 300))).isoformat()[:7],
        "status": "CR1",
        "chimerism_percent": None,
        "chimerism_on": None,
        "had_lymphocyte_infusion": False,
        "last_lymphocyte_infusion_on": None,
        "last_immunosuppression_on": None,
    }


def _autologous(plan: Plan) -> dict[str, Any]:
    """An autologous transplantation outside the cohort: no donor, no GVHD."""
    day = plan.first_dose - timedelta(days=plan.rng.randint(420, 1500))
    return {
        "number": 1,
        "kind": "AUTOLOGOUS",
        "transplanted_on": day.isoformat(),
        "status": "CR1",
        "graft": "PBSC",
        "conditioning": "MYELOABLATIVE",
        "tbi": "NONE",
        "had_lymphocyte_infusion": False,
        "had_acute_gvhd": False,
        "had_chronic_gvhd": False,
        "active_gvhd": "NONE",
        "is_immunosuppressed": False,
        "has_relapsed": True,
        "relapsed_on": (day + timedelta(days=plan.rng.randint(120, 360))).isoformat(),
        "relapse_site": "MARROW",
    }
