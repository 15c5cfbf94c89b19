"""renameMetadata: a component under another name, with its id, its dates and, for a field, the values of its rows.

What names it in profiles, permission sets, applications, layouts and lists follows. Refused: a name that is taken or
breaks the rule, another parent, a component that code or formulas use, and types whose name is more than a name here:
objects, flows, containers, and what has content files. Which code a refusal has is an assumption.
"""

from __future__ import annotations

from dataclasses import replace

from rehearse.practice import components, deploy_usage, meta_mirror, meta_schema
from rehearse.practice.components import Author, Component
from rehearse.practice.deploy_change import check_name
from rehearse.practice.deploy_model import DeployProblem
from rehearse.practice.deploy_remove import NEVER
from rehearse.practice.http_errors import ApiError
from rehearse.practice.meta_types import BY_NAME, CONTAINER_OF, known, path_of
from rehearse.practice.meta_xml import first, parse, render, set_text
from rehearse.practice.org_state import OrgState

Result = dict[str, object]
FIXED = frozenset({*NEVER, "CustomObject", "Flow", "Profile", "RecordType", "ReportFolder"})
HOLDERS = ("Profile", "PermissionSet", "CustomApplication")
PARTS = ("FieldSet", "ListView", "CompactLayout", "RecordType")  # of an object: they name its fields shortly


def rename(org: OrgState, author: Author, asked: tuple[str, str, str]) -> Result:
    """The SaveResult of renaming (type, old name, new name). Raises ApiError INVALID_TYPE for an unknown type."""
    type_name, old_name, new_name = asked
    if not known(type_name):
        raise ApiError(500, "INVALID_TYPE", f"Unknown type: {type_name}")
    found = components.find(org, type_name, old_name)
    if found is None:
        return _refused(old_name, "INVALID_CROSS_REFERENCE_KEY", f"no {type_name} named {old_name} found")
    problem = _problem(org, found, new_name)
    if problem:
        return _refused(old_name, *problem)
    with org.transaction():
        _rename(org, found, replace(found, name=new_name, path=path_of(type_name, new_name)), author)
    return {"fullName": new_name, "success": True}


def _refused(name: str, code: str, text: str) -> Result:
    return {"errors": [{"message": text, "statusCode": code}], "fullName": name, "success": False}


def _problem(org: OrgState, found: Component, new_name: str) -> tuple[str, str] | None:
    kind = BY_NAME.get(found.type)
    custom = found.type != "CustomField" or found.name.endswith("__c")
    if found.type in FIXED or not custom or (kind is not None and (kind.content or kind.bundle)):
        return "INVALID_OPERATION", f"The fullName of this {found.type} cannot be changed: {found.name}"
    dotted = found.type in CONTAINER_OF and CONTAINER_OF[found.type][1].dotted
    if b"<type>Location</type>" in found.xml:
        return "INVALID_OPERATION", f"The fullName of a geolocation cannot be changed: {found.name}"
    if dotted and new_name.partition(".")[0].lower() != found.parent.lower():
        return "INVALID_FULL_NAME", f"The new name must stay in {found.parent}: {new_name}"
    if found.type == "CustomField" and not new_name.endswith("__c"):
        return "INVALID_FULL_NAME", f"The name of a custom field ends in __c: {new_name}"
    if not new_name or (new_name.lower() != found.name.lower() and components.find(org, found.type, new_name)):
        return "DUPLICATE_DEVELOPER_NAME", f"There is already a {found.type} with the name {new_name}"
    try:
        check_name(replace(found, name=new_name))
    except DeployProblem as problem:
        return "INVALID_FULL_NAME", problem.text
    users = deploy_usage.find_users(org, found.type, found.name)
    blocking = [one for one in users if one.type != "Layout"]
    if blocking:
        return (
            "DEPENDENCY_EXISTS",
            f"{found.name} is referenced elsewhere: {', '.join(one.label for one in blocking[:5])}",
        )
    return None


def _rename(org: OrgState, old: Component, new: Component, author: Author) -> None:
    short = new.name.rpartition(".")[2]
    root = parse(old.xml)
    if first(root, "fullName") is not None:
        set_text(root, "fullName", short)
        new = replace(new, xml=render(root))
    components.rename(org, old, new, author)
    if old.type == "CustomField":
        org.rename_field(old.parent, old.name.rpartition(".")[2], short)
    _follow(org, old, new, author)
    if old.type == "CustomField":
        meta_schema.derive_object(org, old.parent)
    elif old.type == "ValidationRule":
        meta_schema.derive_rules(org, old.parent)
    meta_mirror.mirror(org, new)
    meta_mirror.write_audit(org, author, "changed", new)


def _follow(org: OrgState, old: Component, new: Component, author: Author) -> None:
    """Let whatever names the component name it anew."""
    for type_name in HOLDERS:
        for holder in components.load_type(org, type_name):
            _reword(org, holder, old.name, new.name, author)
    for layout in components.load_type(org, "Layout"):
        owner = layout.name.split("-", 1)[0]
        if owner == old.parent:
            _reword(org, layout, old.name.partition(".")[2], new.name.partition(".")[2], author)
        _reword(org, layout, old.name, new.name, author)
    for type_name in PARTS if old.type == "CustomField" else ():
        for part in components.load_children(org, type_name, old.parent):
            _reword(org, part, old.name.partition(".")[2], new.name.partition(".")[2], author)


def _reword(org: OrgState, holder: Component, old: str, new: str, author: Author) -> None:
    root = parse(holder.xml)
    leaves = [one for one in root.iter() if isinstance(one.tag, str) and not len(one) and (one.text or "") == old]
    for leaf in leaves:
        leaf.text = new
    if leaves:
        components.rewrite(org, holder, render(root), author)
