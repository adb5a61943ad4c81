"""Settings of a server that a test starts as production would run it, on the database of the test."""

from trial.settings import *  # noqa: F403
from trial.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.audit_app"]  # its tables are in that database, with their triggers
