"""The pages on which a form is entered, changed, marked as not done, or removed; and where a draft is kept.

The rule: a save answers with what became of it. Refused (400) and overtaken (409) pages hold all that was typed.
"""

import json
import re
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.db import models
from django.forms import BoundField
from django.http import Http404, HttpResponse, HttpResponseBadRequest, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from patients.casebook import show_answer, show_record, unanswered
from patients.derived_values import Derived, derived_of
from patients.entry.answering import Asked, answers_in, asked_here
from patients.entry.controls import Ground
from patients.entry.forms import NotDoneForm, RemoveForm
from patients.entry.laboratory import ResultRow
from patients.entry.meanwhile import mark, take_theirs
from patients.entry.proposing import proposed
from patients.entry.saving import (
    NOTHING,
    Overtaken,
    Saved,
    SentTwice,
    Without,
    entries_at,
    remove_record,
    save_sheet,
    say_without_record,
)
from patients.entry.sheet import Block, RecordForm, Row, Sheet, Theirs, forgive, number_of
from patients.entry.unsaved import (
    REMOVED,
    address_of_new,
    address_of_record,
    anew,
    bring_here,
    data_of,
    visit_of_removed,
)
from patients.grid.following import next_expected
from patients.mending.versions import Amendment, amendment, is_behind, retired_answers
from patients.querying.runs import run_at
from trial.access import Permission, StaffRequest, granting_in, requires
from trial.changes import questions
from trial.drafts import (
    Draft,
    drop_what_was_sent,
    filled,
    find_draft,
    find_drafts,
    is_opened_by_another,
    keep_draft,
    texts_of,
    typed_in,
)
from trial.fields import Answer, YesNoField
from trial.models import FormEntry, Patient, Query
from trial.records import PatientRecord, record_model, record_models
from trial.review.models import AT_REST
from trial.wording import label_of_field, unit_of, word_record, word_zone

LOG = "LOG"  # the visit of what belongs to no visit
# The visits of STUDY A.5, and those that nobody planned.
VISITS = re.compile(r"SCR[2-9]?|PRE|C(?:[1-9]|10)(?:D[1-9][0-9]?|EOC)|SFUP30|[SE]FU[0-9]{1,3}|UNS[0-9]{1,2}", re.ASCII)
EMPTY = "?once=new"  # of a page on which no draft is shown
OF_ANOTHER = "Somebody else is signed in now than the person who opened this page, so nothing was saved."
WAS_REMOVED = "Somebody removed this form since you opened it. What you typed is below; saving it enters it anew."

edits = requires(Permission.CASEBOOK_EDIT, on=Patient)


@dataclass(frozen=True)
class Line:
    """One question on the page: its control, and what is said about it."""

    name: str
    label: str
    unit: str
    control: BoundField
    why: BoundField | None
    beside: BoundField | None = None  # the unit, where one can choose it
    is_required: bool = False
    is_asked: bool = True
    condition: str = ""
    theirs: Theirs | None = None
    queries: list[Asked] = field(default_factory=list)
    history: str = ""
    derived: list[Derived] = field(default_factory=list)  # what follows from what is saved
    is_corrected: bool = False
    because: str = ""


@dataclass(frozen=True)
class Refusal:
    """What is wrong with one answer, and the control that it is about."""

    said: str
    control: str  # its id on the page


def refusals_of(sheet: Sheet) -> list[Refusal]:
    """What is wrong with the answers of a sheet, in the order of the page."""
    parts = [sheet.main, *(row for block in sheet.blocks for row in block.rows), sheet.head]
    return [
        Refusal(str(said), part[name].id_for_label or f"{part[name].auto_id}_0")  # of a group, its first option
        for part in parts
        for name in part.fields
        for said in part.errors.get(name, ())
    ]


# Lines


def lines_of(form: RecordForm, queries: list[Asked]) -> list[Line]:
    """The lines of a record, in the order of the form."""
    return [
        _line(form, question, [each for each in queries if each.query.field == question.name])
        for question in form.questions
    ]


def line_of_code(row: Row, queries: list[Asked]) -> list[Line]:
    """The lines of a row that stands for one code of a list: the first is named by the code, a unit stands beside its number."""
    first, *others = lines_of(row, [])
    first = replace(first, queries=queries)
    if isinstance(row, ResultRow):
        unit = row["unit_text"]
        return [replace(first, label=row.title, is_required=row.test.required, beside=unit, derived=row.derived)]
    return [replace(first, label=row.title), *others]


