"""Settings of Marrow. What differs between installs comes from `MARROW_*` variables; everything else is decided here.

MARROW_MODE is `demo` (the synthetic study; the default where no database is named), `development` or `production`.
"""

import os
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from trial.db.sqlite3.library import WAL_IS_SAFE
from trial.environment import (
    read_choice,
    read_database,
    read_flag,
    read_list,
    read_number,
    read_text,
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
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS if IS_PRODUCTION and host != "*"]

if IS_PRODUCTION:
    # Here and not in a check: a server must not start on these, and checks can be silenced.
    if DEBUG:
        raise ImproperlyConfigured("MARROW_DEBUG is 'on' in production. Remove it, or set it to 'off'.")
    if len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 10:
        raise ImproperlyConfigured(
            "MARROW_SECRET_KEY is missing or weak. "
            "Put at least 50 random characters in a file and name it with MARROW_SECRET_KEY_FILE."
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
    "csp",
    "django_filters",
    "django_tables2",
    "rest_framework",
]

MIDDLEWARE = [
    "trial.audit.middleware.KeepRequest",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",  # default deny: a page without a sign-in says so itself
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
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
        threads = read_number("MARROW_THREADS", 4, least=1, most=64)
        database["OPTIONS"]["pool"] = {"min_size": 1, "max_size": threads}  # a connection for each thread of a worker
DATABASES: dict[str, dict[str, Any]] = {"default": database}

# The audit trail. The triggers write the rows; simple-history reads them.
SIMPLE_HISTORY_HISTORY_CHANGE_REASON_USE_TEXT_FIELD = True
SIMPLE_HISTORY_REVERT_DISABLED = True
SIMPLE_HISTORY_DATE_INDEX = "composite"

# Sign-in.
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# The prefix binds the cookie to HTTPS and to this host; a browser refuses it over plain HTTP.
SESSION_COOKIE_NAME = "__Host-sid" if IS_PRODUCTION else "marrow-sid"
SESSION_COOKIE_AGE = 12 * 60 * 60  # seconds: a working day
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
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
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if IS_PRODUCTION:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 63072000  # two years
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    if read_flag("MARROW_BEHIND_PROXY", default=False):  # only where a proxy sets this header itself
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Files that are part of the program. In production `collectstatic` gives each a name with its hash.
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR_DIR / "staticfiles" if IS_PRODUCTION else None  # elsewhere files are served from where they lie
WHITENOISE_USE_FINDERS = not IS_PRODUCTION
WHITENOISE_AUTOREFRESH = DEBUG
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
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}

# Logs carry ids and never a patient's values.
log_level = read_choice("MARROW_LOG_LEVEL", "WARNING", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": log_level},
}
