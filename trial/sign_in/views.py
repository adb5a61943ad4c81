"""Signing in, the overview of one's own account, and the one-click roles of the demo."""

import logging
from http import HTTPStatus
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from allauth.account.utils import get_next_redirect_url
from allauth.account.views import LoginView, PasswordChangeView, PasswordResetFromKeyView, PasswordResetView
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import get_adapter as get_social_adapter
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.views import callback
from allauth.usersessions.views import ListUserSessionsView
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from trial.access import StaffRequest, memberships_of, open_to_everybody, requires_sign_in
from trial.models import Membership, Person, Role
from trial.sign_in.first_administrator import NoInvitation, appoint, read_invitation
from trial.sign_in.forms import FirstAdministratorForm
from trial.sign_in.sessions import open_sessions
from trial.sign_in.single_sign_on import PROVIDER, failed

logger = logging.getLogger(__name__)

ROLE_BEGINS = {
    Role.COORDINATOR: "The forms of the patients at one site.",
    Role.INVESTIGATOR: "The forms of the patients at one site.",
    Role.MONITOR: "Every change at every site: who, when, old, new, why.",
    Role.DATA_MANAGER: "Every change, every form, and the datasets.",
    Role.SAFETY_PHYSICIAN: "The patients of all sites and their adverse events.",
    Role.STATISTICIAN: "The report, and the datasets behind it.",
    Role.INSPECTOR: "How a number came about: from the report to the form and its history.",
    Role.ADMINISTRATOR: "The people, their roles and accounts. No patient data.",
}


def demo_accounts() -> list[Membership]:
    """One membership of each role in the synthetic study, in the order of the roles. Empty outside the demo."""
    if not settings.IS_DEMO:
        return []
    first: dict[str, Membership] = {}
    synthetic = Membership.objects.filter(
        study__is_synthetic=True, person__is_active=True, person__user__is_active=True
    )
    for membership in synthetic.select_related("person__user", "site").order_by("pk"):
        first.setdefault(membership.role, membership)
    return [first[role] for role in Role if role in first]


class SignIn(LoginView):  # type: ignore[misc]  # allauth has no types
    """Name and password, or a passkey; in the demo, one button a role."""

    template_name = "trial/sign_in.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What allauth gives, and the roles of the demo."""
        accounts = [(account, ROLE_BEGINS[Role(account.role)]) for account in demo_accounts()]
        other = settings.SINGLE_SIGN_ON and settings.SINGLE_SIGN_ON["APPS"][0]["name"]
        return super().get_context_data(accounts=accounts, other_sign_in=other, **kwargs)


sign_in = open_to_everybody(SignIn.as_view())


@open_to_everybody
@require_POST
def sign_in_as(request: HttpRequest) -> HttpResponse:
    """Sign in as the person of one role of the demo. Anywhere else this page is missing."""
    role = request.POST.get("role", "")
    account = next((account for account in demo_accounts() if account.role == role), None)
    if account is None:
        raise Http404("There is no such role to try here.")
    login = Login(user=account.person.user, redirect_url=get_next_redirect_url(request))
    response: HttpResponse = perform_login(request, login)
    return response


@open_to_everybody
@require_POST
def single_sign_on(request: HttpRequest) -> HttpResponse:
    """Lead to the other side's sign-in. Missing where no other side is configured."""
    if settings.SINGLE_SIGN_ON is None:
        raise Http404("There is no other sign-in here.")
    provider = get_social_adapter().get_provider(request, PROVIDER)
    try:
        answer = provider.redirect(request, process=AuthProcess.LOGIN, next_url=get_next_redirect_url(request))
    except (OSError, OAuth2Error, KeyError, ValueError):  # OSError: also whatever goes wrong on the way
        logger.exception("The sign-in of MARROW_OIDC_ISSUER does not answer as OpenID Connect has it.")
        return failed(request, f"{provider.name} does not answer. Sign in with your password, or later.", status=503)
    if answer.status_code != HTTPStatus.FOUND:
        return answer
    return render(request, "socialaccount/leaving.html", {"name": provider.name, "address": answer["Location"]})


