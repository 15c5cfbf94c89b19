"""The journal: what we are about to do to an org, written before each call, and what came of it, after.

An intent is inserted in the transaction that checks the lock token, so a writer whose lock was broken cannot start
another call. The journal holds intents, job ids and results that are needed to continue; it is never the truth about
the org: whoever resumes reads the org again. Never put a record value or a token into it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from rehearse import clock, lock
from rehearse.lock import Lock
from rehearse.state import TABLES, Database

_entries = sa.Table(
    "journal",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("run", sa.Text, nullable=False, index=True),
    sa.Column("sandbox", sa.Text, nullable=False),
    sa.Column("token", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("opened", sa.Text, nullable=False),
    sa.Column("result", sa.Text),
    sa.Column("closed", sa.Text),
)


@dataclass(frozen=True)
class Entry:
    """One intent: `run` names the work it belongs to (a reset plan's id), `result` is None while it is open."""

    id: int
    run: str
    sandbox: str
    kind: str
    detail: Mapping[str, Any]
    opened: datetime
    result: Mapping[str, Any] | None
    closed: datetime | None


class Journal:
    """The journal of one run on one locked sandbox. `now` gives the instants that are written."""

    def __init__(self, database: Database, held: Lock, run: str, now: Callable[[], datetime] = clock.now) -> None:
        self._database = database
        self._lock = held
        self._now = now
        self.run = run

    def open(self, kind: str, detail: Mapping[str, Any]) -> Entry:
        """Write an intent before its call; raises Locked when the lock was broken meanwhile."""
        at = self._now()
        with self._database.begin() as connection:
            lock.check(connection, self._lock)
            row = {
                "run": self.run,
                "sandbox": self._lock.sandbox,
                "token": self._lock.token,
                "kind": kind,
                "detail": json.dumps(detail, sort_keys=True),
                "opened": clock.iso(at),
            }
            key = connection.execute(sa.insert(_entries).values(**row)).inserted_primary_key
        assert key is not None
        return Entry(int(key[0]), self.run, self._lock.sandbox, kind, dict(detail), at, None, None)

    def amend(self, entry: Entry, detail: Mapping[str, Any]) -> Entry:
        """Add to an open intent (a job id, learned before the job is let run); raises Locked like `open`."""
        merged = {**entry.detail, **detail}
        with self._database.begin() as connection:
            lock.check(connection, self._lock)
            connection.execute(
                sa.update(_entries).where(_entries.c.id == entry.id).values(detail=json.dumps(merged, sort_keys=True))
            )
        return Entry(**{**entry.__dict__, "detail": merged})

    def close(
        self, entry: Entry, result: Mapping[str, Any], also: Callable[[sa.Connection], None] | None = None
    ) -> None:
        """Write what came of an intent; `also` writes in the same transaction (the id map of inserted rows)."""
        with self._database.begin() as connection:
            if also is not None:
                also(connection)
            connection.execute(
                sa.update(_entries)
                .where(_entries.c.id == entry.id)
                .values(result=json.dumps(result, sort_keys=True), closed=clock.iso(self._now()))
            )


def load_entries(database: Database, run: str) -> tuple[Entry, ...]:
    """All entries of a run, oldest first; open ones have no result."""
    query = sa.select(_entries).where(_entries.c.run == run).order_by(_entries.c.id)
    with database.begin() as connection:
        rows = connection.execute(query).mappings().all()
    return tuple(_from_row(row) for row in rows)


def load_by_kind(database: Database, kinds: Collection[str]) -> tuple[Entry, ...]:
    """All entries of these kinds, of every run and sandbox, oldest first."""
    query = sa.select(_entries).where(_entries.c.kind.in_(sorted(kinds))).order_by(_entries.c.id)
    with database.begin() as connection:
        rows = connection.execute(query).mappings().all()
    return tuple(_from_row(row) for row in rows)


def _from_row(row: sa.RowMapping) -> Entry:
    return Entry(
        row["id"],
        row["run"],
        row["sandbox"],
        row["kind"],
        json.loads(row["detail"]),
        clock.from_iso(row["opened"]),
        None if row["result"] is None else json.loads(row["result"]),
        None if row["closed"] is None else clock.from_iso(row["closed"]),
    )
