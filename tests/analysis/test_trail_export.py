"""The exported trail, and the program that checks it with the standard library alone."""

import ast
import hashlib
import json
import subprocess
import sys
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import settings as how_often
from hypothesis import strategies as st

from analysis.trail_export import VERIFIER, export_trail
from patients.models import VitalSigns
from tests import make
from tests.tampering import behind_the_triggers, hash_anew, sql
from trial.access_record.models import AccessEvent
from trial.audit import recording
from trial.audit.seals.checkpoints import make_checkpoint, make_key, public_key_beside, read_key
from trial.audit.seals.verify_export import is_signed
from trial.db.verification import prove

# RFC 8032, 7.1, the first three vectors and the one of 1023 bytes in short: public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.fixture
def study(db):
    """A study with a patient, whose vital signs were entered, corrected and in part deleted."""
    study = make.study()
    patient = make.patient(make.site(study))
    with recording(by=make.author(), reason="Entry", study=study):
        first, second = (
            VitalSigns.objects.create(
                patient=patient, entry=make.entry(patient, "VS", visit), temperature_c=Decimal("36.6")
            )
            for visit in ("SCR", "C1D1")
        )
    with recording(by=make.author(), reason="Misread: ü", study=study):
        first.temperature_c = Decimal("37.0")
        first.save()
        second.delete()
    return study


def verify(file: Path, *options: object) -> tuple[int, str]:
    """Run the program as an inspector would: apart from Marrow, and with nothing installed."""
    words = [sys.executable, "-I", "-S", str(VERIFIER), str(file), *map(str, options)]
    answer = subprocess.run(words, cwd="/", env={}, capture_output=True, text=True, check=False)
    return answer.returncode, answer.stdout + answer.stderr


def altered(file: Path, name: str, old: str, new: str) -> Path:
    """A copy of an export in which a text was replaced, and the manifest made to fit."""
    copy = file.with_name("altered.zip")
    with zipfile.ZipFile(file) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    assert old.encode() in members[name]
    members[name] = members[name].replace(old.encode(), new.encode(), 1)
    manifest = json.loads(members["manifest.json"])
    for described in manifest["files"]:
        described["sha256"] = hashlib.sha256(members[described["name"]]).hexdigest()
    members["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(copy, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return copy


def test_an_export_is_whole_and_is_checked_with_the_standard_library_alone(study, tmp_path):
    file = tmp_path / "trail.zip"
    manifest = export_trail(study, file)

    code, said = verify(file)

    assert code == 0, said
    assert said.endswith("The exported trail is whole.\n")
    with zipfile.ZipFile(file) as archive:
        rows = [json.loads(line) for line in archive.read("rows/patients_vitalsigns.jsonl").splitlines()]
        acts = [json.loads(line) for line in archive.read("rows/trial_recording.jsonl").splitlines()]
    assert [(row["version"], row["row"]["history_type"], row["row"]["temperature_c"]) for row in rows] == [
        (1, "+", "36.6"),
        (1, "+", "36.6"),
        (2, "~", "37"),
        (2, "-", "36.6"),
    ]
    assert [act["row"]["reason"] for act in acts[-2:]] == ["Entry", "Misread: ü"]
    assert manifest["files"][0]["lines"] == len(acts)


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        (
            "rows/patients_vitalsigns.jsonl",
            '"temperature_c":"37"',
            '"temperature_c":"39"',
            "patients_vitalsigns {first} version 2",
        ),
        ("rows/trial_recording.jsonl", "Misread", "Mistake", "trial_recording"),
        ("seals.jsonl", '"position":2', '"position":3', "does not follow from the one before"),
        ("columns.json", "temperature_c ", "temperature_c  ", None),
    ],
)
def test_what_was_altered_in_an_export_is_named(study, tmp_path, name, old, new, told):
    file = tmp_path / "trail.zip"
    export_trail(study, file)
    if told is None:
        old, new, told = '"temperature_c"', '"temperature_f"', "The columns "

    code, said = verify(altered(file, name, old, new))

    assert code == 1
    assert told.format(first=VitalSigns.objects.get().pk) in said


