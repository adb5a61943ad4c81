"""Checkpoints: signed, never overwritten, and held against the chain for ever with the public key alone."""

import json
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.core.management import CommandError, call_command

from tests import make, tampering
from tests.audit_app.models import Ward
from tests.tampering import hash_anew
from trial.audit import Recording
from trial.audit.seals.checkpoints import (
    CheckpointError,
    differences_from,
    make_checkpoint,
    make_key,
    public_key_beside,
    read_checkpoint,
    read_checkpoints,
    read_key,
    read_public_key,
    signed_text,
    write_checkpoint,
)
from trial.audit.seals.models import Seal, SealedColumns
from trial.audit.seals.proof import prove_seals
from trial.audit.seals.sealing import seal

pytestmark = pytest.mark.django_db


@pytest.fixture
def key(tmp_path):
    file = tmp_path / "key"
    make_key(file)
    return file


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "checkpoints"
    place.mkdir()
    return place


@pytest.fixture
def checkpoint(folder, key):
    """Makes a checkpoint, and gives its file."""
    return lambda: make_checkpoint(folder, read_key(key))


@pytest.fixture
def five_wards(act):
    """Five acts: two in a study, three without; the study itself is a sixth."""
    study = make.study()
    for number in range(5):
        with act(study=study if number in (1, 3) else None):
            Ward.objects.create(name=str(number))
    return study


@pytest.fixture
def behind_the_triggers(db):
    """Somebody who owns the database does something past the triggers."""

    def tamper(*statements: str) -> None:
        with tampering.behind_the_triggers():
            for statement in statements:
                tampering.sql(statement)

    return tamper


def against(names, key):
    return [
        str(finding) for finding in differences_from(read_checkpoints(names, read_public_key(public_key_beside(key))))
    ]


def test_a_checkpoint_has_the_ends_of_all_chains_and_is_signed(five_wards, checkpoint, key):
    file = checkpoint()

    made = read_checkpoint(file, read_public_key(public_key_beside(key)))
    assert [(end.chain, end.study, end.seals) for end in made.chains] == [
        (0, "", 4),
        (five_wards.pk, "MT103-211", 2),
    ]
    assert made.chains[0].hash == Seal.objects.filter(chain=0).latest("position").hash
    assert made.recording == Recording.objects.latest("pk").pk
    assert file.stat().st_mode & 0o777 == 0o444
    assert against([file], key) == []


def test_openssl_confirms_the_signature(five_wards, checkpoint, key, tmp_path):
    whole = json.loads(checkpoint().read_text())
    (tmp_path / "text").write_bytes(signed_text(whole["checkpoint"]))
    (tmp_path / "signature").write_bytes(bytes.fromhex(whole["signature"]))

    words = f"openssl pkeyutl -verify -pubin -inkey {public_key_beside(key)} -rawin -in text -sigfile signature"
    answer = subprocess.run(words.split(), cwd=tmp_path, capture_output=True, text=True, check=False)

    assert answer.stdout.strip() == "Signature Verified Successfully", answer.stderr


def test_each_checkpoint_is_a_file_of_its_own(act, five_wards, checkpoint, folder, key):
    first = checkpoint()
    text = first.read_bytes()
    with act():
        Ward.objects.create(name="later")
    second = checkpoint()

    assert first.read_bytes() == text
    assert sorted(folder.iterdir()) == [first, second]  # in the order of time, and nothing unfinished is left
    assert against([folder], key) == []


@pytest.mark.parametrize(
    "alter",
    [
        lambda whole: whole["checkpoint"]["chains"][0].update(seals=3),
        lambda whole: whole["checkpoint"].update(settled="2030-01-01T00:00:00.000000Z"),
        lambda whole: whole.update(signature="00" * 64),
    ],
)
def test_an_altered_checkpoint_is_refused(five_wards, checkpoint, key, tmp_path, alter):
    whole = json.loads(checkpoint().read_text())
    alter(whole)
    altered = tmp_path / "altered.json"
    altered.write_text(json.dumps(whole))

    with pytest.raises(CheckpointError, match="is not by this key: the file was altered"):
        against([altered], key)


def test_another_key_vouches_for_nothing(five_wards, checkpoint, tmp_path):
    file = checkpoint()
    make_key(tmp_path / "other")

    with pytest.raises(CheckpointError, match="not by this key"):
        against([file], tmp_path / "other")


