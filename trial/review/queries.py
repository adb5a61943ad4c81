"""From findings to queries: what is found is asked once, what is mended is closed, what was answered stays quiet.

The rule: the same check on the same record is one query for ever. It is opened by a finding, updated while the values change,
closed when the check no longer fails, and opened again if it fails anew. An answer holds until a value that it was about changes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from trial.audit import Stale, recording, save_together, service_account
from trial.edit_checks import EditCheck, Finding, SavedRecord, Severity, still_holds
from trial.models import Patient
from trial.review.models import Query, QueryState

CHECKER = "edit-checks"  # the account in whose name checks ask


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a run: the queries that it opened or changed, and those that it closed."""

    asked: tuple[Query, ...] = ()
    closed: tuple[Query, ...] = ()


class Closed(Exception):
    """The query was closed: it needs no answer any more."""


def keep_answer(number: int, answer: str, *, version: int) -> None:
    """Answer a query that is as the person saw it, inside a recording.

    Raise `Closed`, or `Stale` where it was answered, reworded or opened again since.
    """
    query = Query.objects.select_for_update().get(pk=number)  # locked: a check must not close it meanwhile
    if query.state == QueryState.CLOSED:
        raise Closed
    if query.version != version:
        raise Stale
    query.state, query.answer = QueryState.ANSWERED, answer
    query.save()


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
    asked, closed = [], []
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
        elif query.state == QueryState.ANSWERED and still_holds(query.basis, finding.basis):
            continue
        query.question, query.basis, query.severity = finding.question[:500], finding.basis, finding.severity
        query.state = QueryState.OPEN
        if query.pk is None or query.changed_fields():
            asked.append(query)
    for query in known.values():
        if query.state != QueryState.CLOSED:
            query.state = QueryState.CLOSED
            closed.append(query)
    if asked or closed:
        with recording(
            by=service_account(CHECKER), reason="Edit checks were run.", study=patient.study, channel=channel
        ):
            save_together([*asked, *closed])
    return Settled(tuple(asked), tuple(closed))
