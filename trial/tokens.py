"""API tokens: hashed, shown once, expiring, and good for one role in one study."""

from typing import Any, ClassVar

from django.db import models
from knox.models import AbstractAuthToken

from trial.models import Role


class ApiToken(AbstractAuthToken):  # type: ignore[misc]  # knox has no types
    """A token of one person. It sees what that role of theirs sees in that study, for as long as they have the role.

    `rights` is the fingerprint of the person's rights on the day the token was made: a token ends when they change.
    """

    untracked_because: ClassVar = (
        "Making and revoking one are events of the access record; its digest has no place in history."
    )

    name = models.CharField(max_length=60)
    study = models.ForeignKey("trial.Study", on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=20, choices=Role)
    rights = models.CharField(max_length=64)

    class Meta:
        app_label = "trial"
        ordering: ClassVar = ["-created"]

    def __str__(self) -> str:
        return f"{self.name} ({self.role}, {self.study})"

    @property
    def scope(self) -> tuple[Any, str]:
        """The study's key and the role."""
        return self.study_id, self.role
