"""Saving several tracked rows of one model at once, in a number of statements that does not grow with them."""

from collections.abc import Sequence

from trial.audit.models import AuditedModel


def save_together(records: Sequence[AuditedModel]) -> None:
    """Insert the new rows, and write the changed fields of the others. Raise `Stale` where a row was changed since it was read.

    Call it with the rows held, as those of a patient are, or be ready to repeat.
    """
    if not records:
        return
    rows = type(records[0]).objects
    rows.bulk_create([record for record in records if record.pk is None])
    changed = {record: record.changed_fields() for record in records if record.pk is not None}
    written = [record for record, names in changed.items() if names]
    if len(written) == 1:
        written[0].save()
    elif written:
        rows.bulk_update(written, sorted({name for names in changed.values() for name in names}))
