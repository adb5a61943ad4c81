"""`make_checkpoint_key`: the key that signs checkpoints."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from trial.audit.seals.checkpoints import CheckpointError, make_key


class Command(BaseCommand):
    """Makes a key."""

    help = "Makes the key that signs checkpoints, and its public key beside it. Neither is ever overwritten."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where the key is to be."""
        parser.add_argument("file", nargs="?", type=Path, help="where; MARROW_CHECKPOINT_KEY unless told")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it, or say why not."""
        file = options["file"] or settings.CHECKPOINT_KEY
        if file is None:
            raise CommandError("Say in which file the key is to be, or name it in MARROW_CHECKPOINT_KEY.")
        try:
            public = make_key(file)
        except CheckpointError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The key is in {file}. Keep a copy of it elsewhere, closed to others.")
        self.stdout.write(f"The public key is in {public}. Give it to whoever is to check checkpoints.")
