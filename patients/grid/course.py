"""What has happened to patients as far as the schedule asks, read from their records.

The rule: the number of queries does not depend on the number of patients, and only the columns that are needed are read.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils import timezone

from patients import expected
from patients.expected import Course
from patients.models import (
    Death,
    Dexamethasone,
    EarlierScreening,
    EndOfStudy,
    EndOfTreatment,
    Enrolment,
    InfusionInterval,
    LaterTransplant,
    Relapse,
    Transplant,
    Withdrawal,
)
from trial import partial_dates
from trial.edit_checks import Casebook, Record
from trial.fields import PartialDateField
from trial.models import SEEDED, Patient
from trial.records import PatientRecord

# The forms that a course is read from: a change of one of them can change what is expected.
READ: dict[type[PatientRecord], tuple[str, ...]] = {
    Enrolment: ("consented_on", "is_enrolled", "screened_on"),
    EarlierScreening: (),
    InfusionInterval: ("cycle", "dose_ug_per_day", "started_at", "started_at_offset", "ended_at", "ended_at_offset"),
    Dexamethasone: ("purpose",),
    EndOfTreatment: ("reason",),
    Transplant: ("kind", "transplanted_on"),
    LaterTransplant: ("transplanted_on",),
    Relapse: ("relapsed_on",),
    Death: ("died_on",),
    EndOfStudy: ("ended_on", "reason"),
    Withdrawal: ("withdrawn_on", "extent"),
}
STEERING_FORMS = frozenset(model.form.code for model in READ)
# Of some forms only these rows say anything.
NARROWED: dict[type[PatientRecord], dict[str, Any]] = {
    InfusionInterval: {"dose_ug_per_day__gt": 0, "started_at__isnull": False},
    Dexamethasone: {"purpose": "PRE-PHASE"},
    Transplant: {"kind": "ALLOGENEIC"},
}

Patients = Collection[Patient] | QuerySet[Patient]


def today_of(patient: Patient) -> date:
    """The day at the patient's site; the demo's own where it has one."""
    zone = ZoneInfo(patient.site.time_zone)
    return patient.study.today or timezone.now().astimezone(zone).date()


def course_of(patient: Patient) -> Course | None:
    """What has happened to one patient; None without a day of consent."""
    return courses_of([patient]).get(patient.pk)


def courses_of(patients: Iterable[Patient]) -> dict[int, Course]:
    """What has happened to each patient, by their keys. Without a day of consent there is no course."""
    people = {patient.pk: patient for patient in patients}
    records: dict[int, dict[str, list[Record]]] = {key: defaultdict(list) for key in people}
    for model, names in READ.items():
        rows = model._default_manager.filter(patient__in=people, **NARROWED.get(model, {})).order_by("pk")
        for values in rows.values("patient", "pk", *names):
            form = model.form.code
            records[values["patient"]][form].append(Record(form, values["pk"], 0, "", _answers(model, values)))
    courses = {}
    for key, patient in people.items():
        course = expected.course_of(Casebook(records[key], SEEDED, today_of(patient)))
        if course is not None:
            courses[key] = course
    return courses


def _answers(model: type[PatientRecord], values: dict[str, Any]) -> dict[str, Any]:
    """The answers as the schedule reads them: partial dates read, and of each moment the day at the site."""
    for name in READ[model]:
        if values[name] and isinstance(model._meta.get_field(name), PartialDateField):
            values[name] = partial_dates.parse(values[name])
    for moment in ("started", "ended"):
        if f"{moment}_at" in values:
            at, offset = values[f"{moment}_at"], values[f"{moment}_at_offset"]
            values[f"{moment}_on"] = (at + timedelta(minutes=offset or 0)).date() if at else None
    return values
