"""Time to event: relapse-free survival (T-5.1), overall survival (T-5.3), follow-up (T-5.10), and the curves behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from analysis.estimate import Curve, Estimate, follow_up, kaplan_meier
from analysis.results import Result, Row, Table
from analysis.rounding import NOT_ESTIMABLE, fixed
from analysis.tables.cells import count_row, estimate_text, estimated, heading, listed, summary_rows
from analysis.tables.groups import ALL, Analysis, Group, those
from trial.schedule import DAYS_PER_MONTH

AT_RISK_MONTHS = (0, 3, 6, 9, 12, 18, 24, 30, 36)  # M6
RFS_LANDMARKS_MONTHS = (6, 12, 24)  # shell of T-5.1


@dataclass(frozen=True, eq=False)
class Survival:
    """One endpoint of one column: its rows of ADTTE by patient, and its curve. Times are days, the day of origin being 1."""

    group: Group
    parameter: str
    times: pd.DataFrame
    confidence: float

    @cached_property
    def curve(self) -> Curve:
        """The Kaplan-Meier curve (M2, M3)."""
        return kaplan_meier(self._days, self._events, confidence=self.confidence)

    @cached_property
    def follow_up(self) -> Curve:
        """The reverse Kaplan-Meier curve (M7)."""
        return follow_up(self._days, self._events, confidence=self.confidence)

    @property
    def median(self) -> Estimate:
        """The median in months."""
        return self.curve.quantile(0.5).in_months()

    def at(self, months: float) -> Estimate:
        """The percentage without event at a landmark."""
        return in_percent(self.curve.at(months * DAYS_PER_MONTH))

    def with_event(self, starting: str = "") -> tuple[str, ...]:
        """The patients who had the event, or one whose description begins like this."""
        described = self.times["EVNTDESC"].fillna("").str.startswith(starting)
        return tuple(self.times.index[(self.times["CNSR"] == 0) & described])

    def at_risk(self, months: float) -> tuple[str, ...]:
        """The patients who were in follow-up without event just before this time."""
        return tuple(self.times.index[self.times["ADY"] >= months * DAYS_PER_MONTH])

    @cached_property
    def leaving(self) -> dict[int, tuple[str, ...]]:
        """The patients by the day that is their time."""
        by_day: dict[int, list[str]] = {}
        for patient, day in self.times["ADY"].items():
            by_day.setdefault(int(day), []).append(str(patient))
        return {day: tuple(patients) for day, patients in by_day.items()}

    @property
    def months_censored(self) -> dict[str, float]:
        """How long the patients without the event were observed, in months."""
        days = self.times.loc[~self._events, "ADY"]
        return {str(patient): day / DAYS_PER_MONTH for patient, day in days.items()}

    @property
    def _days(self) -> "pd.Series[int]":
        return self.times["ADY"].astype("int64")

    @property
    def _events(self) -> "pd.Series[bool]":
        return self.times["CNSR"] == 0


def in_percent(estimate: Estimate) -> Estimate:
    """A fraction as a percentage."""
    return Estimate(
        *(None if part is None else 100 * part for part in (estimate.value, estimate.lower, estimate.upper))
    )


def survival(analysis: Analysis, parameter: str, group: Group) -> Survival:
    """An endpoint of ADTTE for the patients of a column who have a row of it."""
    adtte = analysis.datasets.adtte
    times = group.rows_of(adtte[adtte["PARAMCD"] == parameter]).set_index("USUBJID").sort_index()
    return Survival(group.only(times.index), parameter, times, analysis.parameters.confidence)


def relapse_free(analysis: Analysis) -> Table:
    """T-5.1: events, median and landmarks of relapse-free survival, from the first CR or CRh, with its follow-up."""
    found = [survival(analysis, "RFS", group) for group in analysis.responders]
    return _table(
        found,
        "RFS",
        (("Relapse or death", ""), ("Relapse", "RELAPSE"), ("Death without relapse", "DEATH")),
        RFS_LANDMARKS_MONTHS,
        with_follow_up=True,
    )


def overall(analysis: Analysis) -> Table:
    """T-5.3: deaths, median and landmarks of overall survival, from the first dose."""
    found = [survival(analysis, "OS", group) for group in analysis.groups]
    return _table(found, "OS", (("Deaths", ""),), analysis.parameters.survival_landmarks_months)


def data_status(analysis: Analysis) -> Table:
    """T-5.10: follow-up by reverse Kaplan-Meier, observed follow-up of those alive, and who is alive at the cut-off."""
    found = [survival(analysis, "OS", group) for group in analysis.groups]
    groups = [one.group for one in found]
    alive = {patient: months for one in found for patient, months in one.months_censored.items()}
    dead = [patient for one in found for patient in one.with_event()]

    survivors = [group.only(alive) for group in groups]
    rows = [
        Row("Median follow-up (months), 95 % CI", tuple(_median(one, "follow-up", one.follow_up) for one in found)),
        Row("Shortest to longest time (months)", tuple(_time_range(one) for one in found)),
        heading("At the data cut-off"),
        count_row("Dead", groups, "dead", those(dead), indent=1),
        count_row("Alive at the last contact", groups, "alive", those(alive), indent=1),
        *summary_rows(
            "Observed follow-up of the alive (months)",
            survivors,
            "observed follow-up",
            lambda group: alive,
            unit="months",
        ),
    ]
    return Table(tuple(group.heading for group in groups), tuple(rows))


def drawn(analysis: Analysis, parameter: str) -> tuple[Survival, ...]:
    """The curves of a figure. RFS: the responders of the cohort. OS: the cohort, and all treated beside it (shells)."""
    if parameter == "RFS":
        return (survival(analysis, parameter, analysis.responders[0]),)
    groups = [analysis.groups[0], *(group for group in analysis.groups[1:] if group.cohort == ALL)]
    return tuple(survival(analysis, parameter, group) for group in groups)


def at_risk_table(found: Sequence[Survival], months: Sequence[int] = AT_RISK_MONTHS) -> Table:
    """Numbers at risk and survival at M6's months, below a figure."""
    rows = []
    for month in months:
        cells = []
        for one in found:
            there = one.at_risk(month)
            cells.append(
                Result(
                    group=one.group.name,
                    variable=one.parameter,
                    level=_months(month),
                    statistic="number at risk",
                    unit="patients",
                    value=float(len(there)),
                    n=len(there),
                    N=len(one.group.patients),
                    text=str(len(there)),
                    patients=there,
                )
            )
            cells.append(_landmark(one, month))
        rows.append(Row(_months(month), tuple(cells)))
    columns = [head for one in found for head in (f"{one.group.heading}: at risk", "Survival (95 % CI)")]
    return Table(tuple(columns), tuple(rows), caption="Number at risk and survival")


