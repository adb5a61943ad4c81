"""Results in, pictures out: Vega-Lite specifications with their data inside, the same on the page and in print (LOOK, "Figures")."""

from collections.abc import Sequence
from math import ceil
from typing import Any

from analysis.results import Figure
from analysis.rounding import fixed
from analysis.tables.flow import TRUNK, Box
from analysis.tables.survival import Survival
from trial.schedule import DAYS_PER_MONTH

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"  # a name, not an address that is fetched

# Okabe and Ito's colours in an order that differs in grey too. Black is for the cohort that the report is about.
COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
INK, FAINT, GRID = "#1F2937", "#6B7280", "#E5E7EB"
FONT = "sans-serif"
WIDTH, HEIGHT = 720, 360

# Above this many months a tick every three would touch its neighbour.
MOST_MONTHS_BY_THREE = 66

THEME: dict[str, Any] = {
    "background": "white",
    "font": FONT,
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 13,
        "titleFontWeight": "normal",
        "labelColor": INK,
        "titleColor": INK,
        "domainColor": FAINT,
        "tickColor": FAINT,
        "gridColor": GRID,
        "titlePadding": 10,
        "labelFlush": False,
    },
    "legend": {"labelFontSize": 13, "labelColor": INK, "symbolType": "stroke", "symbolSize": 300, "labelLimit": 300},
    "text": {"fontSize": 12, "color": INK},
    "view": {"stroke": None},
    "concat": {"spacing": 8},
}


def kaplan_meier_figure(found: Sequence[Survival], *, endpoint: str, origin: str) -> Figure:
    """Kaplan-Meier curves in months with 95 % bands, censor ticks, and the numbers at risk below their times.

    `endpoint` names the vertical axis, `origin` what time is counted from. Each step shows its time, survival, interval
    and number at risk when pointed at.
    """
    last = max((float(one.curve.days[-1]) for one in found if len(one.curve.days)), default=DAYS_PER_MONTH)
    ticks = _ticks(last / DAYS_PER_MONTH)
    names = [one.group.heading for one in found]
    colour = {
        "field": "group",
        "type": "nominal",
        "scale": {"domain": names, "range": list(COLOURS[: len(names)])},
        "sort": names,
    }
    spec = {
        "$schema": SCHEMA,
        "config": THEME,
        "spacing": 14,
        # Of its own for each part: a legend in one and none in the other cannot be shared.
        "resolve": {"scale": {"color": "independent"}, "legend": {"color": "independent"}},
        "vconcat": [
            _curves(found, ticks, colour, f"{endpoint} (%)", f"Months since {origin}"),
            _numbers_at_risk(found, ticks, colour),
        ],
    }
    return Figure(spec, _in_words(found, endpoint))


def flow_figure(boxes: Sequence[Box]) -> Figure:
    """The flow of the patients as boxes and arrows, with the count in each box."""
    placed = [_place(box) for box in boxes]
    by_row = {(box.row, box.column): place for box, place in zip(boxes, placed, strict=True) if not box.is_aside}
    links = [link for box, place in zip(boxes, placed, strict=True) if (link := _link(box, place, by_row)) is not None]
    frame = {"width": WIDTH, "height": 440}
    x = {"type": "quantitative", "scale": {"domain": [0, 100]}, "axis": None}
    y = {"type": "quantitative", "scale": {"domain": [100, 0]}, "axis": None}
    spec = {
        "$schema": SCHEMA,
        "config": THEME,
        **frame,
        "layer": [
            {
                "data": {"values": [part for link in links for part in link]},
                "mark": {"type": "rule", "color": FAINT, "strokeWidth": 1.5},
                "encoding": {
                    "x": {"field": "x", **x},
                    "x2": {"field": "x2"},
                    "y": {"field": "y", **y},
                    "y2": {"field": "y2"},
                },
            },
            {
                "data": {"values": placed},
                "mark": {"type": "rect", "fill": "white", "stroke": INK, "strokeWidth": 1.2, "cornerRadius": 3},
                "encoding": {
                    "x": {"field": "left", **x},
                    "x2": {"field": "right"},
                    "y": {"field": "top", **y},
                    "y2": {"field": "bottom"},
                    "tooltip": [
                        {"field": "label", "title": "Patients"},
                        {"field": "text", "title": "Count"},
                    ],
                },
            },
            {
                "data": {
                    "values": [
                        _arrow(box, place) for box, place in zip(boxes, placed, strict=True) if box.row or box.is_aside
                    ]
                },
                "mark": {"type": "point", "filled": True, "color": FAINT, "opacity": 1, "size": 60},
                "encoding": {
                    "x": {"field": "x", **x},
                    "y": {"field": "y", **y},
                    "shape": {"field": "shape", "type": "nominal", "scale": None},
                },
            },
            _flow_text(x, y, "label", "label_y", 13, "normal", placed),
            _flow_text(x, y, "text", "text_y", 14, "bold", placed),
        ],
    }
    words = "; ".join(f"{box.label} {box.count.text}" for box in boxes)
    return Figure(spec, f"Flow of the patients: {words}.")


