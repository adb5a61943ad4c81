"""The pages of signing in: those of allauth's that Marrow wants, under allauth's names, each with who may open it."""

from allauth.account import views as allauth
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as app
from allauth.mfa.webauthn import views as passkeys
from django.urls import path, re_path
from django.views.decorators.http import require_POST

from trial.access import open_to_everybody, requires_sign_in
from trial.sign_in import views

KEY = r"(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)"

urlpatterns = [
    path("sign-in/", views.sign_in, name="account_login"),
    path("sign-in/as/", views.sign_in_as, name="sign-in-as"),
    path("sign-in/second-step/", open_to_everybody(factors.authenticate), name="mfa_authenticate"),
    path("sign-in/passkey/", open_to_everybody(passkeys.login_webauthn), name="mfa_login_webauthn"),
    path("sign-in/with/", views.single_sign_on, name="single-sign-on"),
    path("sign-in/with/<str:provider_id>/back/", views.single_sign_on_back, name="openid_connect_callback"),
    path("sign-in/with/nobody/", views.single_sign_on_cancelled, name="socialaccount_login_cancelled"),
    path("sign-in/closed/", open_to_everybody(allauth.account_inactive), name="account_inactive"),
    path("sign-in/forgotten/", views.forgotten, name="account_reset_password"),
    path("sign-in/forgotten/sent/", open_to_everybody(allauth.password_reset_done), name="account_reset_password_done"),
    path(
        "sign-in/link/done/",
        open_to_everybody(allauth.password_reset_from_key_done),
        name="account_reset_password_from_key_done",
    ),
    re_path(f"^sign-in/link/{KEY}/$", views.password_from_link, name="account_reset_password_from_key"),
    path("sign-in/first/<str:token>/", views.first_administrator, name="first-administrator"),
    path("sign-out/", open_to_everybody(require_POST(allauth.logout)), name="account_logout"),
    path("account/", views.account, name="account"),
    path("account/password/", views.change_password, name="account_change_password"),
    path("account/confirm/", requires_sign_in(allauth.reauthenticate), name="account_reauthenticate"),
    path("account/confirm/code/", requires_sign_in(factors.reauthenticate), name="mfa_reauthenticate"),
    path(
        "account/confirm/passkey/",
        requires_sign_in(passkeys.reauthenticate_webauthn),
        name="mfa_reauthenticate_webauthn",
    ),
    path("account/second-factor/", requires_sign_in(factors.index), name="mfa_index"),
    path("account/second-factor/app/add/", requires_sign_in(app.activate_totp), name="mfa_activate_totp"),
    path("account/second-factor/app/remove/", requires_sign_in(app.deactivate_totp), name="mfa_deactivate_totp"),
    path("account/second-factor/passkeys/", requires_sign_in(passkeys.list_webauthn), name="mfa_list_webauthn"),
    path("account/second-factor/passkeys/add/", requires_sign_in(passkeys.add_webauthn), name="mfa_add_webauthn"),
    path(
        "account/second-factor/passkeys/<int:pk>/name/",
        requires_sign_in(passkeys.edit_webauthn),
        name="mfa_edit_webauthn",
    ),
    path(
        "account/second-factor/passkeys/<int:pk>/remove/",
        requires_sign_in(passkeys.remove_webauthn),
        name="mfa_remove_webauthn",
    ),
    path(
        "account/second-factor/recovery-codes/",
        requires_sign_in(recovery_codes.view_recovery_codes),
        name="mfa_view_recovery_codes",
    ),
    path(
        "account/second-factor/recovery-codes/new/",
        requires_sign_in(recovery_codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path("account/sessions/", views.sessions, name="usersessions_list"),
]
