from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.laboratory_grades import Normal, laboratory_grade
from patients.measured import Measured, as_counted, read_measured, split_qualifier

TENTHS = st.integers(1, 400).map(lambda tenths: Decimal(tenths) / 10)
QUALIFIERS = st.sampled_from(["<", "<=", ">", ">="])


@pytest.mark.parametrize(
    ("typed", "qualifier", "number"),
    [
        ("0.5", "", "0.5"),
        ("<0.5", "<", "0.5"),
        ("< 0.5", "<", "0.5"),
        (">1000", ">", "1000"),
        ("≤2", "<=", "2"),
        ("<= 2", "<=", "2"),
        ("=<2", "<=", "2"),
        ("≥ 2", ">=", "2"),
        ("=>2", ">=", "2"),
    ],
)
def test_a_result_is_read_with_its_qualifier(typed, qualifier, number):
    assert read_measured(typed) == Measured(Decimal(number), qualifier)
    assert split_qualifier(typed) == (qualifier, number)


@pytest.mark.parametrize("typed", ["", None, "<", "trace", "<<2", "2 <", "< 1,5", "<0.5 g/L", "1e5"])
def test_what_is_no_number_is_not_read(typed):
    assert read_measured(typed) is None


@pytest.mark.parametrize(
    ("result", "limit", "below", "above"),
    [
        ("2", 3, True, False),
        ("3", 3, False, False),
        ("4", 3, False, True),
        ("<3", 3, True, False),
        ("<4", 3, None, None),
        ("<2", 3, True, False),
        ("<=3", 3, None, False),
        ("<=2", 3, True, False),
        (">3", 3, False, True),
        (">2", 3, None, None),
        (">=3", 3, False, None),
        (">=4", 3, False, True),
    ],
)
def test_what_is_certain_of_a_result_beyond_a_limit(result, limit, below, above):
    found = read_measured(result)

    assert (found.is_below(limit), found.is_above(limit)) == (below, above)


def values_of(number: Decimal, qualifier: str) -> list[Decimal]:
    """Numbers that a qualified result may stand for, the limit included where it may be it."""
    sign = -1 if qualifier.startswith("<") else 1
    beyond = [number + sign * Decimal(step) for step in ("0.001", "0.05", "0.3", "2", "40", "4000")]
    return [value for value in beyond if value >= 0] + ([number] if qualifier.endswith("=") else [])


@given(TENTHS, QUALIFIERS, TENTHS)
def test_what_is_certain_holds_for_every_value_that_it_can_be(number, qualifier, limit):
    found = Measured(number, qualifier)

    for value in values_of(number, qualifier):
        assert found.is_below(limit) in (None, value < limit)
        assert found.is_above(limit) in (None, value > limit)


@given(
    st.sampled_from(["NEUT", "PLAT", "ALT", "K", "GLUC", "FIBRINO", "CREAT", "SODIUM"]),
    TENTHS,
    QUALIFIERS,
    TENTHS,
    st.sampled_from([None, Decimal(2), Decimal("0.4"), Decimal(150)]),
)
def test_a_grade_is_that_of_every_value_that_the_result_can_be(test, number, qualifier, limit, low):
    unit = {"ALT": "U/L", "NEUT": "10^9/L", "PLAT": "10^9/L", "FIBRINO": "g/L", "CREAT": "µmol/L"}.get(test, "mmol/L")
    normal = Normal(low, (low or Decimal(0)) + limit)

    graded = laboratory_grade(test, number, unit, normal, qualifier=qualifier)

    if graded.grade is not None:
        grades = {laboratory_grade(test, value, unit, normal).grade for value in values_of(number, qualifier)}
        assert grades <= {graded.grade}


@pytest.mark.parametrize(
    ("test", "typed", "unit", "low", "high", "grade"),
    [
        ("NEUT", "<0.1", "10^9/L", "1.8", "7.5", 4),
        ("NEUT", "<0.5", "10^9/L", "1.8", "7.5", 4),  # grade 4 is below 0.5
        ("NEUT", "<=0.5", "10^9/L", "1.8", "7.5", None),  # 0.5 is grade 3
        ("NEUT", "<1.0", "10^9/L", "1.8", "7.5", None),
        ("ALT", "<5", "U/L", "10", "40", 0),  # below the upper limit of normal
        ("ALT", "<50", "U/L", "10", "40", None),
        ("ALT", ">1000", "U/L", "10", "40", 4),  # more than 20 times 40
        ("ALT", ">500", "U/L", "10", "40", None),
        ("BILI", "<3", "µmol/L", "3", "20", 0),
        ("PLAT", "<10", "10^9/L", None, None, 4),
        ("SODIUM", "<200", "mmol/L", "135", "145", None),  # may be too low, normal or too high
        ("HGB", "<3", "g/dL", "12", "16", 3),
        ("FIBRINO", "<0.5", "g/L", "1.2", "4", 4),  # below 0.5 g/L, whatever the range
        ("INR", ">10", "ratio", "0.8", "1.2", 3),
        ("K", ">7.5", "mmol/L", "3.5", "5", 4),
    ],
)
def test_a_qualified_result_has_a_grade_only_where_it_is_certain(test, typed, unit, low, high, grade):
    found = read_measured(typed)
    normal = Normal(*(None if limit is None else Decimal(limit) for limit in (low, high)))

    graded = laboratory_grade(test, found.number, unit, normal, qualifier=found.qualifier)

    assert graded.grade == grade
    if grade is None:
        assert graded.rule.endswith("may be of more than one grade, so it is given none.")


@pytest.mark.parametrize(
    ("test", "typed", "stands_for"),
    [("PLAT", "<5", 5), ("PLAT", ">1000", 1000), ("BLAST", "<0.1", 0), ("BLASTLE", "≤1", 0), ("BLASTLE", ">90", 90)],
)
def test_a_count_beyond_a_limit_stands_for_the_limit_and_too_few_blasts_for_none(test, typed, stands_for):
    found = read_measured(typed)

    assert as_counted(test, found.number, found.qualifier) == stands_for
