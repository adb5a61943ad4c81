"""Response within two cycles: CR/CRh (T-4.1), best response (T-4.2) and minimal residual disease (T-4.3)."""

from analysis.results import Row, Table
from analysis.tables.cells import count_row, heading, interval_row
from analysis.tables.groups import Analysis, Choose, flagged, having, those
from patients import codes

# Order of strength (STUDY C.2). RELAPSE follows a remission, so it is never a best response.
BEST = {
    "CR": "CR",
    "CRh": "CRh",
    "CRi": "CRi",
    "BFHM": "Blast-free hypoplastic or aplastic marrow",
    "PR": "Partial remission",
    "NR": "Non-response",
    "PD": "Progressive disease",
    "NE": "Not evaluable",
}


def remission(analysis: Analysis) -> Table:
    """T-4.1: CR or CRh within the first two cycles, then each alone, with exact intervals. No assessment is no response."""
    rows: list[Row] = []
    for variable, best in (("CR/CRh", ("CR", "CRh")), ("CR", ("CR",)), ("CRh", ("CRh",))):
        counts = count_row(variable, analysis.groups, variable, having("BOR2", *best))
        rows += [counts, interval_row(counts, analysis.parameters.confidence)]
    return Table(tuple(group.heading for group in analysis.groups), tuple(rows))


def best_response(analysis: Analysis) -> Table:
    """T-4.2: every category of best response within two cycles. CRi is shown only where the study uses it."""
    rows: list[Row] = []
    for level, label in BEST.items():
        if level == "CRi" and not analysis.parameters.uses_cri:
            continue
        counts = count_row(label, analysis.groups, "best response", having("BOR2", level), level=level)
        rows += [counts, interval_row(counts, analysis.parameters.confidence)]
    return Table(tuple(group.heading for group in analysis.groups), tuple(rows))


def residual_disease(analysis: Analysis) -> Table:
    """T-4.3: MRD response (below 1e-4) and complete MRD response, of the responders and of those who could be evaluated."""
    responders = analysis.responders
    evaluable = count_row("Evaluable", responders, "MRD", flagged("MRDEVFL"), level="evaluable", indent=1)
    unevaluable = count_row("Not evaluable", responders, "MRD", having("MRDEVFL", "N"), level="not evaluable", indent=1)
    rows = [
        heading("Of all responders"),
        *_counts(analysis, None, None),
        evaluable,
        unevaluable,
        heading("Of the evaluable responders"),
        *_counts(analysis, "evaluable", flagged("MRDEVFL")),
        heading("Of the responders with CR"),
        *_counts(analysis, "CR", having("BOR2", "CR")),
        heading("Of the responders with CRh"),
        *_counts(analysis, "CRh", having("BOR2", "CRh")),
        *_methods(analysis),
    ]
    return Table(tuple(group.heading for group in responders), tuple(rows))


def _methods(analysis: Analysis) -> list[Row]:
    """The assays of the sample that first showed each MRD response."""
    adrs = analysis.datasets.adrs
    samples = adrs[adrs["PARAMCD"] == "MRD"].set_index(["USUBJID", "SRCSEQ"])["METHOD"]
    shown = adrs[(adrs["PARAMCD"] == "MRDR2") & (adrs["AVALC"] == "Y")]
    method_of = {str(row.USUBJID): samples.get((row.USUBJID, row.SRCSEQ)) for row in shown.itertuples()}
    rows = [heading("MRD response by method of the sample")]
    for method in sorted({method for method in method_of.values() if isinstance(method, str)}):
        who = those([patient for patient, used in method_of.items() if used == method])
        rows.append(count_row(_method(method), analysis.responders, "MRD response", who, level=method, indent=1))
    return rows


def _method(method: str) -> str:
    words = dict(codes.MRD_METHOD)
    return ", ".join(words.get(one, one) for one in method.split("; "))


def _counts(analysis: Analysis, level: str | None, among: Choose | None) -> list[Row]:
    rows = []
    for label, variable, flag in (
        ("MRD response (below 1e-4)", "MRD response", "MRDR2FL"),
        ("Complete MRD response", "complete MRD response", "MRDCR2FL"),
    ):
        counts = count_row(label, analysis.responders, variable, flagged(flag), level=level, among=among, indent=1)
        rows += [counts, interval_row(counts, analysis.parameters.confidence)]
    return rows
