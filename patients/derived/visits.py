"""The derived answers on visits, laboratory, marrow and response (STUDY C.1.1 and the CALC fields of B.4)."""

from typing import Any

from patients.anchors import (
    as_partial,
    days_after,
    is_within,
)
from patients.assessing import response_by_algorithm
from patients.edit_checks.baseline import clearances
from patients.edit_checks.visits import ice_total, transfused
from patients.response import AT_LEAST_CUT, COMPLETE, DETECTABLE, NOT_EVALUABLE, Mrd, mrd_category
from trial.code_lists import label_of
from trial.derivations import between, declared, rounded
from trial.edit_checks import Casebook, Record

TRANSFUSION_DAYS, STIMULATION_DAYS = 7, 14
MRD_CATEGORIES = [
    (COMPLETE, "Complete"),
    (DETECTABLE, "Below 10⁻⁴, detectable"),
    (AT_LEAST_CUT, "10⁻⁴ or more"),
    (NOT_EVALUABLE, "Not evaluable"),
]


def platelets_transfused(sample: Record, book: Casebook) -> bool | None:
    """LBH.TRF7."""
    if sample.taken_on is None:
        return None
    return transfused(book, "PLATELETS", days_after(sample.taken_on, -TRANSFUSION_DAYS), sample.taken_on)


def stimulated(sample: Record, book: Casebook) -> bool | None:
    """LBH.GCSF14; None where the day of the medication is known in part and may or may not lie there."""
    if sample.taken_on is None:
        return None
    given = [as_partial(row.given_on) for row in book.all("TRF") if row.product == "G-CSF" and row.given_on]
    given += [row.started for row in book.all("CM") if row.category == "G-CSF" and row.started]
    first = days_after(sample.taken_on, -STIMULATION_DAYS)
    verdicts = [is_within(day, first, sample.taken_on) for day in given]
    return True if True in verdicts else None if None in verdicts else False


def clearance(sample: Record, book: Casebook) -> Any:
    """LBC.CRCL."""
    found = clearances(sample, book)
    return between(*(rounded(each, 0) for each in found)) if found is not None else None


def marrow_mrd(assay: Record, book: Casebook) -> str | None:
    """MRD.MRDRESP, from all assays of the same marrow."""
    if assay.marrow_id is None:
        return None
    rows = [row for row in book.all("MRD") if row.marrow_id == assay.marrow_id]
    assays = [Mrd(row.result, row.sensitivity, row.quantitative_range, row.level) for row in rows]
    return label_of(MRD_CATEGORIES, mrd_category(assays, cut=book.parameters.mrd_cut))


def response_differs(assessment: Record, book: Casebook) -> bool | None:
    """RS.RSDISC."""
    algorithm = response_by_algorithm(assessment, book)
    return None if algorithm is None or assessment.response is None else algorithm != assessment.response


# The name, the label, the unit, the rule in words, where STUDY gives it, the function, and the forms that it reads.
DERIVATIONS = (
    *declared(
        "PS",
        (
            "ICETOT",
            "ICE total",
            "points",
            "The sum of the five parts; none while a part is blank.",
            "C.7.4",
            lambda record, book: ice_total(record),
            "",
        ),
    ),
    *declared(
        "LBH",
        (
            "TRF7",
            "Platelets transfused in the 7 days before",
            "",
            "From the transfusions.",
            "B.4 LBH",
            platelets_transfused,
            "TRF",
        ),
        (
            "GCSF14",
            "G-CSF in the 14 days before",
            "",
            "From the growth factors and the medications.",
            "B.4 LBH",
            stimulated,
            "TRF CM",
        ),
    ),
    *declared(
        "LBC",
        (
            "CRCL",
            "Creatinine clearance",
            "mL/min",
            "Cockcroft and Gault, with the age at consent and the last weight up to the sample.",
            "C.11",
            clearance,
            "DM ENR PS",
        ),
    ),
    *declared(
        "MRD",
        (
            "MRDRESP",
            "MRD of the marrow",
            "",
            "All assays of the same marrow together; the worst marker decides.",
            "C.3",
            marrow_mrd,
            "MRD",
        ),
    ),
    *declared(
        "RS",
        (
            "RSALGO",
            "Response by algorithm",
            "",
            "From the marrow, the blood counts around it and extramedullary disease.",
            "C.2",
            response_by_algorithm,
            "BM BDIS LBH EMD EX NTX NSCT RS",
        ),
        (
            "RSDISC",
            "Differs from the assessor",
            "",
            "Whether the response by algorithm is another one than that of the assessor.",
            "C.2",
            response_differs,
            "BM BDIS LBH EMD EX NTX NSCT RS",
        ),
    ),
)
