"""A field with a default, which every row that is there gets."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit_app", "0002_longer_labels")]

    operations = [
        migrations.AddField("historicalweighing", "unit", models.CharField(default="kg", max_length=5)),
        migrations.AddField("weighing", "unit", models.CharField(default="kg", max_length=5)),
    ]
