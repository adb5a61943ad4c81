"""The published figures beside ours (A-9.3): what the datasets give for each line of STUDY E.1.

The rule: nothing here knows what is expected. What was published, and how it compares, comes from `analysis.reproduction`.
"""

from collections.abc import Callable, Iterable

import pandas as pd

from analysis.estimate import Estimate, proportion, summarise
from analysis.reproduction import Computed, Line, reproduce, source_titles
from analysis.results import Result, Row, Table
from analysis.rounding import NOT_ESTIMABLE, fixed
from analysis.tables import safety
from analysis.tables.cells import UNKNOWN, count_text, listed
from analysis.tables.groups import ALL, NAIVE, PRIOR, Analysis, Choose, Group, from_to, having
from analysis.tables.survival import Survival, survival

COLUMNS = ("Published", "Computed", "Verdict", "Population", "Source", "Evidence")

# What stands beside a verdict while the data are made up. A verdict that compares nothing needs no such word.
SYNTHETIC = {
    "matches": "matches, synthetic, by construction",
    "differs": "differs, synthetic",
    "informative": "informative, synthetic",
}

# The age groups of ADSL in their order, for the lines that name them "youngest" to "oldest".
AGE_GROUPS = ("18–<35", "35–<55", "55–<65", ">=65")


def computed_figures(analysis: Analysis) -> dict[str, Computed]:
    """What the datasets give, by line of E.1. The cohorts are those of the line, whichever the report is about."""
    cohort, others, everybody = (analysis.group(one) for one in (PRIOR, NAIVE, ALL))
    return {
        **_patients_and_response(cohort, others, everybody, analysis.parameters.confidence),
        **_residual_disease(cohort, everybody, analysis.parameters.confidence),
        **_time_to_event(analysis, cohort, everybody),
        **_events(analysis, cohort, everybody),
        **_baseline(cohort, everybody),
        **_subgroups(cohort, everybody),
    }


def reproduction(analysis: Analysis) -> Table:
    """A-9.3: one row a line of E.1. While the study is synthetic each comparison says so: it shows the plumbing, no more."""
    lines = reproduce(computed_figures(analysis))
    return Table(COLUMNS, tuple(_row(line, analysis.is_synthetic) for line in lines))


def sources() -> Table:
    """The titles of the sources that the lines of A-9.3 name."""
    rows = tuple(Row(key, (listed("title", title),)) for key, title in source_titles().items())
    return Table(("Title",), rows, caption="Sources")


def _row(line: Line, is_synthetic: bool) -> Row:
    figure, computed = line.figure, line.computed
    words = SYNTHETIC.get(line.verdict, line.verdict) if is_synthetic else line.verdict
    result = Result(
        group=figure.population,
        variable=figure.id,
        statistic="reproduced",
        unit=figure.unit,
        value=computed.value,
        n=computed.numerator,
        N=computed.denominator,
        text=_computed_text(line),
        patients=computed.patients,
        extra={
            "quantity": figure.quantity,
            "published": figure.text,
            "check": figure.check,
            "verdict": line.verdict,
            "source": figure.source,
            "tag": figure.tag,
        },
    )
    cells = (
        listed("published", figure.text),
        result,
        listed("verdict", words),
        listed("population", figure.population),
        listed("source", ", ".join(figure.sources)),
        listed("evidence", figure.evidence),
    )
    return Row(f"{figure.id} {figure.quantity}", cells)


def _computed_text(line: Line) -> str:
    computed = line.computed
    if computed.numerator is not None and computed.denominator is not None:
        return count_text(computed.numerator, computed.denominator)
    if computed.value is None:
        return "" if line.verdict == "other population" else NOT_ESTIMABLE
    words = {"percent": "{} %", "day": "day {}"}.get(line.figure.unit, f"{{}} {line.figure.unit}")
    return words.format(fixed(computed.value, 1))


def _count(group: Group, who: Iterable[str], among: Iterable[str] | None = None) -> Computed:
    denominator = group.members if among is None else group.members & set(among)
    numerator = tuple(sorted(denominator.intersection(who)))
    return Computed.of_count(len(numerator), len(denominator), numerator)


def _limits(counted: Computed, confidence: float) -> tuple[Computed, Computed]:
    """The exact limits of a count, in percent."""
    exact = proportion(counted.numerator or 0, counted.denominator or 0, confidence=confidence)
    lower, upper = (None if limit is None else 100 * limit for limit in (exact.lower, exact.upper))
    return Computed(lower, patients=counted.patients), Computed(upper, patients=counted.patients)


def _of(values: "pd.Series[float]", pick: Callable[..., float | None]) -> Computed:
    """A median or an extreme of numbers that have the patient as index."""
    known = values.dropna().astype(float)
    return Computed(pick(summarise(known.to_numpy())), patients=tuple(sorted(map(str, known.index))))


def _median(values: "pd.Series[float]") -> Computed:
    return _of(values, lambda summary: summary.median)


def _best(group: Group, *responses: str) -> Computed:
    return _count(group, having("BOR2", *responses)(group))


