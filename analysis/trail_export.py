"""The audit trail of a study as a file: every recording and history row, their seals, and the program that checks them elsewhere.

The rule: all or nothing, in bounded memory. The zip is written beside its place, put on the access record, and named into place.
"""

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from analysis.disclosure import CannotExport, Disclosure, Keep, check_purpose, keep_in_the_name_of
from analysis.extract import EVERYTHING
from analysis.report import SYNTHETIC
from trial.audit.seals import verify_export
from trial.audit.seals.acts import Source, read_in_pieces, sources
from trial.audit.seals.canonical import instant, salted, text_of
from trial.audit.seals.models import Seal, SealedColumns
from trial.audit.seals.sealing import seal
from trial.db.reading import snapshot
from trial.db.tables import RECORDING_TABLE
from trial.models import Patient, Study
from trial.version import version

VERIFIER = Path(verify_export.__file__)


def export_trail(
    study: Study,
    out: Path,
    *,
    purpose: str = "",
    recipient: str = "",
    keep: Keep | None = None,
    using: str = DEFAULT_DB_ALIAS,
) -> dict[str, Any]:
    """Seal what is settled, write the trail of a study into the new file `out`, and return the manifest that is in it.

    Raises `CannotExport` when purpose or recipient is missing for data of real patients, or the file is there already.
    """
    check_purpose(study, purpose, recipient)
    if out.exists():
        raise CannotExport(f"'{out}' is there already. Name a new file.")
    seal(using)
    out.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{out.name}-", dir=out.parent)
    os.close(handle)
    unfinished = Path(name)
    try:
        with snapshot(using) as settled:
            manifest = _write(unfinished, study, settled, purpose, recipient, using)
            patients = frozenset(Patient.history.using(using).filter(study_id=study.pk).values_list("id", flat=True))
        with unfinished.open("rb") as packed:
            content_hash = hashlib.file_digest(packed, "sha256").hexdigest()
        left = Disclosure(study, out.name, patients, purpose, recipient, content_hash)
        (keep or keep_in_the_name_of(EVERYTHING, "export_trail command"))(left)
        unfinished.chmod(0o640)
        unfinished.rename(out)
    except BaseException:
        with suppress(FileNotFoundError):
            unfinished.unlink()
        raise
    return manifest


def _write(file: Path, study: Study, settled: datetime, purpose: str, recipient: str, using: str) -> dict[str, Any]:
    """Write the zip. Each table is one file of JSON lines, read and written in pieces."""
    tables = sources(using)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        files = [
            _write_lines(archive, f"rows/{source.table}.jsonl", _rows(source, study, settled, using))
            for source in tables
        ]
        files.append(_write_lines(archive, "seals.jsonl", _seals(study, using)))
        files.append(_write_lines(archive, "columns.json", [text_of(_columns(using))]))
        files.append(_write_lines(archive, VERIFIER.name, [VERIFIER.read_text(encoding="utf-8").rstrip("\n")]))
        manifest = {
            "format": "marrow trail 1",
            "study": study.code,
            "chain": study.pk,
            "synthetic": study.is_synthetic,
            "note": SYNTHETIC if study.is_synthetic else "",
            "settled": instant(settled),
            "made_at": instant(datetime.now(UTC)),
            "marrow": version(),
            "purpose": purpose,
            "recipient": recipient,
            "tables": {source.table: list(source.columns.names) for source in tables},
            "files": files,
        }
        archive.writestr("manifest.json", json.dumps(manifest, ensure_ascii=False, indent=2) + "\n")
        archive.writestr("README.txt", _readme(manifest))
    return manifest


def _write_lines(archive: zipfile.ZipFile, name: str, lines: Iterable[str]) -> dict[str, Any]:
    """Write one file of the zip line by line, and describe it for the manifest."""
    digest, count = hashlib.sha256(), 0
    with archive.open(name, "w", force_zip64=True) as member:
        for count, line in enumerate(lines, 1):  # noqa: B007 - the last one is the count
            text = f"{line}\n".encode("utf-8", "surrogatepass")
            digest.update(text)
            member.write(text)
    return {"name": name, "lines": count, "sha256": digest.hexdigest()}


def _rows(source: Source, study: Study, settled: datetime, using: str) -> Iterator[str]:
    """The rows of a table's trail in the order of their seals, each as what is hashed of it, and what the hash needs."""
    at = connections[using].ops.adapt_datetimefield_value(settled)
    write = source.columns.writer()
    acts = f"SELECT id FROM {RECORDING_TABLE} WHERE study_id = %s AND at <= %s"  # noqa: S608 - a constant
    rows = source.select(f't."{source.recording}" IN ({acts})', with_positions=True)
    for position, _, number, record, row_version, salt, *values in read_in_pieces(using, rows, [study.pk, at]):
        salt_text = "null" if salt is None else f'"{salted(salt).hex()}"'
        yield (
            f'{{"seal":{text_of(position)},"number":{number},"record":{text_of(record)},"version":{row_version},'
            f'"salt":{salt_text},"row":{write(values)}}}'
        )


def _seals(study: Study, using: str) -> Iterator[str]:
    """The chain of a study."""
    names = ("chain", "position", "recording_id", "settled", "content", "hash")
    seals = Seal.objects.using(using).filter(chain=study.pk).order_by("position").values_list(*names)
    for chain, position, recording, settled, content, own in seals.iterator(chunk_size=500):
        yield text_of(
            {
                "chain": chain,
                "position": position,
                "recording": recording,
                "settled": instant(settled),
                "content": content,
                "hash": own,
            }
        )


def _columns(using: str) -> dict[str, Any]:
    """Which columns the digests are of."""
    kinds = SealedColumns.objects.using(using).order_by("key")
    return {kind.key: {"table": kind.table, "columns": kind.columns.split(" ")} for kind in kinds}


def _readme(manifest: dict[str, Any]) -> str:
    lines = [
        f"{manifest['study']}: the audit trail, as of {manifest['settled']}, Marrow {manifest['marrow']}",
        manifest["note"],
        "",
        "rows/      one file a table: every version of every record, one a line. trial_recording has the acts:",
        "           who, in which role, when, why. A row points to its act by recording_id.",
        "seals.jsonl and columns.json prove that nothing of it was altered after it was sealed.",
        "manifest.json has the SHA-256 of each file.",
        "",
        f"To check it with Python 3.9 or later alone, read {VERIFIER.name} (it is short) and run it:",
        f"    python3 {VERIFIER.name} THIS.zip",
        f"    python3 {VERIFIER.name} THIS.zip --checkpoint CHECKPOINT.json --key PUBLIC.pem",
        "Ask for a checkpoint from where they are kept, and for the public key: without them a trail that was",
        "rewritten and sealed anew as a whole, or whose end was cut off, looks whole.",
    ]
    return "\n".join(lines) + "\n"
