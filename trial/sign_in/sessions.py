"""When a session ends by itself: idle, too old, or begun with rights that have changed. And who must add a second factor first.

Nothing here trusts what happened elsewhere: each request of a session is held against the clock and the database.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from allauth.account.signals import password_changed, password_set
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.contrib.auth.views import redirect_to_login
from django.core.signing import BadSignature, Signer
from django.db.models import QuerySet
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from trial.access import Permission
from trial.access_record.keeping import record_access
from trial.access_record.models import AccessKind
from trial.drafts import keep_what_was_sent
from trial.sign_in.confirmation import BEGAN
from trial.sign_in.leading import is_background, way_back
from trial.sign_in.rights import Rights, read_rights, rights_of

SEEN, RIGHTS = "marrow_seen", "marrow_rights"  # what a session keeps beside when it began
SEEN_COOKIE = f"{settings.SESSION_COOKIE_NAME}-seen"
SAME_SITE: Any = settings.SESSION_COOKIE_SAMESITE
ACCOUNTS = "django.contrib.auth.backends.ModelBackend"  # the backend of an account that is in the database
WRITE_SEEN_AFTER = 60  # seconds: the database hears of an active session once a minute
BACKGROUND = "Sign in first. This was asked in the background, so you are not led to the sign-in page."


class Ended(NamedTuple):
    """A session that ended with this request: whose it was, and why."""

    user: User
    because: str

    @property
    def said(self) -> str:
        """The sentence for the person."""
        return f"You were signed out because {self.because}."


class SessionLimits:
    """Middleware that ends sessions. Stands behind Django's AuthenticationMiddleware and before LoginRequiredMiddleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        user_id = request.session.get(SESSION_KEY)
        if user_id is not None:
            # Before anything looks at `request.user`: Django would empty the session without a word.
            request.marrow_rights = read_rights(user_id)
            because = reason_to_end(request, request.marrow_rights)
            if because:
                request.marrow_ended = end(request, user_id, because)
            else:
                spare_a_reading(request, request.marrow_rights.account)
            if not because and not is_background(request):
                note_seen(request)  # one request a page, so that those beside it cannot write an older session back
        response = self.get_response(request)
        if hasattr(request, "marrow_changed_own_rights") and request.user.is_authenticated:
            request.session[RIGHTS] = rights_of(request.user)
        if request.session.get(SESSION_KEY) is not None:
            give_seen_cookie(request, response)
        elif SEEN_COOKIE in request.COOKIES:
            response.delete_cookie(SEEN_COOKIE, samesite=SAME_SITE)
        return response

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Answer what an ended session asked for, and lead who must add a second factor there. None lets the view answer."""
        if declared(view, "login_required") is False:
            # Open to everybody, or of the API, which answers for itself.
            is_open = declared(view, "permission") is None
            return None if is_open or hasattr(request, "marrow_ended") else second_factor_missing(request, view)
        ended: Ended | None = getattr(request, "marrow_ended", None)
        if ended:
            return after_the_end(request, view, ended)
        if request.session.get(SESSION_KEY) is None and is_background(request):
            return JsonResponse({"detail": BACKGROUND}, status=401, headers={"WWW-Authenticate": "Token"})
        return second_factor_missing(request, view)


def reason_to_end(request: Any, rights: Rights) -> str:
    """Why this session must end now, after the word "because"; empty when it may go on."""
    session, now = request.session, time.time()
    if session.get(RIGHTS) != rights.fingerprint:
        return "your password, second factor, roles or account changed"
    if now - last_seen(request) > settings.IDLE_MINUTES * 60:
        return f"nothing was done for {settings.IDLE_MINUTES} minutes"
    if now - session[BEGAN] > settings.SESSION_HOURS * 3600:
        return f"a session lasts {settings.SESSION_HOURS} hours at most"
    return ""


def spare_a_reading(request: Any, account: User | None) -> None:
    """Give Django the account that was read with its rights, where Django would accept the session; else Django decides."""
    session = request.session
    given = session.get(HASH_SESSION_KEY) or ""
    if account is None or not account.is_active or session.get(BACKEND_SESSION_KEY) != ACCOUNTS:
        return
    if constant_time_compare(given, account.get_session_auth_hash()):
        request._cached_user = account


def last_seen(request: Any) -> float:
    """When this session last asked for anything, in seconds since 1970.

    The database is told once a minute; the minute in between is in a signed cookie, which only this session can use.
    """
    stored: float = request.session[SEEN]
    try:
        told = float(signer(request).unsign(request.COOKIES.get(SEEN_COOKIE, "")))
    except BadSignature:  # none, or another session's
        return stored
    return max(stored, told)


def signer(request: Any) -> Signer:
    """Signs for this session alone."""
    return Signer(salt=f"marrow.seen.{request.session.session_key}")


def note_seen(request: Any) -> None:
    """Tell the database that the session is in use, unless it was told within the last minute."""
    now = time.time()
    if now - request.session[SEEN] >= WRITE_SEEN_AFTER:
        request.session[SEEN] = now
        UserSession.objects.filter(session_key=request.session.session_key).update(last_seen_at=timezone.now())


def give_seen_cookie(request: Any, response: HttpResponse) -> None:
    """Put the moment of this request into the browser, signed."""
    response.set_cookie(
        SEEN_COOKIE,
        signer(request).sign(f"{time.time():.3f}"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite=SAME_SITE,
    )


def end(request: Any, user_id: Any, because: str) -> Ended:
    """Put the end on the access record and empty the session."""
    user = User.objects.get(pk=user_id)
    record_access(AccessKind.SESSION_ENDED, request=request, by=user, what=because)
    UserSession.objects.filter(session_key=request.session.session_key).delete()
    request.session.flush()
    return Ended(user, because)


def after_the_end(request: Any, view: Any, ended: Ended) -> HttpResponse:
    """Keep what was typed, and lead to the sign-in page, from which one comes back. A script gets 401 and the sentence."""
    is_kept = not is_of_own_account(view) and keep_what_was_sent(request, ended.user)
    said = f"{ended.said} What you typed is kept for you." if is_kept else ended.said
    if is_background(request):
        return JsonResponse({"detail": said}, status=401, headers={"WWW-Authenticate": "Token"})
    back = way_back(request)
    messages.warning(request, f"{said} Sign in again to go on at {back}.")
    return redirect_to_login(back)


def second_factor_missing(request: Any, view: Any) -> HttpResponse | None:
    """Lead who has no second factor to the page that adds one, where one is required. Their own account stays open to them."""
    rights: Rights | None = getattr(request, "marrow_rights", None)
    required = settings.SECOND_FACTOR == "required"
    if rights is None or rights.has_second_factor or not required or is_of_own_account(view):
        return None
    said = "A second factor is required here, and your account has none yet. Add one to go on."
    if is_background(request) or hasattr(view, "cls"):
        return JsonResponse({"detail": said}, status=403)
    messages.warning(request, said)
    return redirect("mfa_index")


def is_of_own_account(view: Any) -> bool:
    """Whether this is a page about the person's own account: passwords and codes are typed there."""
    return bool(declared(view, "permission") == Permission.ACCOUNT_OWN)


