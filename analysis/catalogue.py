"""The outputs in report order: number, title, population, how it is made, footnotes (STUDY D.3). A new report is a new entry."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from analysis.figures import flow_figure, kaplan_meier_figure
from analysis.results import Figure, Output, Table
from analysis.tables import baseline, flow, reproduced, response, safety, survival, treatment
from analysis.tables.groups import Analysis

# The study whose published figures are in STUDY E.1.
REFERENCE_STUDY = "MT103-211"

Base = Literal["treated", "safety", "responders", "transplanted", "screened", "published"]
Content = tuple[Sequence[Table], Sequence[Figure]]


class NotInCatalogue(ValueError):
    """What was asked for is not there. The message lists what would be right; `status` is the HTTP status that fits."""

    def __init__(self, message: str, *, status: int = 404) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Entry:
    """One output: what it is called, whom it is about, and the function that makes it from the datasets."""

    number: str
    title: str
    base: Base
    make: Callable[[Analysis], Content]
    footnotes: tuple[str, ...] = ()

    def population(self, analysis: Analysis) -> str:
        """The analysis set of STUDY A.3 for the cohort that the report is about."""
        code = analysis.cohort.code
        fixed = {"transplanted": "PHSCT", "screened": "SCR", "published": "as published"}
        varying = {
            "treated": code,
            "safety": "SAF" if code == "FAS" else f"SAF {code}",
            "responders": "RESP" if code == "FAS" else f"{code}-R",
        }
        return (fixed | varying)[self.base]

    def output(self, analysis: Analysis) -> Output:
        """The finished output."""
        tables, figures = self.make(analysis)
        return Output(
            number=self.number,
            title=self.title,
            population=self.population(analysis),
            tables=tuple(tables),
            figures=tuple(figures),
            footnotes=self.footnotes,
        )


def entries(study: str) -> tuple[Entry, ...]:
    """The outputs that a study has, in report order. Published figures are there for the study that has them."""
    return tuple(entry for entry in CATALOGUE if entry.base != "published" or study == REFERENCE_STUDY)


def choose(study: str, numbers: Sequence[str] | None) -> tuple[Entry, ...]:
    """The outputs with these numbers, in report order; all of them when none is named. Raises `NotInCatalogue`."""
    available = entries(study)
    if not numbers:
        return available
    known = [entry.number for entry in available]
    unknown = [number for number in numbers if number not in known]
    if unknown:
        raise NotInCatalogue(f"There is no output {', '.join(unknown)}. Choose from {', '.join(known)}.")
    return tuple(entry for entry in available if entry.number in numbers)


def _table(make: Callable[[Analysis], Table]) -> Callable[[Analysis], Content]:
    def content(analysis: Analysis) -> Content:
        return (make(analysis),), ()

    return content


def _flow(analysis: Analysis) -> Content:
    boxes = flow.boxes(analysis)
    return (flow.flow(boxes),), (flow_figure(boxes),)


def _curve(parameter: str, endpoint: str, origin: str) -> Callable[[Analysis], Content]:
    def content(analysis: Analysis) -> Content:
        found = survival.drawn(analysis, parameter)
        tables = [survival.at_risk_table(found), *(survival.steps_table(one) for one in found)]
        return tables, (kaplan_meier_figure(found, endpoint=endpoint, origin=origin),)

    return content


def _reproduction(analysis: Analysis) -> Content:
    return (reproduced.reproduction(analysis), reproduced.sources()), ()


_PERCENT = "Counts are patients: number / patients in the column (%)."
_SURVIVAL = (
    "Kaplan-Meier; times are whole days, divided by 30.4375 into months. Median with the interval of Brookmeyer and "
    "Crowley, survival with Greenwood's variance on the log-log scale; 95 %, two-sided. NE: not estimable."
)
_EMERGENT = (
    "Treatment-emergent: began or worsened between the first infusion and 30 days after the last (C.7.1). Grades are "
    "CTCAE v4.03; each patient counts once, with the worst grade."
)
_RESPONSE = (
    "Best response within the first two cycles by the algorithm of C.2 and C.4 on marrow, blood counts and extramedullary "
    "disease; adjudicated values come first. A patient without an assessment is no responder."
)
_RFS = (
    "From the first CR or CRh to haematological relapse or death in remission, whichever is first; else censored at the "
    "last disease assessment (C.5)."
)
_OS = "From the first dose to death from any cause; else censored at the last day known alive (C.5)."

CATALOGUE: tuple[Entry, ...] = (
    Entry(
        "F-1.2",
        "Flow of the patients",
        "screened",
        _flow,
        (
            "Prior alloHSCT: treated, with at least one allogeneic transplant before the first dose and a relapse after the "
            "last of them (PHSCT, F-01).",
            "AlloHSCT in remission: after the first dose, in CR or CRh, with no other anticancer therapy in between.",
        ),
    ),
    Entry(
        "T-2.1",
        "Demographics and baseline characteristics",
        "treated",
        _table(baseline.demographics),
        ("Age at consent. Baseline is the last value before the first dose.", _PERCENT),
    ),
    Entry(
        "T-2.3",
        "Transplant history",
        "transplanted",
        _table(baseline.transplants),
        (
            "Percentages are of the patients with a known value; how many are not known is shown.",
            "Donor, match, graft and conditioning are those of the last allogeneic transplant before the first dose.",
        ),
    ),
    Entry(
        "T-2.4",
        "Intervals between transplant, relapse and first dose",
        "transplanted",
        _table(baseline.intervals),
        ("A date of which only the month is known counts as its 15th; of a year alone no interval is taken (C.12).",),
    ),
    Entry(
        "T-3.1",
        "Exposure to blinatumomab",
        "safety",
        _table(treatment.exposure),
        (
            "Planned: 651 µg in cycle 1, 784 µg in each later cycle. Relative dose intensity: given / planned over the cycles "
            "begun.",
            "A cycle is completed with at least 27 infusion days, whatever the reason for ending it earlier.",
        ),
    ),
    Entry(
        "T-4.1",
        "CR/CRh within the first two cycles",
        "treated",
        _table(response.remission),
        (_RESPONSE, "Exact interval of Clopper and Pearson, 95 %, two-sided."),
    ),
    Entry(
        "T-4.2",
        "Best response within the first two cycles",
        "treated",
        _table(response.best_response),
        (_RESPONSE, "Exact interval of Clopper and Pearson, 95 %, two-sided."),
    ),
    Entry(
        "T-4.3",
        "MRD response within the first two cycles",
        "responders",
        _table(response.residual_disease),
        (
            "MRD response: below 1e-4 in a sample at or after the first CR or CRh and before other therapy. Complete: no "
            "marker detected, at a sensitivity of at least 1e-4.",
            "A positive sample below a quantitative range that may lie above 1e-4, and a negative one of lower sensitivity, "
            "is not evaluable (C.3).",
        ),
    ),
    Entry("T-5.1", "Relapse-free survival", "responders", _table(survival.relapse_free), (_RFS, _SURVIVAL)),
    Entry(
        "F-5.2",
        "Relapse-free survival, Kaplan-Meier",
        "responders",
        _curve("RFS", "Relapse-free survival", "the first CR or CRh"),
        (_RFS, _SURVIVAL, "Ticks: censored patients. At risk: patients with a time of at least that many months."),
    ),
    Entry("T-5.3", "Overall survival", "treated", _table(survival.overall), (_OS, _SURVIVAL)),
    Entry(
        "F-5.4",
        "Overall survival, Kaplan-Meier",
        "treated",
        _curve("OS", "Overall survival", "the first dose"),
        (
            _OS,
            _SURVIVAL,
            "Ticks: censored patients. At risk: patients with a time of at least that many months.",
            "All treated includes the cohort; the two curves are not compared.",
        ),
    ),
    Entry(
        "T-5.10",
        "Follow-up and data status",
        "treated",
        _table(survival.data_status),
        ("Median follow-up by reverse Kaplan-Meier: the end of observation is the event, death censors it.",),
    ),
    Entry(
        "T-6.1",
        "Overview of treatment-emergent adverse events",
        "safety",
        _table(safety.overview),
        (_EMERGENT, "Progression of the leukaemia is a cause of death and no adverse event (F-13)."),
    ),
    Entry(
        "T-6.3",
        "Worst grade of each patient",
        "safety",
        _table(safety.worst_grade),
        (_EMERGENT, "The rows exclude each other and add up to the column."),
    ),
    Entry(
        "T-6.4",
        "Neurologic events",
        "safety",
        _table(safety.neurologic),
        (
            _EMERGENT,
            "Broad and narrow basket of Marrow's own term list, which is not MedDRA; the broad one is the headline.",
        ),
    ),
    Entry("T-6.5", "Cytokine release syndrome", "safety", _table(safety.cytokine_release), (_EMERGENT,)),
    Entry(
        "T-6.6",
        "Graft-versus-host disease during the study",
        "safety",
        _table(safety.graft_versus_host),
        (_EMERGENT, "GVHD that began on or after a later transplant is counted apart (F-11)."),
    ),
    Entry(
        "L-6.8",
        "Fatal adverse events",
        "safety",
        _table(safety.fatal_events),
        (
            "Days count from the first dose, which is day 1.",
            "Progression of the leukaemia is a cause of death and no adverse event (F-13).",
        ),
    ),
    Entry(
        "A-9.3",
        "Published figures beside computed ones",
        "published",
        _reproduction,
        (
            "Checks (E.3): a count is compared exactly; a rounded figure after rounding ours once, half away from zero, to the "
            "printed digits; an informative one and one of another population are shown and not judged.",
            "The cohorts are those of each line, whatever the report is about.",
            "While the study is synthetic, agreement shows that the plumbing is whole. That the statistics are right is shown "
            "by the validation of the estimates.",
            "Figures marked “from memory, not verified” were not read in a source and are no facts.",
        ),
    ),
)
