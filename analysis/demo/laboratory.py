"""What the laboratories of the demo call normal, and a result as each of them prints it: unit, rounding, range and grade.

The rule: the value is read back from the text that was printed, so that no digit is known that nobody reported.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any

from analysis.demo.casebook import Casebook, Row
from analysis.demo.people import SitePlan
from patients.laboratory_grades import Normal, laboratory_grade
from patients.laboratory_tests import TESTS
from patients.units import corrected_calcium, to_standard

VALID_FROM = date(2010, 1, 1)

# Test, normal range of men and of women in the standard unit, the conventional unit, the range and decimals in it. One range
# serves both sexes where women have none of their own; without a conventional unit the standard one is used everywhere.
_RANGES = """
    WBC       4.0   10.0   -     -      10^3/µL      4.0    10.0   2
    NEUT      1.8   7.5    -     -      10^3/µL      1.8    7.5    2
    LYM       1.0   4.0    -     -      10^3/µL      1.0    4.0    2
    HGB       135   175    120   155    g/dL         13.0   17.5   1
    PLAT      150   400    -     -      10^3/µL      150    400    0
    ALT       10    50     10    35     -            -      -      0
    AST       10    50     10    35     -            -      -      0
    GGT       8     60     6     40     -            -      -      0
    ALP       40    130    35    105    -            -      -      0
    BILI      3     21     -     -      mg/dL        0.2    1.2    2
    BILDIR    0     5      -     -      mg/dL        0.0    0.3    2
    CREAT     60    106    45    84     mg/dL        0.60   1.20   2
    UREA      2.5   8.0    -     -      mg/dL (BUN)  7      22     0
    URATE     200   420    140   360    mg/dL        2.6    7.2    1
    K         3.5   5.1    -     -      -            -      -      1
    SODIUM    135   145    -     -      -            -      -      0
    CA        2.15  2.55   -     -      mg/dL        8.6    10.2   1
    PHOS      0.80  1.45   -     -      mg/dL        2.5    4.5    1
    MG        0.70  1.05   -     -      mg/dL        1.7    2.6    1
    LDH       120   250    -     -      -            -      -      0
    ALB       35    52     -     -      g/dL         3.5    5.2    1
    GLUC      3.9   6.1    -     -      mg/dL        70     110    0
    CRP       0     5      -     -      mg/dL        0.0    0.5    2
    AMYLASE   28    100    -     -      -            -      -      0
    LIPASE    10    60     -     -      -            -      -      0
    INR       0.85  1.20   -     -      -            -      -      2
    APTT      25    37     -     -      -            -      -      0
    FIBRINO   1.8   4.0    -     -      mg/dL        180    400    0
    DDIMER    0.0   0.5    -     -      -            -      -      2
    FERRITIN  30    400    15    150    ng/mL        15     400    0
    IGG       7.0   16.0   -     -      mg/dL        700    1600   0
    TGL       0.4   1.7    -     -      -            -      -      1
    CD3       700   2100   -     -      -            -      -      0
    CD19      100   500    -     -      -            -      -      0
"""


@dataclass(frozen=True, slots=True)
class Range:
    """What is normal for one test, in one unit; `sex` is empty for everybody. `places` are the decimals that are printed."""

    test: str
    unit: str
    sex: str
    low: Decimal
    high: Decimal
    places: int


@dataclass(frozen=True, slots=True)
class Printed:
    """A result as reported: text and unit, the value in the standard unit, the range beside it, the CTCAE grade."""

    text: str
    unit: str
    value: Decimal
    low: Decimal | None
    high: Decimal | None
    grade: int | None

    @property
    def answers(self) -> dict[str, Any]:
        """The answers of the row of results."""
        return {
            "value": self.value,
            "value_text": self.text,
            "unit_text": self.unit,
            "low": self.low,
            "high": self.high,
            "grade": self.grade,
        }


def _read() -> Iterator[tuple[bool, Range]]:
    """Whether the range is for conventional units, and the range."""
    for line in _RANGES.strip().splitlines():
        test, low, high, low_f, high_f, unit, conventional_low, conventional_high, places = re.split(
            r" {2,}", line.strip()
        )
        standard = TESTS[test]
        sexes = [("", low, high)] if low_f == "-" else [("M", low, high), ("F", low_f, high_f)]
        for sex, least, most in sexes:
            yield False, Range(test, standard.unit, sex, Decimal(least), Decimal(most), min(2, standard.places))
            if unit == "-":
                yield True, Range(test, standard.unit, sex, Decimal(least), Decimal(most), min(2, standard.places))
        if unit != "-":
            yield True, Range(test, unit, "", Decimal(conventional_low), Decimal(conventional_high), int(places))


_READ = tuple(_read())


@cache
def ranges_of(site: SitePlan) -> tuple[Range, ...]:
    """The ranges of the site's laboratory. That of the upper limit of enzymes differs a little from house to house."""
    differs = Decimal(100 + int(site.number) % 5 * 2) / 100
    return tuple(
        Range(one.test, one.unit, one.sex, one.low, (one.high * differs).quantize(Decimal(1)), one.places)
        if one.test in ("ALT", "AST", "GGT", "ALP", "LDH")
        else one
        for conventional, one in _READ
        if conventional == site.is_american
    )


@cache
def _by_test(site: SitePlan, sex: str) -> dict[str, Range]:
    return {one.test: one for one in ranges_of(site) if one.sex in ("", sex)}


@cache
def _factor(test: str, unit: str) -> Decimal:
    return to_standard(test, Decimal(1000), unit).value / 1000


def standard_range(site: SitePlan, sex: str, test: str) -> tuple[Decimal, Decimal]:
    """The limits of normal in the standard unit."""
    one = _by_test(site, sex)[test]
    factor = _factor(test, one.unit)
    return one.low * factor, one.high * factor


def printed(site: SitePlan, sex: str, test: str, value: float, albumin: Decimal | None = None) -> Printed:
    """A value in the standard unit as the site's laboratory prints it. Calcium is graded corrected for the albumin."""
    one = _by_test(site, sex).get(test)
    if one is None:  # blasts have no range: none is normal
        text = f"{Decimal(str(value)).normalize():f}"
        return Printed(text, _unit_without_range(site, test), Decimal(text), None, None, None)
    typed = (Decimal(str(value)) / _factor(test, one.unit)).quantize(Decimal(1).scaleb(-one.places), ROUND_HALF_UP)
    standard = to_standard(test, typed, one.unit).value
    graded = typed
    if test == "CA" and albumin is not None:
        missing = corrected_calcium(Decimal(0), albumin) / _factor(test, one.unit)
        graded = typed + missing.quantize(Decimal("0.001"))
    grade = laboratory_grade(test, graded, one.unit, Normal(one.low, one.high)).grade
    return Printed(f"{typed:f}", one.unit, standard, one.low, one.high, grade)


def _unit_without_range(site: SitePlan, test: str) -> str:
    unit = TESTS[test].unit
    return "10^3/µL" if unit == "10^9/L" and site.is_american else unit


def add_result(book: Casebook, sample: Row, test: str, value: float, albumin: Decimal | None = None) -> Printed:
    """Add one result to a sample, as the laboratory of the patient's site printed it."""
    result = printed(book.plan.site, book.plan.sex, test, value, albumin)
    book.add(f"{sample.form}.RESULT", sample.on, part_of=sample, sample=sample, test=test, **result.answers)
    return result
