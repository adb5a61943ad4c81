"""The soft limits that lie between answers (STUDY B.4, column Soft): what one answer says of another, or of an earlier record.

Limits on one answer alone are declared with it (`patients.soft_limits`). Where STUDY B.5 asks the same, its check asks and not
this one: ICE (EC-080), days in hospital (EC-132), late reports (EC-154), visit windows (EC-060), ECOG at screening (EC-056).
"""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from patients.anchors import (
    are_counted,
    as_partial,
    days_after,
    died_on,
    doses,
    is_longer,
    measured,
    naming,
    relapsed,
    responded,
)
from patients.response import BFHM, REMISSIONS
from trial.edit_checks import Casebook, EditCheck, Record, Severity, Verdict
from trial.partial_dates import PartialDate
from trial.schedule import DAYS_PER_MONTH

ERROR, WARNING = Severity.ERROR, Severity.WARNING
SCREENING_DAYS = 28  # from consent to the first dose (EC-014)
PREMEDICATION_MG = 20
LONGEST_REMISSION_MONTHS = 60
LATEST_ENGRAFTMENT_DAYS = 45
LONGEST_STAY_DAYS = 90
LARGEST_CHANGE = Decimal("0.1")  # of the weight
CONTACT_DAYS = 30


def longer_than(earlier: PartialDate, later: PartialDate, days: float) -> Verdict:
    """Whether more than so many days lie between two dates, naming how many."""
    return naming(is_longer(earlier, later, days), days=(later.latest - earlier.earliest).days)


def consent_before_the_study(record: Record, book: Casebook) -> Verdict:
    """SL-ENR.RFICDAT: before the first screening that could lead to an enrolment."""
    first = book.parameters.enrolled_from - timedelta(days=SCREENING_DAYS)
    return {"first": first} if record.consented_on < first else False


def later_consent_is_earlier(record: Record, book: Casebook) -> Verdict:
    """SL-CONSENT.RFICDAT."""
    days = [row.consented_on for row in record.rows.get("ENR.CONSENT", ()) if row.consented_on]
    early = [day for day in days if day < record.consented_on]
    return {"day": min(early)} if early else False


def withdrawal_before_consent(record: Record, book: Casebook) -> Verdict:
    """SL-WDR.WDDAT."""
    enrolment = book.one("ENR")
    if enrolment is None or enrolment.consented_on is None or record.withdrawn_on >= enrolment.consented_on:
        return False
    return {"consented": enrolment.consented_on}


def long_remission(began: PartialDate, ended: PartialDate) -> Verdict:
    """SL-ALLH.CR1DUR."""
    days = LONGEST_REMISSION_MONTHS * DAYS_PER_MONTH
    months = f"{(ended.latest - began.earliest).days / DAYS_PER_MONTH:.0f}"
    return naming(is_longer(began, ended, days), months=months)


def weighings(book: Casebook) -> Sequence[Record]:
    """The records with a weight in the order of their days."""
    return sorted((row for row in book.all("PS") if row.assessed_on and row.weight_kg), key=lambda row: row.assessed_on)


def weight_changed(record: Record, book: Casebook) -> Verdict:
    """SL-PS.WEIGHT.CHANGE: against the weight before it."""
    weighed = book.once(weighings)
    before = bisect_left(weighed, record.assessed_on, key=lambda row: row.assessed_on)
    if not before:
        return False
    day = weighed[before - 1].assessed_on
    last = weighed[bisect_left(weighed, day, key=lambda row: row.assessed_on)]  # of two on a day, the first
    if abs(record.weight_kg - last.weight_kg) <= LARGEST_CHANGE * last.weight_kg:
        return False
    return {"before": last.weight_kg, "day": last.assessed_on}


def odd_dose(record: Record, book: Casebook) -> Verdict:
    """SL-EX.EXDOSE."""
    return record.dose_ug_per_day not in {0, book.parameters.first_step_dose, book.parameters.full_dose}


def blasts_in_remission(record: Record, book: Casebook) -> Verdict:
    """SL-LBH.BLAST: where there is no share of them, about which EC-075 asks."""
    before = responded(book, {*REMISSIONS, BFHM}, days_after(record.taken_on, -1))
    if not are_counted(record, "BLAST") or are_counted(record, "BLASTLE") or not before or relapsed(book):
        return False
    return {"number": measured(record, "BLAST"), "response": before[-1].response, "day": before[-1].assessed_on}


