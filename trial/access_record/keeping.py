"""How an access gets on record: one function writes every event, and one remembers whose data a page shows."""

import getpass
import hashlib
import ipaddress
import os
import re
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from trial.access_record.models import AccessedPatient, AccessEvent, AccessKind
from trial.audit.recording import display_name, request_number
from trial.models import Membership, Patient, Study


class NotDeclared(RuntimeError):
    """A page showed something of a study and did not say of which patients."""


def shows(request: Any, patients: Iterable[Patient | int]) -> None:
    """Say whose data the answer to this request shows. A page may say it several times; the patients add up."""
    http: Any = plain(request)
    shown: set[int] = http.__dict__.setdefault("marrow_shown", set())
    shown.update(patient if isinstance(patient, int) else patient.pk for patient in patients)


def has_said(request: Any) -> bool:
    """Whether anybody said whose data the answer shows."""
    return "marrow_shown" in plain(request).__dict__


def shown_by(request: Any) -> set[int]:
    """The keys of the patients that the answer shows. Raise `NotDeclared` when nobody said."""
    shown: set[int] | None = plain(request).__dict__.get("marrow_shown")
    if shown is None:
        raise NotDeclared("This page does not say whose data it shows. Call `shows(request, patients)` in its view.")
    return shown


def takes_away(request: Any, **details: str) -> None:
    """Say that the answer to this request leaves as a file. `details` are text columns of `AccessEvent`: purpose, recipient ..."""
    plain(request).__dict__["marrow_taken"] = details


def taken_by(request: Any) -> dict[str, str] | None:
    """What was said of the file that leaves; None where the answer is a page to read."""
    taken: dict[str, str] | None = plain(request).__dict__.get("marrow_taken")
    return taken


def record_access(
    kind: AccessKind,
    *,
    request: Any = None,
    by: Any = None,
    membership: Membership | None = None,
    study: Study | None = None,
    patients: Iterable[int] = (),
    channel: str = "",
    **details: str,
) -> AccessEvent:
    """Write one event of access, with the patients whose data it showed; `details` are text columns of `AccessEvent`.

    The person is `by`, else whoever sent the request. Texts are cut to their columns: an event is never refused for them.
    """
    person = by if by is not None else getattr(request, "user", None)
    if person is not None and not person.is_authenticated:
        person = None
    details.setdefault("person_name", display_name(person) if person is not None else "")
    if request is not None:
        details.setdefault("request_id", request_number())
        details["session"] = session_digest(request)
        details["token"] = getattr(getattr(request, "auth", None), "name", "")
        channel = channel or ("api" if hasattr(request, "_request") else "page")
    if membership is not None:
        details |= {"role": membership.role, "organisation": membership.person.organisation}
    fitting = {name: text[: AccessEvent._meta.get_field(name).max_length] for name, text in details.items()}  # type: ignore[union-attr]
    with transaction.atomic():
        event = AccessEvent.objects.create(
            kind=kind,
            by=person,
            study=study,
            channel=channel or "command",
            address=client_address(request) if request is not None else None,
            **fitting,
        )
        AccessedPatient.objects.bulk_create(
            AccessedPatient(event=event, patient_id=key) for key in sorted(set(patients))
        )
    return event


def operating_system_user() -> str:
    """The account of the machine that runs a command, by its number: LOGNAME and USER are whatever somebody set them to."""
    try:
        import pwd  # here and not above: Windows has none
    except ImportError:
        return f"{getpass.getuser()} (on the server)"
    number = os.getuid()
    try:
        return f"{pwd.getpwuid(number).pw_name} (on the server)"
    except KeyError:
        return f"user {number} (on the server)"


def plain(request: Any) -> HttpRequest:
    """Django's request, also where DRF has wrapped it."""
    http: HttpRequest = getattr(request, "_request", request)
    return http


def client_address(request: Any) -> str | None:
    """The address that the request came from. What the sender says of itself counts only behind a proxy of ours."""
    meta = plain(request).META
    sender = read_address(str(meta.get("REMOTE_ADDR", "")))
    if settings.BEHIND_PROXY:
        # The last one: our proxy wrote it. Those before it are the sender's own words.
        return read_address(str(meta.get("HTTP_X_FORWARDED_FOR", "")).rsplit(",", 1)[-1].strip()) or sender
    return sender


def read_address(text: str) -> str | None:
    """The address in its one spelling, without a port, brackets or a zone: `[2001:DB8::7]:443`. None where it is none."""
    with_more = re.fullmatch(r"\[([^\]]*)\](?::[0-9]+)?|([0-9.]+):[0-9]+", text)
    bare = (with_more[1] or with_more[2] or "") if with_more else text
    try:
        address = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def network_of(address: str | None) -> str:
    """What limits are counted by: an IPv4 address, or the /64 of an IPv6 one, all of which one subscriber can use."""
    if address is None or ":" not in address:
        return str(address)
    return str(ipaddress.IPv6Network(f"{address}/64", strict=False))


def session_digest(request: Any) -> str:
    """A short digest of the session's key: the same for all that one session did, and of no use to a thief."""
    key = getattr(getattr(plain(request), "session", None), "session_key", None)
    return hashlib.blake2s(key.encode(), digest_size=8).hexdigest() if key else ""
