"""The generator's own arithmetic on ranks, so that it can hold its plan against STUDY E.2 without the analysis it feeds."""

import random
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import TypeVar

T = TypeVar("T")

DAYS_A_MONTH = Fraction(487, 16)  # 30.4375 days, as a fraction so that no rounding hides in a comparison


class Unmet(AssertionError):
    """The plan misses a constraint. The message names the item of STUDY E.2."""


def rounded(value: float | Fraction, places: int = 0) -> Decimal:
    """`value` rounded once, half away from zero, to `places` decimals."""
    exact = Decimal(value.numerator) / Decimal(value.denominator) if isinstance(value, Fraction) else Decimal(value)
    return exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def months(days: float | Fraction) -> Fraction:
    """Whole days as months of 30.4375 days."""
    return Fraction(days) / DAYS_A_MONTH


def middle(values: Sequence[int]) -> Fraction:
    """The median of at least one number."""
    ranked = sorted(values)
    half = len(ranked) // 2
    return Fraction(ranked[half]) if len(ranked) % 2 else Fraction(ranked[half - 1] + ranked[half], 2)


def surviving(times: Sequence[tuple[int, bool]], until: Fraction | int) -> Fraction | None:
    """The product-limit share without event at `until` days; pairs are (days, event). None beyond the last time."""
    share = Fraction(1)
    for day in sorted({day for day, event in times if event and day <= until}):
        at_risk = sum(other >= day for other, _ in times)
        share *= 1 - Fraction(sum(other == day and event for other, event in times), at_risk)
    return share if share == 0 or until <= max(day for day, _ in times) else None


def middle_time(times: Sequence[tuple[int, bool]]) -> Fraction | None:
    """The first day on which less than half are without event; where exactly half stay so, the middle of that stretch."""
    half: int | None = None
    for day in sorted({day for day, event in times if event}):
        share = surviving(times, day)
        if share is not None and share < Fraction(1, 2):
            return Fraction(day) if half is None else Fraction(half + day, 2)
        if share == Fraction(1, 2):
            half = day
    return None


class Dealer:
    """Deals values to patients: exactly as many as told for the reconstruction, at random in the same shares otherwise."""

    def __init__(self, rng: random.Random, exact: bool) -> None:
        self.rng = rng
        self.exact = exact

    def deal(self, size: int, shares: Mapping[T, int]) -> list[T]:
        """One value for each of `size` patients in random order."""
        if not self.exact:
            return self.rng.choices(list(shares), weights=list(shares.values()), k=size)
        cards = [value for value, count in shares.items() for _ in range(count)]
        if len(cards) != size:
            raise Unmet(f"{len(cards)} values were dealt to {size} patients: {dict(shares)}.")
        self.rng.shuffle(cards)
        return cards

    def pick(self, pool: Sequence[T], count: int, whole: int) -> list[T]:
        """`count` of the pool; without exactness each of the pool with the chance `count / whole`."""
        if not self.exact:
            chance = count / whole
            return [one for one in pool if self.rng.random() < chance]
        if len(pool) < count:
            raise Unmet(f"{count} patients were wanted, {len(pool)} would do.")
        return self.rng.sample(list(pool), count)
