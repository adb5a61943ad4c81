"""What people ask in the demo, and how the sites answer: a few threads of a monitor, a data manager and the staff of a site.

The rule: each comes to rest before the data are clean, so that at the last cut only what a check asks waits. Nothing in them
says what a value is: they fit whatever the record has.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from analysis.demo.casebook import Casebook, Row
from trial.review.models import Audience, Step

LATEST = datetime(2016, 12, 20, tzinfo=UTC)
EVERY = 14  # patients: one in so many is talked about
FIRST = 3  # of them


@dataclass(frozen=True, slots=True)
class Line:
    """What somebody says, so many days after the line before."""

    days: int
    role: str
    step: Step
    text: str


@dataclass(frozen=True, slots=True)
class Talk:
    """A thread. It begins after a record of `form` was entered, and is about a field of it, its visit or the patient."""

    form: str
    field: str
    lines: tuple[Line, ...]
    asked_of: Audience = Audience.SITE
    about: str = "field"  # or "visit" or "patient"


TALKS = (
    Talk(
        "AE",
        "outcome",
        (
            Line(
                6,
                "monitor",
                Step.ASKED,
                "The discharge letter gives another outcome. Please compare it with the entry.",
            ),
            Line(3, "coordinator", Step.ANSWERED, "The entry is from the ward notes. I ask the investigator."),
            Line(5, "monitor", Step.REOPENED, "Please answer once the investigator has decided."),
            Line(4, "investigator", Step.ANSWERED, "The letter was provisional. The entry stands."),
            Line(8, "monitor", Step.CLOSED, "The final letter was seen at the visit."),
        ),
    ),
    Talk(
        "BM",
        "blasts_percent",
        (
            Line(9, "data manager", Step.ASKED, "The central report is not in the file yet. Is this the final count?"),
            Line(12, "investigator", Step.ANSWERED, "Final. The report was filed under another date."),
            Line(2, "data manager", Step.CLOSED, "Seen in the file."),
        ),
        Audience.INVESTIGATOR,
    ),
    Talk(
        "CM",
        "indication",
        (
            Line(14, "monitor", Step.ASKED, "No event with this indication is entered. Is one missing?"),
            Line(7, "coordinator", Step.ANSWERED, "It was given before the first dose, as prophylaxis."),
            Line(11, "monitor", Step.CLOSED, "Agrees with the source."),
        ),
    ),
    Talk(
        "SV",
        "",
        (
            Line(4, "monitor", Step.ASKED, "The visit log at the site lacks a signature for this day."),
            Line(6, "coordinator", Step.ANSWERED, "Signed now, with the date of today and a note."),
            Line(15, "monitor", Step.CLOSED, "Seen."),
        ),
        about="visit",
    ),
    Talk(
        "SV",
        "",
        (
            Line(5, "safety physician", Step.ASKED, "Is the family doctor told of the treatment?"),
            Line(4, "investigator", Step.ANSWERED, "Yes, by letter; a copy is in the file."),
            Line(9, "data manager", Step.CLOSED, "Nothing to change in the casebook."),
        ),
        Audience.INVESTIGATOR,
        about="patient",
    ),
    Talk(
        "VS",
        "temperature_c",
        (
            Line(3, "monitor", Step.ASKED, "The chart has two readings at this hour. Which one is entered?"),
            Line(1, "data manager", Step.CANCELLED, "Asked by mistake: the second reading is of the next day."),
        ),
    ),
)


@dataclass(eq=False, slots=True)
class Conversation:
    """One thread about one row, with the instant of each of its lines."""

    talk: Talk
    row: Row
    said: list[tuple[datetime, Line]]


def conversations(books: Sequence[Casebook]) -> Iterator[tuple[Casebook, Conversation]]:
    """What is talked about in these casebooks, in their order, the talks in turn."""
    for number, book in enumerate(books[FIRST::EVERY]):
        talk = TALKS[number % len(TALKS)]
        row = next((row for row in book.rows if row.form == talk.form and row.part_of is None and row.at), None)
        if row is None or row.at is None:
            continue
        numbers = book.numbers(f"talk {talk.form} {talk.about}")
        at, said = row.at, []
        for line in talk.lines:
            at = book.sitting((at + timedelta(days=line.days)).astimezone(book.zone).date(), numbers)
            said.append((at, line))
        if at < LATEST:
            yield book, Conversation(talk, row, said)
