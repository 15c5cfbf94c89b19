"""A copy in memory of a workspace database that may not be written, or cannot: in a folder that may only be read, on a
full disk. What shows and checks works on it. Nothing is written into the file.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

LEAST_ROOM = 1 << 20
"""Bytes that a disk must have left: SQLite needs some even to read, and a command keeps a few kilobytes at least."""


def has_room(folder: Path) -> bool:
    """Whether the disk of a folder has room for what a command keeps; true where nobody can tell."""
    try:
        return shutil.disk_usage(folder).free >= LEAST_ROOM
    except OSError:
        return True


def copy_into_memory(file: Path) -> tuple[sqlite3.Connection, Callable[[], sqlite3.Connection]]:
    """What a database holds, in memory: the connection that keeps it there, and how more are made.

    Raises sqlite3.DatabaseError where it can be read in no way.
    """
    shared = f"file:rehearse-{id(file)}-{time.monotonic_ns()}?mode=memory&cache=shared"
    kept = sqlite3.connect(shared, uri=True, check_same_thread=False)
    ways = list(_ways(file))
    for last, (how, exclusive) in zip([*[False] * (len(ways) - 1), True], ways, strict=True):
        try:
            with closing(sqlite3.connect(f"file:{quote(str(file))}?{how}", uri=True)) as source:
                source.execute(f"PRAGMA locking_mode={'EXCLUSIVE' if exclusive else 'NORMAL'}")
                source.backup(kept)
            break
        except sqlite3.DatabaseError:
            if last:
                kept.close()
                raise

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(shared, uri=True, check_same_thread=False)
        connection.isolation_level = None
        return connection

    return kept, connect


def _ways(file: Path) -> Iterator[tuple[str, bool]]:
    """How a database may be opened to be read, and whether alone, the best first.

    In WAL mode SQLite reads with the help of a file beside it, which nobody can make here: it is there while somebody
    has the database open. Without a journal the file alone is all; else whoever is alone with it needs no such file.
    """
    pending = 0
    with suppress(FileNotFoundError):
        pending = file.with_name(f"{file.name}-wal").stat().st_size
    if pending:
        yield "mode=ro", False
        yield "mode=rw", True
    else:
        yield "mode=ro&immutable=1", False
