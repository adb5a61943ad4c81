"""Second factors: their secrets are kept encrypted, and a code counts once, whichever process it is sent to."""

import base64
import hashlib
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.utils.encoding import force_bytes


class SecondFactors(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """The answers to allauth's questions about second factors."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "cannot_generate_recovery_codes": "Add an app or a passkey first: recovery codes only stand in for one.",
        "incorrect_code": "This code is not right, or was used before. Wait for the next one and type that.",
    }

    def encrypt(self, text: str) -> str:
        """The secret of an app, or the seed of recovery codes, as the database keeps it."""
        return keys().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """What `encrypt` was given. Raise `PermissionDenied` where the key of this install is another one now."""
        try:
            return keys().decrypt(encrypted_text.encode()).decode()
        except InvalidToken as error:
            raise PermissionDenied(
                "Your second factor cannot be read: the secret key of this server was changed. "
                "Ask the administrator of your study to take it away, then add a new one."
            ) from error

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        """What a new passkey is called until its owner says otherwise."""
        number = user.authenticator_set.filter(type=type).count() + 1
        return "Passkey" if number == 1 else f"Passkey {number}"

    def _get_user_identifier(self, user: Any) -> str:
        """What the app and the passkey show: the name one signs in with, not the e-mail address."""
        return str(user.get_username())


def keys() -> MultiFernet:
    """The key of this install for these secrets, and those of `SECRET_KEY_FALLBACKS` to read what they wrote."""
    return MultiFernet([Fernet(derived(key)) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def derived(secret_key: str | bytes) -> bytes:
    """A key for second factors alone: whoever learns another signature of the secret key learns nothing of it."""
    return base64.urlsafe_b64encode(
        hashlib.blake2b(force_bytes(secret_key), digest_size=32, person=b"marrow.factor").digest()
    )


def first_use(user: Any, code: str) -> bool:
    """Whether the code of this person's app is used for the first time. All workers share the memory of it.

    It is kept for as long as the app's clock may be off: allauth itself remembers a code for one step only.
    """
    seconds = settings.MFA_TOTP_PERIOD * (2 * settings.MFA_TOTP_TOLERANCE + 1)
    digits = "".join(filter(str.isdigit, code))
    return bool(cache.add(f"marrow.code.{user.pk}.{digits}", "used", timeout=seconds))
