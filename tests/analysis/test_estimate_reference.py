"""The estimates beside R's survival package, lifelines, and printed digits. The answers are in `tests/reference`."""

import csv
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from lifelines import KaplanMeierFitter

from analysis.estimate import follow_up, kaplan_meier, proportion, summarise
from analysis.rounding import fixed

pytestmark = pytest.mark.reference

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
TRANSFORMS = ("log-log", "log", "linear")
EXACT = 1e-9


@cache
def rows(name, folder=REFERENCE):
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def data(name):
    points = [row for row in rows("data") if row["set"] == name]
    return [int(row["time"]) for row in points], [row["event"] == "1" for row in points]


def number(text):
    return None if text == "NE" else float(text)


# A curve that stays at the level of the quantile to its last time, and one whose upper limit falls to it twice.
HELD = {("held", "survival", "0.5"), ("early", "follow-up", "0.25")}
RISING = ["aml", "log", "survival", "0.5"]

SETS = [row["set"] for row in rows("sets")]
SCALE = {row["set"]: int(row["scale"]) for row in rows("sets")}


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("name", SETS)
def test_every_point_of_a_curve_equals_rs(name, transform):
    expected = [row for row in rows("r_curves") if row["set"] == name and row["transform"] == transform]

    curve = kaplan_meier(*data(name), transform=transform)

    def column(of):
        return [float("nan") if row[of] == "NE" else float(row[of]) for row in expected]

    assert curve.days.tolist() == column("time")
    assert curve.at_risk.tolist() == column("at_risk")
    assert curve.events.tolist() == column("events")
    assert curve.censored.tolist() == column("censored")
    np.testing.assert_allclose(curve.survival, column("survival"), rtol=0, atol=EXACT)
    np.testing.assert_allclose(curve.std_error, column("std_error"), rtol=0, atol=EXACT)
    inside = (curve.survival > 0) & (curve.survival < 1)  # elsewhere no limits: see the departures below
    np.testing.assert_allclose(curve.lower[inside], np.array(column("lower"))[inside], rtol=0, atol=EXACT)
    np.testing.assert_allclose(curve.upper[inside], np.array(column("upper"))[inside], rtol=0, atol=EXACT)


@pytest.mark.parametrize("row", rows("r_quantiles"), ids=lambda row: "-".join(list(row.values())[:4]))
def test_every_quantile_equals_rs(row):
    curve = (kaplan_meier if row["curve"] == "survival" else follow_up)(*data(row["set"]), transform=row["transform"])

    found = curve.quantile(float(row["p"]))

    if (row["set"], row["curve"], row["p"]) not in HELD:  # a departure, below
        assert found.value == number(row["value"])
    assert found.lower == number(row["lower"])
    if [row["set"], row["transform"], row["curve"], row["p"]] != RISING:  # a departure, below
        assert found.upper == number(row["upper"])


@pytest.mark.parametrize("row", rows("r_medians"), ids=lambda row: f"{row['set']}-{row['transform']}")
def test_every_median_equals_what_r_prints(row):
    found = kaplan_meier(*data(row["set"]), transform=row["transform"]).quantile()

    if row["set"] != "held":  # a departure, below
        assert found.value == number(row["value"])
    assert (found.lower, found.upper) == (number(row["lower"]), number(row["upper"]))


@pytest.mark.parametrize("row", rows("r_landmarks"), ids=lambda row: f"{row['set']}-{row['day']}")
def test_every_landmark_equals_rs(row):
    days, events = data(row["set"])
    curve, day = kaplan_meier(days, events), float(row["day"])

    found = curve.at(day)

    assert curve.number_at_risk([day]) == [int(row["at_risk"])]
    if day <= max(days) or curve.survival[-1] == 0:  # beyond it R carries on: a departure, below
        assert found.value == pytest.approx(float(row["survival"]), rel=0, abs=EXACT)
    if found.value == 0:
        assert (found.lower, found.upper) == (number(row["lower"]), number(row["upper"])) == (None, None)
    elif found.value not in (None, 1):  # at 1 R's landmarks have limits: a departure, below
        assert found.lower == pytest.approx(float(row["lower"]), rel=0, abs=EXACT)
        assert found.upper == pytest.approx(float(row["upper"]), rel=0, abs=EXACT)


@pytest.mark.parametrize("row", rows("r_proportions"), ids=lambda row: f"{row['k']}-of-{row['n']}-{row['confidence']}")
def test_every_exact_limit_equals_rs(row):
    found = proportion(int(row["k"]), int(row["n"]), confidence=float(row["confidence"]))

    assert found.lower == pytest.approx(float(row["lower"]), rel=0, abs=EXACT)
    assert found.upper == pytest.approx(float(row["upper"]), rel=0, abs=EXACT)


@pytest.mark.parametrize("row", rows("r_summaries"), ids=lambda row: row["set"])
def test_every_summary_equals_rs(row):
    found = summarise(data(row["set"])[0])

    for name in ("n", "mean", "sd", "median", "q1", "q3", "minimum", "maximum"):
        assert getattr(found, name) == pytest.approx(float(row[name]), rel=1e-12)


