"""Which SQLite library this process uses: the system's, or the newer one that `pysqlite3` brings."""

import sqlite3
from typing import Any

# Versions before this one can corrupt a write-ahead log when two connections write and checkpoint at the same moment.
FIRST_WITH_SAFE_WAL = (3, 51, 3)


def _newest_dbapi2() -> Any:
    if sqlite3.sqlite_version_info < FIRST_WITH_SAFE_WAL:
        try:
            import pysqlite3.dbapi2
        except ImportError:  # no wheel for this machine: the system's library, with the rollback journal
            return sqlite3
        return pysqlite3.dbapi2
    return sqlite3


dbapi2 = _newest_dbapi2()
WAL_IS_SAFE: bool = dbapi2.sqlite_version_info >= FIRST_WITH_SAFE_WAL
