"""Frames as the extract makes them, for tests: every form with the columns that are read, filled with a few rows."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from itertools import count
from typing import Any, get_type_hints

import numpy as np
import pandas as pd

from analysis.derive.rows import FORMS

DAYS = (date, date | None, datetime, datetime | None)
NUMBERS = (float, float | None, int)
BLOOD = {
    "LBH": {"record": int, "taken_at": datetime | None, "taken_at_offset": float | None},
    "LBH.RESULT": {
        "record": int,
        "sample_id": float | None,
        "test": str | None,
        "value": float | None,
        "value_text": str | None,
    },
}

_records = count(100_000)


def empty_frames(patients: Iterable[str] = ("SYN-001-001",)) -> dict[str, pd.DataFrame]:
    """A frame for each form, without rows, and these patients at one site."""
    numbers = list(patients)
    subjects = {"patient": numbers, "site": "001", "country": "DEU", "region": "EUROPE"}
    frames = {"SUBJ": pd.DataFrame(subjects, columns=list(subjects), dtype=object)}
    for form in [*FORMS, *BLOOD]:
        fill(frames, form, [])
    return frames


def fill(frames: dict[str, pd.DataFrame], form: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Put these rows in the frame of a form; of the only patient, and with a new record, unless they say otherwise."""
    hints = BLOOD.get(form) or get_type_hints(FORMS[form][1])
    filled = [{"record": next(_records), **answers} for answers in rows]
    patients = [answers.get("patient", frames["SUBJ"]["patient"].iloc[0]) for answers in filled]
    columns = {name: _column(hint, [answers.get(name) for answers in filled]) for name, hint in hints.items()}
    frames[form] = pd.DataFrame({"patient": np.array(patients, dtype=object), **columns})


def _column(hint: Any, values: list[Any]) -> Any:
    if hint in DAYS:
        return np.array(values, dtype="datetime64[s]").astype("datetime64[ns]")
    if hint in NUMBERS:
        numbers = np.array(values, dtype="float64")
        return numbers.astype("int64") if hint is int and not np.isnan(numbers).any() else numbers
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
