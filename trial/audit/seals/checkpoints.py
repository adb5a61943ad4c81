"""Checkpoints: the ends of all chains, signed, in a file that is kept where whoever owns the database cannot write.

A chain alone shows nothing to somebody who may write all of it: its end can be cut off, or everything hashed anew. What a
checkpoint said once can be held against the chain for ever, with the public key alone.
"""

import hashlib
import json
import os
import tempfile
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.db import DEFAULT_DB_ALIAS

from trial.audit.seals.acts import read_in_pieces
from trial.audit.seals.canonical import instant
from trial.audit.seals.models import Seal
from trial.audit.seals.proof import SEAL_TABLE
from trial.audit.seals.sealing import NO_STUDY, read_heads, seal
from trial.db.reading import snapshot
from trial.db.tables import RECORDING_TABLE
from trial.db.verification import Finding
from trial.version import version

FORMAT = "marrow checkpoint 1"


class CheckpointError(ValueError):
    """No checkpoint was made or read. The message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class ChainEnd:
    """What a checkpoint says of one chain: so many seals, the last one with this hash."""

    chain: int
    study: str  # its code then; empty for acts without a study
    seals: int
    hash: str

    def __str__(self) -> str:
        return f"chain {self.chain} ({self.study or 'acts without a study'})"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The ends of all chains at a settled instant. `recording` is the highest number that was sealed."""

    settled: datetime
    made_at: datetime
    marrow: str
    recording: int
    chains: tuple[ChainEnd, ...]
    file: str = ""

    def __str__(self) -> str:
        return f"the checkpoint {self.file} of {instant(self.settled)}"

    def body(self) -> dict[str, Any]:
        """What is signed, as JSON has it."""
        return {
            "format": FORMAT,
            "marrow": self.marrow,
            "made_at": instant(self.made_at),
            "settled": instant(self.settled),
            "recording": self.recording,
            "chains": [
                {"chain": end.chain, "study": end.study, "seals": end.seals, "hash": end.hash} for end in self.chains
            ],
        }

    @classmethod
    def from_body(cls, body: dict[str, Any], file: str) -> Self:
        """The checkpoint that was signed. Raise `KeyError`, `TypeError` or `ValueError` if it is none."""
        if body["format"] != FORMAT:
            raise ValueError(f"its format is '{body['format']}'")
        return cls(
            settled=datetime.fromisoformat(body["settled"]),
            made_at=datetime.fromisoformat(body["made_at"]),
            marrow=body["marrow"],
            recording=body["recording"],
            chains=tuple(ChainEnd(**end) for end in body["chains"]),
            file=file,
        )


def signed_text(body: dict[str, Any]) -> bytes:
    """The bytes that are signed: JSON without blanks, its keys sorted."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def make_key(file: Path) -> Path:
    """Write a new key, readable by its owner alone, and the public key beside it; return the name of that. Nothing is overwritten."""
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    open_one = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    public = public_key_beside(file)
    try:
        for name, text, mode in ((file, secret, 0o600), (public, open_one, 0o644)):
            with os.fdopen(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as handle:
                handle.write(text)
    except FileExistsError as error:
        raise CheckpointError(
            f"'{error.filename}' is there already. A key is never replaced: name another file."
        ) from error
    except OSError as error:
        raise CheckpointError(f"'{error.filename}' cannot be written: {error.strerror}.") from error
    return public


def public_key_beside(file: Path) -> Path:
    """Where the public key of a key lies."""
    return file.with_name(f"{file.name}.pub")


def read_key(file: Path) -> Ed25519PrivateKey:
    """The key that signs. Raise `CheckpointError` when it is not there, is none, or others can read it."""
    with reading(file):
        mode = file.stat().st_mode & 0o777
        if mode & 0o077:
            raise CheckpointError(
                f"Others than its owner may read or write the key '{file}' (mode {mode:o}). Close it: chmod 600 {file}"
            )
        key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise CheckpointError(f"'{file}' holds no Ed25519 key. Make one: ./marrow make_checkpoint_key")
    return key


def read_public_key(file: Path) -> Ed25519PublicKey:
    """The key that signatures are checked with. Raise `CheckpointError` when it is not there or is none."""
    with reading(file):
        key = serialization.load_pem_public_key(file.read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        raise CheckpointError(f"'{file}' holds no public Ed25519 key.")
    return key


class reading:  # noqa: N801 - reads like the function that it stands for
    """What can be wrong with a key's file becomes a sentence."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise CheckpointError(f"The key '{self.file}' cannot be read: {error.strerror}.") from error
        if isinstance(error, UnsupportedAlgorithm | ValueError | TypeError) and not isinstance(error, CheckpointError):
            raise CheckpointError(f"'{self.file}' holds no key that can be read (PEM, without a password).") from error


