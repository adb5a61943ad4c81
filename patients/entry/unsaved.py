"""What was typed into a form and not saved stays where it can be saved: after a removal, a move, or an entry by somebody else.

The rule: a draft never stands on a page that nobody can open, and never passes for one that is based on what is saved now.
"""

import re
from collections.abc import Iterable
from typing import Any

from django.http import QueryDict
from django.urls import reverse

from patients.casebook import wide_column
from patients.entry.once import new_mark
from trial.access import Permission, may
from trial.drafts import Draft, find_draft, opened_page, typed_in
from trial.models import FormEntry, Patient
from trial.records import PatientRecord

REMOVED = "removed_record"  # in a draft: the number of the record into which it was typed
OF_A_ROW = re.compile(r"-(?:pk|version)$")  # the hidden fields that tie a row to a saved one


def address_of_record(record: PatientRecord) -> str:
    """The page of a saved record."""
    names = {"study": record.patient.study.code, "patient": record.patient.number, "form": record.form.code}
    return reverse("entry", kwargs=names | {"record": record.pk})


def address_of_new(patient: Patient, form: str, visit: str) -> str:
    """The page of a new record of a form."""
    names = {"study": patient.study.code, "patient": patient.number, "form": form}
    return reverse("entry-new", kwargs=names | {"visit": visit})


def data_of(draft: Draft) -> QueryDict:
    """What a draft holds, as if it was sent."""
    data = QueryDict(mutable=True)
    for name, texts in draft.typed.items():
        data.setlist(name, texts)
    return data


def anew(data: QueryDict, removed: int) -> QueryDict:
    """What was typed into a record that was removed, as it is typed into a new one."""
    data = data.copy()
    data["version"] = data["entry_version"] = "0"
    data["once"] = new_mark()
    data[REMOVED] = str(removed)
    for name in [name for name in data if OF_A_ROW.search(name)]:
        data[name] = ""
    return data


def visit_of_removed(model: type[PatientRecord], patient: Patient, number: int) -> str | None:
    """The visit of a record that was removed; None where the patient never had it."""
    last = model.history.filter(id=number, patient=patient.pk).order_by("history_id").last()
    if last is None:
        return None
    # not of the entry: that goes with its record where the log has others
    return FormEntry.history.filter(id=last.entry_id).order_by("history_id").values_list("visit", flat=True).last()


def bring_here(user: Any, there: str, here: str) -> Draft | None:
    """The newest draft of a page that leads to another one now, where it can be saved."""
    draft = find_draft(user, there)
    if draft is not None:
        draft.page = here
        Draft.objects.filter(pk=draft.pk).update(page=here)  # not saved: it was typed when it was typed
    return draft


def keep_for_new(record: PatientRecord) -> None:
    """Let everybody who typed into a record that is taken away find it on the page of a new one. Call it before it is."""
    for draft in Draft.objects.filter(page=address_of_record(record)):
        _begin_anew(draft, record, record.pk)


def _begin_anew(draft: Draft, record: PatientRecord, number: int) -> None:
    typed = typed_in(anew(data_of(draft), number))
    page = opened_page(address_of_new(record.patient, record.form.code, record.entry.visit), typed)
    Draft.objects.filter(pk=draft.pk).update(page=page, typed=typed)


class Drafts:
    """What people typed into a record that is moved to another patient, where it and the rows of its blocks get other numbers.

    Made before the move. Each row comes with the name of its reference to the record.
    """

    def __init__(self, record: PatientRecord, rows: Iterable[tuple[PatientRecord, str]]) -> None:
        self.record = record
        self.number = record.pk
        self.versions = {"version": record.version, "entry_version": record.entry.version}
        self.rows = [(row, row.pk, row.version, wide_column(type(row), parent)) for row, parent in rows]
        self.drafts = list(Draft.objects.filter(page=address_of_record(record)).select_related("user"))

    def go_along(self, moved: PatientRecord, copies: Iterable[PatientRecord]) -> None:
        """Put each draft on the record's new page; of somebody who may not enter forms there, on that of a new record here.

        `copies` are the rows as they are there, in the same order.
        """
        copies = list(copies)
        for draft in self.drafts:
            if not may(draft.user, Permission.CASEBOOK_EDIT, moved.patient):
                _begin_anew(draft, self.record, self.number)
                continue
            data = data_of(draft)
            self._renumber(data, moved, copies)
            Draft.objects.filter(pk=draft.pk).update(page=address_of_record(moved), typed=typed_in(data))

    def _renumber(self, data: QueryDict, moved: PatientRecord, copies: Iterable[PatientRecord]) -> None:
        """Let the hidden fields name what they named before, by the numbers and versions that it has now."""
        _follow(data, "version", self.versions["version"], moved.version)
        _follow(data, "entry_version", self.versions["entry_version"], moved.entry.version)
        there: dict[tuple[str, str], tuple[int, PatientRecord]] = {}
        for (row, number, version, key), copy in zip(self.rows, copies, strict=True):
            if key is None:
                there[row.form.code, str(number)] = version, copy
            else:
                _follow(data, f"{row.form.code}.{getattr(row, key.attname)}-version", version, copy.version)
        for name in [name for name in data if name.endswith("-pk")]:
            prefix = name.removesuffix("-pk")
            found = there.get((prefix.rpartition(".")[0], str(data[name])))
            data[name] = str(found[1].pk) if found else ""
            if found:
                _follow(data, f"{prefix}-version", found[0], found[1].version)


def _follow(data: QueryDict, name: str, version: int, now: int) -> None:
    """What was based on `version` is based on `now`; what was older already is compared with all that is there."""
    if name in data:
        data[name] = str(now if data[name] == str(version) else 0)
