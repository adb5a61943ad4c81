"""`flush` is refused here: what it does would break the audit trail."""

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands.flush import Command as Original


class Command(Original):
    """Refuses."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Say why not."""
        raise CommandError(
            "The database is not emptied: the audit trail is kept as long as its records. Make a new database."
        )
