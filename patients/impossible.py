"""What can never be true of several records of one patient, which no constraint of one row can refuse (STUDY B.5: EC-028, EC-110).

The rule: whoever saves a record asks here first, in the transaction that saves it and with the patient locked, so that two
saves cannot make together what neither could make alone.
"""

from collections.abc import Sequence
from dataclasses import replace

from patients.checking import answers_of, casebook_for, edit_checks
from patients.mending.withdrawing import refused_after_withdrawal
from trial.edit_checks import Record, Severity, find
from trial.models import Patient
from trial.records import PatientRecord

BETWEEN_RECORDS = ("EC-028", "EC-110")


def impossible(patient: Patient, record: PatientRecord, rows: Sequence[PatientRecord] = ()) -> list[str]:
    """Why a record, saved or not yet, cannot be: a sentence for each other record that it contradicts.

    And one for each new day of it, or of the `rows` of its blocks, that is after a withdrawal of consent.

    The gate of its form is read from the record's own entry, so that a save may open the gate and add the row in one act.
    """
    if refused := refused_after_withdrawal(patient, [record, *rows]):
        return refused
    form = record.form.code
    checks = [check for check in edit_checks() if check.code in BETWEEN_RECORDS and check.form == form]
    if not checks:
        return []
    book = casebook_for(patient, checks)
    seen = Record(form, record.pk or 0, record.entry_id or 0, "", answers_of(record))
    others = [row for row in book.all(form) if row.key != seen.key]
    gate = record.entry.has_any if record.entry_id else book.gates.get(form)
    gates = {name: value for name, value in book.gates.items() if name != form} | ({} if gate is None else {form: gate})
    with_it = replace(book, records={**book.records, form: [*others, seen]}, gates=gates)
    return [
        finding.question
        for finding in find(checks, with_it)
        if finding.record is seen and finding.severity == Severity.HARD
    ]
