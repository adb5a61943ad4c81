"""A table as text, so that a worked example can be checked by eye: `table(...)` reads it into a frame."""

import re
from typing import Any

import numpy as np
import pandas as pd

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_WORDS = {"-": None, "yes": True, "no": False}


def table(text: str) -> pd.DataFrame:
    """Read a header and a line a row. Columns are two or more spaces apart, `#` begins a comment, a bar is only for the eye.

    `-` is blank, `yes` and `no` are flags, `2012-03-01` is a day, what reads as a number is one; the rest is text. A
    column is of days or of numbers where all that is not blank is.
    """
    lines = [line.split("  #")[0].strip() for line in text.strip().splitlines()]
    rows = [re.split(r" {2,}", re.sub(r"\s\|\s", "   ", line)) for line in lines if line and not line.startswith("#")]
    header, *body = rows
    for row in body:
        if len(row) != len(header):
            raise ValueError(f"{len(row)} cells under {len(header)} columns: {row}")
    cells = ([_value(cell) for cell in column] for column in zip(*body, strict=True))
    return pd.DataFrame({name: _column(values) for name, values in zip(header, cells, strict=True)}, columns=header)


def _value(cell: str) -> Any:
    if cell in _WORDS:
        return _WORDS[cell]
    if _DAY.fullmatch(cell):
        return np.datetime64(cell)
    try:
        return float(cell)
    except ValueError:
        return cell


def _column(values: list[Any]) -> Any:
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, np.datetime64) for value in known):
        return np.array(values, dtype="datetime64[D]").astype("datetime64[ns]")
    if known and all(isinstance(value, float) for value in known):
        return np.array(values, dtype="float64")
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
