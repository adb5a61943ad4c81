"""A data migration that writes to the table of the migration before it, in the same `migrate`."""

from django.db import migrations

from trial.audit import recording, service_account


def first_rounds(apps, schema_editor):
    wards = list(apps.get_model("audit_app", "Ward").objects.all())
    if not wards:
        return  # a new database has none, and tests want none
    rounds = apps.get_model("audit_app", "Round").objects
    with recording(by=service_account("migration"), reason="Each ward has a first round", channel="migration"):
        for ward in wards:
            rounds.create(ward=ward, title="First")


class Migration(migrations.Migration):
    dependencies = [("audit_app", "0005_rounds")]

    operations = [migrations.RunPython(first_rounds, migrations.RunPython.noop)]
