"""The part of docs/security.md that follows from the code: who may do what. The rest of that page is written by hand."""

from pathlib import Path

from trial.access import GRANTS
from trial.models import Role

PAGE = Path(__file__).resolve().parent.parent / "docs" / "security.md"
BEGINS, ENDS = "<!-- written by write_docs: who may do what -->\n", "<!-- end of what write_docs writes -->\n"


def security_page() -> str:
    """The page as it stands, with the table of `GRANTS` in its place."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGINS)
    _, after = rest.split(ENDS)
    return f"{before}{BEGINS}\n{table_of_grants()}\n{ENDS}{after}"


def table_of_grants() -> str:
    """A row for each permission, in its own words, and a column for each role."""
    head = " | ".join(role.label for role in Role)
    rows = [
        f"| {permission} | {' | '.join('yes' if role in roles else '' for role in Role)} |"
        for permission, roles in GRANTS.items()
    ]
    return "\n".join([f"| May | {head} |", f"| --- {'| :-: ' * len(Role)}|", *rows, ""])