def lines_of_row(row: Row) -> list[Line]:
    """The lines of a row that one can add. Of one that stands ready nothing is required: it may stay empty."""
    lines = lines_of(row, [])
    return [replace(line, is_required=False) for line in lines] if row.stands_ready else lines


def _line(form: RecordForm, question: "models.Field[Any, Any]", queries: list[Asked]) -> Line:
    answer = question if isinstance(question, Answer) else None
    return Line(
        name=question.name,
        label=label_of_field(question),
        unit=unit_of(question),
        control=form[question.name],
        why=form[why] if (why := f"{question.name}.why") in form.fields else None,
        is_required=bool(answer and answer.required),
        is_asked=answer.is_asked(form.record) if answer else True,
        condition=_condition(form, answer) if answer and answer.asked_if else "",
        theirs=form.theirs.get(question.name),
        queries=queries,
        history=_history(form, question.name),
    )


def _history(form: RecordForm, name: str) -> str:
    """Where the history of an answer is read; empty text where there is none yet."""
    if form.is_new:
        return ""
    patient = form.record.patient
    where = {"study": patient.study.code, "patient": patient.number, "form": form.record.form.code}
    return f"{reverse('record-history', kwargs=where | {'record': form.record.pk})}?field={name}"


def _condition(form: RecordForm, answer: Answer) -> str:
    """When the answer is asked, for the script: names of controls, and the values with which it is."""
    found = {}
    for name, values in answer.asked_if.items():
        is_yes_no = isinstance(answer.model._meta.get_field(name), YesNoField)
        found[form.add_prefix(name)] = [("yes" if value else "no") if is_yes_no else str(value) for value in values]
    return json.dumps(found)


def focus_on(sheet: Sheet, name: str) -> bool:
    """Let the page begin at the control of an answer, or of the result of a test. False where that is several controls, or none."""
    rows = {row.code: row for block in sheet.blocks for row in block.rows if block.key}
    form: RecordForm = rows.get(name, sheet.main)
    bound = next((form[each.name] for each in form.questions if name in (each.name, getattr(form, "code", None))), None)
    if bound is None or bound.use_fieldset:
        return False
    bound.field.widget.attrs["autofocus"] = True
    return True


# The pages


def model_of(code: str) -> type[PatientRecord]:
    """The form that an address names. A row of a block has no page of its own."""
    try:
        model = record_model(code)
    except LookupError as error:
        raise Http404(str(error)) from error
    if model.form.part_of:
        raise Http404(f"{code} is entered on the page of {model.form.part_of}.")
    return model


def check_visit(patient: Patient, model: type[PatientRecord], visit: str) -> None:
    """Raise 404 for a visit at which the form is not entered."""
    if visit == LOG and not model.form.at_visits:
        return
    may_have_one = model.form.at_visits or model.form.repeats
    if may_have_one and (VISITS.fullmatch(visit) or FormEntry.objects.filter(patient=patient, visit=visit).exists()):
        return
    raise Http404(f"The form {model.form.code} is not entered at a visit '{visit}'.")


@edits
def new_entry(request: StaffRequest, patient: Patient, form: str, visit: str) -> HttpResponse:
    """A new record of a form, at a visit or in its log. A form that is filled once and is there already is opened."""
    model = model_of(form)
    check_visit(patient, model, visit)
    entries = FormEntry.objects.filter(patient=patient, form=form, visit=visit).order_by("repeat")
    taken = model._default_manager.filter(patient=patient).values("entry")
    empty = entries.exclude(pk__in=taken).first()
    if request.method != "POST" and not model.form.repeats and empty is None:
        there = model._default_manager.filter(patient=patient, entry__visit=visit).order_by("pk").last()
        if there is not None:
            return redirect("entry", study=patient.study.code, patient=patient.number, form=form, record=there.pk)
    return Entering(request, patient, model, visit, empty, None).answer()


@edits
def edit_entry(request: StaffRequest, patient: Patient, form: str, record: int) -> HttpResponse:
    """A saved record of a form, to be completed or corrected."""
    model = model_of(form)
    found = model._default_manager.filter(patient=patient, pk=record).select_related("entry").first()
    if found is None:
        visit = visit_of_removed(model, patient, record)
        if visit is None:
            raise Http404(f"Patient {patient} has no record {record} of the form {form}.")
        return Entering(request, patient, model, visit, None, None, removed=record).answer_after_removal()
    found.patient = patient
    return Entering(request, patient, model, found.entry.visit, found.entry, found).answer()


