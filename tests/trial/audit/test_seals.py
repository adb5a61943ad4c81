"""What a seal is of: the text of a row is the same on both engines, and the chain holds what was recorded."""

import hashlib
import json
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections, transaction
from hypothesis import given
from hypothesis import strategies as st

from tests import make
from tests.audit_app.models import Ward, Weighing
from tests.tampering import behind_the_triggers, sql
from trial.audit import NotRecorded, Recording
from trial.audit.seals import canonical, sealing
from trial.audit.seals.acts import rows_by_recording, sources
from trial.audit.seals.models import Seal, SealedColumns
from trial.audit.seals.proof import Readers, SealProof, prove_seals
from trial.audit.seals.sealing import read_heads, seal
from trial.db.reading import snapshot


def texts_of(table: str) -> list[dict[str, Any]]:
    """The texts of the rows of a table's history, as they are hashed."""
    with snapshot():
        source = next(source for source in sources("default") if source.table == table)
        write = source.columns.writer()
        found = [row for _, rows in rows_by_recording("default", source) for row in rows]
    return [json.loads(write(row[5:])) for row in found]


def findings() -> list[str]:
    return [str(finding) for finding in prove_seals().findings]


@pytest.mark.django_db
def test_a_row_has_one_text_on_both_engines(act):
    details = {"b": 1.50, "a": [1e5, 'Ü\n"', None, True], "c": 0.1}
    with act("Erste Eingabe: é", channel="command"):
        ward = Ward.objects.create(name="A")
        record = Weighing.objects.create(label='w"1\\', kilograms=-70, ward=ward, details=details, note="")
    with act():
        record.note = None
        record.save()

    first, second = texts_of("audit_app_weighing")
    recording = Recording.objects.get(pk=first["recording_id"])
    assert first == {
        "changed": "[]",
        "changed_on": f"{record.history.last().changed_on.replace(tzinfo=None).isoformat(timespec='microseconds')}Z",
        "details": '{"a":[100000,"Ü\\n\\"",null,true],"b":1.5,"c":0.1}',
        "history_change_reason": "Erste Eingabe: é",
        "history_date": f"{recording.at.replace(tzinfo=None).isoformat(timespec='microseconds')}Z",
        "history_id": record.history.last().history_id,
        "history_type": "+",
        "history_user_id": recording.by_id,
        "id": record.pk,
        "kilograms": -70,
        "label": 'w"1\\',
        "note": "",
        "recording_id": recording.pk,
        "unit": "kg",
        "version": 1,
        "ward_id": ward.pk,
    }
    assert second["note"] is None
    assert second["changed"] == '["note","changed_on"]'


@pytest.mark.django_db
def test_numbers_days_instants_and_choices_of_a_form_have_one_text_on_both_engines():
    study = make.study(
        first_step_dose_ug=Decimal("9.0"),
        full_dose_ug=Decimal("28.5"),
        mrd_cut=1e-4,
        confidence=0.95,
        is_synthetic=True,
        data_cutoff=date(2014, 9, 30),
    )

    (text,) = texts_of("trial_study")

    expected = {
        "code": study.code,
        "confidence": 0.95,
        "data_cutoff": "2014-09-30",
        "first_step_dose_ug": "9",
        "full_dose_ug": "28.5",
        "is_synthetic": True,
        "mrd_cut": 0.0001,
        "registration": "",
    }
    assert {name: text[name] for name in expected} == expected
    assert text["today"] is None


def test_a_row_has_the_same_digest_whichever_engine_gives_its_values():
    columns = canonical.Columns("ward_weight", ("amount", "day"), (canonical.decimal(2), str))
    write = columns.writer()

    texts = {write((70.5, "2014-09-30")), write((Decimal("70.50"), date(2014, 9, 30)))}

    (text,) = texts
    assert text == '{"amount":"70.5","day":"2014-09-30"}'
    # Worked out by sha256sum, from the bytes 0 to 15, the table, a line feed and the text.
    assert canonical.row_digest(bytes(range(16)), "ward_weight", text) == (
        "757e4d4141e226a9761b5b60abc3051cf2a22893e58fbef468ca37c483d3bbd9"
    )


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=4))
def test_a_decimal_number_has_one_text_as_a_float_and_as_a_decimal(number):
    text = canonical.decimal(4)

    assert text(float(number)) == text(number) == text(Decimal(f"{number}0"))
    assert Decimal(text(number)) == number


