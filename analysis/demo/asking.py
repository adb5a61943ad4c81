"""What the edit checks ask of the demo's casebooks: which questions, when each was asked, and how it came to rest.

The rule: the checks run once over a casebook as it stands in the end, and over each record as it was first entered where it was put
right later. A question is asked when what it is about was entered; it is mended by a correction, or answered by the site. At
the first cut one in eight waits for its answer, at the last one only those about an error that was left.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import DecimalField, Field

from analysis.demo.casebook import Casebook, Gate, Row
from analysis.demo.corrections import Correction
from analysis.demo.plan import CUTS, TODAY
from patients.casebook import children_of
from patients.checking import answers_of, edit_checks, tests_of
from trial import edit_checks as checks
from trial.edit_checks import EditCheck, Finding, Severity, find
from trial.fields import CodesField
from trial.parameters import Parameters
from trial.partial_dates import PartialDate
from trial.records import PatientRecord

WAITS_AT_FIRST_CUT = 8  # one in so many of the questions that were asked by then
_CLEANING = datetime(2016, 10, 3, 7, 0, tzinfo=UTC)  # from then on the site is asked for what it never answered
_CLEAN = datetime(2016, 12, 22, 16, 0, tzinfo=UTC)
_DAYS_TO_ANSWER = (1, 2, 3, 5, 8, 13, 21, 34)
_ANSWERS = (
    "Checked against the source document: it is right as it was entered.",
    "Confirmed with the investigator. No change.",
    "Confirmed. The laboratory report shows the same.",
    "Reviewed at the site. The entry is complete.",
)


@dataclass(eq=False, slots=True)
class Question:
    """One query: what was asked at which instant, and when it was answered, or closed because the record was put right.

    `asked` holds what was asked anew where a correction changed what the question is about.
    """

    row: Row
    asked: list[tuple[datetime, Finding]]
    closed_at: datetime | None = None
    answered_at: datetime | None = None
    answer: str = ""

    @property
    def first_asked_at(self) -> datetime:
        """The instant of the first asking."""
        return self.asked[0][0]

    def waits_at(self, instant: datetime) -> bool:
        """Whether it was asked by then and has not come to rest."""
        ends = [at for at in (self.closed_at, self.answered_at) if at]
        return self.first_asked_at <= instant and not any(at <= instant for at in ends)


class Reader:
    """Reads the rows of a casebook as the checks would read them from the database once they are written."""

    def __init__(self, models: Mapping[str, type[PatientRecord]], parameters: Parameters) -> None:
        self.models = models
        self.parameters = parameters
        self.stored = {code: type(code, (_Stored,), {"_meta": model._meta}) for code, model in models.items()}
        self.columns = {
            code: [(f, f.get_default()) for f in model._meta.concrete_fields] for code, model in models.items()
        }

    def read(self, rows: Sequence[Row], gates: Iterable[Gate]) -> tuple[checks.Casebook, dict[int, Row]]:
        """The casebook of rows in the order in which they are written, and the row behind the key of each record."""
        keys = {row: key for key, row in enumerate(rows, start=1)}
        blocks: dict[Row, dict[str, list[checks.Record]]] = defaultdict(lambda: defaultdict(list))
        for row in rows:
            if row.part_of is not None:
                blocks[row.part_of][row.form].append(self.record(row, keys))
        records: dict[str, list[checks.Record]] = {
            code: [] for code, model in self.models.items() if not model.form.part_of
        }
        for row in rows:
            if row.part_of is None:
                records[row.form].append(self.page(row, keys, blocks.get(row, {})))
        said = {gate.form: False for gate in gates if gate.not_done_reason is None}
        book = checks.Casebook(records, self.parameters, TODAY, said)
        return book, {key: row for row, key in keys.items()}

    def page(
        self, row: Row, keys: Mapping[Row, int], blocks: Mapping[str, Sequence[checks.Record]], **wrong: Any
    ) -> checks.Record:
        """One record with the rows of its blocks; a result of a laboratory sample is an answer under the code of its test too."""
        bare = self.record(row, keys, **wrong)
        model = self.models[row.form]
        tests = tests_of(model)
        wide: dict[str, Any] = dict.fromkeys(tests)
        names = dict(tests.values())
        for block, each in ((block, each) for block, rows in blocks.items() if block in names for each in rows):
            wide[getattr(each, names[block])] = each
        whole = {
            child.form.code: blocks[child.form.code] for child, _ in children_of(model) if child.form.code in blocks
        }
        return replace(bare, visit=row.visit, answers=wide | dict(bare.answers), rows=whole)

    def record(self, row: Row, keys: Mapping[Row, int], **wrong: Any) -> checks.Record:
        """One row without its blocks; `wrong` is what was entered at first."""
        values = row.values | wrong
        stored = {"id": keys[row], "missing": row.missing}
        for column, default in self.columns[row.form]:
            value = values.get(column.name)
            if isinstance(value, Row):
                stored[column.attname] = keys[value]
            elif value is not None:
                stored[column.attname] = _as_read(column, value)
            else:
                stored.setdefault(column.attname, default)
        return checks.Record(row.form, keys[row], 0, "", answers_of(self.stored[row.form](stored)))


class _Stored:
    """The values of one row by column. A class below it stands for each form and has its columns."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__ = values


