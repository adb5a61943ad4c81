"""What others saved while a person typed: taken over where the person typed nothing of their own, shown beside what they typed.

The rule: what is one answer together (a value and why it is blank, a number and its unit, a row) is theirs or mine as a whole,
and nothing of theirs gives way to mine unseen.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.http import QueryDict

from patients.entry.sheet import MOST_ROWS, Block, RecordForm, Row, Sheet, Theirs, number_of, plain
from trial.audit import Recording
from trial.models import FormEntry

Notes = dict[str, dict[str, Theirs]]  # by the prefix of a part of the sheet, and the name of a control


class Past:
    """The history of some rows in its order, and the acts that it points to."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._of: dict[Any, list[Any]] = defaultdict(list)
        for row in rows:
            self._of[row.id].append(row)
        self._acts = Recording.objects.in_bulk({row.recording_id for each in self._of.values() for row in each})

    def of(self, number: int) -> list[Any]:
        """The versions of one row."""
        return self._of.get(number, [])

    def seen(self, number: int, version: int) -> Any:
        """A row as a page of that version showed it; None where there was none."""
        return next((row for row in self.of(number) if row.version == version and _is_there(row)), None)

    def chosen(self, column: str, value: Any) -> list[Any]:
        """The versions of every row with that value in a column, in their order."""
        found = [row for each in self._of.values() for row in each if getattr(row, column) == value]
        return sorted(found, key=lambda row: row.history_id)

    def theirs(self, row: Any, text: str) -> Theirs:
        """A text, and who saved it when."""
        act = self._acts[row.recording_id]
        return Theirs(text, act.person_name, act.at)


def take_theirs(data: QueryDict, now: Sheet) -> Notes:
    """Put what others saved into `data` where the person left it as it was, and the versions that it is based on then.

    `now` is the sheet as it is saved. Give what others saved since the versions that the page showed.
    """
    record = now.record
    past = Past(type(record).history.filter(id=record.pk).order_by("history_id"))
    notes: Notes = {
        "": _merge(data, now.main, past.seen(record.pk, number_of(data.get("version"))), past.of(record.pk), past)
    }
    data["version"] = str(record.version)
    assert now.entry is not None  # a saved record has one
    notes["head"] = _take_comment(data, now.entry)
    data["entry_version"] = str(now.entry.version)
    for block in now.blocks:
        past = Past(block.child.history.filter(**{block.parent: record.pk}).order_by("history_id"))
        notes |= _rows_by_code(data, block, past) if block.key else _free_rows(data, block, record, now, past)
    return notes


def mark(sheet: Sheet, notes: Notes) -> None:
    """Show on a sheet what others saved."""
    sheet.head.theirs = notes.get("head", {})
    for part in (sheet.main, *(row for block in sheet.blocks for row in block.rows)):
        part.theirs = notes.get(part.prefix or "", {})


def _take_comment(data: QueryDict, entry: FormEntry) -> dict[str, Theirs]:
    past = Past(FormEntry.history.filter(id=entry.pk).order_by("history_id"))
    seen = next((row.comment or "" for row in past.of(entry.pk) if str(row.version) == data.get("entry_version")), "")
    if seen == (entry.comment or ""):
        return {}
    if plain(data.get("comment")) == plain(seen):
        data["comment"] = entry.comment or ""
    last = [row for row in past.of(entry.pk) if row.history_type == "+" or "comment" in row.changed_fields][-1]
    return {"comment": past.theirs(last, entry.comment or "no comment")}


def _rows_by_code(data: QueryDict, block: Block, past: Past) -> Notes:
    assert block.key is not None
    notes: Notes = {}
    for row in block.rows:
        number, version = (number_of(data.get(f"{row.prefix}-{name}")) for name in ("pk", "version"))
        versions = past.chosen(block.key.attname, getattr(row.record, block.key.attname))
        notes[str(row.prefix)] = _merge(data, row, past.seen(number, version), versions, past)
        data[f"{row.prefix}-pk"] = "" if row.is_new else str(row.record.pk)
        data[f"{row.prefix}-version"] = str(0 if row.is_new else row.record.version)
    return notes


def _free_rows(data: QueryDict, block: Block, record: Any, now: Sheet, past: Past) -> Notes:
    notes: Notes = {}
    there = {str(row.record.pk): row for row in block.rows if not row.is_new}
    count = min(number_of(data.get(block.count_name)), MOST_ROWS)
    for n in range(count):
        prefix = f"{block.child.form.code}.{n}"
        key = str(data.get(f"{prefix}-pk", ""))
        version = number_of(data.get(f"{prefix}-version"))
        if row := there.pop(key, None):
            row.prefix = prefix
            notes[prefix] = _merge(data, row, past.seen(row.record.pk, version), past.of(row.record.pk), past)
            data[f"{prefix}-version"] = str(row.record.version)
            continue
        data[f"{prefix}-pk"] = data[f"{prefix}-version"] = ""
        if versions := past.of(number_of(key)):
            ready = block.row_form(block.ready(record), now.ground, prefix=prefix)
            if _is_as_seen(data, ready, past.seen(number_of(key), version) or versions[-1]):
                data[f"{prefix}-remove"] = "on"  # whoever wants it back takes the mark away
            notes[prefix] = {"remove": past.theirs(versions[-1], "")}
    for row in there.values():  # somebody added it
        row.prefix = f"{block.child.form.code}.{count}"
        notes[row.prefix] = _merge(data, row, None, past.of(row.record.pk), past)
        data[f"{row.prefix}-pk"], data[f"{row.prefix}-version"] = str(row.record.pk), str(row.record.version)
        count += 1
    data[block.count_name] = str(count)
    return notes


def _merge(data: QueryDict, now: RecordForm, before: Any, versions: list[Any], past: Past) -> dict[str, Theirs]:
    """Take into `data` what is theirs since the row that the page showed (None for none), by the name of the question."""
    blank = now.shown(type(now.record)())
    texts = seen = blank if before is None else now.shown(before)
    last: dict[str, Any] = {}
    for row in versions:
        if before is not None and row.history_id <= before.history_id:
            continue
        earlier, texts = texts, now.shown(row) if _is_there(row) else blank
        last |= {
            name: row
            for name, parts in now.said_together().items()
            if any(texts[part] != earlier[part] for part in parts)
        }
    theirs = {}
    for name, parts in now.said_together().items():
        if all(now.initial[part] == seen[part] for part in parts):
            continue
        theirs[name] = past.theirs(last.get(name, versions[-1]), now.word(name))
        if all(_sent(data, now, part, seen) == plain(seen[part]) for part in parts):
            for part in parts:
                _put(data, now.add_prefix(part), now.initial[part])
    return theirs


def _is_there(row: Any) -> bool:
    """Whether a row of history is a version of its record, and not its removal."""
    return bool(row.history_type != "-")


def _is_as_seen(data: QueryDict, row: Row, version: Any) -> bool:
    """Whether nothing was typed into a row since that version."""
    seen = row.shown(version)
    return all(_sent(data, row, part, seen) == plain(seen[part]) for part in seen if part in row.fields)


def _sent(data: QueryDict, form: RecordForm, name: str, seen: Mapping[str, Any]) -> Any:
    """What was sent for a control, to be compared with what was seen."""
    sent = data.getlist(form.add_prefix(name))
    if not sent and form.fields[name].widget.is_hidden:
        return plain(seen[name])
    return plain(sent if isinstance(seen[name], list) or len(sent) > 1 else (sent or [""])[0])


def _put(data: QueryDict, name: str, shown: Any) -> None:
    data.setlist(name, shown if isinstance(shown, list) else [str(shown)])
