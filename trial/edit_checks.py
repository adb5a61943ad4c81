"""What an edit check is, and how a set of them is run over one patient's casebook. No database, no clock.

The rule (DESIGN 2): the impossible is refused, the odd is saved as reported and asked about. A check is a row of data: where it
looks, when it fails, what it asks. A check whose needed answers are not all there is silent. Where a date is known in part
and the order cannot be told, the question is a warning that says so (STUDY B.2).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

from trial.parameters import Parameters

P = ParamSpec("P")
T = TypeVar("T")


class Severity(StrEnum):
    """What becomes of a failed check (STUDY B.1, rule 8)."""

    HARD = "H"  # cannot be saved: the id and the words of a constraint
    ERROR = "E"  # to be resolved, or overruled by data management, before lock
    WARNING = "W"  # the site may confirm it
    NOTE = "N"  # for monitor and medical review only


SEPARATOR = "; "  # in a basis
MISSING = "missing"  # which answers are marked as missing, and why: of itself no answer
CANNOT_BE_TOLD = "The dates are known in part, so this cannot be told for sure: "


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """One record of one form as the checks see it: its answers by name, and where it stands.

    `key` is the record's number, `entry` that of its form entry, `visit` the code of the visit or `LOG`. The rows of a
    repeating block stand in `rows` under the code of the block. An answer that the form does not have is an error; those that
    the version of the form under which the record was entered did not ask are `not_asked`.
    """

    form: str
    key: int
    entry: int
    visit: str
    answers: Mapping[str, Any]
    rows: Mapping[str, Sequence["Record"]] = field(default_factory=dict)
    comment: str | None = None
    not_asked: frozenset[str] = frozenset()

    def __getattr__(self, name: str) -> Any:
        """The answer of that name; None when it is blank."""
        try:
            return self.answers[name]
        except KeyError as error:
            raise AttributeError(f"The form {self.form} has no answer '{name}'.") from error


@dataclass(frozen=True, slots=True)
class Casebook:
    """All records of one patient, by the code of their form and in the order in which they were entered."""

    records: Mapping[str, Sequence[Record]]
    parameters: Parameters
    asked_on: date  # the day of the run, or the demo's own
    gates: Mapping[str, bool] = field(default_factory=dict)  # the form, and whether the site says that it has any
    laboratories: Callable[[], Sequence[str]] = tuple  # those of which the site has normal ranges, read when asked
    _worked_out: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def all(self, form: str) -> Sequence[Record]:
        """The records of one form."""
        return self.records.get(form, ())

    def one(self, form: str) -> Record | None:
        """The record of a form that is filled once; the first where there are several."""
        return next(iter(self.all(form)), None)

    def once(self, work_out: Callable[Concatenate["Casebook", P], T], *given: P.args, **named: P.kwargs) -> T:
        """What a function says of this casebook, worked out when it is first asked for and kept.

        For what is the same for each of many records: a check that worked it out for every one would take their square.
        """
        asked = (work_out, given, *named.items())
        if asked not in self._worked_out:
            self._worked_out[asked] = work_out(self, *given, **named)
        found: T = self._worked_out[asked]
        return found

    def find(self, form: str, key: int | None) -> Record | None:
        """The record of that number, as another record points to it."""
        return self.once(_by_key, form).get(key)


def _by_key(book: Casebook, form: str) -> Mapping[int | None, Record]:
    """The records of a form by their number."""
    return {record.key: record for record in reversed(book.all(form))}


class Unsure(dict[str, Any]):
    """The values that the question names, where the dates are known in part and the order cannot be told."""


class SavedRecord(NamedTuple):
    """A record that was saved, as the only one since the checks were run."""

    form: str
    key: int


# True or False; None where the dates are known in part; or the values that the question names.
Verdict = bool | None | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EditCheck:
    """One question that a data manager would ask of one record.

    `fails` gets the answers of `needs` in their order; with `by_record` or `reads` it gets the record and the casebook instead.
    `reads` names the forms of which it looks at other records, its own among them: without its own, what becomes of one record
    changes the verdict on no other one. `asks` may name any answer of the record, and what the verdict brings.
    `proposes_deviation` is the (+DV) of STUDY B.5: the class of the deviation; its day is the `day` that the verdict brings, else the
    answer that is asked about.
    """

    code: str
    form: str
    field: str
    asks: str
    severity: Severity
    fails: Callable[..., Verdict]
    needs: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    by_record: bool = False
    proposes_deviation: str = ""

    def verdict(self, record: Record, book: Casebook) -> Verdict:
        """What the check says of the record; False when a needed answer is blank, or was not asked."""
        if self.field in record.not_asked:
            return False
        needed = [getattr(record, name) for name in self.needs]
        if any(answer is None or answer == [] for answer in needed):
            return False
        return self.fails(record, book) if self.reads or self.by_record else self.fails(*needed)

    def is_touched(self, key: int | None, saved: SavedRecord | None) -> bool:
        """Whether what was saved can have changed the verdict on the record of that number; None for anything at all."""
        return saved is None or self.form != saved.form or self.form in self.reads or key == saved.key


@dataclass(frozen=True, slots=True)
class Finding:
    """A check that failed on a record: the question in words, and how much of one it is.

    `basis` is what the check looked at, as text: every answer of the record that it read, and what the verdict brought. An
    answer "as is" holds while that is the same (`still_holds`).
    """

    check: EditCheck
    record: Record
    question: str
    severity: Severity
    basis: str


def find(checks: Iterable[EditCheck], book: Casebook, saved: SavedRecord | None = None) -> list[Finding]:
    """What the checks find in a patient's casebook, in the order of the checks and then of the records.

    After a save only the verdicts that it can have changed are asked for.
    """
    return [
        finding(check, record, verdict, book)
        for check in checks
        for record in book.all(check.form)
        if check.is_touched(record.key, saved)
        if (verdict := check.verdict(record, book)) is not False
    ]


def touching(checks: Iterable[EditCheck], forms: Iterable[str]) -> list[EditCheck]:
    """The checks that a change of one of these forms can set off or still."""
    changed = set(forms)
    return [check for check in checks if check.form in changed or changed.intersection(check.reads)]


def finding(check: EditCheck, record: Record, verdict: Verdict, book: Casebook) -> Finding:
    """What a verdict other than False says of a record."""
    brought = verdict if isinstance(verdict, Mapping) else {}
    named = {name: word(value) for name, value in {**record.answers, **brought}.items()}
    question = check.asks.format(**named)
    looked_at = {**answers_read(check, record, book), **brought}
    basis = SEPARATOR.join(f"{name}={word(value).replace(SEPARATOR, ';')}" for name, value in looked_at.items())
    if verdict is None or isinstance(verdict, Unsure):
        return Finding(check, record, CANNOT_BE_TOLD + question, Severity.WARNING, basis)
    return Finding(check, record, question, check.severity, basis)


class _Watched(Mapping[str, Any]):
    """The answers of a record, of which those that are read are taken down. Of a laboratory result, what was read of it."""

    def __init__(self, answers: Mapping[str, Any], read: dict[str, Any], within: str = "") -> None:
        self._answers, self._read, self._within = answers, read, within

    def __getitem__(self, name: str) -> Any:
        value = self._answers[name]
        if isinstance(value, Record):
            self._read[self._within + name] = "entered"
            return _watched(value, self._read, f"{self._within}{name}.")
        if name != MISSING:
            self._read[self._within + name] = value
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._answers)

    def __len__(self) -> int:
        return len(self._answers)


def _watched(record: Record, read: dict[str, Any], within: str = "") -> Record:
    return replace(record, answers=_Watched(record.answers, read, within))


def answers_read(check: EditCheck, record: Record, book: Casebook) -> dict[str, Any]:
    """The answers of a record that a check reads to come to its verdict: those it needs, and then the others by name."""
    read: dict[str, Any] = {}
    check.verdict(_watched(record, read), book)
    return {name: read[name] for name in (*check.needs, *sorted(read.keys() - set(check.needs)))}


def still_holds(then: str, now: str) -> bool:
    """Whether an answer given on one basis holds on another: nothing that was looked at both times has changed.

    A check that looks further than before, because another record came or went, asks nothing anew.
    """
    before, after = (dict(each.partition("=")[::2] for each in basis.split(SEPARATOR)) for basis in (then, now))
    return all(after[name] == value for name, value in before.items() if name in after)


def word(value: Any) -> str:
    """A value inside a question: a date as people read it, a number without idle zeros, a list with commas, blank as `nothing`."""
    if value is None or value == []:
        return "nothing"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list | tuple):
        return ", ".join(word(item) for item in value)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if hasattr(value, "strftime"):
        return f"{value:%d-%b-%Y}"
    return str(value)
