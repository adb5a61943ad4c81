"""What a derived answer is: a value that follows from what was entered, with the rule that gives it. No database, no clock.

The rule (STUDY B.1, rule 11): a fact is asked once; elsewhere it is shown. A derived answer is computed when it is shown and
never stored, so it cannot be stale.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Protocol

from trial.edit_checks import Casebook, Record


class Looking(Protocol):
    """What looks at the records of a form, and at other forms beside it: an edit check, or a derived answer."""

    @property
    def form(self) -> str:
        """The code of the form that it is about."""
        ...

    @property
    def reads(self) -> tuple[str, ...]:
        """The codes of the other forms that it looks at."""
        ...


@dataclass(frozen=True, slots=True)
class Between:
    """A value that is not known exactly, because a date that it follows from is known in part: from least to most."""

    least: Any
    most: Any


@dataclass(frozen=True, slots=True, eq=False)
class Derivation:
    """One derived answer of a form.

    `name` is its name in STUDY without the form (`CYCSTDTM`), `rule` how it comes about in words, `source` where STUDY says
    so. `derive` gets the record and the casebook with the forms of `reads`; it gives None for what cannot be told yet.
    `answer` names the answer with which the site may overwrite it: what is typed there counts, and both are shown.
    """

    form: str
    name: str
    label: str
    rule: str
    source: str
    derive: Callable[[Record, Casebook], Any]
    reads: tuple[str, ...] = ()
    unit: str = ""
    answer: str = ""


def between(least: Any, most: Any) -> Any:
    """The value itself where both are the same, else what it lies between."""
    return least if least == most else Between(least, most)


def rounded(value: float | Decimal, places: int) -> Decimal:
    """A number as it is shown; a half is rounded up."""
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def at_site(moment: datetime, offset: int | None) -> datetime:
    """A moment with the offset of the site's clock, in minutes; an unknown offset reads as UTC."""
    return moment.astimezone(timezone(timedelta(minutes=offset or 0)))


Row = tuple[str, str, str, str, str, Callable[[Record, Casebook], Any], str]


def declared(form: str, *rows: Row, **answers: str) -> list[Derivation]:
    """The derived answers of one form: name, label, unit, rule, source, function, and the forms read, blanks between.

    `answers` maps the name of an overwritable one to the answer that overwrites it.
    """
    return [
        Derivation(form, name, label, rule, source, derive, tuple(reads.split()), unit, answers.get(name, ""))
        for name, label, unit, rule, source, derive, reads in rows
    ]