def _ticks(last_month: float) -> list[int]:
    """Ticks at 0, 3, 6, ... up to the first one that is not before the last time."""
    step = 3 if last_month <= MOST_MONTHS_BY_THREE else 6
    return list(range(0, step * max(1, ceil(last_month / step)) + 1, step))


def _month_axis(ticks: list[int], title: str | None) -> dict[str, Any]:
    axis = {"values": ticks, "title": title, "grid": False} if title else None
    return {
        "type": "quantitative",
        "scale": {"domain": [0, ticks[-1]], "nice": False},
        "axis": axis,
    }


def _steps(one: Survival) -> list[dict[str, Any]]:
    """The corners of a curve: everybody at time 0, then one point for each day on which somebody leaves.

    The band holds its first interval back to time 0 nowhere: without an event there is no interval (M3).
    """
    curve, name = one.curve, one.group.heading
    points: list[dict[str, Any]] = [
        {"group": name, "month": 0.0, "survival": 100.0, "at_risk": curve.n, "censored": 0, "interval": "NE"}
    ]
    for at in range(len(curve.days)):
        lower, upper = float(curve.lower[at]), float(curve.upper[at])
        point: dict[str, Any] = {
            "group": name,
            "month": round(float(curve.days[at]) / DAYS_PER_MONTH, 4),
            "survival": round(100 * float(curve.survival[at]), 4),
            "at_risk": int(curve.at_risk[at]),
            "censored": int(curve.censored[at]),
            "interval": "NE",
        }
        if lower == lower:
            point |= {"lower": round(100 * lower, 4), "upper": round(100 * upper, 4)}
            point["interval"] = f"{fixed(100 * lower, 1)}–{fixed(100 * upper, 1)} %"
        points.append(point)
    return points


def _curves(
    found: Sequence[Survival], ticks: list[int], colour: dict[str, Any], y_title: str, x_title: str
) -> dict[str, Any]:
    points = [point for one in found for point in _steps(one)]
    x = {"field": "month", **_month_axis(ticks, x_title)}
    y_axis = {"values": [0, 20, 40, 60, 80, 100], "title": y_title, "grid": True}
    y = {"type": "quantitative", "scale": {"domain": [0, 100]}, "axis": y_axis}
    legend = {"orient": "top-right", "title": None, "direction": "vertical", "fillColor": "white", "padding": 6}
    key = {**colour, "legend": legend | {"symbolStrokeWidth": 3, "symbolOpacity": 1} if len(found) > 1 else None}
    tooltip = [
        {"field": "group", "type": "nominal", "title": "Group"},
        {"field": "month", "type": "quantitative", "title": "Months", "format": ".1f"},
        {"field": "survival", "type": "quantitative", "title": "Without event (%)", "format": ".1f"},
        {"field": "interval", "type": "nominal", "title": "95 % interval"},
        {"field": "at_risk", "type": "quantitative", "title": "At risk"},
    ]
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "data": {"values": points},
        "layer": [
            {
                "transform": [{"filter": "isValid(datum.lower)"}],
                "mark": {"type": "area", "interpolate": "step-after", "opacity": 0.15},
                "encoding": {
                    "x": x,
                    "y": {"field": "lower", **y},
                    "y2": {"field": "upper"},
                    "color": key,
                },
            },
            {
                "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2},
                "encoding": {"x": x, "y": {"field": "survival", **y}, "color": key},
            },
            {
                "transform": [{"filter": "datum.censored > 0"}],
                "mark": {"type": "tick", "orient": "vertical", "size": 11, "thickness": 1.4, "opacity": 1},
                "encoding": {"x": x, "y": {"field": "survival", **y}, "color": key},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 120, "opacity": 0},
                "encoding": {"x": x, "y": {"field": "survival", **y}, "tooltip": tooltip},
            },
        ],
    }