def steps_table(one: Survival) -> Table:
    """Every step of a curve: the data of the figure, with the patients who leave at each."""
    curve, rows = one.curve, []
    for at in range(len(curve.days)):
        day, events, censored = int(curve.days[at]), int(curve.events[at]), int(curve.censored[at])
        reached = in_percent(Estimate(float(curve.survival[at]), *_limits(curve, at)))
        months = fixed(day / DAYS_PER_MONTH, 1)
        rows.append(
            Row(
                months,
                (
                    listed(one.parameter, str(int(curve.at_risk[at])), group=one.group.name),
                    listed(one.parameter, str(events), group=one.group.name),
                    listed(one.parameter, str(censored), group=one.group.name),
                    Result(
                        group=one.group.name,
                        variable=one.parameter,
                        level=f"day {day}",
                        statistic="step",
                        unit="percent",
                        value=reached.value,
                        lower=reached.lower,
                        upper=reached.upper,
                        n=int(curve.at_risk[at]),
                        N=curve.n,
                        text=estimate_text(reached, unit="%"),
                        patients=one.leaving[day],
                        extra={"day": day, "events": events, "censored": censored},
                    ),
                ),
            )
        )
    return Table(
        ("At risk", "Events", "Censored", "Survival (95 % CI)"),
        tuple(rows),
        caption=f"{one.group.heading}: every step, in months",
    )


def _table(
    found: Sequence[Survival],
    variable: str,
    events: Sequence[tuple[str, str]],
    landmarks: Sequence[int],
    *,
    with_follow_up: bool = False,
) -> Table:
    groups = [one.group for one in found]
    had = {starting: {p for one in found for p in one.with_event(starting)} for _, starting in events}
    rows = [
        count_row(
            label,
            groups,
            variable,
            those(had[starting]),
            level=starting.lower() or "event",
            indent=1 if starting else 0,
        )
        for label, starting in events
    ]
    rows.append(count_row("Censored", groups, variable, lambda group: group.members - had[""], level="censored"))
    rows.append(Row("Median (months), 95 % CI", tuple(_median(one, variable, one.curve) for one in found)))
    rows += [
        Row(f"Without event at {_months(month)}, 95 % CI", tuple(_landmark(one, month) for one in found))
        for month in landmarks
    ]
    if with_follow_up:
        label = "Median follow-up (months), 95 % CI"
        rows.append(Row(label, tuple(_median(one, f"{variable} follow-up", one.follow_up) for one in found)))
    return Table(tuple(group.heading for group in groups), tuple(rows))


def _median(one: Survival, variable: str, curve: Curve) -> Result:
    return estimated(one.group, variable, "median", "months", curve.quantile(0.5).in_months())


def _landmark(one: Survival, months: int) -> Result:
    return estimated(one.group, one.parameter, "survival", "percent", one.at(months), level=_months(months))


def _time_range(one: Survival) -> Result:
    days = one.times["ADY"]
    low, high = (float(days.min()), float(days.max())) if len(days) else (None, None)
    months = Estimate(None, low, high).in_months()
    known = months.lower is not None
    return Result(
        group=one.group.name,
        variable="follow-up",
        statistic="range",
        unit="months",
        lower=months.lower,
        upper=months.upper,
        n=len(days),
        N=len(days),
        text=f"{fixed(months.lower, 1)}–{fixed(months.upper, 1)}" if known else NOT_ESTIMABLE,
        patients=one.group.patients,
    )


def _limits(curve: Curve, at: int) -> tuple[float | None, float | None]:
    lower, upper = float(curve.lower[at]), float(curve.upper[at])
    return (None, None) if lower != lower else (lower, upper)


def _months(month: int) -> str:
    return f"{month} months"
