"""Estimates (STUDY D.2): values in, frozen and unrounded results out. Times are whole days; None or NaN: not estimable.

Where R and SAS part, `docs/decisions/0030-departures-from-r.md` says which one is followed and why.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, isnan, sqrt
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, ndtri

from trial.schedule import DAYS_PER_MONTH

# A survival probability nearer than this to the level of a quantile equals it. R's value, sqrt(machine epsilon).
TOLERANCE = 1.5e-8

# Two hundred years. No follow-up is longer; what is longer is a time in another unit (nanoseconds, from a timedelta).
LONGEST_DAYS = 73_050

Transform = Literal["log-log", "log", "linear"]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Estimate:
    """A value with its two-sided limits, in the unit of its source. `None`: not estimable."""

    value: float | None
    lower: float | None
    upper: float | None

    def in_months(self) -> "Estimate":
        """The same estimate, from days to months of 30.4375 days. Division comes last (M2)."""
        return Estimate(_months(self.value), _months(self.lower), _months(self.upper))


@dataclass(frozen=True)
class Proportion:
    """`k` of `n` as a fraction, with exact limits. The three numbers are `None` when `n` is 0."""

    k: int
    n: int
    value: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class Summary:
    """A continuous variable in short. What cannot be computed (all of it for no values, the SD for one) is `None`."""

    n: int
    missing: int
    mean: float | None
    sd: float | None
    median: float | None
    q1: float | None
    q3: float | None
    minimum: float | None
    maximum: float | None


@dataclass(frozen=True, eq=False)
class Curve:
    """A Kaplan-Meier curve. Each array has one entry for each distinct time, in ascending order, and is read-only.

    `days` are whole days; `at_risk`, `events`, `censored` counts of patients; `survival` is the fraction after the
    events of that day; `std_error` is Greenwood's, of that fraction; `lower` and `upper` are its pointwise limits (NaN:
    not estimable). `n` is the number of patients.
    """

    days: Integers
    at_risk: Integers
    events: Integers
    censored: Integers
    survival: Floats
    std_error: Floats
    lower: Floats
    upper: Floats
    n: int

    def quantile(self, p: float = 0.5) -> Estimate:
        """The day by which a fraction `p` had the event, with Brookmeyer-Crowley limits; p = 0.5 is the median (M4).

        Where the curve runs at exactly 1 - p, it is the midpoint of that stretch; where the curve stays there to the
        last time, it is not estimable. Raises ValueError for a `p` outside (0, 1).
        """
        if not 0 < p < 1:
            raise ValueError(f"The quantile {p} is not between 0 and 1.")
        level = 1 - p
        return Estimate(self._day_below(level), self._first_day(self.lower, level), self._first_day(self.upper, level))

    def at(self, day: float) -> Estimate:
        """The fraction without event after `day` days, with its limits (M5).

        Not estimable beyond the last observation, unless everybody has had the event by then: that is 0, in R and SAS.
        Twelve months are day 12 x 30.4375 = 365.25. Raises ValueError for a negative or missing day.
        """
        if not day >= 0:
            raise ValueError(f"Day {day} is not a day since the start. Give 0 or more.")
        if not self.n or (day > self.days[-1] and self.survival[-1] > 0):
            return Estimate(None, None, None)
        last = int(np.searchsorted(self.days, day, side="right")) - 1
        if last < 0:
            return Estimate(1.0, None, None)
        return Estimate(float(self.survival[last]), _known(self.lower[last]), _known(self.upper[last]))

    def number_at_risk(self, days: Sequence[float]) -> list[int]:
        """How many patients have a time of at least each of `days`: in follow-up, without event before it (M6)."""
        counts = np.append(self.at_risk, 0)
        return [int(count) for count in counts[np.searchsorted(self.days, days, side="left")]]

    def _day_below(self, level: float) -> float | None:
        reached = np.flatnonzero(self.survival <= level + TOLERANCE)
        if not reached.size:
            return None
        first = reached[0]
        if self.survival[first] < level - TOLERANCE:
            return float(self.days[first])
        below = np.flatnonzero(self.survival < level - TOLERANCE)
        return float(self.days[first] + self.days[below[0]]) / 2 if below.size else None

    def _first_day(self, limit: Floats, level: float) -> float | None:
        reached = np.flatnonzero(limit <= level + TOLERANCE)
        return float(self.days[reached[0]]) if reached.size else None


def proportion(k: int, n: int, *, confidence: float = 0.95) -> Proportion:
    """`k` of `n` with the exact interval of Clopper and Pearson (M1). Raises ValueError unless 0 <= k <= n."""
    _check_confidence(confidence)
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is not a proportion.")
    if n == 0:
        return Proportion(0, 0, None, None, None)
    tail = (1 - confidence) / 2
    lower = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, tail))
    upper = 1.0 if k == n else float(betaincinv(k + 1, n - k, 1 - tail))
    return Proportion(int(k), int(n), k / n, lower, upper)


def kaplan_meier(
    days: ArrayLike, events: ArrayLike, *, confidence: float = 0.95, transform: Transform = "log-log"
) -> Curve:
    """The product-limit estimate of survival (M2, M3).

    `days` whole days to the event or to censoring, one a patient; `events` true where it was the event. At a tie events
    precede censorings. The variance is Greenwood's; `transform` is the scale of the pointwise limits, which are cut at
    0 and 1. Where the fraction is 1 or 0 there is no interval.

    Raises ValueError for times that are missing, negative, not whole or longer than two centuries, for events that are
    neither yes nor no, and for lengths that differ.
    """
    _check_confidence(confidence)
    times, happened = _whole_days(days), _yes_no(events)
    if times.shape != happened.shape:
        raise ValueError(f"There are {times.size} times and {happened.size} events. Give one of each for each patient.")

    # A day is an index: counting by day needs no sorting, and is what makes a million patients cheap.
    seen = np.bincount(times)
    had_event = np.bincount(times[happened], minlength=seen.size)
    distinct = np.flatnonzero(seen)
    leaving, dying = seen[distinct], had_event[distinct]
    at_risk = times.size - np.cumsum(leaving) + leaving

    survival = np.cumprod(1 - dying / at_risk)
    inside = (survival > 0) & (survival < 1)
    with np.errstate(divide="ignore"):  # the last patient's event: the sum is infinite, and the fraction 0 has no error
        relative_error = np.sqrt(np.cumsum(dying / (at_risk * (at_risk - dying))))
    std_error = np.where(survival > 0, 0.0, np.nan)
    std_error[inside] = survival[inside] * relative_error[inside]
    lower, upper = np.full(survival.size, np.nan), np.full(survival.size, np.nan)
    lower[inside], upper[inside] = _limits(survival[inside], relative_error[inside], confidence, transform)

    curve = Curve(distinct, at_risk, dying, leaving - dying, survival, std_error, lower, upper, n=times.size)
    for array in (curve.days, at_risk, dying, curve.censored, survival, std_error, lower, upper):
        array.setflags(write=False)
    return curve


def follow_up(
    days: ArrayLike, events: ArrayLike, *, confidence: float = 0.95, transform: Transform = "log-log"
) -> Curve:
    """Follow-up by the reverse Kaplan-Meier method (M7): the end of observation is the event, and the event censors it.

    Takes and raises what `kaplan_meier` does; `events` are the events of the endpoint.
    """
    return kaplan_meier(days, ~_yes_no(events), confidence=confidence, transform=transform)


def summarise(values: ArrayLike) -> Summary:
    """n, missing, mean, SD, median, quartiles and range of `values`, in their unit (M13). `None` and NaN are missing.

    The SD divides by n - 1. Quartiles are SAS's default (PCTLDEF=5, R's type 2): the mean of two neighbours where n x p
    is whole, else the next value up.
    """
    numbers = np.asarray(values, dtype=np.float64).ravel()
    known = np.sort(numbers[~np.isnan(numbers)])
    n, missing = known.size, numbers.size - known.size
    if n == 0:
        return Summary(0, missing, None, None, None, None, None, None, None)
    mean = fsum(known) / n
    sd = sqrt(fsum((known - mean) ** 2) / (n - 1)) if n > 1 else None
    return Summary(
        n=n,
        missing=missing,
        mean=mean,
        sd=sd,
        median=_ordered_quantile(known, 2),
        q1=_ordered_quantile(known, 1),
        q3=_ordered_quantile(known, 3),
        minimum=float(known[0]),
        maximum=float(known[-1]),
    )


def _limits(survival: Floats, relative_error: Floats, confidence: float, transform: Transform) -> tuple[Floats, Floats]:
    z = ndtri(1 - (1 - confidence) / 2)
    if transform == "log-log":
        power = np.exp(z * relative_error / np.abs(np.log(survival)))
        return survival**power, survival ** (1 / power)
    if transform == "log":
        factor = np.exp(z * relative_error)
        return survival / factor, np.minimum(survival * factor, 1.0)
    if transform == "linear":
        half = z * survival * relative_error
        return np.maximum(survival - half, 0.0), np.minimum(survival + half, 1.0)
    raise ValueError(f"The transform is '{transform}'. Set it to 'log-log', 'log' or 'linear'.")


def _ordered_quantile(ordered: Floats, quarters: int) -> float:
    whole, rest = divmod(ordered.size * quarters, 4)
    return float(ordered[whole]) if rest else float(ordered[whole - 1] + ordered[whole]) / 2


def _whole_days(days: ArrayLike) -> Integers:
    times = np.asarray(days)
    if times.dtype.kind not in "iu":
        numbers = times.astype(np.float64)
        if not np.all(np.isfinite(numbers) & (numbers == np.floor(numbers))):
            raise ValueError("A time is missing or is not a whole number of days.")
        times = numbers
    if times.size and (times.min() < 0 or times.max() > LONGEST_DAYS):
        raise ValueError(f"Times run from {times.min()} to {times.max()} days. Give 0 to {LONGEST_DAYS} whole days.")
    return times.astype(np.int64)


def _yes_no(events: ArrayLike) -> NDArray[np.bool_]:
    happened = np.asarray(events)
    if happened.dtype != np.bool_:
        numbers = happened.astype(np.float64)
        if not np.all((numbers == 0) | (numbers == 1)):
            raise ValueError("An event is missing or is neither yes nor no.")
        happened = numbers == 1
    return happened


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"The confidence {confidence} is not between 0 and 1.")


def _months(days: float | None) -> float | None:
    return None if days is None else days / DAYS_PER_MONTH


def _known(number: float) -> float | None:
    return None if isnan(number) else float(number)
