"""Figures as specifications: what is drawn is what the tables say, and Vega-Lite accepts it."""

from typing import Any

import pytest
import vl_convert

from analysis.figures import flow_figure, kaplan_meier_figure
from analysis.results import Figure
from analysis.tables import flow, survival
from analysis.tables.groups import ALL, Analysis
from tests.example_datasets import empty_analysis, example_analysis


def curve(analysis: Analysis, parameter: str = "OS") -> Figure:
    return kaplan_meier_figure(
        survival.drawn(analysis, parameter), endpoint="Overall survival", origin="the first dose"
    )


def points(figure: Figure, group: str) -> list[dict[str, Any]]:
    return [point for point in figure.spec["vconcat"][0]["data"]["values"] if point["group"].startswith(group)]


def test_a_curve_begins_with_everybody_and_has_a_corner_for_each_day():
    found = points(curve(example_analysis()), "Prior")

    assert [point["survival"] for point in found] == [100, 75, 50, 25, 25]
    assert [point["at_risk"] for point in found] == [4, 4, 3, 2, 1]
    assert [point["censored"] for point in found] == [0, 0, 0, 0, 1]


def test_there_is_no_band_where_there_is_no_interval():
    found = points(curve(example_analysis(), "RFS"), "Prior")

    assert found[0]["interval"] == "NE"
    assert "lower" not in found[0]
    assert found[1]["lower"] < found[1]["survival"] < found[1]["upper"]
    assert found[1]["interval"].endswith(" %")


def test_numbers_at_risk_stand_under_the_ticks_of_the_axis():
    spec = curve(example_analysis()).spec["vconcat"]
    ticks = spec[0]["layer"][0]["encoding"]["x"]["axis"]["values"]
    numbers = spec[1]["layer"][1]["data"]["values"]

    assert ticks == [0, 3, 6, 9, 12, 15]  # the last time is 400 days, 13.1 months
    assert [row["month"] for row in numbers if row["group"].startswith("All")] == ticks
    assert [row["text"] for row in numbers if row["group"].startswith("All")] == ["7", "1", "1", "1", "1", "0"]


def test_the_name_of_a_group_stands_on_another_line_than_its_numbers():
    labels, numbers = (layer["data"]["values"] for layer in curve(example_analysis()).spec["vconcat"][1]["layer"])

    assert not {row["line"] for row in labels} & {row["line"] for row in numbers}


def test_long_follow_up_has_a_tick_every_six_months():
    analysis = example_analysis()
    analysis.datasets.adtte.loc[analysis.datasets.adtte["ADY"] == 400, "ADY"] = 2100  # 69 months

    ticks = curve(analysis).spec["vconcat"][0]["layer"][0]["encoding"]["x"]["axis"]["values"]

    assert ticks == list(range(0, 73, 6))


def test_one_curve_needs_no_legend_and_two_do():
    one, two = (
        curve(analysis).spec["vconcat"][0]["layer"][1]["encoding"]["color"]["legend"]
        for analysis in (example_analysis(ALL), example_analysis())
    )

    assert one is None
    assert two["title"] is None


def test_a_figure_says_in_words_what_it_shows():
    words = curve(example_analysis()).description

    assert words == (
        "Overall survival by Kaplan-Meier. Prior alloHSCT (N=4): 3 events, median 0.8 months; "
        "All treated (N=7): 4 events, median 1.6 months."
    )


def test_a_median_that_cannot_be_estimated_is_said_in_words():
    assert "0 events, median not estimable" in curve(empty_analysis(), "RFS").description


def test_the_flow_has_a_box_for_each_step_and_a_line_to_each_but_the_first():
    boxes = flow.boxes(example_analysis())
    layers = flow_figure(boxes).spec["layer"]

    assert [box["text"] for box in layers[1]["data"]["values"]] == [box.count.text for box in boxes]
    assert len(layers[2]["data"]["values"]) == len(boxes) - 1
    assert flow_figure(boxes).description.startswith("Flow of the patients: Signed consent 8/8 (100.0 %);")


@pytest.mark.parametrize("analysis", [example_analysis(), example_analysis(ALL), empty_analysis()])
def test_vega_lite_draws_every_figure_without_anything_from_elsewhere(analysis: Analysis):
    for figure in (curve(analysis), curve(analysis, "RFS"), flow_figure(flow.boxes(analysis))):
        svg = vl_convert.vegalite_to_svg(dict(figure.spec), vl_version="6.4")

        assert svg.startswith("<svg")
        assert "href=" not in svg
