"""Lists as CSV files that a spreadsheet opens as text: a list of any length, and no formula in it."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

CONTENT_TYPE = "text/csv; charset=utf-8"


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, value: str) -> str:
        return value


def csv_lines(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The lines of the file, one at a time. The mark at its beginning tells spreadsheets that it is UTF-8."""
    writer = csv.writer(_Echo())
    yield "\ufeff" + str(writer.writerow(columns))
    for row in rows:
        yield str(writer.writerow([inert(value) for value in row]))


def inert(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula, made text again."""
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value
