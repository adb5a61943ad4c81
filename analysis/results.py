"""What an output is made of: results that know their patients, laid out in tables and figures (DESIGN 2, idea 2).

A result is never text alone. It holds the unrounded value, how it is worded, and who is behind it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Result:
    """One number of a report: the unit of its JSON, and one cell of its page.

    `group` is the column (`Prior alloHSCT`), `variable` what was measured, `level` its category, `statistic` the kind
    of number. `n` and `N` are numerator and denominator. For counts `value` is the percentage, unrounded.
    None means not estimable.
    `patients` are the patients behind the numerator, sorted.
    """

    group: str
    variable: str
    statistic: str
    text: str
    level: str | None = None
    unit: str | None = None
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    n: int | None = None
    N: int | None = None
    patients: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table. A heading has no cells; `indent` is how far the label stands in."""

    label: str
    cells: tuple[Result | None, ...] = ()
    indent: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns. A listing has columns of plain text, whose cells are results of statistic `listed`."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A Vega-Lite specification with its data inside, and what it shows in a sentence."""

    spec: Mapping[str, Any]
    description: str


@dataclass(frozen=True, slots=True)
class Output:
    """One output of the catalogue, finished: the same object makes the page, the JSON and the print."""

    number: str
    title: str
    population: str
    tables: tuple[Table, ...]
    figures: tuple[Figure, ...] = ()
    footnotes: tuple[str, ...] = ()

    @property
    def results(self) -> Iterator[Result]:
        """Every result of every table, in reading order."""
        for table in self.tables:
            for row in table.rows:
                yield from (cell for cell in row.cells if cell is not None)
