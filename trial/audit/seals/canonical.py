"""The text of a row, its digest, and the hash of a seal: the same on both engines. docs/seals.md is the long form.

Functions of values: no Django and no database. What an engine gives for a value is known by the kind of the column.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

BEFORE_THE_FIRST = "0" * 64  # the hash before the first seal of a chain
HEADING = re.compile(r"^(\w+) (\w+)$", re.MULTILINE | re.ASCII)
INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?", re.ASCII)


class NoText(TypeError):
    """A column is of a kind whose text was never decided."""


def text_of_text(value: str) -> str:
    return encode_basestring(value)


def text_of_whole(value: Any) -> str:
    return f'"{value}"' if type(value) is int else encode_basestring(str(value))


def text_of_yes_or_no(value: Any) -> str:
    return '"true"' if value == 1 else '"false"' if value == 0 else encode_basestring(str(value))


def text_of_ratio(value: Any) -> str:
    return encode_basestring(repr(float(value)) if isinstance(value, int | float) else str(value))


def text_of_day(value: Any) -> str:
    return f'"{value.isoformat()}"' if isinstance(value, date) else encode_basestring(str(value))


@lru_cache(maxsize=1024, typed=True)  # the rows of an act have one
def text_of_instant(value: Any) -> str:
    """UTC with six digits after the point: `2014-09-30T12:00:00.000000Z`."""
    if isinstance(value, str) and INSTANT.fullmatch(value):  # as SQLite keeps it
        return f'"{value[:10]}T{value[11:]}{"" if len(value) > 19 else ".000000"}Z"'
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else value
        instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
        return f'"{instant.replace(tzinfo=None).isoformat(timespec="microseconds")}Z"'
    except (ValueError, AttributeError):  # what nobody but a forger wrote there
        return encode_basestring(str(value))


def decimal_text(places: int) -> Callable[[Any], str]:
    """The text of a decimal number: no exponent, no zeros at the end. SQLite keeps a float, of which `places` digits are meant."""

    def text(value: Any) -> str:
        if isinstance(value, float):
            digits = f"{value:.{places}f}"
            if float(digits) != value:
                return f'"{value!r}"'  # not a number of so many places: somebody's who did not go through the form
        elif isinstance(value, Decimal):
            digits = f"{value:f}"
        else:
            return encode_basestring(str(value))
        digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
        return f'"{"0" if digits == "-0" else digits}"'

    return text


@lru_cache(maxsize=4096, typed=True)  # most rows say one of few things
def text_of_json(value: str) -> str:
    """JSON without blanks, its keys sorted, each number in its shortest form: PostgreSQL rewrites what SQLite keeps as it was."""
    try:
        found = json.loads(value, parse_float=shortest)
    except (ValueError, TypeError):
        return encode_basestring(str(value))
    return encode_basestring(json.dumps(found, ensure_ascii=False, separators=(",", ":"), sort_keys=True))


def shortest(digits: str) -> int | float:
    number = float(digits)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


WHOLE = "AutoField BigAutoField IntegerField BigIntegerField SmallIntegerField"
WHOLE += " PositiveIntegerField PositiveSmallIntegerField PositiveBigIntegerField"
KINDS: dict[str, Callable[[Any], str]] = {
    **dict.fromkeys(WHOLE.split(), text_of_whole),
    "CharField": text_of_text,
    "TextField": text_of_text,
    "BooleanField": text_of_yes_or_no,
    "FloatField": text_of_ratio,
    "DateField": text_of_day,
    "DateTimeField": text_of_instant,
    "JSONField": text_of_json,
}


def text_of_kind(kind: str, places: int = 0) -> Callable[[Any], str]:
    """How the values of a column become text, by the kind of its field, as `get_internal_type` names it. Raise `NoText` if unknown."""
    if kind == "DecimalField":
        return decimal_text(places)
    if kind not in KINDS:
        raise NoText(f"A {kind} has no text that a seal could hold. Add it to KINDS, and to docs/seals.md.")
    return KINDS[kind]


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table that a digest is of, in the order of their names, and how each becomes text."""

    table: str
    names: tuple[str, ...]
    texts: tuple[Callable[[Any], str], ...]

    @property
    def key(self) -> str:
        """What a seal calls them."""
        return key_of_columns(self.table, " ".join(self.names))

    def writer(self) -> Callable[[Sequence[Any]], str]:
        """The function that gives the text of a row from its values, in the order of `names`. What is NULL is left out."""
        named = [(f"{encode_basestring(name)}:", text) for name, text in zip(self.names, self.texts, strict=True)]

        def write(values: Sequence[Any]) -> str:
            pairs = zip(named, values, strict=True)
            try:
                parts = [name + text(value) for (name, text), value in pairs if value is not None]
            except TypeError:  # a value that its column should not hold, such as bytes in a text
                pairs = zip(named, values, strict=True)
                parts = [name + encode_basestring(repr(value)) for (name, _), value in pairs if value is not None]
            return f"{{{','.join(parts)}}}"

        return write


def row_digest(salt: bytes, table: str, text: str) -> str:
    """The digest of a row from its salt, its table and its text."""
    return hashlib.sha256(salt + f"{table}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()


def salted(salt: Any) -> bytes:
    """The salt as bytes; nothing for a row that is older than salts. A forger's may be a text."""
    return b"" if salt is None else str(salt).encode() if isinstance(salt, str | int | float) else bytes(salt)


def key_of_columns(table: str, names: str) -> str:
    """The first 32 digits of the SHA-256 of a table and its columns."""
    return hashlib.sha256(f"{table}\n{names}".encode()).hexdigest()[:32]


def instant_text(instant: datetime) -> str:
    """An instant as it stands in the text of a seal or a checkpoint."""
    return text_of_instant(instant).strip('"')


def seal_hash(before: str, *, chain: int, position: int, recording: int, settled: datetime, content: str) -> str:
    """The hash of a seal, from that of the seal before and everything that this one says."""
    text = f"{before}\n{chain} {position} {recording} {instant_text(settled)}\n{content}"
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
