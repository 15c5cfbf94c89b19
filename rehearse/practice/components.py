"""The component store of one org: a row a component, in the org's own file.

A component's truth is its raw XML (for a child: its element, for a container: what is left without the children) and
its content files. Children are components of their own; files are put together from a container and its children by
meta_files. Knows no rule of deploying. Names compare without regard to case, as in Salesforce.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from rehearse.practice.meta_types import path_of, prefix_of
from rehearse.practice.org_state import OrgState

TABLES = (
    """CREATE TABLE IF NOT EXISTS meta_component (
        type TEXT, name TEXT COLLATE NOCASE, parent TEXT COLLATE NOCASE, path TEXT, id TEXT, xml BLOB,
        created_at TEXT, created_by TEXT, modified_at TEXT, modified_by TEXT, PRIMARY KEY (type, name))""",
    "CREATE INDEX IF NOT EXISTS meta_component_parent ON meta_component (parent, type)",
    """CREATE TABLE IF NOT EXISTS meta_file (
        type TEXT, name TEXT COLLATE NOCASE, path TEXT, body BLOB, PRIMARY KEY (type, name, path))""",
    """CREATE TABLE IF NOT EXISTS meta_flow_version (
        flow TEXT COLLATE NOCASE, number INTEGER, id TEXT, status TEXT, xml BLOB,
        created_at TEXT, created_by TEXT, modified_at TEXT, modified_by TEXT, PRIMARY KEY (flow, number))""",
    """CREATE TABLE IF NOT EXISTS meta_job (
        id TEXT PRIMARY KEY, kind TEXT, state TEXT, position INTEGER, request TEXT, body BLOB,
        result TEXT, zip BLOB)""",
)
COLUMNS = "type, name, parent, path, id, xml, created_at, created_by, modified_at, modified_by"


@dataclass(frozen=True)
class Author:
    """Who does something, and when: an 18-character user id and a stamp as rows hold it."""

    user_id: str
    at: str


@dataclass(frozen=True)
class Component:
    """One component. `parent` is the full name of a child's container, or empty; `files` are content files by path."""

    type: str
    name: str
    xml: bytes
    parent: str = ""
    path: str = ""
    id: str = ""
    files: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))
    created_at: str = ""
    created_by: str = ""
    modified_at: str = ""
    modified_by: str = ""


def prepare(org: OrgState) -> None:
    """Make sure that the tables of the store exist in this org's file."""
    with org.transaction() as db:
        for table in TABLES:
            db.execute(table)


def find(org: OrgState, type_name: str, name: str) -> Component | None:
    """The component of this type and name (any case), or None."""
    rows = _read(org, "type = ? AND name = ?", (type_name, name))
    return rows[0] if rows else None


def load_type(org: OrgState, type_name: str) -> list[Component]:
    """All components of a type by name."""
    return _read(org, "type = ?", (type_name,))


def load_heads(org: OrgState, type_name: str) -> list[Component]:
    """The components of a type by name, as a list shows them: without XML and files."""
    heads = COLUMNS.replace("xml", "NULL")
    sql = f"SELECT {heads} FROM meta_component WHERE type = ? ORDER BY name"
    with org.lock:
        rows = org.db.execute(sql, (type_name,)).fetchall()
    return [_build(row, {}) for row in rows]


def load_children(org: OrgState, type_name: str, parent: str) -> list[Component]:
    """The children of one type in one container, by name."""
    return _read(org, "type = ? AND parent = ?", (type_name, parent))


def names(org: OrgState, type_name: str) -> list[str]:
    """The full names of a type, sorted."""
    with org.lock:
        rows = org.db.execute("SELECT name FROM meta_component WHERE type = ? ORDER BY name", (type_name,)).fetchall()
    return [str(row[0]) for row in rows]


def save(org: OrgState, component: Component, author: Author) -> Component:
    """Insert or replace; a new component gets id and creation stamps, an old one keeps them. Answers what is kept."""
    old = find(org, component.type, component.name)
    prefix = prefix_of(component.type)
    kept = replace(
        component,
        name=old.name if old else component.name,
        path=component.path or path_of(component.type, component.name),
        id=component.id or (old.id if old else (org.new_id(prefix) if prefix else "")),
        created_at=old.created_at if old else author.at,
        created_by=old.created_by if old else author.user_id,
        modified_at=author.at,
        modified_by=author.user_id,
    )
    _write(org, kept)
    return kept


def rewrite(org: OrgState, component: Component, xml: bytes, author: Author | None) -> None:
    """Replace the XML of a component that is there; `author` None leaves its modification stamps alone."""
    stamped = replace(component, modified_at=author.at, modified_by=author.user_id) if author else component
    _write(org, replace(stamped, xml=xml))


def rename(org: OrgState, old: Component, new: Component, author: Author) -> None:
    """Keep a component under another name; its id and creation stamps stay."""
    with org.transaction():
        remove(org, old.type, old.name)
        _write(org, replace(new, modified_at=author.at, modified_by=author.user_id))


def remove(org: OrgState, type_name: str, name: str) -> None:
    """Forget one component with its content files (children are not touched)."""
    with org.transaction() as db:
        db.execute("DELETE FROM meta_component WHERE type = ? AND name = ?", (type_name, name))
        db.execute("DELETE FROM meta_file WHERE type = ? AND name = ?", (type_name, name))


def _write(org: OrgState, kept: Component) -> None:
    values = (kept.type, kept.name, kept.parent, kept.path, kept.id, kept.xml)
    stamps = (kept.created_at, kept.created_by, kept.modified_at, kept.modified_by)
    with org.transaction() as db:
        db.execute(
            f"INSERT OR REPLACE INTO meta_component ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*values, *stamps),
        )
        db.execute("DELETE FROM meta_file WHERE type = ? AND name = ?", (kept.type, kept.name))
        rows = [(kept.type, kept.name, path, body) for path, body in sorted(kept.files.items())]
        db.executemany("INSERT INTO meta_file (type, name, path, body) VALUES (?, ?, ?, ?)", rows)


def _read(org: OrgState, where: str, values: Iterable[str]) -> list[Component]:
    with org.lock:
        bound = tuple(values)
        rows = org.db.execute(f"SELECT {COLUMNS} FROM meta_component WHERE {where} ORDER BY name", bound).fetchall()
        return [_component(org.db, row) for row in rows]


def _component(db: sqlite3.Connection, row: tuple[object, ...]) -> Component:
    type_name, name = str(row[0]), str(row[1])
    files: dict[str, bytes] = {}
    if type_name in ("ApexClass", "ApexTrigger", "StaticResource", "LightningComponentBundle"):
        found = db.execute("SELECT path, body FROM meta_file WHERE type = ? AND name = ?", (type_name, name))
        files = {str(one[0]): bytes(one[1]) for one in found}
    return _build(row, files)


def _build(row: tuple[object, ...], files: Mapping[str, bytes]) -> Component:
    type_name, name, parent, path, ident = (str(value or "") for value in row[:5])
    xml = row[5] if isinstance(row[5], bytes) else b""
    created_at, created_by, modified_at, modified_by = (str(value or "") for value in row[6:])
    return Component(type_name, name, xml, parent, path, ident, files, created_at, created_by, modified_at, modified_by)
