"""The derived answers on what was before the study (STUDY C.1.1 and the CALC fields of B.4)."""

from decimal import Decimal
from typing import Any

from patients.anchors import (
    allografts,
    as_partial,
    baseline_marrow,
    blasts_of,
    first_dose_on,
    last_before_first_dose,
    measured,
    number_or_text,
)
from patients.edit_checks.baseline import is_pre_phase_indicated
from patients.edit_checks.enrolment import ages_at_consent
from trial.derivations import between, declared, rounded
from trial.edit_checks import Casebook, Record
from trial.partial_dates import PartialDate
from trial.schedule import months_between


def months(earlier: PartialDate | None, later: PartialDate | None) -> Any:
    """The months from one day to another, or what they lie between; None where either is blank."""
    if earlier is None or later is None:
        return None
    least, most = months_between(earlier.latest, later.earliest), months_between(earlier.earliest, later.latest)
    return between(rounded(least, 1), rounded(most, 1))


def age_at_consent(record: Record, book: Casebook) -> Any:
    """DM.AGE."""
    ages = ages_at_consent(record.born_on, book) if record.born_on else None
    return between(*ages) if ages is not None else None


def first_remission_months(record: Record, book: Casebook) -> Any:
    """ALLH.CR1DUR."""
    return months(record.first_cr_on, record.first_relapse_on)


def last_relapse(record: Record, book: Casebook) -> PartialDate | None:
    """ALLH.LASTREL: that of the last allogeneic transplantation which has one."""
    relapses = [row.relapsed_on for row in allografts(book) if row.relapsed_on]
    return relapses[-1] if relapses else None


def months_to_relapse(record: Record, book: Casebook) -> Any:
    """HSCT.TTRELHS."""
    return months(record.transplanted_on, record.relapsed_on)


def months_to_first_dose(record: Record, book: Casebook) -> Any:
    """HSCT.TTDOSE."""
    first = first_dose_on(book)
    return months(record.transplanted_on, as_partial(first)) if first is not None else None


def baseline_blasts(record: Record, book: Casebook) -> Any:
    """BDIS.BLBM, with the qualifier of the reader. The local reading stands in for the central one, as in C.2."""
    marrow = baseline_marrow(book)
    if marrow is None or marrow.blasts_percent is None:
        return None
    is_exact = marrow.blasts_qualifier in (None, "=")
    return marrow.blasts_percent if is_exact else f"{marrow.blasts_qualifier} {marrow.blasts_percent.normalize():f}"


def blast_category(record: Record, book: Casebook) -> str | None:
    """BDIS.BLBMCAT."""
    blasts = blasts_of(baseline_marrow(book))
    if blasts is None:
        return None
    return (
        "Below 10"
        if blasts < 10
        else "10 to below 50"
        if blasts < 50
        else "50 to below 75"
        if blasts < 75
        else "75 or more"
    )


def blood_blasts(record: Record, book: Casebook) -> Decimal | str | None:
    """BDIS.BLPB, with the qualifier of the laboratory."""
    return number_or_text(measured(last_before_first_dose(book, "LBH"), "BLAST"))


def pre_phase(record: Record, book: Casebook) -> bool | None:
    """BDIS.PREPHASE; None where neither marrow nor blood is known."""
    if blasts_of(baseline_marrow(book)) is None and blood_blasts(record, book) is None:
        return None
    return is_pre_phase_indicated(book)


# The name, the label, the unit, the rule in words, where STUDY gives it, the function, and the forms that it reads.
DERIVATIONS = (
    *declared(
        "DM",
        ("AGE", "Age at consent", "years", "Whole years from birth to consent.", "B.4 DM", age_at_consent, "ENR"),
    ),
    *declared(
        "ALLH",
        (
            "CR1DUR",
            "Duration of first CR",
            "months",
            "From the first CR to the first relapse; a month is 30.4375 days.",
            "B.4 ALLH",
            first_remission_months,
            "",
        ),
        (
            "LASTREL",
            "Current (last) relapse",
            "",
            "The relapse after the last allogeneic transplantation that has one.",
            "C.1.1",
            last_relapse,
            "HSCT",
        ),
        LASTREL="last_relapse_on",
    ),
    *declared(
        "HSCT",
        (
            "TTRELHS",
            "Transplantation to relapse",
            "months",
            "From the graft infusion to the relapse; a month is 30.4375 days.",
            "C.9",
            months_to_relapse,
            "",
        ),
        (
            "TTDOSE",
            "Transplantation to first dose",
            "months",
            "From the graft infusion to the first dose; a month is 30.4375 days.",
            "C.9",
            months_to_first_dose,
            "EX",
        ),
    ),
    *declared(
        "BDIS",
        (
            "BLBM",
            "Marrow blasts at baseline",
            "%",
            "The central reading of the baseline marrow; the local one where the central cannot be read.",
            "C.1.1, C.2",
            baseline_blasts,
            "BM",
        ),
        (
            "BLBMCAT",
            "Category of marrow blasts",
            "%",
            "By the marrow blasts at baseline.",
            "C.1.1",
            blast_category,
            "BM",
        ),
        (
            "BLPB",
            "Blood blasts",
            "10^9/L",
            "The last blood count before the first dose.",
            "C.1.1",
            blood_blasts,
            "LBH EX",
        ),
        (
            "PREPHASE",
            "Pre-phase dexamethasone indicated",
            "",
            "Marrow blasts above 50 %, or blood blasts of 15 × 10^9/L or more. LDH is not read. Not confirmed by the protocol.",
            "A.2",
            pre_phase,
            "BM LBH EX",
        ),
    ),
)
