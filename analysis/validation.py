"""Writes `docs/validation/estimates.md`: the estimates beside the answers of R, of SAS and of STUDY Z.

Run `python -m analysis.validation`. The data sets and the answers are in `tests/reference`.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.estimate import Curve, Estimate, Floats, Transform, follow_up, kaplan_meier, proportion, summarise
from analysis.rounding import NOT_ESTIMABLE, fixed

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "tests" / "reference"
PAGE = ROOT / "docs" / "validation" / "estimates.md"

TRANSFORMS: tuple[Transform, ...] = ("log-log", "log", "linear")
PUBLIC = ("6-mp", "placebo", "aml", "veteran", "lung")
LONGEST = 12  # characters of a number; a longer one is shown with ten digits

Row = dict[str, str]
Answers = dict[str, list[Row]]


@dataclass(frozen=True)
class DataSet:
    """A public or worked example: times in `unit`, of which `scale` make one printed unit; events 1, censored 0."""

    name: str
    title: str
    unit: str
    scale: int
    source: str
    times: tuple[int, ...]
    events: tuple[int, ...]

    def curve(self, transform: Transform = "log-log") -> Curve:
        """Its Kaplan-Meier curve, in its own time unit."""
        return kaplan_meier(self.times, self.events, transform=transform)

    def follow_up(self) -> Curve:
        """Its reverse Kaplan-Meier curve, in its own time unit."""
        return follow_up(self.times, self.events)


def read_rows(path: Path) -> list[Row]:
    """The rows of a CSV file with a header, as text."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_sets(reference: Path) -> dict[str, DataSet]:
    """The data sets of a folder with `sets.csv` and `data.csv`, by name, in the order of `sets.csv`."""
    data = read_rows(reference / "data.csv")
    sets = {}
    for row in read_rows(reference / "sets.csv"):
        points = [point for point in data if point["set"] == row["set"]]
        times = tuple(int(point["time"]) for point in points)
        events = tuple(int(point["event"]) for point in points)
        sets[row["set"]] = DataSet(
            row["set"], row["title"], row["unit"], int(row["scale"]), row["source"], times, events
        )
    return sets


def recompute(row: Row, sets: dict[str, DataSet]) -> Estimate:
    """Marrow's answer to a row of `printed.csv`, in the printed unit."""
    quantity, argument = row["quantity"], row["argument"]
    if quantity == "percent":
        k, n = (int(part) for part in argument.split("/"))
        found = proportion(k, n)
        return _each(Estimate(found.value, found.lower, found.upper), 100, 1)
    data = sets[row["set"]]
    curve = data.curve()
    if quantity == "survival":
        return curve.at(float(argument) * data.scale)
    if quantity == "quantile":
        return _each(curve.quantile(float(argument)), 1, data.scale)
    if quantity == "standard error":
        return Estimate(float(curve.std_error[curve.days == int(argument) * data.scale][0]), None, None)
    return Estimate(float(curve.events.sum()), None, None)


def rounded_as(printed: str, value: float | None) -> str:
    """`value` with as many decimals as `printed` has."""
    return fixed(value, len(printed.partition(".")[2]) if printed != NOT_ESTIMABLE else 1)


def estimates_page(reference: Path = REFERENCE) -> str:
    """The whole page in Markdown, from the data sets and answers in `reference`."""
    sets = read_sets(reference)
    answers = {path.stem: read_rows(path) for path in sorted(reference.glob("*.csv"))}
    r, survival = (row["version"] for row in answers["r_versions"])
    sections = [
        [
            "# The estimates beside R and SAS",
            "",
            "Written by `python -m analysis.validation`; a test says when it is out of date. The data, R's script and",
            f"its answers (R {r}, survival {survival}, 15 digits) are in `tests/reference`. SAS was not run: its",
            "answers are those that others have printed. Where Marrow follows another rule than R, the last table",
            "shows it and `docs/decisions/0030-departures-from-r.md` says why.",
            "",
        ],
        _data_sets(sets.values()),
        _printed(answers["printed"], sets),
        _curves(answers["r_curves"], sets),
        _quantiles(answers["r_quantiles"], sets),
        _landmarks(answers["r_landmarks"], sets),
        _proportions(answers["r_proportions"]),
        _summaries(answers["r_summaries"], sets),
        _departures(answers, sets),
    ]
    return "\n".join(line for section in sections for line in section)


