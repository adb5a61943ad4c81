"""What the triggers say when they refuse a write, and the one place where their words become exceptions.

The words are written into the triggers themselves, so that psql and the SQLite shell say them too.
"""

import re
from types import TracebackType

from django.db import IntegrityError
from django.db.utils import DatabaseErrorWrapper


class NotRecorded(IntegrityError):
    """The write would have left no true history row, or would have altered the trail. Nothing was written."""


class Stale(IntegrityError):
    """The row was changed by somebody else since it was read. Nothing was written."""


class Misplaced(IntegrityError):
    """The row would be one patient's or study's and point to another's, or would change hands. Nothing was written."""


# {table} is put in when the triggers are made. No quotation marks of SQL here: the texts become SQL literals.
NOT_RECORDED = (
    "(marrow.R001) This change to {table} was not recorded, so it was refused. "
    "Write inside `with recording(by=..., reason=...)`."
)
STALE = (
    "(marrow.R002) This row of {table} was changed since it was read, or its version was not raised by one. "
    "Read it again and repeat the change."
)
FIRST_VERSION = "(marrow.R003) A new row of {table} must begin with version 1."
KEY_CHANGED = "(marrow.R004) The key of a row of {table} cannot be changed: its history hangs on it."
KEY_REUSED = "(marrow.R005) This row of {table} was there before. The number of a deleted row is not used twice."
KEPT = "(marrow.R006) {table} belongs to the audit trail. Its rows are never changed or removed."
FORGED = "(marrow.R007) {table} belongs to the audit trail. Only the triggers write it."
HISTORY_MISSING = "(marrow.R008) The history of this change to {table} could not be written, so it was refused."
EMPTIED = "(marrow.R009) {table} cannot be emptied: delete its rows one by one, inside `with recording(...)`."
POINTS_ELSEWHERE = (
    "(marrow.R010) The {column} of this row of {table} points to no row of the same {owner}. "
    "Choose one that is there and belongs to the {owner}."
)
CHANGES_HANDS = (
    "(marrow.R011) A row of {table} stays with its {owner}. Enter it anew for the other {owner}, and delete this one."
)
ACCESS_KEPT = "(marrow.R012) {table} is a record of access. Its rows are never changed or removed."
OWN_CLOCK = "(marrow.R013) {table} gets its instants from the clock of the database. Leave `at` out."

REFUSAL = re.compile(r"\(marrow\.(R\d{3})\) ([^\n]+)")


REFUSED_AS: dict[str, type[NotRecorded | Stale | Misplaced]] = {"R002": Stale, "R010": Misplaced, "R011": Misplaced}


def refusal_in(error: BaseException) -> NotRecorded | Stale | Misplaced | None:
    """The refusal that a database error carries, or None when it carries none."""
    found = REFUSAL.search(str(error))
    if found is None:
        return None
    code, sentence = found.groups()
    return REFUSED_AS.get(code, NotRecorded)(sentence)


class RefusalWrapper(DatabaseErrorWrapper):
    """Django's translation of database errors, with the refusals of the triggers told apart."""

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if exc_value is not None and (refusal := refusal_in(exc_value)) is not None:
            raise refusal.with_traceback(traceback) from exc_value
        super().__exit__(exc_type, exc_value, traceback)
