"""`grant_application_role ROLE`: what the web server's role may do on PostgreSQL."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError, connection, transaction

from trial.db.postgresql.roles import grant_application_role


class Command(BaseCommand):
    """Grants the application's role."""

    help = (
        "Lets a PostgreSQL role work on the tables, and only read the audit trail. Run it as the owner after `migrate`."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The name of the role."""
        parser.add_argument("role", help="a role that is there already and owns no table")

    def handle(self, *args: Any, **options: Any) -> None:
        """Grant, or say what is missing."""
        if connection.vendor != "postgresql":
            raise CommandError("SQLite has no roles. Name a postgresql:// address in MARROW_DATABASE.")
        try:
            with transaction.atomic():
                grant_application_role(connection, options["role"])
        except ProgrammingError as error:
            raise CommandError(f"The role '{options['role']}' could not be granted: {error}") from error
        self.stdout.write(f"The role '{options['role']}' may work on the tables and read the trail.")