def test_an_end_that_was_cut_off_is_found_by_the_checkpoint_alone(five_wards, checkpoint, key, behind_the_triggers):
    file = checkpoint()

    last = Recording.objects.latest("pk").pk
    behind_the_triggers(
        f"DELETE FROM trial_seal WHERE recording_id = {last}",
        "DELETE FROM audit_app_ward WHERE name = '4'",
        f"DELETE FROM audit_app_historicalward WHERE recording_id = {last}",
        f"DELETE FROM trial_recording WHERE id = {last}",
    )

    assert prove_seals().findings == []
    (told,) = against([file], key)
    assert told.startswith(
        f"trial_seal: chain 0 (acts without a study) has 3 seals, but the checkpoint {file.name} of 20"
    )
    assert told.endswith("knows 4: the end was cut off.")


def test_a_trail_that_was_rewritten_and_hashed_anew_is_found_by_the_checkpoint_alone(
    act, five_wards, checkpoint, key, folder, behind_the_triggers
):
    first = checkpoint()
    with act(study=five_wards):
        Ward.objects.create(name="later")
    checkpoint()

    late = Recording.objects.latest("pk").pk
    behind_the_triggers(f"UPDATE trial_recording SET role = 'monitor' WHERE id = {late}")
    hash_anew()

    assert prove_seals().findings == []
    (told,) = against([folder], key)
    assert told.startswith(f"trial_seal: chain {five_wards.pk} (MT103-211) is not the chain of the checkpoint")
    assert "up to its seal 3 something was altered and hashed anew." in told
    assert told.endswith(
        f"The last one that holds is {read_checkpoint(first, read_public_key(public_key_beside(key)))}."
    )


def test_no_checkpoint_vouches_for_what_an_older_one_contradicts(five_wards, checkpoint, folder, behind_the_triggers):
    checkpoint()
    behind_the_triggers("UPDATE trial_recording SET role = 'monitor'")
    hash_anew()

    with pytest.raises(CheckpointError, match="the last one does not hold any more"):
        checkpoint()

    assert len(list(folder.iterdir())) == 1


def test_a_forged_act_of_old_that_was_sealed_at_the_end_is_found(act, five_wards, checkpoint, key, behind_the_triggers):
    file = checkpoint()
    first = Recording.objects.earliest("pk").pk
    with act():
        Ward.objects.create(name="forged")
    number = Recording.objects.latest("pk").pk
    old = "(SELECT at FROM (SELECT at FROM trial_recording ORDER BY id LIMIT 1) first_one)"
    behind_the_triggers(
        f"UPDATE trial_recording SET at = {old}, id = {first - 1} WHERE id = {number}",
        f"UPDATE audit_app_historicalward SET history_date = {old}, recording_id = {first - 1} WHERE recording_id = {number}",
    )
    seal()

    assert [str(finding) for finding in prove_seals().findings] == [
        f"trial_recording {first - 1}: was added after the recordings of its time were sealed."
    ]
    (told,) = against([file], key)
    assert told.startswith(f"trial_recording {first - 1}: was not there when the checkpoint {file.name} of")


def test_the_key_is_closed_to_others_and_refused_when_it_is_not(key):
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(0o640)

    with pytest.raises(
        CheckpointError, match=r"Others than its owner may read or write the key .* \(mode 640\)\. .*chmod 600"
    ):
        read_key(key)


def test_a_key_is_never_replaced(key):
    before = key.read_bytes()

    with pytest.raises(CheckpointError, match=r"is there already\. A key is never replaced"):
        make_key(key)

    assert key.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "told"),
    [("no key", "holds no key that can be read"), (None, "cannot be read: No such file")],
)
def test_a_file_that_is_no_key_gets_a_sentence(tmp_path, text, told):
    file = tmp_path / "key"
    if text is not None:
        file.write_text(text)
        file.chmod(0o600)

    for read in (read_key, read_public_key):
        with pytest.raises(CheckpointError, match=told):
            read(file)


def test_a_file_that_is_no_checkpoint_and_a_folder_without_any_get_a_sentence(tmp_path, key):
    (tmp_path / "x.json").write_text("[]")

    with pytest.raises(CheckpointError, match="is no checkpoint"):
        against([tmp_path / "x.json"], key)
    with pytest.raises(CheckpointError, match="There is no checkpoint in"):
        against([tmp_path], key)


def test_a_mount_that_is_missing_is_told_and_never_made(five_wards, key, tmp_path):
    with pytest.raises(CheckpointError, match=r"is no folder that is there\. Is it mounted\?"):
        make_checkpoint(tmp_path / "mount", read_key(key))

    assert not (tmp_path / "mount").exists()


