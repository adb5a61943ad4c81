"""A new tracked table."""

import django.db.models.deletion
import simple_history.models
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit_app", "0004_no_scratch")]

    operations = [
        migrations.CreateModel(
            name='HistoricalRound',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, verbose_name='ID')),
                ('recording', models.BigIntegerField(db_column='recording_id', db_index=True)),
                ('changed', models.JSONField(default=list)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('history_change_reason', models.TextField()),
                ('history_user_id', models.BigIntegerField()),
                ('title', models.CharField(max_length=20)),
                ('ward', models.BigIntegerField(blank=True, db_column='ward_id', db_index=True, null=True)),
                ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField()),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
            ],
            options={
                'verbose_name': 'historical round',
                'verbose_name_plural': 'historical rounds',
                'db_table': 'audit_app_historicalround',
                'ordering': ('-history_id',),
                'get_latest_by': ('history_id',),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='Round',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('title', models.CharField(max_length=20)),
                ('ward', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rounds', to='audit_app.ward')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
    ]
