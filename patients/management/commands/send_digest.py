"""`send_digest`: writes to each person what waits for their roles at their sites. Once a day, where a mail server is set."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from patients.querying.digest import Posted, send_digests
from trial.models import Study


class Command(BaseCommand):
    """Sends the digest of queries."""

    help = (
        "Sends each person a letter about the queries that wait for them. A second run on the day sends nothing twice."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The study; all of them unless one is named."""
        parser.add_argument("--study", help="The code of the study; all of them unless told.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Send them, and say how many."""
        if not settings.HAS_MAIL:
            self.stdout.write("No mail server is set, so nothing was sent. Name it in MARROW_MAIL.")
            return
        code = options["study"]
        studies = Study.objects.filter(code=code) if code else Study.objects.order_by("code")
        if code and not studies:
            known = ", ".join(Study.objects.order_by("code").values_list("code", flat=True)) or "none"
            raise CommandError(f"There is no study '{code}'. There is: {known}.")
        refused = 0
        for study in studies:
            posted = send_digests(study, timezone.now().date())
            self.stdout.write(f"{study.code}: {said_of(posted)}")
            refused += posted.refused
        if refused:
            raise CommandError(
                f"{refused} letter{'' if refused == 1 else 's'} could not be sent. Check MARROW_MAIL, and run this again: "
                "nobody is written to twice."
            )


def said_of(posted: Posted) -> str:
    """What became of a run, in a sentence."""
    return (
        f"{posted.sent} letters sent, {posted.before} sent before today, {posted.refused} refused by the mail server, "
        f"{posted.without_address} people have no mail address."
    )