def _numbers_at_risk(found: Sequence[Survival], ticks: list[int], colour: dict[str, Any]) -> dict[str, Any]:
    """The numbers under their ticks. The group's name stands on a line of its own above them, so that none can touch it."""
    numbers, labels = [], []
    for place, one in enumerate(found):
        labels.append({"group": one.group.heading, "line": 2 * place, "month": 0, "text": one.group.heading})
        for month, count in zip(ticks, one.curve.number_at_risk([t * DAYS_PER_MONTH for t in ticks]), strict=True):
            numbers.append({"group": one.group.heading, "line": 2 * place + 1, "month": month, "text": str(count)})
    x = {"field": "month", **_month_axis(ticks, None)}
    y = {
        "field": "line",
        "type": "quantitative",
        "scale": {"domain": [2 * len(found) - 0.5, -0.5], "nice": False, "zero": False},
        "axis": None,
    }
    key = {**colour, "legend": None}
    encoding = {"x": x, "y": y, "text": {"field": "text", "type": "nominal"}, "color": key}
    return {
        "title": {
            "text": "Number at risk",
            "anchor": "start",
            "fontSize": 13,
            "fontWeight": "bold",
            "color": INK,
            "offset": 4,
        },
        "width": WIDTH,
        "height": 38 * len(found),
        "layer": [
            {
                "data": {"values": labels},
                "mark": {"type": "text", "align": "left", "dx": -8, "fontSize": 12, "fontWeight": "bold"},
                "encoding": encoding,
            },
            {
                "data": {"values": numbers},
                "mark": {"type": "text", "align": "center", "fontSize": 12},
                "encoding": encoding,
            },
        ],
    }


def _in_words(found: Sequence[Survival], endpoint: str) -> str:
    """The figure in a sentence, for those who cannot see it."""
    parts = []
    for one in found:
        median = one.median.value
        words = "median not estimable" if median is None else f"median {fixed(median, 1)} months"
        parts.append(f"{one.group.heading}: {int(one.curve.events.sum())} events, {words}")
    return f"{endpoint} by Kaplan-Meier. {'; '.join(parts)}."


# The flow: percent of the picture's width and height.
_TRUNK_X, _BRANCH_X, _ASIDE_X = 39.0, (18.5, 59.5), 81.0
_HALF_WIDTH, _HALF_BOX, _ROW = 18.0, 6.5, 21.0


def _place(box: Box) -> dict[str, Any]:
    middle = _ASIDE_X if box.is_aside else (_TRUNK_X if box.column == TRUNK else _BRANCH_X[box.column - 1])
    y = 8.0 + box.row * _ROW
    short = box.label.split(": ")[-1]  # the branch stands above it
    return {
        "label": short[0].upper() + short[1:],
        "text": box.count.text,
        "x": middle,
        "y": y,
        "left": middle - _HALF_WIDTH,
        "right": middle + _HALF_WIDTH,
        "top": y - _HALF_BOX,
        "bottom": y + _HALF_BOX,
        "label_y": y - 2.6,
        "text_y": y + 2.8,
    }


def _link(
    box: Box, place: dict[str, Any], by_row: dict[tuple[int, int], dict[str, Any]]
) -> list[dict[str, float]] | None:
    """The line from the box before: straight down in a branch, with a bend from the trunk, sideways to who left."""
    if box.is_aside:
        start = by_row[box.row, TRUNK]
        return [{"x": start["right"], "x2": place["left"], "y": start["y"], "y2": start["y"]}]
    if box.row == 0:
        return None
    start = by_row[box.row - 1, box.column if box.row > 2 else TRUNK]
    bend = (start["bottom"] + place["top"]) / 2
    return [
        {"x": start["x"], "x2": start["x"], "y": start["bottom"], "y2": bend},
        {"x": start["x"], "x2": place["x"], "y": bend, "y2": bend},
        {"x": place["x"], "x2": place["x"], "y": bend, "y2": place["top"]},
    ]


def _arrow(box: Box, place: dict[str, Any]) -> dict[str, Any]:
    """The head of the line into a box."""
    if box.is_aside:
        return {"x": place["left"] - 0.7, "y": place["y"], "shape": "triangle-right"}
    return {"x": place["x"], "y": place["top"] - 0.9, "shape": "triangle-down"}


def _flow_text(
    x: dict[str, Any], y: dict[str, Any], text: str, at: str, size: int, weight: str, placed: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "data": {"values": placed},
        "mark": {"type": "text", "fontSize": size, "fontWeight": weight, "baseline": "middle"},
        "encoding": {
            "x": {"field": "x", **x},
            "y": {"field": at, **y},
            "text": {"field": text, "type": "nominal"},
        },
    }
