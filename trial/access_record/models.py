"""One event of access, and the patients whose data it showed. The database stamps it and never lets it be changed."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class AccessKind(models.TextChoices):
    """What somebody did. The values are stored, and never renamed."""

    READ = "read", "Read"
    EXPORTED = "exported", "Took away"
    REFUSED = "refused", "Was refused"
    SIGNED_IN = "signed in", "Signed in"
    SIGN_IN_FAILED = "sign-in failed", "Failed to sign in"
    LOCKED_OUT = "locked out", "Was locked out"
    SIGNED_OUT = "signed out", "Signed out"
    SESSION_ENDED = "session ended", "Session ended"
    CONFIRMED = "confirmed", "Confirmed who they are"
    PASSWORD_CHANGED = "password changed", "Changed the password"
    RESET_ASKED = "reset asked", "Asked for a new password"
    FACTOR_ADDED = "factor added", "Added a second factor"
    FACTOR_REMOVED = "factor removed", "Removed a second factor"
    TOKEN_MADE = "token made", "Made an API token"
    TOKEN_REVOKED = "token revoked", "Revoked an API token"
    ROLE_CHANGED = "role changed", "Changed somebody's access"


class AccessEvent(models.Model):
    """One event. `by` is empty when nobody is known by the name that was typed; `at` is the database's clock."""

    untracked_because: ClassVar = "It is a record of its own: added once, never changed."

    at = models.DateTimeField(editable=False, db_default=Now())  # UTC, by the database's clock
    kind = models.CharField(max_length=20, choices=AccessKind)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    person_name = models.CharField(max_length=150, blank=True)  # as it was then; for a failed sign-in what was typed
    role = models.CharField(max_length=20, blank=True)
    organisation = models.CharField(max_length=100, blank=True)
    study = models.ForeignKey("trial.Study", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    page = models.CharField(max_length=60, blank=True)  # the name of the page, call or command
    what = models.CharField(max_length=200, blank=True)  # which form, record, output; who, for a change of access
    channel = models.CharField(max_length=10, default="page")  # page, api or command
    token = models.CharField(max_length=60, blank=True)  # the name of the API token that asked
    purpose = models.CharField(max_length=200, blank=True)
    recipient = models.CharField(max_length=200, blank=True)
    content_hash = models.CharField(max_length=64, blank=True)  # SHA-256 of what was taken away
    address = models.GenericIPAddressField(null=True, blank=True)
    session = models.CharField(max_length=16, blank=True)  # a digest: the same for all that one session did
    request_id = models.CharField(max_length=32, blank=True)

    class Meta:
        app_label = "trial"
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["at"], name="access_at"),
            models.Index(fields=["study", "-id"], name="access_in_study"),
        ]

    def __str__(self) -> str:
        return f"{self.person_name}: {self.kind} {self.page}"


class AccessedPatient(models.Model):
    """A patient whose data an event showed. Stays when the patient's row is removed."""

    untracked_because: ClassVar = "It is part of an event of access: added once, never changed."

    event = models.ForeignKey(AccessEvent, on_delete=models.PROTECT, related_name="patients")
    patient = models.ForeignKey(
        "trial.Patient", on_delete=models.DO_NOTHING, db_constraint=False, related_name="accesses"
    )

    class Meta:
        app_label = "trial"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["patient", "event"], name="one_access_a_patient_and_event")
        ]

    def __str__(self) -> str:
        return f"{self.event_id}: patient {self.patient_id}"