def _patients_and_response(cohort: Group, others: Group, everybody: Group, confidence: float) -> dict[str, Computed]:
    found = {
        "P-01": _count(everybody, everybody.patients),
        "P-02": _count(everybody, cohort.patients),
        "P-03": _count(everybody, others.patients),
        "P-04": _best(cohort, "CR", "CRh"),
        "P-05a": _best(cohort, "CR"),
        "P-05b": _best(cohort, "CRh"),
        "P-06": _best(everybody, "CR", "CRh"),
        "P-07a": _best(everybody, "CR"),
        "P-07b": _best(everybody, "CRh"),
        "P-08": _best(others, "CR", "CRh"),
        "P-43a": _best(everybody, "BFHM"),
        "P-43b": _best(everybody, "PR"),
        "P-43c": _best(everybody, "NR", "PD", "NE"),
    }
    for line, lower, upper in (
        ("P-04", "P-04b", "P-04c"),
        ("P-06", "P-06b", "P-06c"),
        ("P-07a", "P-07c", "P-07d"),
        ("P-07b", "P-07e", "P-07f"),
    ):
        found[lower], found[upper] = _limits(found[line], confidence)
    return found


def _residual_disease(cohort: Group, everybody: Group, confidence: float) -> dict[str, Computed]:
    responders, all_responders = (group.only(group.flagged("RESPFL")) for group in (cohort, everybody))
    mrd, complete = responders.flagged("MRDR2FL"), responders.flagged("MRDCR2FL")
    in_cr, in_crh = having("BOR2", "CR")(responders), having("BOR2", "CRh")(responders)
    evaluable = _count(all_responders, all_responders.flagged("MRDR2FL"), all_responders.flagged("MRDEVFL"))
    lower, upper = _limits(evaluable, confidence)
    return {
        "P-09": _count(responders, mrd),
        "P-10": _count(responders, complete),
        "P-11a": _count(responders, mrd, in_cr),
        "P-11b": _count(responders, complete, in_cr),
        "P-12a": _count(responders, mrd, in_crh),
        "P-12b": _count(responders, complete, in_crh),
        "P-13a": evaluable,
        "P-13b": lower,
        "P-13c": upper,
    }


def _time_to_event(analysis: Analysis, cohort: Group, everybody: Group) -> dict[str, Computed]:
    os_cohort, os_all = survival(analysis, "OS", cohort), survival(analysis, "OS", everybody)
    rfs_cohort = survival(analysis, "RFS", cohort.only(cohort.flagged("RESPFL")))
    rfs_all = survival(analysis, "RFS", everybody.only(everybody.flagged("RESPFL")))

    def from_curve(one: Survival, number: float | None) -> Computed:
        return Computed(number, patients=one.group.patients)

    def follow_up(one: Survival) -> Computed:
        return from_curve(one, one.follow_up.quantile(0.5).in_months().value)

    found = {
        "P-14": from_curve(rfs_cohort, rfs_cohort.median.value),
        "P-15": from_curve(os_cohort, os_cohort.median.value),
        "P-16a": from_curve(os_cohort, os_cohort.at(12).value),
        "P-16b": from_curve(os_cohort, os_cohort.at(36).value),
        "P-46a": follow_up(rfs_all),
        "P-46b": follow_up(os_all),
    }
    for one, lines in ((os_all, ("P-17a", "P-17c", "P-17d")), (rfs_all, ("P-17b", "P-17e", "P-17f"))):
        median: Estimate = one.median
        for line, number in zip(lines, (median.value, median.lower, median.upper), strict=True):
            found[line] = from_curve(one, number)
    # The same numbers, once more for the lines from memory that print them with a decimal.
    again = {"g": "a", "h": "c", "i": "d", "j": "b", "k": "e", "l": "f"}
    return found | {f"P-17{line}": found[f"P-17{same}"] for line, same in again.items()}


