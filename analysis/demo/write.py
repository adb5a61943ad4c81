"""Writes a planned study into an empty database: one recording for each save of a form, dated as if made at the time."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import BooleanField, CharField, Field, ForeignKey, IntegerField, Model

from analysis.demo.asking import Question, Reader, bring_to_rest, questions_about
from analysis.demo.build import StudyPlan, fill, study_dates
from analysis.demo.casebook import Casebook, Gate, Row
from analysis.demo.corrections import Correction, choose_corrections
from analysis.demo.laboratory import VALID_FROM, ranges_of
from analysis.demo.people import SYNTHETIC_TITLE, PersonPlan
from analysis.demo.plan import Plan
from analysis.demo.talking import Conversation, Line, conversations
from patients.models import NormalRange
from trial.audit import service_account
from trial.audit.demo_clock import dated_recording, demo_clock
from trial.edit_checks import Finding
from trial.models import FormEntry, Membership, Patient, Person, Query, Site, Study
from trial.records import record_models
from trial.review.models import QueryState
from trial.review.models import Step as QueryStep
from trial.review.queries import CHECKER, ask, take

ACTS_A_TRANSACTION = 400
FIRST_ENTRY = "First entry of the form."
ENROLMENT = "New patient: informed consent was signed."
CHECKED = "Edit checks were run."
ASKED = "A query was asked."
ANSWERED = "A query was answered."
A_MOMENT = timedelta(seconds=1)
Progress = Callable[[str], None]


@dataclass(eq=False)
class Act:
    """What is saved at one instant by one person: new rows and gates of one patient, one correction, a step of a query,
    or a line of a conversation. None of them means that the patient is new.
    """

    at: datetime
    by: str
    book: Casebook
    items: list[Row | Gate] = field(default_factory=list)
    correction: Correction | None = None
    step: "Step | None" = None
    line: "tuple[Conversation, Line] | None" = None


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of a query at one instant: asked or asked anew, answered, or closed where nothing is given."""

    question: Question
    asked: Finding | None = None
    answer: str = ""


def write_study(
    plan: StudyPlan, *, label: str, progress: Progress = lambda _: None, using: str = DEFAULT_DB_ALIAS
) -> Study:
    """Write everything, in the order of time, and give back the study. `label` says how it was built, in the trail.

    Raise `ValueError` when the database has recordings already.
    """
    with demo_clock(using):
        staff = _Staff(plan, label, using)
        writer = _Writer(staff, using)
        acts = sorted(writer.acts_of([fill(patient) for patient in plan.patients]), key=_in_time)
        for act in acts:
            if act.correction is not None:
                writer.expect(act.correction)
        for start in range(0, len(acts), ACTS_A_TRANSACTION):
            with transaction.atomic(using=using):
                for act in acts[start : start + ACTS_A_TRANSACTION]:
                    writer.write(act)
            progress(f"Patients {len(writer.patients)}/{len(plan.patients)}, entries of {acts[start].at:%B %Y}")
    return staff.study


def _in_time(act: Act) -> tuple[datetime, str]:
    return act.at, act.book.plan.number


def _acts(book: Casebook) -> Iterator[Act]:
    """The acts of one patient: consent, items that were saved together, and corrections."""
    together: dict[tuple[datetime, str], Act] = {}
    for item in book.items:
        assert item.at is not None  # every entry of a filled casebook is dated
        key = (item.at, item.by)
        if key not in together:
            together[key] = Act(*key, book)
        together[key].items.append(item)
    consented = book.moment(book.plan.consented_on, time(15, 0))[0]
    yield Act(min(consented, *(act.at for act in together.values())), "coordinator", book)
    yield from together.values()
    for correction in choose_corrections(book.rows, book.plan.rng):
        yield Act(correction.at, correction.by, book, correction=correction)


