"""Settings of Marrow. What differs between installs comes from `MARROW_*` variables; everything else is decided here.

MARROW_MODE is `demo` (the synthetic study; the default where no database is named), `development` or `production`.
"""

import os
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from trial.db.sqlite3.library import WAL_IS_SAFE
from trial.environment import (
    is_a_sample,
    is_weak,
    read_addresses,
    read_choice,
    read_database,
    read_flag,
    read_list,
    read_mail,
    read_number,
    read_path,
    read_single_sign_on,
    read_text,
    refuse_a_readable_connection,
    refuse_files_that_all_may_read,
    secret_key_of_this_install,
)

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"  # what a running install writes; ignored by git

DATABASE_IS_NAMED = bool({"MARROW_DATABASE", "MARROW_DATABASE_FILE"} & os.environ.keys())
MODE = read_choice("MARROW_MODE", "" if DATABASE_IS_NAMED else "demo", ("demo", "development", "production"))
IS_DEMO = MODE == "demo"
IS_PRODUCTION = MODE == "production"

DEBUG = read_flag("MARROW_DEBUG", default=MODE == "development")
SECRET_KEY = read_text("MARROW_SECRET_KEY", "")
if not SECRET_KEY and not IS_PRODUCTION:
    SECRET_KEY = secret_key_of_this_install(VAR_DIR / "secret-key")
ALLOWED_HOSTS = read_list("MARROW_HOSTS", [] if IS_PRODUCTION else ["127.0.0.1", "localhost", "[::1]"])
BEHIND_PROXY = read_flag("MARROW_BEHIND_PROXY", default=False)  # on only where a proxy of ours sets X-Forwarded-*
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS if IS_PRODUCTION and host != "*"]

if IS_PRODUCTION:
    # Here and not in a check: a server must not start on these, and checks can be silenced.
    if DEBUG:
        raise ImproperlyConfigured("MARROW_DEBUG is 'on' in production. Remove it, or set it to 'off'.")
    refuse_files_that_all_may_read()
    if is_weak(SECRET_KEY):
        raise ImproperlyConfigured(
            "MARROW_SECRET_KEY is missing or weak. "
            "Put at least 50 random characters in a file and name it with MARROW_SECRET_KEY_FILE."
        )
    if is_a_sample(SECRET_KEY):
        raise ImproperlyConfigured(
            "MARROW_SECRET_KEY is taken from an example, so others know it. Make one: openssl rand -base64 48"
        )
    if not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS:
        raise ImproperlyConfigured(
            "MARROW_HOSTS is missing or '*'. List the host names of this server, between commas."
        )
    if not DATABASE_IS_NAMED:
        raise ImproperlyConfigured(
            "MARROW_DATABASE is missing. Set it to the path of an SQLite file or to a postgresql:// address."
        )

INSTALLED_APPS = [
    "trial",
    "patients",
    "safety",
    "analysis",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "simple_history",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "knox",
    "csp",
    "django_filters",
    "django_tables2",
    "rest_framework",
]

MIDDLEWARE = [
    "trial.audit.middleware.KeepRequest",
    # What sets headers stands before what may refuse, so that every answer has them: files and refusals too.
    "trial.middleware.HeadersOfEveryAnswer",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "trial.middleware.DropDamagedCookies",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "trial.sign_in.sessions.SessionLimits",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",  # default deny: a page without a sign-in says so itself
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "trial.middleware.RefuseMethods",
    "trial.middleware.RefuseNul",
]

ROOT_URLCONF = "trial.urls"
WSGI_APPLICATION = "trial.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "trial.frame.frame",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# The database. A write must not wait for a lock it can never get, and an acknowledged save must survive a power cut.
usual_file = VAR_DIR / ("demo.sqlite3" if IS_DEMO else "marrow.sqlite3")
database = read_database("MARROW_DATABASE", usual_file, base=BASE_DIR)
database["ATOMIC_REQUESTS"] = False  # `recording()` opens the transaction; a page view must not hold the write lock
if database["ENGINE"] == "trial.db.sqlite3":
    journal = "WAL" if WAL_IS_SAFE else "DELETE"
    database["OPTIONS"] = {
        "timeout": 20,  # seconds to wait for another writer
        "cached_statements": 2000,  # a write is compiled with its triggers, which takes longer than to run it
        "transaction_mode": "IMMEDIATE",
        "init_command": f"PRAGMA journal_mode={journal}; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
        "PRAGMA recursive_triggers=ON; PRAGMA trusted_schema=ON;",  # trusted: the triggers call marrow_recording()
    }
    database["NAME"].parent.mkdir(parents=True, exist_ok=True)
