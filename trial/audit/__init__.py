"""The audit core (DESIGN 3): whatever changes a row leaves its history row in the same transaction, or is refused.

The database writes the trail (`trial.db`); this package declares what is tracked, names who acts and why, reads and proves.
"""

from trial.audit import checks  # noqa: F401 - registered by being imported
from trial.audit.history import rows_as_of
from trial.audit.models import AuditedManager, AuditedModel, AuditedQuerySet, Recording
from trial.audit.recording import recording, service_account
from trial.audit.records import AuditedRecords
from trial.audit.together import save_together
from trial.db.reading import settled_instant, snapshot
from trial.db.refusals import Misplaced, NotRecorded, Stale

__all__ = [
    "AuditedManager",
    "AuditedModel",
    "AuditedQuerySet",
    "AuditedRecords",
    "Misplaced",
    "NotRecorded",
    "Recording",
    "Stale",
    "recording",
    "rows_as_of",
    "save_together",
    "service_account",
    "settled_instant",
    "snapshot",
]
