"""The states of a query: the one place that knows what leads from one to another, and who may do it.

The rule: every step leaves a message, in the name of whoever the open recording names. The same check on the same record is one
query for ever: opened by a finding, worded anew while the values change, closed when the check finds nothing any more, opened
again if it fails anew. What a person decided about it holds until a value that it was about changes.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Q

from trial.access import GRANTS, Permission
from trial.audit import Stale, recording, save_together, service_account
from trial.edit_checks import EditCheck, Finding, SavedRecord, Severity, still_holds
from trial.models import Patient, Role
from trial.review.models import AT_REST, WAITING, Audience, Query, QueryMessage, QueryState, Step

CHECKER = "edit-checks"  # the account in whose name checks ask
CHECKS = "edit check"  # the role of that account
AT_ONCE = 500  # queries in one statement


@dataclass(frozen=True, slots=True)
class Move:
    """From which states a step leads to which one, who may take it, and what is said of it in a sentence."""

    before: tuple[QueryState, ...]
    after: QueryState
    by: frozenset[str]
    verb: str
    says: bool = True  # whether it says something: an answer, or a reason


REVIEWERS = frozenset(map(str, GRANTS[Permission.QUERY_CLOSE]))
ANSWERERS: dict[str, frozenset[str]] = {
    Audience.SITE: frozenset({Role.COORDINATOR, Role.INVESTIGATOR}),
    Audience.INVESTIGATOR: frozenset({Role.INVESTIGATOR}),
    Audience.DATA_MANAGER: frozenset({Role.DATA_MANAGER}),
}
ANYBODY_ASKED = frozenset(map(str, GRANTS[Permission.QUERY_ANSWER]))
MOVES: dict[Step, Move] = {
    Step.ANSWERED: Move(WAITING, QueryState.ANSWERED, ANYBODY_ASKED, "answer"),
    Step.REOPENED: Move((QueryState.ANSWERED, *AT_REST), QueryState.OPEN, REVIEWERS | {CHECKS}, "open again"),
    Step.CLOSED: Move(WAITING, QueryState.CLOSED, REVIEWERS, "close"),
    Step.CANCELLED: Move(WAITING, QueryState.CANCELLED, REVIEWERS, "cancel"),
    Step.REWORDED: Move((QueryState.OPEN,), QueryState.OPEN, frozenset({CHECKS}), "word anew"),
    Step.MENDED: Move(WAITING, QueryState.CLOSED, frozenset({CHECKS}), "close", says=False),
    Step.REMOVED: Move(
        WAITING, QueryState.CLOSED, frozenset(map(str, GRANTS[Permission.CASEBOOK_EDIT])), "close", says=False
    ),
}


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a run: the queries that it opened or changed, and those that it closed."""

    asked: tuple[Query, ...] = ()
    closed: tuple[Query, ...] = ()


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts, by the recording that is open."""

    account: int
    role: str


class NotPossible(Exception):
    """The step cannot be taken. The text says why, in a sentence."""


class Closed(NotPossible):
    """The query came to rest: it needs no answer any more."""


class NotAll(Exception):
    """Some of many queries cannot take the step, so none did. `why` has the keys of those by the sentence that says why."""

    def __init__(self, why: Mapping[str, list[int]]) -> None:
        super().__init__("; ".join(why))
        self.why = why


def acting_now(using: str = DEFAULT_DB_ALIAS) -> Acting:
    """Who acts, as the trail will name them. Raise `NotPossible` outside of a recording."""
    acting: Any = connections[using]
    if acting.act is None:
        raise NotPossible("Nobody is named as acting. Open a recording first.")
    details = json.loads(acting.act.details)
    role = str(details["role"])
    if not role and details["person_name"] == CHECKER:
        role = CHECKS
    return Acting(details["by_id"], role)


def why_not(query: Query, step: Step, by: Acting, text: str = "", *, answered_by: int | None = None) -> str:
    """Why this step cannot be taken, in a sentence; empty text where it can. `answered_by` is the account of the last answer."""
    move = MOVES[step]
    role = Role(by.role).label if by.role in Role.values else "This account"
    if by.role not in move.by or (by.role == CHECKS and not query.check_code):
        return f"{role} may not {move.verb} a query."
    if step == Step.ANSWERED and by.role not in ANSWERERS[query.asked_of]:
        return f"It is asked of another role: {Audience(query.asked_of).label.lower()}."
    if query.state not in move.before:
        return f"It is {QueryState(query.state).label.lower()}."
    if move.says and not text.strip():
        return "Say what the answer is." if step == Step.ANSWERED else "Say why."
    if step in (Step.CLOSED, Step.CANCELLED) and query.state == QueryState.ANSWERED and answered_by == by.account:
        return "The answer is your own: somebody else decides about it."
    return ""


def may_take(role: str, step: Step, query: Query) -> bool:
    """Whether a role may take this step with a query as it stands: whether a page offers it."""
    return not why_not(query, step, Acting(0, role), "as typed")


def steps_for(roles: Iterable[str], query: Query) -> list[Step]:
    """What a page offers to somebody with these roles."""
    offered = (Step.ANSWERED, Step.CLOSED, Step.REOPENED, Step.CANCELLED)
    return [step for step in offered if any(may_take(role, step, query) for role in roles)]


def waiting_for(role: str) -> Q:
    """The queries on which a role is to do something: to answer, or to decide about an answer."""
    asked_of = [audience for audience, roles in ANSWERERS.items() if role in roles]
    waits = Q(state=QueryState.OPEN, asked_of__in=asked_of)
    if role in REVIEWERS:
        of_people = Q() if role == Role.DATA_MANAGER else Q(check_code="")
        waits |= Q(state=QueryState.ANSWERED) & of_people
    return waits


def ask(query: Query, *, using: str = DEFAULT_DB_ALIAS) -> Query:
    """Put a new query, inside a recording. Raise `NotPossible` for a role that asks nothing."""
    by = acting_now(using)
    if by.role not in (GRANTS[Permission.QUERY_RAISE] if not query.check_code else {CHECKS}):
        raise NotPossible(f"{Role(by.role).label if by.role in Role.values else 'This account'} may not ask a query.")
    query.state = QueryState.OPEN
    query.save(using=using)
    _message(query, Step.ASKED, query.question).save(using=using)
    return query


def take(query: Query, step: Step, text: str = "", *, using: str = DEFAULT_DB_ALIAS) -> Query:
    """Take one step with a query that is held, inside a recording. Raise `NotPossible` where it cannot be taken."""
    by = acting_now(using)
    answered_by = last_answerers([query.pk], using).get(query.pk) if step in (Step.CLOSED, Step.CANCELLED) else None
    if said := why_not(query, step, by, text, answered_by=answered_by):
        raise NotPossible(said)
    _change(query, step, text)
    query.save(using=using)
    _message(query, step, text).save(using=using)
    return query


def take_by_number(number: int, step: Step, text: str, *, version: int) -> Query:
    """Take one step with a query that is as the person saw it, inside a recording.

    Raise `Stale` where it changed since, and `NotPossible` where the step cannot be taken.
    """
    query = _held([number]).get(pk=number)
    if query.version != version:
        raise Stale(f"The query {number} was changed since it was read.")
    return take(query, step, text.strip())


def keep_answer(number: int, answer: str, *, version: int) -> None:
    """Answer a query that is as the person saw it, inside a recording.

    Raise `Closed`, or `Stale` where it was answered, reworded or opened again since.
    """
    query = _held([number]).get(pk=number)
    if query.state in AT_REST:
        raise Closed("It came to rest meanwhile.")
    if query.version != version:
        raise Stale
    take(query, Step.ANSWERED, answer)


def take_all(picked: Mapping[int, int | None], step: Step, text: str) -> int:
    """Take one step with many queries, given by number with the version that the person saw (None where they saw none).

    All or nothing, inside a recording. Raise `NotAll`, naming those that cannot take it.
    """
    by, text = acting_now(), text.strip()
    why: dict[str, list[int]] = {}
    queries = _held(sorted(picked))
    for portion in _portions(sorted(picked)):
        held = list(queries.filter(pk__in=portion).order_by("pk"))
        answerers = last_answerers(portion)
        for query in held:
            seen = picked[query.pk]
            said = why_not(query, step, by, text, answered_by=answerers.get(query.pk))
            if not said and seen is not None and seen != query.version:
                said = "Somebody changed it since you opened the list."
            if said:
                why.setdefault(said, []).append(query.pk)
        if why:
            continue
        values = _values(step, text)
        Query.objects.filter(pk__in=portion).update(**values)
        QueryMessage.objects.bulk_create([_message(query, step, text) for query in held])
    if why:
        raise NotAll(why)
    return len(picked)


def ask_all_again(numbers: Sequence[int], question: str) -> int:
    """Ask one question about what each of these queries is about, inside a recording: a query of a person for each."""
    _held(sorted(numbers))
    asked = []
    for portion in _portions(sorted(numbers)):
        for about in Query.objects.filter(pk__in=portion).order_by("pk"):
            place = {name: getattr(about, name) for name in ("patient_id", "entry_id", *PLACE)}
            asked.append(Query(**place, asked_of=about.asked_of, question=question))
    by = acting_now()
    if by.role not in GRANTS[Permission.QUERY_RAISE]:
        raise NotPossible(f"{Role(by.role).label if by.role in Role.values else 'This account'} may not ask a query.")
    Query.objects.bulk_create(asked)
    QueryMessage.objects.bulk_create([_message(query, Step.ASKED, question) for query in asked])
    return len(asked)


PLACE = ("form", "record", "field", "visit")


def close_with_form(queries: Iterable[Query]) -> None:
    """Close what waits about a form that is taken from where it is, inside the recording of who takes it."""
    for query in queries:
        if query.state in WAITING:
            take(query, Step.REMOVED)


def last_answerers(numbers: Sequence[int], using: str = DEFAULT_DB_ALIAS) -> dict[int, int]:
    """The account that gave the last answer to each of these queries."""
    answers: Any = QueryMessage.history.model.objects.using(using)
    answers = answers.filter(query__in=numbers, step=Step.ANSWERED).order_by("history_id")
    return dict(answers.values_list("query", "history_user_id"))


def _held(numbers: Sequence[int]) -> Any:
    """The queries, to be read for a step: nobody else can take one meanwhile.

    The patients are locked before the queries, in the order of their keys: whoever saves a form holds the patient, then closes
    what is mended, and two that wait for each other would both be refused. In SQLite whoever writes holds everything already.
    """
    if connection.features.has_select_for_update:
        patients: set[int] = set()
        for portion in _portions(numbers):
            patients.update(Query.objects.filter(pk__in=portion).order_by().values_list("patient", flat=True))
        for portion in _portions(sorted(patients)):
            list(Patient.objects.select_for_update().filter(pk__in=portion).order_by("pk").values_list("pk"))
    return Query.objects.select_for_update()


def _portions(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for first in range(0, len(numbers), AT_ONCE):
        yield numbers[first : first + AT_ONCE]


def _values(step: Step, text: str) -> dict[str, Any]:
    """What a step writes into its query."""
    values: dict[str, Any] = {"state": MOVES[step].after, "is_mended": step in (Step.MENDED, Step.REMOVED)}
    return values | ({"answer": text} if step == Step.ANSWERED else {})


def _change(query: Query, step: Step, text: str) -> None:
    for name, value in _values(step, text).items():
        setattr(query, name, value)


def _message(query: Query, step: Step, text: str) -> QueryMessage:
    return QueryMessage(patient_id=query.patient_id, query=query, step=step, text=text)


def settle(
    patient: Patient,
    findings: Sequence[Finding],
    ran: Iterable[EditCheck],
    *,
    saved: SavedRecord | None = None,
    channel: str = "command",
) -> Settled:
    """Bring the queries of a patient in line with what these checks found, all or nothing.

    `ran` are the checks that were run, after what was `saved`: a query of one of them without a finding is closed. Hard limits
    ask nothing.
    """
    asking = {
        (check.code, check.form): check for check in ran
    }  # not the code alone: one check may ask on several forms
    queries = Query.objects.select_for_update().filter(  # locked: somebody may be answering one
        patient=patient, check_code__in={code for code, _ in asking}
    )
    known = {
        (query.check_code, query.form, query.record, query.field): query
        for query in queries
        if (check := asking.get((query.check_code, query.form))) and check.is_touched(query.record, saved)
    }
    asked: list[tuple[Query, Step]] = []
    for finding in findings:
        if finding.severity == Severity.HARD:
            continue
        check, record = finding.check, finding.record
        query = known.pop((check.code, record.form, record.key, check.field), None)
        if query is None:
            query = Query(
                patient=patient,
                entry_id=record.entry,
                form=record.form,
                record=record.key,
                field=check.field,
                check_code=check.code,
            )
        elif _is_decided(query) and still_holds(query.basis, finding.basis):
            continue
        step = Step.ASKED if query.pk is None else Step.REWORDED if query.state == QueryState.OPEN else Step.REOPENED
        query.question, query.basis, query.severity = finding.question[:500], finding.basis, finding.severity
        query.state, query.is_mended = QueryState.OPEN, False
        if query.pk is None or query.changed_fields():
            asked.append((query, step))
    closed = [query for query in known.values() if query.state in WAITING]
    for query in closed:
        _change(query, Step.MENDED, "")
    if asked or closed:
        with recording(
            by=service_account(CHECKER), reason="Edit checks were run.", study=patient.study, channel=channel
        ):
            save_together([*(query for query, _ in asked), *closed])
            QueryMessage.objects.bulk_create(
                [_message(query, step, query.question) for query, step in asked]
                + [_message(query, Step.MENDED, "") for query in closed]
            )
    return Settled(tuple(query for query, _ in asked), tuple(closed))


def _is_decided(query: Query) -> bool:
    """Whether a person answered, closed or cancelled it, so that the same values are not asked about again."""
    return query.state != QueryState.OPEN and not query.is_mended
