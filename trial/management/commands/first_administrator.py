"""`first_administrator`: the address at which the first administrator of a study makes their account."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone

from trial.sign_in.first_administrator import NoInvitation, invitation_for
from trial.sign_in.links import LINK_HOURS, address_of


class Command(BaseCommand):
    """Hands out the one address at which somebody becomes an administrator without being invited by one."""

    help = "Prints a one-time address at which the first administrator of a study makes their account."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The study, which may be new."""
        parser.add_argument("--study", required=True, metavar="CODE", help="the code of the study, as in MT103-211")
        parser.add_argument("--title", default="", help="what the study is called, where it is new")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the address, or say why there is none."""
        if settings.IS_DEMO:
            raise CommandError("The demo needs no administrator: each of its roles is one click on the sign-in page.")
        try:
            token = invitation_for(options["study"], options["title"], timezone.now().date())
        except NoInvitation as refusal:
            raise CommandError(str(refusal)) from refusal
        address = address_of(reverse("first-administrator", kwargs={"token": token}))
        self.stdout.write(
            f"Open this address within {LINK_HOURS} hours. It works once; give it to nobody else:\n{address}"
        )
