"""The sheet of one record: its questions with their controls, the rows of its blocks, and what may not be said together.

The rule (STUDY B.1): blank is allowed and makes the form incomplete; the impossible is refused at the answer that it is about.
An answer that was not touched is left as it is stored, whatever is stored.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.utils import ErrorDict
from django.http import QueryDict

from patients.casebook import children_of, show_answer, wide_column
from patients.entry.controls import Control, Ground, WhyBlank, check_text, control_of
from patients.entry.once import new_mark
from trial.changes import questions
from trial.code_lists import label_of
from trial.fields import Answer, CodedField, CodesField, MomentField, YesNoField
from trial.models import FormEntry
from trial.records import PatientRecord
from trial.wording import label_of_field

MOST_ROWS = 200  # of one block; more is no form, but an attack or a mistake
MOST_OF_A_REASON = 500  # characters
UNTOUCHED = object()  # what a control gives whose text is still that of the stored value


@dataclass(frozen=True, slots=True)
class Theirs:
    """What somebody else saved in a field meanwhile."""

    text: str
    who: str
    at: datetime


def number_of(text: Any) -> int:
    """A whole number that a page sent; 0 for anything else."""
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 10 else 0


def is_blank(value: Any) -> bool:
    """Whether a stored value is no answer."""
    return value is None or value == "" or value == []


class RecordForm(forms.Form):
    """One record: a control for each question, and beside each answer why it is blank.

    `record` is new, or was just read. When the form is valid, it holds what is to be saved; nothing is saved here.
    """

    def __init__(
        self,
        record: PatientRecord,
        ground: Ground,
        data: Mapping[str, Any] | None = None,
        *,
        prefix: str | None = None,
        leaves_out: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(data, prefix=prefix)
        self.record = record
        self.ground = ground
        self.questions = [q for q in questions(type(record)) if q.name not in leaves_out and record.asks(q)]
        self.was = {field.attname: getattr(record, field.attname) for field in record._meta.concrete_fields}
        self.was_missing = dict(record.missing) if isinstance(record.missing, dict) else {}
        self.theirs: dict[str, Theirs] = {}
        for field in self.questions:
            control = self.fields[field.name] = control_of(field, ground)
            if isinstance(field, Answer):
                self.fields[f"{field.name}.why"] = WhyBlank(str(control.label))
        self.initial.update(self.shown(record))

    def shown(self, version: Any) -> dict[str, Any]:
        """What the controls show for a version of the record, be it of today or of its history."""
        missing = version.missing if isinstance(version.missing, dict) else {}
        texts: dict[str, Any] = {}
        for field in self.questions:
            control: Any = self.fields[field.name]
            stored = getattr(version, field.attname)
            texts[field.name] = "" if is_blank(stored) else control.show(stored, version)
            if isinstance(field, Answer):
                texts[f"{field.name}.why"] = missing.get(field.name, "")
        return texts

    def said_together(self) -> dict[str, list[str]]:
        """The controls that are one answer, by the name of its question: what is typed, and why it is blank."""
        return {
            field.name: [name for name in (field.name, f"{field.name}.why") if name in self.fields]
            for field in self.questions
        }

    def word(self, name: str) -> str:
        """The saved answer of a question in words."""
        if self.is_new:
            return "no answer"
        shown = show_answer(self.record, next(field for field in self.questions if field.name == name))
        return shown.text or shown.why_blank or "no answer"

    @property
    def is_new(self) -> bool:
        """Whether nothing of this record is saved yet."""
        return self.record.pk is None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is answered, and no reason given."""
        return not self.record.missing and all(is_blank(getattr(self.record, q.attname)) for q in self.questions)

    def typed(self, name: str) -> Any:
        """What was sent for a field: a text, or the chosen codes."""
        return self[name].data

    def is_untouched(self, name: str) -> bool:
        """Whether a control was sent back as it was shown."""
        return plain(self.typed(name)) == plain(self.initial[name])

    def _clean_fields(self) -> None:
        for name, field in self.fields.items():
            if isinstance(field, Control) and self.is_untouched(name):
                self.cleaned_data[name] = UNTOUCHED
                continue
            try:
                self.cleaned_data[name] = field.clean(self.typed(name))
            except ValidationError as error:
                of = self.fields[name.removesuffix(".why")].label or name
                self.add_error(name, [f"{of}: {said}" for said in error.messages])

    def clean(self) -> dict[str, Any]:
        """Put what was typed into the record, and refuse what cannot be true of it."""
        for field in self.questions:
            value = self.cleaned_data.get(field.name, UNTOUCHED)
            if value is UNTOUCHED:
                continue
            if isinstance(field, MomentField):
                instant, offset = value or (None, None)
                setattr(self.record, field.name, instant)
                setattr(self.record, f"{field.name}_offset", offset)
            else:
                setattr(self.record, field.attname, value)
        self._take_reasons()
        self._refuse_what_is_not_asked()
        self._refuse_what_is_impossible()
        return self.cleaned_data

    def _take_reasons(self) -> None:
        missing = dict(self.was_missing)
        for field in self.questions:
            if not isinstance(field, Answer) or field.name in self.errors or f"{field.name}.why" in self.errors:
                continue
            why = self.cleaned_data[f"{field.name}.why"]
            if why and not is_blank(getattr(self.record, field.attname)):
                label = label_of_field(field)
                self.add_error(
                    field.name, f"{label}: There is an answer, and a reason why there is none. Keep one of the two."
                )
            elif why:
                missing[field.name] = why
            else:
                missing.pop(field.name, None)
        self.record.missing = missing

    def _refuse_what_is_not_asked(self) -> None:
        touched = self._touched() | {name for name, _ in self.was_missing.items() ^ self.record.missing.items()}
        for field in self.record.answers():
            names = {field.name, *field.asked_if}
            if field.name not in self.fields or names & set(self.errors) or not names & touched:
                continue
            if not is_blank(getattr(self.record, field.attname)):
                is_wrong, said = not field.is_asked(self.record), "Take this answer out, or correct the other."
            else:
                is_wrong = field.name in self.record.missing and field.is_ruled_out(self.record)
                said = "Take out why there is no answer, or correct the other."
            if is_wrong:
                label, when = label_of_field(field), word_condition(field)
                self.add_error(field.name, f"{label}: This is only asked where {when}. {said}")

    def _refuse_what_is_impossible(self) -> None:
        asked = {field.name for field in self.questions if not field.is_relation}
        others = {field.name for field in self.record._meta.concrete_fields} - asked
        try:
            self.record.clean_fields(exclude=others | set(self.errors))
        except ValidationError as error:
            for name, said in error.message_dict.items():
                self.add_error(name, [f"{self.fields[name].label}: {words}" for words in said])
        for field in self.questions:
            if field.unique and field.is_relation and field.name not in self.errors:
                self._refuse_a_second_of(field)
        touched = self._touched()
        for constraint in self.record._meta.constraints:
            names = _names_in(constraint)
            if names & set(self.errors) or not names & touched:
                continue  # what is stored holds already: only an answer of today can break it
            try:
                constraint.validate(type(self.record), self.record)
            except ValidationError as error:
                places = [field.name for field in self.questions if field.name in names]
                self.add_error(places[-1] if places else None, error.messages)

    def _touched(self) -> set[str]:
        """The fields that this save would write."""
        if not self.is_new:
            return set(self.record.changed_fields())
        return {"patient", *(q.name for q in self.questions if not is_blank(getattr(self.record, q.attname)))}

    def _refuse_a_second_of(self, field: "models.Field[Any, Any]") -> None:
        key = getattr(self.record, field.attname)
        others = type(self.record)._default_manager.filter(**{field.attname: key}).exclude(pk=self.record.pk)
        if key is not None and others.exists():
            said = f"There is a form {self.record.form.code} of that already. Open it, or choose another."
            self.add_error(field.name, f"{label_of_field(field)}: {said}")

    def changed(self) -> list[str]:
        """The names of the questions whose answer, or reason for none, differs from what is saved."""
        if self.is_new:
            return []
        names = set(self.record.changed_fields())
        missing = self.record.missing
        return [
            field.name
            for field in self.questions
            if {field.name, f"{field.name}_offset"} & names
            or self.was_missing.get(field.name) != missing.get(field.name)
        ]

    def corrected(self) -> list[str]:
        """Those among them that were answered, or had a reason: a reason for the change is owed (STUDY B.1, rule 9)."""
        changed = self.changed()
        return [
            field.name
            for field in self.questions
            if field.name in changed and (not is_blank(self.was[field.attname]) or field.name in self.was_missing)
        ]


