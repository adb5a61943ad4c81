"""The published figures: every line of STUDY E.1 is there, with its evidence, and nothing from memory reads as fact."""

import ast
import re
from decimal import Decimal
from pathlib import Path

import pytest

from analysis.published import PUBLISHED, SOURCES

ROOT = Path(__file__).resolve().parent.parent.parent
BY_ID = {figure.id: figure for figure in PUBLISHED}

# The lines of E.1: the number, then how many lines it has (plain or lettered).
LINES = """
    1:1 2:1 3:1 4:3 5:2 6:3 7:6 8:1 9:1 10:1 11:2 12:2 13:3 14:1 15:1 16:2 17:12 18:1 19:1 20:2 21:2 22:2 23:2 24:4
    25:4 26:2 27:3 28:4 29:1 30:1 31:3 32:1 33:1 34:1 35:1 36:2 37:5 38:8 39:12 40:3 41:7 42:12 43:3 44:2 45:5 46:2
"""


def test_every_line_of_e1_is_there_once_and_in_order():
    expected = {int(number): int(lines) for number, lines in (part.split(":") for part in LINES.split())}
    found = [int(re.fullmatch(r"P-(\d\d)[a-l]?", figure.id)[1]) for figure in PUBLISHED]

    assert len(BY_ID) == len(PUBLISHED) == sum(expected.values()) == 140
    assert found == [number for number, lines in expected.items() for _ in range(lines)]


@pytest.mark.parametrize(
    ("id", "text"),
    [
        ("P-01", "189"),
        ("P-02", "64 (34 %)"),
        ("P-04", "29/64 (45 %)"),
        ("P-06b", "36 %"),
        ("P-14", "7.4 months"),
        ("P-25b", "13–17 %"),
        ("P-25d", "day 9"),
        ("P-27b", "1 cycle"),
        ("P-27c", "5 cycles"),
        ("P-28a", "39 years"),
        ("P-37a", "32/81"),
        ("P-40a", "about 6 %"),
        ("P-40c", "< 1 %"),
        ("P-41b", "75 (83.3 %)"),
        ("P-42a", "43/59 (from memory, not verified)"),
        ("P-43a", "17 (9 %) (from memory, not verified)"),
    ],
)
def test_a_figure_is_worded_as_it_was_printed(id, text):
    assert BY_ID[id].text == text


def test_nothing_from_memory_reads_as_fact():
    from_memory = [figure for figure in PUBLISHED if figure.tag == "M"]

    assert {figure.id[:4] for figure in from_memory} == {"P-17", "P-42", "P-43", "P-44", "P-45", "P-46"}
    for figure in from_memory:
        assert figure.check == "informative"
        assert not figure.sources
        assert figure.text.endswith("(from memory, not verified)")
        assert figure.source.startswith("From memory, not verified.")
    assert "from memory and not verified" in BY_ID["P-34"].source  # its reading rests on P-42


def test_a_source_is_named_by_its_title():
    assert BY_ID["P-15"].source == (
        "S1: Stein AS et al., Blinatumomab for Acute Lymphoblastic Leukemia Relapse after Allogeneic HSCT, "
        "BBMT 2019;25:1498 – abstract on the Mayo Clinic publications portal. Read in the source."
    )
    assert BY_ID["P-12a"].source == "Derived from other figures. P-09 minus P-11a."


def test_what_is_read_in_a_source_names_it():
    for figure in PUBLISHED:
        assert set(figure.sources) <= set(SOURCES)
        assert bool(figure.sources) or figure.tag in {"A", "D", "M"}
    assert {source for figure in PUBLISHED for source in figure.sources} == set(SOURCES)


def test_every_judged_line_can_be_judged():
    for figure in PUBLISHED:
        if figure.check == "count":
            assert figure.numerator is not None
        if figure.check == "rounded":
            assert figure.value is not None
            assert figure.numerator is None
        if figure.upper is not None:
            assert figure.value < figure.upper


def test_only_what_was_read_or_briefed_is_judged():
    judged = {figure.tag for figure in PUBLISHED if figure.check in {"count", "rounded"}}

    assert judged == {"C", "C/D", "C/brief"}


def test_printed_percentages_agree_with_printed_counts():
    for figure in PUBLISHED:
        count = figure.derived_count or (f"{figure.numerator}/{figure.denominator}" if figure.denominator else None)
        if count and figure.value is not None:
            k, n = map(int, count.split("/"))
            assert round(100 * k / n) == figure.value, figure.id  # no half among them, so any rounding will do


def test_the_figures_of_the_abstract_are_as_published():
    values = {id: (BY_ID[id].numerator, BY_ID[id].denominator, BY_ID[id].value) for id in ("P-04", "P-09", "P-18")}

    assert values == {
        "P-04": (29, 64, Decimal(45)),
        "P-09": (22, 29, Decimal(76)),
        "P-18": (20, None, Decimal(31)),
    }
    assert [BY_ID[id].value for id in ("P-14", "P-15", "P-16a", "P-16b")] == [
        Decimal("7.4"),
        Decimal("8.5"),
        Decimal(36),
        Decimal(18),
    ]


def imported_modules(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def test_only_the_reproduction_report_knows_the_published_figures():
    code = [path for app in ("trial", "patients", "safety", "analysis") for path in (ROOT / app).rglob("*.py")]

    importing = {path.relative_to(ROOT).as_posix() for path in code if "analysis.published" in imported_modules(path)}
    reading = {path.relative_to(ROOT).as_posix() for path in code if "published.csv" in path.read_text("utf-8")}

    assert importing == {"analysis/reproduction.py"}
    assert reading == {"analysis/published.py"}
