"""How what was recorded is worded for people: dates, codes, yes and no, why an answer is blank.

The rule (LOOK): `12-Mar-2013`, unknown parts `UN-Mar-2013`, the words of a code list and never a bare code where it has
words. What is stored is shown, however it came there: a value that its field would not take is shown as it stands.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from django.db import models

from trial import partial_dates
from trial.code_lists import label_of
from trial.fields import Answer, CodesField, MomentField, NumberField, OffsetField, PartialDateField

WHY_BLANK = {"ND": "Not done", "NA": "Not applicable", "UNK": "Unknown", "NASK": "Not asked"}

# The countries of STUDY A.1, by ISO 3166-1 alpha-3; another one shows its code.
COUNTRIES = {
    "CHE": "Switzerland",
    "DEU": "Germany",
    "ESP": "Spain",
    "FRA": "France",
    "GBR": "United Kingdom",
    "ITA": "Italy",
    "USA": "United States",
}

_ISO_DATE = re.compile(r"\b\d{4}-\d{2}(?:-\d{2}(?:T\d{2}:\d{2})?)?\b")


def word_date(day: date) -> str:
    """A day as `12-Mar-2013`."""
    return f"{day:%d-%b-%Y}"


def word_instant(at: datetime) -> str:
    """An instant as `12-Mar-2013 09:30 UTC`. Seconds are for the title."""
    return f"{at.astimezone(UTC):%d-%b-%Y %H:%M} UTC"


def word_zone(local: datetime) -> str:
    """The zone of a clock: `CET`, and where it has no name of its own `UTC-03`."""
    name = f"{local:%Z}"
    return f"UTC{name}" if name[:1] in "+-" else name


def word_moment(at: datetime, offset_minutes: int | None) -> str:
    """A moment as the site's clock showed it: `12-Mar-2013 10:30 (UTC+01:00)`; in UTC where the offset is unknown."""
    if offset_minutes is None:
        return word_instant(at)
    local = at.astimezone(timezone(timedelta(minutes=offset_minutes)))
    sign = "−" if offset_minutes < 0 else "+"
    hours, minutes = divmod(abs(offset_minutes), 60)
    return f"{local:%d-%b-%Y %H:%M} (UTC{sign}{hours:02}:{minutes:02})"


def word_answer(field: "models.Field[Any, Any]", value: Any, beside: Any = None) -> str:
    """One stored value in words, without its unit; blank is empty text.

    `beside` is the record that the value stands in: the offset of a moment is read from it. A malformed value is shown
    as it stands: the trail must be readable for ever, whatever was once written past the forms.
    """
    if value is None or value == "" or value == []:
        return ""
    try:
        return _word(field, value, beside)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return str(value)


def _word(field: "models.Field[Any, Any]", value: Any, beside: Any) -> str:
    if isinstance(field, PartialDateField):
        return word_partial_date(value)
    if isinstance(field, MomentField):
        return word_moment(value, getattr(beside, f"{field.name}_offset", None))
    if isinstance(value, datetime):
        return word_instant(value)
    if isinstance(value, date):
        return word_date(value)
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(field, CodesField):
        return "; ".join(label_of(field.codes, code) for code in value)
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(field, NumberField):
        return word_number(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def word_partial_date(text: Any) -> str:
    """A date of which a part may be unknown, as `UN-Mar-2013`; what is no date, as it stands."""
    try:
        return str(partial_dates.parse(text))
    except (partial_dates.NotADate, TypeError):  # a type error for what is no text
        return str(text)


def word_number(value: Decimal) -> str:
    """A decimal without the zeros that the column's scale adds: 11.200 is `11.2`."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def word_missing(missing: Any, name: str) -> str:
    """Why an answer is blank, in words; empty text where nobody said, or where `missing` is no mapping of codes."""
    code = str(missing.get(name) or "") if isinstance(missing, Mapping) else ""
    return WHY_BLANK.get(code, code)


def word_record(record: models.Model) -> str:
    """The name of a record, with its dates as people read them."""
    return _ISO_DATE.sub(_reworded, str(record))


def label_of_field(field: "models.Field[Any, Any]") -> str:
    """What the form calls the question, beginning with a capital."""
    label = str(field.verbose_name)
    return label[:1].upper() + label[1:]


def unit_of(field: "models.Field[Any, Any]") -> str:
    """The unit of the number; empty text for anything else."""
    return field.unit if isinstance(field, Answer) and not isinstance(field, OffsetField) else ""


def _reworded(found: re.Match[str]) -> str:
    return word_partial_date(found[0])  # a person's own words, such as the regimen "FLAG 2012-13", stay
