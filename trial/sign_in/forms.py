"""The forms of signing in, in Marrow's words. What they do is allauth's."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.fields import EmailField, PasswordField, SetPasswordField
from allauth.account.forms import (
    ChangePasswordForm,
    LoginForm,
    PasswordVerificationMixin,
    ReauthenticateForm,
    ResetPasswordForm,
    ResetPasswordKeyForm,
    UserTokenForm,
)
from allauth.core import context
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.base import forms as second_factor
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, AuthenticateWebAuthnForm, EditWebAuthnForm, LoginWebAuthnForm
from django import forms
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.template.loader import render_to_string

from trial.access_record.keeping import record_access
from trial.access_record.models import AccessKind
from trial.models import Person
from trial.people.actions import CannotChange, refuse_known_address
from trial.sign_in.accounts import may_sign_in, open_accounts
from trial.sign_in.factors import first_use
from trial.sign_in.first_administrator import Newcomer
from trial.sign_in.guessing import NOT_A_NAME, lock_out
from trial.sign_in.letters import send_letters
from trial.sign_in.links import LINK_HOURS, password_link
from trial.sign_in.names import checked_user_name, folded
from trial.sign_in.passwords import WANTED


class SignInForm(LoginForm):  # type: ignore[misc]  # allauth has no types
    """User name and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = self.fields["login"]
        name.label = "User name"
        name.widget.attrs |= {"autocapitalize": "none", "spellcheck": "false"}
        self.fields["password"].help_text = ""  # the page itself says what to do about a forgotten one

    def clean_login(self) -> str:
        """The name as it is stored."""
        return folded(self.cleaned_data["login"])


class NewPasswordForm(ResetPasswordKeyForm):  # type: ignore[misc]
    """The password that the holder of a one-time link chooses."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        word_two_passwords(self)


class OwnPasswordForm(ChangePasswordForm):  # type: ignore[misc]
    """A new password for the one of today."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].label = "Your password of today"
        self.fields["oldpassword"].help_text = ""
        word_two_passwords(self)

    def clean_oldpassword(self) -> str:
        """The password of today. A wrong one counts and is on record, as where somebody confirms who they are."""
        old: str = self.cleaned_data["oldpassword"]
        if not get_adapter().reauthenticate(self.user, old):
            raise get_adapter().validation_error("enter_current_password")
        return old


def word_two_passwords(form: Any) -> None:
    """The labels of a new password that is typed twice, and what to know before."""
    form.fields["password1"].label = "New password"
    form.fields["password1"].help_text = WANTED
    form.fields["password2"].label = "The same once more"


class LinkForm(UserTokenForm):  # type: ignore[misc]
    """The key of a one-time link. That of a disabled account opens nothing."""

    def _get_user(self, uidb36: str) -> Any:
        user = super()._get_user(uidb36)
        return user if user is not None and may_sign_in(user) else None


