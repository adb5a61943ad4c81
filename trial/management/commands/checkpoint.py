"""`checkpoint`: signs the ends of all chains, in a file that is kept elsewhere."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from trial.audit.seals.checkpoints import CheckpointError, make_checkpoint, read_key


class Command(BaseCommand):
    """Makes a checkpoint."""

    help = (
        "Seals, and writes a signed checkpoint into the folder that MARROW_CHECKPOINTS names. Exit code 1 if the last "
        "checkpoint there does not hold any more."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it, or say why not."""
        if settings.CHECKPOINTS is None or settings.CHECKPOINT_KEY is None:
            missing = "MARROW_CHECKPOINTS" if settings.CHECKPOINTS is None else "MARROW_CHECKPOINT_KEY"
            raise CommandError(f"{missing} is missing. docs/settings.md says what it names.")
        try:
            file = make_checkpoint(settings.CHECKPOINTS, read_key(settings.CHECKPOINT_KEY))
        except CheckpointError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Wrote {file}")
