"""The workspace database: SQLAlchemy Core on SQLite (or PostgreSQL by URL), migrated with Alembic.

This file knows no table of the rooms. Each store declares its tables on `TABLES`; the scripts under `migrations/`
create them, and a test holds the two against each other. A write is one `begin()` block: on SQLite an immediate
transaction, on PostgreSQL one that holds an advisory lock of the database, so that what was read in it cannot change
before it ends. A connection that was lost between two blocks is made again; one lost inside a block ends it whole or
not at all. Instants are kept as UTC ISO text.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event

from rehearse.errors import Damaged, DiskFull, StoreError
from rehearse.state_copy import copy_into_memory, has_room

HEAD = "0013"
"""The newest revision under migrations/; Alembic is imported only when a database is not there yet."""

TABLES = sa.MetaData()


_WRITERS = 7226381954
"""The number of the advisory lock on PostgreSQL: whoever holds it is alone with this database."""
_AGAIN = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts to reach a server that was there before."""


class Database:
    """One workspace database. Connections are opened for each block, so a Database may be shared by threads."""

    def __init__(self, engine: sa.Engine, copy: sqlite3.Connection | None = None, full: bool = False) -> None:
        self._engine = engine
        self._was_there = False
        self._copy = copy
        self._for_now = False
        self.full = full  # it is a copy because the disk is

    @property
    def read_only(self) -> bool:
        """Whether this is but a copy in memory of a database that may not be written."""
        return self._copy is not None

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """A transaction that commits at the end of the block and rolls back on any exception.

        Raises StoreError (DiskFull where that is the cause) when the database itself fails.
        """
        try:
            with ExitStack() as stack:
                yield self._enter(stack)
        except sa.exc.DatabaseError as error:
            ours = isinstance(error, sa.exc.IntegrityError | sa.exc.ProgrammingError)
            if ours and _code(error) not in _FORBIDDEN and not self._is_about_the_url(error):
                raise  # a rule of a table, which its store knows; or a mistake of ours
            raise (DiskFull(*_FULL) if self.full else _translated(error)) from error

    def fetch_time(self) -> datetime | None:
        """What the clock of the database's server says; None where it has none of its own."""
        if self._engine.dialect.name != "postgresql":
            return None
        with self.begin() as connection:
            return connection.execute(sa.text("SELECT clock_timestamp()")).scalar()

    @contextmanager
    def for_now(self) -> Iterator[None]:
        """In the block a copy takes what is written, for as long as it is open; elsewhere it refuses every write.

        For what is only observed: a command that shows it needs it, and the next one observes it again.
        """
        self._for_now = True
        try:
            yield
        finally:
            self._for_now = False

    def hold_to_reading(self) -> None:
        """From here on nothing can be written, but for now."""

        def decide(connection: sa.Connection) -> None:
            connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if self._for_now else 'ON'}")
            connection.exec_driver_sql("BEGIN")

        event.listen(self._engine, "begin", decide)

    def _enter(self, stack: ExitStack) -> sa.Connection:
        """Begin; where a server that was there is gone, wait for it a little: nothing has been sent yet."""
        waits = list(_AGAIN) if self._engine.dialect.name == "postgresql" else []
        while True:
            try:
                connection = stack.enter_context(self._engine.begin())
                self._was_there = True
                return connection
            except sa.exc.OperationalError as error:
                if not waits or _code(error) == _LOCK_TIMEOUT or not (self._was_there or _is_lost(error)):
                    raise
                time.sleep(waits.pop(0))

    def _is_about_the_url(self, error: sa.exc.DatabaseError) -> bool:
        """Whether PostgreSQL's client refused an option of the URL: the server's own errors have a code."""
        return self._engine.dialect.name == "postgresql" and not _code(error)

    def close(self) -> None:
        """Give back all connections."""
        self._engine.dispose()
        if self._copy is not None:
            self._copy.close()


def open_database(url_or_folder: str | Path) -> Database:
    """Open (and create or migrate) the database at an SQLAlchemy URL, or `rehearse.db` inside a folder (0700)."""
    text = str(url_or_folder)
    database = Database(_engine(text)) if "://" in text else _open_folder(Path(text))
    try:
        _migrate(database)
    except DiskFull:
        database.close()
        if "://" in text or not _file(text).exists():
            raise
        return _open_copy(_file(text), full=True)
    except BaseException:
        database.close()
        raise
    return database


def _file(folder: str | Path) -> Path:
    return Path(folder) / "rehearse.db"


def is_read_only(folder: Path) -> bool:
    """Whether a folder is there and we may not write in it: another user's, or on a disk that is mounted so."""
    return folder.is_dir() and not os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _open_folder(folder: Path) -> Database:
    """The database of a folder; one that is there can be read also where nothing may be written or the disk is full."""
    file = _file(folder)
    if file.exists() and (is_read_only(folder) or not has_room(folder)):
        return _open_copy(file, full=not is_read_only(folder))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise StoreError(
            f"The folder {folder} cannot be {'used' if folder.is_dir() else 'made'}: {error.strerror}.",
            "Choose storage.path.",
        ) from error
    return Database(_engine(sa.URL.create("sqlite", database=str(file))))