class Entering:
    """One request to enter or change a form: reads it, saves it, and says what became of it."""

    def __init__(
        self,
        request: StaffRequest,
        patient: Patient,
        model: type[PatientRecord],
        visit: str,
        entry: FormEntry | None,
        record: PatientRecord | None,
        removed: int | None = None,
    ) -> None:
        self.request = request
        self.patient = patient
        self.model = model
        self.visit = visit
        self.entry = entry
        self.record = record
        self.removed = removed
        self.draft: Draft | None = None  # what the page is filled with
        self.ground = Ground(patient)

    def _record(self) -> PatientRecord:
        return self.record or self.model(patient=self.patient)

    @property
    def _role(self) -> str:
        """The role in which the person enters forms: that of the act of a save."""
        return str(granting_in(self.request, Permission.CASEBOOK_EDIT, self.patient)[0].role)

    def _queries(self) -> list[Query]:
        if self.record is None:
            return []
        queries = list(Query.objects.about(self.record).exclude(state__in=AT_REST).order_by("pk"))
        for query in queries:
            query.patient = self.patient
        return queries

    def answer(self) -> HttpResponse:
        """The answer to the request."""
        if self.request.method != "POST":
            return self._show()
        data = self.request.POST
        if self._is_of_another_version(data):
            return self._of_another_version(data.copy())
        sheet = Sheet(self._record(), self.ground, entry=self.entry, data=data)
        if is_opened_by_another(self.request, self.request.user):
            said = f"{OF_ANOTHER} Check every answer below before you save it under your own name."
            return self._page(sheet, status=409, problem=said, is_quiet=True)
        if added := next((block for block in sheet.blocks if data.get("add") == block.child.form.code), None):
            return self._page(self._with_a_row(added.count_name, len(added.rows)), is_quiet=True)
        try:
            answers = answers_in(data, self._queries(), self._role)
        except ValidationError as error:
            return self._page(sheet, status=400, problem=" ".join(error.messages))
        if not sheet.is_valid:
            return self._page(sheet, status=400)
        try:
            saved = save_sheet(self.request, self.patient, sheet, visit=self.visit, answers=answers)
        except Overtaken:
            return self.overtaken()
        except SentTwice as error:
            messages.info(self.request, f"{self.model.form.title}: This was sent twice. It is saved once.")
            return self._go_on(error.record)
        except ValidationError as error:
            return self._page(sheet, status=400, problem=" ".join(error.messages))
        messages.success(self.request, self._what_was_saved(saved))
        return self._go_on(saved.record)

    @property
    def _new(self) -> str:
        """The address of the page of a new record."""
        return address_of_new(self.patient, self.model.form.code, self.visit)

    def _draft(self) -> Draft | None:
        """What the person typed here and did not save: on the opened page that the address names, else on the newest one.

        What they typed into a form that is filled once is found on the page of the record that somebody entered meanwhile.
        """
        user, page = self.request.user, self.request.path
        if self.record is not None:
            return find_draft(user, page) or (None if self.model.form.repeats else bring_here(user, self._new, page))
        found = find_drafts(user, page)
        if "once" in self.request.GET:
            found = [draft for draft in found if draft.page == f"{page}?once={self.request.GET['once']}"]
        return next(iter(found), None)

    def _show(self) -> HttpResponse:
        draft = self.draft = self._draft()
        if draft is None:
            ready = proposed(self.model, self.ground, self.request.GET) if self.record is None else {}
            return self._page(Sheet(self._record(), self.ground, entry=self.entry, initial=ready))
        typed = data_of(draft)
        if self._is_of_another_version(typed):
            return self._of_another_version(typed, draft_at=draft.at)
        if self.record is not None and typed.get("version") != str(self.record.version):
            return self._compared(typed, draft_at=draft.at)
        sheet = Sheet(self._record(), self.ground, entry=self.entry, data=typed)
        said = WAS_REMOVED if self.record is None and REMOVED in typed else ""
        return self._page(sheet, problem=said, draft_at=draft.at, is_quiet=True)

    def _with_a_row(self, name: str, rows: int) -> Sheet:
        """The sheet as it was sent, with one more row in a block."""
        data = self.request.POST.copy()
        data[name] = str(rows + 1)
        return Sheet(self._record(), self.ground, entry=self.entry, data=data)

    def _go_on(self, record: PatientRecord) -> HttpResponse:
        """Lead from a saved record to where the button that was pressed leads."""
        names = {"study": self.patient.study.code, "patient": self.patient.number, "form": self.model.form.code}
        if "another" in self.request.POST:
            return redirect(self._new + (EMPTY if find_drafts(self.request.user, self._new) else ""))
        run = run_at(self.request, self.patient.study)
        if "next" in self.request.POST and run is not None and run.after:
            return redirect(run.after)
        if "next" in self.request.POST and (following := next_expected(self.patient, record.entry)):
            where = {"form": following.form, "visit": following.visit}
            return redirect(reverse("entry-new", kwargs=names | where))
        return redirect(reverse("entry", kwargs=names | {"record": record.pk}) + (run.mark if run else ""))

    def _what_was_saved(self, saved: Saved) -> str:
        clock = timezone.now().astimezone(self.ground.zone)
        said = [f"{self.model.form.title}: Saved at {clock:%H:%M} {word_zone(clock)}."]
        asked = [query for query in saved.settled.asked if query.record == saved.record.pk]
        if asked:
            said.append("One answer is asked about." if len(asked) == 1 else f"{len(asked)} questions were asked.")
        if missing := unanswered(saved.record):
            labels = [label_of_field(field) for field in questions(self.model) if field.name in missing]
            said.append(f"Not answered yet: {', '.join(labels)}.")
        return " ".join(said)

    # Amended

    def _is_of_another_version(self, data: QueryDict) -> bool:
        """Whether what was typed comes from a page of another version of the form than the one that is entered here now."""
        return number_of(data.get("form_version")) not in (0, self._record().version_filled)

    def _of_another_version(self, data: QueryDict, draft_at: Any = None) -> HttpResponse:
        """409: the form as it is asked now, with what was typed; and in words what was typed and is not asked any more."""
        record = self._record()
        changed = amendment(self.model, number_of(data["form_version"]), record.version_filled)
        typed = [
            f"'{text}' was typed for {label_of_field(field)}."
            for field in record.answers()
            if not record.asks(field) and (text := ", ".join(data.getlist(field.name)).strip())
        ]
        said = (
            f"This form is of version {changed.new} now; the page was opened under version {changed.old}. "
            f"{changed.words} What you typed is below. Check it, and save again. {' '.join(typed)}"
        ).strip()
        data["form_version"] = str(changed.new)
        if self.record is not None:
            return self._compared(data, draft_at, said=said)
        sheet = Sheet(record, self.ground, entry=self.entry, data=data)
        return self._page(sheet, status=200 if draft_at else 409, problem=said, draft_at=draft_at, is_quiet=True)

    # Overtaken

    def overtaken(self) -> HttpResponse:
        """409: the form as it is saved now, with what was typed, and beside it what somebody else saved meanwhile."""
        data = self.request.POST.copy()
        before, self.record = self.record, self._as_it_is_now()
        if self.record is None:
            self.removed = self.removed or (before.pk if before else None)
            return self._after_removal(data)
        self.entry = self.record.entry
        data.pop("once", None)  # of the page of a new record
        self._keep_at(address_of_record(self.record), data)
        return self._compared(data)

    def _as_it_is_now(self) -> PatientRecord | None:
        records = self.model._default_manager.filter(patient=self.patient).select_related("entry")
        if self.removed is not None:
            return None
        if self.record is not None:
            return records.filter(pk=self.record.pk).first()
        return records.filter(entry__visit=self.visit).order_by("pk").last()

    def answer_after_removal(self) -> HttpResponse:
        """The answer to a request for a record that somebody removed: what was typed into it can be entered anew."""
        if self.request.method == "POST":
            return self.overtaken()
        self.draft = find_draft(self.request.user, self.request.path)
        if self.draft is not None:
            return self._after_removal(data_of(self.draft), draft_at=self.draft.at)
        for draft in find_drafts(self.request.user, self._new):
            if draft.typed.get(REMOVED) == [str(self.removed)]:
                return redirect(draft.page)
        raise Http404(f"The record {self.removed} of the form {self.model.form.code} was removed.")

    def _after_removal(self, data: QueryDict, draft_at: Any = None) -> HttpResponse:
        data = anew(data, self.removed or 0)
        self._keep_at(self._new, data)
        data["form_version"] = str(self.model.present_version())
        self.entry = None
        sheet = Sheet(self._record(), self.ground, data=data)
        return self._page(sheet, status=200 if draft_at else 409, problem=WAS_REMOVED, draft_at=draft_at, is_quiet=True)

    def _keep_at(self, address: str, data: QueryDict) -> None:
        """Keep what was typed for the page on which it is saved now, where that is another one."""
        if address != self.request.path and keep_draft(self.request.user, address, typed_in(data)):
            drop_what_was_sent(self.request)
            self.draft = self.draft and find_draft(self.request.user, address)

    def _compared(self, data: QueryDict, draft_at: Any = None, said: str = "") -> HttpResponse:
        """The form as it is saved now with what was typed on what was saved before."""
        assert self.record is not None  # who calls has read it
        sheet_now = Sheet(self.record, self.ground, entry=self.entry)
        notes = take_theirs(data, sheet_now)
        sheet = Sheet(self._record(), self.ground, entry=self.entry, data=data)
        mark(sheet, notes)
        said = said or (
            "Somebody saved this form since you opened it. What you typed is kept below, with what was saved beside it. "
            "Check the marked answers, and save again."
        )
        return self._page(sheet, status=200 if draft_at else 409, problem=said, draft_at=draft_at, is_quiet=True)

    # Without a record

    def without(self, asked: NotDoneForm, *, status: int, problem: str = "") -> HttpResponse:
        """The page again, because that the form was not done could not be kept as it was said."""
        sheet = Sheet(self._record(), self.ground, entry=self.entry)
        return self._page(sheet, status=status, problem=problem, not_done=asked)

    def is_told_otherwise(self, data: QueryDict) -> bool:
        """Whether the site said something else of the empty entry since the person saw it."""
        entry = self.entry
        if entry is None or not entry.says_there_is_none or number_of(data.get("entry_version")) == entry.version:
            return False
        says_the_same = (
            entry.has_any is False if "nothing" in data else entry.not_done_reason == data.get("reason", "").strip()
        )
        return not says_the_same

    def told_otherwise(self) -> HttpResponse:
        """409: what was said meanwhile, with what was typed."""
        assert self.entry is not None  # who calls has looked at it
        data = self.request.POST.copy()
        data["entry_version"] = str(self.entry.version)
        asked = NotDoneForm(data, entry=self.entry)
        forgive(asked)
        said = "Somebody answered this since you opened it, as it stands below. Say why that is changed, or leave it."
        return self.without(asked, status=409, problem=said)

    # The page

    def _others(self) -> list[Draft]:
        """What the person typed on other opened pages of a new record, and did not save."""
        if self.record is not None or self.request.method == "POST":
            return []
        return [each for each in find_drafts(self.request.user, self._new) if each != self.draft]

    def _not_done(self) -> NotDoneForm:
        """Room for why the form was not done, with what was typed there and not taken."""
        asked = NotDoneForm(entry=self.entry)
        typed = find_draft(self.request.user, f"{self._new}without/") if self.record is None else None
        if typed is not None:
            asked.initial = texts_of(asked, typed.typed)
        return asked

    def _lines(self, sheet: Sheet, queries: list[Asked], derived: list[Derived]) -> list[Line]:
        """The lines of the record; one that corrects what is saved has room for a reason of its own."""
        corrected = sheet.main.corrected() if sheet.data is not None else []
        return [
            replace(
                line,
                is_corrected=line.name in corrected,
                because=sheet.because.get(line.name, ""),
                derived=[each for each in derived if each.answer == line.name],
            )
            for line in lines_of(sheet.main, queries)
        ]

    def _lines_of(self, block: Block, row: Row, queries: list[Asked]) -> list[Line]:
        """The lines of a row of a block; one that stands for a code has the queries about that code."""
        if not block.key:
            return lines_of_row(row)
        return line_of_code(row, [asked for asked in queries if asked.query.field == row.code])

    def _behind(self) -> Amendment | None:
        """What the present version of the form asks otherwise, where the record is of an older one."""
        if self.record is None or not is_behind(self.record):
            return None
        return amendment(self.model, self.record.version_filled, self.model.present_version())

    def _page(
        self,
        sheet: Sheet,
        *,
        status: int = 200,
        problem: str = "",
        draft_at: Any = None,
        is_quiet: bool = False,
        not_done: NotDoneForm | None = None,
    ) -> HttpResponse:
        """The form. A quiet page says nothing yet about what is wrong with what was typed."""
        sheet.draft_at = draft_at  # type: ignore[attr-defined]  # read by components/draft.html
        sheet.draft_page = self.draft.page if self.draft else ""  # type: ignore[attr-defined]  # likewise
        sheet.draft_beside = self._new + EMPTY if self.record is None else ""  # type: ignore[attr-defined]  # likewise
        if sheet.data is not None:
            _ = sheet.is_valid  # so that each part knows what is wrong, and the record what was typed
        if is_quiet:
            for part in sheet.forms:
                forgive(part)
        queries = asked_here(self._queries(), sheet.data, self._role)
        codes = {row.code for block in sheet.blocks for row in block.rows if block.key}
        on_a_line = {question.name for question in sheet.main.questions} | codes
        run = run_at(self.request, self.patient.study) if self.record is not None else None
        here = next((asked.query for asked in queries if run and asked.query.pk == run.query), None)
        derived = derived_of(self.patient, self.model, [self._record()])[0]
        form = self.model.form
        names = {"study": self.patient.study.code, "patient": self.patient.number, "form": form.code}
        before, after = neighbours(form.code)
        context = {
            "patient": self.patient,
            "form": form,
            "page_form": form,
            "visit": self.visit,
            "is_log": self.visit == LOG,
            "sheet": sheet,
            "record": self.record,
            "name": word_record(self.record) if self.record else form.title,
            "action": self._new if self.record is None else address_of_record(self.record),
            "others": self._others(),
            "draft_action": reverse("entry-draft", kwargs=names),
            "run": run,
            "lines": self._lines(sheet, queries, derived),
            "derived": [each for each in derived if not each.answer],
            "blocks": [
                (block, [(row, self._lines_of(block, row, queries), block.heading_of(row)) for row in block.rows])
                for block in sheet.blocks
            ],
            "about_the_form": [asked for asked in queries if asked.query.field not in on_a_line],
            "focus": here.pk if here is not None and not focus_on(sheet, here.field) else 0,
            "problem": problem,
            "problems": [str(said) for part in sheet.forms for said in part.non_field_errors()],
            "wrong": sum(len(part.errors) for part in sheet.forms),
            "refusals": refusals_of(sheet),
            "details": details_of(self.model, self.record),
            "behind": self._behind(),
            "retired": [show_answer(self.record, answer) for answer in retired_answers(self.record)]
            if self.record
            else [],
            "says_nothing": said_without_record(self.entry) if self.record is None else "",
            "not_done": not_done or self._not_done(),
            "before": before,
            "after": after,
        }
        return render(self.request, "patients/entry.html", context, status=status)


