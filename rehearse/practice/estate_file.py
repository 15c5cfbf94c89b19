"""The one file that the whole estate shares, estate.db, and how its parts read and write it.

One SQLite connection a process, guarded by one lock; several processes may have the file open at once. A transaction
takes the file's write lock at its beginning, so two writers queue and never overwrite each other. A killed process
loses nothing that was committed: it is in estate.db or in the write-ahead file beside it, and both belong to a copy.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


class EstateFile:
    """An open estate.db. Take no org's lock while a transaction is open: orgs ask the clock, which reads here."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing: commits at the end, rolls back on any exception; inside another one it joins that one."""
        with self._lock:
            if self._db.in_transaction:
                yield self._db
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # a full disk rolls back by itself
                    self._db.execute("ROLLBACK")
                raise

    def load_rows(self, sql: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        """All rows of one SELECT."""
        with self._lock:
            return self._db.execute(sql, tuple(values)).fetchall()

    def close(self) -> None:
        """Close the file; harmless when it is closed already."""
        with self._lock:
            self._db.close()
