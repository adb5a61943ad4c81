"""`export_trail`: the audit trail of a study with its seals, and the program that checks it elsewhere."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analysis.catalogue import NotInCatalogue
from analysis.disclosure import CannotExport
from analysis.extract import EVERYTHING
from analysis.report import find_study
from analysis.trail_export import export_trail


class Command(BaseCommand):
    """Write the audit trail of a study."""

    help = "Write the audit trail of a study with its seals into a new zip, with a program that checks it elsewhere."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--study", help="the study's code; needed when there are several")
        parser.add_argument("--purpose", default="", help="what it is for; required for data of real patients")
        parser.add_argument("--recipient", default="", help="who receives it; required for data of real patients")
        parser.add_argument("--out", type=Path, metavar="FILE", required=True, help="a zip that is not there yet")

    def handle(self, **options: Any) -> None:
        out: Path = options["out"]
        try:
            study = find_study(EVERYTHING, options["study"])
            manifest = export_trail(study, out, purpose=options["purpose"], recipient=options["recipient"])
        except (NotInCatalogue, CannotExport) as error:
            raise CommandError(str(error), returncode=2) from error
        except OSError as error:
            raise CommandError(f"The trail cannot be written to '{out}': {error.strerror}.", returncode=2) from error
        rows = sum(file["lines"] for file in manifest["files"] if file["name"].startswith("rows/"))
        self.stdout.write(f"Wrote {out}, {rows} rows")
