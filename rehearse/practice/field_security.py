"""Field-level security: which custom fields a user reads and writes, by profile and permission sets (metadata.md 4.1).

Only where the setting `field_security` is on, and only while a request of somebody is answered: automation, jobs of
the platform and the seed see everything. A field that nobody was given access to is invisible, to administrators too;
required fields and masters are always there. Standard fields are never hidden.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from rehearse.practice import components
from rehearse.practice.describe_field import is_permissionable
from rehearse.practice.meta_xml import elements, flag, parse, text_of
from rehearse.practice.org_state import OrgState
from rehearse.practice.schema import FieldDef, ObjectDef

_asking: ContextVar[str | None] = ContextVar("asking_user", default=None)


@contextmanager
def as_user(user_id: str | None) -> Iterator[None]:
    """Let what happens inside be asked by a user, or by the platform (None)."""
    token = _asking.set(user_id)
    try:
        yield
    finally:
        _asking.reset(token)


def enforced(org: OrgState) -> bool:
    """Whether security holds for what is done now."""
    return _asking.get() is not None and bool(org.settings.get("field_security", False))


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


def hidden_fields(org: OrgState, definition: ObjectDef) -> frozenset[str]:
    """The names of the fields of an object that whoever asks may not see."""
    user_id = _asking.get()
    if user_id is None or not enforced(org):
        return frozenset()
    reads, _ = access(org, user_id)
    return frozenset(
        one.name
        for one in definition.fields
        if _governed(definition, one) and f"{definition.name}.{one.compound or one.name}" not in reads
    )


def locked_fields(org: OrgState, definition: ObjectDef) -> frozenset[str]:
    """The names of the fields of an object that whoever asks may not write."""
    user_id = _asking.get()
    if user_id is None or not enforced(org):
        return frozenset()
    _, writes = access(org, user_id)
    return frozenset(
        one.name
        for one in definition.fields
        if _governed(definition, one) and f"{definition.name}.{one.compound or one.name}" not in writes
    )
