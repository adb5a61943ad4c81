"""The seals themselves: rows that are added behind the writers, once for each recording, and never changed."""

from typing import ClassVar

from django.db import models

from trial.audit.models import Recording


class Seal(models.Model):
    """The seal of one recording: what it and its history rows were, and the hash that binds this to the seal before.

    `chain` is the number of the recording's study, 0 where it has none. Positions run 1, 2, 3 ... in each chain.
    """

    untracked_because: ClassVar = "It proves the trail, and is added once."

    recording = models.OneToOneField(
        Recording, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="seal"
    )
    chain = models.BigIntegerField()
    position = models.BigIntegerField()
    settled = models.DateTimeField()  # all recordings up to this instant were there to be sealed
    content = models.TextField()  # the digests: a line for each row, under a line for each table
    hash = models.CharField(max_length=64)

    class Meta:
        app_label = "trial"
        ordering: ClassVar = ["chain", "position"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["chain", "position"], name="one_seal_a_position")]

    def __str__(self) -> str:
        return f"Seal {self.position} of chain {self.chain}"


class SealedColumns(models.Model):
    """Which columns of a table a digest is of. `key` is the beginning of the hash of both, so that neither can be changed."""

    untracked_because: ClassVar = "It proves the trail, and is added once."

    key = models.CharField(max_length=32, primary_key=True)
    table = models.TextField()
    columns = models.TextField()  # between blanks, in the order of the text that is hashed

    class Meta:
        app_label = "trial"

    def __str__(self) -> str:
        return f"{self.table}: {self.columns}"