def main(page: Path = PAGE) -> None:
    """Write the page to `page`."""
    page.write_text(estimates_page(), encoding="utf-8")


def _data_sets(sets: Iterable[DataSet]) -> list[str]:
    rows = [
        [data.name, data.title, data.unit, len(data.times), sum(data.events), len(set(data.times)), data.source]
        for data in sets
    ]
    return _table("The data", ["Set", "What", "Unit", "n", "Events", "Distinct times", "Source"], rows)


def _printed(printed: list[Row], sets: dict[str, DataSet]) -> list[str]:
    rows = []
    for row in printed:
        ours = recompute(row, sets)
        parts = [(row["value"], ours.value), (row["lower"], ours.lower), (row["upper"], ours.upper)]
        shown = [(text, rounded_as(text, value)) for text, value in parts if text]
        verdict = "yes" if all(theirs == mine for theirs, mine in shown) else "no"
        what = " ".join(part for part in (row["quantity"], row["argument"]) if part)
        rows.append(
            [
                row["printed_by"],
                row["set"],
                what,
                _with_limits([theirs for theirs, _ in shown]),
                _with_limits([mine for _, mine in shown]),
                verdict,
            ]
        )
    return _table("Printed digits", ["Printed by", "Set", "Quantity", "Printed", "Marrow", "Equal"], rows)


def _curves(answers: list[Row], sets: dict[str, DataSet]) -> list[str]:
    rows = []
    for data in sets.values():
        first = data.curve()
        theirs = [row for row in answers if row["set"] == data.name and row["transform"] == "log-log"]
        survival = _difference(_column(theirs, "survival"), first.survival)
        std_error = _difference(_column(theirs, "std_error"), first.std_error)
        rows.append([data.name, first.days.size, survival, std_error, *_limits(answers, data)])
    heads = ["Set", "Times", "Survival", "Standard error", "Log-log limits", "Log limits", "Linear limits"]
    return _table("Kaplan-Meier curves: the largest difference from R at any time", heads, rows)


def _limits(answers: list[Row], data: DataSet) -> list[str]:
    cells = []
    for transform in TRANSFORMS:
        curve = data.curve(transform)
        theirs = [row for row in answers if row["set"] == data.name and row["transform"] == transform]
        inside = (curve.survival > 0) & (curve.survival < 1)
        both = np.concatenate([_column(theirs, "lower")[inside], _column(theirs, "upper")[inside]])
        cells.append(_difference(both, np.concatenate([curve.lower[inside], curve.upper[inside]])))
    return cells


def _quantiles(answers: list[Row], sets: dict[str, DataSet]) -> list[str]:
    rows = []
    for row in answers:
        if row["transform"] == "log-log" and row["set"] in PUBLIC:
            data = sets[row["set"]]
            curve = data.curve() if row["curve"] == "survival" else data.follow_up()
            ours = _ours(curve.quantile(float(row["p"])))
            rows.append([row["set"], row["curve"], row["p"], ours, _theirs(row, "value")])
    heads = ["Set", "Curve", "p", "Marrow", "R"]
    return _table("Quantiles of time with 95 % limits, log-log; follow-up by reverse Kaplan-Meier", heads, rows)


def _landmarks(answers: list[Row], sets: dict[str, DataSet]) -> list[str]:
    rows = []
    for row in answers:
        if row["set"] in PUBLIC:
            curve, day = sets[row["set"]].curve(), float(row["day"])
            at_risk = curve.number_at_risk([day])[0]
            rows.append([row["set"], row["day"], at_risk, row["at_risk"], _ours(curve.at(day)), _theirs(row)])
    heads = ["Set", "Time", "At risk, Marrow", "R", "Survival, Marrow", "R, extend = TRUE"]
    return _table("Survival and numbers at risk at landmarks", heads, rows)


def _proportions(answers: list[Row]) -> list[str]:
    rows = []
    for row in answers:
        if row["confidence"] == "0.95":
            found = proportion(int(row["k"]), int(row["n"]))
            theirs = _with_limits([_digits(int(row["k"]) / int(row["n"])), row["lower"], row["upper"]])
            rows.append([f"{row['k']}/{row['n']}", _ours(Estimate(found.value, found.lower, found.upper)), theirs])
    return _table("Proportions with exact 95 % limits (R: binom.test)", ["k/n", "Marrow", "R"], rows)


