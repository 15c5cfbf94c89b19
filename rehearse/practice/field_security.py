"""Which fields and objects whoever asks may see and write, by profile and permission sets (metadata.md 4.1).

Only while a request of somebody is answered: automation, jobs of the platform and the seed see everything. A custom
field that nobody was given access to is invisible, to administrators too; required fields and masters are always
there, and standard fields are never hidden. Objects follow their permissions, or View All Data and Modify All Data; a
detail without permissions of its own follows its parent. Switched off by the settings `field_security` and
`object_permissions`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from rehearse.practice.describe_field import is_permissionable
from rehearse.practice.http_errors import ApiError
from rehearse.practice.org_state import OrgState
from rehearse.practice.rows_values import RowError
from rehearse.practice.schema import FieldDef, ObjectDef
from rehearse.practice.user_rights import Rights, rights_of

Verb = Literal["read", "create", "edit", "delete"]
# Standard objects with permissions of their own; activities, attachments and files are everybody's.
GOVERNED = frozenset({"Account", "Campaign", "Case", "Contact", "Lead", "Opportunity", "Pricebook2", "Product2"})
FOLLOWS = {
    "CampaignMember": "Campaign",
    "OpportunityContactRole": "Opportunity",
    "OpportunityLineItem": "Opportunity",
    "PricebookEntry": "Pricebook2",
}
MANAGES_SETUP = "ManageUsers"
NO_METADATA = "use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata permissions"


@dataclass
class _Asking:
    """Who asks, and what was looked up for this one request: which rules hold, and what they let him do."""

    user_id: str
    looked_up: bool = False
    fields_on: bool = False
    objects_on: bool = False
    rights: Rights | None = None


_asking: ContextVar[_Asking | None] = ContextVar("asking", default=None)


@contextmanager
def as_user(user_id: str | None) -> Iterator[None]:
    """Let what happens inside be asked by a user, or by the platform (None)."""
    token = _asking.set(_Asking(user_id) if user_id else None)
    try:
        yield
    finally:
        _asking.reset(token)


def _look_up(org: OrgState) -> _Asking | None:
    """Who asks, with his rights; None where nothing is checked."""
    asking = _asking.get()
    if asking is None:
        return None
    if not asking.looked_up:
        asking.looked_up = True
        asking.fields_on = bool(org.settings.get("field_security", True))
        asking.objects_on = bool(org.settings.get("object_permissions", True))
        asking.rights = rights_of(org, asking.user_id)
    return asking if asking.rights is not None else None


def owner_in_scope(definition: ObjectDef, scope: str) -> str:
    """The owner that a query's scope asks for: of `mine` whoever asks, else empty for every owner.

    Raises ApiError INVALID_QUERY_SCOPE for a scope that is not kept here, or that an object without owner has not."""
    if scope in ("", "everything"):
        return ""
    asking = _asking.get()
    if scope != "mine" or definition.find("OwnerId") is None:
        raise ApiError(400, "INVALID_QUERY_SCOPE", f"The scope {scope} is not supported for {definition.name}")
    return asking.user_id if asking is not None else ""


# ---- fields


def _governed(definition: ObjectDef, field: FieldDef) -> bool:
    kept = definition.custom_setting or definition.name.endswith(("__mdt", "__e"))
    return field.custom and not kept and is_permissionable(definition, field)


def _closed(definition: ObjectDef, paths: frozenset[str]) -> frozenset[str]:
    return frozenset(
        one.name
        for one in definition.fields
        if _governed(definition, one) and f"{definition.name}.{one.compound or one.name}" not in paths
    )


def hidden_fields(org: OrgState, definition: ObjectDef) -> frozenset[str]:
    """The names of the fields of an object that whoever asks may not see."""
    asking = _look_up(org)
    if asking is None or asking.rights is None or not asking.fields_on:
        return frozenset()
    return _closed(definition, asking.rights.reads)


def locked_fields(org: OrgState, definition: ObjectDef) -> frozenset[str]:
    """The names of the fields of an object that whoever asks may not write."""
    asking = _look_up(org)
    if asking is None or asking.rights is None or not asking.fields_on:
        return frozenset()
    return _closed(definition, asking.rights.writes)


# ---- objects


def may(org: OrgState, verb: Verb, definition: ObjectDef) -> bool:
    """Whether whoever asks may read, create, edit or delete rows of an object. No sharing: all rows or none."""
    asking = _look_up(org)
    if asking is None or asking.rights is None or not asking.objects_on:
        return True
    held = asking.rights.permissions
    if definition.setup:
        return verb == "read" or MANAGES_SETUP in held
    if definition.custom_setting or definition.name.endswith(("__mdt", "__e")):
        return verb == "read" or bool(held & {"CustomizeApplication", "ModifyAllData"})
    if "ModifyAllData" in held or (verb == "read" and "ViewAllData" in held):
        return True
    name = FOLLOWS.get(definition.name, definition.name)
    if not definition.custom and name not in GOVERNED:
        return True
    if definition.name != name and verb in ("create", "delete"):
        verb = "edit"
    verbs = {verb, "modifyAll"} | ({"viewAll"} if verb == "read" else set())
    return any(f"{name}.{one}" in asking.rights.verbs for one in verbs)


def find_readable(org: OrgState, name: str) -> ObjectDef | None:
    """The object of this name that whoever asks may read, or None."""
    found = org.find_object(name)
    return found if found is not None and may(org, "read", found) else None


def require(org: OrgState, verb: Verb, definition: ObjectDef, row_id: str = "") -> None:
    """Raise the RowError of a write that whoever asks may not do; his own user row he may change."""
    asking = _asking.get()
    if may(org, verb, definition) or (asking is not None and verb == "edit" and row_id == asking.user_id):
        return
    if verb == "create":
        text = f"entity type cannot be inserted: {definition.label}"
        raise RowError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", text, ())
    raise RowError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", ())


def permitted(org: OrgState, *permissions: str) -> bool:
    """Whether whoever asks has one of these user permissions; the platform has all."""
    asking = _look_up(org)
    return asking is None or asking.rights is None or bool(asking.rights.permissions & set(permissions))


def was_given(org: OrgState, permission: str) -> bool:
    """Whether whoever asks is a user who was given a user permission by name; the platform was not."""
    asking = _look_up(org)
    return asking is not None and asking.rights is not None and permission in asking.rights.permissions


def require_metadata(org: OrgState, user_id: str) -> None:
    """Raise ApiError INSUFFICIENT_ACCESS for a user who may not use the Metadata API (metadata.md 1.1)."""
    with as_user(user_id):
        if org.settings.get("object_permissions", True) and not permitted(org, "ModifyMetadata", "ModifyAllData"):
            raise ApiError(500, "INSUFFICIENT_ACCESS", NO_METADATA)
