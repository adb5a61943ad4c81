"""Single sign-on by OpenID Connect: who the hospital's own sign-in vouches for is signed in to the account that they have here.

It never makes an account. Marrow's second factor is asked all the same where the person has one or must have one.
"""

from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.base import AuthError, AuthProcess
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from trial.access_record.keeping import record_access
from trial.access_record.models import AccessKind
from trial.sign_in.accounts import open_accounts

HOW = "single sign-on"  # what the access record calls it
PROVIDER = "oidc"  # the name in the address to which the other side leads back


class SingleSignOn(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """The answers to allauth's questions about single sign-on."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Nobody makes an account by it."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Find the account of whom the other side vouches for, and remember the link. Turn away whom nobody here knows."""
        if sociallogin.state.get("process") != AuthProcess.LOGIN:
            refuse(request, "This was not asked for as a sign-in. Begin again at the sign-in page.")
        told = sociallogin.account.extra_data
        about, token = told.get("userinfo", {}), told.get("id_token", {})
        if about and token and about.get("sub") != token.get("sub"):
            refuse(request, f"{name()} spoke of two different people. Tell the operator of this server.")
        if sociallogin.is_existing:
            return
        user = whose(about or token)
        if user is None:
            refuse(
                request,
                f"{name()} knows you, and Marrow has no one account with the e-mail address that it vouches for. "
                "Ask the administrator of your study which address your account has.",
            )
        sociallogin.connect(request, user)

    def on_authentication_error(self, request: HttpRequest, provider: Any, error: Any = None, **kwargs: Any) -> None:
        """Put on record that the other side did not vouch for anybody; that somebody turned back is nothing."""
        if error != AuthError.CANCELLED:
            record_access(AccessKind.SIGN_IN_FAILED, request=request, person_name="", what=HOW)

    def get_connect_redirect_url(self, request: HttpRequest, socialaccount: Any) -> str:
        """Linking by hand is no page here."""
        return str(settings.LOGIN_URL)


def name() -> str:
    """What the operator calls the other side."""
    assert settings.SINGLE_SIGN_ON is not None
    return str(settings.SINGLE_SIGN_ON["APPS"][0]["name"])


def whose(claims: dict[str, Any]) -> User | None:
    """The one open account of a person with the address that the other side says it verified. None where not exactly one."""
    address = claims.get("email")
    if not address or claims.get("email_verified") not in (True, "true"):  # some providers write it as text
        return None
    found = list(open_accounts().filter(email__iexact=address, person__isnull=False)[:2])
    return found[0] if len(found) == 1 else None


def refuse(request: HttpRequest, said: str) -> None:
    """Turn away with a sentence, and put it on record."""
    record_access(AccessKind.SIGN_IN_FAILED, request=request, person_name="", what=HOW)
    raise ImmediateHttpResponse(failed(request, said, status=403))


def failed(request: HttpRequest, said: str, *, status: int) -> HttpResponse:
    """The page that says why single sign-on did not work, and the other ways."""
    return render(request, "socialaccount/refused.html", {"said": said}, status=status)
