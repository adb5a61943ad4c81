"""Grades of cytokine release, neurologic events and GVHD from what was seen (STUDY C.7.3 to C.7.5).

They are shown beside the grade that the site gave and never replace it: the study's grade is the CTCAE grade of the event.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

FEVER_C = Decimal("38.0")
VENTILATION = frozenset({"CPAP/BIPAP", "INTUBATION/MECHANICAL VENTILATION"})
SYMPTOMATIC = frozenset(
    {"ANTIPYRETIC", "FLUIDS", "STEROID", "TOCILIZUMAB", "SILTUXIMAB/OTHER ANTI-CYTOKINE", "OXYGEN", "OTHER"}
)
PROLONGED_DAYS = 3

_OXYGEN = {
    "NONE": 1,
    "LOW-FLOW NC <=6 L/min OR BLOW-BY": 2,
    "HIGH-FLOW NC": 3,
    "FACEMASK": 3,
    "NON-REBREATHER": 3,
    "VENTURI": 3,
    "CPAP/BIPAP": 4,
    "INTUBATION/MECHANICAL VENTILATION": 4,
}
_PRESSOR = {"ONE VASOPRESSOR": 3, "MULTIPLE VASOPRESSORS": 4}
_CONSCIOUSNESS = {
    "NORMAL": 0,
    "AWAKENS SPONTANEOUSLY": 1,
    "AWAKENS TO VOICE": 2,
    "AWAKENS ONLY TO TACTILE STIMULUS": 3,
    "UNAROUSABLE/VIGOROUS STIMULI/STUPOR/COMA": 4,
}
_SEIZURE = {"NONE": 0, "SINGLE SEIZURE RESOLVED RAPIDLY": 3, "PROLONGED >5 MIN OR REPETITIVE": 4}
_PRESSURE = {"NONE": 0, "FOCAL/LOCAL EDEMA": 3, "DIFFUSE EDEMA": 4}


def crs_astct(
    temperature_c: Decimal,
    *,
    fever_is_masked: bool,
    had_hypotension: bool,
    vasopressor: str,
    oxygen: str,
    is_fatal: bool,
) -> int | None:
    """The ASTCT 2019 grade, 1 to 5: the worse of hypotension and hypoxia. None without fever, unless something masks it."""
    if temperature_c < FEVER_C and not fever_is_masked:
        return None
    if is_fatal:
        return 5
    return max(_PRESSOR.get(vasopressor, 2 if had_hypotension else 1), _OXYGEN[oxygen])


def crs_ctcae(
    *,
    vasopressor: str,
    oxygen: str,
    organs: Collection[str],
    treatments: Collection[str],
    stopped_infusion: bool,
    led_to_hospital: bool,
    days: int | None,
    is_fatal: bool,
) -> int:
    """The proposal of a CTCAE v4.03 grade, 1 to 5. `days` is from onset to resolution, None while it goes on."""
    if is_fatal:
        return 5
    if vasopressor != "NONE" or oxygen in VENTILATION:
        return 4
    is_prolonged = stopped_infusion and days is not None and days > PROLONGED_DAYS
    if led_to_hospital or set(organs) - {"NONE"} or is_prolonged:
        return 3
    return 2 if stopped_infusion or SYMPTOMATIC.intersection(treatments) else 1


def icans(
    *,
    ice: int | None,
    consciousness: str,
    seizure: str,
    has_motor_weakness: bool,
    pressure: str,
    has_other_cause: bool,
    is_fatal: bool,
) -> int:
    """The ASTCT 2019 grade of an immune effector cell-associated neurotoxicity, 0 to 5. With another cause it is 0.

    Headache, tremor and dizziness count for nothing. `ice` is the lowest total of 10 points, None when it was not tested.
    """
    if has_other_cause:
        return 0
    if is_fatal:
        return 5
    signs = (_CONSCIOUSNESS[consciousness], _SEIZURE[seizure], 4 if has_motor_weakness else 0, _PRESSURE[pressure])
    return max(_ice_grade(ice, is_unarousable=signs[0] == 4), *signs)


def _ice_grade(ice: int | None, *, is_unarousable: bool) -> int:
    if ice is None or ice == 10:
        return 0
    if ice >= 7:
        return 1
    if ice >= 3:
        return 2
    return 4 if ice == 0 and is_unarousable else 3


@dataclass(frozen=True, slots=True)
class Stages:
    """The stages of acute GVHD: skin, liver and lower gut 0 to 4, upper gut 0 or 1. None where an organ was not assessed."""

    skin: int | None
    liver: int | None
    upper_gut: int | None
    lower_gut: int | None


NO_SIGNS = Stages(0, 0, 0, 0)


def skin_stage(rash_percent: Decimal | None, has_bullae: bool | None) -> int | None:
    """The stage of the skin from the share of the body's surface that is red."""
    if rash_percent is None:
        return None
    if rash_percent > 50:
        return 4 if has_bullae else 3
    if rash_percent >= 25:
        return 2
    return 1 if rash_percent > 0 else 0


