"""What the commands that go over the patients of a study have in common."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet

from trial.models import Patient, Study


class SweepCommand(BaseCommand):
    """Goes over the patients of one study, or over those that are named.

    Patient by patient: each is a transaction of its own, so that a stopped run can be taken up again.
    """

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which study and which patients."""
        parser.add_argument("--study", help="the code of the study; not needed where there is one")
        parser.add_argument("--patient", action="append", default=[], help="the number of a patient; may be repeated")

    def patients(self, study: str | None, numbers: list[str]) -> QuerySet[Patient]:
        """The patients that were asked for, in their order. Raise `CommandError` for a name that nobody has."""
        studies = Study.objects.filter(code=study) if study else Study.objects.all()
        if len(studies) != 1:
            known = ", ".join(Study.objects.values_list("code", flat=True)) or "none yet"
            raise CommandError(f"Name one study with --study. There is: {known}.")
        patients = Patient.objects.filter(study=studies[0]).select_related("study", "site").order_by("number")
        if not numbers:
            return patients
        named = patients.filter(number__in=numbers)
        if unknown := sorted(set(numbers) - set(named.values_list("number", flat=True))):
            raise CommandError(f"There is no patient {', '.join(unknown)} in {studies[0]}.")
        return named
