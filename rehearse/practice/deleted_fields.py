"""Custom fields that were deleted: for 15 days they lie in a bin of their own, under another name (metadata.md 4.1).

Nothing brings them back through an API, and a field that is made again under the old name is another field. Tooling
queries of CustomField still show them as `Name_del`, where the setting `deleted_fields_show` says so. Roll-up fields
and purged ones are gone at once.
"""

from __future__ import annotations

from datetime import timedelta

from rehearse.practice.components import Author, Component
from rehearse.practice.meta_xml import parse, text_of
from rehearse.practice.org_state import OrgState, as_stamp

KEPT_DAYS = 15
TABLE = """CREATE TABLE IF NOT EXISTS meta_deleted_field (
    id TEXT PRIMARY KEY, object TEXT, name TEXT, deleted_at TEXT, deleted_by TEXT, created_at TEXT, created_by TEXT)"""


def keep(org: OrgState, field: Component, author: Author) -> None:
    """Put a field that was deleted into the bin of fields."""
    owner, _, name = field.name.partition(".")
    if not name.endswith("__c") or text_of(parse(field.xml), "type") == "Summary":
        return
    row = (field.id, owner, name.removesuffix("__c"), author.at, author.user_id, field.created_at, field.created_by)
    with org.transaction() as db:
        db.execute(TABLE)
        db.execute("INSERT OR REPLACE INTO meta_deleted_field VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def load(org: OrgState) -> list[dict[str, str]]:
    """The deleted fields whose 15 days are not over, oldest first, each under a name of its own."""
    edge = as_stamp(org.now() - timedelta(days=KEPT_DAYS))
    with org.transaction() as db:
        db.execute(TABLE)
        rows = db.execute("SELECT * FROM meta_deleted_field WHERE deleted_at >= ? ORDER BY deleted_at, id", (edge,))
        found, taken = [], set[tuple[str, str]]()
        for ident, owner, name, deleted_at, deleted_by, created_at, created_by in rows.fetchall():
            number, short = 0, f"{name}_del"
            while (owner, short) in taken:
                number, short = number + 1, f"{name}_del{number + 1}"
            taken.add((owner, short))
            stamps = {"modified_at": deleted_at, "modified_by": deleted_by}
            stamps |= {"created_at": created_at, "created_by": created_by}
            found.append({"id": ident, "object": owner, "name": short, **stamps})
    return found