def word_condition(field: Answer) -> str:
    """When an answer is asked, in words: `Ongoing is No`."""
    others: dict[str, Any] = {other.name: other for other in field.model._meta.concrete_fields}
    return " and ".join(
        f"{label_of_field(others[name])} is {_word_values(others[name], values)}"
        for name, values in field.asked_if.items()
    )


def _word_values(field: Any, values: tuple[Any, ...]) -> str:
    if isinstance(field, YesNoField):
        words = ["Yes" if value else "No" for value in values]
    elif isinstance(field, CodedField | CodesField):
        if len(values) == len(field.codes):
            return "answered"
        if len(values) > len(field.codes) / 2:
            left_out = [label for code, label in field.codes if code not in values]
            return f"not {' or '.join(left_out)}"
        words = [label_of(field.codes, value) for value in values]
    else:
        words = [f"{min(values)} or more"]
    return " or ".join(words)


def _names_in(constraint: models.BaseConstraint) -> set[str]:
    """The fields that a constraint is about."""
    if isinstance(constraint, models.UniqueConstraint):
        return set(constraint.fields)
    assert isinstance(constraint, models.CheckConstraint)
    condition: Any = constraint.condition  # a Q: every constraint of a form is made of one
    return set(condition.referenced_base_fields)


def plain(typed: Any) -> Any:
    """What was sent, so that equal answers are equal: line ends, blanks around it, and the order of codes do not count."""
    if isinstance(typed, list | tuple):
        return sorted(map(str, typed)) or ""
    return str(typed).replace("\r\n", "\n").strip() if typed is not None else ""


