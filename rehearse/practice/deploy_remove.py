"""Deleting one component of a destructive manifest, with what Salesforce refuses and what goes along.

Refused: what is referenced elsewhere, record types, standard things, containers, the only layout of an object, active
flow versions, folders with contents. A missing member is a warning. With a field its values are gone; a redeployed
field starts empty under a new id. Entries in profiles, permission sets, apps and layouts go along silently.
"""

from __future__ import annotations

from collections.abc import Set

from rehearse.practice import (
    components,
    deleted_fields,
    deploy_usage,
    meta_automation,
    meta_flows,
    meta_mirror,
    meta_schema,
)
from rehearse.practice.components import Author, Component
from rehearse.practice.deploy_access import drop_deep, drop_entries
from rehearse.practice.deploy_code import check_no_jobs
from rehearse.practice.deploy_model import DeployProblem, Item
from rehearse.practice.meta_types import BY_NAME, FOLDER_TYPE, OBJECT_CHILDREN, known
from rehearse.practice.meta_xml import parse, text_of
from rehearse.practice.org_state import OrgState
from rehearse.practice.packages_installed import installed_versions, namespace_of

ELSEWHERE = {
    "CustomField": "This custom field is referenced elsewhere in salesforce.com. : {}.",
    "ApexClass": "This apex class is referenced elsewhere in salesforce.com. : {}.",
}
REFERENCED = "This {} is referenced elsewhere in salesforce.com. : {}."
NEVER = (
    "Workflow", "CustomLabels", "Settings", "InstalledPackage", "FlowDefinition", "StandardValueSet", "SharingRules",
    "AssignmentRules", "AutoResponseRules", "EscalationRules", "MatchingRules",
)  # fmt: skip
PART_OF = {
    "ApexClass": "apexClass",
    "CustomApplication": "application",
    "CustomField": "field",
    "CustomObject": "object",
    "CustomPermission": "name",
    "CustomTab": "tab",
    "Flow": "flow",
    "Layout": "layout",
    "RecordType": "recordType",
}
Going = Set[tuple[str, str]]


def check_in_use(org: OrgState, type_name: str, name: str, going: Going) -> None:
    """Refuse while something that does not go itself uses the component. Raises DeployProblem."""
    users = [
        one
        for one in deploy_usage.find_users(org, type_name, name)
        if (one.type, one.name) not in going and ("CustomObject", one.name.partition(".")[0]) not in going
    ]
    if users:
        text = ELSEWHERE.get(type_name, REFERENCED.format(type_name, "{}"))
        raise DeployProblem(" ".join(text.format(one.label) for one in users[:5]))


def remove(org: OrgState, item: Item, author: Author, going: Going, *, purge: bool = False) -> str:
    """Delete the component of an item; answers its id (empty where a name with `*` was accepted and ignored).

    Raises DeployProblem."""
    if not known(item.type):
        raise DeployProblem(f"Unknown type name '{item.type}' specified in {item.file}")
    if item.type == "Flow":
        return _remove_flow(org, item.name, author)
    if item.type in NEVER:
        raise DeployProblem(f"Cannot delete {item.type} through API: {item.name}")
    found = components.find(org, item.type, item.name)
    if found is None and item.type == "Report" and "/" not in item.name:
        found = components.find(org, FOLDER_TYPE.name, item.name)
    if found is None:
        raise DeployProblem(f"No {item.type} named: {item.name} found", warning=True)
    _check(org, found, going)
    _forget(org, found, author)
    if found.type == "CustomField" and not purge:
        deleted_fields.keep(org, found, author)
    meta_mirror.write_audit(org, author, "deleted", found)
    return found.id


def _check(org: OrgState, found: Component, going: Going) -> None:
    if namespace_of(found.type, found.name, installed_versions(org)):
        raise DeployProblem(f"Cannot delete managed object: {found.name}")
    if found.type == "RecordType":
        raise DeployProblem("Cannot delete record type through API")
    if found.type in ("CustomObject", "CustomField") and not found.name.endswith(("__c", "__mdt", "__e")):
        raise DeployProblem(
            f"Cannot delete standard {'object' if found.type == 'CustomObject' else 'field'}: {found.name}"
        )
    if found.type == "Layout":
        owner = found.name.split("-", 1)[0]
        others = [one for one in components.names(org, "Layout") if one.startswith(f"{owner}-") and one != found.name]
        if not others and ("CustomObject", owner) not in going:
            raise DeployProblem("You cannot delete the only page layout of an object")
    alone = found.type == "ListView" and len(components.load_children(org, "ListView", found.parent)) == 1
    if alone and found.parent.endswith("__c"):  # a standard object has list views that no metadata shows
        raise DeployProblem("You cannot delete the last filter for an entity")
    if found.type == FOLDER_TYPE.name:
        inside = [one for one in components.names(org, "Report") if one.startswith(f"{found.name}/")]
        if inside:
            raise DeployProblem("Cannot delete a folder that is not empty")
    if found.type == "MatchingRule" and text_of(parse(found.xml), "ruleStatus") == "Active":
        raise DeployProblem("Before you delete a matching rule, you must deactivate it")
    if found.type == "ApexClass":
        check_no_jobs(org, found.id)
    for row, field in (("Profile", "ProfileId"), ("Role", "UserRoleId")):
        if found.type == row and _count_users(org, field, found.id):
            raise DeployProblem(f"cannot delete {row.lower()}: it is assigned to users")
    check_in_use(org, found.type, found.name, going)