def declared(view: Any, name: str) -> Any:
    """What a view, or the class that it was made from, says of itself; True where it says nothing."""
    made_from = getattr(view, "view_class", None) or getattr(view, "cls", None)
    return getattr(view, name, getattr(made_from, name, True))


def open_sessions(user: User) -> QuerySet[UserSession]:
    """The sessions of this person that have not reached a limit, to the minute."""
    now = timezone.now()
    return UserSession.objects.filter(
        user=user,
        created_at__gte=now - timedelta(hours=settings.SESSION_HOURS),
        last_seen_at__gte=now - timedelta(minutes=settings.IDLE_MINUTES + 1),
    )


@receiver(user_logged_in)
def begin(request: Any, user: User, **kwargs: Any) -> None:
    """Write into a new session when it began and with which rights."""
    request.session[BEGAN] = request.session[SEEN] = time.time()
    request.session[RIGHTS] = rights_of(user)


@receiver([password_changed, password_set, authenticator_added, authenticator_removed, authenticator_reset])
def changed_own_rights(request: Any, user: User, **kwargs: Any) -> None:
    """Whoever changes their own password or second factor keeps the session in which they do it, and no other."""
    if request.user.pk == user.pk:
        # Noted here and read at the end of the request: recovery codes may be made after the signal.
        request.marrow_changed_own_rights = True
