"""Setup audit trail for rows: who made, changed or deleted a user, a group, a role or an assignment.

Metadata changes have their own entry (meta_mirror). Objects that only the platform writes leave no entry. The words of
`Display` are invented: Salesforce's own are free text in the language of the user.
"""

from __future__ import annotations

from collections.abc import Iterable

from rehearse.practice.meta_mirror import put_row
from rehearse.practice.org_state import OrgState
from rehearse.practice.schema import ObjectDef

SECTIONS = {
    "User": "Manage Users",
    "UserLogin": "Manage Users",
    "UserRole": "Manage Users",
    "Group": "Groups",
    "GroupMember": "Groups",
    "PermissionSet": "Manage Users",
    "PermissionSetAssignment": "Manage Users",
}
WORDS = {"created": "Created", "changed": "Changed", "deleted": "Deleted"}


def note_setup(
    org: OrgState, user_id: str, action: str, definition: ObjectDef, what: tuple[str, Iterable[str]]
) -> None:
    """Write the entry of a change; `what` is the row's id and the fields that changed. Nothing for other objects."""
    section = SECTIONS.get(definition.name)
    if section is None:
        return
    row_id, fields = what
    named = ", ".join(sorted(fields))
    text = f"{WORDS[action]} {definition.label} {row_id}" + (f": {named}" if named and action == "changed" else "")
    values = {
        "Id": org.new_id("0Ym"),
        "Action": f"{action}{definition.name}"[:40],
        "Section": section,
        "Display": text[:1000],
        "CreatedById": user_id,
        "CreatedDate": org.stamp(),
    }
    put_row(org, "SetupAuditTrail", values)
