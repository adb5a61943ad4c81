"""One-time addresses: who opens one chooses a password. Nobody else ever knows it."""

import secrets
from typing import Any

from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse

from trial.sign_in.rights import rights_of

LINK_HOURS = settings.PASSWORD_RESET_TIMEOUT // 3600


class LinkKeys(PasswordResetTokenGenerator):
    """The keys of one-time links. One ends with its use, a sign-in, a newer one, or a change of what the person may do.

    Which one is the newest is in the cache that all workers share. Where that forgets it, the link ends too early, never late.
    """

    def make_token(self, user: Any) -> str:
        """A key, which ends all earlier ones of this person."""
        cache.delete(newest(user))  # so that the work is the same whether or not there was an earlier one
        cache.set(newest(user), secrets.token_hex(16), timeout=settings.PASSWORD_RESET_TIMEOUT)
        return super().make_token(user)

    def check_token(self, user: Any, token: str | None) -> bool:
        """Whether this key is the newest of the person, and nothing ended it."""
        return cache.get(newest(user)) is not None and super().check_token(user, token)

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)} {rights_of(user)} {cache.get(newest(user))}"


def newest(user: Any) -> str:
    """Under which name the cache holds what tells the newest key of this person from earlier ones."""
    return f"marrow.link.{user.pk}"


def password_link(user: Any, request: HttpRequest | None = None) -> str:
    """The address at which this person sets a password: good once, for `LINK_HOURS`, until they sign in or get another.

    It is whole where the name of this server is known, else it begins with a slash.
    """
    key = {"uidb36": user_pk_to_url_str(user), "key": LinkKeys().make_token(user)}
    return address_of(reverse("account_reset_password_from_key", kwargs=key), request)


def address_of(path: str, request: HttpRequest | None = None) -> str:
    """The path as one types it into a browser elsewhere: with the host of the request, else with the one of this install."""
    if request is not None:
        return request.build_absolute_uri(path)
    if settings.IS_PRODUCTION and not settings.ALLOWED_HOSTS[0].startswith("."):
        return f"https://{settings.ALLOWED_HOSTS[0]}{path}"
    return path
