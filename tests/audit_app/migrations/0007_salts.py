"""What the digests of history rows begin with."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit_app", "0006_first_rounds")]

    operations = [
        migrations.AddField(history, "salt", models.BinaryField(max_length=16, null=True))
        for history in ("historicalward", "historicalbed", "historicalweighing", "historicalround")
    ]
