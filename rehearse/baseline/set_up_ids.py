"""Set-up that was deleted and deployed again: metadata by name, but owners, roles and places of rows by an Id.

Queues, groups, permission sets, roles, profiles and record types. Both captures keep what the org listed, so the pair
is known from them alone. Only the same name of the same type makes a pair: what the rows say is then compared, and put
back, as if the queue (or the record type) had kept its Id.
"""

from __future__ import annotations

from collections.abc import Mapping

from rehearse.baseline.known_metadata import load_dates
from rehearse.baseline.model import Capture
from rehearse.baseline.record_store import CaptureStore
from rehearse.ids import to_18

ROWS_OF: Mapping[str, str] = {
    "Group": "Group",
    "PermissionSet": "PermissionSet",
    "PermissionSetGroup": "PermissionSetGroup",
    "Profile": "Profile",
    "Queue": "Group",
    "RecordType": "RecordType",
    "Role": "UserRole",
}
"""Metadata type -> the object whose rows have the same Ids (listMetadata gives them)."""


def find_new_ids(store: CaptureStore, before: Capture, after: Capture) -> dict[str, str]:
    """Id of a piece of set-up in one capture -> its Id in the other, where it is another one. Raises Damaged."""
    if ROWS_OF.keys().isdisjoint(before.scope.types):
        return {}
    old, new = _load_ids(store, before), _load_ids(store, after)
    return {id: new[name] for name, id in old.items() if name in new and new[name] != id}


def _load_ids(store: CaptureStore, capture: Capture) -> dict[tuple[str, str], str]:
    listed = load_dates(store, capture)
    return {(type, name): to_18(id) for (type, name), (id, _) in listed.items() if type in ROWS_OF and id}
