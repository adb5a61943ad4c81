"""The one place where a number is rounded for display (STUDY M17): half away from zero, as in SAS, not half to even."""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal

# A computed 14.499999999999998 is 14.5: thirteen significant digits forget the error of a float, and nothing else.
GUARD = Context(prec=13, rounding=ROUND_HALF_EVEN)
EXACT = Context(prec=60)

NOT_ESTIMABLE = "NE"


def round_half_away(x: int | float | Decimal, digits: int) -> Decimal:
    """`x` to `digits` decimals, a half going away from zero: 31.25 gives 31.3, 12.5 gives 13, -0.04 gives 0.0.

    Whole numbers and Decimals are taken as they are, floats to thirteen significant digits. Raises ValueError for NaN
    and infinity.
    """
    number = _as_decimal(x)
    if not number.is_finite():
        raise ValueError(f"{x} cannot be rounded.")
    rounded = number.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP, context=EXACT)
    return rounded if rounded else abs(rounded)  # never "-0.0"


def fixed(x: int | float | Decimal | None, digits: int) -> str:
    """`x` with exactly `digits` decimals, as tables print it; NE for what is not estimable (`None`)."""
    return NOT_ESTIMABLE if x is None else f"{round_half_away(x, digits):f}"


def percent(k: int, n: int, digits: int = 1) -> str:
    """`k` of `n` in percent, without the sign, rounded once from the exact quotient; NE when `n` is 0."""
    return NOT_ESTIMABLE if n == 0 else fixed(Decimal(100 * int(k)) / Decimal(int(n)), digits)


def _as_decimal(x: int | float | Decimal) -> Decimal:
    if isinstance(x, Decimal):
        return x
    return GUARD.create_decimal(x) if isinstance(x, float) else Decimal(int(x))
