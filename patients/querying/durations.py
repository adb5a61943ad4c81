"""How long something took, in words."""

from datetime import timedelta


def in_days(took: timedelta | None) -> str:
    """A duration in days, to a tenth; empty text for none."""
    return f"{took / timedelta(days=1):.1f}" if took is not None else ""
