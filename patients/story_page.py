"""The page of a patient's story: one figure, and all of it as tables. Whatever is shown leads to its form."""

from dataclasses import dataclass

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import render

from patients.checking import casebook_for
from patients.laboratory_tests import TESTS
from patients.story import LANES, READ, Point, Story, tell
from patients.story_figure import draw
from patients.views import facts_of, patients_with_facts
from trial.access import Permission, StaffRequest, may, requires
from trial.models import Patient

WHOLE = {"": False, "treatment": False, "study": True}  # the time that the address asks for


@dataclass(frozen=True, slots=True)
class Reading:
    """What a story is read from, as `casebook_for` asks it."""

    form: str
    reads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """A row of the table of blood: one sample and its results, in the order of the courses; None where it has none."""

    point: Point
    day: int | None
    results: tuple[Point | None, ...]


@requires(Permission.PATIENTS_VIEW, on=Patient)
def patient_story(request: StaffRequest, patient: Patient) -> HttpResponse:
    """What happened to a patient on one axis of time: the treatment and 30 days after it, or the whole study."""
    asked = request.GET.get("time", "")
    if asked not in WHOLE:
        raise BadRequest(f"'{asked[:40]}' is no time that a story can show. Choose treatment or study.")
    story = tell(casebook_for(patient, [Reading(READ[0], READ[1:])]))
    with_facts = patients_with_facts(Patient.objects.filter(pk=patient.pk)).get()
    context = {
        "patient": patient,
        "facts": facts_of(with_facts),
        "story": story,
        "may_ask": may(request.user, Permission.QUERY_RAISE, patient),
        "figure": draw(story, whole=WHOLE[asked]),
        "is_whole": WHOLE[asked],
        "rows": [
            (mark, LANES[mark.lane], story.day(mark.on) if mark.began.is_complete else None) for mark in story.marks
        ],
        "courses": story.courses,
        "samples": samples_of(story),
    }
    return render(request, "patients/story.html", context)


def samples_of(story: Story) -> list[Sample]:
    """The samples with a result of some course, in the order of time."""
    by_sample: dict[tuple[str, int], dict[str, Point]] = {}
    for course in story.courses:
        for point in course.points:
            by_sample.setdefault((TESTS[course.test].panel, point.record), {})[course.test] = point
    found = []
    for results in by_sample.values():
        point = next(iter(results.values()))
        found.append(Sample(point, story.day(point.on), tuple(results.get(course.test) for course in story.courses)))
    return sorted(found, key=lambda sample: (sample.point.on, sample.point.form, sample.point.record))
