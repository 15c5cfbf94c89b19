"""Building a sandbox: the file of production (or of the cloned sandbox) plus what a copy changes.

A new org id with everything that follows from it, IsSandbox, users renamed and their e-mail switched off, no scheduled
jobs, no login history, only system e-mail; record ids stay. How many records come along depends on the licence type.
It refuses nothing: who may copy what is decided before. Promise: the org file appears whole or not at all, and a copy
that was killed half-way is simply built again.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from rehearse.practice.deliverability import FACT
from rehearse.practice.org_ids import base62, to_18
from rehearse.practice.org_state import OrgState
from rehearse.practice.org_tables import quote
from rehearse.practice.sandbox_sample import Choice, save_part
from rehearse.practice.schema import ObjectDef

MAIL_OFF = ".invalid"
SCHEDULES = ("CronTrigger", "CronJobDetail")
STAYS_BEHIND = ("LoginHistory", "SetupAuditTrail", "AsyncApexJob", "BackgroundOperation")
ALL_RECORDS = 2**62
WORK_TABLES = ("query_cursors", "bulk_jobs", "bulk_chunks", "meta_job")


@dataclass(frozen=True)
class CopyOrder:
    """What to build: the new org's id (15 characters), its sandbox name, licence type, and who asked for it.

    `keep_mail_of` are the users whose e-mail address stays; `taken` are usernames of other orgs, in lower case.
    """

    org_id: str
    sandbox: str
    licence: str
    keep_mail_of: Collection[str]
    taken: Collection[str]
    instance: str
    template: str = ""  # id of the template that names the objects to take records of


def build_copy(source: OrgState, target: Path, order: CopyOrder) -> None:
    """Write the org file `target` from `source`; `target` is replaced when it exists."""
    growing = target.with_name(f"{target.name}.new")
    for suffix in ("", "-wal", "-shm", "-journal"):
        growing.with_name(growing.name + suffix).unlink(missing_ok=True)
    _write_file(source, growing, order)
    source_name = _sandbox_suffix(source)
    copy = OrgState(growing, source.clock, source.settings)
    try:
        with copy.transaction() as db:
            old_id = copy.org_id
            _forget_work(copy)
            copy.become(order.org_id)
            _change_organization(db, order)
            _rename_users(db, order, source_name)
            if copy.settings.get("copy_replaces_org_id", True):
                replace_org_id(copy, old_id, to_18(order.org_id))
    finally:
        copy.close()
    os.replace(growing, target)


def replace_org_id(org: OrgState, old: str, new: str) -> None:
    """Put the new org id (18 characters) for the old one in every text value and in all metadata, 15 or 18 long."""
    with org.transaction() as db:
        for definition in org.objects().values():
            if definition.name == "Organization":
                continue
            _replace_in(db, definition.name, _text_columns(definition), (old, new))
        tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table, column in (("meta_component", "xml"), ("meta_file", "body"), ("meta_flow_version", "xml")):
            if table in tables:
                _replace_in_bytes(db, table, column, (old, new))


def _forget_work(org: OrgState) -> None:
    """Jobs, cursors, histories and (by default) deleted records and schedules do not arrive in a copy."""
    stopped = org.settings.get("copy_stops_schedules", True)
    for name in STAYS_BEHIND + (SCHEDULES if stopped else ()):
        if org.find_object(name) is not None:
            kept = "" if stopped or name != "AsyncApexJob" else " WHERE \"JobType\" <> 'ScheduledApex'"
            org.db.execute(f"DELETE FROM {quote(name)}{kept}")
    tables = {row[0] for row in org.db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for table in WORK_TABLES:
        if table in tables:
            org.db.execute(f"DELETE FROM {quote(table)}")
    if not org.settings.get("copy_drops_recycle_bin", True):
        return
    for definition in org.objects().values():
        if any(one.name == "IsDeleted" and one.stored for one in definition.fields):
            org.db.execute(f'DELETE FROM {quote(definition.name)} WHERE "IsDeleted" = 1')
    org.db.execute("DELETE FROM recycle_bin")
    org.db.execute("DELETE FROM cleared_lookups")


def template_objects(templates: Iterable[str], template: str) -> frozenset[str] | None:
    """The objects, in lower case, that a template names; None for one that the settings do not list: all objects."""
    for one in templates:
        row_id, *names = one.split()
        if template and row_id[:15] == template[:15]:
            return frozenset(name.lower() for name in names)
    return None


def _write_file(source: OrgState, target: Path, order: CopyOrder) -> None:
    """The file of the copy, with the records that the licence type and its template take along."""
    settings, licence = source.settings, order.licence
    objects = template_objects(settings.get("copy_templates", ()), order.template)
    if licence == "FULL" and objects is None:
        source.save_copy(target)
        return
    bin_too = not settings.get("copy_drops_recycle_bin", True)
    if licence == "FULL":
        choice = Choice(ALL_RECORDS, True, bin_too, objects)
    elif licence == "PARTIAL":
        choice = Choice(int(settings.get("sample_records", 10_000)), True, bin_too, objects)
    else:
        choice = Choice(0, bool(settings.get("developer_copies_custom_settings", False)), bin_too)
    save_part(source, target, choice)


def _change_organization(db: sqlite3.Connection, order: CopyOrder) -> None:
    db.execute('UPDATE "Organization" SET "IsSandbox" = 1, "InstanceName" = ?', (order.instance,))
    db.execute(
        "INSERT INTO org_facts VALUES (?1, 'system') ON CONFLICT (name) DO UPDATE SET value = 'system'",
        (FACT,),
    )
    db.execute(
        "INSERT INTO org_facts VALUES ('sandbox_name', ?1) ON CONFLICT (name) DO UPDATE SET value = ?1",
        (order.sandbox,),
    )


def _rename_users(db: sqlite3.Connection, order: CopyOrder, source_name: str) -> None:
    """Append the sandbox name to usernames (a clone's old one goes), and `.invalid` to e-mail addresses."""
    taken = set(order.taken)
    rows = db.execute('SELECT "Id", "Username", "Email" FROM "User" ORDER BY "Id"').fetchall()
    for number, (user_id, username, mail) in enumerate(rows):
        name = f"{username.removesuffix(source_name)}.{order.sandbox.lower()}"
        if name.lower() in taken:
            name = f"00x{base62(number + 1, 4)}{name}"
        taken.add(name.lower())
        if mail and user_id not in order.keep_mail_of and not mail.endswith(MAIL_OFF):
            mail += MAIL_OFF
        db.execute('UPDATE "User" SET "Username" = ?, "Email" = ? WHERE "Id" = ?', (name, mail, user_id))


def _sandbox_suffix(source: OrgState) -> str:
    """What the usernames of a cloned sandbox end with; empty for production."""
    with source.lock:
        row = source.db.execute("SELECT value FROM org_facts WHERE name = 'sandbox_name'").fetchone()
    return f".{row[0].lower()}" if row else ""


def _text_columns(definition: ObjectDef) -> list[str]:
    """Columns that may hold an org id as text; a reference may too (SetupOwnerId of a custom setting)."""
    skipped = {"boolean", "int", "long", "double", "currency", "percent", "date", "datetime", "time", "id"}
    return [one.name for one in definition.fields if one.stored and one.type not in skipped]


def _replace_in(db: sqlite3.Connection, table: str, columns: list[str], ids: tuple[str, str]) -> None:
    """One look at each row, whatever number of columns it has: a big table is read once."""
    if not columns:
        return
    old, new = ids
    names = [quote(column) for column in columns]
    sets = ", ".join(f"{name} = replace(replace({name}, ?1, ?2), ?3, ?4)" for name in names)
    some = " OR ".join(f"instr({name}, ?3)" for name in names)
    db.execute(f"UPDATE {quote(table)} SET {sets} WHERE {some}", (old, new, old[:15], new[:15]))


def _replace_in_bytes(db: sqlite3.Connection, table: str, column: str, ids: tuple[str, str]) -> None:
    old, new = (one.encode() for one in ids)
    found = db.execute(
        f"SELECT rowid, {column} FROM {table} WHERE instr({column}, CAST(? AS BLOB)) > 0", (old[:15],)
    ).fetchall()
    for row_id, body in found:
        if isinstance(body, bytes):
            changed = body.replace(old, new).replace(old[:15], new[:15])
            db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (changed, row_id))
