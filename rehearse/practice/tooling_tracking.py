"""Source tracking: SourceMember, one row for each component that was changed by hand or by deployment in this org.

Off unless the setting `source_tracking` names the sandbox, since real ones have it only where it was switched on, and
only in Developer and Developer Pro sandboxes. The rows are read from the audit trail, which begins anew with each copy.
Without tracking the object does not exist; clients ask for that [metadata.md 6.1; clients.md, retrieve].
"""

from __future__ import annotations

from typing import Any

from rehearse.practice.org_state import OrgState

NAME = "SourceMember"
PREFIX = "0MZ"
GONE = "Deleted"
VERBS = ("Created", "Changed", GONE)


def tracks(org: OrgState) -> bool:
    """Whether this org keeps track of its changes."""
    named = {str(one).lower() for one in org.settings.get("source_tracking", ())}
    return org.is_sandbox and org.sandbox.lower() in named


def source_members(org: OrgState) -> list[dict[str, Any]]:
    """One row for each component that has an entry in the audit trail, with its last change."""
    with org.lock:
        columns = '"Display", "CreatedDate", "CreatedById"'
        found = org.db.execute(f'SELECT {columns} FROM "SetupAuditTrail" ORDER BY "CreatedDate", "Id"').fetchall()
        names = dict(
            org.db.execute("""SELECT "Id", trim(coalesce("FirstName", '') || ' ' || "LastName") FROM "User" """)
        )
    members: dict[tuple[str, str], dict[str, Any]] = {}
    for counter, (display, at, by) in enumerate(found, start=1):
        verb, _, rest = str(display or "").partition(" ")
        kind, _, name = rest.partition(" ")
        if verb not in VERBS or not name:
            continue
        known = members.setdefault(
            (kind, name), {"CreatedDate": at, "CreatedById": by, "IsNewMember": verb == "Created"}
        )
        members[kind, name] = {
            **known,
            "MemberType": kind,
            "MemberName": name,
            "MemberIdOrName": name,
            "IsNameObsolete": verb == GONE,
            "RevisionCounter": counter,
            "RevisionNum": counter,
            "ChangedBy": names.get(by),
            "LastModifiedDate": at,
            "LastModifiedById": by,
            "SystemModstamp": at,
        }
    numbered = enumerate(members.values(), start=1)
    return [{"Id": f"{PREFIX}{org.org_id[5:10]}{number:010d}", **row} for number, row in numbered]
