"""Proportions, survival and summaries: worked examples by eye, and the laws that every result obeys."""

import math
import random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.estimate import Estimate, follow_up, kaplan_meier, proportion, summarise
from trial.schedule import DAYS_PER_MONTH

# Six patients in days. At a tie events precede censorings: on day 4 four are at risk and one has the event.
DAYS = [2, 3, 4, 4, 7, 9]
EVENTS = [True, False, True, False, True, False]

patients = st.lists(st.tuples(st.integers(0, 60), st.booleans()), min_size=1, max_size=40)
NOT_KNOWN = Estimate(None, None, None)


def test_kaplan_meier_by_hand():
    curve = kaplan_meier(DAYS, EVENTS)

    assert curve.n == 6
    assert curve.days.tolist() == [2, 3, 4, 7, 9]
    assert curve.at_risk.tolist() == [6, 5, 4, 2, 1]
    assert curve.events.tolist() == [1, 0, 1, 1, 0]
    assert curve.censored.tolist() == [0, 1, 1, 0, 1]
    assert curve.survival.tolist() == pytest.approx([5 / 6, 5 / 6, 5 / 6 * 3 / 4, 5 / 16, 5 / 16])


def test_greenwood_error_by_hand():
    relative = [1 / (6 * 5), 1 / (6 * 5), 1 / 30 + 1 / (4 * 3), 1 / 30 + 1 / 12 + 1 / 2, 1 / 30 + 1 / 12 + 1 / 2]
    survival = [5 / 6, 5 / 6, 5 / 8, 5 / 16, 5 / 16]
    expected = [s * math.sqrt(v) for s, v in zip(survival, relative, strict=True)]

    assert kaplan_meier(DAYS, EVENTS).std_error.tolist() == pytest.approx(expected)


def test_limits_by_hand_on_each_scale():
    survival, error = 5 / 6, math.sqrt(1 / 30)
    z = 1.959963984540054
    theta, spread = math.log(-math.log(survival)), z * error / abs(math.log(survival))

    by_scale = {scale: kaplan_meier(DAYS, EVENTS, transform=scale).at(2) for scale in ("log-log", "log", "linear")}

    assert by_scale["log-log"].lower == pytest.approx(math.exp(-math.exp(theta + spread)))
    assert by_scale["log-log"].upper == pytest.approx(math.exp(-math.exp(theta - spread)))
    assert by_scale["log"].lower == pytest.approx(survival * math.exp(-z * error))
    assert by_scale["log"].upper == 1
    assert by_scale["linear"].lower == pytest.approx(survival - z * error * survival)
    assert by_scale["linear"].upper == 1


def test_there_is_no_interval_where_the_curve_is_1_or_0():
    for scale in ("log-log", "log", "linear"):
        curve = kaplan_meier([1, 2, 3], [False, True, True], transform=scale)

        assert curve.at(0) == curve.at(1) == Estimate(1.0, None, None)
        assert curve.at(3) == Estimate(0.0, None, None)
        assert curve.std_error.tolist() == pytest.approx([0, 0.5 * math.sqrt(1 / 2), math.nan], nan_ok=True)


def test_a_median_is_the_first_day_below_a_half():
    assert kaplan_meier(DAYS, EVENTS).quantile().value == 7


def test_a_median_is_the_midpoint_where_the_curve_runs_at_a_half():
    assert kaplan_meier(range(1, 11), [True] * 10).quantile().value == 5.5


