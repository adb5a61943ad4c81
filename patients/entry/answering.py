"""Queries on the page of a form, and the answers that were typed there.

The rule: an answer is to the query that the page showed. Where it was answered, reworded or opened again since, nothing is
overwritten: the page comes back with both. An earlier answer to a query that is open again is said anew, and not by pressing Save.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import ValidationError

from patients.entry.controls import check_text
from patients.entry.proposing import deviation_address
from patients.entry.sheet import Theirs, number_of
from patients.querying.threads import Said, threads_of
from trial.audit import Recording
from trial.models import Query
from trial.review.models import QueryState, Step
from trial.review.queries import may_take

MOST_OF_AN_ANSWER = 1000  # characters


@dataclass(frozen=True, slots=True)
class Answered:
    """A text in answer to a query, and the version of the query that it answers."""

    text: str
    version: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A query as it stands on the page."""

    query: Query
    typed: str
    deviation: str = ""
    is_changed: bool = False  # since the page was opened, and a text was typed for it
    theirs: Theirs | None = None  # the answer that somebody else gave meanwhile
    thread: Sequence[Said] = ()  # what was said after the question
    may_answer: bool = True

    @property
    def before(self) -> str:
        """The answer that was given before the query was opened again."""
        return self.query.answer if self.query.state == QueryState.OPEN else ""


def answers_in(data: Mapping[str, Any], queries: Iterable[Query], role: str) -> dict[int, Answered]:
    """What was typed in answer to queries that are asked of a role. Raise `ValidationError` for a text that cannot be kept."""
    found: dict[int, Answered] = {}
    for query in queries:
        if not may_take(role, Step.ANSWERED, query):
            continue
        try:
            text = check_text(str(data.get(f"answer.{query.pk}", "")))
        except ValidationError as error:
            raise ValidationError(f"The answer to a query: {' '.join(error.messages)}") from error
        if len(text) > MOST_OF_AN_ANSWER:
            raise ValidationError(f"The answer to a query has {len(text)} characters. Say it in {MOST_OF_AN_ANSWER}.")
        version = _version_in(data, query)
        if text and text != _shown(_as_seen(query, version)):
            found[query.pk] = Answered(text, version)
    return found


def asked_here(queries: Sequence[Query], data: Mapping[str, Any] | None, role: str) -> list[Asked]:
    """The queries for a page, each with its thread and what was typed for it; and what somebody else answered since the page was opened.

    Only what is asked of the person's role can be answered.
    """
    threads = threads_of(queries[0].patient, queries) if queries else {}
    return [
        replace(
            _asked(query, data or {}),
            thread=[said for said in threads[query.pk] if said.step != Step.ASKED.label],
            may_answer=may_take(role, Step.ANSWERED, query),
        )
        for query in queries
    ]


def _asked(query: Query, data: Mapping[str, Any]) -> Asked:
    typed = str(data.get(f"answer.{query.pk}", ""))
    version = _version_in(data, query)
    if f"answer.{query.pk}" not in data or typed.strip() == _shown(_as_seen(query, version)):
        return Asked(query, _shown(query), deviation_address(query))
    is_changed = version != query.version
    theirs = _answer_since(query) if is_changed and query.state == QueryState.ANSWERED else None
    return Asked(query, typed, deviation_address(query), is_changed, theirs)


def _version_in(data: Mapping[str, Any], query: Query) -> int:
    return number_of(data.get(f"answer.{query.pk}.version"))


def _as_seen(query: Query, version: int) -> Any:
    """The query as the page showed it; None where no page can have."""
    return query if query.version == version else query.history.filter(version=version).first()


def _shown(query: Any) -> str:
    """What stands in the field of a query before anybody has typed."""
    return str(query.answer) if query is not None and query.state == QueryState.ANSWERED else ""


def _answer_since(query: Query) -> Theirs:
    last = next(
        row
        for row in query.history.order_by("-version")
        if {"state", "answer"} & set(row.changed_fields) or row.version == 1
    )
    act = Recording.objects.get(pk=last.recording_id)
    return Theirs(query.answer, act.person_name, act.at)
