"""The published figures that the reproduction report (A-9.3) shows beside the computed ones: STUDY E.1, line by line.

Only `analysis.reproduction` may import this module: no estimate, table or generator may know what is expected.
"""

import csv
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal, cast

Check = Literal["count", "rounded", "informative", "other population"]
Tag = Literal["C", "C/D", "C/brief", "D", "A", "M"]
Unit = Literal["patients", "percent", "months", "years", "cycles", "day"]

EVIDENCE: dict[Tag, str] = {
    "C": "Read in the source",
    "C/D": "Read in the source, in part derived",
    "C/brief": "Read in the source, completed from the study brief",
    "D": "Derived from other figures",
    "A": "Our assumption",
    "M": "From memory, not verified",
}

SOURCES = {
    "S1": "Stein AS et al., Blinatumomab for Acute Lymphoblastic Leukemia Relapse after Allogeneic HSCT, "
    "BBMT 2019;25:1498 – abstract on the Mayo Clinic publications portal",
    "S2": '"Blinatumomab Treatment in Adult Patients with R/R B-Precursor ALL Post-Allogeneic HSCT", '
    "Value-Based Cancer Care conference report (ASH 2015 presentation)",
    "S3": "ASH abstract on patients who proceeded to alloHSCT after blinatumomab in the phase 2 study "
    "(shown on a ResearcherLife topic page)",
    "S4": '"Outcomes of HSCT Among Adults with R/R ALL Achieving Remission with Blinatumomab", '
    "BBMT/TCT 2016 abstract (AMiner record)",
    "S5": "Stein A et al., Benefit–Risk Assessment of Blinatumomab, Drug Safety 2019, table 3 and table 5",
    "S6": "Przepiorka D et al., FDA Approval: Blinatumomab, Clin Cancer Res 2015 (abstract)",
    "S7": "BLINCYTO US prescribing information, 2014 text reproduced on a third-party page (sections 2, 5, 6)",
    "S10": "Stein AS et al., Neurologic adverse events in patients with R/R ALL treated with blinatumomab, "
    "Ann Hematol 2019 (N=189)",
    "S11": "Molecular response with blinatumomab in R/R B-cell precursor ALL, Blood Advances 2019 (NCT01466179)",
}


@dataclass(frozen=True)
class PublishedFigure:
    """One line of STUDY E.1.

    `value` is the figure as printed, in `unit`, and `upper` the end of a printed span; `numerator` and `denominator`
    are counts that were printed, `derived_count` those that follow from a printed percentage. `check` is a rule of
    STUDY E.3, `population` an analysis set of A.3 or another group of patients, `sources` are keys of `SOURCES`.
    """

    id: str
    quantity: str
    population: str
    check: Check
    sources: tuple[str, ...]
    tag: Tag
    unit: Unit
    value: Decimal | None
    upper: Decimal | None
    numerator: int | None
    denominator: int | None
    derived_count: str | None
    qualifier: str
    note: str

    @property
    def text(self) -> str:
        """The figure as it was printed. One from memory says so, wherever it is shown."""
        printed = self._value_text() if self.numerator is None else self._count_text()
        return f"{printed} (from memory, not verified)" if self.tag == "M" else printed

    @property
    def source(self) -> str:
        """Where the figure comes from, in sentences: titles, kind of evidence, and what else is to be known of it."""
        return " ".join([*(f"{source}: {SOURCES[source]}." for source in self.sources), self.evidence])

    @property
    def evidence(self) -> str:
        """How sure the figure is, and what else is to be known of it."""
        return f"{EVIDENCE[self.tag]}. {self.note}".strip()

    def _count_text(self) -> str:
        count = str(self.numerator) if self.denominator is None else f"{self.numerator}/{self.denominator}"
        return f"{count} ({self.value} %)" if self.unit == "percent" and self.value is not None else count

    def _value_text(self) -> str:
        number = f"{self.value}" if self.upper is None else f"{self.value}–{self.upper}"
        unit = "cycle" if self.unit == "cycles" and self.value == 1 else self.unit
        words = {"percent": f"{number} %", "day": f"day {number}"}.get(unit, f"{number} {unit}")
        return f"{self.qualifier} {words}".strip()


def read_figures(path: Path) -> tuple[PublishedFigure, ...]:
    """The figures of a CSV file with the columns of `PublishedFigure`, in the file's order. Empty cells are `None`."""
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(_figure(row) for row in csv.DictReader(file))


def _figure(row: dict[str, str]) -> PublishedFigure:
    return PublishedFigure(
        id=row["id"],
        quantity=row["quantity"],
        population=row["population"],
        check=cast(Check, row["check"]),
        sources=tuple(row["sources"].split()),
        tag=cast(Tag, row["tag"]),
        unit=cast(Unit, row["unit"]),
        value=Decimal(row["value"]) if row["value"] else None,
        upper=Decimal(row["upper"]) if row["upper"] else None,
        numerator=int(row["numerator"]) if row["numerator"] else None,
        denominator=int(row["denominator"]) if row["denominator"] else None,
        derived_count=row["derived_count"] or None,
        qualifier=row["qualifier"],
        note=row["note"],
    )


PUBLISHED = read_figures(Path(__file__).with_name("published.csv"))
