"""One org on disk: its objects, its rows and its counters, in one SQLite file.

A table an object, a column a field; writes happen inside `transaction()`, which holds the org's lock and can be nested
(a savepoint each). Copying the file copies the org. This file knows no platform rule: those live behind rows.py.
Promise: what was committed survives a killed process, and a rolled-back transaction leaves no trace, not even in
the cached definitions.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rehearse.practice.http_errors import ApiError
from rehearse.practice.org_ids import base62, pod_of, to_18
from rehearse.practice.org_tables import quote, rename_column, shape_table
from rehearse.practice.schema import ObjectDef, build_object, object_as_json

if TYPE_CHECKING:
    from rehearse.practice.faults import Faults

TABLES = """
CREATE TABLE IF NOT EXISTS org_objects (name TEXT PRIMARY KEY COLLATE NOCASE, position INTEGER, definition TEXT);
CREATE TABLE IF NOT EXISTS org_counters (name TEXT PRIMARY KEY, value INTEGER);
CREATE TABLE IF NOT EXISTS org_facts (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS recycle_bin (
    id TEXT PRIMARY KEY, object TEXT, root TEXT, deleted_at TEXT, hard INTEGER DEFAULT 0);
CREATE INDEX IF NOT EXISTS recycle_bin_root ON recycle_bin (root);
CREATE INDEX IF NOT EXISTS recycle_bin_age ON recycle_bin (hard, deleted_at);
CREATE TABLE IF NOT EXISTS cleared_lookups (root TEXT, object TEXT, id TEXT, field TEXT, target TEXT);
CREATE INDEX IF NOT EXISTS cleared_lookups_target ON cleared_lookups (target);
CREATE TABLE IF NOT EXISTS validation_rules (
    object TEXT COLLATE NOCASE, name TEXT, formula TEXT, message TEXT, field TEXT, active INTEGER,
    PRIMARY KEY (object, name));
CREATE TABLE IF NOT EXISTS automation_rules (name TEXT PRIMARY KEY, active INTEGER, position INTEGER, definition TEXT);
CREATE TABLE IF NOT EXISTS late_summaries (object TEXT, id TEXT, user_id TEXT, due_at TEXT);
CREATE TABLE IF NOT EXISTS custom_permission_grants (
    permission_set TEXT, permission TEXT, PRIMARY KEY (permission_set, permission));
CREATE TABLE IF NOT EXISTS query_cursors (
    id TEXT PRIMARY KEY, created_at TEXT, soql TEXT, deleted INTEGER, batch INTEGER, rows BLOB);
"""


MAYBE_CUSTOM = (
    "If you are attempting to use a custom object, be sure to append the '__c' after the entity name. "
    "Please reference your WSDL or the describe call for the appropriate names."
)


class Clock(Protocol):
    """What an org needs of the estate's virtual clock."""

    def now(self) -> datetime: ...


def as_stamp(moment: datetime) -> str:
    """An instant as the tables hold it: UTC, milliseconds, Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


@lru_cache(maxsize=1024)
def _read_definition(text: str) -> ObjectDef:
    """An object as its table keeps it; most objects of the orgs of a world are the same, and no definition changes."""
    return build_object(json.loads(text))


class OrgState:
    """An open org. `settings` are the named assumptions that rows.py asks for; see P4's settings for the list."""

    def __init__(self, path: Path, clock: Clock, settings: Mapping[str, Any] | None = None) -> None:
        self.path = path
        self.clock = clock
        self.settings: Mapping[str, Any] = settings if settings is not None else {}
        self.sandbox = ""  # the name of the sandbox, which the estate knows; empty for production
        self.faults: Faults | None = None  # of the estate, where jobs look for what shall go wrong
        self.lock = threading.RLock()
        self.db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, cached_statements=512)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.execute("PRAGMA busy_timeout=20000")
        self.db.executescript(TABLES)
        self._depth = 0
        self._memory: dict[str, tuple[int, Any]] = {}
        self._objects: dict[str, ObjectDef] | None = None
        self.schema_version = 0  # grows with every change of a definition; caches key on it

    @classmethod
    def create(cls, path: Path, clock: Clock, org_id: str, settings: Mapping[str, Any] | None = None) -> OrgState:
        """A new org file with the standard objects and an Organization row that holds nothing but its id."""
        from rehearse.practice.schema_standard import STANDARD_OBJECTS

        org = cls(path, clock, settings)
        with org.transaction():
            for definition in STANDARD_OBJECTS:
                org.put_object(definition)
            org.become(org_id)
        return org

    def become(self, org_id: str) -> None:
        """Give the org this id: the Organization row moves to it; ids made from now on carry another pod."""
        with self.transaction():
            moved = self.db.execute('UPDATE "Organization" SET "Id" = ?', (to_18(org_id),)).rowcount
            if not moved:
                now = self.stamp()
                self.db.execute(
                    'INSERT INTO "Organization" ("Id", "Name", "IsSandbox", "CreatedDate", "LastModifiedDate",'
                    ' "SystemModstamp") VALUES (?, ?, 0, ?, ?, ?)',
                    (to_18(org_id), "New Organization", now, now, now),
                )

    @property
    def org_id(self) -> str:
        """The 18-character id of the org, from its Organization row."""
        with self.lock:
            row = self.db.execute('SELECT "Id" FROM "Organization"').fetchone()
        return str(row[0])

    @property
    def is_sandbox(self) -> bool:
        with self.lock:
            return bool(self.db.execute('SELECT "IsSandbox" FROM "Organization"').fetchone()[0])

    def now(self) -> datetime:
        """The virtual instant."""
        return self.clock.now()

    def stamp(self) -> str:
        """The virtual instant as rows hold it."""
        return as_stamp(self.clock.now())

    def close(self) -> None:
        self.db.close()

    def save_copy(self, path: Path) -> None:
        """Write a consistent copy of the whole org to a new file, while others may read and write here."""
        with self.lock, closing(sqlite3.connect(path, isolation_level=None)) as target:
            self.db.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")

    def open_reader(self) -> sqlite3.Connection:
        """A second, read-only connection: a long read that sees one moment and blocks nobody. The caller closes it."""
        reader = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        reader.execute("PRAGMA query_only=1")
        return reader

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the lock and make the block all or nothing; inside another transaction it is a savepoint."""
        with self.lock:
            mark = f"s{self._depth}"
            version = self.schema_version
            self.db.execute(f"SAVEPOINT {mark}" if self._depth else "BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield self.db
                self.db.execute(f"RELEASE {mark}" if self._depth > 1 else "COMMIT")
            except BaseException:
                self._take_back(mark)
                if self.schema_version != version:
                    self._forget_objects()
                raise
            finally:
                self._depth -= 1

    def _take_back(self, mark: str) -> None:
        """Undo the block of a mark; where SQLite did already, as on a full disk, there is nothing left to undo."""
        if not self.db.in_transaction:
            return
        self.db.execute(f"ROLLBACK TO {mark}" if self._depth > 1 else "ROLLBACK")
        if self._depth > 1:
            self.db.execute(f"RELEASE {mark}")

    def remember(self, name: str, build: Callable[[], Any]) -> Any:
        """What `build` makes, kept until a definition changes: look-up tables over the schema."""
        kept = self._memory.get(name)
        if kept is None or kept[0] != self.schema_version:
            kept = (self.schema_version, build())
            self._memory[name] = kept
        return kept[1]

    def forget_rules(self) -> None:
        """Say that rules changed, so that what was remembered is built anew."""
        self.schema_version += 1

    # ---- definitions

    def _forget_objects(self) -> None:
        self._objects = None
        self.schema_version += 1

    def _load_objects(self) -> dict[str, ObjectDef]:
        with self.lock:
            if self._objects is None:
                rows = self.db.execute("SELECT definition FROM org_objects ORDER BY position").fetchall()
                loaded = [_read_definition(row[0]) for row in rows]
                self._objects = {definition.name.lower(): definition for definition in loaded}
            return self._objects

    def objects(self) -> dict[str, ObjectDef]:
        """All objects by name, standard ones first, in the order of their making."""
        return {definition.name: definition for definition in self._load_objects().values()}

    def find_object(self, name: str) -> ObjectDef | None:
        """The object of this name in any case, or None."""
        return self._load_objects().get(name.lower())

    def object(self, name: str) -> ObjectDef:
        """The object of this name in any case. Raises ApiError INVALID_TYPE as a query does."""
        found = self.find_object(name)
        if found is None:
            text = f"sObject type '{name}' is not supported."
            raise ApiError(400, "INVALID_TYPE", f"{text} {MAYBE_CUSTOM}")
        return found

    def object_of_id(self, row_id: str) -> ObjectDef | None:
        """The object whose key prefix an id starts with, or None."""
        prefix = row_id[:3]
        return next((one for one in self._load_objects().values() if one.key_prefix == prefix), None)

    def put_object(self, definition: ObjectDef) -> None:
        """Store a definition and shape its table: new fields get a column, dropped ones lose theirs and the values.

        Roll-ups that are new are not computed: call rows_rollup.settle."""
        with self.transaction():
            old = self.find_object(definition.name)
            shape_table(self.db, old, definition)
            row = (definition.name, json.dumps(object_as_json(definition), separators=(",", ":")))
            self.db.execute(
                "INSERT INTO org_objects (name, position, definition)"
                " VALUES (?1, (SELECT coalesce(max(position), 0) + 1 FROM org_objects), ?2)"
                " ON CONFLICT (name) DO UPDATE SET definition = ?2",
                row,
            )
            self._load_objects()[definition.name.lower()] = definition
            self.schema_version += 1

    def rename_field(self, name: str, old: str, new: str) -> None:
        """Give a field of an object another name; its values stay."""
        with self.transaction():
            definition = self.object(name)
            fields = tuple(replace(one, name=new) if one.name == old else one for one in definition.fields)
            rename_column(self.db, definition.name, old, new)
            row = (
                json.dumps(object_as_json(replace(definition, fields=fields)), separators=(",", ":")),
                definition.name,
            )
            self.db.execute("UPDATE org_objects SET definition = ? WHERE name = ?", row)
            self._forget_objects()

    def drop_object(self, name: str) -> None:
        """Forget an object with all its rows."""
        with self.transaction():
            definition = self.object(name)
            self.db.execute(f"DROP TABLE {quote(definition.name)}")
            self.db.execute("DELETE FROM org_objects WHERE name = ?", (definition.name,))
            self.db.execute("DELETE FROM recycle_bin WHERE object = ?", (definition.name,))
            self._forget_objects()

    # ---- ids

    def _take(self, counter: str, count: int) -> int:
        with self.transaction():
            row = self.db.execute(
                "INSERT INTO org_counters (name, value) VALUES (?1, ?2)"
                " ON CONFLICT (name) DO UPDATE SET value = value + ?2 RETURNING value",
                (counter, count),
            ).fetchone()
        return int(row[0]) - count

    def next_number(self, counter: str, count: int = 1) -> int:
        """Take `count` numbers of a named counter of this org; answers the first, counting from 1."""
        return self._take(counter, count) + 1

    def new_ids(self, prefix: str, count: int) -> list[str]:
        """`count` fresh 18-character ids under a key prefix, the same in every run of the same history."""
        first = self.next_number(f"id:{prefix}", count)
        pod = pod_of(self.org_id)
        return [to_18(f"{prefix}{pod}{base62(number, 9)}") for number in range(first, first + count)]

    def new_id(self, prefix: str) -> str:
        """One fresh 18-character id under a key prefix."""
        return self.new_ids(prefix, 1)[0]

    def new_key_prefix(self) -> str:
        """The next free key prefix of a custom object: a00, a01, …"""
        taken = {definition.key_prefix for definition in self._load_objects().values()}
        number = 0
        while (prefix := f"a{base62(number, 2)}") in taken:
            number += 1
        return prefix
