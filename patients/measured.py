"""A measured value as it was reported: a number, or that it lies beyond what can be measured (`<0.5`, `>1000`).

The rule: a value below or above a limit is no number. What is true of every value that it can be is told; all else is None.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

_QUALIFIED = re.compile(r"(<=|>=|=<|=>|<|>|≤|≥)?\s*(.*)", re.DOTALL)
_ONE_WAY = {"≤": "<=", "=<": "<=", "≥": ">=", "=>": ">="}
_NUMBER = re.compile(r"[-−]?\d+(?:\.\d+)?", re.ASCII)
BLASTS_IN_BLOOD = ("BLAST", "BLASTLE")


@dataclass(frozen=True, slots=True)
class Measured:
    """A number; with a qualifier (`<`, `<=`, `>` or `>=`) the limit below or above which the value lies."""

    number: Decimal
    qualifier: str = ""

    def __str__(self) -> str:
        text = f"{self.number:f}"
        return self.qualifier + (text.rstrip("0").rstrip(".") if "." in text else text)

    def is_below(self, limit: Decimal | int) -> bool | None:
        """Whether the value is less than a limit; None where it may or may not be."""
        if not self.qualifier:
            return self.number < limit
        if self.qualifier.startswith("<"):
            return True if self.number < limit or (self.qualifier == "<" and self.number == limit) else None
        return False if self.number >= limit else None

    def is_above(self, limit: Decimal | int) -> bool | None:
        """Whether the value is more than a limit; None where it may or may not be."""
        if not self.qualifier:
            return self.number > limit
        if self.qualifier.startswith(">"):
            return True if self.number > limit or (self.qualifier == ">" and self.number == limit) else None
        return False if self.number <= limit else None


def split_qualifier(text: str) -> tuple[str, str]:
    """The qualifier of a result as typed, written one way (`≤` is `<=`), and what stands behind it."""
    found = _QUALIFIED.fullmatch(text.strip())
    assert found is not None  # the pattern takes any text
    qualifier = found[1] or ""
    return _ONE_WAY.get(qualifier, qualifier), found[2]


def read_measured(text: str | None) -> Measured | None:
    """What a result as typed says; None where it is no number with or without a qualifier."""
    qualifier, number = split_qualifier(text or "")
    return Measured(Decimal(number.replace("−", "-")), qualifier) if _NUMBER.fullmatch(number) else None


def as_counted(test: str, number: Decimal, qualifier: str) -> Decimal:
    """The number that a count stands for where a number is needed: its limit, where it lies beyond one.

    Blasts in blood are asked for to know whether there are any (STUDY C.2): fewer than can be counted are none.
    """
    return Decimal(0) if test in BLASTS_IN_BLOOD and qualifier.startswith("<") else number
