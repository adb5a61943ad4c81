"""`verify_audit`: proves the trail and its seals; exit code 1 and the rows, if it cannot."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trial.audit.seals.proof import prove_seals
from trial.db.protection import without_first_check
from trial.db.reading import snapshot
from trial.db.verification import prove

SHOWN = 200  # findings; one removed table can make a million


class Command(BaseCommand):
    """Proves the audit trail."""

    help = (
        "Proves that rows, histories, recordings, seals and triggers agree. Exit code 1, with the rows, if they do not."
    )
    requires_system_checks: list[str] = []

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Reach the database even when its triggers are wrong: that is what is to be told."""
        with without_first_check():
            return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the proof, or end with what is wrong."""
        with snapshot():  # one state of the database for both
            proof, seals = prove(), prove_seals()
        findings = [*proof.findings, *seals.findings]
        if findings:
            lines = [str(finding) for finding in findings[:SHOWN]]
            if len(findings) > SHOWN:
                lines.append(f"... and {len(findings) - SHOWN} more.")
            raise CommandError("\n".join(["The audit trail is not whole.", *lines]), returncode=1)
        self.stdout.write(
            f"The audit trail is whole: {proof.tables} tables, {proof.history_rows} history rows, "
            f"{proof.recordings} recordings."
        )
        if proof.dated:
            self.stdout.write(
                f"The demo gave {proof.dated} of the recordings their instant; the clock gave the others."
            )
        self.stdout.write(
            f"The seals hold: {seals.recordings} recordings with {seals.rows} history rows are what was sealed."
        )
        if seals.unsealed:
            self.stdout.write(f"{seals.unsealed} recordings are not sealed yet: `seal` does it.")
        if seals.unreadable:
            self.stdout.write(
                f"Of {seals.unreadable} sealed rows columns were removed by a migration since: only their digests are proved."
            )