@pytest.mark.parametrize("row", rows("printed"), ids=lambda row: "-".join(filter(None, list(row.values())[:4])))
def test_every_printed_digit_is_met(row):
    quantity, argument = row["quantity"], row["argument"]

    if quantity == "percent":
        found = proportion(*(int(part) for part in argument.split("/")))
        values = [100 * part for part in (found.value, found.lower, found.upper)]
    else:
        curve, scale = kaplan_meier(*data(row["set"])), SCALE[row["set"]]
        if quantity == "survival":
            values = list(vars(curve.at(float(argument) * scale)).values())
        elif quantity == "quantile":
            found = vars(curve.quantile(float(argument))).values()
            values = [None if part is None else part / scale for part in found]
        elif quantity == "standard error":
            values = [curve.std_error[curve.days.tolist().index(int(argument) * scale)]]
        else:
            values = [int(curve.events.sum())]

    printed = [text for text in (row["value"], row["lower"], row["upper"]) if text]
    digits = [len(text.partition(".")[2]) for text in printed]
    assert [fixed(value, places) for value, places in zip(values, digits, strict=False)] == printed


def test_departure_a_median_where_the_curve_stays_at_a_half_is_not_estimable_as_in_sas():
    found = kaplan_meier(*data("held")).quantile()
    rs = next(row for row in rows("r_quantiles") if list(row.values())[:4] == ["held", "log-log", "survival", "0.5"])

    assert rs["value"] == "102.5"
    assert found.value is None
    assert follow_up(*data("early")).quantile(0.25).value is None


def test_departure_the_upper_limit_of_a_median_is_the_first_time_where_rs_quantile_takes_a_later_one():
    found = kaplan_meier(*data("aml"), transform="log").quantile()
    rs = next(row for row in rows("r_quantiles") if list(row.values())[:4] == RISING)
    printed = next(row for row in rows("r_medians") if (row["set"], row["transform"]) == ("aml", "log"))

    assert (rs["upper"], printed["upper"]) == ("48", "45")
    assert found.upper == 45


@pytest.mark.parametrize(("name", "day"), [("held", "119"), ("lung", "1023"), ("aml", "162"), ("6-mp", "36")])
def test_departure_a_landmark_beyond_the_last_censored_time_is_not_estimable_as_in_sas(name, day):
    rs = next(row for row in rows("r_landmarks") if (row["set"], row["day"]) == (name, day))

    assert float(rs["survival"]) > 0
    assert kaplan_meier(*data(name)).at(float(day)).value is None


@pytest.mark.parametrize("name", SETS)
def test_departure_a_landmark_before_the_first_event_has_no_limits(name):
    rs = next(row for row in rows("r_landmarks") if (row["set"], row["day"]) == (name, "0"))
    found = kaplan_meier(*data(name)).at(0)

    assert (rs["survival"], rs["lower"], rs["upper"]) == ("1", "1", "1")
    assert (found.value, found.lower, found.upper) == (1, None, None)


@pytest.mark.parametrize(("transform", "limit"), [("log-log", "NE"), ("log", "1"), ("linear", "1")])
def test_departure_before_the_first_event_no_scale_has_limits(transform, limit):
    rs = next(row for row in rows("r_curves") if list(row.values())[:3] == ["early", transform, "1"])
    found = kaplan_meier(*data("early"), transform=transform).at(1)

    assert (rs["lower"], rs["upper"]) == (limit, limit)
    assert (found.value, found.lower, found.upper) == (1, None, None)


def test_departure_quartiles_are_sass_default_and_not_rs():
    rs = next(row for row in rows("r_summaries") if row["set"] == "uncensored")

    assert rs["q1_by_default"] == "3.25"
    assert summarise(data("uncensored")[0]).q1 == 3


@pytest.mark.parametrize("name", SETS)
def test_lifelines_gives_the_same_curve(name):
    days, events = data(name)
    other = KaplanMeierFitter().fit(days, events)
    curve = kaplan_meier(days, events)
    inside = (curve.survival > 0) & (curve.survival < 1)
    limits = other.confidence_interval_.loc[curve.days[inside]].to_numpy()

    np.testing.assert_allclose(curve.survival, other.predict(curve.days), rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.column_stack([curve.lower, curve.upper])[inside], limits, rtol=0, atol=1e-12)


@pytest.mark.r
def test_r_gives_the_same_answers_today(tmp_path):
    subprocess.run(["Rscript", str(REFERENCE / "estimates.R"), str(tmp_path)], check=True, timeout=120)

    for stored in sorted(REFERENCE.glob("r_*.csv")):
        if stored.stem != "r_versions":
            again = rows(stored.stem, tmp_path)
            assert len(again) == len(rows(stored.stem))
            for ours, theirs in zip(rows(stored.stem), again, strict=True):
                assert_same(ours, theirs)


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name, text in first.items():
        try:
            assert float(text) == pytest.approx(float(second[name]), rel=1e-12)
        except ValueError:
            assert text == second[name]
