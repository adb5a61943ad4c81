"""Where browsers report what the content security policy stopped. Kept: how often, which directive, on which page.

A report holds the address and a piece of the page, so a patient's data can be in it: none of that is kept or logged.
"""

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.core.cache import cache
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from trial.access import open_to_everybody

logger = logging.getLogger(__name__)

MOST_BYTES = 16_384
MOST_A_MINUTE = 60  # of all browsers together: nobody is signed in here, and each report is a write
DIRECTIVES = frozenset(
    "base-uri connect-src default-src fenced-frame-src font-src form-action frame-ancestors frame-src img-src manifest-src "
    "media-src object-src script-src script-src-attr script-src-elem style-src style-src-attr style-src-elem worker-src".split()
)


@open_to_everybody
@csrf_exempt  # a browser sends reports without a token; nothing of a study is read or written
@require_POST
def take_report(request: HttpRequest) -> HttpResponse:
    """Count what was stopped; the log gets the first of an hour, the tenth, the hundredth ..."""
    if len(request.body) > MOST_BYTES:
        raise BadRequest(f"A report may have {MOST_BYTES} bytes at most.")
    for directive, page in sorted(set(violations(request.body))):
        if not may_count():
            break
        seen = count(f"csp-{timezone.now():%Y-%m-%dT%H}-{directive}-{page}", seconds=3600)
        if str(seen).strip("0") == "1":
            logger.warning("The content security policy stopped %s on page %s: %d this hour.", directive, page, seen)
    return HttpResponse(status=204)


def violations(body: bytes) -> Iterator[tuple[str, str]]:
    """(directive, name of the page) of each violation in a report, in the old form or the new one."""
    try:
        sent: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest("A report is JSON, and this is not.") from error
    for report in sent if isinstance(sent, list) else [sent]:
        if not isinstance(report, dict):
            continue
        if isinstance(old := report.get("csp-report"), dict):
            yield known(old.get("effective-directive") or old.get("violated-directive"), old.get("document-uri"))
        elif report.get("type") == "csp-violation" and isinstance(new := report.get("body"), dict):
            yield known(new.get("effectiveDirective"), new.get("documentURL"))


def known(directive: Any, address: Any) -> tuple[str, str]:
    """The directive and the page by their own names: what a sender made up becomes `unknown`."""
    try:
        page = resolve(urlsplit(str(address)).path).url_name or "unknown"
    except (Resolver404, ValueError):
        page = "unknown"
    return (str(directive) if str(directive) in DIRECTIVES else "unknown"), page


def may_count() -> bool:
    """Whether this minute has room for another report."""
    key = f"csp-{timezone.now():%Y-%m-%dT%H:%M}"
    return int(cache.get(key, 0)) < MOST_A_MINUTE and count(key, seconds=60) <= MOST_A_MINUTE


def count(key: str, *, seconds: int) -> int:
    """One more under this key. Two at the same moment may count as one: these are not the records of anything."""
    seen = int(cache.get(key, 0)) + 1
    cache.set(key, seen, timeout=seconds)
    return seen
