"""The daily letter: to each person what waits for their roles at their sites. No patient's data beside the number and the form.

The rule: it is put on record before the letter is handed over, and taken back where the mail server refuses it. A second run on the
day, or one beside it, sends nothing twice.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from smtplib import SMTPException
from typing import Any

from django.core.mail import EmailMessage, get_connection
from django.db import IntegrityError
from django.db.models import Q

from patients.grid.work import with_day_asked
from patients.querying.about import title_of
from trial.audit import recording, service_account
from trial.models import Membership, Person, Query, QueryDigest, Study
from trial.review.queries import waiting_for

logger = logging.getLogger(__name__)

SENDER = "query-digest"  # the account in whose name letters are sent
MOST_LINES = 50
SENT = "What waits for somebody was sent to them."
NOT_SENT = "The mail server did not take the letter."


@dataclass(slots=True)
class Posted:
    """What became of a run: letters that were sent, that were sent before on the day, and that the mail server refused."""

    sent: int = 0
    before: int = 0
    refused: int = 0
    without_address: int = 0


def send_digests(study: Study, on: date) -> Posted:
    """Write to everybody for whom something waits in the study, who has an address, and was not written to on the day."""
    posted = Posted()
    had_one = set(QueryDigest.objects.filter(study=study, sent_on=on).values_list("person", flat=True))
    connection = get_connection()
    for person, waiting in people_waited_for(study, on):
        if person.pk in had_one:
            posted.before += 1
            continue
        ordered = with_day_asked(waiting).select_related("patient").order_by("asked_at", "pk")  # type: ignore[misc]  # annotated
        queries = list(ordered)
        if not queries:
            continue
        if not person.user.email:
            posted.without_address += 1
            continue
        digest = claim(study, person, on, len(queries))
        if digest is None:
            posted.before += 1
            continue
        subject, text = letter(study, queries, study.today or on)
        try:
            EmailMessage(subject, text, to=[person.user.email], connection=connection).send()
        except (OSError, SMTPException) as error:
            logger.error("A digest could not be sent: %s. Check MARROW_MAIL.", type(error).__name__)
            with recording(by=service_account(SENDER), reason=NOT_SENT, study=study):
                digest.delete()
            posted.refused += 1
        else:
            posted.sent += 1
    return posted


def people_waited_for(study: Study, on: date) -> Iterator[tuple[Person, Any]]:
    """Everybody with a role on the day, each with the queries that wait for their roles at their sites."""
    held = Membership.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=on),
        study=study,
        starts_on__lte=on,
        person__is_active=True,
        person__user__is_active=True,
    )
    roles: dict[Person, list[Membership]] = defaultdict(list)
    for membership in held.select_related("person__user").order_by("person", "pk"):
        roles[membership.person].append(membership)
    for person, memberships in roles.items():
        waits = Q(pk__in=[])
        for membership in memberships:
            here = Q(patient__site=membership.site_id) if membership.site_id else Q()
            waits |= waiting_for(str(membership.role)) & here
        yield person, Query.objects.filter(waits, patient__study=study)


def claim(study: Study, person: Person, on: date, number: int) -> QueryDigest | None:
    """Put on record that the person is written to; None where another run did."""
    digest = QueryDigest(study=study, person=person, sent_on=on, queries=number)
    try:
        with recording(by=service_account(SENDER), reason=SENT, study=study):
            digest.save()
    except IntegrityError:
        return None
    return digest


def letter(study: Study, queries: list[Any], today: date) -> tuple[str, str]:
    """The subject and the text for these queries, the oldest first."""
    number = len(queries)
    wait = "1 query waits" if number == 1 else f"{number} queries wait"
    lines = [f"{query.patient}: {title_of(query)}, asked {_ago(query.asked_at.date(), today)}" for query in queries]
    more = [f"And {number - MOST_LINES} more."] if number > MOST_LINES else []
    text = [f"{wait} for you in {study.code}.", "", *lines[:MOST_LINES], *more]
    text += [
        "",
        "Sign in to Marrow and open Queries, Waits for: Me. This letter is sent once a day while something waits.",
    ]
    return f"Marrow: {wait} for you in {study.code}", "\n".join(text) + "\n"


def _ago(day: date, today: date) -> str:
    days = max((today - day).days, 0)
    return "today" if days == 0 else f"{days} day{'' if days == 1 else 's'} ago"
