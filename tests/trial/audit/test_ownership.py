"""A record belongs to one patient and a patient to one study, on every way of writing, on both engines."""

from collections.abc import Callable
from datetime import date

import pytest
from django.db import connection, migrations, models, transaction

from patients.models import Marrow, MrdAssay
from safety.models import CytokineRelease
from tests import make
from tests.audit_app.models import Bed, Ward
from tests.trial.audit.test_migrations import apply
from trial.audit import Misplaced, NotRecorded
from trial.db.tables import Bond, Reference
from trial.db.verification import prove
from trial.models import FormEntry, Membership, Patient, Person, Site

OF_ANOTHER_PATIENT = (
    r"The marrow_id of this row of patients_mrdassay points to no row of the same patient\. "
    r"Choose one that is there and belongs to the patient\."
)


def sql(statement: str, *parameters: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


class Two:
    """Two patients of one study, each with a marrow, and an assay of the first one's."""

    def __init__(self) -> None:
        self.site = make.site(make.study())
        self.one, self.other = make.patient(self.site), make.patient(self.site)
        self.own, self.foreign = make.record(Marrow, self.one), make.record(Marrow, self.other)
        self.assay = make.record(MrdAssay, self.one, marrow=self.own)

    def new_assay(self, marrow: Marrow | None) -> MrdAssay:
        """Another assay of the first patient, not saved."""
        return MrdAssay(patient=self.one, entry=self.assay.entry, marrow=marrow, **make.USUAL[MrdAssay])


@pytest.fixture
def two(db) -> Two:
    return Two()


def insert_by_sql(two: Two, marrow: Marrow, verb: str = "INSERT") -> None:
    columns = [field.column for field in MrdAssay._meta.concrete_fields if field.column not in {"id", "marrow_id"}]
    copied = ", ".join(columns)
    sql(
        f"{verb} INTO patients_mrdassay ({copied}, marrow_id) SELECT {copied}, %s FROM patients_mrdassay WHERE id = %s",
        marrow.pk,
        two.assay.pk,
    )


def save(two: Two, marrow: Marrow) -> None:
    two.assay.marrow = marrow
    two.assay.save()


def bulk_update(two: Two, marrow: Marrow) -> None:
    two.assay.marrow = marrow
    MrdAssay.objects.bulk_update([two.assay], ["marrow"])


def upsert(two: Two, marrow: Marrow) -> None:
    sql(
        "INSERT INTO patients_mrdassay (id, patient_id, entry_id, missing, method, laboratory, sensitivity, result, version) "
        "SELECT id, patient_id, entry_id, missing, method, laboratory, sensitivity, result, version "
        "FROM patients_mrdassay WHERE id = %s ON CONFLICT (id) "
        "DO UPDATE SET marrow_id = %s, version = patients_mrdassay.version + 1",
        two.assay.pk,
        marrow.pk,
    )


INSERTS: list[Callable[[Two, Marrow], object]] = [
    lambda two, marrow: two.new_assay(marrow).save(),
    lambda two, marrow: MrdAssay.objects.bulk_create([two.new_assay(None), two.new_assay(marrow)]),
    lambda two, marrow: MrdAssay.objects.bulk_create([two.new_assay(marrow)], ignore_conflicts=True),
    lambda two, marrow: marrow.assays.add(two.new_assay(None), bulk=False),
    insert_by_sql,
]
UPDATES: list[Callable[[Two, Marrow], object]] = [
    save,
    bulk_update,
    lambda two, marrow: MrdAssay.objects.update(marrow=marrow),
    lambda two, marrow: marrow.assays.set([two.assay]),
    lambda two, marrow: sql(
        "UPDATE patients_mrdassay SET marrow_id = %s, version = version + 1 WHERE id = %s", marrow.pk, two.assay.pk
    ),
]
if connection.vendor == "sqlite":  # its own verbs; the upsert is refused before it conflicts
    INSERTS += [
        lambda two, marrow, verb=verb: insert_by_sql(two, marrow, verb)
        for verb in ("INSERT OR IGNORE", "INSERT OR REPLACE", "INSERT OR FAIL", "INSERT OR ROLLBACK")
    ]
    UPDATES += [
        lambda two, marrow, verb=verb: sql(
            f"{verb} patients_mrdassay SET marrow_id = %s, version = version + 1", marrow.pk
        )
        for verb in ("UPDATE OR IGNORE", "UPDATE OR REPLACE")
    ]
else:
    UPDATES += [upsert]


@pytest.mark.parametrize("path", INSERTS + UPDATES)
def test_a_row_that_points_to_another_patients_row_is_refused(path, two, act):
    with pytest.raises(Misplaced, match=OF_ANOTHER_PATIENT), act():
        path(two, two.foreign)

    assert list(MrdAssay.objects.values_list("pk", "marrow", "version")) == [(two.assay.pk, two.own.pk, 1)]
    assert MrdAssay.history.count() == 1


@pytest.mark.parametrize("path", INSERTS + UPDATES)
def test_a_row_that_points_to_a_row_of_the_same_patient_is_recorded(path, two, act):
    second = make.record(Marrow, two.one, sampled_on="2013-04-04")

    with act():
        path(two, second)

    assert MrdAssay.objects.filter(marrow=second).exists()
    assert prove().findings == ()


def test_a_row_may_point_to_nothing(two, act):
    with act():
        two.new_assay(None).save()
        save(two, None)

    assert MrdAssay.objects.filter(marrow=None).count() == 2


def test_a_row_cannot_come_before_what_it_points_to(two, act):
    """References are checked when the transaction ends, and by then the row could be another patient's."""
    later = Marrow(pk=two.foreign.pk + 100)

    with pytest.raises(Misplaced, match=OF_ANOTHER_PATIENT), act():
        MrdAssay.objects.update(marrow=later)


def test_a_record_on_another_patients_form_is_refused(two, act):
    with (
        pytest.raises(
            Misplaced, match="The entry_id of this row of patients_marrow points to no row of the same patient"
        ),
        act(),
    ):
        Marrow(patient=two.one, entry=two.foreign.entry, **make.USUAL[Marrow] | {"sampled_on": "2013-04-04"}).save()

    assert Marrow.objects.count() == 2


def test_a_detail_of_another_patients_event_is_refused(two, act):
    details = make.record(CytokineRelease, two.one)
    theirs = make.record(type(details.event), two.other)

    with pytest.raises(Misplaced, match="The event_id of this row of safety_cytokinerelease"), act():
        CytokineRelease.objects.update(event=theirs)


HANDS: list[Callable[[Two], object]] = [
    lambda two: FormEntry.objects.filter(patient=two.one).update(patient=two.other, repeat=9),
    lambda two: sql(
        "UPDATE trial_formentry SET patient_id = %s, repeat = 9, version = version + 1 WHERE id = %s",
        two.other.pk,
        two.own.entry_id,
    ),
    lambda two: MrdAssay.objects.update(patient=two.other, entry=two.foreign.entry, marrow=two.foreign),
    lambda two: Marrow.objects.filter(pk=two.own.pk).update(patient=two.other, sampled_on="2013-04-04"),
]


@pytest.mark.parametrize("path", HANDS)
def test_a_row_never_changes_hands(path, two, act):
    with pytest.raises(Misplaced, match=r"stays with its patient\. Enter it anew for the other patient"), act():
        path(two)

    assert prove().findings == ()


def test_a_patient_a_site_and_a_membership_stay_in_their_study(two, ann, act):
    other = make.study("OTHER-1")
    with act():
        person = Person.objects.create(user=ann, name="Ann", organisation="Clinic")
        Membership.objects.create(
            person=person, study=two.site.study, role="monitor", starts_on=date(2013, 1, 1), site=two.site
        )

    for model in (Patient, Site, Membership):
        with pytest.raises(Misplaced, match="stays with its study"), act():
            model.objects.filter(pk=model.objects.first().pk).update(study=other)


def test_a_patient_or_a_membership_at_a_site_of_another_study_is_refused(two, ann, act):
    elsewhere = make.site(make.study("OTHER-1"), "099")
    with act():
        person = Person.objects.create(user=ann, name="Ann", organisation="Clinic")
    ours = two.site.study

    with (
        pytest.raises(Misplaced, match="The site_id of this row of trial_patient points to no row of the same study"),
        act(),
    ):
        Patient.objects.create(study=ours, site=elsewhere, number="SYN-099-001")
    with pytest.raises(Misplaced, match="The site_id of this row of trial_patient"), act():
        Patient.objects.filter(pk=two.one.pk).update(site=elsewhere)
    with pytest.raises(Misplaced, match="The site_id of this row of trial_membership"), act():
        Membership.objects.create(person=person, study=ours, role="monitor", starts_on=date(2013, 1, 1), site=elsewhere)

    assert prove().findings == ()


def test_a_patient_may_move_to_another_site_of_the_study(two, act):
    second = make.site(two.site.study, "034")

    with act("The patient moved house."):
        two.one.site = second
        two.one.save()

    assert Patient.objects.get(pk=two.one.pk).site == second


def test_outside_a_recording_the_sentence_is_the_usual_one(two):
    with pytest.raises(NotRecorded, match="was not recorded"), transaction.atomic():
        MrdAssay.objects.update(marrow=two.foreign)


def test_verify_audit_names_the_rows_that_point_elsewhere(two):
    connection.protection.remove(connection.protection.triggers())
    if connection.vendor == "postgresql":
        sql("SET CONSTRAINTS ALL IMMEDIATE")
    for table in ("patients_mrdassay", "patients_historicalmrdassay"):
        sql(f"UPDATE {table} SET marrow_id = %s", two.foreign.pk)
    connection.protection.renew()

    assert [str(finding) for finding in prove().findings] == [
        f"patients_mrdassay {two.assay.pk} version 1: its marrow_id points to no row of the same patient."
    ]


# What the rule is made from.


@pytest.mark.django_db
def test_the_foreign_keys_of_the_database_are_known():
    found = connection.protection.references()

    assert Reference("patients_mrdassay", "marrow_id", "patients_marrow", "id") in found
    assert Reference("trial_patient", "site_id", "trial_site", "id") in found
    assert not [reference for reference in found if "_historical" in reference.table]


@pytest.mark.django_db
def test_a_recording_owns_nothing():
    """Its study is what the act was said to be about."""
    tables = connection.protection.tables()

    assert not [bond for table in tables for bond in table.bonds if bond.target == "trial_recording"]


@pytest.mark.sqlite
@pytest.mark.django_db
def test_a_reference_that_names_no_column_points_to_the_key():
    sql("CREATE TABLE loose (bed_id integer REFERENCES audit_app_bed, a integer, b integer, UNIQUE (a, b))")
    sql("CREATE TABLE pair (a integer, b integer, FOREIGN KEY (a, b) REFERENCES loose (a, b))")

    found = [reference for reference in connection.protection.references() if reference.table in {"loose", "pair"}]

    assert found == [Reference("loose", "bed_id", "audit_app_bed", "id")]


OWNED = [
    migrations.AddField(model, "patient", models.IntegerField(db_column="patient_id", default=1))
    for model in ("ward", "bed")
]


@pytest.mark.django_db(transaction=True)
def test_the_rule_begins_with_the_migration_that_brings_the_columns(act):
    with act():
        ward = Ward.objects.create(name="A")
        bed = Bed.objects.create(ward=ward, number=1)
    apply(*OWNED)

    try:
        (table,) = (table for table in connection.protection.tables() if table.name == "audit_app_bed")
        assert table.bonds == (Bond("patient_id", "ward_id", "audit_app_ward", "id"),)
        assert connection.protection.faults() == []
        with pytest.raises(Misplaced, match="The ward_id of this row of audit_app_bed points to no"), act():
            sql("INSERT INTO audit_app_bed (ward_id, number, version, patient_id) VALUES (%s, 2, 1, 2)", ward.pk)
        with pytest.raises(Misplaced, match="A row of audit_app_ward stays with its patient"), act():
            sql("UPDATE audit_app_ward SET patient_id = 2, version = version + 1")
    finally:
        with connection.schema_editor() as editor:
            for name in ("audit_app_bed", "audit_app_ward"):
                editor.execute(f"ALTER TABLE {name} DROP COLUMN patient_id")

    assert connection.protection.faults() == []
    assert Bed.objects.get() == bed


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_the_rule_covers_a_foreign_key_that_is_put_off_to_the_end_of_its_migration(act):
    with connection.schema_editor() as editor:
        for table in ("audit_app_weighing", "audit_app_bed"):
            editor.execute(f"ALTER TABLE {table} ADD COLUMN patient_id integer")
        editor.execute("ALTER TABLE audit_app_weighing ADD COLUMN bed_id bigint")
        editor.deferred_sql.append(
            "ALTER TABLE audit_app_weighing ADD CONSTRAINT of_a_bed FOREIGN KEY (bed_id) REFERENCES audit_app_bed (id)"
        )

    try:
        (table,) = (table for table in connection.protection.tables() if table.name == "audit_app_weighing")
        assert table.bonds == (Bond("patient_id", "bed_id", "audit_app_bed", "id"),)
        assert connection.protection.faults() == []
    finally:
        with connection.schema_editor() as editor:
            editor.execute("ALTER TABLE audit_app_weighing DROP COLUMN bed_id, DROP COLUMN patient_id")
            editor.execute("ALTER TABLE audit_app_bed DROP COLUMN patient_id")

    assert connection.protection.faults() == []
