"""What went wrong: overview and worst grades (T-6.1, T-6.3), neurologic events, CRS and GVHD (T-6.4 to T-6.6), fatal events (L-6.8).

Grades are CTCAE. A patient counts once in a row, with the worst of the events that the row is about (STUDY C.7.1).
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from analysis.derive.adae import grade_to_count
from analysis.results import Row, Table
from analysis.tables.cells import count_row, heading, listed, numbers_of, summary_rows
from analysis.tables.groups import Analysis, Group, flagged, those
from safety import codes
from trial.code_lists import label_of

GRADES = (1, 2, 3, 4, 5)

# The customised queries of ADAE. Broad is the headline of the neurologic events (STUDY F-19).
CRS, NEUROLOGIC, INFECTION, GVHD, NEUROLOGIC_NARROW = "CQ01NAM", "CQ02NAM", "CQ03NAM", "CQ04NAM", "CQ05NAM"


def emergent(analysis: Analysis, basket: str | None = None) -> pd.DataFrame:
    """The treatment-emergent events, or those of them that belong to a customised query."""
    adae = analysis.datasets.adae
    events = adae[adae["TRTEMFL"] == "Y"]
    return events if basket is None else events[events[basket].notna()]


def gvhd_on_study(analysis: Analysis) -> pd.DataFrame:
    """GVHD that began or worsened after the first dose and before any later transplant (STUDY F-11)."""
    events = emergent(analysis, GVHD)
    return events[events["AFTHSFL"] != "Y"]


def fatal(analysis: Analysis) -> pd.DataFrame:
    """The treatment-emergent events that were fatal: grade 5. Leukaemia as a cause of death is no event (STUDY F-13)."""
    events = emergent(analysis)
    return events[grades(events) == 5]


def grades(events: pd.DataFrame) -> "pd.Series[float]":
    """The grade with which each event counts: a fatal event is grade 5, whichever grade was reported."""
    pairs = zip(events["ATOXGR"].astype(float), events["AESDTH"], strict=True)
    return pd.Series([grade_to_count(grade, is_fatal) for grade, is_fatal in pairs], events.index, dtype="float64")


def worst_grades(events: pd.DataFrame) -> "pd.Series[float]":
    """The worst grade of each patient among these events, with the patient as index. A fatal event is grade 5."""
    return grades(events).groupby(events["USUBJID"]).max()


def patients_of(events: pd.DataFrame, condition: "pd.Series[bool] | None" = None) -> set[str]:
    """The patients with one of these events, or with one for which a condition holds."""
    chosen = events if condition is None else events[condition.fillna(False).astype(bool)]
    return set(chosen["USUBJID"])


def first_onset(events: pd.DataFrame) -> "pd.Series[float]":
    """The study day on which each patient's first of these events began."""
    return events["ASTDY"].astype(float).groupby(events["USUBJID"]).min()


def overview(analysis: Analysis) -> Table:
    """T-6.1: patients with treatment-emergent events of each kind, and by worst grade. The grades exclude each other."""
    groups, events, deaths = analysis.groups, emergent(analysis), fatal(analysis)
    worst = worst_grades(events)
    kinds = (
        ("Any event", "any", patients_of(events)),
        ("Serious", "serious", patients_of(events, events["AESER"] == "Y")),
        ("Fatal", "fatal", patients_of(deaths)),
        ("Fatal infection", "fatal infection", patients_of(deaths, deaths[INFECTION].notna())),
        ("Leading to discontinuation", "discontinuation", patients_of(events, events["AEACN"] == "DRUG WITHDRAWN")),
        ("Leading to interruption", "interruption", patients_of(events, events["AEACN"] == "DRUG INTERRUPTED")),
        ("Related to blinatumomab", "related", patients_of(events, events["AREL"] == "Y")),
    )
    rows = [count_row(label, groups, "adverse events", those(who), level=level) for label, level, who in kinds]
    rows += [heading("Worst grade"), *_grade_rows(groups, "worst grade", worst)]
    severe = worst.index[worst >= 3]
    rows.append(count_row("Grade 3 or more", groups, "worst grade", those(severe), level=">=3", indent=1))
    return Table(tuple(group.heading for group in groups), tuple(rows))


def worst_grade(analysis: Analysis) -> Table:
    """T-6.3: every patient once, by the worst grade of the treatment-emergent events; without an event grade 0."""
    groups = analysis.groups
    worst = worst_grades(emergent(analysis))
    without = [patient for patient in analysis.adsl.index if patient not in worst.index]
    rows = [
        count_row("No event", groups, "worst grade", those(without), level="0"),
        *_grade_rows(groups, "worst grade", worst, indent=0),
    ]
    return Table(tuple(group.heading for group in groups), tuple(rows))