def make_checkpoint(folder: Path, key: Ed25519PrivateKey, using: str = DEFAULT_DB_ALIAS) -> Path:
    """Seal what is settled, hold the last checkpoint of the folder against the chains, and write the next one.

    Raise `CheckpointError` when the folder is not there, or its last checkpoint says something else than the chains: whoever
    signed then would vouch for what was altered.
    """
    if not folder.is_dir():
        raise CheckpointError(f"'{folder}' is no folder that is there. Is it mounted? MARROW_CHECKPOINTS names it.")
    sealed = seal(using)
    with snapshot(using):
        if (last := newest(folder)) is not None:
            findings = list(differences_from([read_checkpoint(last, key.public_key())], using))
            if findings:
                told = "\n".join(str(finding) for finding in findings)
                raise CheckpointError(f"No checkpoint was made, because the last one does not hold any more.\n{told}")
        checkpoint = checkpoint_of(using, sealed.settled)
    return write_checkpoint(folder, checkpoint, key)


def checkpoint_of(using: str, settled: datetime) -> Checkpoint:
    """What is to be signed of the chains as they are."""
    from trial.models import Study  # here and not above: its module imports the seals

    codes = dict(Study.objects.using(using).values_list("pk", "code"))
    heads = read_heads(using)
    newest_seal = Seal.objects.using(using).order_by("-recording").values_list("recording", flat=True).first()
    return Checkpoint(
        settled=settled,
        made_at=datetime.now(UTC),
        marrow=version(),
        recording=newest_seal or 0,
        chains=tuple(
            ChainEnd(chain, "" if chain == NO_STUDY else codes.get(chain, ""), heads[chain].position, heads[chain].hash)
            for chain in sorted(heads)
        ),
    )


def write_checkpoint(folder: Path, checkpoint: Checkpoint, key: Ed25519PrivateKey) -> Path:
    """Write the signed file under a name that no other content can have. It is whole, or not there."""
    body = checkpoint.body()
    signature = key.sign(signed_text(body)).hex()
    text = (json.dumps({"checkpoint": body, "signature": signature}, ensure_ascii=False, indent=2) + "\n").encode()
    stamp = checkpoint.settled.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    file = folder / f"checkpoint-{stamp}-{hashlib.sha256(text).hexdigest()[:12]}.json"
    try:
        handle, unfinished = tempfile.mkstemp(prefix=".checkpoint-", dir=folder)
        try:
            with os.fdopen(handle, "wb") as writer:
                writer.write(text)
                os.fchmod(writer.fileno(), 0o444)
                writer.flush()
                os.fsync(writer.fileno())
            if file.exists():
                raise CheckpointError(f"'{file}' is there already, and no checkpoint is overwritten.")
            os.replace(unfinished, file)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(unfinished)
            raise
        place = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(place)
        finally:
            os.close(place)
    except OSError as error:
        raise CheckpointError(f"The checkpoint cannot be written to '{folder}': {error.strerror}.") from error
    return file


def checkpoint_files(folder: Path) -> list[Path]:
    """The checkpoints in a folder, oldest first."""
    return sorted(folder.glob("checkpoint-*.json"))