def death_without_notice(record: Record, book: Casebook) -> Verdict:
    """SL-DTH.DTHDAT: no visit, dose or contact in the month before it, and no contact after it that tells of it."""
    death = died_on(book)
    assert death is not None
    contacts = [row.contacted_on for row in book.all("SFU") if row.contacted_on]
    if any(day >= death.earliest for day in contacts):
        return False
    visits = [row.visited_on for row in book.all("SV") if row.visited_on and not row.is_missed]
    infusions = [row.ended_on for row in doses(book) if row.ended_on]
    known = [day for day in (*contacts, *visits, *infusions) if day <= death.latest]
    if not known:
        return False
    return naming(is_longer(as_partial(max(known)), death, CONTACT_DAYS), last=max(known))


CHECKS = (
    EditCheck(
        "SL-ENR.RFICDAT",
        "ENR",
        "consented_on",
        "Consent on {consented_on} is before {first}, from when the study could screen patients. Please confirm, or correct it.",
        WARNING,
        consent_before_the_study,
        needs=("consented_on",),
        by_record=True,
    ),
    EditCheck(
        "SL-CONSENT.RFICDAT",
        "ENR",
        "consented_on",
        "A later consent was signed on {day}, before the first one on {consented_on}. Please check both dates.",
        ERROR,
        later_consent_is_earlier,
        needs=("consented_on",),
        by_record=True,
    ),
    EditCheck(
        "SL-WDR.WDDAT",
        "WDR",
        "withdrawn_on",
        "Consent was withdrawn on {withdrawn_on}, before it was given on {consented}. Please check both dates.",
        ERROR,
        withdrawal_before_consent,
        needs=("withdrawn_on",),
        reads=("ENR",),
    ),
    EditCheck(
        "SL-ALLH.CR1DUR",
        "ALLH",
        "first_relapse_on",
        f"The first remission lasted {{months}} months, more than {LONGEST_REMISSION_MONTHS}. "
        "Please confirm both dates, or correct them.",
        WARNING,
        long_remission,
        needs=("first_cr_on", "first_relapse_on"),
    ),
    EditCheck(
        "SL-HSCT.ENGRDAT",
        "HSCT",
        "engrafted_on",
        f"Engraftment {{days}} days after the transplantation, later than {LATEST_ENGRAFTMENT_DAYS}. "
        "Please confirm both dates, or correct them.",
        WARNING,
        lambda transplanted, engrafted: longer_than(transplanted, engrafted, LATEST_ENGRAFTMENT_DAYS),
        needs=("transplanted_on", "engrafted_on"),
    ),
    EditCheck(
        "SL-PS.WEIGHT.CHANGE",
        "PS",
        "weight_kg",
        "Weight {weight_kg} kg is more than 10 % from the {before} kg of {day}. Please confirm, or correct it.",
        WARNING,
        weight_changed,
        needs=("weight_kg", "assessed_on"),
        reads=("PS",),
    ),
    EditCheck(
        "SL-LBH.BLAST",
        "LBH",
        "taken_at",
        "Blasts of {number} × 10^9/L in blood after {response} on {day}, and no relapse is entered. Please confirm.",
        WARNING,
        blasts_in_remission,
        needs=("taken_on",),
        reads=("RS", "REL"),
    ),
    EditCheck(
        "SL-EX.EXDOSE",
        "EX",
        "dose_ug_per_day",
        "{dose_ug_per_day} µg/day is no dose of the protocol. Please confirm, or correct it.",
        WARNING,
        odd_dose,
        needs=("dose_ug_per_day",),
        by_record=True,
    ),
    EditCheck(
        "SL-DEX.DEXDOSE",
        "DEX",
        "dose_mg",
        f"Premedication of {{dose_mg}} mg, and {PREMEDICATION_MG} mg are planned. Please confirm, or correct it.",
        WARNING,
        lambda purpose, dose: purpose == "PREMEDICATION" and dose != PREMEDICATION_MG,
        needs=("purpose", "dose_mg"),
    ),
    EditCheck(
        "SL-HO.HODISDAT",
        "HO",
        "discharged_on",
        f"A stay of {{days}} days, longer than {LONGEST_STAY_DAYS}. Please confirm both dates, or correct them.",
        WARNING,
        lambda admitted, discharged: longer_than(admitted, discharged, LONGEST_STAY_DAYS),
        needs=("admitted_on", "discharged_on"),
    ),
    EditCheck(
        "SL-DTH.DTHDAT",
        "DTH",
        "died_on",
        f"The last that is entered before the death on {{died_on}} is of {{last}}, more than {CONTACT_DAYS} days earlier. "
        "Please confirm the date, and enter the contact that told of it.",
        WARNING,
        death_without_notice,
        needs=("died_on",),
        reads=("DTH", "SFU", "SV", "EX"),
    ),
)
