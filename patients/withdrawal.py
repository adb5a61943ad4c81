"""What a patient takes consent back from, and from which day (RELIABILITY, PR-03: stop, keep, mark). No database, no clock.

The rule: what was collected until that day stays, and nothing is collected after it. Where the extent is not said, the careful
reading holds: no visit and no contact either.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

FORM = "WDR"
TREATMENT, CONTACT, ALL = "TREATMENT", "FOLLOW-UP", "ALL"
END_OF_STUDY = "WITHDRAWAL OF CONSENT"  # the reason with which the form EOS says it
# What is not collected from the patient, or is about the withdrawal itself.
MAY_COME_LATER = frozenset({FORM, "EOS", "DTH", "DV"})


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The first day from which a patient did not consent any more: to treatment, to visits and contacts, to the use of samples."""

    treatment_on: date
    contact_on: date | None = None
    samples_on: date | None = None

    @property
    def headline(self) -> str:
        """What was withdrawn, and when."""
        if self.contact_on is None:
            return f"Consent to treatment withdrawn on {_word(self.treatment_on)}."
        earlier = f", to treatment on {_word(self.treatment_on)}" if self.treatment_on < self.contact_on else ""
        return f"Consent withdrawn on {_word(self.contact_on)}{earlier}."

    @property
    def words(self) -> str:
        """What follows from it."""
        if self.contact_on is None:
            return "Follow-up goes on."
        samples = ", and samples are not used any more" if self.samples_on else ""
        return f"No visit and no contact is expected from then on{samples}. What was collected until then stays."


def withdrawn(said: Iterable[tuple[date | None, str | None]]) -> Withdrawn | None:
    """What follows from the withdrawals of a patient, each with its day and its extent; None where there is none."""
    days = [(day, extent or CONTACT) for day, extent in said if day is not None]
    if not days:
        return None
    return Withdrawn(
        min(day for day, _ in days),
        min((day for day, extent in days if extent != TREATMENT), default=None),
        min((day for day, extent in days if extent == ALL), default=None),
    )


def _word(day: date) -> str:
    return f"{day:%d-%b-%Y}"