def newest(folder: Path) -> Path | None:
    """The last checkpoint in a folder."""
    return next(reversed(checkpoint_files(folder)), None)


def read_checkpoint(file: Path, key: Ed25519PublicKey) -> Checkpoint:
    """A checkpoint whose signature is right. Raise `CheckpointError` for any other file."""
    try:
        whole = json.loads(file.read_text(encoding="utf-8"))
        key.verify(bytes.fromhex(whole["signature"]), signed_text(whole["checkpoint"]))
        return Checkpoint.from_body(whole["checkpoint"], file.name)
    except InvalidSignature as error:
        raise CheckpointError(
            f"The signature of '{file}' is not by this key: the file was altered, or it is another install's."
        ) from error
    except OSError as error:
        raise CheckpointError(f"The checkpoint '{file}' cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"'{file}' is no checkpoint ({error}).") from error


def read_checkpoints(names: Iterable[Path], key: Ed25519PublicKey) -> list[Checkpoint]:
    """The checkpoints of files, and of all files in folders, oldest first. Raise `CheckpointError` for a folder without any."""
    files: list[Path] = []
    for name in names:
        found = checkpoint_files(name) if name.is_dir() else [name]
        if not found:
            raise CheckpointError(f"There is no checkpoint in '{name}'.")
        files += found
    return sorted((read_checkpoint(file, key) for file in files), key=lambda checkpoint: checkpoint.settled)


def differences_from(checkpoints: Sequence[Checkpoint], using: str = DEFAULT_DB_ALIAS) -> Iterator[Finding]:
    """What is not as the checkpoints say, oldest first. Of each chain the first that does not hold is told, with the last that does."""
    heads = read_heads(using)
    held: dict[int, str] = {}
    broken: set[int] = set()
    for checkpoint in checkpoints:
        for end in checkpoint.chains:
            if end.chain in broken:
                continue
            if what := difference_from(end, checkpoint, heads[end.chain].position if end.chain in heads else 0, using):
                before = f" The last one that holds is {held[end.chain]}." if end.chain in held else ""
                yield Finding(SEAL_TABLE, None, None, f"{end} {what}{before}")
                broken.add(end.chain)
            else:
                held[end.chain] = str(checkpoint)
    yield from recordings_unknown_to(checkpoints, using)


def difference_from(end: ChainEnd, checkpoint: Checkpoint, seals: int, using: str) -> str:
    """What is wrong with the end that a checkpoint says a chain had; empty when it had it."""
    if seals < end.seals:
        return f"has {seals} seals, but {checkpoint} knows {end.seals}: the end was cut off."
    found = Seal.objects.using(using).filter(chain=end.chain, position=end.seals).values_list("hash", flat=True).first()
    if found != end.hash:
        return f"is not the chain of {checkpoint}: up to its seal {end.seals} something was altered and hashed anew."
    return ""


def recordings_unknown_to(checkpoints: Sequence[Checkpoint], using: str) -> Iterator[Finding]:
    """Recordings that say they were there when a checkpoint was made, and were not sealed then.

    The first checkpoint that a recording says it was there for knows the fewest seals, so it is the only one to ask.
    """
    instants = [instant(checkpoint.settled) for checkpoint in checkpoints]
    numbers = list(accumulate((checkpoint.recording for checkpoint in checkpoints), max))
    known = [{end.chain: end.seals for end in checkpoint.chains} for checkpoint in checkpoints]
    rows = read_in_pieces(
        using,
        f"SELECT r.id, r.at, s.chain, s.position FROM {RECORDING_TABLE} r "  # noqa: S608 - constants
        f"LEFT JOIN {SEAL_TABLE} s ON s.recording_id = r.id ORDER BY r.id",
    )
    for number, at, chain, position in rows:
        first = max(bisect_left(instants, instant(at)), bisect_left(numbers, number))
        if first < len(checkpoints) and (position is None or position > known[first].get(chain, 0)):
            what = f"was not there when {checkpoints[first]} was made, and says that it was."
            yield Finding(RECORDING_TABLE, number, None, what)