def said_without_record(entry: FormEntry | None) -> str:
    """What the site said of an entry that has no record."""
    if entry is None or not entry.says_there_is_none:
        return ""
    return f"Not done: {entry.not_done_reason}" if entry.is_not_done else NOTHING


def details_of(model: type[PatientRecord], record: PatientRecord | None) -> list[tuple[Any, Any, bool]]:
    """The forms that hang on a saved event, each with the event's records of it, and whether one more may be entered."""
    if record is None:
        return []
    found = []
    for other in record_models():
        links = [each for each in questions(other) if each.is_relation and each.related_model is model]
        for link in links:
            if link.name == "event":
                there = list(other._default_manager.filter(**{link.name: record.pk}).order_by("pk"))
                found.append((other.form, there, not (link.unique and there)))
    return found


def neighbours(code: str) -> tuple[Any, Any]:
    """The forms before and after one in the casebook; None at its ends."""
    forms = [model.form for model in record_models() if not model.form.part_of]
    here = [form.code for form in forms].index(code)
    return (forms[here - 1] if here else None), (forms[here + 1] if here + 1 < len(forms) else None)


def _empty_entry(patient: Patient, model: type[PatientRecord], visit: str) -> FormEntry | None:
    """The first entry of a form at a visit that no record hangs on."""
    return next((entry for entry, is_taken in entries_at(patient, model, visit).items() if not is_taken), None)


