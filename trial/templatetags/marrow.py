"""Tags and filters of every page: dates and instants in words, icons, whole numbers with a thin separator."""

from datetime import UTC, date, datetime
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from trial.wording import word_date, word_zone

register = template.Library()


@register.filter
def day(value: date | None) -> str:
    """`12-Mar-2013`; empty text for none."""
    return word_date(value) if value else ""


@register.filter
def instant(value: datetime | None) -> SafeString | str:
    """`12-Mar-2013 10:30 CET`: by the clock of the page, which is that of the patient's site, else UTC. UTC and seconds on hover."""
    if value is None:
        return ""
    utc, local = value.astimezone(UTC), value.astimezone(timezone.get_current_timezone())
    return format_html(
        '<time datetime="{}" title="{}"><span>{}</span> <span>{}</span></time>',
        utc.isoformat(timespec="seconds"),
        f"{utc:%d-%b-%Y %H:%M:%S} UTC",
        word_date(local),
        f"{local:%H:%M} {word_zone(local)}",
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
