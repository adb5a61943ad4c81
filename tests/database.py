"""Clean the database after a test that commits. Django's own flush would be refused by the audit triggers."""

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase

# Written by `migrate` and not by tests.
KEPT = {"django_migrations", "django_content_type", "auth_permission"}


def empty_tables(case: TransactionTestCase) -> None:
    """Delete the rows of every table, the trail included. Stands in for `TransactionTestCase._fixture_teardown`."""
    for alias in case.databases:
        connection = connections[alias]
        names = sorted(set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - KEPT)
        with transaction.atomic(using=alias):
            if connection.vendor == "sqlite":
                _empty_on_sqlite(connection, names)
            else:
                _empty_on_postgresql(connection, names)


def _filled(connection: BaseDatabaseWrapper, names: list[str]) -> list[str]:
    """The tables among `names` that have rows. Most tests fill few of them."""
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        questions = [f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {quote(name)})" for name in names]
        cursor.execute(" UNION ALL ".join(questions))
        return [name for (name,) in cursor.fetchall()]


def _empty_on_sqlite(connection: BaseDatabaseWrapper, names: list[str]) -> None:
    quote = connection.ops.quote_name
    filled = _filled(connection, names)
    if not filled:
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA defer_foreign_keys = ON")
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = cursor.fetchall()
        for name, _ in triggers:
            cursor.execute(f"DROP TRIGGER {quote(name)}")
        for name in filled:
            cursor.execute(f"DELETE FROM {quote(name)}")
        for _, sql in triggers:
            cursor.execute(sql)


def _empty_on_postgresql(connection: BaseDatabaseWrapper, names: list[str]) -> None:
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # no triggers, no foreign keys until the commit
        for name in _filled(connection, names):
            cursor.execute(f"DELETE FROM {quote(name)}")  # TRUNCATE is ten times slower on small tables