@edits
@require_POST
def without_record(request: StaffRequest, patient: Patient, form: str, visit: str) -> HttpResponse:
    """Keep that a form was not done, and why; or that a log has nothing to report."""
    model = model_of(form)
    check_visit(patient, model, visit)
    here = {"study": patient.study.code, "patient": patient.number, "form": form, "visit": visit}
    is_gate = "nothing" in request.POST
    if is_gate and not (model.form.repeats and visit == LOG):
        raise BadRequest(f"The form {form} is no log: it cannot have nothing to report. Say that it was not done.")
    page = Entering(request, patient, model, visit, _empty_entry(patient, model, visit), None)
    asked = NotDoneForm(request.POST, entry=page.entry)
    said = Without(version=number_of(request.POST.get("entry_version")))
    if is_opened_by_another(request, request.user):
        return page.without(asked, status=409, problem=OF_ANOTHER)
    if page.is_told_otherwise(request.POST):
        return page.told_otherwise()
    if not is_gate and not asked.is_valid():
        return page.without(asked, status=400)
    if not is_gate:
        said = replace(said, why_not_done=asked.cleaned_data["reason"], because=asked.cleaned_data.get("because", ""))
    try:
        entry = say_without_record(request, patient, model, visit, said)
    except Overtaken:
        page.entry = _empty_entry(patient, model, visit)
        if page.is_told_otherwise(request.POST):
            return page.told_otherwise()
        messages.error(request, "This form was entered meanwhile. Nothing was changed.")
        return redirect("form", study=patient.study.code, patient=patient.number, form=form)
    drop_what_was_sent(request)
    drop_what_was_sent(request, address_of_new(patient, form, visit))
    clock = timezone.now().astimezone(Ground(patient).zone)
    messages.success(
        request,
        f"{model.form.title}: Saved at {clock:%H:%M} {word_zone(clock)}. {'Nothing to report' if is_gate else 'Not done'}.",
    )
    if following := next_expected(patient, entry):
        return redirect(reverse("entry-new", kwargs=here | {"form": following.form, "visit": following.visit}))
    return redirect("form", study=patient.study.code, patient=patient.number, form=form)


