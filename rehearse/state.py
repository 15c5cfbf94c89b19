"""The workspace database: SQLAlchemy Core on SQLite (or PostgreSQL by URL), migrated with Alembic.

This file knows no table of the rooms. Each store declares its tables on `TABLES`; the scripts under `migrations/`
create them, and a test holds the two against each other. A write is one `begin()` block: on SQLite an immediate
transaction, so that what was read in it cannot change before it ends. Instants are kept as UTC ISO text.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event

from rehearse.errors import DiskFull, StoreError

HEAD = "0005"
"""The newest revision under migrations/; Alembic is imported only when a database is not there yet."""

TABLES = sa.MetaData()


class Database:
    """One workspace database. Connections are opened for each block, so a Database may be shared by threads."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """A transaction that commits at the end of the block and rolls back on any exception.

        Raises StoreError (DiskFull where that is the cause) when the database itself fails.
        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.DatabaseError as error:
            if isinstance(error, sa.exc.IntegrityError | sa.exc.ProgrammingError):
                raise  # a rule of a table, which its store knows; or a mistake of ours
            raise _translated(error) from error

    def close(self) -> None:
        """Give back all connections."""
        self._engine.dispose()


def open_database(url_or_folder: str | Path) -> Database:
    """Open (and create or migrate) the database at an SQLAlchemy URL, or `rehearse.db` inside a folder (0700)."""
    text = str(url_or_folder)
    if "://" in text:
        database = Database(_engine(text))
    else:
        folder = Path(text)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
        except OSError as error:
            raise StoreError(
                f"The folder {folder} cannot be made: {error.strerror}.", "Choose storage.path."
            ) from error
        database = Database(_engine(f"sqlite:///{folder / 'rehearse.db'}"))
    _migrate(database)
    return database


def _engine(url: str) -> sa.Engine:
    try:
        engine = sa.create_engine(url, future=True)
    except (sa.exc.ArgumentError, ImportError) as error:  # never quote the URL: it may hold a password
        raise StoreError(
            "The URL of the workspace database names no database that can be opened.",
            "Write postgresql+psycopg://HOST/NAME or sqlite:///FILE.",
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
    return engine


def _prepare_sqlite(connection: object, record: object) -> None:
    connection.isolation_level = None  # type: ignore[attr-defined]  # we say BEGIN ourselves
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


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


def _translated(error: sa.exc.DatabaseError) -> StoreError:
    text = str(error.orig)
    if "disk is full" in text or "disk I/O" in text:
        return DiskFull("The workspace database cannot be written: the disk is full.", "Free some space and run again.")
    return StoreError(f"The workspace database failed: {text}.", "Check storage.database in rehearse.yaml.")
