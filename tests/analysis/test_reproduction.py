"""The verdicts of the reproduction report, by the rules of STUDY E.3."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.published import PUBLISHED
from analysis.reproduction import Computed, reproduce, verdict

BY_ID = {figure.id: figure for figure in PUBLISHED}

EXAMPLES = [
    # count: the numerator, and the denominator where one was printed
    ("P-04", Computed.of_count(29, 64), "matches"),
    ("P-04", Computed.of_count(28, 64), "differs"),
    ("P-04", Computed.of_count(29, 65), "differs"),
    ("P-18", Computed.of_count(20, 64), "matches"),
    ("P-18", Computed.of_count(20, 63), "matches"),  # 20 (31 %): no denominator was printed
    ("P-24b", Computed.of_count(0, 64), "matches"),
    ("P-01", Computed(numerator=189), "matches"),
    ("P-04", Computed(value=45.3), "not computed"),
    # rounded: once, half away from zero, to the printed digits
    ("P-15", Computed(259 / 30.4375), "matches"),  # 8.509
    ("P-15", Computed(8.45), "matches"),
    ("P-15", Computed(8.4499), "differs"),  # rounding twice would give 8.5
    ("P-15", Computed(262 / 30.4375), "differs"),  # 8.6: the median without the midpoint
    ("P-16a", Computed(35.9375), "matches"),
    ("P-16a", Computed(36.5), "differs"),
    ("P-16b", Computed(17.5), "matches"),
    ("P-16b", Computed(17.1875), "differs"),  # 11 of 64
    ("P-17a", Computed(5.5), "matches"),
    ("P-27a", Computed(2.0), "matches"),
    ("P-31a", Computed.of_count(29, 64), "matches"),
    ("P-16a", Computed(None), "not computed"),
    # a printed span
    ("P-25b", Computed(12.4), "differs"),
    ("P-25b", Computed(12.5), "matches"),
    ("P-25b", Computed(15.3), "matches"),
    ("P-25b", Computed(17.49), "matches"),
    ("P-25b", Computed(17.5), "differs"),
    # informative: shown beside, never judged
    ("P-13b", Computed(71.47), "informative"),
    ("P-42a", Computed.of_count(1, 59), "informative"),
    ("P-12a", Computed(numerator=6), "informative"),
    ("P-17g", Computed(None), "not computed"),
    # another population: never compared
    ("P-38b", Computed(99.0), "other population"),
    ("P-41a", Computed(), "other population"),
]


@pytest.mark.parametrize(("id", "computed", "expected"), EXAMPLES)
def test_a_verdict(id, computed, expected):
    assert verdict(BY_ID[id], computed) == expected


def test_a_count_among_nobody_has_no_percentage():
    assert Computed.of_count(0, 0) == Computed(None, 0, 0)


def test_a_count_keeps_its_patients():
    assert Computed.of_count(1, 2, ("SYN-001-001",)) == Computed(50.0, 1, 2, ("SYN-001-001",))


def test_every_line_is_shown_and_what_is_missing_is_not_computed():
    lines = reproduce({"P-04": Computed.of_count(29, 64)})
    verdicts = {line.figure.id: line.verdict for line in lines}

    assert [line.figure for line in lines] == list(PUBLISHED)
    assert verdicts.pop("P-04") == "matches"
    assert set(verdicts.values()) == {"not computed", "other population"}
    assert {id for id, found in verdicts.items() if found == "other population"} == {
        figure.id for figure in PUBLISHED if "P-38" <= figure.id[:4] <= "P-41"
    }


def test_a_figure_that_was_never_published_is_refused():
    with pytest.raises(ValueError, match="no published figure P-99, P-99b"):
        reproduce({"P-99b": Computed(1.0), "P-99": Computed(1.0)})


def test_a_line_without_a_printed_value_cannot_be_rounded():
    with pytest.raises(ValueError, match="P-15 is to be rounded"):
        verdict(replace(BY_ID["P-15"], value=None), Computed(8.5))


@given(st.sampled_from([figure for figure in PUBLISHED if figure.check == "rounded"]))
def test_the_printed_value_itself_matches(figure):
    end = figure.upper or figure.value
    beyond = end + Decimal(1).scaleb(figure.value.as_tuple().exponent)

    assert verdict(figure, Computed(float(figure.value))) == verdict(figure, Computed(float(end))) == "matches"
    assert verdict(figure, Computed(float(beyond))) == "differs"