@edits
def remove_entry(request: StaffRequest, patient: Patient, form: str, record: int) -> HttpResponse:
    """Take a record away, with a reason. The trail keeps it."""
    model = model_of(form)
    found = model._default_manager.filter(patient=patient, pk=record).select_related("entry").first()
    if found is None:
        raise Http404(f"Patient {patient} has no record {record} of the form {form}.")
    asked = filled(request, RemoveForm, version=found.version)
    problem, status = "", 200
    if request.method == "POST":
        status = 400
        if is_opened_by_another(request, request.user):
            problem, status = OF_ANOTHER, 409
        elif asked.is_valid():
            seen = asked.cleaned_data["version"]
            try:
                remove_record(request, patient, found, version=seen, reason=asked.cleaned_data["reason"])
            except Overtaken:
                problem, status = (
                    "Somebody changed this form since you opened it. Read it again before it is removed.",
                    409,
                )
                sent = request.POST.copy()
                sent["version"] = str(found.version)
                asked = RemoveForm(sent, version=found.version)
            except ValidationError as error:
                problem, status = " ".join(error.messages), 409
            else:
                messages.success(request, f"{model.form.title}: Removed. The audit trail keeps it.")
                return redirect("form", study=patient.study.code, patient=patient.number, form=form)
    context = {
        "patient": patient,
        "page_form": model.form,
        "form": model.form,
        "record": found,
        "name": word_record(found),
        "answers": show_record(found),
        "asked": asked,
        "problem": problem,
    }
    return render(request, "patients/entry_remove.html", context, status=status)


@edits
@require_POST
def keep_entry_draft(request: StaffRequest, patient: Patient, form: str) -> HttpResponse:
    """Keep what is typed into the page of a form, for the person alone. Nothing of it is saved in the study."""
    model_of(form)
    if is_opened_by_another(request, request.user):
        return HttpResponse(OF_ANOTHER, status=409, content_type="text/plain; charset=utf-8")
    page = request.POST.get("page", "").partition("?")[0]
    here = reverse("form", kwargs={"study": patient.study.code, "patient": patient.number, "form": form})
    typed = {name: list(map(str, texts)) for name, texts in request.POST.lists() if name != "page"}
    if not page.startswith(here) or not keep_draft(request.user, page, typed):
        return HttpResponseBadRequest("This cannot be kept as a draft.", content_type="text/plain; charset=utf-8")
    return HttpResponse(status=204)
