"""At which site a patient was on a day: whose clock showed a time, and whose laboratory measured.

The rule (decision 0072): from the day of a transfer on the patient is at the new site; what came before stays of the old one.
"""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

from trial.models import Patient, Site, Transfer


@dataclass(frozen=True)
class Whereabouts:
    """The sites of one patient, by day. The transfers are read once."""

    patient: Patient

    def site_on(self, day: date) -> Site:
        """The site of the patient on a day."""
        left = next((move.from_site for move in self._transfers if day < move.transferred_on), None)
        return left or self.patient.site

    @cached_property
    def _transfers(self) -> list[Transfer]:
        """The transfers in their order; none of a patient who is not saved yet."""
        if not self.patient.may_have_moved:
            return []
        return list(Transfer.objects.filter(patient=self.patient.pk).select_related("from_site"))
