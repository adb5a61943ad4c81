"""Which SQLite library this process uses: the system's, or the newer one that `pysqlite3` brings."""

import sqlite3
from importlib import import_module
from typing import Any

# Versions before this one can corrupt a write-ahead log when two connections write and checkpoint at the same moment.
FIRST_WITH_SAFE_WAL = (3, 51, 3)


def newest(system: Any, other: str) -> Any:
    """The system's library if its write-ahead log is safe, else the other one, else (no wheel for this machine) the system's."""
    if system.sqlite_version_info >= FIRST_WITH_SAFE_WAL:
        return system
    try:
        return import_module(other)
    except ImportError:
        return system


dbapi2 = newest(sqlite3, "pysqlite3.dbapi2")
WAL_IS_SAFE: bool = dbapi2.sqlite_version_info >= FIRST_WITH_SAFE_WAL
