"""Which expected form one goes on with: forward by the days of the visits, at each visit in the order of the casebook."""

from datetime import date

from patients.expected import expected_visits
from patients.grid.course import course_of, today_of
from patients.grid.expecting import LOG
from patients.grid.status import empty_entries
from trial.models import FormEntry, Patient
from trial.records import record_models

Place = tuple[date, str, int, int]


def next_expected(patient: Patient, after: FormEntry) -> FormEntry | None:
    """The empty entry to go on with: of the same visit, else of the next one; after the last visit the first that is left.

    What belongs to no visit comes before all visits, and a visit of which no day is known after them.
    """
    waiting = list(empty_entries(Patient.objects.filter(pk=patient.pk)).exclude(pk=after.pk))
    if not waiting:
        return None
    course = course_of(patient)
    days = {visit.code: visit.day for visit in expected_visits(course, today_of(patient))} if course else {}
    collected = FormEntry.objects.filter(patient=patient, collected_on__isnull=False).order_by("-collected_on")
    days = dict(collected.values_list("visit", "collected_on")) | days | {LOG: date.min}
    order = {model.form.code: number for number, model in enumerate(record_models())}

    def place(entry: FormEntry) -> Place:
        return days.get(entry.visit, date.max), entry.visit, order[entry.form], entry.repeat

    here = place(after)
    return min(waiting, key=lambda entry: (entry.visit != after.visit, place(entry) < here, place(entry)))
