"""Corrections: some first entries were wrong and were put right later, with a reason. Only the past is wrong, never the end."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from analysis.demo.casebook import Row
from patients.laboratory_grades import Normal, laboratory_grade

LAST = datetime(2017, 2, 10, 15, 0, tzinfo=UTC)
SHARE = 0.0125

_MISREAD = "Transcription error: the digits were swapped."
_SOURCE = "Corrected after comparison with the source document."
_QUERY = "Answer to a data management query."
_REPORT = "Corrected report of the laboratory received."


@dataclass(eq=False, slots=True)
class Correction:
    """What one row said at first, and when, why and by whom it was put right."""

    row: Row
    wrong: dict[str, Any]
    reason: str
    at: datetime
    by: str = "coordinator"


def _next_digits(value: Any, rng: random.Random) -> Any:
    """A number as it is misread: a tenth more or less, at least one step of its last place."""
    number = Decimal(value)
    exponent = number.as_tuple().exponent
    step = Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)
    moved = max(step, (number * Decimal("0.1")).quantize(step))
    return number + moved if rng.random() < 0.5 or number <= moved else number - moved


def _wrong_count(row: Row, rng: random.Random) -> dict[str, Any] | None:
    value = row.values["value"]
    if row.values["test"] not in ("PLAT", "HGB", "WBC") or not value:
        return None
    wrong = _next_digits(value, rng)
    unit, normal = row.values["unit_text"], Normal(row.values["low"], row.values["high"])
    typed = wrong / 10 if unit == "g/dL" else wrong
    grade = laboratory_grade(row.values["test"], typed, unit, normal).grade
    graded = {} if grade == row.values["grade"] else {"grade": grade}
    return {"value": wrong, "value_text": f"{typed.normalize():f}", **graded}


def _wrong_weight(row: Row, rng: random.Random) -> dict[str, Any] | None:
    return {"weight_kg": _next_digits(row.values["weight_kg"], rng)}


def _wrong_blasts(row: Row, rng: random.Random) -> dict[str, Any] | None:
    return {"blasts_percent": Decimal(min(100, int(row.values["blasts_percent"]) + rng.randint(1, 4)))}


def _wrong_contact(row: Row, rng: random.Random) -> dict[str, Any] | None:
    return {"source": "PHONE" if row.values["source"] == "VISIT" else "PHYSICIAN"}


def _wrong_event(row: Row, rng: random.Random) -> dict[str, Any] | None:
    values = row.values
    if rng.random() < 0.5:
        return {"relation": "NOT RELATED" if values["relation"] == "RELATED" else "RELATED"}
    return (
        {"is_ongoing": True, "ended": None, "outcome": "NOT RECOVERED/NOT RESOLVED"}
        if values["ended"] and values["grade"] < 5
        else None
    )


def _wrong_premedication(row: Row, rng: random.Random) -> dict[str, Any] | None:
    return {"dose_mg": Decimal(16)} if row.values["purpose"] == "PREMEDICATION" else None


def _wrong_death(row: Row, rng: random.Random) -> dict[str, Any] | None:
    return (
        {"cause_in_words": "Unknown, report requested", "primary_cause": "UNKNOWN"}
        if row.values["event_number"] is None
        else None
    )


def _wrong_donor(row: Row, rng: random.Random) -> dict[str, Any] | None:
    return {"hla_match": "UNKNOWN"} if row.values.get("hla_match") else None


_MISTAKES: dict[str, tuple[Callable[[Row, random.Random], dict[str, Any] | None], str, float]] = {
    "LBH.RESULT": (_wrong_count, _MISREAD, SHARE * 0.6),
    "PS": (_wrong_weight, _SOURCE, SHARE * 1.5),
    "BM": (_wrong_blasts, _REPORT, SHARE),
    "SFU": (_wrong_contact, _QUERY, SHARE),
    "AE": (_wrong_event, _QUERY, SHARE * 3),
    "DEX": (_wrong_premedication, _SOURCE, SHARE),
    "DTH": (_wrong_death, _QUERY, SHARE * 8),
    "HSCT": (_wrong_donor, _SOURCE, SHARE * 8),
}


def choose_corrections(rows: Sequence[Row], rng: random.Random) -> list[Correction]:
    """The corrections of one patient's rows, each some days or months after the first entry and before the database closed."""
    found = []
    for row in rows:
        if row.form not in _MISTAKES or row.at is None:
            continue
        mistake, reason, share = _MISTAKES[row.form]
        if rng.random() >= share or (wrong := mistake(row, rng)) is None:
            continue
        days = rng.choice((1, 3, 8, 15, 33, 61, 120))
        at = row.at + timedelta(days=days, minutes=rng.randint(0, 120))
        if at < LAST:
            found.append(Correction(row, wrong, reason, at))
    return found