def liver_stage(bilirubin_umol_per_l: Decimal | None) -> int | None:
    """The stage of the liver. It is not lowered for another cause."""
    if bilirubin_umol_per_l is None:
        return None
    if bilirubin_umol_per_l > 257:
        return 4
    if bilirubin_umol_per_l > 103:
        return 3
    if bilirubin_umol_per_l > 51:
        return 2
    return 1 if bilirubin_umol_per_l >= 34 else 0


def lower_gut_stage(
    stool_ml: Decimal | None, episodes: int | None, *, has_severe_pain: bool, has_bloody_stool: bool
) -> int | None:
    """The stage of the lower gut, by volume where it was measured and by episodes where it was not; adult values."""
    if has_severe_pain or has_bloody_stool:
        return 4
    if stool_ml is not None:
        return 3 if stool_ml > 1500 else 2 if stool_ml >= 1000 else 1 if stool_ml >= 500 else 0
    if episodes is not None:
        return 3 if episodes > 7 else 2 if episodes >= 5 else 1 if episodes >= 3 else 0
    return None


@dataclass(frozen=True, slots=True)
class GvhdGrade:
    """A grade from 0 to 4; incomplete, and so at least this, where an organ was not assessed. None where 0 or I is not sure."""

    grade: int | None
    is_incomplete: bool = False


def magic(stages: Stages) -> GvhdGrade:
    """The overall MAGIC grade."""
    skin, liver, upper, lower = (stage or 0 for stage in _values(stages))
    if 4 in (skin, liver, lower):
        return _graded(4, stages)
    if liver in (2, 3) or lower in (2, 3):
        return _graded(3, stages)
    if skin == 3 or 1 in (liver, upper, lower):
        return _graded(2, stages)
    return _graded(1 if skin else 0, stages)


def glucksberg(stages: Stages, *, upper_gut_is_proven: bool) -> GvhdGrade:
    """The modified Glucksberg grade. The upper gut counts as stage 1 of the gut where a biopsy proves it."""
    skin, liver, upper, lower = (stage or 0 for stage in _values(stages))
    gut = max(lower, upper if upper_gut_is_proven else 0)
    if skin == 4 or liver == 4:
        return _graded(4, stages)
    if liver in (2, 3) or gut >= 2:
        return _graded(3, stages)
    if skin == 3 or liver == 1 or gut == 1:
        return _graded(2, stages)
    return _graded(1 if skin else 0, stages)


def _values(stages: Stages) -> tuple[int | None, ...]:
    return stages.skin, stages.liver, stages.upper_gut, stages.lower_gut


def _graded(grade: int, stages: Stages) -> GvhdGrade:
    is_incomplete = None in _values(stages)
    if grade < 2 and (stages.liver is None or stages.lower_gut is None):
        return GvhdGrade(None, is_incomplete)  # they could make it more than I
    return GvhdGrade(grade, is_incomplete)


def lung_score(fev1_percent: Decimal | None, symptoms: int | None) -> int | None:
    """The NIH score of the lung: by FEV1 where it was measured, else by symptoms."""
    if fev1_percent is None:
        return symptoms
    return 0 if fev1_percent >= 80 else 1 if fev1_percent >= 60 else 2 if fev1_percent >= 40 else 3


def chronic_severity(scores: Mapping[str, int | None], other_causes: Collection[str] = ()) -> str:
    """The NIH 2014 global severity: NONE, MILD, MODERATE or SEVERE.

    `scores` has an organ's score of 0 to 3 under its code, `LUNG` among them; an organ that another documented cause explains
    entirely does not count, nor does one that was not examined.
    """
    counted = {organ: score or 0 for organ, score in scores.items() if organ not in other_causes}
    lung = counted.pop("LUNG", 0)
    worst = max(counted.values(), default=0)
    affected = sum(score > 0 for score in (*counted.values(), lung))
    if worst == 3 or lung >= 2:
        return "SEVERE"
    if worst == 2 or lung == 1 or affected >= 3:
        return "MODERATE"
    return "MILD" if affected else "NONE"
