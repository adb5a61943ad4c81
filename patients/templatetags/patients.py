"""Tags about the patient of a page: what must not be overlooked on any of them."""

from typing import Any

from django import template

from patients.mending.withdrawing import withdrawal_of
from patients.querying.durations import in_days
from trial.models import Patient

register = template.Library()
register.filter("in_days", in_days)


@register.inclusion_tag("patients/withdrawn.html", takes_context=True)
def withdrawn_banner(context: Any) -> dict[str, Any]:
    """The banner of a patient who withdrew consent, on each page that is about one patient."""
    patient = context.get("patient")
    return {"withdrawn": withdrawal_of(patient) if isinstance(patient, Patient) and patient.pk else None}
