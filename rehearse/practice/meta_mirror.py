"""The rows that setup components have in ordinary objects: RecordType, Profile, PermissionSet, UserRole, Group, Apex.

The row and the component share one id. A component that is deployed where a row of its name already stands adopts that
row's id. SetupAuditTrail gets one row for each change. These rows bypass the rules of rows.py: nobody may write them
through the API.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from rehearse.practice import components, meta_records
from rehearse.practice.components import Author, Component
from rehearse.practice.meta_xml import elements, flag, parse, text_of, version_of
from rehearse.practice.org_state import OrgState
from rehearse.practice.org_tables import quote
from rehearse.practice.schema import FieldDef, ObjectDef, Value, id_field, system_fields

PROFILE_NAMES = {
    "Admin": "System Administrator",
    "Standard": "Standard User",
    "ReadOnly": "Read Only",
    "MinimumAccess": "Minimum Access - Salesforce",
}
SECTIONS = {
    "CustomObject": "Custom Objects",
    "CustomField": "Customize Fields",
    "ApexClass": "Apex Class",
    "ApexTrigger": "Apex Trigger",
    "Flow": "Flows",
    "Profile": "Manage Users",
    "PermissionSet": "Manage Users",
    "Layout": "Page Layouts",
    "ValidationRule": "Validation Rules",
}


def _text(name: str, label: str, length: int = 255) -> FieldDef:
    return FieldDef(name, label, "string", length=length, createable=False, updateable=False)


def _apex_object(name: str, label: str, prefix: str, plural: str) -> ObjectDef:
    stamps = system_fields(owner=(), deleted=False)
    own = (
        _text("Name", "Name"),
        _text("NamespacePrefix", "Namespace Prefix", 15),
        FieldDef("ApiVersion", "Api Version", "double", precision=18, scale=1),
        FieldDef("Status", "Status", "picklist", length=40),
        FieldDef("IsValid", "Is Valid", "boolean", required=True),
        FieldDef("LengthWithoutComments", "Size Without Comments", "int", precision=9),
        FieldDef("Body", "Body", "textarea", length=1_000_000),
    )
    more = (_text("TableEnumOrId", "Object", 40),) if name == "ApexTrigger" else ()
    fields = (id_field(f"{label} ID"), *own, *more, *stamps)
    return ObjectDef(
        name, label, plural, prefix, fields, createable=False, updateable=False, deletable=False, undeletable=False,
        replicateable=False, triggerable=False, searchable=False, setup=True, bulk=False,
    )  # fmt: skip


APEX_OBJECTS = (
    _apex_object("ApexClass", "Apex Class", "01p", "Apex Classes"),
    _apex_object("ApexTrigger", "Apex Trigger", "01q", "Apex Triggers"),
)


def prepare(org: OrgState) -> None:
    """Give the org the read-only objects ApexClass and ApexTrigger, which ordinary queries may ask."""
    for definition in APEX_OBJECTS:
        if org.find_object(definition.name) is None:
            org.put_object(definition)
        with org.transaction() as db:  # a class is found by its name, also among ten thousand
            table, index = quote(definition.name), quote(f"{definition.name}.Name")
            db.execute(f'CREATE INDEX IF NOT EXISTS {index} ON {table} ("Name")')


def row_of(component: Component) -> tuple[str, dict[str, Value]]:
    """The object and the values of the row of a component; the object is empty where it has none."""
    short = component.name.rpartition(".")[2]
    if component.type in ("ApexClass", "ApexTrigger"):
        return component.type, _apex_values(component)
    xml = parse(component.xml)
    label = text_of(xml, "label") or text_of(xml, "name") or short
    note = text_of(xml, "description") or None
    if component.type == "RecordType":
        kind = component.name.partition(".")[0]
        active = int(flag(xml, "active"))
        return "RecordType", {
            "Name": label, "DeveloperName": short, "SobjectType": kind, "IsActive": active, "Description": note,
        }  # fmt: skip
    if component.type == "Profile":
        return "Profile", {"Name": profile_name(component.name), "UserType": "Standard", "Description": note}
    if component.type == "PermissionSet":
        flags: dict[str, Value] = {"IsOwnedByProfile": 0, "IsCustom": 1, "Type": "Regular"}
        return "PermissionSet", {"Name": short, "Label": label, "Description": note, **flags}
    if component.type == "Role":
        return "UserRole", {"Name": label, "DeveloperName": short, "RollupDescription": note}
    if component.type in ("Group", "Queue"):
        return "Group", {
            "Name": label,
            "DeveloperName": short,
            "Type": "Queue" if component.type == "Queue" else "Regular",
        }
    return "", {}


def _apex_values(component: Component) -> dict[str, Value]:
    xml = parse(component.xml)
    body = next(iter(component.files.values()), b"").decode("utf-8", "replace")
    values: dict[str, Value] = {
        "Name": component.name,
        "ApiVersion": version_of(xml),
        "Status": text_of(xml, "status") or "Active",
        "IsValid": 1,
        "LengthWithoutComments": len(body),
        "Body": body,
    }
    if component.type == "ApexTrigger":
        words = body.replace("(", " ").split()
        values["TableEnumOrId"] = words[words.index("on") + 1] if "on" in words[:-1] else None
    return values


def profile_name(full_name: str) -> str:
    """The name that the Profile row carries: standard profiles have another one in metadata."""
    return PROFILE_NAMES.get(full_name, full_name.replace("%2F", "/").replace("%28", "(").replace("%29", ")"))


def adopt_id(org: OrgState, component: Component) -> str:
    """The id of a row that already stands for this component, or the empty text."""
    if component.type == "CustomMetadata":
        return org.new_id(meta_records.prefix_of_type(component.name))
    target, values = row_of(component)
    if not target or org.find_object(target) is None:
        return ""
    keys = [key for key in ("DeveloperName", "Name", "SobjectType") if key in values]
    if "DeveloperName" in keys and target != "RecordType":
        keys = ["DeveloperName"]
    where = " AND ".join(f"{quote(key)} = ?" for key in keys if not (target == "RecordType" and key == "Name"))
    bound = [values[key] for key in keys if not (target == "RecordType" and key == "Name")]
    with org.lock:
        row = org.db.execute(f'SELECT "Id" FROM {quote(target)} WHERE {where}', bound).fetchone()
    return str(row[0]) if row else ""


def mirror(org: OrgState, component: Component) -> None:
    """Write the row of a component that was saved."""
    target, values = row_of(component)
    if target:
        put_row(org, target, {"Id": component.id, **values, **_stamps(component)})
    if component.type == "PermissionSet":
        _grant(org, component)


def mirror_record(org: OrgState, component: Component) -> None:
    """Write the row of a custom metadata record, where it fits its type; the check of the deployment tells the rest."""
    kept = components.find(org, component.type, component.name)
    with suppress(ValueError):
        values = meta_records.record_values(org, component)
        if kept is not None:
            put_row(org, meta_records.type_name(kept.name), {"Id": kept.id, **values, **_stamps(kept)})


def _grant(org: OrgState, component: Component) -> None:
    """Say which custom permissions a permission set gives: formulas may ask for them."""
    given = [
        text_of(one, "name") for one in elements(parse(component.xml), "customPermissions") if flag(one, "enabled")
    ]
    with org.transaction() as db:
        db.execute("DELETE FROM custom_permission_grants WHERE permission_set = ?", (component.id,))
        rows = [(component.id, name) for name in given]
        db.executemany("INSERT INTO custom_permission_grants (permission_set, permission) VALUES (?, ?)", rows)


def link_roles(org: OrgState) -> None:
    """Give every UserRole row the parent that its component names."""
    roles = {one.name: one for one in components.load_type(org, "Role")}
    with org.transaction() as db:
        for role in roles.values():
            parent = roles.get(text_of(parse(role.xml), "parentRole"))
            values = (parent.id if parent else None, role.id)
            db.execute('UPDATE "UserRole" SET "ParentRoleId" = ? WHERE "Id" = ?', values)


def unmirror(org: OrgState, component: Component) -> None:
    """Remove the row of a component that is gone, and with it who was assigned to it or a member of it."""
    target, _ = row_of(component)
    if component.type == "CustomMetadata":
        target = meta_records.type_name(component.name)
    if not target or org.find_object(target) is None:
        return
    with org.transaction() as db:
        db.execute(f'DELETE FROM {quote(target)} WHERE "Id" = ?', (component.id,))
        if target == "PermissionSet":
            db.execute('DELETE FROM "PermissionSetAssignment" WHERE "PermissionSetId" = ?', (component.id,))
            db.execute("DELETE FROM custom_permission_grants WHERE permission_set = ?", (component.id,))
        if target == "Group" and org.find_object("GroupMember") is not None:
            db.execute('DELETE FROM "GroupMember" WHERE "GroupId" = ?', (component.id,))


def _stamps(component: Component) -> dict[str, Value]:
    return {
        "CreatedDate": component.created_at,
        "CreatedById": component.created_by,
        "LastModifiedDate": component.modified_at,
        "LastModifiedById": component.modified_by,
        "SystemModstamp": component.modified_at,
    }


def put_row(org: OrgState, target: str, values: Mapping[str, Value]) -> None:
    """Insert or update one row by its id, as far as the object has these fields."""
    definition = org.find_object(target)
    if definition is None:
        return
    known = {name: value for name, value in values.items() if definition.find(name) is not None}
    columns = ", ".join(quote(name) for name in known)
    marks = ", ".join("?" for _ in known)
    changes = ", ".join(
        f"{quote(n)} = excluded.{quote(n)}" for n in known if n not in ("Id", "CreatedDate", "CreatedById")
    )
    with org.transaction() as db:
        db.execute(
            f'INSERT INTO {quote(target)} ({columns}) VALUES ({marks}) ON CONFLICT ("Id") DO UPDATE SET {changes}',
            tuple(known.values()),
        )


def write_audit(org: OrgState, author: Author, action: str, component: Component) -> None:
    """One row of SetupAuditTrail: who did what to which component (facts 6.1)."""
    words = {"created": "Created", "changed": "Changed", "deleted": "Deleted"}[action]
    values: dict[str, Value] = {
        "Id": org.new_id("0Ym"),
        "Action": f"{action}{component.type}"[:40],
        "Section": SECTIONS.get(component.type, component.type),
        "Display": f"{words} {component.type} {component.name}"[:1000],
        "CreatedById": author.user_id,
        "CreatedDate": author.at,
    }
    put_row(org, "SetupAuditTrail", values)