def _count_users(org: OrgState, field: str, ident: str) -> int:
    return int(org.db.execute(f'SELECT count(*) FROM "User" WHERE "{field}" = ?', (ident,)).fetchone()[0])


def _remove_flow(org: OrgState, name: str, author: Author) -> str:
    if "*" in name:  # accepted, and nothing happens (facts 4.3)
        return ""
    flow, number = meta_flows.split_version_name(name)
    versions = meta_flows.load_versions(org, flow)
    if not versions:
        raise DeployProblem(f"No Flow named: {name} found", warning=True)
    if not number:
        raise DeployProblem("insufficient access rights on cross-reference id")
    version = next((one for one in versions if one.number == number), None)
    if version is None:
        raise DeployProblem(f"No Flow named: {name} found", warning=True)
    if version.status == "Active":
        raise DeployProblem("The flow version is active and cannot be deleted. Deactivate it first.")
    delete_flow_version(org, flow, number, author)
    return version.id


def delete_flow_version(org: OrgState, flow: str, number: int, author: Author) -> None:
    """Delete one version; with the last one the profiles forget the flow too."""
    definition = components.find(org, "Flow", flow)
    meta_flows.delete_version(org, flow, number, author)
    if definition is not None:
        if not meta_flows.load_versions(org, flow):
            _clean_access(org, definition, author)
        meta_mirror.write_audit(org, author, "deleted", definition)
    meta_automation.follow_all(org)


def _forget(org: OrgState, found: Component, author: Author) -> None:
    if found.type == "CustomObject":
        _forget_object(org, found, author)
        return
    components.remove(org, found.type, found.name)
    meta_mirror.unmirror(org, found)
    _clean_access(org, found, author)
    if found.type == "CustomField":
        _clean_object(org, found, author)
        meta_schema.derive_object(org, found.parent)
    elif found.type == "ValidationRule":
        meta_schema.derive_rules(org, found.parent)
    elif found.type == "ApexTrigger":
        meta_automation.follow_all(org)


def _forget_object(org: OrgState, found: Component, author: Author) -> None:
    """An object takes its children, layouts, tab and rows along."""
    for child in OBJECT_CHILDREN:
        for part in components.load_children(org, child.name, found.name):
            components.remove(org, part.type, part.name)
            meta_mirror.unmirror(org, part)
            _clean_access(org, part, author)
    meta_schema.derive_rules(org, found.name)
    for type_name in ("Layout", "CustomTab", "Workflow", "QuickAction"):
        for name in components.names(org, type_name):
            if name == found.name or name.startswith((f"{found.name}-", f"{found.name}.")):
                gone = components.find(org, type_name, name)
                components.remove(org, type_name, name)
                if gone is not None:
                    _clean_access(org, gone, author)
    for child in BY_NAME["Workflow"].children:
        for part in components.load_children(org, child.name, found.name):
            components.remove(org, part.type, part.name)
    components.remove(org, found.type, found.name)
    _clean_access(org, found, author)
    if org.find_object(found.name) is not None:
        org.drop_object(found.name)


def _clean_access(org: OrgState, found: Component, author: Author) -> None:
    """Take what names a deleted component out of profiles, permission sets and apps."""
    if found.type not in PART_OF:
        return
    mentions = frozenset({(PART_OF[found.type], found.name)})
    for type_name in ("Profile", "PermissionSet"):
        for holder in components.load_type(org, type_name):
            _rewrite(org, holder, drop_entries(holder.xml, mentions), author)
    if found.type == "CustomTab":
        for holder in components.load_type(org, "CustomApplication"):
            _rewrite(org, holder, drop_entries(holder.xml, frozenset({("tabs", found.name)})), author)


def _clean_object(org: OrgState, field: Component, author: Author) -> None:
    """Take a deleted field out of its object's layouts, lists, field sets and compact layouts.

    Where `deleted_field_bumps` (setting) is on, every layout of the object counts as changed (facts 0.8)."""
    short = field.name.partition(".")[2]
    bumps = bool(org.settings.get("deleted_field_bumps", True))
    for layout in components.load_type(org, "Layout"):
        if layout.name.startswith(f"{field.parent}-"):
            xml = drop_deep(layout.xml, "layoutItems", ("field", short))
            if xml != layout.xml or bumps:
                components.rewrite(org, layout, xml, author)
    for part in components.load_children(org, "FieldSet", field.parent):
        for tag in ("availableFields", "displayedFields"):
            _rewrite(org, part, drop_deep(part.xml, tag, ("field", short)), author)
    for part in components.load_children(org, "RecordType", field.parent):
        _rewrite(org, part, drop_deep(part.xml, "picklistValues", ("picklist", short)), author)
    leaves = frozenset({("columns", short), ("fields", short)})
    for type_name in ("ListView", "CompactLayout"):
        for part in components.load_children(org, type_name, field.parent):
            _rewrite(org, part, drop_entries(part.xml, leaves), author)


def _rewrite(org: OrgState, component: Component, xml: bytes, author: Author) -> None:
    if xml != component.xml:
        components.rewrite(org, component, xml, author)
