"""Django's PostgreSQL backend."""

from django.db.backends.postgresql.base import DatabaseWrapper as DatabaseWrapper
