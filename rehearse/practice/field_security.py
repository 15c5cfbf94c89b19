"""Field-level security: which custom fields a user reads and writes, by profile and permission sets (metadata.md 4.1).

Only where the setting `field_security` is on, and only while a request of somebody is answered: automation, jobs of
the platform and the seed see everything. A field that nobody was given access to is invisible, to administrators too;
required fields and masters are always there. Standard fields are never hidden.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from rehearse.practice import components
from rehearse.practice.describe_field import is_permissionable
from rehearse.practice.meta_xml import elements, flag, parse, text_of
from rehearse.practice.org_state import OrgState
from rehearse.practice.schema import FieldDef, ObjectDef


@dataclass
class _Asking:
    """Who asks, and what was looked up for this one request: whether security is on, and what it lets him do."""

    user_id: str
    on: bool | None = None
    access: tuple[set[str], set[str]] | None = None


_asking: ContextVar[_Asking | None] = ContextVar("asking", default=None)


@contextmanager
def as_user(user_id: str | None) -> Iterator[None]:
    """Let what happens inside be asked by a user, or by the platform (None)."""
    token = _asking.set(_Asking(user_id) if user_id else None)
    try:
        yield
    finally:
        _asking.reset(token)


def _allowed(org: OrgState) -> tuple[set[str], set[str]] | None:
    """What whoever asks may read and write, or None where security does not hold."""
    asking = _asking.get()
    if asking is None:
        return None
    if asking.on is None:
        asking.on = bool(org.settings.get("field_security", False))
    if asking.on and asking.access is None:
        asking.access = access(org, asking.user_id)
    return asking.access


def access(org: OrgState, user_id: str) -> tuple[set[str], set[str]]:
    """The fields, as `Object.Field`, that a user may read, and those that he may write."""
    with org.lock:
        own = org.db.execute('SELECT "ProfileId" FROM "User" WHERE "Id" = ?', (user_id,)).fetchall()
        sql = 'SELECT "PermissionSetId" FROM "PermissionSetAssignment" WHERE "AssigneeId" = ?'
        sets = org.db.execute(sql, (user_id,)).fetchall()
        holders = {str(row[0]) for row in (*own, *sets)}
        found = [*components.load_type(org, "Profile"), *components.load_type(org, "PermissionSet")]
    reads: set[str] = set()
    writes: set[str] = set()
    for holder in found:
        if holder.id not in holders:
            continue
        for entry in elements(parse(holder.xml), "fieldPermissions"):
            path = text_of(entry, "field")
            if flag(entry, "readable"):
                reads.add(path)
            if flag(entry, "editable"):
                writes.add(path)
    return reads, writes


def _governed(definition: ObjectDef, field: FieldDef) -> bool:
    kept = definition.custom_setting or definition.name.endswith(("__mdt", "__e"))
    return field.custom and not kept and is_permissionable(definition, field)


def _closed(definition: ObjectDef, paths: set[str]) -> frozenset[str]:
    return frozenset(
        one.name
        for one in definition.fields
        if _governed(definition, one) and f"{definition.name}.{one.compound or one.name}" not in paths
    )


def hidden_fields(org: OrgState, definition: ObjectDef) -> frozenset[str]:
    """The names of the fields of an object that whoever asks may not see."""
    allowed = _allowed(org)
    return _closed(definition, allowed[0]) if allowed is not None else frozenset()


def locked_fields(org: OrgState, definition: ObjectDef) -> frozenset[str]:
    """The names of the fields of an object that whoever asks may not write."""
    allowed = _allowed(org)
    return _closed(definition, allowed[1]) if allowed is not None else frozenset()
