"""Who has withdrawn consent, and what may therefore not be kept.

The rule: an answer that names a day after the withdrawal is refused where it is given; what is there already stays. A breach by
whoever treats the patient is a protocol deviation, and that form takes it.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import CharField, Value

from patients.models import EndOfStudy, Withdrawal
from patients.withdrawal import CONTACT, END_OF_STUDY, MAY_COME_LATER, Withdrawn, withdrawn
from trial import partial_dates
from trial.fields import FullDateField, MomentField, PartialDateField
from trial.models import Patient
from trial.records import PatientRecord
from trial.wording import label_of_field, word_date

PUBLIC_SOURCE = "REGISTRY/PUBLIC RECORD"  # of a survival contact: nobody asks the patient


def withdrawals_of(patients: Collection[int]) -> dict[int, Withdrawn]:
    """Those of the patients who withdrew consent, with what follows from it. One query."""
    said = Withdrawal.objects.filter(patient__in=patients).order_by()
    left = EndOfStudy.objects.filter(patient__in=patients, reason=END_OF_STUDY).order_by()
    extent = Value(CONTACT, output_field=CharField())
    found: dict[int, list[tuple[date | None, str | None]]] = {}
    rows = said.values_list("patient", "withdrawn_on", "extent").union(
        left.values_list("patient", "ended_on", extent), all=True
    )
    for patient, day, how_far in rows:
        found.setdefault(patient, []).append((day, how_far))
    return {patient: state for patient, each in found.items() if (state := withdrawn(each)) is not None}


def withdrawal_of(patient: Patient) -> Withdrawn | None:
    """What a patient withdrew consent from; None where they did not."""
    return withdrawals_of([patient.pk]).get(patient.pk)


def refused_after_withdrawal(patient: Patient, records: Sequence[PatientRecord]) -> list[str]:
    """Why a form cannot be kept, the first of `records` being its record, the others rows of its blocks.

    A sentence for each answer that is new and names a day after the withdrawal.
    """
    form = records[0].form.code
    late = [(field, day) for record in records for field, day in _new_days(record)]
    if form in MAY_COME_LATER or not late:
        return []
    state = withdrawal_of(patient)
    if state is None or state.contact_on is None:
        return []
    if getattr(records[0], "source", None) == PUBLIC_SOURCE and state.samples_on is None:
        return []
    return [
        f"{label_of_field(field)}: {word_date(day)} is after {word_date(state.contact_on)}, when the patient withdrew consent. "
        "Nothing later may be kept. Check the date; a breach of the withdrawal is entered as a protocol deviation (DV)."
        for field, day in late
        if day > state.contact_on
    ]


def _new_days(record: PatientRecord) -> list[tuple[Any, date]]:
    """The earliest day that each new or changed date of a record can mean, at the site."""
    names = None if record.pk is None else set(record.changed_fields())
    found: list[tuple[Any, date]] = []
    for field in record.answers():
        value = getattr(record, field.attname)
        if not value or (names is not None and field.name not in names):
            continue
        if isinstance(field, MomentField) and isinstance(value, datetime):
            offset = getattr(record, f"{field.name}_offset", None) or 0
            found.append((field, (value + timedelta(minutes=offset)).date()))
        elif isinstance(field, PartialDateField):
            found.append((field, partial_dates.parse(value).earliest))
        elif isinstance(field, FullDateField):
            found.append((field, value))
    return found
