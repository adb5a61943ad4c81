"""`populate_history` is refused here: what it does would break the audit trail."""

from typing import Any

from django.core.management.base import CommandError
from simple_history.management.commands.populate_history import Command as Original


class Command(Original):  # type: ignore[misc]  # simple-history has no types
    """Refuses."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Say why not."""
        raise CommandError(
            "History is written by the database alone. Save the records inside `with recording(by=..., reason=...)`."
        )
