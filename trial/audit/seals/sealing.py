"""Sealing: behind the writers, in batches, over what is settled. It can be stopped, repeated, and run twice at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS, IntegrityError, connections, transaction
from django.db.models import Exists, OuterRef

from trial.audit.models import Recording
from trial.audit.seals.acts import VALUES_FROM, Row, Source, acts, sources
from trial.audit.seals.canonical import BEFORE_THE_FIRST, Columns, row_digest, salted, seal_hash, write_part
from trial.audit.seals.models import Seal, SealedColumns
from trial.db.reading import settled_instant, snapshot

RECORDINGS, ROWS = 2_000, 20_000  # of a batch, at most; the last act may be longer
NO_STUDY = 0  # the chain of recordings without a study: people, sites


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: how many seals it has, and the hash of the last one."""

    chain: int
    position: int
    hash: str
    recording: int


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a run of `seal` did: how many recordings it sealed, and up to which instant all are."""

    recordings: int
    settled: datetime


def seal(using: str = DEFAULT_DB_ALIAS) -> Sealed:
    """Seal every recording that is settled and has no seal yet."""
    settled = settled_instant(using)
    done = 0
    while True:
        with snapshot(using):
            heads = read_heads(using)
            batch, kinds = next_batch(using, heads, settled)
        if not batch:
            return Sealed(done, settled)
        try:
            with transaction.atomic(using=using):
                known = set(SealedColumns.objects.using(using).values_list("key", flat=True))
                SealedColumns.objects.using(using).bulk_create(kind for kind in kinds if kind.key not in known)
                Seal.objects.using(using).bulk_create(batch, batch_size=500)
            done += len(batch)
        except IntegrityError:
            if read_heads(using) == heads:
                raise
            # another `seal` was faster: go on behind it


def read_heads(using: str) -> dict[int, Head]:
    """The end of each chain."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT chain, position, hash, recording_id FROM trial_seal "
            "WHERE (chain, position) IN (SELECT chain, max(position) FROM trial_seal GROUP BY chain)"
        )
        return {row[0]: Head(*row) for row in cursor.fetchall()}


def next_batch(using: str, heads: dict[int, Head], settled: datetime) -> tuple[list[Seal], list[SealedColumns]]:
    """The next seals, in the order of the numbers, and the columns that they are of.

    A recording can have a lower number than one that is sealed: it had its number, and no instant, when that was sealed.
    """
    unsealed = Recording.objects.using(using).filter(~Exists(Seal.objects.filter(recording=OuterRef("pk"))))
    studies = dict(unsealed.filter(at__lte=settled).order_by("pk").values_list("pk", "study_id")[:RECORDINGS])
    if not studies:
        return [], []
    tables = sources(using)
    writers = {source.table: Digester(source) for source in tables}
    ends = {chain: (head.position, head.hash) for chain, head in heads.items()}
    batch: list[Seal] = []
    rows = 0
    for number, parts in acts(using, tables, only=studies):
        assert isinstance(number, int)  # chosen by numbers
        chain = studies[number] or NO_STUDY
        position, before = ends.get(chain, (0, BEFORE_THE_FIRST))
        content = "".join(writers[source.table].part_of(found) for source, found in parts)
        values: dict[str, Any] = {"chain": chain, "position": position + 1, "settled": settled, "content": content}
        own = seal_hash(before, recording=number, **values)
        batch.append(Seal(recording_id=number, hash=own, **values))
        ends[chain] = (position + 1, own)
        rows += sum(len(found) for _, found in parts)
        if rows >= ROWS:
            break
    kinds = [
        SealedColumns(key=source.columns.key, table=source.table, columns=" ".join(source.columns.names))
        for source in tables
        if writers[source.table].is_used
    ]
    return batch, kinds


class Digester:
    """Makes the lines of a table's rows, under the columns that the table has now or had when they were sealed."""

    def __init__(self, source: Source, columns: Columns | None = None) -> None:
        self.columns = columns or source.columns
        places = [source.columns.names.index(name) + VALUES_FROM for name in self.columns.names]
        self.choose = None if self.columns == source.columns else places
        self.write = self.columns.writer()
        self.is_used = False

    def part_of(self, rows: Sequence[Row]) -> str:
        """The part of a seal's content that is about these rows."""
        self.is_used = True
        return write_part(self.columns.table, self.columns.key, map(self.line, rows))

    def line(self, row: Row) -> str:
        """The line of one row."""
        values = row[VALUES_FROM:] if self.choose is None else [row[place] for place in self.choose]
        digest = row_digest(salted(row[4]), self.columns.table, self.write(values))
        return f"{row[1]} {row[2]} {row[3]} {digest}\n"
