"""Confirming who one is again, just before an act that must not be done at somebody else's open screen."""

import time
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils.http import urlencode

from trial.drafts import keep_what_was_sent
from trial.sign_in.leading import is_background, way_back

BEGAN = "marrow_began"  # where a session keeps when the person signed in, in seconds since 1970
CONFIRMED_FOR = 10 * 60  # seconds
ASKED = "This needs you to confirm who you are: it was more than ten minutes ago."


def confirmed_recently(request: Any) -> bool:
    """Whether the person signed in, or gave password, code or passkey again, within the last ten minutes.

    In the demo an account that has none of them counts as confirmed.
    """
    if settings.IS_DEMO and not ways_to_confirm(request):
        return True
    moments = [record["at"] for record in get_authentication_records(request, request.user)]
    latest = max([*moments, request.session.get(BEGAN, 0)])
    return bool(time.time() - latest <= CONFIRMED_FOR)


def ask_to_confirm(request: Any) -> HttpResponse:
    """Lead to the page that asks, and back. What was typed is kept; a script gets 403 and the sentence."""
    if is_background(request):
        return JsonResponse({"detail": ASKED}, status=403)
    ways = ways_to_confirm(request)
    if not ways:
        raise PermissionDenied("Sign out and in again to do this: your account has no password to confirm with.")
    is_kept = keep_what_was_sent(request, request.user)
    messages.info(request, f"{ASKED} What you typed is kept for you." if is_kept else ASKED)
    return HttpResponseRedirect(f"{ways[0]['url']}?{urlencode({'next': way_back(request)})}")


def ways_to_confirm(request: Any) -> list[dict[str, str]]:
    """The pages on which this person can confirm who they are: by password, by code or by passkey."""
    return list(get_adapter().get_reauthentication_methods(request.user))
