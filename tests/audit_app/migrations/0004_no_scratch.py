"""A field less."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit_app", "0003_units")]

    operations = [
        migrations.RemoveField("historicalweighing", "scratch"),
        migrations.RemoveField("weighing", "scratch"),
    ]
