"""`seal`: seals what was recorded since the last time. It may run beside the web server, and twice at once."""

from typing import Any

from django.core.management.base import BaseCommand

from trial.audit.seals.canonical import instant
from trial.audit.seals.sealing import seal


class Command(BaseCommand):
    """Seals."""

    help = "Seals the recordings that have no seal yet, with their history rows. `checkpoint` does it too."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Seal, and say how far."""
        sealed = seal()
        self.stdout.write(f"Sealed {sealed.recordings} recordings. All up to {instant(sealed.settled)} are sealed.")