else:
    limits = "-c statement_timeout=300s -c lock_timeout=20s -c idle_in_transaction_session_timeout=300s"
    database["OPTIONS"] = {"options": limits, "connect_timeout": "10", **database["OPTIONS"]}
    if IS_PRODUCTION:
        refuse_a_readable_connection("MARROW_DATABASE", database)
        threads = read_number("MARROW_THREADS", 4, least=1, most=64)
        database["OPTIONS"]["pool"] = {"min_size": 1, "max_size": threads}  # a connection for each thread of a worker
DATABASES: dict[str, dict[str, Any]] = {"default": database}

# What all workers must know of each other: guessing limits, codes used once. A cache of one process would not do.
# Django would throw entries away from 300 on, and with them a code that was used or a guess that was counted.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "marrow_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# The audit trail. The triggers write the rows; simple-history reads them.
SIMPLE_HISTORY_HISTORY_CHANGE_REASON_USE_TEXT_FIELD = True
SIMPLE_HISTORY_REVERT_DISABLED = True
SIMPLE_HISTORY_DATE_INDEX = "composite"

# Checkpoints of the trail. Production names both: a folder of another machine, and a key that the web server need not read.
# The demo always has its own, beside its database: they go when it is built anew.
beside_database = database["NAME"] if database["ENGINE"] == "trial.db.sqlite3" else VAR_DIR / database["NAME"]
CHECKPOINTS: Path | None = beside_database.with_suffix(".checkpoints")
CHECKPOINT_KEY: Path | None = beside_database.with_suffix(".checkpoint-key")
if not IS_DEMO:
    CHECKPOINTS = read_path("MARROW_CHECKPOINTS", None if IS_PRODUCTION else CHECKPOINTS, base=BASE_DIR)
    CHECKPOINT_KEY = read_path("MARROW_CHECKPOINT_KEY", None if IS_PRODUCTION else CHECKPOINT_KEY, base=BASE_DIR)

# Sign-in: allauth does it, on the pages of trial/sign_in.
SECOND_FACTOR = read_choice(
    "MARROW_SECOND_FACTOR", "required" if IS_PRODUCTION else "optional", ("required", "optional")
)
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"
PASSWORD_RESET_TIMEOUT = 24 * 60 * 60  # seconds for which a one-time link is good
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",  # Argon2id; what was kept otherwise is kept anew at a sign-in
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "trial.sign_in.passwords.LengthValidator"},
    {"NAME": "trial.sign_in.passwords.CommonValidator"},
    {"NAME": "trial.sign_in.passwords.ContextValidator"},
    {"NAME": "trial.sign_in.passwords.SimilarityValidator"},
]
ACCOUNT_ADAPTER = "trial.sign_in.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]  # nobody signs up; allauth reads here that there are passwords
ACCOUNT_EMAIL_VERIFICATION = "none"  # an administrator writes the address; allauth's own table of them stays empty
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if IS_PRODUCTION else "http"
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "trial.sign_in.links.LinkKeys"  # noqa: S105
ACCOUNT_FORMS = {
    "login": "trial.sign_in.forms.SignInForm",
    "change_password": "trial.sign_in.forms.OwnPasswordForm",
    "reset_password": "trial.sign_in.forms.ForgottenForm",
    "reset_password_from_key": "trial.sign_in.forms.NewPasswordForm",
    "reauthenticate": "trial.sign_in.forms.ConfirmForm",
    "user_token": "trial.sign_in.forms.LinkForm",
}
ACCOUNT_RATE_LIMITS = {  # attempts, in which time, counted by what; see trial/sign_in/guessing.py
    "login": "60/m/ip",
    "login_failed_address": "20/5m/key",
    "login_failed": "5/5m/key",  # a name from one address; and the second factor of one person
    "login_failed_name": "20/15m/key",
}
MFA_ADAPTER = "trial.sign_in.factors.SecondFactors"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "Marrow"
MFA_TOTP_PERIOD = 30  # seconds for which an app shows a code
MFA_TOTP_TOLERANCE = 1  # the code before and the one after count too: clocks differ, and typing takes time
MFA_FORMS = {
    "authenticate": "trial.sign_in.forms.CodeForm",
    "reauthenticate": "trial.sign_in.forms.ConfirmCodeForm",
    "authenticate_webauthn": "trial.sign_in.forms.PasskeySecondForm",
    "login_webauthn": "trial.sign_in.forms.PasskeySignInForm",
    "activate_totp": "trial.sign_in.forms.AppForm",
    "add_webauthn": "trial.sign_in.forms.PasskeyForm",
    "edit_webauthn": "trial.sign_in.forms.PasskeyNameForm",
}

# Single sign-on, where an OpenID Connect provider is named.
SINGLE_SIGN_ON = read_single_sign_on(is_production=IS_PRODUCTION)
SOCIALACCOUNT_ADAPTER = "trial.sign_in.single_sign_on.SingleSignOn"
SOCIALACCOUNT_PROVIDERS = {"openid_connect": SINGLE_SIGN_ON} if SINGLE_SIGN_ON else {}
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10  # seconds

