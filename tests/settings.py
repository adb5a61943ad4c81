"""Settings of the tests: development mode, a database of their own, on the engine that MARROW_TEST_DATABASE names.

MARROW_TEST_DATABASE is `sqlite` (the default) or a `postgresql://` address whose role may create databases.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

# What this machine's installs are told must not reach the tests.
for name in [name for name in os.environ if name.startswith("MARROW_")]:
    if name not in {"MARROW_TEST_DATABASE", "MARROW_TEST_REPORT", "MARROW_REQUIRE"}:
        del os.environ[name]

scratch = Path(tempfile.mkdtemp(prefix="marrow-tests-"))  # its own for each process: two runs must not share a database
atexit.register(shutil.rmtree, scratch, ignore_errors=True)
engine = os.environ.get("MARROW_TEST_DATABASE", "sqlite")
os.environ["MARROW_MODE"] = "development"
os.environ["MARROW_DEBUG"] = "off"
os.environ["MARROW_SECRET_KEY"] = "only-the-tests-know-this-key"
os.environ["MARROW_DATABASE"] = str(scratch / "marrow.sqlite3") if engine == "sqlite" else engine

from trial.settings import *  # noqa: E402, F403  (the environment must be set before)
from trial.settings import DATABASES, INSTALLED_APPS, TEMPLATES  # noqa: E402


class MisspeltVariable(Exception):
    """A template names a variable that its view does not give."""


class FailOnMisspeltVariable(str):
    """Stands for an unknown template variable, and fails the test that renders it.

    Django asks whether the text contains `%s`, and if so puts the variable's name in its place.
    """

    def __mod__(self, variable: object) -> str:
        raise MisspeltVariable(f"No view gives the template variable '{variable}'.")


# A file and never memory: connections of other threads and other processes must see the same database.
DATABASES["default"]["TEST"] = {
    "MIGRATE": False,  # tables straight from the models: seconds instead of half a minute; a test runs the migrations
    "NAME": str(scratch / "test.sqlite3") if engine == "sqlite" else f"marrow_test_{os.getpid()}",
}
INSTALLED_APPS = [*INSTALLED_APPS, "tests.audit_app"]  # models that exist to try the audit core on
TEMPLATES[0]["OPTIONS"]["string_if_invalid"] = FailOnMisspeltVariable("%s")
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast; the passwords of tests guard nothing