def _summaries(answers: list[Row], sets: dict[str, DataSet]) -> list[str]:
    names = ("n", "mean", "sd", "median", "q1", "q3", "minimum", "maximum")
    rows = []
    for row in answers:
        if row["set"] in PUBLIC:
            ours = summarise(sets[row["set"]].times)
            rows.append([row["set"], "Marrow", *(_digits(getattr(ours, name)) for name in names)])
            rows.append([row["set"], "R", *(_digits(float(row[name])) for name in names)])
    heads = ["Set", "By", "n", "Mean", "SD", "Median", "Q1", "Q3", "Minimum", "Maximum"]
    return _table("Summaries of the times; quartiles as SAS's default, R's type 2", heads, rows)


def _departures(answers: Answers, sets: dict[str, DataSet]) -> list[str]:
    held, veteran, early = sets["held"].curve(), sets["veteran"].curve(), sets["early"].curve("log")
    cases = [
        (
            "Median where the curve stays at 0.5 to the last, censored time",
            "held",
            _theirs(_find(answers["r_quantiles"], set="held", transform="log-log", curve="survival", p="0.5"), "value"),
            "NE",
            _ours(held.quantile()),
        ),
        (
            "Upper limit of a median where the limit of the curve falls to 0.5 and rises again",
            "aml, log limits",
            f"{_theirs(_find(answers['r_quantiles'], set='aml', transform='log', p='0.5'), 'value')} by quantile(), "
            f"{_theirs(_find(answers['r_medians'], set='aml', transform='log'), 'value')} by print()",
            "not known",
            _ours(sets["aml"].curve("log").quantile()),
        ),
        (
            "Landmark beyond the last, censored time",
            "held at 119",
            f"{_theirs(_find(answers['r_landmarks'], set='held', day='119'))} with extend = TRUE",
            "NE",
            _ours(held.at(119)),
        ),
        (
            "Landmark before the first event",
            "veteran at 0",
            _theirs(_find(answers["r_landmarks"], set="veteran", day="0")),
            "no limits",
            _ours(veteran.at(0)),
        ),
        (
            "Log and linear limits at a time before the first event",
            "early at 1",
            _theirs(_find(answers["r_curves"], set="early", transform="log", time="1")),
            "no limits",
            _ours(early.at(1)),
        ),
        (
            "First quartile of a variable",
            "uncensored",
            f"{_find(answers['r_summaries'], set='uncensored')['q1_by_default']} by default",
            "3",
            _digits(summarise(sets["uncensored"].times).q1),
        ),
    ]
    return _table("Where Marrow departs from R", ["What", "Case", "R", "SAS", "Marrow"], cases)


def _table(title: str, heads: list[str], rows: Sequence[Sequence[object]]) -> list[str]:
    lines = [heads, ["---"] * len(heads), *rows]
    return [f"## {title}", "", *(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines), ""]


def _each(estimate: Estimate, factor: int, divisor: int) -> Estimate:
    parts = (estimate.value, estimate.lower, estimate.upper)
    return Estimate(*(None if part is None else part * factor / divisor for part in parts))


def _find(rows: list[Row], **wanted: str) -> Row:
    return next(row for row in rows if wanted.items() <= row.items())


def _column(rows: list[Row], name: str) -> Floats:
    return np.array([float("nan") if row[name] == NOT_ESTIMABLE else float(row[name]) for row in rows])


def _difference(theirs: Floats, ours: Floats) -> str:
    """The largest difference, in words that no machine's last digit changes. A number beside NE is an infinite one."""
    differences = np.where(np.isnan(theirs) & np.isnan(ours), 0.0, np.abs(theirs - ours))
    largest = float(np.max(np.nan_to_num(differences, nan=np.inf), initial=0.0))
    return next((f"< {bound}" for bound in ("1e-12", "1e-9") if largest < float(bound)), f"{largest:.1e}")


def _ours(estimate: Estimate) -> str:
    return _with_limits([_digits(part) for part in (estimate.value, estimate.lower, estimate.upper)])


def _theirs(row: Row, name: str = "survival") -> str:
    return _with_limits([row[name], row["lower"], row["upper"]])


def _with_limits(parts: list[str]) -> str:
    value, *limits = (_digits(float(part)) if len(part) > LONGEST else part for part in parts)
    return f"{value} ({', '.join(limits)})" if limits else value


def _digits(value: float | None) -> str:
    return NOT_ESTIMABLE if value is None else f"{value:.10g}"


if __name__ == "__main__":
    main()
