"""Django's `loaddata`. It names nobody, so tracked tables refuse what it would write, and it ends with their sentence."""

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands.loaddata import Command as LoadData

from trial.db.refusals import NotRecorded


class Command(LoadData):
    """Loads fixtures into tables that are not tracked."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, or end with the refusal."""
        try:
            super().handle(*args, **options)
        except NotRecorded as refusal:
            raise CommandError(str(refusal)) from refusal
