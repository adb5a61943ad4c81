"""How the patients came to the analysis (F-1.2): screened, treated, with and without an earlier transplant, responders."""

from dataclasses import dataclass

from analysis.results import Result, Row, Table
from analysis.tables.cells import count
from analysis.tables.groups import ALL, NAIVE, PRIOR, Analysis, Cohort, Group

SCREENED = Cohort("screened", "Screened", "SCR", "SCRFL")
TRUNK = 0


@dataclass(frozen=True, slots=True)
class Box:
    """One box of the flow. Column 0 is the trunk, 1 and 2 are the branches; who left the trunk stands aside.

    `count` is the patients of the box among those of the box before it.
    """

    label: str
    row: int
    column: int
    is_aside: bool
    count: Result


def boxes(analysis: Analysis) -> tuple[Box, ...]:
    """The boxes from consent to transplantation in remission, each counted among the one before it."""
    screened = analysis.adsl[analysis.adsl["SCRFL"] == "Y"]
    everybody, treated = tuple(screened.index), analysis.group(ALL).patients
    branches = tuple(analysis.group(cohort) for cohort in (PRIOR, NAIVE))
    elsewhere = set(treated) - {patient for group in branches for patient in group.patients}
    column = Group(SCREENED, screened)

    def box(label: str, row: int, at: int, who: tuple[str, ...], among: tuple[str, ...], is_aside: bool = False) -> Box:
        return Box(label, row, at, is_aside, count(column, "flow", who, level=label, among=among))

    found = [
        box("Signed consent", 0, TRUNK, everybody, everybody),
        box("Not treated", 0, TRUNK, tuple(set(everybody) - set(treated)), everybody, is_aside=True),
        box("Treated", 1, TRUNK, treated, everybody),
    ]
    if elsewhere:
        found.append(box("AlloHSCT without later relapse", 1, TRUNK, tuple(elsewhere), treated, is_aside=True))
    for at, group in enumerate(branches, start=1):
        responders, transplanted = group.flagged("RESPFL"), group.flagged("RESPFL", "HSCTPFL")
        found += [
            box(group.name, 2, at, group.patients, treated),
            box(f"{group.name}: CR/CRh within 2 cycles", 3, at, responders, group.patients),
            box(f"{group.name}: alloHSCT in that remission", 4, at, transplanted, responders),
        ]
    return tuple(found)


def flow(found: tuple[Box, ...]) -> Table:
    """The boxes as a table, one a row."""
    return Table(("Patients",), tuple(Row(box.label, (box.count,), indent=box.row) for box in found))
