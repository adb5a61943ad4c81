"""`add_site`: a hospital joins a study."""

import zoneinfo
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from trial.audit import recording
from trial.models import Site, Study


class Command(BaseCommand):
    """Adds a site."""

    help = "Adds a hospital to a study, in the name of a person and for a reason: both are kept in the audit trail."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What the site is, and who adds it."""
        parser.add_argument("--study", required=True, help="the code of the study")
        parser.add_argument("--number", required=True, help="the number of the site, such as 012")
        parser.add_argument("--name", required=True, help="the name of the hospital or its town")
        parser.add_argument("--country", required=True, help="ISO 3166-1 alpha-3, such as DEU")
        parser.add_argument("--time-zone", required=True, help="IANA name, such as Europe/Berlin")
        parser.add_argument("--by", required=True, help="the user name of whoever adds it")
        parser.add_argument("--reason", required=True, help="why, as the trail will say")

    def handle(self, *args: Any, **options: Any) -> None:
        """Add it, or say in a sentence why not."""
        study = Study.objects.filter(code=options["study"]).first()
        if study is None:
            known = ", ".join(Study.objects.values_list("code", flat=True)) or "none yet"
            raise CommandError(f"There is no study '{options['study']}'. There is: {known}.")
        person = User.objects.filter(username=options["by"], is_active=True).first()
        if person is None:
            raise CommandError(f"There is no active account '{options['by']}'. Name who adds the site with --by.")
        country, zone = options["country"], options["time_zone"]
        if len(country) != 3 or not (country.isascii() and country.isalpha() and country.isupper()):
            raise CommandError(f"--country is '{country}'. Give three capital letters, such as DEU.")
        if zone not in zoneinfo.available_timezones():
            raise CommandError(f"--time-zone is '{zone}'. Give an IANA name, such as Europe/Berlin.")
        if Site.objects.filter(study=study, number=options["number"]).exists():
            raise CommandError(f"{study} already has a site {options['number']}.")
        try:
            with recording(by=person, reason=options["reason"], study=study):
                site = Site(
                    study=study, number=options["number"], name=options["name"], country=country, time_zone=zone
                )
                site.full_clean()
                site.save()
        except ValueError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{study} has the site {site}.")
