import django.db.models.deletion
import simple_history.models
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('trial', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='HistoricalBed',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, verbose_name='ID')),
                ('recording', models.BigIntegerField(db_column='recording_id', db_index=True)),
                ('changed', models.JSONField(default=list)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('history_change_reason', models.TextField()),
                ('history_user_id', models.BigIntegerField()),
                ('number', models.IntegerField()),
                ('ward', models.BigIntegerField(blank=True, db_column='ward_id', db_index=True, null=True)),
                ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField()),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
            ],
            options={
                'verbose_name': 'historical bed',
                'verbose_name_plural': 'historical beds',
                'db_table': 'audit_app_historicalbed',
                'ordering': ('-history_id',),
                'get_latest_by': ('history_id',),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalWard',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, verbose_name='ID')),
                ('recording', models.BigIntegerField(db_column='recording_id', db_index=True)),
                ('changed', models.JSONField(default=list)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('history_change_reason', models.TextField()),
                ('history_user_id', models.BigIntegerField()),
                ('name', models.CharField(max_length=20)),
                ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField()),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
            ],
            options={
                'verbose_name': 'historical ward',
                'verbose_name_plural': 'historical wards',
                'db_table': 'audit_app_historicalward',
                'ordering': ('-history_id',),
                'get_latest_by': ('history_id',),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalWeighing',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, verbose_name='ID')),
                ('recording', models.BigIntegerField(db_column='recording_id', db_index=True)),
                ('changed', models.JSONField(default=list)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('history_change_reason', models.TextField()),
                ('history_user_id', models.BigIntegerField()),
                ('label', models.CharField(max_length=20)),
                ('kilograms', models.IntegerField()),
                ('scratch', models.IntegerField(default=0)),
                ('details', models.JSONField(default=dict)),
                ('note', models.TextField(null=True)),
                ('changed_on', models.DateTimeField(blank=True, editable=False)),
                ('ward', models.BigIntegerField(blank=True, db_column='ward_id', db_index=True, null=True)),
                ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField()),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
            ],
            options={
                'verbose_name': 'historical weighing',
                'verbose_name_plural': 'historical weighings',
                'db_table': 'audit_app_historicalweighing',
                'ordering': ('-history_id',),
                'get_latest_by': ('history_id',),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='Visitor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=20, unique=True)),
            ],
        ),
        migrations.CreateModel(
            name='Ward',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('name', models.CharField(max_length=20, unique=True)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='Bed',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('number', models.IntegerField()),
                ('ward', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='beds', to='audit_app.ward')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='Weighing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('label', models.CharField(max_length=20, unique=True)),
                ('kilograms', models.IntegerField()),
                ('scratch', models.IntegerField(default=0)),
                ('details', models.JSONField(default=dict)),
                ('note', models.TextField(null=True)),
                ('changed_on', models.DateTimeField(auto_now=True)),
                ('ward', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='weighings', to='audit_app.ward')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
    ]
