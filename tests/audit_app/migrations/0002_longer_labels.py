"""A longer text, in the table and in its history."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit_app", "0001_initial")]

    operations = [
        migrations.AlterField("historicalweighing", "label", models.CharField(max_length=30)),
        migrations.AlterField("weighing", "label", models.CharField(max_length=30, unique=True)),
    ]
