"""Data that leave go on the access record first: of which patients, for what, to whom, with the hash of what left.

The rule: what cannot be put on record does not leave.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import DatabaseError

from analysis.extract import Operator
from analysis.report import Basis
from trial.access import Viewer
from trial.access_record.keeping import operating_system_user, record_access
from trial.access_record.models import AccessKind
from trial.audit import rows_as_of
from trial.audit.recording import display_name
from trial.models import Patient, Study
from trial.what_for import LONGEST


class CannotExport(ValueError):
    """The export was refused, and nothing was written. The message says what would be right."""


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One file or folder that leaves: its name, the keys of the patients in it, and the SHA-256 of its content."""

    study: Study
    name: str
    patients: frozenset[int]
    purpose: str
    recipient: str
    content_hash: str


Keep = Callable[[Disclosure], object]


def check_purpose(study: Study, purpose: str, recipient: str) -> None:
    """Raise `CannotExport` when data of real patients would leave for nothing or to nobody, or the words are too long."""
    if not study.is_synthetic and not (purpose.strip() and recipient.strip()):
        raise CannotExport("Say what the data are for and who receives them (purpose and recipient).")
    for name, words in (("purpose", purpose), ("recipient", recipient)):
        if len(words) > LONGEST:
            raise CannotExport(f"The {name} has {len(words)} characters. Say it in at most {LONGEST}.")


def patients_named(basis: Basis, numbers: Iterable[str]) -> frozenset[int]:
    """The keys of the patients with these numbers, at the instant that the data are of."""
    wanted = set(numbers)
    rows = rows_as_of(Patient, basis.extract.as_of).filter(study_id=basis.extract.study.pk).values_list("id", "number")
    return frozenset(key for key, number in rows if number in wanted)


def keep_in_the_name_of(viewer: Viewer | Operator, command: str) -> Keep:
    """What puts a disclosure of a command on record: by this person, or by the operating system's user for an operator."""

    by = None if isinstance(viewer, Operator) else viewer
    name = operating_system_user() if isinstance(viewer, Operator) else display_name(viewer)

    def keep(left: Disclosure) -> None:
        try:
            record_access(
                AccessKind.EXPORTED,
                by=by,
                person_name=name,
                study=left.study,
                patients=left.patients,
                page=command,
                what=left.name,
                purpose=left.purpose,
                recipient=left.recipient,
                content_hash=left.content_hash,
            )
        except DatabaseError as error:
            raise CannotExport(f"The access record cannot be written, so nothing is given out: {error}") from error

    return keep
