"""The periodic review of access: who looked through the list of people, when, and by when it must be done again."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from trial.models import AccessReview, Membership, Study
from trial.wording import word_date

REVIEW_EVERY_DAYS = 90


def statement(study: Study, day: date) -> str:
    """What the reviewer puts their name to."""
    return (
        f"I looked through the people of {study} as of {word_date(day)}. Each of them needs the roles, sites and dates "
        "that are listed, and nobody else needs access."
    )


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A review with who made it, in what role, and when."""

    review: AccessReview
    at: datetime
    by: str
    role: str


def reviews_of(study: Study) -> list[Reviewed]:
    """The reviews of the study, newest first."""
    rows = AccessReview.history.filter(study=study.pk, history_type="+").select_related("recording")
    return [
        Reviewed(row.instance, row.recording.at, row.recording.person_name, row.recording.role)
        for row in rows.order_by("-history_id")
    ]


def first_known(study: Study) -> dict[int, datetime]:
    """When each role of the study was put in, by the key of its membership."""
    rows = Membership.history.filter(study=study.pk, history_type="+").order_by("history_id")
    return dict(rows.values_list("id", "history_date"))


@dataclass(frozen=True, slots=True)
class ReviewDue:
    """When the list was last confirmed, and by when it must be again."""

    last: Reviewed | None
    due_on: date
    is_overdue: bool


def review_due(study: Study, on: date) -> ReviewDue:
    """By when the people of the study must be reviewed: so many days after the last time, or after the first role."""
    last = next(iter(reviews_of(study)), None)
    if last is not None:
        begins = last.review.reviewed_as_of
    else:
        first = min(first_known(study).values(), default=None)
        begins = first.date() if first is not None else on
    due_on = begins + timedelta(days=REVIEW_EVERY_DAYS)
    return ReviewDue(last, due_on, is_overdue=on > due_on)
