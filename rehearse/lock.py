"""One lock a sandbox, with a token: who works on it, at what, since when.

A lock whose process is known to be dead (same machine, the process is gone or its number was reused) is taken over, so
that a command killed half-way can simply be run again. Any other lock is broken only by its id, on purpose. A machine
is known by more than its name: two laptops and two containers of a pipeline may have the same one.
"""

from __future__ import annotations

import functools
import getpass
import hashlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from rehearse import clock
from rehearse.errors import Locked, NotFound
from rehearse.ids import build_ulid, find_by_prefix
from rehearse.state import TABLES, Database

_locks = sa.Table(
    "sandbox_lock",
    TABLES,
    sa.Column("sandbox", sa.Text, primary_key=True),
    sa.Column("token", sa.Text, nullable=False, unique=True),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("since", sa.Text, nullable=False),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("process", sa.Text, nullable=False),
)


@dataclass(frozen=True)
class Lock:
    """A lock as it stands in the database; `token` is its id."""

    sandbox: str
    token: str
    who: str
    what: str
    since: datetime
    host: str
    process: str


def take(database: Database, sandbox: str, what: str, now: datetime) -> Lock:
    """Take the lock of a sandbox for this process; raises Locked while somebody else holds it."""
    mine = Lock(sandbox, build_ulid(now), _user(), what, now, socket.gethostname(), _this_process(os.getpid()))
    with database.begin() as connection:
        found = _load(connection, sandbox)
        if found is not None and not is_dead(found):
            raise Locked(
                f"{sandbox} is locked by {found.who} on {found.host} since {clock.iso(found.since)}: {found.what}.",
                f"Wait, or break it with `rehearse reset unlock {found.token} --confirm {found.sandbox}` "
                "if that work is surely dead.",
            )
        connection.execute(sa.delete(_locks).where(sa.func.lower(_locks.c.sandbox) == sandbox.lower()))
        connection.execute(sa.insert(_locks).values(**{**mine.__dict__, "since": clock.iso(now)}))
    return mine


@contextmanager
def hold(database: Database, sandbox: str, what: str, now: datetime) -> Iterator[Lock]:
    """Take the lock, and give it back at the end of the block however the block ends."""
    lock = take(database, sandbox, what, now)
    try:
        yield lock
    finally:
        with database.begin() as connection:
            connection.execute(sa.delete(_locks).where(_locks.c.token == lock.token))


def check(connection: sa.Connection, lock: Lock) -> None:
    """Inside a transaction: raise Locked when this lock is no longer the one in force (it was broken)."""
    found = _load(connection, lock.sandbox)
    if found is None or found.token != lock.token:
        raise Locked(
            f"The lock of {lock.sandbox} was broken while this command was working; it stops here.",
            "Look at `rehearse reset locks` to see who holds it now.",
        )


def load_locks(database: Database) -> tuple[Lock, ...]:
    """All locks, by sandbox."""
    with database.begin() as connection:
        rows = connection.execute(sa.select(_locks).order_by(_locks.c.sandbox)).mappings().all()
    return tuple(_from_row(row) for row in rows)


def find_lock(database: Database, token: str) -> Lock:
    """A lock by its id, or a unique start of it; raises NotFound, AmbiguousId."""
    locks = {one.token: one for one in load_locks(database)}
    return locks[find_by_prefix(token, locks, "lock")]


def break_lock(database: Database, token: str) -> Lock:
    """Remove a lock by its id (or a unique start of it); raises NotFound."""
    found = find_lock(database, token)
    with database.begin() as connection:
        removed = connection.execute(sa.delete(_locks).where(_locks.c.token == found.token)).rowcount
    if not removed:
        raise NotFound(f"The lock {token} is gone already.")
    return found


def _load(connection: sa.Connection, sandbox: str) -> Lock | None:
    """The lock of a sandbox; letter case does not count, because to Salesforce it does not."""
    query = sa.select(_locks).where(sa.func.lower(_locks.c.sandbox) == sandbox.lower())
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _from_row(row)


def _from_row(row: sa.RowMapping) -> Lock:
    return Lock(**{**row, "since": clock.from_iso(row["since"])})


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _this_process(pid: int) -> str:
    """`pid/start/machine`: the kernel's start time tells a process from a later one with the same number."""
    return f"{pid}/{_started(pid) or '?'}/{_this_machine()}"


@functools.cache
def _this_machine() -> str:
    """What tells machines of one name apart, and containers in which processes have numbers of their own."""
    try:
        known = Path("/etc/machine-id").read_text() if Path("/etc/machine-id").exists() else ""
        known += os.readlink("/proc/self/ns/pid")
    except OSError:
        import uuid  # not for nothing: it is slow to load

        known = f"{uuid.getnode():x}"
    return hashlib.sha256(known.encode()).hexdigest()[:12]  # a machine-id is not to be shown


def _started(pid: int) -> str | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


def is_dead(lock: Lock) -> bool:
    """Whether its process is known to be gone: then the lock is in nobody's way."""
    if lock.host != socket.gethostname():
        return False
    number, started, *machine = lock.process.split("/")
    if machine not in ([], [_this_machine()]):
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    current = _started(int(number))
    return started != "?" and current is not None and current != started
