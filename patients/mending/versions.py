"""Amendments: what another version of a form asks, and an entry of an old version that is brought to the present one.

The rule (RELIABILITY, W16): an entry keeps the version under which it was entered. It is asked for what that version asked, until
somebody brings it to the present one and says why.
"""

from dataclasses import dataclass

from patients.casebook import children_of
from patients.checking import run_checks
from trial.access import Permission, StaffRequest, acting
from trial.audit import Stale
from trial.fields import Answer
from trial.models import FormEntry, Patient
from trial.records import PatientRecord
from trial.wording import label_of_field


class Overtaken(Exception):
    """Somebody else saved, removed or brought forward the form since the person opened it. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """What differs between two versions of a form: the labels of what one asks and the other does not."""

    old: int
    new: int
    added: tuple[str, ...]
    retired: tuple[str, ...]

    @property
    def words(self) -> str:
        """The differences as one sentence each; empty text where the questions are the same."""
        said = []
        if self.added:
            said.append(f"Version {self.new} also asks: {', '.join(self.added)}.")
        if self.retired:
            said.append(f"It no longer asks: {', '.join(self.retired)}.")
        return " ".join(said)


def amendment(model: type[PatientRecord], old: int, new: int) -> Amendment:
    """What the version `new` of a form asks beside `old`, and what it does not ask any more; its blocks included."""
    answers = [answer for each in (model, *(child for child, _ in children_of(model))) for answer in each.answers()]
    return Amendment(
        old,
        new,
        tuple(label_of_field(answer) for answer in answers if answer.is_of(new) and not answer.is_of(old)),
        tuple(label_of_field(answer) for answer in answers if answer.is_of(old) and not answer.is_of(new)),
    )


def is_behind(record: PatientRecord) -> bool:
    """Whether the record was entered under an older version of its form."""
    return record.version_filled < record.present_version()


def retired_answers(record: PatientRecord) -> list[Answer]:
    """The answers that stand in a record although its version does not ask them: from before it was brought forward."""
    return [
        answer
        for answer in record.answers()
        if not record.asks(answer) and (getattr(record, answer.attname) not in (None, "", []))
    ]


def bring_to_present(
    request: StaffRequest, patient: Patient, record: PatientRecord, *, version: int, reason: str
) -> FormEntry:
    """Ask an entry for what the present version of its form asks. Raise `Overtaken` unless `version` is the entry's own."""
    model = type(record)
    try:
        with acting(request, Permission.CASEBOOK_EDIT, patient, reason=reason):
            Patient.objects.select_for_update().get(pk=patient.pk)  # locked: a save of the form must not cross
            now = model._default_manager.filter(pk=record.pk).select_related("entry").first()
            if now is None or now.entry.version != version or not is_behind(now):
                raise Overtaken
            entry = now.entry
            entry.form_version = model.present_version()
            entry.save()
            run_checks(patient, [model.form.code], channel="page")
    except Stale as error:
        raise Overtaken from error
    return entry
