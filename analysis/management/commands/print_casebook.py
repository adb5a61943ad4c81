"""`print_casebook`: a patient's casebook as PDF, filled or blank; on the access record, because it holds a patient's data."""

import hashlib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from analysis.catalogue import NotInCatalogue
from analysis.disclosure import CannotExport, Disclosure, check_purpose, keep_in_the_name_of
from analysis.extract import EVERYTHING
from analysis.report import find_study
from patients.printing.blank import blank_casebook_pdf
from patients.printing.filled import filled_casebook
from patients.printing.typesetting import typeset
from patients.printing.views import file_name
from trial.db.reading import snapshot
from trial.models import Patient, Study


class Command(BaseCommand):
    """Print a casebook into a new file."""

    help = "Print the casebook of a patient as PDF; with --blank the empty forms, for a patient or for nobody yet."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--study", help="the study's code; needed when there are several")
        parser.add_argument("--patient", metavar="NUMBER", help="whose casebook; may be left out with --blank")
        parser.add_argument("--blank", action="store_true", help="the forms without their answers")
        parser.add_argument("--purpose", default="", help="what it is for; required for data of real patients")
        parser.add_argument("--recipient", default="", help="who receives it; required for data of real patients")
        parser.add_argument("--out", type=Path, metavar="DIR", required=True, help="the folder that the file goes into")

    def handle(self, **options: Any) -> None:
        is_blank: bool = options["blank"]
        try:
            study = find_study(EVERYTHING, options["study"])
            patient = find_patient(study, options["patient"], is_needed=not is_blank)
            if not is_blank:
                check_purpose(study, options["purpose"], options["recipient"])
            if is_blank or patient is None:
                content = blank_casebook_pdf(study, timezone.now().date(), patient)
            else:
                with snapshot() as at:
                    document = filled_casebook(patient, at)
                content = typeset(document, at)
            name = file_name(study, patient, is_blank=is_blank)
            if patient is not None:
                left = Disclosure(
                    study=study,
                    name=name,
                    patients=frozenset({patient.pk}),
                    purpose=options["purpose"],
                    recipient=options["recipient"],
                    content_hash=hashlib.sha256(content).hexdigest(),
                )
                keep_in_the_name_of(EVERYTHING, "print_casebook command")(left)
        except (NotInCatalogue, CannotExport) as error:
            raise CommandError(str(error), returncode=2) from error
        folder: Path = options["out"]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        except OSError as error:
            raise CommandError(
                f"The casebook cannot be written to '{folder}': {error.strerror}.", returncode=2
            ) from error
        self.stdout.write(f"Wrote {folder / name}")


def find_patient(study: Study, number: str | None, *, is_needed: bool) -> Patient | None:
    """The patient with this number. Raise `CommandError` where there is none, or where one is needed and nobody is named."""
    if not number:
        if is_needed:
            raise CommandError("Say whose casebook: --patient NUMBER. With --blank it may be left out.", returncode=2)
        return None
    patient = Patient.objects.filter(study=study, number=number).select_related("study", "site").first()
    if patient is None:
        raise CommandError(f"There is no patient '{number}' in study {study}. Check the number.", returncode=2)
    return patient
