"""`report`: the analysis, as JSON on the screen or as files; on the access record, because it names patients."""

import hashlib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analysis.disclosure import CannotExport, Disclosure, check_purpose, keep_in_the_name_of, patients_named
from analysis.extract import EVERYTHING
from analysis.report import NotInCatalogue, Report, find_study, report, report_html
from analysis.tables.groups import COHORTS, PRIOR

FORMATS = {"json": Report.as_json, "html": report_html}


class Command(BaseCommand):
    """Make the report of a study."""

    help = "Make the report of a study: JSON on the screen, or files in a folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--study", help="the study's code; needed when there are several")
        parser.add_argument("--cohort", default=PRIOR.key, help=f"one of {', '.join(COHORTS)}")
        parser.add_argument("--as-of", help="the data as they were at an instant: 2014-09-30 or 2014-09-30T12:00:00Z")
        parser.add_argument("--cutoff", help="nothing dated after this day counts: 2014-09-30")
        parser.add_argument("--output", nargs="+", metavar="NUMBER", help="only these outputs: T-4.1 F-5.4")
        parser.add_argument("--format", default="json", help=f"one or more of {','.join(FORMATS)}")
        parser.add_argument("--purpose", default="", help="what it is for; required for data of real patients")
        parser.add_argument("--recipient", default="", help="who receives it; required for data of real patients")
        parser.add_argument("--out", type=Path, metavar="DIR", help="write files into this folder")

    def handle(self, **options: Any) -> None:
        formats = chosen_formats(options["format"], FORMATS)
        if options["out"] is None and len(formats) > 1:
            raise CommandError("Several formats need a folder. Name it with --out DIR.", returncode=2)
        try:
            study = find_study(EVERYTHING, options["study"])
            check_purpose(study, options["purpose"], options["recipient"])
            made = report(
                EVERYTHING,
                study=study.code,
                cohort=options["cohort"],
                as_of=options["as_of"],
                cutoff=options["cutoff"],
                outputs=options["output"],
            )
            texts = {name: FORMATS[name](made) for name in formats}
            for name, text in texts.items():
                put_on_record(made, f"{file_stem(made)}.{name}", text, options["purpose"], options["recipient"])
        except (NotInCatalogue, CannotExport) as error:
            raise CommandError(str(error), returncode=2) from error
        if options["out"] is None:
            self.stdout.write(texts[formats[0]])
            return
        folder: Path = options["out"]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, text in texts.items():
                file = folder / f"{file_stem(made)}.{name}"
                file.write_text(text, encoding="utf-8")
                self.stdout.write(f"Wrote {file}")
        except OSError as error:
            raise CommandError(
                f"The report cannot be written to '{folder}': {error.strerror}.", returncode=2
            ) from error


def put_on_record(made: Report, name: str, text: str, purpose: str, recipient: str) -> None:
    """Say on the access record that this text leaves. It names every patient behind a number."""
    numbers = {number for output in made.outputs for result in output.results for number in result.patients}
    left = Disclosure(
        study=made.study,
        name=name,
        patients=patients_named(made.basis, numbers),
        purpose=purpose,
        recipient=recipient,
        content_hash=hashlib.sha256(text.encode()).hexdigest(),
    )
    keep_in_the_name_of(EVERYTHING, "report command")(left)


def chosen_formats(text: str, available: Any) -> list[str]:
    """The formats between commas. An unknown one ends the command with a sentence and exit code 2."""
    formats = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [part for part in formats if part not in available]
    if unknown or not formats:
        asked = ", ".join(unknown) or "nothing"
        raise CommandError(f"There is no format '{asked}'. Choose from {', '.join(available)}.", returncode=2)
    return list(dict.fromkeys(formats))


def file_stem(made: Report) -> str:
    """The name of the files: the study, the cohort, and that the data are synthetic, where they are."""
    label = "-synthetic" if made.is_synthetic else ""
    return f"report-{made.study.code}-{made.cohort.key}{label}"
