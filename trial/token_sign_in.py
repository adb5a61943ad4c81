"""How an API token signs a person in. Apart from `trial/api.py`, which DRF cannot load before it knows this class."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from trial.access_record.keeping import plain, record_access
from trial.access_record.models import AccessKind
from trial.models import ApiToken
from trial.token_actions import why_ended


class TokenEnded(AuthenticationFailed):
    """The token is one of ours and not good any more."""

    def __init__(self, token: ApiToken, because: str) -> None:
        super().__init__(f"This token has ended: {because}. Make another one under 'Your account'.")
        self.token, self.because = token, because


class TokenSignIn(TokenAuthentication):  # type: ignore[misc]  # knox has no types
    """`Authorization: Token marrow_...`. The person is signed in with the one role and study of the token."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        """Who calls, or None where no token was sent. One that is not good is on record: with its owner, where it has one."""
        try:
            found: tuple[Any, ApiToken] | None = super().authenticate(request)
        except TokenEnded as ended:
            token = ended.token
            keep_failure(
                request,
                f"API token {token.name}: {ended.because}",
                by=token.user,
                study=token.study,
                role=token.role,
            )
            raise
        except AuthenticationFailed:
            keep_failure(request, "API token not known", by=AnonymousUser())
            raise
        return found

    def authenticate_credentials(self, token: bytes) -> tuple[Any, ApiToken]:
        """The person and the token. What no token can be is refused like an unknown one."""
        if not token.isascii():
            raise AuthenticationFailed("This token is not known here.")
        try:
            user, found = super().authenticate_credentials(token)
        except AuthenticationFailed as error:
            raise AuthenticationFailed("This token is not known here, or was revoked.") from error
        if because := why_ended(found):
            raise TokenEnded(found, because)
        return user, found

    def validate_user(self, auth_token: ApiToken) -> tuple[Any, ApiToken]:
        """The person whose scope is that of the token. `why_ended` looks whether they may still come in."""
        auth_token.user.token_scope = auth_token.scope
        return auth_token.user, auth_token

    def _cleanup_token(self, auth_token: ApiToken) -> bool:
        """Expired tokens stay until they are revoked, so that the list of tokens can say what became of them."""
        return False


def keep_failure(request: Request, what: str, **known: Any) -> None:
    """Put on record that a call brought a token which is not good. Never what was sent.

    It is given the plain request: DRF's would ask once more who calls.
    """
    record_access(AccessKind.SIGN_IN_FAILED, request=plain(request), page="token", channel="api", what=what, **known)
