"""What production was asked: one row a request in `estate.db`, to hold against the list of what it may receive.

A row keeps sequence, virtual time, method, path without query, SOAP operation, bulk job id and status. It refuses
tokens, queries and bodies: none of these ever reaches the table. A request is written before it is worked on, so that
a server killed in between has still logged it; its status is added when the answer starts.
"""

import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path

TABLE = """CREATE TABLE IF NOT EXISTS request_log (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, org_id TEXT NOT NULL, method TEXT NOT NULL,
    path TEXT NOT NULL, operation TEXT, job_id TEXT, status INTEGER)"""


@dataclass(frozen=True)
class LoggedRequest:
    """One request that reached production; `status` is None where the connection ended without an answer."""

    sequence: int
    at: str
    org_id: str
    method: str
    path: str
    operation: str | None
    job_id: str | None
    status: int | None


class RequestLog:
    """The table of requests, through a connection of its own; safe for several threads and beside other processes."""

    def __init__(self, estate_db: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(estate_db, timeout=30, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute(TABLE)

    def open_entry(self, request: LoggedRequest) -> int:
        """Write a request before it is worked on; `sequence` of the argument is ignored. Returns the real sequence."""
        values = (request.at, request.org_id, request.method, request.path, request.operation, request.job_id)
        with self._lock:
            cursor = self._db.execute(
                "INSERT INTO request_log (at, org_id, method, path, operation, job_id) VALUES (?,?,?,?,?,?)", values
            )
        return int(cursor.lastrowid or 0)

    def close_entry(self, sequence: int, status: int, job_id: str | None) -> None:
        """Add what is known when the answer starts: its status, and the bulk job where one was made."""
        with self._lock:
            self._db.execute(
                "UPDATE request_log SET status = ?, job_id = coalesce(?, job_id) WHERE sequence = ?",
                (status, job_id, sequence),
            )

    def entries(self) -> list[LoggedRequest]:
        """Every request so far, oldest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT sequence, at, org_id, method, path, operation, job_id, status"
                " FROM request_log ORDER BY sequence"
            ).fetchall()
        return [LoggedRequest(*row) for row in rows]

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._db.close()


def load_requests(folder: Path) -> list[LoggedRequest]:
    """The requests that production of an estate folder received, whether its server runs or not."""
    log = RequestLog(folder / "estate.db")
    try:
        return log.entries()
    finally:
        log.close()