def _open_copy(file: Path, *, full: bool = False) -> Database:
    """A database that may not be written, or cannot (`full`), in memory: migrated there, and then only to be read."""
    try:
        kept, connect = copy_into_memory(file)
    except sqlite3.DatabaseError as error:
        raise _translated(sa.exc.DatabaseError(None, None, error)) from error
    database = Database(sa.create_engine("sqlite:///copy", creator=connect, hide_parameters=True), kept, full)
    _migrate(database)
    database.hold_to_reading()
    return database


def _engine(url: str | sa.URL) -> sa.Engine:
    try:
        made = sa.make_url(url)
        if "@" in (made.host or ""):
            raise ValueError("a part of the password would be taken for the host")
        if made.drivername in ("postgres", "postgresql"):
            made = made.set(drivername="postgresql+psycopg")
        postgres = made.get_backend_name() == "postgresql"
        engine = sa.create_engine(made, hide_parameters=True, **(_postgres_options() if postgres else {}))
    except (sa.exc.ArgumentError, ImportError, ValueError):  # what was said may quote a password
        raise StoreError(
            "The URL of the workspace database names no database that can be opened.",
            "Write postgresql+psycopg://HOST/NAME or sqlite:///FILE; in a password @ is %40, : is %3A and / is %2F.",
        ) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
    elif engine.dialect.name == "postgresql":
        event.listen(engine, "begin", _begin_alone)
    return engine


def _postgres_options() -> dict[str, object]:
    """Few connections, looked at before use; waits end after 30 s as on SQLite, and a dead client is noticed."""
    settings = {
        "lock_timeout": "30s",
        "idle_in_transaction_session_timeout": "10min",
        "tcp_keepalives_idle": "60",
        "tcp_keepalives_interval": "10",
        "tcp_keepalives_count": "3",
    }
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    arguments = {"connect_timeout": 10, "application_name": "rehearse", "options": options}
    return {"connect_args": arguments, "pool_pre_ping": True, "pool_size": 2}


def _prepare_sqlite(connection: object, record: object) -> None:
    connection.isolation_level = None  # type: ignore[attr-defined]  # we say BEGIN ourselves
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_alone(connection: sa.Connection) -> None:
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS})")


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(database: Database) -> None:
    with database.begin() as connection:
        stored = _revision(connection)
        if stored == HEAD:
            return
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", os.fspath(Path(__file__).with_name("migrations")))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except Exception as error:
            if type(error).__module__.startswith("alembic"):
                raise StoreError(
                    f"The workspace database has the unknown revision {stored!r}.",
                    "It was written by a newer rehearse: update this one.",
                ) from error
            raise


_FULL = (
    "The workspace database cannot be written: the disk is full.",
    "Free some space and run again. Until then what shows and checks works, and nothing that keeps something does.",
)
_LOCK_TIMEOUT, _FORBIDDEN = "55P03", ("42501", "25006")
_ENDED = ("57P01", "57P02", "57P03", "25P03")  # shut down, crashed, starting; or a transaction stood still


def _code(error: sa.exc.DatabaseError) -> str:
    """PostgreSQL's five-letter code of an error; empty elsewhere."""
    return getattr(error.orig, "sqlstate", None) or ""


def _is_lost(error: sa.exc.DatabaseError) -> bool:
    """Whether the server was reached, and the connection ended by itself; while it waits, the driver may not say so."""
    ended = error.connection_invalidated or _code(error) in _ENDED
    return ended or "server closed the connection" in str(error.orig)


def _translated(error: sa.exc.DatabaseError) -> StoreError:
    text = str(error.orig).strip().partition("\n")[0]
    if "disk is full" in text or "disk I/O" in text or _code(error) == "53100":
        return DiskFull(*_FULL)
    if _is_lost(error):
        text = "The connection to the workspace database was lost in the middle of a step, kept whole or not at all."
        return StoreError(text, "Run the same command again when the database is back: it continues.")
    if _code(error) in _FORBIDDEN:
        hint = "Ask its keeper for the right to write; a newer rehearse needs one run that may change its tables."
        return StoreError(f"The workspace database may only be read by this login: {text}.", hint)
    if _code(error) == _LOCK_TIMEOUT or "database is locked" in text:
        return StoreError(
            "The workspace database is busy: somebody else has been writing for 30 seconds.", "Run the command again."
        )
    if "readonly" in text or "unable to open" in text:
        hint = (
            "Look at the permissions of its file, of the -wal and -shm files beside it, and of its folder. Where they "
            "may only be read, what shows and checks works, and nothing that keeps something does."
        )
        return StoreError(f"The workspace database cannot be used: {text}.", hint)
    if "not a database" in text or "malformed" in text:
        return Damaged(
            f"The workspace database is damaged: {text}.",
            "Put a backup in its place. Without one, move it aside: the ledger fills again, bookings are lost, and "
            "`rehearse baseline list` tells how baselines come back.",
        )
    return StoreError(f"The workspace database failed: {text}.", "Check storage.database in rehearse.yaml.")
