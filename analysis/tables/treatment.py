"""What the patients were given: cycles, infusion, doses, interruptions and dexamethasone (T-3.1)."""

from collections.abc import Sequence

import pandas as pd

from analysis.results import Row, Table
from analysis.tables.cells import count_row, heading, number_of, numbers_of, summary_rows
from analysis.tables.groups import Analysis, Group, having, those

OVERALL = 0  # ADEX.ACYC of the row over all cycles


def exposure(analysis: Analysis) -> Table:
    """T-3.1: exposure over the whole treatment, then by cycle. Planned is 651 µg in cycle 1 and 784 µg in each later one."""
    groups, adex = analysis.groups, analysis.datasets.adex
    overall = adex[adex["ACYC"] == OVERALL].set_index("USUBJID")
    cycles = sorted(int(cycle) for cycle in adex["ACYC"].unique() if cycle != OVERALL)
    long_interruptions = overall["INTR4H"]

    rows = [
        *summary_rows("Cycles started", groups, "NCYCST", number_of("NCYCST"), unit="cycles"),
        *(
            count_row(f"Exactly {cycle}", groups, "NCYCST", having("NCYCST", cycle), level=str(cycle), indent=1)
            for cycle in cycles
        ),
        *summary_rows("Cycles completed", groups, "NCYCCMP", number_of("NCYCCMP"), unit="cycles"),
        *summary_rows("Treatment duration (days)", groups, "TRTDURD", number_of("TRTDURD"), unit="days"),
        *summary_rows("Infusion (days)", groups, "INFDAYS", numbers_of(overall["INFDAYS"]), unit="days"),
        *summary_rows("Cumulative dose (µg)", groups, "DOSCUM", numbers_of(overall["DOSCUM"]), unit="µg"),
        *summary_rows(
            "Relative dose intensity (%)", groups, "RDI", numbers_of(overall["RDI"], times=100), unit="percent"
        ),
        heading("Interruptions of 4 hours or more"),
        *(
            count_row(label, groups, "INTR4H", those(overall.index[condition]), level=level, indent=1)
            for label, level, condition in (
                ("None", "0", long_interruptions == 0),
                ("One", "1", long_interruptions == 1),
                ("Two or more", ">=2", long_interruptions >= 2),
            )
        ),
        heading("Dose step"),
        count_row(
            "Full dose reached in cycle 1", groups, "STEPFL", those(overall.index[overall["STEPFL"] == "Y"]), indent=1
        ),
        *summary_rows("Dexamethasone (mg)", groups, "DEXMG", numbers_of(overall["DEXMG"]), unit="mg"),
    ]
    for cycle in cycles:
        rows += _one_cycle(groups, adex[adex["ACYC"] == cycle].set_index("USUBJID"), f"cycle {cycle}")
    return Table(tuple(group.heading for group in groups), tuple(rows))


def _one_cycle(groups: Sequence[Group], frame: pd.DataFrame, level: str) -> list[Row]:
    """A cycle among those who began it."""
    began = those(frame.index)
    completed = those(frame.index[frame["COMPFL"] == "Y"])
    starters = tuple(group.only(began(group)) for group in groups)
    infusion, dose = f"INFDAYS, {level}", f"DOSCUM, {level}"
    return [
        heading(level.capitalize()),
        count_row("Began", groups, "began", began, level=level, indent=1),
        count_row("Completed, of those who began", groups, "COMPFL", completed, level=level, among=began, indent=1),
        *summary_rows("Infusion (days)", starters, infusion, numbers_of(frame["INFDAYS"]), unit="days", indent=1),
        *summary_rows("Dose (µg)", starters, dose, numbers_of(frame["DOSCUM"]), unit="µg", indent=1),
    ]
