"""Expected forms are rows: the entries that the schedule asks for are made, and those that it asks for no more are taken away.

The rule: only what is empty is ever taken away. What somebody entered, answered or was asked about stays, wherever it stands.
"""

from dataclasses import dataclass
from datetime import date

from patients.expected import Course, expected_visits, expected_without_visit
from patients.grid.course import course_of, today_of
from patients.grid.status import records_of_entries
from trial.audit import recording, service_account
from trial.models import FormEntry, Patient, Query

SCHEDULER = "schedule"  # the account in whose name forms are asked for
LOG = "LOG"
BEFORE_CONSENT = (("ENR", LOG),)  # where the day of consent is not known, it is all that is asked for


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of the entries of a patient."""

    added: tuple[FormEntry, ...] = ()
    taken_away: tuple[FormEntry, ...] = ()


def expected_forms(course: Course | None, today: date) -> list[tuple[str, str]]:
    """The forms that are expected by a day, each with its visit, in the order of the schedule."""
    if course is None:
        return list(BEFORE_CONSENT)
    visits = [(form, visit.code) for visit in expected_visits(course, today) for form in visit.forms]
    return [*((form, LOG) for form in expected_without_visit(course)), *visits]


def expect(patient: Patient, *, channel: str = "command", today: date | None = None) -> Asked:
    """Bring the entries of a patient in line with the schedule, all or nothing.

    An entry that is gone from the schedule because a cycle was delayed, or a transplantation came early, is taken away
    while it is still empty. Where the day of consent is not known, nothing is.
    """
    with recording(
        by=service_account(SCHEDULER),
        reason="The forms that the schedule asks for were brought up to date.",
        study=patient.study,
        channel=channel,
    ):
        Patient.objects.select_for_update().get(pk=patient.pk)  # locked: a form must not be entered meanwhile
        course = course_of(patient)
        wanted = expected_forms(course, today or today_of(patient))
        entries = list(FormEntry.objects.filter(patient=patient).order_by("pk"))
        there = {(entry.form, entry.visit) for entry in entries}
        missing = [key for key in dict.fromkeys(wanted) if key not in there]
        added = FormEntry.objects.bulk_create(
            [FormEntry(patient=patient, form=form, visit=visit) for form, visit in missing]
        )
        gone = _still_empty(patient, [entry for entry in entries if (entry.form, entry.visit) not in set(wanted)])
        if course is None:
            gone = []
        for entry in gone:
            entry.delete()
    return Asked(tuple(added), tuple(gone))


def _still_empty(patient: Patient, entries: list[FormEntry]) -> list[FormEntry]:
    """Those of the entries on which nobody said anything, and nobody asked."""
    if not entries:
        return []
    filled = set(records_of_entries([patient.pk]))
    asked = set(Query.objects.filter(patient=patient).values_list("entry_id", flat=True))
    return [
        entry
        for entry in entries
        if entry.pk not in filled | asked and not entry.is_not_done and entry.has_any is None and not entry.comment
    ]