@given(st.decimals(min_value=-1000, max_value=1000, places=2), st.floats(min_value=1e-9, max_value=1e-4))
def test_a_number_that_was_altered_by_less_than_its_places_has_another_text(number, little):
    text = canonical.decimal(2)
    altered = float(number) + little

    assert (text(altered) == text(number)) == (altered == float(number))


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1)), st.integers(-840, 840))
def test_an_instant_has_one_text_whatever_its_zone(moment, minutes):
    instant = moment.replace(tzinfo=UTC)
    as_sqlite_keeps_it = str(moment)  # no fraction where it is whole, as Django writes it

    text = canonical.instant(instant)

    assert text == canonical.instant(as_sqlite_keeps_it)
    assert text == canonical.instant(instant.astimezone(timezone(timedelta(minutes=minutes))))
    assert datetime.fromisoformat(text) == instant


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_json_has_one_text_however_it_was_written(value):
    text = canonical.json_text(json.dumps(value))

    assert text == canonical.json_text(json.dumps(value, indent=2, ensure_ascii=False))
    assert json.loads(text) == value


@given(
    st.lists(st.one_of(st.none(), st.text()), min_size=3, max_size=3),
    st.lists(st.one_of(st.none(), st.text()), min_size=3, max_size=3),
)
def test_two_rows_have_one_text_only_if_they_are_the_same(one, other):
    write = canonical.Columns("t", ("a", "b", "c"), (canonical.as_it_is,) * 3).writer()

    assert (write(one) == write(other)) == (one == other)


def test_what_a_column_should_not_hold_has_a_text_too():
    write = canonical.Columns("t", ("a", "b"), (canonical.as_it_is, canonical.as_it_is)).writer()

    assert write((b"\xff", "x")) == '{"a":"b\'\\\\xff\'","b":"x"}'
    assert canonical.instant("no instant") == "no instant"
    assert canonical.yes_or_no(2) == 2
    assert canonical.json_text("no json") == "no json"
    with pytest.raises(canonical.NoText, match="A DurationField has no text"):
        canonical.reading_of("DurationField")


@pytest.mark.django_db
def test_every_tracked_table_has_a_salt_in_its_history_and_a_text_for_each_column():
    tracked = [model for model in apps.get_models() if hasattr(model, "history") and not hasattr(model, "history_id")]

    found = {source.table: source for source in sources("default")}

    assert {model._meta.db_table for model in tracked} | {"trial_recording"} == found.keys()
    assert all(source.has_salt for source in found.values())


@pytest.mark.django_db
def test_each_row_of_the_trail_has_a_salt_of_its_own(act, weighing):
    with act():
        weighing.kilograms = 71
        weighing.save()

    salts = [bytes(salt) for salt in Weighing.history.values_list("salt", flat=True)]
    salts += [bytes(salt) for salt in Recording.objects.values_list("salt", flat=True)]

    assert {len(salt) for salt in salts} == {16}
    assert len(set(salts)) == len(salts) == 4


@pytest.mark.django_db
def test_seals_follow_one_another_in_the_chain_of_each_study(act):
    study = make.study()  # an act of its own, without a study
    for chain in (study, None, study):
        with act(study=chain):
            Ward.objects.create(name=str(Ward.objects.count()))

    done = seal()

    numbers = list(Recording.objects.order_by("pk").values_list("pk", flat=True))
    assert done.recordings == 4
    assert list(Seal.objects.values_list("chain", "position", "recording_id")) == [
        (0, 1, numbers[0]),
        (0, 2, numbers[2]),
        (study.pk, 1, numbers[1]),
        (study.pk, 2, numbers[3]),
    ]
    assert seal().recordings == 0
    assert read_heads("default")[study.pk].position == 2
    proof = prove_seals()
    assert (proof.findings, proof.recordings, proof.unsealed, proof.rows) == ([], 4, 0, 4)


