"""The derived answers on cycles, infusion, medication and the end of treatment (STUDY C.1.1 and the CALC fields of B.4)."""

from datetime import date
from decimal import Decimal
from typing import Any

from patients.anchors import (
    cycle_starts,
    days_after,
    doses,
    hours_of,
    infusion_days,
)
from patients.edit_checks.treatment import (
    PREMEDICATION_MG,
    anticancer_on_treatment,
    gap_before,
    immunosuppressant_without_reason,
    inpatient_days,
    is_premedicated,
)
from patients.exposure import dexamethasone_mg
from trial.derivations import at_site, between, declared, rounded
from trial.edit_checks import Casebook, Record


def cycle_start(cycle: Record, book: Casebook) -> Any:
    """CYC.CYCSTDTM."""
    first = cycle_starts(book).get(cycle.number)
    return at_site(first.started_at, first.started_at_offset) if first is not None else None


def cycle_end(cycle: Record, book: Casebook) -> Any:
    """CYC.CYCENDTM; None while the infusion runs."""
    return _last_end([row for row in doses(book) if row.cycle == cycle.number])


def _last_end(given: list[Record]) -> Any:
    if not given or given[-1].ended_at is None:
        return None
    last = max((row for row in given if row.ended_at), key=lambda row: row.ended_at)
    return at_site(last.ended_at, last.ended_at_offset)


def cycle_hospital_days(cycle: Record, book: Casebook) -> int | None:
    """CYC.HOSPD."""
    first = cycle_starts(book).get(cycle.number)
    if first is None:
        return None
    length = book.parameters.days_on + book.parameters.days_off
    return inpatient_days(book, first.started_on, min(days_after(first.started_on, length - 1), book.asked_on))


def cycle_premedicated(cycle: Record, book: Casebook) -> bool | None:
    """CYC.PREOK."""
    first = cycle_starts(book).get(cycle.number)
    return is_premedicated(book, first.started_at, PREMEDICATION_MG) if first is not None else None


def interval_hours(interval: Record, book: Casebook) -> Decimal | None:
    """EX.EXDUR."""
    return rounded(hours_of(interval), 1) if interval.started_at and interval.ended_at else None


def interval_amount(interval: Record, book: Casebook) -> Decimal | None:
    """EX.EXTOTDOS."""
    if not interval.started_at or not interval.ended_at or interval.dose_ug_per_day is None:
        return None
    return rounded(float(interval.dose_ug_per_day) * hours_of(interval) / 24, 1)


def interruption_hours(interval: Record, book: Casebook) -> Decimal | None:
    """EX.EXINTH: of an interruption its own length, of a dose how long nothing ran before it; None where nothing was stopped."""
    if not interval.started_at:
        return None
    if interval.dose_ug_per_day == 0:
        return interval_hours(interval, book)
    gap = gap_before(interval, book).total_seconds() / 3600
    return rounded(gap, 1) if gap > 0 else None


def dexamethasone_amount(line: Record, book: Casebook) -> Any:
    """DEX.DEXTOT."""
    if not line.dose_mg or line.given_on is None:
        return None
    ends: list[date | None] = [line.last_day.earliest, line.last_day.latest] if line.last_day else [None, None]
    least, most = (dexamethasone_mg(float(line.dose_mg), line.frequency, line.given_on, end) for end in ends)
    return between(rounded(least, 1), rounded(most, 1))


def is_prohibited(medication: Record, book: Casebook) -> bool | None:
    """CM.CMPROH; None where the dates are known in part and it cannot be told."""
    if medication.started is None:
        return None
    verdicts = [anticancer_on_treatment(medication, book), immunosuppressant_without_reason(medication, book)]
    return True if True in verdicts else None if None in verdicts else False


def block_of(end: Record, book: Casebook) -> list[Record]:
    """The infusion intervals with a dose of the block that this form ends: the first block, or the retreatment."""
    again = {row.number for row in book.all("CYC") if row.kind == "RETREATMENT"}
    earlier = [row for row in book.all("EOT") if row.key != end.key and (not end.key or row.key < end.key)]
    return [row for row in doses(book) if (row.cycle in again) == bool(earlier)]


def last_infusion_on(end: Record, book: Casebook) -> date | None:
    """EOT.EOTDAT; None while the infusion runs."""
    given = block_of(end, book)
    if not given or given[-1].ended_at is None:
        return None
    return max(row.ended_on for row in given if row.ended_at)


def cycles_started(end: Record, book: Casebook) -> int:
    """EOT.NCYCST."""
    return len(_cycles_of(end, book))


def cycles_completed(end: Record, book: Casebook) -> int:
    """EOT.NCYCCMP."""
    least = float(book.parameters.completed_cycle_days)
    return sum(round(infusion_days(book, cycle), 5) >= least for cycle in _cycles_of(end, book))


def _cycles_of(end: Record, book: Casebook) -> set[int]:
    return {row.cycle for row in block_of(end, book) if row.cycle is not None}


# The name, the label, the unit, the rule in words, where STUDY gives it, the function, and the forms that it reads.
DERIVATIONS = (
    *declared(
        "CYC",
        (
            "CYCSTDTM",
            "Infusion start",
            "",
            "The start of the first infusion interval with a dose in this cycle.",
            "C.1.1",
            cycle_start,
            "EX",
        ),
        (
            "CYCENDTM",
            "Last infusion end",
            "",
            "The end of the last infusion interval with a dose in this cycle; none while it runs.",
            "C.1.1",
            cycle_end,
            "EX",
        ),
        (
            "HOSPD",
            "Days in hospital",
            "days",
            "Days of the cycle, 42 at most, on which a hospitalisation is recorded.",
            "B.4 CYC",
            cycle_hospital_days,
            "EX HO",
        ),
        (
            "PREOK",
            "Premedication before the start",
            "",
            "Dexamethasone of at least 20 mg as premedication in the 3 hours before the start.",
            "B.4 CYC",
            cycle_premedicated,
            "EX DEX",
        ),
    ),
    *declared(
        "EX",
        (
            "EXDUR",
            "Duration",
            "hours",
            "From start to stop; a change of the clocks does not count.",
            "C.8",
            interval_hours,
            "",
        ),
        ("EXTOTDOS", "Amount", "µg", "Dose rate times duration.", "C.8", interval_amount, ""),
        (
            "EXINTH",
            "Interruption",
            "hours",
            "How long nothing was infused: of an interruption its own length, of a restart the gap before it.",
            "C.8",
            interruption_hours,
            "EX",
        ),
    ),
    *declared(
        "DEX",
        (
            "DEXTOT",
            "Cumulative amount",
            "mg",
            "Single dose, times a day, days; first and last day included.",
            "C.8",
            dexamethasone_amount,
            "",
        ),
    ),
    *declared(
        "CM",
        (
            "CMPROH",
            "Prohibited medication",
            "",
            "Anticancer drugs, and immunosuppressants without an event or GVHD as reason, while blinatumomab is given.",
            "B.4 CM",
            is_prohibited,
            "EX",
        ),
    ),
    *declared(
        "EOT",
        (
            "EOTDAT",
            "Last infusion end",
            "",
            "The day on which the last infusion interval with a dose ended; none while it runs.",
            "C.1.1",
            last_infusion_on,
            "EX CYC EOT",
        ),
        ("NCYCST", "Cycles started", "", "Cycles with a dose.", "C.8", cycles_started, "EX CYC EOT"),
        (
            "NCYCCMP",
            "Cycles completed",
            "",
            "Cycles with at least 27 days of infusion.",
            "C.8",
            cycles_completed,
            "EX CYC EOT",
        ),
    ),
)