@pytest.mark.parametrize("n", [28, 34])
def test_a_half_that_is_not_exact_in_binary_is_a_half(n):
    curve = kaplan_meier(range(1, n + 1), [True] * n)

    assert curve.survival[n // 2 - 1] != 0.5  # 0.5 on paper, and not in floats: above for 28, below for 34
    assert curve.quantile().value == (n + 1) / 2


def test_the_demo_studys_median_needs_the_midpoint():
    # STUDY E.2, item 7: 31 deaths to day 250, the 32nd on day 256 and the 33rd on day 262, of 64
    days = [*range(100, 131), 256, 262, *range(300, 331)]

    assert kaplan_meier(days, [True] * 64).quantile().value == 259
    assert kaplan_meier(days, [True] * 64).quantile().in_months().value == 259 / DAYS_PER_MONTH


def test_a_median_is_not_estimable_when_the_curve_stays_at_a_half():
    assert kaplan_meier([1, 2, 3, 4], [True, True, False, False]).quantile().value is None


def test_a_median_is_not_estimable_when_the_curve_stays_above_a_half():
    assert kaplan_meier([1, 2, 3], [True, False, False]).quantile() == Estimate(None, 1.0, None)


def test_quartiles_of_time_lie_around_the_median():
    curve = kaplan_meier(range(1, 11), [True] * 10)

    assert [curve.quantile(p).value for p in (0.25, 0.5, 0.75)] == [3, 5.5, 8]


def test_a_landmark_reads_the_curve_at_the_last_time_before_it():
    curve = kaplan_meier([360, 365, 366, 400], [True, True, True, False])

    assert curve.at(12 * DAYS_PER_MONTH).value == 0.5  # day 365.25: the event of day 366 has not happened
    assert curve.at(365).value == 0.5
    assert curve.at(364.75).value == 0.75


def test_a_landmark_beyond_the_last_observation_is_not_estimable():
    assert kaplan_meier(DAYS, EVENTS).at(9).value == pytest.approx(5 / 16)
    assert kaplan_meier(DAYS, EVENTS).at(9.25) == NOT_KNOWN


def test_a_landmark_after_everybody_had_the_event_is_0():
    assert kaplan_meier([1, 2], [True, True]).at(30) == Estimate(0.0, None, None)


def test_numbers_at_risk_count_times_at_or_after_the_day():
    assert kaplan_meier(DAYS, EVENTS).number_at_risk([0, 2, 2.5, 4, 9, 9.5]) == [6, 6, 5, 4, 1, 0]


def test_follow_up_swaps_event_and_censoring():
    reverse = follow_up(DAYS, EVENTS)

    assert reverse.events.tolist() == [0, 1, 1, 0, 1]
    assert reverse.quantile() == kaplan_meier(DAYS, [not event for event in EVENTS]).quantile()
    assert reverse.quantile().value == 9


def test_months_divide_last():
    assert Estimate(60.875, None, 30.4375).in_months() == Estimate(2.0, None, 1.0)


def test_nobody_gives_nothing():
    curve = kaplan_meier([], [])

    assert curve.n == 0
    assert curve.quantile() == curve.at(0) == NOT_KNOWN
    assert curve.number_at_risk([0, 30]) == [0, 0]


def test_columns_of_a_frame_are_taken_as_they_are():
    frame = pd.DataFrame({"days": pd.array(DAYS, dtype="Int64"), "event": pd.array(EVENTS, dtype="boolean")})
    expected = kaplan_meier(DAYS, EVENTS).survival.tolist()

    assert kaplan_meier(frame["days"], frame["event"]).survival.tolist() == expected
    assert kaplan_meier(frame["days"].astype(float), frame["event"].astype(int)).survival.tolist() == expected


def test_a_curve_cannot_be_changed():
    curve = kaplan_meier(DAYS, EVENTS)

    with pytest.raises(ValueError, match="read-only"):
        curve.survival[0] = 1


@pytest.mark.parametrize(
    ("days", "events", "message"),
    [
        ([1.5], [True], "not a whole number of days"),
        ([math.nan], [True], "missing"),
        ([math.inf], [True], "not a whole number of days"),
        ([-1], [True], "-1 to -1 days"),
        (pd.Series(pd.to_timedelta([100], unit="D")).astype("int64"), [True], "Give 0 to 73050 whole days"),
        ([1, 2], [True], "2 times and 1 events"),
        ([1], [2], "neither yes nor no"),
        ([1], [math.nan], "missing"),
    ],
)
def test_odd_times_and_events_are_refused(days, events, message):
    with pytest.raises(ValueError, match=message):
        kaplan_meier(days, events)


def test_odd_questions_are_refused():
    curve = kaplan_meier(DAYS, EVENTS)

    with pytest.raises(ValueError, match="quantile 1 is not between"):
        curve.quantile(1)
    with pytest.raises(ValueError, match="Day -1 is not"):
        curve.at(-1)
    with pytest.raises(ValueError, match="Day nan is not"):
        curve.at(math.nan)
    with pytest.raises(ValueError, match="confidence 95 is not between"):
        kaplan_meier(DAYS, EVENTS, confidence=95)
    with pytest.raises(ValueError, match="transform is 'plain'"):
        kaplan_meier(DAYS, EVENTS, transform="plain")


@given(patients)
def test_a_curve_never_rises_and_stays_between_0_and_1(pairs):
    curve = kaplan_meier(*zip(*pairs, strict=True))

    assert np.all(np.diff(curve.survival) <= 0)
    assert np.all((curve.survival >= 0) & (curve.survival <= 1))
    assert curve.events.sum() + curve.censored.sum() == curve.n == len(pairs)


@given(patients, st.sampled_from(["log-log", "log", "linear"]), st.sampled_from([0.8, 0.95, 0.99]))
def test_limits_enclose_the_curve(pairs, transform, confidence):
    curve = kaplan_meier(*zip(*pairs, strict=True), transform=transform, confidence=confidence)
    inside = (curve.survival > 0) & (curve.survival < 1)

    assert np.array_equal(np.isnan(curve.lower), ~inside)
    assert np.array_equal(np.isnan(curve.upper), ~inside)
    assert np.all((curve.lower[inside] >= 0) & (curve.lower[inside] <= curve.survival[inside]))
    assert np.all((curve.upper[inside] <= 1) & (curve.upper[inside] >= curve.survival[inside]))


@given(patients, st.sampled_from([0.25, 0.5, 0.75]))
def test_limits_enclose_a_quantile(pairs, p):
    found = kaplan_meier(*zip(*pairs, strict=True)).quantile(p)

    if found.value is not None and found.lower is not None:
        assert found.lower <= found.value
    if found.value is not None and found.upper is not None:
        assert found.value <= found.upper


@given(patients, st.randoms(use_true_random=False))
def test_the_order_of_the_patients_changes_nothing(pairs, shuffled: random.Random):
    mixed = shuffled.sample(pairs, len(pairs))
    first, second = kaplan_meier(*zip(*pairs, strict=True)), kaplan_meier(*zip(*mixed, strict=True))

    for name in ("days", "at_risk", "events", "censored", "survival", "std_error", "lower", "upper"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert first.quantile() == second.quantile()


@given(patients)
def test_without_censoring_the_curve_is_the_share_still_to_come(pairs):
    days = np.array([day for day, _ in pairs])
    curve = kaplan_meier(days, np.ones(days.size, dtype=bool))

    assert curve.survival.tolist() == pytest.approx([np.mean(days > day) for day in curve.days], abs=1e-12)


@given(patients, st.floats(0, 70))
def test_numbers_at_risk_are_a_plain_count(pairs, day):
    curve = kaplan_meier(*zip(*pairs, strict=True))

    assert curve.number_at_risk([day]) == [sum(time >= day for time, _ in pairs)]


@given(patients, st.integers(1, 12))
def test_another_unit_of_time_changes_the_times_only(pairs, factor):
    days, events = zip(*pairs, strict=True)
    once, longer = kaplan_meier(days, events), kaplan_meier([day * factor for day in days], events)

    assert once.survival.tolist() == longer.survival.tolist()
    assert [None if part is None else part * factor for part in vars(once.quantile()).values()] == list(
        vars(longer.quantile()).values()
    )


def test_a_proportion_of_nobody_is_not_estimable():
    assert vars(proportion(0, 0)) == {"k": 0, "n": 0, "value": None, "lower": None, "upper": None}


def test_a_proportion_ends_at_0_and_at_1():
    none, all_of_them = proportion(0, 64), proportion(64, 64)

    assert (none.value, none.lower) == (0, 0)
    assert (all_of_them.value, all_of_them.upper) == (1, 1)
    # the exact limit where nobody responded: 0.975 = 1 - (1 - p)^64
    assert none.upper == pytest.approx(1 - 0.025 ** (1 / 64))


def test_a_proportion_takes_the_counts_of_a_frame():
    assert proportion(np.int64(29), np.int64(64)) == proportion(29, 64)


@pytest.mark.parametrize(("k", "n"), [(-1, 5), (6, 5), (0, -1)])
def test_counts_that_are_no_proportion_are_refused(k, n):
    with pytest.raises(ValueError, match=f"{k} of {n} is not a proportion"):
        proportion(k, n)


def test_a_confidence_outside_0_and_1_is_refused():
    with pytest.raises(ValueError, match="confidence 1 is not between"):
        proportion(1, 2, confidence=1)


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_exact_limits_enclose_the_proportion_and_mirror_its_complement(counts):
    k, n = counts
    found, rest = proportion(k, n), proportion(n - k, n)

    assert 0 <= found.lower <= found.value <= found.upper <= 1
    assert found.lower == pytest.approx(1 - rest.upper, abs=1e-12)


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n))))
def test_one_more_responder_raises_both_limits(counts):
    k, n = counts
    fewer, more = proportion(k, n), proportion(k + 1, n)

    assert fewer.lower < more.lower
    assert fewer.upper < more.upper


