"""CTCAE v4.03 grades of laboratory results (STUDY C.7.2). They are offered to the site and never write an adverse event.

The rules: a value at a bound takes the milder grade; a result is graded in the unit that the laboratory reported, where that
unit has limits of its own; without the normal range a grade that needs it is not given, and it is said why.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from patients.laboratory_tests import TESTS
from patients.measured import Measured
from patients.units import to_standard

# The test, the unit as reported, the side, and from where on grades 1 to 4 begin: below (low) or above (high) that bound. A
# bound is a number, or a multiple of the limit of normal of that side (xN). `-` is a grade that a laboratory cannot tell.
_LIMITS = """
    NEUT      10^9/L   low   x1     1.5    1.0    0.5
    WBC       10^9/L   low   x1     3.0    2.0    1.0
    WBC       10^9/L   high  -      -      100    -
    LYM       10^9/L   low   x1     0.8    0.5    0.2
    LYM       10^9/L   high  -      4.0    20     -
    PLAT      10^9/L   low   x1     75     50     25
    HGB       g/L      low   x1     100    80     -
    HGB       g/dL     low   x1     10.0   8.0    -
    HGB       mmol/L   low   x1     6.2    4.9    -
    ALT       U/L      high  x1     x3     x5     x20
    AST       U/L      high  x1     x3     x5     x20
    GGT       U/L      high  x1     x2.5   x5     x20
    ALP       U/L      high  x1     x2.5   x5     x20
    BILI      µmol/L   high  x1     x1.5   x3     x10
    CREAT     µmol/L   high  x1     x1.5   x3     x6
    FIBRINO   g/L      low   x1     x0.75  x0.5   x0.25
    INR       ratio    high  x1     x1.5   x2.5   -
    APTT      s        high  x1     x1.5   x2.5   -
    AMYLASE   U/L      high  x1     x1.5   x2.0   x5
    LIPASE    U/L      high  x1     x1.5   x2.0   x5
    ALB       g/L      low   x1     30     20     -
    ALB       g/dL     low   x1     3      2      -
    CA        mmol/L   low   x1     2.0    1.75   1.5
    CA        mmol/L   high  x1     2.9    3.1    3.4
    CA        mg/dL    low   x1     8.0    7.0    6.0
    CA        mg/dL    high  x1     11.5   12.5   13.5
    K         mmol/L   low   x1     -      3.0    2.5
    K         mmol/L   high  x1     5.5    6.0    7.0
    SODIUM    mmol/L   low   x1     -      130    120
    SODIUM    mmol/L   high  x1     150    155    160
    PHOS      mmol/L   low   x1     0.8    0.6    0.3
    PHOS      mg/dL    low   x1     2.5    2.0    1.0
    MG        mmol/L   low   x1     0.5    0.4    0.3
    MG        mg/dL    low   x1     1.2    0.9    0.7
    GLUC      mmol/L   high  x1     8.9    13.9   27.8
    GLUC      mmol/L   low   x1     3.0    2.2    1.7
    GLUC      mg/dL    high  x1     160    250    500
    GLUC      mg/dL    low   x1     55     40     30
    URATE     µmol/L   high  x1     -      -      590
    URATE     mg/dL    high  x1     -      -      10
    TGL       mmol/L   high  1.71   3.42   5.7    11.4
    TGL       mg/dL    high  150    300    500    1000
