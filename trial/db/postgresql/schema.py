"""PostgreSQL's schema editor, with the triggers kept true."""

from django.db.backends.postgresql.schema import DatabaseSchemaEditor as PostgresqlSchemaEditor

from trial.db.schema import TriggerKeeper


class DatabaseSchemaEditor(TriggerKeeper, PostgresqlSchemaEditor):
    """Django's, with the triggers away while tables change."""