@pytest.mark.django_db
def test_the_hash_of_a_seal_can_be_worked_out_by_hand(act, weighing):
    seal()

    (only,) = Seal.objects.all()
    head, recording, *tables = only.content.splitlines()
    text = f"{'0' * 64}\n0 1 {only.recording_id} {canonical.instant(only.settled)}\n{only.content}"
    assert only.hash == hashlib.sha256(text.encode()).hexdigest()
    assert head.split()[0] == "trial_recording"
    assert recording.split()[:3] == [str(only.recording_id), str(only.recording_id), "0"]
    assert [line.split()[0] for line in tables[::2]] == ["audit_app_ward", "audit_app_weighing"]
    row = weighing.history.get()
    text = json.dumps(texts_of("audit_app_weighing")[0], ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    digest = hashlib.sha256(bytes(row.salt) + f"audit_app_weighing\n{text}".encode()).hexdigest()
    assert tables[-1] == f"{row.history_id} {weighing.pk} 1 {digest}"


@pytest.mark.django_db
def test_what_is_recorded_later_is_not_sealed_yet_and_no_fault(act, weighing):
    seal()
    with act():
        weighing.kilograms = 71
        weighing.save()

    assert prove_seals().unsealed == 1
    assert findings() == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trial_seal SET position = 7",
        "DELETE FROM trial_seal",
        "UPDATE trial_sealedcolumns SET columns = 'id'",
        "DELETE FROM trial_sealedcolumns",
    ],
)
def test_seals_are_never_changed_or_removed(act, weighing, statement):
    seal()

    with (
        pytest.raises(NotRecorded, match="belongs to the audit trail"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)

    assert Seal.objects.count() == 1
    assert findings() == []


@pytest.mark.django_db
def test_rows_whose_columns_the_program_does_not_know_any_more_are_proved_by_their_digests_alone(act, weighing):
    tables = sources("default")
    known = next(source for source in tables if source.table == "audit_app_weighing").columns.names
    names = " ".join(sorted([*known, "pounds"]))
    older = SealedColumns(
        key=canonical.key_of_columns("audit_app_weighing", names), table="audit_app_weighing", columns=names
    )
    older.save(force_insert=True)
    readers = Readers("default", tables)
    content = f"audit_app_weighing {older.key}\n1 1 1 {'a' * 64}\n"
    proof = SealProof()

    (source,) = [source for source in tables if source.table == "audit_app_weighing"]
    found = list(readers.differences(1, content, [(source, [(1, 1, 1, 1, None)])], proof))

    assert (found, proof.unreadable) == ([], 1)


@pytest.mark.django_db(transaction=True)
def test_two_seals_at_once_seal_each_recording_once(act):
    for number in range(30):
        with act():
            Ward.objects.create(name=str(number))
    together, done = threading.Barrier(4), []

    def work():
        try:
            together.wait(timeout=20)
            done.append(seal().recordings)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(done) == 4
    assert sum(done) == 30
    assert list(Seal.objects.values_list("position", flat=True)) == list(range(1, 31))
    assert findings() == []


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_an_act_with_a_lower_number_that_commits_later_is_sealed_behind_the_others(act):
    has_number, may_write = threading.Event(), threading.Event()

    def slow():
        try:
            with act():
                has_number.set()
                may_write.wait(20)
                Ward.objects.create(name="slow")
        finally:
            connections.close_all()

    thread = threading.Thread(target=slow)
    thread.start()
    has_number.wait(20)
    with act():
        Ward.objects.create(name="quick")
    assert seal().recordings == 1
    may_write.set()
    thread.join(20)

    assert seal().recordings == 1

    quick, late = Seal.objects.values_list("recording_id", flat=True)
    assert late < quick
    assert findings() == []


@pytest.mark.django_db
def test_the_command_says_how_far_all_is_sealed(act, weighing, capsys):
    call_command("seal")
    call_command("verify_audit")

    sealed, whole, proved = capsys.readouterr().out.splitlines()
    assert sealed.startswith("Sealed 1 recordings. All up to 20")
    assert whole.startswith("The audit trail is whole")
    assert proved == "The seals hold: 1 recordings with 2 history rows are what was sealed."


@pytest.mark.django_db
def test_verify_audit_ends_with_what_is_not_as_it_was_sealed(act, weighing):
    seal()
    connection.protection.remove(connection.protection.triggers())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE trial_recording SET role = 'monitor'")
    connection.protection.renew()

    with pytest.raises(CommandError) as end:
        call_command("verify_audit")

    number = Recording.objects.get().pk
    assert end.value.returncode == 1
    assert str(end.value) == f"The audit trail is not whole.\ntrial_recording {number}: is not what was sealed."


@pytest.mark.django_db
def test_an_act_that_is_gone_as_a_whole_is_told(act):
    for name in ("A", "B"):
        with act():
            Ward.objects.create(name=name)
    seal()
    last = Recording.objects.latest("pk").pk

    with behind_the_triggers():
        sql("DELETE FROM audit_app_ward WHERE name = 'B'")
        sql("DELETE FROM audit_app_historicalward WHERE recording_id = %s", last)
        sql("DELETE FROM trial_recording WHERE id = %s", last)

    assert f"trial_recording {last}: was sealed, and is gone." in findings()


@pytest.mark.django_db
def test_a_seal_that_cannot_be_read_is_told(act, weighing):
    seal()
    first = Seal.objects.first().pk

    with behind_the_triggers():
        sql("UPDATE trial_seal SET content = 'three words here' WHERE recording_id = %s", first)

    assert f"trial_seal {first}: cannot be read: 'three words here' is no line of a seal." in findings()


@pytest.mark.django_db
def test_a_database_without_seals_says_what_to_do(act, weighing):
    sql("DROP TABLE trial_seal")

    proof = prove_seals()

    assert not proof.is_there
    assert [str(finding) for finding in proof.findings] == ["trial_seal: is not there. Run `migrate` first."]


@pytest.mark.django_db
def test_a_column_that_was_taken_out_of_a_history_is_told_and_a_table_that_is_gone_is_not(act, weighing):
    seal()
    SealedColumns(key=canonical.key_of_columns("gone", "id"), table="gone", columns="id").save(force_insert=True)
    tables = []
    for source in sources("default"):
        if source.table == "audit_app_weighing":
            kept = [(name, read) for name, read in zip(source.columns.names, source.columns.readings, strict=True)]
            names, readings = zip(*(pair for pair in kept if pair[0] != "kilograms"), strict=True)
            source = replace(source, columns=canonical.Columns(source.table, names, readings))
        tables.append(source)

    readers = Readers("default", tables)

    told = ["audit_app_weighing: the column kilograms was removed from the history."]
    assert [str(fault) for fault in readers.faults] == told
    assert readers.digesters["gone", canonical.key_of_columns("gone", "id")] is None


@pytest.mark.django_db
def test_a_batch_ends_after_so_many_rows_and_the_next_one_goes_on(act, monkeypatch):
    monkeypatch.setattr(sealing, "ROWS", 2)
    for number in range(5):
        with act():
            Ward.objects.create(name=str(number))

    assert seal().recordings == 5
    assert findings() == []


@pytest.mark.django_db
def test_who_comes_second_goes_on_behind_the_first_one(act, monkeypatch):
    for number in range(3):
        with act():
            Ward.objects.create(name=str(number))
    read = sealing.next_batch

    def overtaken(*given):
        batch = read(*given)
        monkeypatch.setattr(sealing, "next_batch", read)
        seal()
        return batch

    monkeypatch.setattr(sealing, "next_batch", overtaken)

    assert seal().recordings == 0
    assert (Seal.objects.count(), findings()) == (3, [])


@pytest.mark.django_db
def test_a_seal_that_the_database_refuses_for_another_reason_is_no_race(act, monkeypatch):
    with act():
        Ward.objects.create(name="A")
    read = sealing.next_batch

    def twice(*given):
        batch, kinds = read(*given)
        return [*batch, *batch], kinds

    monkeypatch.setattr(sealing, "next_batch", twice)

    with pytest.raises(IntegrityError):
        seal()
    assert Seal.objects.count() == 0


@pytest.mark.django_db
def test_a_seal_and_its_columns_have_names(act, weighing):
    seal()

    assert str(Seal.objects.first()) == "Seal 1 of chain 0"
    assert str(SealedColumns.objects.get(table="audit_app_weighing")).startswith("audit_app_weighing: ")


def test_a_text_is_as_it_is_and_the_salt_of_a_forger_is_some_text():
    assert canonical.reading_of("TextField")("x") == "x"
    assert (canonical.salted(b"s"), canonical.salted(None), canonical.salted("s")) == (b"s", b"", b"s")