# Letters: a link for a forgotten password, and alerts. Without a mail server an administrator hands out links.
mail = read_mail("MARROW_MAIL")
HAS_MAIL = mail is not None
EMAIL_TIMEOUT = 10  # seconds
DEFAULT_FROM_EMAIL = read_text(
    "MARROW_MAIL_FROM", f"Marrow <marrow@{ALLOWED_HOSTS[0].lstrip('.') if ALLOWED_HOSTS else 'localhost'}>"
)
ALERTS = read_addresses("MARROW_ALERTS")  # who hears of a lock-out besides the administrators of the study
if mail is not None:
    EMAIL_HOST, EMAIL_PORT = mail["EMAIL_HOST"], mail["EMAIL_PORT"]
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = mail["EMAIL_HOST_USER"], mail["EMAIL_HOST_PASSWORD"]
    EMAIL_USE_SSL, EMAIL_USE_TLS = mail["EMAIL_USE_SSL"], mail["EMAIL_USE_TLS"]
elif ALERTS:
    raise ImproperlyConfigured("MARROW_ALERTS is set and MARROW_MAIL is not. Name the mail server in MARROW_MAIL too.")

# The prefix binds the cookie to HTTPS and to this host; a browser refuses it over plain HTTP.
SESSION_COOKIE_NAME = "__Host-sid" if IS_PRODUCTION else "marrow-sid"
IDLE_MINUTES = read_number("MARROW_IDLE_MINUTES", 30 if IS_DEMO else 15, least=5, most=30)
SESSION_HOURS = read_number("MARROW_SESSION_HOURS", 12, least=1, most=24)
# Longer than a session can last (`SessionLimits` ends it): after a weekend one is still told why, and what was typed is kept.
SESSION_COOKIE_AGE = (SESSION_HOURS + 72) * 60 * 60
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"  # not Strict: a link in a letter would lead to the sign-in page
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_NAME = "__Host-csrf" if IS_PRODUCTION else "marrow-csrf"
CSRF_FAILURE_VIEW = "trial.error_pages.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # a cookie would carry patient numbers

# What a browser may do with a page: nothing that did not come from here.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],  # data: the icons inside Tabler's style sheet
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "report-uri": ["/reports/"],  # for browsers that do not know report-to yet
        "report-to": ["csp"],
    }
}
# Only names that browsers know: of any other they complain on each page.
SWITCHED_OFF = (
    "accelerometer autoplay browsing-topics camera clipboard-read clipboard-write compute-pressure cross-origin-isolated "
    "display-capture encrypted-media fullscreen gamepad geolocation gyroscope hid identity-credentials-get idle-detection "
    "keyboard-map local-fonts magnetometer microphone midi otp-credentials payment picture-in-picture screen-wake-lock "
    "serial storage-access sync-xhr usb window-management xr-spatial-tracking".split()
)
FOR_PASSKEYS = ("publickey-credentials-create", "publickey-credentials-get")
PERMISSIONS_POLICY: dict[str, Any] = {name: [] for name in SWITCHED_OFF} | {name: ["self"] for name in FOR_PASSKEYS}
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if IS_PRODUCTION:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 63072000  # two years
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    if BEHIND_PROXY:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Files that are part of the program. In production `collectstatic` gives each a name with its hash.
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR_DIR / "staticfiles" if IS_PRODUCTION else None  # elsewhere files are served from where they lie
WHITENOISE_USE_FINDERS = not IS_PRODUCTION
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_ALLOW_ALL_ORIGINS = False  # no other site reads anything from here, our files neither
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if IS_PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

LANGUAGE_CODE = "en-gb"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "trial.token_sign_in.TokenSignIn",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "EXCEPTION_HANDLER": "trial.api.word_refusal",
}
REST_KNOX = {"TOKEN_PREFIX": "marrow_"}  # so that programs that look for lost secrets know one when they see it
API_PER_PERSON = read_number("MARROW_API_PER_PERSON", 120, least=1, most=100_000)  # calls a minute
API_PER_ADDRESS = read_number("MARROW_API_PER_ADDRESS", 600, least=1, most=100_000)
KNOX_TOKEN_MODEL = "trial.ApiToken"  # noqa: S105 - a model's name

# Logs carry ids and never a patient's values; `trial/logs.py` says how.
log_level = read_choice("MARROW_LOG_LEVEL", "WARNING", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"one line": {"()": "trial.logs.OneLine"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "one line"},
        "nowhere": {"class": "logging.NullHandler"},
    },
    "loggers": {
        "django": {"handlers": [], "level": "INFO"},  # Django's own would mail whole requests
        # The lines of `runserver` quote the address with its query.
        "django.server": {"handlers": ["console" if DEBUG else "nowhere"], "level": "INFO", "propagate": False},
    },
    "root": {"handlers": ["console"], "level": log_level},
}