@open_to_everybody
def single_sign_on_back(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Where the other side leads back to, with what it says of the person."""
    try:
        answer: HttpResponse = callback(request, provider_id)
    except (KeyError, ValueError):
        logger.exception("The sign-in of MARROW_OIDC_ISSUER said something that OpenID Connect does not have.")
        return failed(request, "The other sign-in said something that Marrow does not understand.", status=503)
    return answer


@open_to_everybody
def single_sign_on_cancelled(request: HttpRequest) -> HttpResponse:
    """Back to the sign-in page, without a word: the person turned back themselves."""
    return redirect("account_login")


@open_to_everybody
@sensitive_post_parameters("password1", "password2")
def first_administrator(request: HttpRequest, token: str) -> HttpResponse:
    """Become the first administrator of a study, at the address that `manage.py first_administrator` printed."""
    today = timezone.now().date()
    form = FirstAdministratorForm(request.POST if request.method == "POST" else None)
    try:
        invitation = read_invitation(token, today)
        if not form.is_valid():
            return render(request, "account/first_administrator.html", {"form": form, "invitation": invitation})
        user = appoint(token, form.newcomer(), request=request, today=today)
    except NoInvitation as refusal:
        raise Http404(str(refusal)) from refusal
    record_authentication(request, user, method="password")
    answer: HttpResponse = perform_login(request, Login(user=user, redirect_url=reverse("mfa_index")))
    return answer


class Forgotten(PasswordResetView):  # type: ignore[misc]
    """A link by mail to choose a new password. Without a mail server: whom to ask."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Send the link, where there is a mail server to send it."""
        if not settings.HAS_MAIL:
            raise Http404("This server sends no mail. Ask the administrator of your study for a link.")
        answer: HttpResponse = super().post(request, *args, **kwargs)
        return answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What allauth gives, and whether letters can be sent."""
        return super().get_context_data(has_mail=settings.HAS_MAIL, **kwargs)


forgotten = open_to_everybody(Forgotten.as_view())


class PasswordFromLink(PasswordResetFromKeyView):  # type: ignore[misc]
    """The page of a one-time link. Whoever is signed in to another account stays so: a link must not sign anybody out."""

    def logout(self) -> None:
        """Called where the link is another account's. Allauth would sign out here, on a mere GET."""
        raise PermissionDenied(
            "This link is for another account than the one you are signed in to. Sign out, then open it again."
        )


password_from_link = open_to_everybody(PasswordFromLink.as_view())


class ChangePassword(PasswordChangeView):  # type: ignore[misc]
    """A new password for the one of today. Whoever has none has nothing to give for it, and needs a link."""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Lead an account without a password back, with a sentence."""
        if not request.user.has_usable_password():
            said = "You have no password. The administrator of your study can make a link at which you choose one."
            get_adapter().add_message(request, messages.INFO, message=said)
            return redirect("account")
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return answer


change_password = requires_sign_in(ChangePassword.as_view())


class Sessions(ListUserSessionsView):  # type: ignore[misc]  # allauth has no types
    """Where one is signed in: the sessions that still hold, not those that a limit has ended."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        held = list(open_sessions(self.request.user).order_by("created_at"))
        return super().get_context_data(**kwargs) | {"sessions": held, "session_count": len(held)}


sessions = requires_sign_in(Sessions.as_view())


@requires_sign_in
def account(request: StaffRequest) -> HttpResponse:
    """Who one is here, in which roles, and how one signs in."""
    factors = list(Authenticator.objects.filter(user=request.user))
    kinds = [factor.type for factor in factors]
    context = {
        "memberships": memberships_of(request.user).select_related("study", "site", "person").order_by("study", "pk"),
        "has_app": Authenticator.Type.TOTP in kinds,
        "passkeys": kinds.count(Authenticator.Type.WEBAUTHN),
        "unused_codes": next(
            (len(one.wrap().get_unused_codes()) for one in factors if one.type == Authenticator.Type.RECOVERY_CODES), 0
        ),
        "sessions": open_sessions(request.user).count(),
        "needs_factor": settings.SECOND_FACTOR == "required",
        "person": Person.objects.filter(user=request.user).first(),
    }
    return render(request, "account/overview.html", context)