def neurologic(analysis: Analysis) -> Table:
    """T-6.4: neurologic events by worst grade and term, their onset, duration and what was done."""
    groups, events = analysis.groups, emergent(analysis, NEUROLOGIC)
    narrow = events[events[NEUROLOGIC_NARROW].notna()]
    worst, worst_narrow = worst_grades(events), worst_grades(narrow)
    variable = "neurologic events"
    rows = [
        count_row("Any neurologic event", groups, variable, those(worst.index), level="any"),
        heading("Worst grade"),
        *_grade_rows(groups, variable, worst),
        heading("Broad and narrow definition"),
        *(
            count_row(f"{label}, {width}", groups, variable, those(who), level=f"{level}, {width}", indent=1)
            for label, level, width, who in (
                ("Grade 3 or more", ">=3", "broad", worst.index[worst >= 3]),
                ("Grade 3 or more", ">=3", "narrow", worst_narrow.index[worst_narrow >= 3]),
                ("Serious", "serious", "broad", patients_of(events, events["AESER"] == "Y")),
                ("Serious", "serious", "narrow", patients_of(narrow, narrow["AESER"] == "Y")),
            )
        ),
        *_terms(groups, variable, events),
        *_course(groups, variable, events),
        *_actions(groups, variable, events),
    ]
    return Table(tuple(group.heading for group in groups), tuple(rows))


def cytokine_release(analysis: Analysis) -> Table:
    """T-6.5: cytokine release syndrome by worst CTCAE grade, cycle, onset, duration and tocilizumab."""
    groups, events = analysis.groups, emergent(analysis, CRS)
    variable = "CRS"
    worst = worst_grades(events)
    cycles = sorted(events["ACYC"].dropna().unique())
    rows = [
        count_row("Any cytokine release syndrome", groups, variable, those(worst.index), level="any"),
        heading("Worst grade"),
        *_grade_rows(groups, variable, worst),
        heading("Cycle of onset"),
        *(
            count_row(
                f"Cycle {cycle:.0f}",
                groups,
                variable,
                those(patients_of(events, events["ACYC"] == cycle)),
                level=f"cycle {cycle:.0f}",
                indent=1,
            )
            for cycle in cycles
        ),
        *_course(groups, variable, events),
        heading("Treatment"),
        count_row(
            "Tocilizumab",
            groups,
            variable,
            those(patients_of(events, events["TOCIFL"] == "Y")),
            level="tocilizumab",
            indent=1,
        ),
        *_actions(groups, variable, events),
    ]
    return Table(tuple(group.heading for group in groups), tuple(rows))


def graft_versus_host(analysis: Analysis) -> Table:
    """T-6.6: GVHD during the study by kind and worst CTCAE grade, with its consequences; after a later transplant apart."""
    groups, events = analysis.groups, gvhd_on_study(analysis)
    variable = "GVHD"
    worst = worst_grades(events)
    later = emergent(analysis, GVHD)
    after_transplant = patients_of(later, later["AFTHSFL"] == "Y")
    any_gvhd = those(worst.index)
    outcomes = [code for code, _ in codes.OUTCOME if (events["AEOUT"] == code).any()]
    rows = [
        count_row("Any GVHD", groups, variable, any_gvhd, level="any"),
        *(
            count_row(
                label, groups, variable, those(patients_of(events, events["GVTYPE"] == kind)), level=kind, indent=1
            )
            for label, kind in (("Acute", "ACUTE"), ("Chronic", "CHRONIC"))
        ),
        heading("Worst grade"),
        *_grade_rows(groups, variable, worst),
        count_row("Above grade 3", groups, variable, those(worst.index[worst > 3]), level=">3", indent=1),
        heading("Consequences"),
        count_row(
            "Led to discontinuation of blinatumomab",
            groups,
            variable,
            those(patients_of(events, events["AEACN"] == "DRUG WITHDRAWN")),
            level="discontinuation",
            indent=1,
        ),
        count_row(
            "Led to hospitalisation",
            groups,
            variable,
            those(patients_of(events, events["GVHOSPFL"] == "Y")),
            level="hospitalisation",
            indent=1,
        ),
        heading("Earlier GVHD, of the patients with GVHD"),
        count_row("Acute", groups, variable, flagged("PRAGVFL"), level="earlier acute GVHD", among=any_gvhd, indent=1),
        count_row(
            "Chronic", groups, variable, flagged("PRCGVFL"), level="earlier chronic GVHD", among=any_gvhd, indent=1
        ),
        heading("Outcome"),
        *(
            count_row(
                label_of(codes.OUTCOME, code),
                groups,
                variable,
                those(patients_of(events, events["AEOUT"] == code)),
                level=code,
                indent=1,
            )
            for code in outcomes
        ),
        *_actions(groups, variable, events),
        heading("Apart"),
        count_row(
            "GVHD after a later transplant",
            groups,
            "GVHD after a later transplant",
            those(after_transplant),
            indent=1,
        ),
    ]
    return Table(tuple(group.heading for group in groups), tuple(rows))


