"""The text of a row, its digest, and the hash of a seal: the same on both engines. docs/seals.md is the long form.

Functions of values: no Django and no database. What an engine gives for a value is known by the kind of the column.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from json import JSONEncoder
from typing import Any

BEFORE_THE_FIRST = "0" * 64  # the hash before the first seal of a chain
HEADING = re.compile(r"^(\w+) (\w+)$", re.MULTILINE | re.ASCII)
INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?", re.ASCII)


class NoText(TypeError):
    """A column is of a kind whose text was never decided."""


def as_it_is(value: Any) -> Any:
    """Texts, whole numbers and ratios are the same on both engines, and JSON has them."""
    return value


def yes_or_no(value: Any) -> Any:
    """SQLite has 1 and 0. What else a forger wrote there stays as it is."""
    return {1: True, 0: False}.get(value, value)


@lru_cache(maxsize=1024, typed=True)  # the rows of an act have one
def instant(value: Any) -> str:
    """UTC with six digits after the point: `2014-09-30T12:00:00.000000Z`. Not an instant: the text that it is."""
    if isinstance(value, str) and INSTANT.fullmatch(value):  # as SQLite keeps it
        return f"{value[:10]}T{value[11:]}{'' if len(value) > 19 else '.000000'}Z"
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        return f"{found.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
    except (ValueError, AttributeError):
        return str(value)


def decimal(places: int) -> Callable[[Any], str]:
    """The digits of a decimal number: no exponent, no zeros at the end. SQLite keeps a float, of which `places` digits are meant."""

    def digits_of(value: Any) -> str:
        if isinstance(value, float):
            digits = f"{value:.{places}f}"
            if float(digits) != value:
                return repr(value)  # more places than the form has: written by somebody who went past it
        else:
            digits = f"{value:f}" if isinstance(value, Decimal) else str(value)
        digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
        return "0" if digits == "-0" else digits

    return digits_of


@lru_cache(maxsize=4096, typed=True)  # most rows say one of few things
def json_text(value: Any) -> str:
    """JSON without blanks, its keys sorted, each number in its shortest form: PostgreSQL rewrites what SQLite keeps as it was."""
    try:
        return text_of(json.loads(value, parse_float=shortest))
    except (ValueError, TypeError):
        return str(value)


def shortest(digits: str) -> int | float:
    """A whole number as such, however it was written."""
    number = float(digits)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def text_of(value: Any) -> str:
    """JSON without blanks, its keys sorted."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


WHOLE = "AutoField BigAutoField IntegerField BigIntegerField SmallIntegerField"
WHOLE += " PositiveIntegerField PositiveSmallIntegerField PositiveBigIntegerField"
KINDS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(WHOLE.split(), as_it_is),
    "CharField": as_it_is,
    "TextField": as_it_is,
    "FloatField": as_it_is,
    "BooleanField": yes_or_no,
    "DateField": str,
    "DateTimeField": instant,
    "JSONField": json_text,
}


def reading_of(kind: str, places: int = 0) -> Callable[[Any], Any]:
    """What makes the values of a column the same on both engines, by the kind of its field, as `get_internal_type` names it.

    Raise `NoText` for a kind that was never decided.
    """
    if kind == "DecimalField":
        return decimal(places)
    if kind not in KINDS:
        raise NoText(f"A {kind} has no text that a seal could hold. Add it to KINDS, and to docs/seals.md.")
    return KINDS[kind]


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table that a digest is of, in the order of their names, and how each is read."""

    table: str
    names: tuple[str, ...]
    readings: tuple[Callable[[Any], Any], ...]

    @property
    def key(self) -> str:
        """What a seal calls them."""
        return key_of_columns(self.table, " ".join(self.names))

    def writer(self) -> Callable[[Sequence[Any]], str]:
        """The function that gives the text of a row from its values, in the order of `names`."""
        names = self.names
        read = [(place, reading) for place, reading in enumerate(self.readings) if reading is not as_it_is]
        encode = JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False, default=repr).encode

        def write(values: Sequence[Any]) -> str:
            row = list(values)
            for place, reading in read:
                if row[place] is not None:
                    row[place] = reading(row[place])
            return encode(dict(zip(names, row, strict=True)))

        return write


def row_digest(salt: bytes, table: str, text: str) -> str:
    """The digest of a row from its salt, its table and its text."""
    return hashlib.sha256(salt + f"{table}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()


def salted(salt: Any) -> bytes:
    """The salt as bytes; none for a row that is older than salts. A forger's may be something else."""
    if isinstance(salt, bytes):
        return salt
    return b"" if salt is None else str(salt).encode()


def key_of_columns(table: str, names: str) -> str:
    """The first 32 digits of the SHA-256 of a table and its columns."""
    return hashlib.sha256(f"{table}\n{names}".encode()).hexdigest()[:32]


def seal_hash(before: str, *, chain: int, position: int, recording: int, settled: datetime, content: str) -> str:
    """The hash of a seal, from that of the seal before and everything that this one says."""
    text = f"{before}\n{chain} {position} {recording} {instant(settled)}\n{content}"
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Line:
    """One row in a seal: its number in the history, its record and version, and its digest."""

    number: int
    record: int
    version: int
    digest: str


def write_part(table: str, key: str, lines: Iterable[str]) -> str:
    """What a seal holds of one table: its name and the key of its columns, then a line for each row."""
    return f"{table} {key}\n{''.join(lines)}"


def keys_in(content: str) -> dict[str, str]:
    """The key of the columns of each table that a seal has rows of."""
    return dict(HEADING.findall(content))


def read_content(content: str) -> dict[str, dict[int, Line]]:
    """The lines of a seal by table and number of the row. Raise `ValueError` for what no seal holds."""
    tables: dict[str, dict[int, Line]] = {}
    lines: dict[int, Line] = {}
    for text in content.splitlines():
        match text.split(" "):
            case [table, _]:
                lines = tables.setdefault(table, {})
            case [number, record, version, digest]:
                lines[int(number)] = Line(int(number), int(record), int(version), digest)
            case _:
                raise ValueError(f"'{text}' is no line of a seal.")
    return tables