def test_a_file_that_is_not_that_of_the_manifest_is_named(study, tmp_path):
    file = tmp_path / "trail.zip"
    export_trail(study, file)
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("seals.jsonl", "")

    code, said = verify(file)

    assert code == 1
    assert "seals.jsonl is not the file of the manifest." in said


def test_a_checkpoint_finds_what_was_hashed_anew_or_cut_off(study, tmp_path):
    make_key(tmp_path / "key")
    away = tmp_path / "away"
    away.mkdir()
    checkpoint = make_checkpoint(away, read_key(tmp_path / "key"))
    options = ("--checkpoint", checkpoint, "--key", public_key_beside(tmp_path / "key"))
    export_trail(study, tmp_path / "true.zip")
    assert verify(tmp_path / "true.zip", *options)[0] == 0
    with behind_the_triggers("trial_recording"):
        sql("UPDATE trial_recording SET role = 'monitor' WHERE reason = 'Entry'")
    hash_anew()
    export_trail(study, tmp_path / "anew.zip")

    assert verify(tmp_path / "anew.zip")[0] == 0  # it fits itself
    code, said = verify(tmp_path / "anew.zip", *options)

    assert code == 1
    assert "the chain is not that of the checkpoint: it was hashed anew." in said
    with behind_the_triggers("trial_seal"):
        sql("DELETE FROM trial_seal WHERE position > 1 AND chain > 0")
    export_file = tmp_path / "cut.zip"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("analysis.trail_export.seal", lambda using: None)
        export_trail(study, export_file)
    code, said = verify(export_file, *options)
    assert code == 1
    assert "the end was cut off." in said
    (tmp_path / "forged").write_text(checkpoint.read_text().replace('"seals": 2', '"seals": 1'))
    code, said = verify(tmp_path / "true.zip", "--checkpoint", tmp_path / "forged", *options[2:])
    assert (code, said) == (1, f"The signature of {tmp_path / 'forged'} is not by this key.\n")


def test_the_command_writes_one_file_and_puts_it_on_the_access_record(study, tmp_path, capsys):
    call_command("export_trail", "--out", str(tmp_path / "trail.zip"), "--purpose", "Inspection", "--recipient", "EMA")

    assert capsys.readouterr().out.startswith(f"Wrote {tmp_path / 'trail.zip'}, ")
    event = AccessEvent.objects.get()
    assert (event.page, event.what, event.purpose) == ("export_trail command", "trail.zip", "Inspection")
    assert event.patients.count() == 1
    assert [file.name for file in tmp_path.iterdir()] == ["trail.zip"]
    assert prove().findings == ()
    with pytest.raises(CommandError, match="is there already"):
        call_command("export_trail", "--out", str(tmp_path / "trail.zip"))


def test_the_trail_of_real_patients_leaves_for_a_purpose_alone(study, tmp_path):
    with recording(by=make.author(), reason="Real", study=study):
        study.is_synthetic = False
        study.save()

    with pytest.raises(CommandError, match="Say what the data are for and who receives them"):
        call_command("export_trail", "--out", str(tmp_path / "trail.zip"))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.reference
@pytest.mark.parametrize(("key", "text", "signature"), VECTORS)
def test_signatures_are_checked_as_rfc_8032_has_them(key, text, signature):
    key, text, signature = (bytes.fromhex(part) for part in (key, text, signature))

    assert is_signed(key, text, signature)
    assert not is_signed(key, text + b"x", signature)
    assert not is_signed(key, text, signature[:32] + bytes(32))
    assert not is_signed(b"\xff" * 32, text, signature)
    assert not is_signed(key, text, signature[:32] + b"\xff" * 32)


@how_often(max_examples=20)
@given(st.binary(max_size=200), st.integers(0, 511))
def test_signatures_are_checked_as_cryptography_does(text, bit):
    secret = Ed25519PrivateKey.generate()
    key = secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    signature = secret.sign(text)
    flipped = bytearray(signature)
    flipped[bit // 8] ^= 1 << bit % 8

    assert is_signed(key, text, signature)
    assert not is_signed(key, text, bytes(flipped))


def test_the_program_that_checks_is_read_by_python_3_9():
    ast.parse(VERIFIER.read_text(encoding="utf-8"), feature_version=(3, 9))
