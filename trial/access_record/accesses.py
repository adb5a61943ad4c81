"""The access record as people read it: who read, took away or was refused what, when and from where; narrowed and scoped.

The rule: of a study those who keep it see every event, and of the events without a study (sign-ins) those of its own people
and of names that nobody has. Who sees some sites only reads the events about the patients of those sites. A page costs the
same number of queries however long the record is.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property
from itertools import islice
from typing import Any

from django.db.models import Max, Q, QuerySet

from trial.access import Permission, Viewer, sees_all_patients, sites_visible_to
from trial.access_record.models import AccessedPatient, AccessEvent, AccessKind
from trial.access_record.wording import Sentence, word_event
from trial.changes import last_rows
from trial.models import Membership, Patient, Person, Study

EVENTS_AT_ONCE = 500  # of a list that is read to its end; an event may have all patients of the study

# What the list can be sorted by, and the columns of the event that do it. The number of an event is the order of writing.
ORDERS = {
    "at": ("pk",),
    "person": ("person_name", "pk"),
    "what": ("kind", "page", "what", "pk"),
    "address": ("address", "pk"),
}
NEWEST_FIRST = "-at"
SEARCHED = ("person_name", "organisation", "what", "purpose", "recipient", "token")


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed to; empty means everything.

    `q` is a part of a text of the event, or a whole session or request; `person` an account; `patient` a part of a number
    and `of` the key of one patient; `since` and `until` days of UTC, included; `address` the beginning of one.
    """

    q: str = ""
    person: int | None = None
    kind: str = ""
    patient: str = ""
    page: str = ""
    since: date | None = None
    until: date | None = None
    address: str = ""
    of: int | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A patient of the record: the key, the number, and whether there still is such a patient."""

    key: int
    number: str
    is_there: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One event with its words, and those of its patients whom the reader may see, by their numbers."""

    event: AccessEvent
    sentence: Sentence
    patients: tuple[Named, ...]


class Accesses:
    """The events that a person may see in a study, in the order asked for."""

    def __init__(self, viewer: Viewer, study: Study, filters: Filters, order: str = NEWEST_FIRST) -> None:
        self._patients = last_rows(Patient).filter(study=study)  # those of deleted patients too
        if filters.of is not None:
            self._patients = self._patients.filter(id=filters.of)
        seen = Q(study=study) | Q(study__isnull=True, by__isnull=True)
        seen |= Q(study__isnull=True, by__in=people_ever_in(study).values("user"))
        if not sees_all_patients(viewer, study, Permission.ACCESS_VIEW):
            sites = sites_visible_to(viewer, study, Permission.ACCESS_VIEW)
            self._patients = self._patients.filter(site__in=sites.order_by().values("pk"))
            seen &= self._about(self._patients)
        events = AccessEvent.objects.filter(seen, _narrowed(filters))
        if filters.of is not None:
            events = events.filter(self._about(self._patients), kind__in=(AccessKind.READ, AccessKind.EXPORTED))
        if filters.patient:
            events = events.filter(self._about(self._patients.filter(number__icontains=filters.patient)))
        sign = "-" if order.startswith("-") else ""
        self.events = events.order_by(*(f"{sign}{column}" for column in ORDERS[order.removeprefix("-")]))

    def __len__(self) -> int:
        """The number of events."""
        return self.events.count()

    def __getitem__(self, wanted: slice) -> list[Line]:
        """A page of the list, as Django's paginator asks for it."""
        return self._worded(list(self.events[wanted]))

    def up_to_now(self) -> Iterator[Line]:
        """Every line of the list as it is at the call: what is recorded while it is read is not among them."""
        last = AccessEvent.objects.aggregate(last=Max("pk"))["last"] or 0
        return self._portions(self.events.filter(pk__lte=last).iterator(chunk_size=EVENTS_AT_ONCE))

    def patients(self) -> set[int]:
        """The keys of the patients whom the list names, all pages of it."""
        accessed = AccessedPatient.objects.filter(event__in=self.events.order_by().values("pk"))
        return set(accessed.values_list("patient_id", flat=True).distinct()) & self._named.keys()

    def _portions(self, events: Iterator[AccessEvent]) -> Iterator[Line]:
        while portion := list(islice(events, EVENTS_AT_ONCE)):
            yield from self._worded(portion)

    def _about(self, patients: QuerySet[Any]) -> Q:
        """Whether an event showed one of these patients."""
        return Q(pk__in=AccessedPatient.objects.filter(patient_id__in=patients.values("id")).values("event"))

    @cached_property
    def _named(self) -> dict[int, Named]:
        """Each patient whom the reader may see, by the key."""
        rows = self._patients.values_list("id", "number", "history_type")
        return {key: Named(key, number, is_there=last != "-") for key, number, last in rows}

    def _worded(self, events: Sequence[AccessEvent]) -> list[Line]:
        found: dict[int, list[Named]] = defaultdict(list)
        accessed = AccessedPatient.objects.filter(event__in=[event.pk for event in events])
        for number, patient in accessed.values_list("event_id", "patient_id"):
            if patient in self._named:
                found[number].append(self._named[patient])
        lines = []
        for event in events:
            patients = tuple(sorted(found[event.pk], key=lambda patient: patient.number))
            lines.append(Line(event, word_event(event, [patient.number for patient in patients]), patients))
        return lines


def keys_in(lines: Sequence[Line]) -> set[int]:
    """The keys of the patients whom these lines name."""
    return {patient.key for line in lines for patient in line.patients}


def people_ever_in(study: Study) -> QuerySet[Any]:
    """The last history row of everybody who has or had a role in the study, at any site."""
    ever = Membership.history.model._default_manager.filter(study=study).order_by()
    return last_rows(Person).filter(id__in=ever.values("person"))


def _narrowed(filters: Filters) -> Q:
    """Which events the filters on their own columns let through."""
    events = Q()
    if filters.q:
        found = Q(session=filters.q) | Q(request_id=filters.q)
        for column in SEARCHED:
            found |= Q(**{f"{column}__icontains": filters.q})
        events &= found
    if filters.person is not None:
        events &= Q(by=filters.person)
    if filters.kind:
        events &= Q(kind=filters.kind)
    if filters.page:
        events &= Q(page=filters.page)
    if filters.address:
        events &= Q(address__startswith=filters.address)
    if filters.since:
        events &= Q(at__gte=datetime.combine(filters.since, time(), UTC))
    if filters.until:
        events &= Q(at__lte=datetime.combine(filters.until, time.max, UTC))
    return events
