"""Proof of the seals: that the recordings and their history rows are what was sealed, and that the seals follow one another.

Whoever owns the database can also make new seals that fit each other. Against that there are checkpoints, kept elsewhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from trial.audit.seals.acts import Row, Source, acts, read_in_pieces, sources
from trial.audit.seals.canonical import (
    BEFORE_THE_FIRST,
    Columns,
    instant,
    key_of_columns,
    keys_in,
    read_content,
    seal_hash,
)
from trial.audit.seals.models import Seal, SealedColumns
from trial.audit.seals.sealing import Digester
from trial.db.reading import snapshot
from trial.db.tables import RECORDING_TABLE
from trial.db.verification import Finding

SEAL_TABLE = Seal._meta.db_table
SEALS = 200  # in memory at once: each has a line for every row of its act


@dataclass(slots=True)
class SealProof:
    """What was compared with the seals, and what was found."""

    recordings: int = 0  # that are sealed
    unsealed: int = 0
    rows: int = 0  # history rows that are sealed
    unreadable: int = 0  # of which columns were removed since: only their digests are there
    findings: list[Finding] = field(default_factory=list)
    is_there: bool = True  # not before the migration that brings the seals


def prove_seals(using: str = DEFAULT_DB_ALIAS) -> SealProof:
    """Compare the recordings and all history rows with their seals, and the seals with one another, in one state of the database."""
    with snapshot(using):
        if SEAL_TABLE not in connections[using].introspection.table_names():
            missing = Finding(SEAL_TABLE, None, None, "is not there. Run `migrate` first.")
            return SealProof(findings=[missing], is_there=False)
        proof = SealProof()
        compare_with_seals(using, proof)
        proof.findings += broken_links(using)
        proof.findings += recordings_that_came_later(using)
    return proof


def compare_with_seals(using: str, proof: SealProof) -> None:
    """Read recordings, history rows and seals side by side, by the number of the recording."""
    tables = sources(using)
    readers = Readers(using, tables)
    proof.findings += readers.faults
    seals = read_in_pieces(
        using,
        f"SELECT recording_id, content FROM {SEAL_TABLE} ORDER BY recording_id",  # noqa: S608
        piece=SEALS,
    )
    trail = acts(using, tables)
    sealed, act = next(seals, None), next(trail, None)
    while sealed is not None or act is not None:
        if act is None or (sealed is not None and sealed[0] < act[0]):
            assert sealed is not None  # one of the two is there
            proof.recordings += 1
            proof.findings += readers.differences(sealed[0], sealed[1], [], proof)
            sealed = next(seals, None)
        elif sealed is None or act[0] < sealed[0]:
            proof.unsealed += any(source.table == RECORDING_TABLE for source, _ in act[1])
            act = next(trail, None)
        else:
            proof.recordings += 1
            proof.findings += readers.differences(sealed[0], sealed[1], act[1], proof)
            sealed, act = next(seals, None), next(trail, None)


class Readers:
    """What makes the digests of rows again, under the columns that they had when they were sealed."""

    def __init__(self, using: str, tables: Sequence[Source]) -> None:
        self.tables = {source.table: source for source in tables}
        self.faults: list[Finding] = []
        self.digesters: dict[tuple[str, str], Digester | None] = {}  # None where columns were removed since
        for kind in SealedColumns.objects.using(using).order_by("key"):
            if kind.key != key_of_columns(kind.table, kind.columns):
                self.faults.append(Finding("trial_sealedcolumns", kind.key, None, "was altered."))
            elif source := self.tables.get(kind.table):
                self.digesters[kind.table, kind.key] = self.digester(source, tuple(kind.columns.split(" ")))
            else:
                self.digesters[kind.table, kind.key] = None

    def digester(self, source: Source, names: tuple[str, ...]) -> Digester | None:
        """What reads rows that were sealed with these columns; None where the program does not know one of them any more."""
        readings = dict(zip(source.columns.names, source.columns.readings, strict=True))
        gone = set(names) - readings.keys()
        for name in sorted(gone & source.model_columns):
            self.faults.append(Finding(source.table, None, None, f"the column {name} was removed from the history."))
        if gone:
            return None
        return Digester(source, Columns(source.table, names, tuple(readings[name] for name in names)))

    def differences(
        self, recording: int, content: str, parts: Sequence[tuple[Source, list[Row]]], proof: SealProof
    ) -> Iterator[Finding]:
        """What is not as it was sealed. Most acts are, and then their content is the same text."""
        keys = keys_in(content)
        found: dict[str, tuple[str, Sequence[Row]]] = {}
        for source, rows in parts:
            digester = self.digesters.get((source.table, keys.get(source.table, "")))
            found[source.table] = ("" if digester is None else digester.part_of(rows), rows)
        proof.rows += sum(len(rows) for table, (_, rows) in found.items() if table != RECORDING_TABLE)
        if "".join(part for part, _ in found.values()) != content:
            yield from self.named_differences(recording, content, keys, found, proof)

    def named_differences(
        self,
        recording: int,
        content: str,
        keys: Mapping[str, str],
        found: Mapping[str, tuple[str, Sequence[Row]]],
        proof: SealProof,
    ) -> Iterator[Finding]:
        """The same, row by row."""
        try:
            sealed = read_content(content)
        except ValueError as error:
            yield Finding(SEAL_TABLE, recording, None, f"cannot be read: {error}")
            return
        for table in sorted(sealed.keys() | found.keys()):
            lines = sealed.get(table, {})
            part, rows = found.get(table, ("", []))
            if lines and (table, keys[table]) not in self.digesters:
                yield Finding(SEAL_TABLE, recording, None, f"the columns {keys[table]} of {table} are not there.")
                continue
            digesters = self.digesters.get((table, keys.get(table, "")))
            now = read_content(part).get(table, {}) if digesters else {}
            there = {row[1]: row for row in rows}
            for number in sorted(lines.keys() | there.keys()):
                line, row = lines.get(number), there.get(number)
                if line is None:
                    assert row is not None  # one of the two is there
                    yield difference(
                        table, row[2], row[3], "was added to recording {} after that was sealed.", recording
                    )
                elif row is None:
                    yield difference(
                        table, line.record, line.version, "was sealed with recording {}, and is gone.", recording
                    )
                elif digesters is None:
                    proof.unreadable += 1
                elif now[number] != line:
                    yield difference(
                        table, line.record, line.version, "is not what was sealed with recording {}.", recording
                    )


def difference(table: str, record: Any, version: int, what: str, recording: int) -> Finding:
    """What is said of one row of the trail."""
    if table == RECORDING_TABLE:
        return Finding(table, record, None, what.format(recording).replace(f" with recording {recording}", ""))
    return Finding(table, record, version, f"the history row {what.format(recording)}")


def broken_links(using: str) -> Iterator[Finding]:
    """Seals that do not follow the one before in their chain: some are missing, or one was altered."""
    columns = "chain, position, recording_id, settled, content, hash"
    last_chain, last_position, before = None, 0, BEFORE_THE_FIRST
    seals = Seal.objects.using(using).order_by("chain", "position").values_list(*columns.split(", "))
    for chain, position, recording, settled, content, own in seals.iterator(chunk_size=SEALS):
        if chain != last_chain:
            last_chain, last_position, before = chain, 0, BEFORE_THE_FIRST
        if position != last_position + 1:
            yield Finding(
                SEAL_TABLE,
                recording,
                None,
                f"is number {position} of chain {chain}, and follows number {last_position}.",
            )
        elif own != seal_hash(
            before, chain=chain, position=position, recording=recording, settled=settled, content=content
        ):
            yield Finding(SEAL_TABLE, recording, None, f"does not follow from the seal before it in chain {chain}.")
        last_position, before = position, own


def recordings_that_came_later(using: str) -> Iterator[Finding]:
    """Recordings that say they were there when one with a higher number was sealed, and were not sealed before it or with it.

    Each run of `seal` takes all that is settled and unsealed, in the order of the numbers. So whoever was stamped by then,
    with a lower number, had its seal.
    """
    runs: list[tuple[str, int]] = []  # the settled instant of each run before, and the highest number that it sealed
    highest = 0
    settled, in_this_run = "", 0
    rows = read_in_pieces(
        using,
        f"SELECT r.id, r.at, s.settled FROM {RECORDING_TABLE} r LEFT JOIN {SEAL_TABLE} s ON s.recording_id = r.id "  # noqa: S608
        "ORDER BY s.settled IS NULL, s.settled, r.id",
    )
    for number, at, own in rows:
        run = "" if own is None else instant(own)
        if run != settled:
            if in_this_run:
                runs.append((settled, in_this_run))
            highest = max(highest, in_this_run)
            settled, in_this_run = run, 0
        stamped = instant(at)
        if number < highest and any(number < last and stamped <= until for until, last in runs):
            yield Finding(RECORDING_TABLE, number, None, "was added after the recordings of its time were sealed.")
        in_this_run = number
