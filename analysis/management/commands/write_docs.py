"""`manage.py write_docs [--check]`: write the pages of the documentation that follow from the code."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from analysis.validation import estimates_page
from patients.checks_page import edit_checks_page
from trial.data_dictionary import data_dictionary
from trial.security_page import security_page

PAGES: dict[str, Callable[[], str]] = {
    "data-dictionary.md": data_dictionary,
    "security.md": security_page,
    "edit-checks.md": edit_checks_page,
    "validation/estimates.md": estimates_page,
}


class Command(BaseCommand):
    """Write each generated page, or with `--check` say which one is out of date."""

    help = "Writes the generated pages of docs/. With --check it writes nothing and fails if one is out of date."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="Write nothing; fail if a page is out of date.")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        docs = Path(settings.BASE_DIR) / "docs"
        stale = [name for name, write in PAGES.items() if not _holds(docs / name, write())]
        if check and stale:
            raise CommandError(f"Out of date: {', '.join(stale)}. Run `./marrow write_docs` and commit what it writes.")
        for name in stale:
            (docs / name).write_text(PAGES[name](), encoding="utf-8")
            self.stdout.write(f"Wrote docs/{name}.")


def _holds(page: Path, text: str) -> bool:
    return page.exists() and page.read_text(encoding="utf-8") == text
