"""One rounding for everything that is shown: half away from zero, once (STUDY M17)."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.rounding import fixed, percent, round_half_away

EXAMPLES = [
    (31.25, 1, "31.3"),  # M17; half to even gives 31.2
    (12.5, 0, "13"),  # M17; half to even gives 12
    (0.5, 0, "1"),
    (-0.5, 0, "-1"),
    (-2.25, 1, "-2.3"),
    (2.675, 2, "2.68"),  # the float lies below 2.675
    (1.005, 2, "1.01"),
    (100 * 0.145, 0, "15"),  # 14.499999999999998 in floats
    (35.94, 0, "36"),
    (7.44999, 1, "7.4"),
    (-0.04, 1, "0.0"),
    (1e-17, 1, "0.0"),
    (0, 2, "0.00"),
    (8, 1, "8.0"),
    (3787.125, 2, "3787.13"),
    (Decimal("8.55"), 1, "8.6"),
    (12345678901234567890, 0, "12345678901234567890"),
    (1234.5, -2, "1200"),
]


@pytest.mark.parametrize(("x", "digits", "expected"), EXAMPLES)
def test_a_half_goes_away_from_zero(x, digits, expected):
    assert fixed(x, digits) == expected
    assert round_half_away(x, digits) == Decimal(expected)


def test_numbers_of_arrays_are_rounded_like_others():
    assert fixed(np.float64(31.25), 1) == "31.3"
    assert fixed(np.int64(31), 1) == "31.0"


def test_what_is_not_estimable_says_so():
    assert fixed(None, 1) == "NE"
    assert percent(0, 0) == "NE"


@pytest.mark.parametrize("x", [float("nan"), float("inf"), Decimal("NaN")])
def test_what_is_no_number_is_refused(x):
    with pytest.raises(ValueError, match="cannot be rounded"):
        round_half_away(x, 1)


@pytest.mark.parametrize(
    ("k", "n", "digits", "expected"),
    [
        (20, 64, 1, "31.3"),
        (20, 64, 0, "31"),
        (8, 64, 0, "13"),
        (28, 64, 0, "44"),
        (56, 64, 0, "88"),
        (0, 64, 1, "0.0"),
        (64, 64, 1, "100.0"),
        (np.int64(29), np.int64(64), 0, "45"),
    ],
)
def test_a_percentage_is_rounded_once_from_the_counts(k, n, digits, expected):
    assert percent(k, n, digits) == expected


@given(st.integers(0, 2000), st.integers(1, 2000), st.integers(0, 3))
def test_a_percentage_equals_exact_arithmetic(k, n, digits):
    scaled = Fraction(100 * k, n) * 10**digits
    expected = int(scaled + Fraction(1, 2))  # away from zero, for what is not negative

    assert Decimal(percent(k, n, digits)) == Decimal(expected).scaleb(-digits)
    assert round_half_away(100 * k / n, digits) == Decimal(expected).scaleb(-digits)


@given(st.decimals(-(10**6), 10**6, places=4), st.integers(0, 3))
def test_rounding_is_odd_and_near(x, digits):
    rounded = round_half_away(x, digits)

    assert round_half_away(-x, digits) == -rounded
    assert abs(rounded - x) <= Decimal("0.5").scaleb(-digits)
    assert round_half_away(rounded, digits) == rounded
