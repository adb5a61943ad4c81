"""`export`: datasets into a new folder, with a manifest."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analysis.catalogue import NotInCatalogue
from analysis.disclosure import CannotExport
from analysis.export import FORMATS, STANDARDS, export
from analysis.extract import EVERYTHING
from analysis.management.commands.report import chosen_formats
from analysis.tables.groups import ALL, COHORTS


class Command(BaseCommand):
    """Write the analysis datasets of a study."""

    help = "Write the analysis datasets of a study into a new folder, with a manifest and scripts that redo T-4.1 and F-5.4."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--study", help="the study's code; needed when there are several")
        parser.add_argument("--standard", default="adam", help=f"one of {', '.join(STANDARDS)}")
        parser.add_argument("--format", default=",".join(FORMATS), help=f"one or more of {','.join(FORMATS)}")
        parser.add_argument("--cohort", default=ALL.key, help=f"one of {', '.join(COHORTS)}")
        parser.add_argument("--as-of", help="the data as they were at an instant: 2014-09-30 or 2014-09-30T12:00:00Z")
        parser.add_argument("--cutoff", help="nothing dated after this day counts: 2014-09-30")
        parser.add_argument("--purpose", default="", help="what the data are for; required for data of real patients")
        parser.add_argument("--recipient", default="", help="who receives them; required for data of real patients")
        parser.add_argument("--out", type=Path, metavar="DIR", required=True, help="a folder that is not there yet")

    def handle(self, **options: Any) -> None:
        if options["standard"] not in STANDARDS:
            raise CommandError(
                f"There is no standard '{options['standard']}'. Choose from {', '.join(STANDARDS)}.", returncode=2
            )
        out: Path = options["out"]
        try:
            manifest = export(
                EVERYTHING,
                out,
                study=options["study"],
                cohort=options["cohort"],
                as_of=options["as_of"],
                cutoff=options["cutoff"],
                formats=chosen_formats(options["format"], FORMATS),
                purpose=options["purpose"],
                recipient=options["recipient"],
            )
        except (NotInCatalogue, CannotExport) as error:
            raise CommandError(str(error), returncode=2) from error
        except OSError as error:
            raise CommandError(f"The export cannot be written to '{out}': {error.strerror}.", returncode=2) from error
        for file in manifest["files"]:
            rows = f", {file['rows']} rows" if "rows" in file else ""
            self.stdout.write(f"Wrote {out / file['name']}{rows}")
