"""Recorded acts: who writes, in what role, and why. Nothing is written to a tracked table outside of one."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import DEFAULT_DB_ALIAS, connections, transaction

from trial.audit.middleware import current_request

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, User
    from django.db.models import Model

    from trial.audit.models import Recording


@contextmanager
def recording(
    *,
    by: "AbstractBaseUser | Model",
    reason: str,
    study: "Model | None" = None,
    channel: str = "command",
    role: str = "",
    organisation: str = "",
    field_reasons: Mapping[str, str] | None = None,
    request_id: str = "",
    using: str = DEFAULT_DB_ALIAS,
) -> "Iterator[Recording]":
    """Open a transaction in which tracked tables may be written, in the name of a person and for a reason.

    The database writes the recording itself with the first row that changes, and stamps it; when nothing changes, none is
    there afterwards. What is yielded has its number and details, and its instant after `refresh_from_db()`. A recording
    inside another is an act of its own; the outer one goes on after it. Raise `ValueError` for nobody or for no reason.
    """
    details = {
        "by_id": account_number(by),
        "person_name": display_name(by),
        "role": role,
        "organisation": organisation,
        "reason": given_reason(reason),
        "field_reasons": dict(field_reasons or {}),
        "channel": channel,
        "request_id": request_id or request_number(),
        "study_id": study.pk if study is not None else None,
    }
    with open_act(details, using) as act:
        yield act


@contextmanager
def open_act(details: dict[str, Any], using: str) -> "Iterator[Recording]":
    """Bind an act to a transaction of its own, and put the outer act back afterwards."""
    from trial.audit.models import Recording

    connection: Any = connections[using]
    is_all = not connection.in_atomic_block  # the transaction ends with this act, and what is bound to it as well
    with transaction.atomic(using=using):
        outer = connection.act
        act = connection.begin_act(details)
        try:
            yield Recording(id=act.number, **{name: value for name, value in details.items() if name != "at"})
        except BaseException:
            connection.remember_act(outer)
            raise
        (connection.remember_act if is_all else connection.bind_act)(outer)


def account_number(by: Any) -> int:
    """The account that acts. Raise `ValueError` when there is none, or nobody is signed in."""
    number: int | None = getattr(by, "pk", None)
    if number is None:
        raise ValueError("Nobody was named, so nothing can be recorded. Give `by` a saved account.")
    return number


def display_name(by: Any) -> str:
    """The name that the trail keeps, as it is today. In a data migration the account is a stand-in without methods."""
    person = getattr(by, "person", None)
    return str(person.name if person is not None else f"{by.first_name} {by.last_name}".strip() or by.username)


def given_reason(reason: str) -> str:
    """The reason without blanks around it. Raise `ValueError` when it says nothing."""
    if not reason.strip(" .-\t\r\n"):
        raise ValueError("Say why this entry is being changed. The reason is kept in the audit trail.")
    return reason.strip()


def request_number() -> str:
    """The number of the request that is being answered, empty when there is none."""
    request: Any = current_request.get()
    if request is None:
        return ""
    if not hasattr(request, "marrow_request_id"):
        request.marrow_request_id = uuid.uuid4().hex  # kept for the next act of this request
    return str(request.marrow_request_id)


def service_account(name: str) -> "User":
    """The account in whose name a job, a command or a data migration acts. Nobody can sign in with it."""
    accounts: Any = get_user_model().objects.select_related("person")  # nobody's: `display_name` asks for it
    account, is_new = accounts.get_or_create(username=name, defaults={"is_active": False})
    if is_new:
        account.set_unusable_password()
        account.save()
    found: User = account
    return found
