"""`verify_audit`: proves the trail and its seals; exit code 1 and the rows, if it cannot."""

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from trial.audit.seals.checkpoints import (
    Checkpoint,
    CheckpointError,
    differences_from,
    public_key_beside,
    read_checkpoints,
    read_public_key,
)
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

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What the chains are held against."""
        parser.add_argument(
            "--checkpoint",
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help="a checkpoint, or a folder of them; may be given several times",
        )
        parser.add_argument(
            "--key", type=Path, help="the public key of the checkpoints; unless told that beside MARROW_CHECKPOINT_KEY"
        )

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Reach the database even when its triggers are wrong: that is what is to be told."""
        with without_first_check():
            return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the proof, or end with what is wrong."""
        checkpoints = self.read(options["checkpoint"], options["key"])
        with snapshot():  # one state of the database for all of it
            proof, seals = prove(), prove_seals()
            findings = [*proof.findings, *seals.findings]
            if seals.is_there:
                findings += differences_from(checkpoints)
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
        if checkpoints:
            self.stdout.write(
                f"{len(checkpoints)} checkpoints hold, the last one of {checkpoints[-1].settled:%d-%b-%Y %H:%M} UTC."
            )
        if seals.unsealed:
            self.stdout.write(f"{seals.unsealed} recordings are not sealed yet: `seal` does it.")
        if seals.unreadable:
            self.stdout.write(
                f"Of {seals.unreadable} sealed rows columns were removed by a migration since: only their digests are proved."
            )

    def read(self, names: Sequence[Path], key: Path | None) -> list[Checkpoint]:
        """The checkpoints that were named, or a sentence about one that cannot be used."""
        if not names:
            return []
        if key is None and settings.CHECKPOINT_KEY is not None:
            key = public_key_beside(settings.CHECKPOINT_KEY)
        if key is None:
            raise CommandError("Name the public key of the checkpoints with --key.", returncode=2)
        try:
            return read_checkpoints(names, read_public_key(key))
        except CheckpointError as error:
            raise CommandError(str(error), returncode=2) from error