class FirstAdministratorForm(PasswordVerificationMixin, forms.Form):  # type: ignore[misc]
    """Who the first administrator of a study is, and the password they choose."""

    user_name = forms.CharField(
        label="User name",
        help_text="With which you sign in: small letters, digits, '.', '-' and '_', as in ann.lee. It cannot be changed.",
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )
    name = forms.CharField(
        label="Name",
        max_length=Person._meta.get_field("name").max_length,
        help_text="As the audit trail has it.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    organisation = forms.CharField(
        label="Organisation",
        max_length=Person._meta.get_field("organisation").max_length,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    email = EmailField(label="E-mail address at work")
    password1 = SetPasswordField(label="Password", help_text=WANTED)
    password2 = PasswordField(label="The same once more", autocomplete="new-password")

    field_order = ("user_name", "name", "organisation", "email", "password1", "password2")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        typed = self.data
        # What a password must not be like is known only from what is typed beside it.
        password: Any = self.fields["password1"]
        password.user = User(
            username=typed.get("user_name", ""), first_name=typed.get("name", ""), email=typed.get("email", "")
        )

    def clean_user_name(self) -> str:
        """The name as it is stored, if it can be one and is nobody's."""
        return checked_user_name(self.cleaned_data["user_name"])

    def clean_email(self) -> str:
        """The address, if no account has it."""
        email: str = self.cleaned_data["email"]
        try:
            refuse_known_address(email)
        except CannotChange as refusal:
            raise ValidationError(str(refusal)) from refusal
        return email

    def newcomer(self) -> Newcomer:
        """What was typed. Call it on a valid form."""
        typed = self.cleaned_data
        return Newcomer(typed["user_name"], typed["name"], typed["organisation"], typed["email"], typed["password1"])


class ForgottenForm(ResetPasswordForm):  # type: ignore[misc]
    """The e-mail address to which a link may go. What happens takes as long whether or not it is somebody's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = "Your e-mail address at work"

    def clean_email(self) -> str:
        """The address; `self.user` is whose it is, where it is one person's alone."""
        email: str = self.cleaned_data["email"]
        found = list(open_accounts().filter(email__iexact=email)[:2])
        self.user = found[0] if len(found) == 1 else None
        return email

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """Send the link where there is an account, and put on record that it was asked for."""
        nobody = User(pk=0, username=NOT_A_NAME)
        letter = {"link": password_link(self.user or nobody, request), "user": self.user or nobody, "hours": LINK_HOURS}
        text = render_to_string("account/email/password_link.txt", letter)
        send_letters([self.user.email] if self.user else [], "a link to choose a new password", text)
        record_access(
            AccessKind.RESET_ASKED,
            request=request,
            by=self.user or AnonymousUser(),
            person_name=(self.user or nobody).username,
        )
        return self.cleaned_data["email"]


class ConfirmForm(ReauthenticateForm):  # type: ignore[misc]
    """The password, asked again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""


class CodeForm(second_factor.AuthenticateForm):  # type: ignore[misc]
    """The second step of signing in: a code of the app, or one of the recovery codes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        word_code(self, "Code of your app, or a recovery code")

    def clean_code(self) -> str:
        """The code. Refused when it was used before, or after too many wrong ones."""
        with told_of_lock_outs(self.user):
            return used_once(self, super().clean_code())


class ConfirmCodeForm(second_factor.ReauthenticateForm):  # type: ignore[misc]
    """A code, asked again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        word_code(self, "Code of your app, or a recovery code")

    def clean_code(self) -> str:
        """As above."""
        with told_of_lock_outs(self.user):
            return used_once(self, super().clean_code())


def used_once(form: Any, code: str) -> str:
    """The code, where it is used for the first time. allauth spends recovery codes itself."""
    if form.authenticator.type == Authenticator.Type.TOTP and not first_use(form.user, code):
        raise get_adapter().validation_error("incorrect_code")
    return code


@contextmanager
def told_of_lock_outs(user: Any) -> Iterator[None]:
    """Treat too many wrong codes or passkeys as too many wrong passwords are treated."""
    try:
        yield
    except ValidationError as error:
        if error.code == "too_many_login_attempts":
            lock_out(context.request, f"second factor {user.pk}", user.get_username(), user)
        raise


class PasskeySecondForm(AuthenticateWebAuthnForm):  # type: ignore[misc]
    """The second step of signing in with a passkey."""

    def clean_credential(self) -> Any:
        """The passkey. Refused after too many wrong ones."""
        with told_of_lock_outs(self.user):
            return super().clean_credential()


class PasskeySignInForm(LoginWebAuthnForm):  # type: ignore[misc]
    """Signing in with a passkey alone."""

    def clean_credential(self) -> Any:
        """The passkey; that it failed is put on record, nobody knows whose it was."""
        try:
            return super().clean_credential()
        except ValidationError:
            record_access(AccessKind.SIGN_IN_FAILED, request=context.request, person_name="", what="webauthn")
            raise


class AppForm(ActivateTOTPForm):  # type: ignore[misc]
    """The first code of a new authenticator app."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        word_code(self, "Code that the app shows now")

    def clean_code(self) -> str:
        """The code, which signs in to nothing afterwards."""
        code: str = super().clean_code()
        if not first_use(self.user, code):
            raise get_mfa_adapter().validation_error("incorrect_code")
        return code


def word_code(form: Any, label: str) -> None:
    """The label of a code, and the keyboard that a phone shows for it."""
    code = form.fields["code"]
    code.label = label
    code.widget.attrs |= {"inputmode": "numeric", "spellcheck": "false"}


class PasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A new passkey, or a key that is a second factor alone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = "What you call it"
        passwordless = self.fields["passwordless"]
        passwordless.label = "I also want to sign in with it alone, without my password"
        passwordless.help_text = "It then asks for your finger, your face or its own PIN."

    def clean(self) -> Any:
        """The passkey's answer. What cannot be read as one is refused: the library raises whatever its parts do."""
        try:
            return super().clean()
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, struct.error) as error:
            raise get_mfa_adapter().validation_error("incorrect_code") from error


class PasskeyNameForm(EditWebAuthnForm):  # type: ignore[misc]
    """Another name for a passkey."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = "What you call it"