@given(st.integers(0, 50), st.integers(1, 50))
def test_more_confidence_is_a_wider_interval(k, others):
    narrow, wide = proportion(k, k + others, confidence=0.9), proportion(k, k + others, confidence=0.99)

    assert wide.lower <= narrow.lower
    assert narrow.upper <= wide.upper


def test_summarise_by_hand():
    found = summarise([7, None, 1, math.nan, 3, 5])

    assert (found.n, found.missing) == (4, 2)
    assert (found.mean, found.median) == (4, 4)
    assert found.sd == pytest.approx(math.sqrt(20 / 3))
    assert (found.q1, found.q3) == (2, 6)  # 4 x 1/4 is whole: the mean of the first and second value
    assert (found.minimum, found.maximum) == (1, 7)


def test_a_quartile_between_two_ranks_is_the_next_value_up():
    assert (summarise([1, 2, 3, 4, 5]).q1, summarise([1, 2, 3, 4, 5]).q3) == (2, 4)


def test_a_single_value_has_no_spread():
    assert vars(summarise([5])) == {
        "n": 1,
        "missing": 0,
        "mean": 5,
        "sd": None,
        "median": 5,
        "q1": 5,
        "q3": 5,
        "minimum": 5,
        "maximum": 5,
    }


def test_no_values_have_no_summary():
    found = summarise([None, None])

    assert (found.n, found.missing) == (0, 2)
    assert {found.mean, found.sd, found.median, found.q1, found.q3, found.minimum, found.maximum} == {None}


def test_summarise_takes_the_columns_of_a_frame():
    assert summarise(pd.Series([1, None, 3], dtype="Int64")) == summarise([1, None, 3])


numbers = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40)


@given(numbers)
def test_a_summary_is_in_order(values):
    found = summarise(values)

    assert found.minimum <= found.q1 <= found.median <= found.q3 <= found.maximum
    assert found.minimum <= found.mean + 1e-9
    assert found.sd >= 0


@given(numbers, st.randoms(use_true_random=False))
def test_the_order_of_the_values_changes_nothing(values, shuffled: random.Random):
    assert summarise(values) == summarise(shuffled.sample(values, len(values)))
