"""The SQLite table behind an object: which columns it has, and how it follows a changed definition.

Knows FieldDef and SQL, nothing of rules or rows. Promise: a field that is dropped loses its values, a field that is
added starts empty (a checkbox: at its default), a field that stays keeps what it held.
"""

from __future__ import annotations

import sqlite3

from rehearse.practice.schema import FieldDef, ObjectDef


def quote(name: str) -> str:
    """A table or column name for SQL text."""
    return '"' + name.replace('"', '""') + '"'


def column_type(field: FieldDef) -> str:
    """The SQL type of a column: ids keep their case, other text compares without regard to case."""
    if field.type == "boolean":
        return "INTEGER NOT NULL DEFAULT 0"
    if field.type in ("int", "long"):
        return "INTEGER"
    if field.is_number:
        return "REAL"
    if field.type in ("id", "reference", "date", "datetime", "time", "base64") or field.case_sensitive:
        return "TEXT"
    return "TEXT COLLATE NOCASE"


def _wants_index(field: FieldDef) -> bool:
    """References (cascades look for children), unique and external ids (look-ups), and the stamp of proofs."""
    if field.name in ("OwnerId", "CreatedById", "LastModifiedById", "RecordTypeId"):
        return False
    return field.type == "reference" or field.unique or field.external_id or field.name == "SystemModstamp"


def _index(table: str, field: FieldDef) -> str:
    return f"CREATE INDEX IF NOT EXISTS {quote(f'{table}.{field.name}')} ON {quote(table)} ({quote(field.name)})"


def _add_column(db: sqlite3.Connection, table: str, field: FieldDef) -> None:
    db.execute(f"ALTER TABLE {quote(table)} ADD COLUMN {quote(field.name)} {column_type(field)}")
    if field.type == "boolean" and field.default:  # rows that are there get the default of a checkbox
        db.execute(f"UPDATE {quote(table)} SET {quote(field.name)} = 1")
    if _wants_index(field):
        db.execute(_index(table, field))


def _drop_column(db: sqlite3.Connection, table: str, name: str) -> None:
    db.execute(f"DROP INDEX IF EXISTS {quote(f'{table}.{name}')}")
    db.execute(f"ALTER TABLE {quote(table)} DROP COLUMN {quote(name)}")


def rename_column(db: sqlite3.Connection, table: str, old: str, new: str) -> None:
    """Give a column another name, where it is one; its index is made anew when the table takes shape again."""
    columns = {str(row[1]) for row in db.execute(f"PRAGMA table_info({quote(table)})")}
    if old in columns:
        db.execute(f"DROP INDEX IF EXISTS {quote(f'{table}.{old}')}")
        db.execute(f"ALTER TABLE {quote(table)} RENAME COLUMN {quote(old)} TO {quote(new)}")


def shape_table(db: sqlite3.Connection, old: ObjectDef | None, new: ObjectDef) -> None:
    """Create the table of an object, or turn the columns of `old` into those of `new`."""
    table = new.name
    if old is None:
        columns = [f"{quote(field.name)} {column_type(field)}" for field in new.stored_fields if field.name != "Id"]
        if new.find("IsDeleted") is None:
            columns.append(
                '"IsDeleted" INTEGER NOT NULL DEFAULT 0'
            )  # every table has it; describe shows it where Salesforce does
        db.execute(f'CREATE TABLE {quote(table)} ("Id" TEXT PRIMARY KEY, {", ".join(columns)})')
        for field in new.stored_fields:
            if _wants_index(field):
                db.execute(_index(table, field))
        return
    before = {field.name.lower(): field for field in old.stored_fields}
    after = {field.name.lower(): field for field in new.stored_fields}
    for key, field in before.items():
        if key not in after and key != "isdeleted":
            _drop_column(db, table, field.name)
    for key, field in after.items():
        if key not in before:
            _add_column(db, table, field)
        elif column_type(before[key]) != column_type(field):
            _change_column(db, table, before[key].name, field)
        elif _wants_index(field):
            db.execute(_index(table, field))


def _change_column(db: sqlite3.Connection, table: str, old_name: str, field: FieldDef) -> None:
    """A field changed its type: values that the new type can hold are kept."""
    parked = f"{old_name} before"
    db.execute(f"DROP INDEX IF EXISTS {quote(f'{table}.{old_name}')}")
    db.execute(f"ALTER TABLE {quote(table)} RENAME COLUMN {quote(old_name)} TO {quote(parked)}")
    _add_column(db, table, field)
    db.execute(f"UPDATE {quote(table)} SET {quote(field.name)} = {quote(parked)}")
    db.execute(f"ALTER TABLE {quote(table)} DROP COLUMN {quote(parked)}")
