"""The record of a form: what every typed record has, and how the forms of the study are found.

The rule (DESIGN 4): one declaration per form. Whatever needs to know the forms asks `record_models()`.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.apps import apps
from django.db import models

from trial.audit import AuditedModel, AuditedQuerySet
from trial.fields import Answer, MissingCodesField

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser


FIRST_VERSION = 1  # of a form; also of what was entered before versions were kept
SECTIONS = ("Enrolment", "Baseline", "Visits", "Marrow and response", "Treatment", "Safety", "Follow-up")


@dataclass(frozen=True, slots=True)
class Form:
    """What a case report form is called, where it stands in the casebook, and whether visits ask it or it is a log.

    `code` is the OID of STUDY B.4. `part_of` names the form whose repeating block this record is a row of. `version` is
    the one that is entered now; the rows of a block are of the version of their form.
    """

    code: str
    title: str
    section: str
    at_visits: bool = False
    repeats: bool = False
    part_of: str = ""
    version: int = 1

    @property
    def page(self) -> str:
        """The code of the form on whose page the record is shown."""
        return self.part_of or self.code


def called(what: str, *parts: tuple[object, ...]) -> str:
    """What a record is called: of the parts, each an answer between the words around it, those that are answered."""
    answered = (part for part in parts if part[1] not in (None, ""))
    return what + "".join(str(text) for part in answered for text in part)


class RecordQuerySet(AuditedQuerySet):
    """Records, scoped to what a person may see."""

    def visible_to(self, user: "AbstractBaseUser | AnonymousUser") -> Self:
        """The records of patients whom this person may see (the table of grants is in `trial.access`)."""
        from trial.access import patients_visible_to

        return self.filter(patient__in=patients_visible_to(user))


class PatientRecord(AuditedModel):
    """One record of one patient: brings the patient, the form entry it hangs on, missing codes, version and history.

    `missing` maps the name of a blank field to why it is blank: ND, NA, UNK or NASK (STUDY B.1, rule 3).
    """

    form: ClassVar[Form]

    patient = models.ForeignKey("trial.Patient", on_delete=models.PROTECT, related_name="+", editable=False)
    entry = models.ForeignKey("trial.FormEntry", on_delete=models.PROTECT, related_name="+", editable=False)
    missing = MissingCodesField()

    objects = RecordQuerySet.as_manager()

    class Meta:
        abstract = True

    @classmethod
    def answers(cls) -> list[Answer]:
        """The fields that a person answers, in the order of the form."""
        return [field for field in cls._meta.concrete_fields if isinstance(field, Answer)]

    @classmethod
    def present_version(cls) -> int:
        """The version of the form that is entered now; of the row of a block, that of its form."""
        return record_model(cls.form.part_of).form.version if cls.form.part_of else cls.form.version

    @property
    def version_filled(self) -> int:
        """The version of the form under which the record was entered; of a new one, that of its entry or the present one."""
        present = self.present_version()
        if present == FIRST_VERSION or self.entry_id is None:
            return present
        return self.entry.form_version or (present if self.pk is None else FIRST_VERSION)

    def asks(self, field: "models.Field[Any, Any]") -> bool:
        """Whether the version of this record has the question, be its condition met or not."""
        return not isinstance(field, Answer) or field.is_of(self.version_filled)


@cache
def record_models() -> tuple[type[PatientRecord], ...]:
    """Every record model of the study, in the order of the casebook."""
    found: list[type[Any]] = [model for model in apps.get_models() if issubclass(model, PatientRecord)]
    return tuple(sorted(found, key=lambda model: SECTIONS.index(model.form.section)))


def record_model(code: str) -> type[PatientRecord]:
    """The record model of one form. Raise `LookupError`, naming the forms there are, for an unknown code."""
    by_code = {model.form.code: model for model in record_models()}
    if code not in by_code:
        raise LookupError(f"There is no form '{code}'. Choose from {', '.join(sorted(by_code))}.")
    return by_code[code]