def forgive(form: forms.Form) -> None:
    """Let a form that was read say nothing about what is wrong with it."""
    form._errors = ErrorDict()  # type: ignore[attr-defined]  # Django's own place for them; not in the stubs


class HeadForm(forms.Form):
    """What stands on every sheet: on what it is based, a comment, and why saved answers are being changed."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)
    entry_version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)
    form_version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1)
    once = forms.CharField(widget=forms.HiddenInput, required=False)
    comment = forms.CharField(
        required=False,
        max_length=1000,
        label="Comment",
        help_text="For whoever reads this form. Never a place for data.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    reason = forms.CharField(
        required=False,
        max_length=MOST_OF_A_REASON,
        label="Why saved answers are being changed",
        help_text="Asked where a saved answer is changed or taken back. The reason is kept in the audit trail.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.theirs: Mapping[str, Theirs] = {}

    def clean_comment(self) -> str | None:
        """The comment, or None."""
        return check_text(self.cleaned_data["comment"]) or None

    def clean_reason(self) -> str:
        """The reason; empty text when there is none, or it says nothing."""
        reason = check_text(self.cleaned_data["reason"])
        return reason if reason.strip(" .-") else ""


class Row(RecordForm):
    """A row of a block. Where each code of a list has its row, `code` is that code and `title` says what it is about."""

    def __init__(self, *args: Any, title: str = "", code: str = "", **options: Any) -> None:
        super().__init__(*args, **options)
        self.title = title
        self.code = code
        self.fields["pk"] = forms.IntegerField(required=False, widget=forms.HiddenInput)
        self.fields["version"] = forms.IntegerField(required=False, widget=forms.HiddenInput)
        self.fields["remove"] = forms.BooleanField(required=False, label="Remove this row")
        self.initial["pk"] = self.record.pk
        self.initial["version"] = 0 if self.is_new else self.record.version

    @property
    def is_removed(self) -> bool:
        """Whether the row is to be taken out: marked so, or emptied where it is there by its code."""
        return not self.is_new and (bool(self.cleaned_data.get("remove")) or bool(self.title and self.is_empty))

    @property
    def is_unused(self) -> bool:
        """Whether the row is one of those that stand ready, and nothing was typed into it."""
        return self.is_new and (bool(self.cleaned_data.get("remove")) or self.is_empty)

    @property
    def stands_ready(self) -> bool:
        """Whether the row waits for something to be typed into it, and may stay as it is."""
        return self.is_new and (not self.is_bound or self.is_unused)


class Block:
    """The rows of a repeating block: those that are saved, those that were typed, and one that stands ready."""

    row_form: type[Row] = Row

    def __init__(
        self, child: type[PatientRecord], parent: str, record: PatientRecord, ground: Ground, data: Any = None
    ) -> None:
        self.child = child
        self.parent = parent
        self.key = wide_column(child, parent)
        self.sent = "0"  # how many rows the page says that it has
        self.gone: list[int] = []  # the rows that were sent and that somebody removed meanwhile
        saved = list(child._default_manager.filter(**{parent: record}).order_by("pk")) if record.pk else []
        self.rows = self._by_code(saved, record, ground, data) if self.key else self._free(saved, record, ground, data)

    @property
    def count_name(self) -> str:
        """The name of the field that says how many rows are on the page."""
        return f"{self.child.form.code}.rows"

    def ready(self, record: PatientRecord) -> PatientRecord:
        """A row that is not saved yet; it is of the version of the form under which its record was entered."""
        of_record = {"entry": record.entry} if record.pk else {}
        return self.child(patient=record.patient, **of_record)

    def _by_code(self, saved: list[Any], record: PatientRecord, ground: Ground, data: Any) -> list[Row]:
        assert self.key is not None
        by_code = {getattr(row, self.key.name): row for row in saved}
        rows = []
        for code, label in self.codes(record):
            row = by_code.get(code) or self.ready(record)
            setattr(row, self.key.name, code)
            leaves_out = frozenset({self.key.name})
            prefix = f"{self.child.form.code}.{code}"
            rows.append(self.row_form(row, ground, data, prefix=prefix, title=label, code=code, leaves_out=leaves_out))
        return rows

    def codes(self, record: PatientRecord) -> list[tuple[str, str]]:
        """The codes that have a row each."""
        assert self.key is not None
        return self.key.codes

    def _free(self, saved: list[Any], record: PatientRecord, ground: Ground, data: Any) -> list[Row]:
        if data is None:
            return [
                self.row_form(row, ground, prefix=f"{self.child.form.code}.{n}")
                for n, row in enumerate([*saved, self.ready(record)])
            ]
        by_key = {str(row.pk): row for row in saved}
        self.sent = str(data.get(self.count_name, len(saved)))
        rows = []
        for n in range(min(number_of(self.sent), MOST_ROWS)):
            prefix = f"{self.child.form.code}.{n}"
            key = str(data.get(f"{prefix}-pk", ""))
            if key and key not in by_key:
                self.gone.append(n)
            rows.append(self.row_form(by_key.get(key) or self.ready(record), ground, data, prefix=prefix))
        return rows

    def heading_of(self, row: Row) -> str:
        """What stands above a row that begins a group. Here: nothing."""
        return ""

    def complete(self, record: PatientRecord) -> None:
        """Add to valid rows what follows from them and their record. Here: nothing."""

    def cannot_be(self) -> str:
        """What is said of a number of rows that no form has."""
        return (
            f"{self.child.form.title}: '{self.sent[:20]}' rows were sent, and a form has at most {MOST_ROWS} rows. "
            "Nothing was saved. Enter the rest on a form of its own."
        )

    def used(self) -> Iterator[Row]:
        """The rows in which something stands or stood."""
        return (row for row in self.rows if not row.is_unused)


class Sheet:
    """All that one page sends: the record, its blocks, the head, and answers to queries."""

    def __init__(
        self,
        record: PatientRecord,
        ground: Ground,
        *,
        entry: FormEntry | None = None,
        data: QueryDict | None = None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        self.record = record
        self.ground = ground
        self.entry = entry
        self.data = data
        self.is_new = record.pk is None
        self.main = RecordForm(record, ground, data)
        if initial:
            self.main.initial.update(initial)
        self.was_comment = entry.comment if entry else None
        self.lacks_reason: list[
            str
        ] = []  # what is changed without one, in words; known once it is asked whether all is right
        version = 0 if self.is_new else record.version
        self.head = HeadForm(
            data,
            initial={
                "version": version,
                "entry_version": entry.version if entry else 0,
                "form_version": record.version_filled,
                "once": new_mark() if self.is_new else "",
                "comment": self.was_comment or "",
            },
        )
        self.blocks = [
            block_of(child)(child, parent, record, ground, data) for child, parent in children_of(type(record))
        ]

    @property
    def forms(self) -> list[forms.Form]:
        """Every part of the sheet."""
        return [self.head, self.main, *(row for block in self.blocks for row in block.rows)]

    @cached_property
    def is_valid(self) -> bool:
        """Whether all of it can be saved."""
        for block in self.blocks:
            for row in block.rows:
                row.full_clean()
                if row.cleaned_data.get("remove"):
                    forgive(row)  # what is taken out need not be right
        for block in self.blocks:
            if block.sent != str(number_of(block.sent)) or number_of(block.sent) > MOST_ROWS:
                self.main.add_error(None, block.cannot_be())
        self._refuse_odd_reasons()
        parts = [self.head, self.main, *(row for block in self.blocks for row in block.rows)]
        wrong = [part for part in parts if part.errors]  # a list: each part is to say what is wrong with it
        is_right = not wrong
        if is_right and not self.says_anything:
            self.main.add_error(None, "Nothing is answered yet. Answer a question, or say why there is no answer.")
            return False
        if is_right and self.owes_reason and not self.head.cleaned_data["reason"]:
            self.lacks_reason = self.owes_reason
            self.head.add_error("reason", self._reason_asked())
            return False
        return is_right

    @cached_property
    def because(self) -> dict[str, str]:
        """What was typed as the reason of single answers, by the name of the answer."""
        data: Mapping[str, Any] = self.data or {}
        return {field.name: str(data.get(f"because.{field.name}", "")) for field in self.main.questions}

    @cached_property
    def reasons(self) -> dict[str, str]:
        """The reasons among them that say something."""
        return {name: typed.strip()[:MOST_OF_A_REASON] for name, typed in self.because.items() if typed.strip(" .-")}

    def _refuse_odd_reasons(self) -> None:
        for name, reason in self.reasons.items():
            try:
                check_text(reason)
            except ValidationError as error:
                label = self.main.fields[name].label
                self.main.add_error(name, [f"{label}, why it is changed: {said}" for said in error.messages])

    @property
    def says_anything(self) -> bool:
        """Whether a new sheet has an answer at all."""
        return not self.is_new or not self.main.is_empty or any(True for block in self.blocks for _ in block.used())

    @property
    def owes_reason(self) -> list[str]:
        """What is changed or taken back of what was saved, and has no reason of its own, in words."""
        said = [str(self.main.fields[name].label) for name in self.main.corrected() if name not in self.reasons]
        for block in self.blocks:
            for row in block.rows:
                if row.is_removed:
                    said.append(f"{block.child.form.title}, a row that is removed")
                else:
                    said += [f"{row.title or block.child.form.title}: {row.fields[n].label}" for n in row.corrected()]
        if self.was_comment and self.was_comment != self.head.cleaned_data["comment"]:
            said.append("Comment")
        if self.entry is not None and self.is_new and self.entry.says_there_is_none:
            said.append("Nothing to report" if self.entry.has_any is False else "Not done")
        return said

    def _reason_asked(self) -> str:
        return (
            "Say why this entry is being changed. The reason is kept in the audit trail. "
            f"Changed: {', '.join(self.owes_reason)}."
        )


def block_of(child: type[PatientRecord]) -> type[Block]:
    """How the rows of a form stand on its page."""
    from patients.entry.eligibility import CriterionBlock  # here: these are made of the blocks above
    from patients.entry.laboratory import ResultBlock
    from patients.models import Criterion
    from patients.models.laboratory import LaboratoryResult

    if issubclass(child, Criterion):
        return CriterionBlock
    return ResultBlock if issubclass(child, LaboratoryResult) else Block