"""
_LEAST_FIBRINOGEN = Decimal("0.5")  # g/L: below it grade 4, whatever the range
_FALLS = {4: Decimal("0.25"), 3: Decimal("0.5"), 2: Decimal("0.75")}  # what is left of the baseline's fibrinogen
_RISES = {3: Decimal(3), 2: Decimal("1.5")}  # times the baseline's creatinine


@dataclass(frozen=True, slots=True)
class Bound:
    """From where on a grade begins: a number, or a multiple of the limit of normal."""

    grade: int
    number: Decimal
    of_normal: bool


@dataclass(frozen=True, slots=True)
class Normal:
    """The normal range of a result, in the unit as reported. None where the laboratory gave none."""

    low: Decimal | None = None
    high: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Graded:
    """A grade from 0 to 4 and the rule that gave it; None with the reason where no grade can be given."""

    grade: int | None
    rule: str


def _read(line: str) -> tuple[tuple[str, str, str], tuple[Bound, ...]]:
    test, unit, side, *bounds = re.split(r" {2,}", line.strip())
    return (test, unit, side), tuple(
        Bound(grade, Decimal(text.removeprefix("x")), text.startswith("x"))
        for grade, text in enumerate(bounds, start=1)
        if text != "-"
    )


LIMITS = dict(map(_read, _LIMITS.strip().splitlines()))
GRADED_TESTS = frozenset(test for test, _, _ in LIMITS)


def laboratory_grade(
    test: str,
    value: Decimal,
    unit: str,
    normal: Normal,
    *,
    qualifier: str = "",
    baseline: Decimal | None = None,
    has_consequences: bool = False,
) -> Graded:
    """The grade of one result as reported; calcium is handed over corrected for albumin.

    `baseline`, in the same unit, is for creatinine and fibrinogen only; the smallest rise or fall against it (grade 1) is not
    counted. `has_consequences` is for uric acid. With a `qualifier` the value is the limit below or above which the result lies:
    the grade is that of every such value, and None where they have several. Raise `UnknownUnit` for a unit without limits and
    without a factor.
    """
    if test not in GRADED_TESTS:
        return Graded(None, f"CTCAE v4.03 has no grades for {TESTS[test].label}.")
    if not any((test, unit, side) in LIMITS for side in ("low", "high")):
        value, normal, baseline = _in_standard_unit(test, unit, value, normal, baseline)
        unit = TESTS[test].unit
    found = Measured(value, qualifier)
    sides = [_one_side(test, found, unit, side, normal) for side in ("low", "high") if (test, unit, side) in LIMITS]
    known = [graded for graded in sides if graded.grade is not None]
    extra = _against_baseline(test, value, baseline) if not qualifier else []
    if test == "FIBRINO" and found.is_below(_LEAST_FIBRINOGEN):
        extra.append(Graded(4, f"Fibrinogen {qualifier}{value} is below {_LEAST_FIBRINOGEN} g/L."))
    worst = max([*known, *extra], key=lambda graded: graded.grade or 0, default=None)
    unknown = [graded for graded in sides if graded.grade is None]
    if worst is None or (unknown and not worst.grade):
        return unknown[0]
    if test == "URATE" and worst.grade == 1 and has_consequences:
        return Graded(3, f"{worst.rule} With consequences.")
    return worst


def _in_standard_unit(
    test: str, unit: str, value: Decimal, normal: Normal, baseline: Decimal | None
) -> tuple[Decimal, Normal, Decimal | None]:
    def converted(number: Decimal | None) -> Decimal | None:
        return None if number is None else to_standard(test, number, unit).value

    return (
        to_standard(test, value, unit).value,
        Normal(converted(normal.low), converted(normal.high)),
        converted(baseline),
    )


def _one_side(test: str, found: Measured, unit: str, side: str, normal: Normal) -> Graded:
    """The worst grade whose bound is passed. Without the range, only the grades that need none can be told."""
    result = f"{TESTS[test].label} {found.qualifier}{found.number} {unit}"
    limit = normal.low if side == "low" else normal.high
    name = "lower" if side == "low" else "upper"
    passed: Graded | None = None
    needs_range = False
    doubtful = 0  # the gravest grade that the result may have or not
    for bound in LIMITS[test, unit, side]:
        if bound.of_normal and limit is None:
            needs_range = True
            continue
        number = bound.number * limit if bound.of_normal and limit is not None else bound.number
        is_passed = found.is_below(number) if side == "low" else found.is_above(number)
        if is_passed is None:
            doubtful = bound.grade
        elif is_passed:
            times = f", {bound.number} times the {name} limit of normal" if bound.of_normal else ""
            word = "below" if side == "low" else "above"
            passed = Graded(bound.grade, f"{result} is {word} {number:f}{times}.")
    if doubtful > (passed.grade or 0 if passed is not None else 0):
        return Graded(None, f"{result} may be of more than one grade, so it is given none.")
    if passed is not None:
        return passed
    if needs_range:
        return Graded(None, f"NORANGE: the laboratory gave no {name} limit of normal.")
    return Graded(0, f"{result} is within the limits of grade 0.")


def _against_baseline(test: str, value: Decimal, baseline: Decimal | None) -> list[Graded]:
    """The grades that creatinine and fibrinogen have against the value before the first dose."""
    if baseline is None or baseline <= 0:
        return []
    if test == "CREAT":
        rises = [(grade, times) for grade, times in _RISES.items() if value > times * baseline]
        return [
            Graded(grade, f"Creatinine {value} is above {times} times the baseline {baseline}.")
            for grade, times in rises[:1]
        ]
    if test == "FIBRINO":
        falls = [
            (grade, left)
            for grade, left in _FALLS.items()
            # a fall of exactly 75 % is grade 4, of exactly 50 % grade 3: here the bound takes the graver grade, as printed
            if value <= left * baseline
        ]
        return [
            Graded(grade, f"Fibrinogen {value} is at most {left} of the baseline {baseline}.")
            for grade, left in falls[:1]
        ]
    return []
