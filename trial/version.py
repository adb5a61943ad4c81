"""Which Marrow this is: what reports, exports and checkpoints say of the program that made them."""

import tomllib
from functools import cache

from django.conf import settings


@cache
def version() -> str:
    """The version of Marrow, as `pyproject.toml` has it."""
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])
