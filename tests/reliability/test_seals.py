"""Random tamperings with what is older than the last checkpoint: every one is found, and named.

Sixty in every run on each engine; a thousand with `./marrow test tests/reliability/test_seals.py -m slow`.
"""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction

from patients.models import VitalSigns
from tests import make
from tests.audit_app.models import Bed, Ward, Weighing
from tests.tampering import behind_the_triggers, hash_anew, sql
from trial.audit import Recording, recording
from trial.audit.seals.checkpoints import (
    differences_from,
    make_checkpoint,
    make_key,
    public_key_beside,
    read_checkpoints,
    read_key,
    read_public_key,
)
from trial.audit.seals.proof import prove_seals
from trial.audit.seals.sealing import seal
from trial.db.verification import prove
from trial.models import FormEntry, Patient, Site, Study

pytestmark = pytest.mark.django_db

MODELS = (Ward, Bed, Weighing, Study, Site, Patient, FormEntry, VitalSigns)


def write_a_trail(chance: random.Random) -> None:
    """Two studies, acts of each and of none: records made, changed and deleted, several in an act."""
    studies = [make.study(), make.study("OTHER")]
    for study in studies:
        patient = make.patient(make.site(study))
        for visit in ("SCR", "C1D1"):
            make.record(VitalSigns, patient, visit, temperature_c=Decimal("36.6"))
    for number in range(25):
        with recording(by=make.author(), reason=f"Round {number}", study=chance.choice([None, *studies])):
            ward = Ward.objects.create(name=f"{number}")
            Bed.objects.bulk_create([Bed(ward=ward, number=place) for place in range(3)])
            Weighing.objects.create(label=f"w{number}", kilograms=number, ward=ward, details={"scale": number})
            known = list(Weighing.objects.order_by("pk"))
            for record in chance.sample(known, min(2, len(known))):
                record.kilograms += 1
                record.note = f"seen in round {number}"
                record.save()
            chance.choice(list(Bed.objects.order_by("pk"))).delete()


