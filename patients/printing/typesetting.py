"""From the plain values of a document to a PDF: tagged, for the archive, and the same bytes for the same values.

The rule: text reaches the typesetter as data and is never read as markup.
"""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import typst

from patients.printing.characters import FONTS, STANDARDS, fonts, printable
from patients.printing.document import Document

TEMPLATE = Path(__file__).with_name("casebook.typ")


def typeset(document: Document, at: datetime) -> bytes:
    """The document as a PDF that says it was made at this instant."""
    return typst.compile(
        TEMPLATE.read_bytes(),
        sys_inputs={"document": data_of(document, at)},
        font_paths=fonts(),
        pdf_standards=STANDARDS,
        timestamp=int(at.timestamp()),
    )


def data_of(document: Document, at: datetime) -> str:
    """The document as the template reads it."""
    made = [at.year, at.month, at.day, at.hour, at.minute, at.second]
    return json.dumps(_printable({**asdict(document), "made": made, "fonts": FONTS}), ensure_ascii=False)


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {key: _printable(inside) for key, inside in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(inside) for inside in value]
    return value