def test_the_commands_make_a_key_and_a_checkpoint_and_hold_it_against_the_trail(
    five_wards, tmp_path, settings, capsys, behind_the_triggers
):
    settings.CHECKPOINTS, settings.CHECKPOINT_KEY = tmp_path / "away", tmp_path / "signing-key"
    settings.CHECKPOINTS.mkdir()

    call_command("make_checkpoint_key")
    call_command("checkpoint")
    call_command("verify_audit", "--checkpoint", str(settings.CHECKPOINTS))

    said = capsys.readouterr().out.splitlines()
    (file,) = settings.CHECKPOINTS.iterdir()
    assert said[2] == f"Wrote {file}"
    assert said[-1].startswith("1 checkpoints hold, the last one of ")
    behind_the_triggers("DELETE FROM trial_seal", "DELETE FROM trial_sealedcolumns")
    call_command("verify_audit")
    with pytest.raises(CommandError, match="knows 2: the end was cut off"):
        call_command("verify_audit", "--checkpoint", str(file), "--key", f"{settings.CHECKPOINT_KEY}.pub")


def test_without_settings_the_commands_say_what_is_missing(settings):
    settings.CHECKPOINTS = settings.CHECKPOINT_KEY = None

    for command, told in (
        (("checkpoint",), "MARROW_CHECKPOINTS is missing"),
        (("make_checkpoint_key",), "Say in which file the key is to be"),
        (("verify_audit", "--checkpoint", str(Path(__file__))), "Name the public key of the checkpoints with --key"),
    ):
        with pytest.raises(CommandError, match=told):
            call_command(*command)


def test_the_seals_of_the_columns_are_part_of_what_is_proved(five_wards, behind_the_triggers):
    seal()
    key = SealedColumns.objects.get(table="audit_app_ward").key

    behind_the_triggers("UPDATE trial_sealedcolumns SET columns = 'id' WHERE \"table\" = 'audit_app_ward'")

    told = [str(finding) for finding in prove_seals().findings]
    assert told[0] == f"trial_sealedcolumns {key}: was altered."


def test_a_signed_file_of_another_format_is_refused(five_wards, checkpoint, key, tmp_path):
    body = json.loads(checkpoint().read_text())["checkpoint"] | {"format": "marrow checkpoint 9"}
    signature = read_key(key).sign(signed_text(body)).hex()
    (tmp_path / "newer.json").write_text(json.dumps({"checkpoint": body, "signature": signature}))

    with pytest.raises(CheckpointError, match="its format is 'marrow checkpoint 9'"):
        against([tmp_path / "newer.json"], key)


def test_keys_and_checkpoints_that_are_not_there_get_a_sentence(key, tmp_path):
    with pytest.raises(CheckpointError, match="cannot be written: No such file or directory"):
        make_key(tmp_path / "nowhere" / "key")
    with pytest.raises(CheckpointError, match="cannot be read: No such file or directory"):
        against([tmp_path / "none.json"], key)


def test_a_key_of_another_kind_is_refused(tmp_path):
    other = ec.generate_private_key(ec.SECP256R1())
    secret, public = tmp_path / "secret", tmp_path / "public"
    secret.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    secret.chmod(0o600)
    public.write_bytes(other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    with pytest.raises(CheckpointError, match="holds no Ed25519 key"):
        read_key(secret)
    with pytest.raises(CheckpointError, match="holds no public Ed25519 key"):
        read_public_key(public)


def test_no_checkpoint_is_overwritten_and_one_that_cannot_be_written_leaves_nothing(
    five_wards, checkpoint, key, folder, tmp_path
):
    file = checkpoint()
    made = read_checkpoint(file, read_public_key(public_key_beside(key)))

    with pytest.raises(CheckpointError, match="is there already, and no checkpoint is overwritten"):
        write_checkpoint(folder, made, read_key(key))
    with pytest.raises(CheckpointError, match="The checkpoint cannot be written to"):
        write_checkpoint(tmp_path / "gone", made, read_key(key))

    assert list(folder.iterdir()) == [file]


def test_a_chain_that_is_cut_off_is_told_once_however_many_checkpoints_know_it(
    act, five_wards, checkpoint, folder, key, behind_the_triggers
):
    checkpoint()
    with act():
        Ward.objects.create(name="later")
    checkpoint()

    behind_the_triggers("DELETE FROM trial_seal WHERE chain = 0")

    assert len([told for told in against([folder], key) if "chain 0" in told]) == 1
