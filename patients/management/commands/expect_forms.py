"""`expect_forms`: asks for the forms that the schedule expects by today. Run it once a day."""

from typing import Any

from patients.grid.expecting import expect
from patients.management.sweeping import SweepCommand


class Command(SweepCommand):
    """Brings the expected forms up to date."""

    help = (
        "Asks for the forms that the schedule expects by today, and takes back the empty ones that it expects no more."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask for them, and say how many came and went."""
        patients = self.patients(options["study"], options["patient"])
        added = gone = 0
        for patient in patients:
            asked = expect(patient)
            added, gone = added + len(asked.added), gone + len(asked.taken_away)
        self.stdout.write(f"Patients: {len(patients)}. Forms asked for: {added}. Empty forms taken back: {gone}.")
