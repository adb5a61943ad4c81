"""Django's `migrate`, which may reach a database whose triggers are wrong, and leaves them right."""

from typing import Any

from django.core.management.commands.migrate import Command as Migrate
from django.db import connections, transaction

from trial.db.protection import without_first_check


class Command(Migrate):
    """Migrates, and makes the triggers of the audit trail again where they are not as they should be."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Reach the database even when its triggers are wrong: this is what mends them."""
        with without_first_check():
            return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, then look at the triggers of the whole database."""
        super().handle(*args, **options)
        if options["plan"] or options["check_unapplied"]:
            return
        connection: Any = connections[options["database"]]
        with transaction.atomic(using=connection.alias):
            renewed = connection.protection.renew()
        if renewed and options["verbosity"] > 0:
            self.stdout.write(f"Audit triggers made again: {', '.join(renewed)}.")