def _events(analysis: Analysis, cohort: Group, everybody: Group) -> dict[str, Computed]:
    emergent, fatal = safety.emergent(analysis), safety.fatal(analysis)
    neurologic, crs = safety.emergent(analysis, safety.NEUROLOGIC), safety.emergent(analysis, safety.CRS)
    gvhd = safety.gvhd_on_study(analysis)
    worst, worst_neurologic = safety.worst_grades(emergent), safety.worst_grades(neurologic)
    worst_crs, worst_gvhd = safety.worst_grades(crs), safety.worst_grades(gvhd)
    had_neurologic = set(worst_neurologic.index)
    fatal_infection = safety.patients_of(fatal, fatal[safety.INFECTION].notna())
    old, young = from_to("AGE", 65)(everybody), from_to("AGE", 0, 65)(everybody)
    onset = safety.first_onset(everybody.rows_of(neurologic))
    severe = emergent[safety.grades(emergent) >= 3]

    def severe_term(*terms: str) -> Computed:
        return _count(everybody, safety.patients_of(severe, severe["AEDECOD"].isin(terms)))

    return {
        "P-18": _count(cohort, worst.index[worst == 3]),
        "P-19": _count(cohort, worst.index[worst == 4]),
        "P-20a": _count(cohort, safety.patients_of(fatal)),
        "P-20b": _count(cohort, fatal_infection, safety.patients_of(fatal)),
        "P-21a": _count(cohort, worst.index[worst >= 3]),
        "P-21b": _count(cohort, cohort.members.difference(worst.index[worst >= 3])),
        "P-22a": _count(cohort, worst_neurologic.index[worst_neurologic == 3]),
        "P-22b": _count(cohort, worst_neurologic.index[worst_neurologic == 4]),
        "P-23": _count(cohort, worst_crs.index[worst_crs == 3]),
        "P-23b": _count(cohort, worst_crs.index[worst_crs > 3]),
        "P-24": _count(cohort, worst_gvhd.index),
        "P-24b": _count(cohort, worst_gvhd.index[worst_gvhd > 3]),
        "P-24c": _count(cohort, safety.patients_of(gvhd, gvhd["AEACN"] == "DRUG WITHDRAWN")),
        "P-24d": _count(cohort, safety.patients_of(gvhd, gvhd["GVHOSPFL"] == "Y")),
        "P-25a": _count(everybody, had_neurologic),
        "P-25b": _count(everybody, worst_neurologic.index[worst_neurologic >= 3]),
        "P-25c": _count(everybody, safety.patients_of(neurologic, neurologic["AESER"] == "Y")),
        "P-25d": _median(onset),
        "P-26a": _count(everybody, had_neurologic, old),
        "P-26b": _count(everybody, had_neurologic, young),
        "P-45a": severe_term("Febrile neutropenia"),
        "P-45b": severe_term("Neutropenia"),
        "P-45c": severe_term("Anaemia"),
        "P-45d": _count(everybody, worst_crs.index[worst_crs == 3]),
        "P-45e": _count(everybody, safety.patients_of(fatal, fatal[safety.INFECTION].notna() & (fatal["AREL"] == "Y"))),
    }


def _baseline(cohort: Group, everybody: Group) -> dict[str, Computed]:
    age, cycles = everybody.adsl["AGE"], everybody.adsl["NCYCST"]
    conditioning = zip(cohort.patients, cohort.values("CONDINT"), strict=True)
    known_conditioning = [patient for patient, kind in conditioning if isinstance(kind, str) and kind not in UNKNOWN]
    found = {
        "P-27a": _median(cycles),
        "P-27b": _of(cycles, lambda summary: summary.minimum),
        "P-27c": _of(cycles, lambda summary: summary.maximum),
        "P-28a": _median(age),
        "P-28b": _median(cohort.adsl["AGE"]),
        "P-28c": _of(age, lambda summary: summary.minimum),
        "P-28d": _of(age, lambda summary: summary.maximum),
        "P-32": _count(cohort, having("CONDINT", "MYELOABLATIVE")(cohort), known_conditioning),
        "P-36a": _median(cohort.adsl["TTRELHS"]),
        "P-36b": _median(cohort.adsl["TTDOSE"]),
    }
    choices: tuple[tuple[str, Group, Choose], ...] = (
        ("P-29", everybody, from_to("NSALV", 2)),
        ("P-30", everybody, from_to("BLBM", 75)),
        ("P-31a", cohort, having("DONORGR", "MATCHED SIBLING")),
        ("P-31b", cohort, having("DONORGR", "UNRELATED")),
        ("P-31c", cohort, having("DONORGR", "OTHER")),
        ("P-33", cohort, having("SALVHSFL", "Y")),
        ("P-34", cohort, from_to("NSALV", 2)),
        ("P-44a", cohort, having("NALLO", 1)),
        ("P-44b", cohort, from_to("NALLO", 2)),
    )
    return found | {line: _count(group, choose(group)) for line, group, choose in choices}


def _subgroups(cohort: Group, everybody: Group) -> dict[str, Computed]:
    """Response by subgroup, and transplantation in remission. P-35 is not computed: its meaning is open (STUDY F-02)."""
    responders = everybody.flagged("RESPFL")
    splits: dict[str, Choose] = {
        "P-42a": from_to("BLBM", 0, 50),
        "P-42b": from_to("BLBM", 50),
        "P-42c": having("NSALV", 0),
        "P-42d": having("NSALV", 1),
        "P-42e": having("NSALV", 2),
        "P-42f": from_to("NSALV", 3),
        "P-42k": having("SEX", "M"),
        "P-42l": having("SEX", "F"),
        **{f"P-42{letter}": having("AGEGR1", level) for letter, level in zip("ghij", AGE_GROUPS, strict=True)},
    }
    transplanted = everybody.flagged("RESPFL", "HSCTPFL")
    in_remission = _count(everybody, transplanted, responders)
    return {line: _count(everybody, responders, choose(everybody)) for line, choose in splits.items()} | {
        "P-37a": in_remission,
        "P-37b": _count(everybody, having("BOR2", "CR")(everybody), transplanted),
        "P-37c": _count(everybody, having("BOR2", "CRh")(everybody), transplanted),
        "P-37d": in_remission,
        "P-37e": _count(cohort, transplanted, responders),
    }