class World:
    """A sealed trail with a checkpoint that is kept elsewhere, and a little that came later."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        make_key(folder / "key")
        away = folder / "away"
        away.mkdir()
        write_a_trail(chance)
        self.file = make_checkpoint(away, read_key(folder / "key"))
        self.checkpoints = read_checkpoints([away], read_public_key(public_key_beside(folder / "key")))
        self.old = [number for (number,) in sql("SELECT id FROM trial_recording ORDER BY id")]
        for number in range(3):
            with recording(by=make.author(), reason="Later"):
                Ward.objects.create(name=f"later {number}")
            if number == 1:
                seal()
        self.chance = chance

    def told(self) -> list[str]:
        """What `verify_audit --checkpoint` says."""
        found = [*prove().findings, *prove_seals().findings, *differences_from(self.checkpoints)]
        return [str(finding) for finding in found]

    def history(self) -> tuple[Any, dict[str, Any]]:
        """A model, and one of the old rows of its history."""
        while True:
            model = self.chance.choice(MODELS)
            row = self.row(model.history.model._meta.db_table, "recording_id", self.chance.choice(self.old))
            if row:
                return model, row

    def live(self) -> tuple[Any, dict[str, Any]]:
        """A model, and one of its rows that was there at the checkpoint."""
        while True:
            model, old = self.history()
            row = self.row(model._meta.db_table, "id", old["id"])
            if row:
                return model, row

    def row(self, table: str, column: str, value: Any) -> dict[str, Any]:
        """One of the rows of a table with this value, by column; empty without any."""
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT * FROM "{table}" WHERE "{column}" = %s ORDER BY 1', [value])
            rows = cursor.fetchall()
            names = [column[0] for column in cursor.description]
        return dict(zip(names, self.chance.choice(rows), strict=True)) if rows else {}


def names(model: Any, row: dict[str, Any]) -> str:
    """How a record is told."""
    return f"{model._meta.db_table} {row[model._meta.pk.column]}"


def another(value: Any, kind: str) -> Any:
    """A value that differs from this one, for a column of a kind."""
    if kind == "JSONField":
        return '["forged"]'
    if kind == "BinaryField":
        return b"forged forged 16"
    if value is None:
        return {"DateField": "2014-01-01", "BooleanField": True, "CharField": "x", "TextField": "x"}.get(kind, 1)
    if isinstance(value, bool):
        return not value
    if isinstance(value, datetime):
        return str(value + timedelta(seconds=1))
    if isinstance(value, date):
        return str(value + timedelta(days=1))
    if isinstance(value, str):
        return f"{value[:-1]}{'y' if value.endswith('x') else 'x'}"
    return value + 1


def edit(
    model: Any, table: str, key: str, row: dict[str, Any], chance: random.Random, spare: tuple[str, ...] = ()
) -> str:
    """Change one cell of a row past the triggers, and return the name of its column."""
    fields = {field.column: field for field in model._meta.concrete_fields if field.column not in spare}
    column = chance.choice(sorted(fields))
    field = fields[column]
    while field.is_relation:
        field = field.target_field
    with behind_the_triggers(table):
        value = another(row[column], field.get_internal_type())
        sql(f'UPDATE "{table}" SET "{column}" = %s WHERE "{key}" = %s', value, row[key])
    return column


def edit_history(world: World) -> list[str]:
    model, row = world.history()
    history = model.history.model
    edit(history, history._meta.db_table, "history_id", row, world.chance)
    return [f"{names(model, row)} version {row['version']}"]


def edit_recording(world: World) -> list[str]:
    number = world.chance.choice(world.old)
    row = world.row("trial_recording", "id", number)
    edit(Recording, "trial_recording", "id", row, world.chance)
    return [f"trial_recording {number}"]


def edit_live(world: World) -> list[str]:
    model, row = world.live()
    edit(model, model._meta.db_table, "id", row, world.chance, spare=("id",))
    return [f"{names(model, row)} version "]


def edit_seal(world: World) -> list[str]:
    number = world.chance.choice(world.old)
    row = world.row("trial_seal", "recording_id", number)
    column = world.chance.choice(["content", "hash", "settled", "position", "chain", "recording_id"])
    value = another(row[column], "")
    if column == "content":
        place = world.chance.randrange(len(row["content"]))
        value = f"{row['content'][:place]}{'7' if row['content'][place] != '7' else '8'}{row['content'][place + 1 :]}"
    if column in {"position", "chain", "recording_id"}:
        value = row[column] + 100_000
    with behind_the_triggers("trial_seal"):
        sql(f"UPDATE trial_seal SET {column} = %s WHERE recording_id = %s", value, number)
    return [
        f"trial_seal {number}",
        f"trial_recording {number}",
        f"recording {number}",
        f"trial_recording {number + 100_000}",
    ]


def edit_columns(world: World) -> list[str]:
    key, columns = world.chance.choice(
        sql("SELECT key, columns FROM trial_sealedcolumns WHERE \"table\" LIKE 'audit_app%%' ORDER BY key")
    )
    with behind_the_triggers("trial_sealedcolumns"):
        if world.chance.random() < 0.5:
            sql("DELETE FROM trial_sealedcolumns WHERE key = %s", key)
        else:
            sql("UPDATE trial_sealedcolumns SET columns = %s WHERE key = %s", columns.rpartition(" ")[0], key)
    return [key]


def delete_history(world: World) -> list[str]:
    model, row = world.history()
    table = model.history.model._meta.db_table
    with behind_the_triggers(table):
        sql(f"DELETE FROM {table} WHERE history_id = %s", row["history_id"])
    return [f"{names(model, row)} version {row['version']}"]


def delete_act(world: World) -> list[str]:
    """An act with all that it wrote to histories, and perhaps its seal."""
    number = world.chance.choice(world.old)
    with_seal = world.chance.random() < 0.5
    histories = [model.history.model._meta.db_table for model in MODELS]
    with behind_the_triggers("trial_recording", "trial_seal", *histories):
        for table in histories:
            sql(f"DELETE FROM {table} WHERE recording_id = %s", number)
        sql("DELETE FROM trial_recording WHERE id = %s", number)
        if with_seal:
            sql("DELETE FROM trial_seal WHERE recording_id = %s", number)
    return [f"recording {number}"] if not with_seal else ["trial_seal"]


def delete_seal(world: World) -> list[str]:
    number = world.chance.choice(world.old)
    with behind_the_triggers("trial_seal"):
        sql("DELETE FROM trial_seal WHERE recording_id = %s", number)
    return [f"trial_recording {number}"]


def delete_live(world: World) -> list[str]:
    model, row = world.live()
    with behind_the_triggers(model._meta.db_table):
        sql(f"DELETE FROM {model._meta.db_table} WHERE id = %s", row["id"])
    return [f"{names(model, row)} version {row['version']}"]


def delete_record(world: World) -> list[str]:
    """A record with its whole history, so that nothing of it is left in the tables."""
    model, row = world.history()
    history = model.history.model._meta.db_table
    world_has = sql(f"SELECT version, recording_id FROM {history} WHERE id = %s ORDER BY version", row["id"])
    with behind_the_triggers(model._meta.db_table, history):
        sql(f"DELETE FROM {model._meta.db_table} WHERE id = %s", row["id"])
        sql(f"DELETE FROM {history} WHERE id = %s", row["id"])
    return [f"{names(model, row)} version {version}" for version, number in world_has if number <= max(world.old)]


def swap_history(world: World) -> list[str]:
    """The values of two history rows change places; their numbers, records and versions stay."""
    while True:
        model, one = world.history()
        table = model.history.model._meta.db_table
        other = world.row(table, "recording_id", world.chance.choice(world.old))
        stay = {"history_id", "version", model._meta.pk.column, "salt"}
        columns = [column for column in one if column not in stay]
        if other and any(one[column] != other[column] for column in columns):
            break
    assign = ", ".join(
        f'"{column}" = (SELECT "{column}" FROM swapped WHERE swapped.history_id = %s)' for column in columns
    )
    with behind_the_triggers(table):
        sql(f"CREATE TEMPORARY TABLE swapped AS SELECT * FROM {table}")
        for row, source in ((one, other), (other, one)):
            given = [source["history_id"]] * len(columns)
            sql(f"UPDATE {table} SET {assign} WHERE history_id = %s", *given, row["history_id"])
    return [f"{names(model, row)} version {row['version']}" for row in (one, other)]


def swap_seals(world: World) -> list[str]:
    one, other = (world.row("trial_seal", "recording_id", number) for number in world.chance.sample(world.old, 2))
    with behind_the_triggers("trial_seal"):
        for row, source in ((one, other), (other, one)):
            sql(
                "UPDATE trial_seal SET content = %s, hash = %s WHERE recording_id = %s",
                source["content"],
                source["hash"],
                row["recording_id"],
            )
    return [f"recording {row['recording_id']}" for row in (one, other)]


def insert_history(world: World) -> list[str]:
    """A row for a record that never was, in an old act."""
    model, row = world.history()
    table = model.history.model._meta.db_table
    new = row | {
        "history_id": row["history_id"] + 100_000,
        model._meta.pk.column: 100_000,
        "version": 1,
        "history_type": "+",
    }
    columns = ", ".join(f'"{column}"' for column in new)
    with behind_the_triggers(table):
        chosen = ", ".join(
            "%s" if column in {"history_id", "id", "version", "history_type"} else f'"{column}"' for column in new
        )
        sql(
            f"INSERT INTO {table} ({columns}) SELECT {chosen} FROM {table} WHERE history_id = %s",
            *[value for column, value in new.items() if column in {"history_id", "id", "version", "history_type"}],
            row["history_id"],
        )
    return [f"{model._meta.db_table} 100000 version 1"]


def insert_live(world: World) -> list[str]:
    with behind_the_triggers("audit_app_bed"):
        sql("INSERT INTO audit_app_bed (id, version, ward_id, number) SELECT 100000, 1, min(id), 7 FROM audit_app_ward")
    return ["audit_app_bed 100000 version 1"]


def insert_act(world: World) -> list[str]:
    """A whole act among the old ones, with its record: everything fits, but for the seals."""
    with recording(by=make.author(), reason="Forged"):
        Ward.objects.create(name="forged")
    ((number, ward),) = sql("SELECT recording_id, id FROM audit_app_historicalward WHERE name = 'forged'")
    (at,) = sql("SELECT at FROM trial_recording WHERE id = %s", world.chance.choice(world.old))[0]
    forged = min(world.old) - 1
    with behind_the_triggers("trial_recording", "audit_app_historicalward"):
        sql("UPDATE trial_recording SET id = %s, at = %s WHERE id = %s", forged, str(at), number)
        sql(
            "UPDATE audit_app_historicalward SET recording_id = %s, history_date = %s WHERE id = %s",
            forged,
            str(at),
            ward,
        )
    if world.chance.random() < 0.5:
        seal()
    return [f"trial_recording {forged}"]


def cut_the_tail(world: World) -> list[str]:
    """The last acts are gone, with what they wrote, their seals, and everything of them in the tables."""
    since = world.old[-world.chance.randint(1, 5)]
    with behind_the_triggers():
        for model in MODELS:
            table, history = model._meta.db_table, model.history.model._meta.db_table
            shared = [field.column for field in model._meta.concrete_fields]
            sql(f"DELETE FROM {history} WHERE recording_id >= %s", since)
            sql(f"DELETE FROM {table}")
            columns = ", ".join(f'"{column}"' for column in shared)
            sql(
                f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {history} h WHERE history_type <> '-' AND NOT EXISTS "
                f"(SELECT 1 FROM {history} x WHERE x.id = h.id AND x.version > h.version)"
            )
        sql("DELETE FROM trial_recording WHERE id >= %s", since)
        sql("DELETE FROM trial_seal WHERE recording_id >= %s", since)
    return [world.file.name]


def rewrite_and_hash_anew(world: World) -> list[str]:
    """A cell of an old act is rewritten where it stands, and every seal is made anew."""
    world.chance.choice([edit_recording, edit_history, delete_act, insert_history, swap_history, delete_record])(world)
    hash_anew()
    return [world.file.name]


TAMPERINGS: list[Callable[[World], list[str]]] = [
    edit_history,
    edit_recording,
    edit_live,
    edit_seal,
    edit_columns,
    delete_history,
    delete_act,
    delete_seal,
    delete_live,
    delete_record,
    swap_history,
    swap_seals,
    insert_history,
    insert_live,
    insert_act,
    cut_the_tail,
    rewrite_and_hash_anew,
]


class Undo(Exception):
    """Takes a tampering back."""


def tamper_again_and_again(times: int, folder: Path) -> None:
    chance = random.Random(times)
    world = World(folder, chance)
    assert world.told() == []
    found: Counter[str] = Counter()
    for number in range(times):
        tampering = TAMPERINGS[number % len(TAMPERINGS)]
        told, expected = None, []
        while told is None:
            try:
                with transaction.atomic():
                    expected = tampering(world)
                    told = world.told()
                    raise Undo
            except Undo:
                pass
            except DatabaseError:
                told = None  # the database has a constraint against this one: another
        assert told, f"{tampering.__name__} was not found"
        assert any(name in line for name in expected for line in told), (tampering.__name__, expected, told)
        found[tampering.__name__] += 1
    assert world.told() == []
    print(f"\n{connection.vendor}: {found.total()} tamperings, {found.total()} found and named: {dict(found)}")


def test_sixty_tamperings_are_found_and_named(tmp_path):
    tamper_again_and_again(68, tmp_path)


@pytest.mark.slow
def test_a_thousand_tamperings_are_found_and_named(tmp_path):
    tamper_again_and_again(1000, tmp_path)


def seal_for_ever(done: int) -> None:
    """Seal again and again, and say so each time."""
    while True:
        seal()
        os.write(done, b".")


def kill_a_sealer(after: float) -> None:
    """Start a process that seals, and kill it so many seconds after it began."""
    reads, writes = os.pipe()
    connections.close_all()  # a connection must not be shared with a fork
    process = os.fork()
    if process == 0:
        try:
            os.close(reads)
            os.write(writes, b"!")
            seal_for_ever(writes)
        finally:
            os._exit(1)  # nothing of the test's process may be tidied up by its copy
    os.close(writes)
    os.read(reads, 1)
    time.sleep(after)
    os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    os.close(reads)
    assert os.WIFSIGNALED(status), "the sealer ended by itself"


@pytest.mark.django_db(transaction=True)
def test_sealing_goes_on_after_a_kill():
    chance = random.Random(12)
    account = make.author()

    for run in range(12):
        for number in range(20):
            with recording(by=account, reason="A ward"):
                Ward.objects.create(name=f"{run}.{number}")
        kill_a_sealer(chance.uniform(0, 0.25))
        assert prove_seals().findings == []

    seal()
    proof = prove_seals()
    assert (proof.findings, proof.recordings, proof.unsealed) == ([], 240, 0)
