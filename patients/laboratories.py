"""The laboratories that told their normal ranges."""

from patients.models import NormalRange
from trial.models import Patient


def laboratories_for(patient: Patient) -> list[str]:
    """The names of those whose ranges are kept for the site of a patient, in their order."""
    ranges = NormalRange.objects.filter(site=patient.site_id).order_by("laboratory")
    return list(ranges.values_list("laboratory", flat=True).distinct())