def fatal_events(analysis: Analysis) -> Table:
    """L-6.8: the fatal treatment-emergent events of the cohort, one a row. A patient may have more than one."""
    group = analysis.groups[0]
    events = group.rows_of(fatal(analysis)).sort_values(["USUBJID", "ASTDT", "AESEQ"])
    adrs = analysis.datasets.adrs
    assessed = adrs[adrs["PARAMCD"] == "OVR"].sort_values("ADT")
    last_response = assessed.groupby("USUBJID")["AVALC"].last()
    subjects: dict[Any, Any] = group.adsl.to_dict("index")
    rows = []
    for event in events.itertuples():
        patient = str(event.USUBJID)
        subject = subjects[patient]
        words = (
            _words(event.AEDECOD) or _words(event.AETERM),
            "Infection" if pd.notna(getattr(event, INFECTION)) else "Other",
            _whole(event.ASTDY),
            _day(subject["TRTEDT"], subject["TRTSDT"]),
            _day(subject["DTHDT"], subject["TRTSDT"]),
            _words(last_response.get(patient)),
            {"Y": "Yes", "N": "No"}.get(_words(event.AREL), ""),
            _words(subject["DTHCAUS"]).capitalize(),
        )
        cells = [
            listed(column, text or "Not known", (patient,), group.name)
            for column, text in zip(LISTED, words, strict=True)
        ]
        rows.append(Row(patient, tuple(cells)))
    return Table(LISTED, tuple(rows))


LISTED = (
    "Event",
    "Kind",
    "Onset day",
    "Day of last dose",
    "Day of death",
    "Last response assessed",
    "Related",
    "Primary cause of death",
)


def _grade_rows(groups: Sequence[Group], variable: str, worst: "pd.Series[float]", indent: int = 1) -> list[Row]:
    return [
        count_row(
            f"Grade {grade}", groups, variable, those(worst.index[worst == grade]), level=str(grade), indent=indent
        )
        for grade in GRADES
    ]


def _terms(groups: Sequence[Group], variable: str, events: pd.DataFrame) -> list[Row]:
    """Each term by frequency, with those of grade 3 or more below it."""
    frequency = events.groupby("AEDECOD")["USUBJID"].nunique()
    rows = [heading("By term")]
    for term in sorted(frequency.index, key=lambda name: (-frequency[name], name)):
        those_events = events[events["AEDECOD"] == term]
        worst = worst_grades(those_events)
        rows.append(count_row(term, groups, variable, those(worst.index), level=term, indent=1))
        if (worst >= 3).any():
            severe = those(worst.index[worst >= 3])
            rows.append(count_row("Grade 3 or more", groups, variable, severe, level=f"{term}, >=3", indent=2))
    return rows


def _course(groups: Sequence[Group], variable: str, events: pd.DataFrame) -> list[Row]:
    """Onset of the first event and duration of the longest one that ended, in days, among the patients with one."""
    onset = first_onset(events)
    longest = events["ADURN"].astype(float).groupby(events["USUBJID"]).max()
    affected = [group.only(onset.index) for group in groups]
    return [
        *summary_rows("First onset (study day)", affected, f"{variable}: onset", numbers_of(onset), unit="day"),
        *summary_rows("Longest duration (days)", affected, f"{variable}: duration", numbers_of(longest), unit="days"),
    ]


def _actions(groups: Sequence[Group], variable: str, events: pd.DataFrame) -> list[Row]:
    rows = [heading("Action with blinatumomab")]
    for code, label in codes.ACTION:
        who = patients_of(events, events["AEACN"] == code)
        if who:
            rows.append(count_row(label, groups, variable, those(who), level=code, indent=1))
    return rows


def _words(value: object) -> str:
    return value if isinstance(value, str) else ""


def _whole(number: Any) -> str:
    return "" if pd.isna(number) else f"{number:.0f}"


def _day(then: pd.Timestamp, first_dose: pd.Timestamp) -> str:
    """A date after the first dose as a study day: the day of the first dose is 1."""
    return "" if pd.isna(then) or pd.isna(first_dose) else str((then - first_dose).days + 1)
