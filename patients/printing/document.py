"""What stands on the paper of a casebook: plain values in reading order. No database, no layout.

Everything that a person typed is text here and nothing else: it is handed to the typesetter as data.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answered:
    """A question and its answer in words. `is_changed`: the answer is not the one that was first given."""

    question: str
    answer: str
    is_changed: bool = False
    is_owed: bool = False  # required, and blank without a reason


@dataclass(frozen=True, slots=True)
class DerivedAnswer:
    """A value that follows from what was entered, with the rule that gives it."""

    question: str
    answer: str
    rule: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a repeating block, under the heads of their columns. Columns of numbers are set to the right."""

    title: str
    heads: tuple[str, ...]
    are_numbers: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class AskedQuery:
    """A query under its record or form: what it asks about, the question with its day, the answer with its day, how it stands."""

    about: str
    question: str
    asked: str
    answer: str
    answered: str
    state: str


@dataclass(frozen=True, slots=True)
class FilledRecord:
    """One record of a form: its answers, what follows from them, its blocks, who entered and last changed it, and its queries."""

    name: str  # empty where the form has this one record
    answers: tuple[Answered, ...]
    derived: tuple[DerivedAnswer, ...]
    tables: tuple[Table, ...]
    acts: tuple[str, ...]
    queries: tuple[AskedQuery, ...]


@dataclass(frozen=True, slots=True)
class FilledForm:
    """One form entry. `notes` say what stands for the whole form: not done and why, nothing to report, a comment."""

    code: str
    title: str
    status: str
    notes: tuple[str, ...]
    records: tuple[FilledRecord, ...]
    queries: tuple[AskedQuery, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """A box to tick: the words, and the code that is stored."""

    code: str
    label: str


@dataclass(frozen=True, slots=True)
class BlankQuestion:
    """A question of an empty form: its name for the outside, how it is answered, and when it is asked at all."""

    question: str
    oid: str
    kind: str  # "boxes", "one" (of the boxes), "line", "lines", "day", "partial day" or "moment"
    unit: str = ""
    options: tuple[Option, ...] = ()
    is_required: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class BlankTable:
    """A block of an empty form: a row for each code, or rows to fill."""

    title: str
    heads: tuple[str, ...]
    oids: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BlankForm:
    """An empty form."""

    code: str
    title: str
    note: str
    questions: tuple[BlankQuestion, ...]
    tables: tuple[BlankTable, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A visit, or a section of the casebook, and its forms."""

    title: str
    note: str
    filled: tuple[FilledForm, ...] = ()
    blank: tuple[BlankForm, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A casebook on paper. `patient` is empty on blank forms for nobody in particular."""

    title: str
    study: str
    study_title: str
    site: str
    patient: str
    is_synthetic: bool
    printed: str
    facts: tuple[tuple[str, str], ...]
    legend: tuple[str, ...]
    parts: tuple[Part, ...]
