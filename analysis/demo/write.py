"""Writes a planned study into an empty database: one recording for each save of a form, dated as if made at the time."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import DEFAULT_DB_ALIAS, transaction

from analysis.demo.build import StudyPlan, fill, study_dates
from analysis.demo.casebook import Casebook, Gate, Row
from analysis.demo.corrections import Correction, choose_corrections
from analysis.demo.people import SYNTHETIC_TITLE, PersonPlan
from trial.audit.demo_clock import dated_recording, demo_clock
from trial.models import FormEntry, Membership, Patient, Person, Site, Study
from trial.records import PatientRecord, record_model, record_models

ACTS_A_TRANSACTION = 400
FIRST_ENTRY = "First entry of the form."
ENROLMENT = "New patient: informed consent was signed."
Progress = Callable[[str], None]


@dataclass(eq=False)
class Act:
    """What is saved at one instant by one person: new rows and gates of one patient, or one correction."""

    at: datetime
    by: str
    book: Casebook
    items: list[Row | Gate] = field(default_factory=list)
    correction: Correction | None = None


def write_study(
    plan: StudyPlan, *, label: str, progress: Progress = lambda _: None, using: str = DEFAULT_DB_ALIAS
) -> Study:
    """Write everything, in the order of time, and give back the study. `label` says how it was built, in the trail.

    Raise `ValueError` when the database has recordings already.
    """
    with demo_clock(using):
        staff = _Staff(plan, label, using)
        books = [fill(patient) for patient in plan.patients]
        acts = sorted((act for book in books for act in _acts(book)), key=lambda act: (act.at, act.book.plan.number))
        writer = _Writer(staff, using)
        for act in acts:
            if act.correction is not None:
                writer.expect(act.correction)
        for start in range(0, len(acts), ACTS_A_TRANSACTION):
            with transaction.atomic(using=using):
                for act in acts[start : start + ACTS_A_TRANSACTION]:
                    writer.write(act)
            progress(f"Patients {len(writer.patients)}/{len(books)}, entries of {acts[start].at:%B %Y}")
    return staff.study


def _acts(book: Casebook) -> Iterator[Act]:
    """The acts of one patient: items that were saved together, and corrections."""
    together: dict[tuple[datetime, str], Act] = {}
    for item in [*book.rows, *book.gates]:
        assert item.at is not None  # every entry of a filled casebook is dated
        key = (item.at, item.by)
        if key not in together:
            together[key] = Act(*key, book)
        together[key].items.append(item)
    yield from together.values()
    for correction in choose_corrections(book.rows, book.plan.rng):
        yield Act(correction.at, correction.by, book, correction=correction)


class _Staff:
    """The study, its sites and its people, written first; and who acts where."""

    def __init__(self, plan: StudyPlan, label: str, using: str) -> None:
        self.using = using
        self.accounts: dict[tuple[str, str], tuple[Any, PersonPlan]] = {}
        began, today = study_dates()
        self.began = datetime.combine(began, time(9, 0), UTC)
        users = self._users(plan)
        administrator = next(p for p in plan.people if p.role == "administrator")
        # The administrator's own name is not in the database yet, so the account carries it for the first act.
        with self._act(users[administrator.username], administrator, self.began, label):
            self.study = Study(
                code="MT103-211",
                title=SYNTHETIC_TITLE,
                registration="NCT01466179",
                planned_patients=len(plan.treated),
                is_synthetic=True,
                today=today,
            )
            self.study.save(using=using)
        with self._act(users[administrator.username], administrator, self.began + timedelta(hours=1), "Sites opened."):
            places = [
                Site(study=self.study, number=s.number, name=s.name, country=s.country, time_zone=s.time_zone)
                for s in plan.sites
            ]
            Site.objects.using(using).bulk_create(places)
        self.sites = {site.number: site for site in places}
        with self._act(
            users[administrator.username], administrator, self.began + timedelta(hours=2), "Staff assigned."
        ):
            self._assign(plan, users, began)
        for one in plan.people:
            self.accounts[one.role, one.site] = (users[one.username], one)

    def _users(self, plan: StudyPlan) -> dict[str, Any]:
        """Accounts to which no password opens the door."""
        model = get_user_model()
        users = [
            model(
                username=one.username,
                first_name=" ".join(one.name.split(" ")[:-1]),
                last_name=one.name.split(" ")[-1],
                password=make_password(None),
            )
            for one in plan.people
        ]
        return {user.get_username(): user for user in model._default_manager.using(self.using).bulk_create(users)}

    def _assign(self, plan: StudyPlan, users: dict[str, Any], began: date) -> None:
        """Persons and memberships; the staff of the largest site comes first, so that the demo signs in there."""
        sizes = Counter(patient.site.number for patient in plan.patients)
        order = sorted(plan.people, key=lambda one: (-sizes[one.site] if one.site else -9999, one.site))
        persons = [Person(user=users[one.username], name=one.name, organisation=one.organisation) for one in order]
        Person.objects.using(self.using).bulk_create(persons)
        Membership.objects.using(self.using).bulk_create(
            Membership(
                person=person,
                study=self.study,
                site=self.sites.get(one.site),
                role=one.role,
                starts_on=began,
            )
            for person, one in zip(persons, order, strict=True)
        )

    def _act(self, user: Any, one: PersonPlan, at: datetime, reason: str) -> Any:
        study = getattr(self, "study", None)
        return dated_recording(
            at=at, by=user, reason=reason, study=study, role=one.role, organisation=one.organisation, using=self.using
        )

    def act(self, role: str, site: str, at: datetime, reason: str) -> Any:
        """A recording in the name of whoever has this role at the site."""
        user, one = self.accounts[role, site]
        return self._act(user, one, at, reason)


class _Writer:
    """Writes acts one after the other, and remembers what was written."""

    def __init__(self, staff: _Staff, using: str) -> None:
        self.staff = staff
        self.using = using
        self.patients: dict[str, Patient] = {}
        self.entries: dict[tuple[str, str, str, int], FormEntry] = {}
        self.records: dict[Row, PatientRecord] = {}
        self.wrong: dict[Row, dict[str, Any]] = {}
        order = [model.form.code for model in record_models()]
        self.pages = {model.form.code: model.form.page for model in record_models()}
        # A record is written after what it refers to: pages before their blocks, and marrow and count before the rest.
        first = ("LBH", "BM", "EMD", "AE")
        self.rank = {code: (code not in first, self.pages[code] != code, order.index(code)) for code in order}

    def write(self, act: Act) -> None:
        """Write one act inside its recording."""
        plan = act.book.plan
        if plan.number not in self.patients:
            consented = act.book.moment(plan.consented_on, time(15, 0))[0]
            with self.staff.act("coordinator", plan.site.number, min(consented, act.at), ENROLMENT):
                patient = Patient(study=self.staff.study, site=self.staff.sites[plan.site.number], number=plan.number)
                patient.save(using=self.using)
            self.patients[plan.number] = patient
        if act.correction is not None:
            self._correct(act, act.correction)
            return
        with self.staff.act(act.by, plan.site.number, act.at, FIRST_ENTRY):
            self._enter(act)

    def _enter(self, act: Act) -> None:
        """New entries, then their records by form, so that each form is one statement."""
        patient = self.patients[act.book.plan.number]
        fresh: list[FormEntry] = []
        for item in act.items:
            page = self.pages[item.form]
            repeat = item.repeat if isinstance(item, Row) else 1
            key = (patient.number, page, item.visit, repeat)
            if key not in self.entries:
                self.entries[key] = FormEntry(patient=patient, form=page, visit=item.visit, repeat=repeat)
                fresh.append(self.entries[key])
            entry = self.entries[key]
            if isinstance(item, Gate):
                entry.is_not_done = item.not_done_reason is not None
                entry.not_done_reason = item.not_done_reason
                entry.has_any = None if entry.is_not_done else False
            entry.collected_on = item.on
        FormEntry.objects.using(self.using).bulk_create(fresh)
        rows = [item for item in act.items if isinstance(item, Row)]
        for code in sorted({row.form for row in rows}, key=self.rank.__getitem__):
            mine = [row for row in rows if row.form == code]
            model = record_model(code)
            made = [self._record(model, patient, row) for row in mine]
            model.objects.using(self.using).bulk_create(made)

    def _record(self, model: type[PatientRecord], patient: Patient, row: Row) -> PatientRecord:
        entry = self.entries[patient.number, self.pages[row.form], row.visit, row.repeat]
        values = row.values | self.wrong.get(row, {})
        answers = {name: self.records[value] if isinstance(value, Row) else value for name, value in values.items()}
        record = self.records[row] = model(patient=patient, entry=entry, missing=row.missing, **answers)
        return record

    def expect(self, correction: Correction) -> None:
        """Remember that a row is entered wrongly at first."""
        self.wrong[correction.row] = correction.wrong

    def _correct(self, act: Act, correction: Correction) -> None:
        """Put one row right: only the fields that were wrong change."""
        record = self.records[correction.row]
        with self.staff.act(act.by, act.book.plan.site.number, act.at, correction.reason):
            for name in correction.wrong:
                setattr(record, name, correction.row.values.get(name))
            record.save(using=self.using)
