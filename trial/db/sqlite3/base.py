"""Django's SQLite backend on the library of `library.py`."""

from django.db.backends.sqlite3.base import DatabaseWrapper as DatabaseWrapper
