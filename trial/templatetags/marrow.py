"""Tags and filters of every page: dates and instants in words, icons, whole numbers with a thin separator."""

from datetime import UTC, date, datetime
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from trial.wording import word_date

register = template.Library()


@register.filter
def day(value: date | None) -> str:
    """`12-Mar-2013`; empty text for none."""
    return word_date(value) if value else ""


@register.filter
def instant(value: datetime | None) -> SafeString | str:
    """`12-Mar-2013 09:30` in UTC, with seconds and zone on hover and for machines."""
    if value is None:
        return ""
    utc = value.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}"><span>{}</span> <span>{}</span></time>',
        utc.isoformat(timespec="seconds"),
        f"{utc:%d-%b-%Y %H:%M:%S} UTC",
        word_date(utc),
        f"{utc:%H:%M}",
    )


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon of the sprite. It says nothing to a screen reader: a word stands beside it."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', static("icons.svg"), name)


@register.filter
def grouped(value: int) -> str:
    """A count with thin spaces between thousands: `20 113`."""
    return f"{value:,}".replace(",", "\u202f")


@register.filter
def role(value: Any) -> str:
    """A role as a sentence has it: `site coordinator`. Text of the trail comes back as it is."""
    text = str(value)
    return text if text.isupper() else text[:1].lower() + text[1:]