def _steps(book: Casebook, question: Question) -> Iterator[Act]:
    """The acts by which a query is asked, asked anew, and comes to rest. A check runs a moment after what it read was saved."""
    for at, found in question.asked:
        yield Act(at + A_MOMENT, CHECKER, book, step=Step(question, asked=found))
    if question.closed_at is not None:
        yield Act(question.closed_at + A_MOMENT, CHECKER, book, step=Step(question))
    if question.answered_at is not None:
        yield Act(question.answered_at, "coordinator", book, step=Step(question, answer=question.answer))


def _reason_of(act: Act) -> str:
    """What the trail says of why it was done."""
    if act.correction:
        return act.correction.reason
    if act.line:
        return {QueryStep.ASKED: ASKED, QueryStep.ANSWERED: ANSWERED}.get(act.line[1].step, act.line[1].text)
    if act.step:
        return ANSWERED if act.step.answer else CHECKED
    return FIRST_ENTRY if act.items else ENROLMENT


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
            users[administrator.username], administrator, self.began + timedelta(hours=2), "Normal ranges received."
        ):
            NormalRange.objects.using(using).bulk_create(
                NormalRange(
                    site=self.sites[site.number],
                    laboratory=site.laboratory,
                    test=one.test,
                    unit=one.unit,
                    sex=one.sex,
                    low=one.low,
                    high=one.high,
                    valid_from=VALID_FROM,
                )
                for site in plan.sites
                for one in ranges_of(site)
            )
        with self._act(
            users[administrator.username], administrator, self.began + timedelta(hours=3), "Staff assigned."
        ):
            self._assign(plan, users, began)
        self.checker = service_account(CHECKER)
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
        """A recording in the name of whoever has this role at the site, or of the account in whose name checks ask."""
        if role == CHECKER:
            return dated_recording(at=at, by=self.checker, reason=reason, study=self.study, using=self.using)
        user, one = self.accounts.get((role, site)) or self.accounts[role, ""]  # of the site, else of the study
        return self._act(user, one, at, reason)


class _Inserter:
    """Inserts rows of one model by statements that are made once.

    not: bulk_create(), which builds each of some forty thousand statements anew and takes three times as long
    but: the same columns and conversions, so that triggers and checks see what it would have sent
    """

    def __init__(self, model: type[Model], using: str) -> None:
        self.connection = connections[using]
        self.fields = {field.attname: field for field in model._meta.concrete_fields if not field.primary_key}
        self.as_is = {name: _kept_as_it_is(field) for name, field in self.fields.items()}
        self.defaults = {name: self.stored(field, field.get_default()) for name, field in self.fields.items()}
        quote = self.connection.ops.quote_name
        columns = ", ".join(quote(str(field.column)) for field in self.fields.values())
        # Names of tables and columns have no parameters; all of them are quoted.
        self.head = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES "  # noqa: S608 - as said above
        self.row = f"({', '.join(['%s'] * len(self.fields))})"
        self.tail = f" RETURNING {quote(str(model._meta.pk.column))}"
        self.statements: dict[int, str] = {}

    def stored(self, field: "Field[Any, Any]", value: Any) -> Any:
        """A value as the database keeps it."""
        return field.get_db_prep_save(value, connection=self.connection)

    def insert(self, rows: Sequence[Mapping[str, Any]]) -> list[int]:
        """Insert rows, given as values by column attribute, and give back their keys in order."""
        if len(rows) not in self.statements:
            self.statements[len(rows)] = self.head + ", ".join([self.row] * len(rows)) + self.tail
        parameters: list[Any] = []
        for row in rows:
            # Most values need no conversion, and to ask a field for none takes longer than to write them.
            given = {
                name: value if type(value) is self.as_is[name] else self.stored(self.fields[name], value)
                for name, value in row.items()
            }
            parameters += (self.defaults | given).values()
        with self.connection.cursor() as cursor:
            cursor.execute(self.statements[len(rows)], parameters)
            return [key for (key,) in cursor.fetchall()]


