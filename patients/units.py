"""From the unit as typed to the standard unit of a laboratory test (STUDY C.11). The value as typed is kept beside it.

A unit that is not listed for a test is refused: there is no factor to guess.
"""

from dataclasses import dataclass
from decimal import Decimal

from patients.laboratory_tests import TESTS

FACTORS_VERSION = "C.11-1"  # kept with each converted value, so that a later correction of a factor can find them

_COUNT = {"10^3/µL": "1", "/µL": "0.001"}
_SHARE_OF_LITRE = {"g/dL": "10"}
# What a value in the unit is multiplied by. The standard unit itself needs no entry.
_FACTORS: dict[str, dict[str, str]] = {
    **dict.fromkeys(("WBC", "NEUT", "LYM", "MONO", "EOS", "BLAST", "PLAT", "RETI"), _COUNT),
    "HGB": {"g/dL": "10", "mmol/L": "16.11"},
    "BILI": {"mg/dL": "17.104"},
    "BILDIR": {"mg/dL": "17.104"},
    "CREAT": {"mg/dL": "88.42"},
    "GLUC": {"mg/dL": "0.05551"},
    "UREA": {"mg/dL": "0.1665", "mg/dL (BUN)": "0.357"},
    "URATE": {"mg/dL": "59.48"},
    "CA": {"mg/dL": "0.2495"},
    "MG": {"mg/dL": "0.4114"},
    "PHOS": {"mg/dL": "0.3229"},
    "ALB": _SHARE_OF_LITRE,
    "FIBRINO": {"mg/dL": "0.01"},
    "FERRITIN": {"ng/mL": "1"},
    "CRP": {"mg/dL": "10"},
    "IGG": {"mg/dL": "0.01"},
}


class UnknownUnit(ValueError):
    """The test is not reported in that unit. The message names the units that it is reported in."""


@dataclass(frozen=True, slots=True)
class Converted:
    """A value in the standard unit of its test, to three places, and the version of the factor that was used."""

    value: Decimal
    unit: str
    version: str


def units_of(test: str) -> list[str]:
    """The units in which a test may be typed, its standard unit first."""
    return [TESTS[test].unit, *_FACTORS.get(test, ())]


def to_standard(test: str, value: Decimal, unit: str) -> Converted:
    """The value in the standard unit. Raise `UnknownUnit` for a unit that has no factor."""
    standard = TESTS[test].unit
    if unit == standard:
        return Converted(value, standard, FACTORS_VERSION)
    factor = _FACTORS.get(test, {}).get(unit)
    if factor is None:
        raise UnknownUnit(
            f"{TESTS[test].label} is not reported in '{unit}' here. Choose from {', '.join(units_of(test))}."
        )
    return Converted((value * Decimal(factor)).quantize(Decimal("0.001")), standard, FACTORS_VERSION)


def convert(test: str, value: Decimal, unit: str, into: str) -> Decimal:
    """A value in one unit of a test as it is in another, to three places. Raise `UnknownUnit` for a unit that has no factor."""
    if unit == into:
        return value
    thousand = Decimal(1000)
    factor = to_standard(test, thousand, unit).value / to_standard(test, thousand, into).value
    return (value * factor).quantize(Decimal("0.001"))


def corrected_calcium(calcium_mmol_per_l: Decimal, albumin_g_per_l: Decimal) -> Decimal:
    """Calcium corrected for albumin, in mmol/L: 0.02 for each g/L that albumin is below 40."""
    return calcium_mmol_per_l + Decimal("0.02") * (40 - albumin_g_per_l)


def creatinine_clearance(age: int, weight_kg: Decimal, is_female: bool, creatinine_umol_per_l: Decimal) -> Decimal:
    """Creatinine clearance by Cockcroft and Gault in mL/min."""
    factor = Decimal("1.04") if is_female else Decimal("1.23")
    return (140 - age) * weight_kg * factor / creatinine_umol_per_l
