"""Code lists as readable tables: the code as it is stored and submitted, and beside it the words that people read."""

import re

CodeList = list[tuple[str, str]]


def code_list(table: str) -> CodeList:
    """Read one code a line; two or more spaces separate it from its label. A code without a label is its own label."""
    rows = [re.split(r" {2,}", line.strip(), maxsplit=1) for line in table.strip().splitlines()]
    return [(row[0], row[-1]) for row in rows]


def codes_of(codes: CodeList) -> list[str]:
    """The codes alone, in the order of the list."""
    return [code for code, _ in codes]


def codes_other_than(codes: CodeList, *left_out: str) -> tuple[str, ...]:
    """The codes of a list without these."""
    return tuple(code for code, _ in codes if code not in left_out)


def label_of(codes: CodeList, code: str) -> str:
    """The words for a code; the code itself where the list does not have it."""
    return dict(codes).get(code, code)
