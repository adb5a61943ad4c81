"""`run_checks`: runs every edit check over the patients of a study, and brings their queries in line."""

from typing import Any

from patients.checking import edit_checks, run_checks
from patients.management.sweeping import SweepCommand


class Command(SweepCommand):
    """Runs the edit checks."""

    help = "Runs every edit check over every patient, or over those that are named, and says what was asked and closed."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run them, and say how many queries were asked and closed."""
        patients = self.patients(options["study"], options["patient"])
        asked = closed = 0
        for patient in patients:
            settled = run_checks(patient)
            asked, closed = asked + len(settled.asked), closed + len(settled.closed)
        checks = len(edit_checks())
        self.stdout.write(f"{checks} checks over {len(patients)} patients: {asked} queries asked, {closed} closed.")
