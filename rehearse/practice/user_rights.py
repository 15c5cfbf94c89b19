"""What a user may do: the grants of the profile and of every permission set that is assigned, added up.

Read from the metadata of the org each time, since a deployment or an assignment changes them at once; what one XML
grants is remembered by its bytes. A user without a profile in the metadata (worlds made by tests) has no bounds: None.
[Salesforce help, user permissions and access; metadata.md 3.6]
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from rehearse.practice.meta_xml import elements, flag, parse, text_of
from rehearse.practice.org_state import OrgState

VERBS = {
    "allowCreate": "create",
    "allowDelete": "delete",
    "allowEdit": "edit",
    "allowRead": "read",
    "modifyAllRecords": "modifyAll",
    "viewAllRecords": "viewAll",
}


@dataclass(frozen=True)
class Rights:
    """Fields (`Object.Field`) to read and to write, verbs as `Object.verb`, and user permissions that are on."""

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    verbs: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()

    def joined(self, other: Rights) -> Rights:
        """Both together: permissions only ever add up."""
        return Rights(
            self.reads | other.reads,
            self.writes | other.writes,
            self.verbs | other.verbs,
            self.permissions | other.permissions,
        )


@lru_cache(maxsize=128)
def grants_of(xml: bytes) -> Rights:
    """What one profile or permission set grants."""
    root = parse(xml)
    fields = [
        (text_of(one, "field"), flag(one, "readable"), flag(one, "editable"))
        for one in elements(root, "fieldPermissions")
    ]
    verbs = {
        f"{text_of(one, 'object')}.{verb}"
        for one in elements(root, "objectPermissions")
        for tag, verb in VERBS.items()
        if flag(one, tag)
    }
    named = {text_of(one, "name") for one in elements(root, "userPermissions") if flag(one, "enabled")}
    return Rights(
        frozenset(path for path, readable, _ in fields if readable),
        frozenset(path for path, _, editable in fields if editable),
        frozenset(verbs),
        frozenset(named),
    )


def rights_of(org: OrgState, user_id: str) -> Rights | None:
    """The rights of a user; None for one whose profile is no component of the org, who has no bounds."""
    if org.find_object("User") is None:  # tables that only answer one query know no people
        return None
    with org.lock:
        own = org.db.execute('SELECT "ProfileId" FROM "User" WHERE "Id" = ?', (user_id,)).fetchone()
        if own is None or not own[0]:
            return None
        assigned = 'SELECT "PermissionSetId" FROM "PermissionSetAssignment" WHERE "AssigneeId" = ? AND "IsDeleted" = 0'
        holders = [str(own[0]), *(str(row[0]) for row in org.db.execute(assigned, (user_id,)))]
        marks = ", ".join("?" for _ in holders)
        sql = f"SELECT type, xml FROM meta_component WHERE type IN ('Profile', 'PermissionSet') AND id IN ({marks})"
        found = org.db.execute(sql, holders).fetchall()
    if not any(kind == "Profile" for kind, _ in found):
        return None
    rights = Rights()
    for _, xml in found:
        rights = rights.joined(grants_of(bytes(xml)))
    return rights


def holds(org: OrgState, user_id: str, permission: str) -> bool:
    """Whether a user has a user permission such as ViewEncryptedData; one without bounds has every one."""
    rights = rights_of(org, user_id)
    return rights is None or permission in rights.permissions
