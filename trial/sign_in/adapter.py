"""What Marrow decides where allauth asks: no sign-up, its own words, its own view of the sender's address."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import clear_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from trial.access_record.keeping import client_address, record_access
from trial.access_record.models import AccessKind
from trial.sign_in.accounts import may_sign_in
from trial.sign_in.confirmation import confirmed_recently
from trial.sign_in.guessing import TooMany, account_called, count_attempt, lock_out, typed_name


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """The answers to allauth's questions about accounts."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "account_inactive": "This account is closed. Ask the administrator of your study.",
        "enter_current_password": "This is not your password of today. Type it again; capitals count.",
        "incorrect_code": "This code is not right, or was used before. Wait for the next one and type that.",
        "incorrect_password": "This is not your password. Type it again; capitals count.",
        "invalid_password_reset": "This link was used before, is too old, or was ended by a newer one. Ask for a new one.",
        "rate_limited": "There were too many attempts. Wait five minutes, then try again.",
        "too_many_login_attempts": "There were too many attempts. Wait five minutes, then try again.",
        "username_password_mismatch": "The name and the password do not belong together. Check both; capitals count.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody makes their own account."""
        return False

    def pre_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse | None:
        """Turn away whose account or person was disabled, by whatever way they came: all ways lead through here."""
        if not may_sign_in(user):
            record_access(AccessKind.SIGN_IN_FAILED, request=request, by=user, what="closed")
            clear_login(request)
            return self.respond_user_inactive(request, user)
        return None

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the attempt before the password is looked at; `authenticate` takes it back when it was right."""
        name = credentials["username"]
        try:
            self._login_failed_rl_usage = count_attempt(request, name)
        except TooMany as too_many:
            lock_out(request, str(too_many), name, account_called(name))
            raise self.validation_error("too_many_login_attempts") from too_many

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Put a wrong password on record: at the sign-in page, or where somebody signed in confirms who they are."""
        name = credentials["username"]
        what = "confirming" if request.user.is_authenticated else ""
        record_access(
            AccessKind.SIGN_IN_FAILED,
            request=request,
            by=account_called(name),
            person_name=typed_name(name),
            what=what,
        )

    def logout(self, request: HttpRequest) -> None:
        """End the session that asks, and put it on record while it is still known whose it is."""
        record_access(AccessKind.SIGNED_OUT, request=request)
        super().logout(request)

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that guessing is counted by: what the sender says of itself counts only behind a proxy of ours."""
        address = client_address(request)
        if address is None:
            raise PermissionDenied("The address of the sender is not known. Tell the operator of this server.")
        return address

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Whether to ask who it is before a second factor changes: by the same minutes as before any other such act."""
        return not confirmed_recently(self.request)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, str]]:
        """The ways in which this person can confirm who they are, as one says it after "Or with"."""
        words = {
            "reauthenticate": "your password",
            "mfa_reauthenticate": "a code",
            "mfa_reauthenticate:webauthn": "a passkey",
        }
        return [way | {"description": words[way["id"]]} for way in super().get_reauthentication_methods(user)]

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """After a change of password: the overview."""
        return reverse("account")

    def is_ajax(self, request: HttpRequest) -> bool:
        """Whether a script asks. One page has something for it: the question that a passkey answers."""
        match = request.resolver_match
        is_the_question = match is not None and match.url_name == "mfa_login_webauthn" and request.method == "GET"
        return is_the_question and request.headers.get("Accept") == "application/json"
