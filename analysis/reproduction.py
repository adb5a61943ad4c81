"""Published beside computed: the verdicts of the reproduction report, A-9.3, by the rules of STUDY E.3."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from analysis.published import PUBLISHED, SOURCES, PublishedFigure
from analysis.rounding import round_half_away

Verdict = Literal["matches", "differs", "informative", "other population", "not computed"]


@dataclass(frozen=True)
class Computed:
    """What the analysis gives for one line of E.1, with the patients behind it.

    `value` is unrounded, in the unit of the line; for a count it is the percentage, beside `numerator` and
    `denominator`. What is not given cannot be computed at this cut-off.
    """

    value: float | None = None
    numerator: int | None = None
    denominator: int | None = None
    patients: tuple[str, ...] = ()

    @classmethod
    def of_count(cls, numerator: int, denominator: int, patients: tuple[str, ...] = ()) -> "Computed":
        """A count among `denominator` patients; its value is the percentage, `None` among nobody."""
        return cls(100 * numerator / denominator if denominator else None, numerator, denominator, patients)


@dataclass(frozen=True)
class Line:
    """One line of A-9.3: what was published, what was computed, and how they compare."""

    figure: PublishedFigure
    computed: Computed
    verdict: Verdict


def source_titles() -> Mapping[str, str]:
    """The titles of the sources that the lines name, by their keys in STUDY G."""
    return SOURCES


def verdict(figure: PublishedFigure, computed: Computed) -> Verdict:
    """How a computed figure stands beside the published one, by the check of its line (STUDY E.3).

    `count`: the numerator, and the denominator where one was printed, are equal. `rounded`: the value, rounded once,
    half away from zero, to the printed digits, equals the printed one or lies in the printed span. A printed value that
    cannot be computed at this cut-off does not differ.
    """
    if figure.check == "other population":
        return "other population"
    if figure.check == "count":
        return "not computed" if computed.numerator is None else _verdict(_same_count(figure, computed))
    if figure.check == "rounded":
        return "not computed" if computed.value is None else _verdict(_same_rounded(figure, computed.value))
    return "not computed" if computed.value is None and computed.numerator is None else "informative"


def reproduce(computed: Mapping[str, Computed]) -> tuple[Line, ...]:
    """Every line of E.1 in its order, with what `computed` holds under its id; what is not there is not computed.

    Raises ValueError for an id that E.1 does not have.
    """
    unknown = sorted(set(computed) - {figure.id for figure in PUBLISHED})
    if unknown:
        raise ValueError(f"There is no published figure {', '.join(unknown)}.")
    found = [(figure, computed.get(figure.id, Computed())) for figure in PUBLISHED]
    return tuple(Line(figure, result, verdict(figure, result)) for figure, result in found)


def _verdict(agrees: bool) -> Verdict:
    return "matches" if agrees else "differs"


def _same_count(figure: PublishedFigure, computed: Computed) -> bool:
    same_denominator = figure.denominator is None or computed.denominator == figure.denominator
    return computed.numerator == figure.numerator and same_denominator


def _same_rounded(figure: PublishedFigure, value: float) -> bool:
    if figure.value is None:
        raise ValueError(f"{figure.id} is to be rounded like the printed value, and none was printed.")
    rounded = round_half_away(value, -int(figure.value.as_tuple().exponent))
    return figure.value <= rounded <= (figure.value if figure.upper is None else figure.upper)