def _as_read(column: "Field[Any, Any]", value: Any) -> Any:
    """A value as the database gives it back."""
    if isinstance(column, DecimalField):
        return Decimal(str(value)).quantize(Decimal(1).scaleb(-column.decimal_places))
    return sorted(value) if isinstance(column, CodesField) else column.to_python(value)


def questions_about(
    book: Casebook, rows: Sequence[Row], corrections: Iterable[Correction], reader: Reader
) -> list[Question]:
    """What was asked about one casebook, with the corrections that mended some of it. Nothing is answered yet."""
    read, row_of = reader.read(rows, book.gates)
    asking = [check for check in edit_checks() if check.severity != Severity.HARD]
    in_the_end = {(found.check.code, row_of[found.record.key]): found for found in find(asking, read)}
    at_first = dict(_found_at_first(rows, read, corrections, reader, asking))
    asked = []
    for key, found in in_the_end.items():
        row, earlier = key[1], at_first.pop(key, None)
        since = _known_at(row, found, read, book)
        if earlier is None:
            corrected = [correction.at for correction in corrections if _page_of(correction.row) is row]
            asked.append(Question(row, [(max([since, *corrected]), found)]))
        elif earlier[0].basis == found.basis:
            asked.append(Question(row, [(since, found)]))
        else:
            asked.append(Question(row, [(_entered(row), earlier[0]), (max(earlier[1], since), found)]))
    for (_, row), (found, mended_at) in at_first.items():
        asked.append(Question(row, [(_entered(row), found)], closed_at=mended_at))
    return asked


def _found_at_first(
    rows: Sequence[Row],
    book: checks.Casebook,
    corrections: Iterable[Correction],
    reader: Reader,
    asking: Sequence[EditCheck],
) -> Iterator[tuple[tuple[str, Row], tuple[Finding, datetime]]]:
    """What the checks on a record found before it was put right, and when that was."""
    keys = {row: key for key, row in enumerate(rows, start=1)}
    for correction in corrections:
        page = _page_of(correction.row)
        now = book.find(page.form, keys[page])
        assert now is not None  # who corrects a row has entered it
        if page is correction.row:
            before = reader.page(page, keys, now.rows, **correction.wrong)
        else:
            wrong = reader.record(correction.row, keys, **correction.wrong)
            blocks = {
                code: [wrong if each.key == wrong.key and each.form == wrong.form else each for each in block]
                for code, block in now.rows.items()
            }
            before = reader.page(page, keys, blocks)
        records = [before if each is now else each for each in book.all(page.form)]
        then = replace(book, records={**book.records, page.form: records})
        for check in asking:
            if check.form == page.form and (verdict := check.verdict(before, then)) is not False:
                yield (check.code, page), (checks.finding(check, before, verdict, then), correction.at)


def _page_of(row: Row) -> Row:
    return row.part_of or row


def _entered(row: Row) -> datetime:
    assert row.at is not None  # every entry of a filled casebook is dated
    return row.at


def _known_at(row: Row, found: Finding, read: checks.Casebook, book: Casebook) -> datetime:
    """When a question could be asked: its record is there, and so are the days of other records that it names."""
    verdict = found.check.verdict(found.record, read)
    named = [day for day in map(_day, verdict.values()) if day] if isinstance(verdict, Mapping) else []
    news = [book.moment(day, time(18, 0))[0] for day in named]
    return max([_entered(row), *news])


def _day(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, PartialDate):
        return value.latest
    return value if isinstance(value, date) else None


def bring_to_rest(questions: Sequence[tuple[Casebook, Question]]) -> None:
    """Let the sites answer: soon as a rule, what was left lying at the cleaning of the data, and an error never."""
    cut = datetime.combine(CUTS[0] + timedelta(days=1), time(), UTC)
    for book, question in questions:
        if question.closed_at is None and question.asked[-1][1].severity != Severity.ERROR:
            _answer(book, question, later=timedelta(days=book.numbers("answers").choice(_DAYS_TO_ANSWER)))
    by_then = [(book, question) for book, question in questions if question.first_asked_at < cut]
    waiting = sum(question.waits_at(cut) for _, question in by_then)
    at_rest = [(book, q) for book, q in by_then if q.answered_at and q.answered_at <= cut]
    wanted = min(max(round(len(by_then) / WAITS_AT_FIRST_CUT) - waiting, 0), len(at_rest))
    for n in range(wanted):
        book, question = at_rest[(2 * n + 1) * len(at_rest) // (2 * wanted)]
        days = book.numbers(f"cleaning {n}").randint(0, (_CLEAN - _CLEANING).days)
        _answer(book, question, later=_CLEANING + timedelta(days=days) - question.asked[-1][0])


def _answer(book: Casebook, question: Question, *, later: timedelta) -> None:
    """Answer a question some time after it was asked, in working hours, and before the last cut if it was asked by then."""
    numbers = book.numbers(f"{question.asked[0][1].check.code} {question.row.form} {question.first_asked_at}")
    asked_at = question.asked[-1][0]
    at = book.sitting((asked_at + later).astimezone(book.zone).date(), numbers)
    if at <= asked_at or (asked_at < _CLEAN < at):
        at = asked_at + timedelta(hours=1, minutes=numbers.randint(0, 59))
    question.answered_at, question.answer = at, numbers.choice(_ANSWERS)
