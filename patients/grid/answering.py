"""A query is answered: by somebody of its site, on what they saw of it."""

from trial.access import Permission, StaffRequest, acting
from trial.audit import Stale
from trial.models import Query
from trial.review.queries import Closed, keep_answer


class CannotAnswer(Exception):
    """Why the answer was not taken, in a sentence for who typed it."""


def answer_query(request: StaffRequest, query: Query, answer: str, *, version: int) -> None:
    """Keep the answer to a query. Raise `CannotAnswer` where the query was closed or changed since the person saw it."""
    with acting(request, Permission.QUERY_ANSWER, query.patient, reason="A query was answered."):
        try:
            keep_answer(query.pk, answer, version=version)
        except Closed as error:
            raise CannotAnswer("This query was closed meanwhile. It needs no answer any more.") from error
        except Stale as error:
            raise CannotAnswer(
                "This query was changed or answered since you opened the list. Read it again, and save."
            ) from error