def _kept_as_it_is(field: "Field[Any, Any]") -> type | None:
    """The type of values that the field hands to the database unchanged, if there is one."""
    kinds: tuple[tuple[type[Any], type], ...] = (
        (CharField, str), (IntegerField, int), (ForeignKey, int), (BooleanField, bool)
    )  # fmt: skip
    return next((plain for kind, plain in kinds if isinstance(field, kind)), None)


class _Writer:
    """Writes acts one after the other, and remembers the keys of what was written."""

    def __init__(self, staff: _Staff, using: str) -> None:
        self.staff = staff
        self.using = using
        self.patients: dict[str, int] = {}
        self.entries: dict[tuple[str, str, str, int], int] = {}
        self.records: dict[Row, int] = {}
        self.entry_of: dict[Row, int] = {}
        self.queries: dict[Question, Query] = {}
        self.conversations: dict[Conversation, Query] = {}
        self.wrong: dict[Row, dict[str, Any]] = {}
        self.models = {model.form.code: model for model in record_models()}
        self.inserters = {code: _Inserter(model, using) for code, model in self.models.items()}
        self.insert_entries = _Inserter(FormEntry, using).insert
        # A record is written after what it refers to: pages before their blocks, and marrow and count before the rest.
        first = ("LBH", "BM", "EMD", "AE")
        self.rank = {
            code: (code not in first, bool(model.form.part_of), place)
            for place, (code, model) in enumerate(self.models.items())
        }

    def acts_of(self, books: Sequence[Casebook]) -> Iterator[Act]:
        """Everything that was done about these casebooks: entered, corrected, asked and answered."""
        reader = Reader(self.models, self.staff.study.parameters)
        asked: list[tuple[Casebook, Question]] = []
        for book in books:
            acts = sorted(_acts(book), key=_in_time)
            yield from acts
            rows = [row for act in acts for group in self._in_order(act.items) for row in group]
            corrections = [act.correction for act in acts if act.correction is not None]
            asked += [(book, question) for question in questions_about(book, rows, corrections, reader)]
        bring_to_rest(asked)
        for book, question in asked:
            yield from _steps(book, question)
        for book, conversation in conversations(books):
            for at, line in conversation.said:
                yield Act(at, line.role, book, line=(conversation, line))

    def _in_order(self, items: Sequence[Row | Gate]) -> Iterator[list[Row]]:
        """The rows that are saved together, form by form in the order in which they are written."""
        rows = [item for item in items if isinstance(item, Row)]
        for code in sorted({row.form for row in rows}, key=self.rank.__getitem__):
            yield [row for row in rows if row.form == code]

    def write(self, act: Act) -> None:
        """Write one act inside its recording."""
        plan = act.book.plan
        with self.staff.act(act.by, plan.site.number, act.at, _reason_of(act)):
            if act.correction:
                self._correct(act.correction)
            elif act.step:
                self._ask(act.step, self.patients[plan.number])
            elif act.line:
                self._talk(*act.line, self.patients[plan.number])
            elif act.items:
                self._enter(act)
            else:
                self._enrol(plan)

    def _enrol(self, plan: Plan) -> None:
        patient = Patient(study=self.staff.study, site=self.staff.sites[plan.site.number], number=plan.number)
        patient.save(using=self.using)
        self.patients[plan.number] = patient.pk

    def _enter(self, act: Act) -> None:
        """New entries, then their records form by form."""
        number = act.book.plan.number
        patient = self.patients[number]
        fresh: dict[tuple[str, str, str, int], dict[str, Any]] = {}
        for item in act.items:
            page, repeat = self.models[item.form].form.page, item.repeat if isinstance(item, Row) else 1
            key = (number, page, item.visit, repeat)
            if key not in self.entries:
                entry = fresh.setdefault(
                    key, {"patient_id": patient, "form": page, "visit": item.visit, "repeat": repeat}
                )
                entry["collected_on"] = item.on
                if isinstance(item, Row):
                    entry["form_version"] = self.models[page].form.version
                else:
                    reason = item.not_done_reason
                    entry |= {"is_not_done": bool(reason), "not_done_reason": reason}
                    entry["has_any"] = None if reason else False
        for key, values in fresh.items():
            (self.entries[key],) = self.insert_entries([values])
        for mine in self._in_order(act.items):
            code = mine[0].form
            # The rows of a repeating block go in together; others vary in number, so that one at a time makes fewer statements.
            for group in [mine] if self.models[code].form.part_of else [[row] for row in mine]:
                keys = self.inserters[code].insert([self._values(number, patient, row) for row in group])
                self.records.update(zip(group, keys, strict=True))

    def _ask(self, step: Step, patient: int) -> None:
        """Take one step with a query: the first one makes it."""
        row, found = step.question.row, step.asked
        query = self.queries.get(step.question)
        is_new = query is None
        if query is None:
            assert found is not None  # asking comes first
            query = self.queries[step.question] = Query(
                patient_id=patient,
                entry_id=self.entry_of[row],
                form=row.form,
                record=self.records[row],
                field=found.check.field,
                check_code=found.check.code,
            )
        if found is not None:
            query.question, query.severity = found.question[:500], found.severity
            query.basis = self._basis(found, row)
        if is_new:
            ask(query, using=self.using)
        elif found is not None:
            again = QueryStep.REWORDED if query.state == QueryState.OPEN else QueryStep.REOPENED
            take(query, again, query.question, using=self.using)
        elif step.answer:
            take(query, QueryStep.ANSWERED, step.answer, using=self.using)
        else:
            take(query, QueryStep.MENDED, using=self.using)

    def _talk(self, conversation: Conversation, line: Line, patient: int) -> None:
        """Say one line of a conversation: the first one asks."""
        talk, row = conversation.talk, conversation.row
        query = self.conversations.get(conversation)
        if query is not None:
            take(query, line.step, line.text, using=self.using)
            return
        query = self.conversations[conversation] = Query(patient_id=patient, question=line.text, asked_of=talk.asked_of)
        if talk.about == "field":
            query.entry_id, query.form, query.record = self.entry_of[row], row.form, self.records[row]
            query.field = talk.field
        elif talk.about == "visit":
            query.visit = row.visit
        ask(query, using=self.using)

    def _basis(self, found: Finding, row: Row) -> str:
        """What a check looked at, with the keys that the records it refers to were given in the database."""
        basis = found.basis
        for column in self.models[row.form]._meta.concrete_fields:
            other = row.values.get(column.name)
            if isinstance(other, Row):
                planned, given = found.record.answers[column.attname], self.records[other]
                basis = basis.replace(f"{column.attname}={planned}", f"{column.attname}={given}")
        return basis

    def _values(self, number: str, patient: int, row: Row) -> dict[str, Any]:
        """What is stored of one row, by column attribute; references as keys."""
        entry = self.entries[number, self.models[row.form].form.page, row.visit, row.repeat]
        self.entry_of[row] = entry
        stored: dict[str, Any] = {"patient_id": patient, "entry_id": entry, "missing": row.missing}
        for name, value in (row.values | self.wrong.get(row, {})).items():
            if isinstance(value, Row):
                stored[f"{name}_id"] = self.records[value]
            elif value is not None:
                stored[name] = value
        return stored

    def expect(self, correction: Correction) -> None:
        """Remember that a row is entered wrongly at first."""
        self.wrong[correction.row] = correction.wrong

    def _correct(self, correction: Correction) -> None:
        """Put one row right: only the fields that were wrong change."""
        model = self.models[correction.row.form]
        record = model.objects.using(self.using).get(pk=self.records[correction.row])
        for name in correction.wrong:
            setattr(record, name, correction.row.values.get(name))
        record.save(using=self.using)
