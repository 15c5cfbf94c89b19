"""What a deployed component may not lack: the things that its XML or source names must be there afterwards.

Checked on the state that the whole package leaves, so that parts of one package may name each other. Texts are
Salesforce's: `In field: field - no CustomField named X.Y found`. Only names that could be custom are checked: what
Salesforce ships is assumed to be there.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from rehearse.practice import components, deploy_code, meta_records, meta_schema
from rehearse.practice.components import Component
from rehearse.practice.deploy_model import DeployProblem
from rehearse.practice.formula import check_size
from rehearse.practice.formula_parse import FormulaError, parse_formula
from rehearse.practice.meta_fields import FieldProblem, build_field
from rehearse.practice.meta_schema import OrgLookUp
from rehearse.practice.meta_types import FOLDER_TYPE
from rehearse.practice.meta_xml import elements, first, leaves_of, local, parse, text_of
from rehearse.practice.org_state import OrgState

FORMULA_PATH = re.compile(r"[\w$]+(?:\.[\w$]+)*")


def check(org: OrgState, component: Component) -> None:
    """Raise DeployProblem for the first thing that a written component names and the org lacks."""
    checker = CHECKS.get(component.type)
    if checker is not None:
        checker(org, component)


def missing(part: str, type_name: str, name: str) -> DeployProblem:
    """Salesforce's words for a reference to nothing."""
    return DeployProblem(f"In field: {part} - no {type_name} named {name} found")


def require(org: OrgState, type_name: str, name: str, part: str) -> None:
    """Raise unless a component of this type and name is there."""
    if components.find(org, type_name, name) is None:
        raise missing(part, type_name, name)


def require_object(org: OrgState, name: str, part: str) -> None:
    """Raise unless this object is there."""
    if org.find_object(name) is None:
        raise missing(part, "CustomObject", name)


def require_field(org: OrgState, path: str, part: str) -> None:
    """Raise unless a custom field is there; standard fields are not looked up."""
    owner, _, name = path.partition(".")
    if name.endswith("__c"):
        require(org, "CustomField", path, part)
    elif owner.endswith("__c"):
        require_object(org, owner, part)


def check_field(org: OrgState, component: Component) -> None:
    if not component.name.endswith("__c"):
        return
    xml = parse(component.xml)
    if org.find_object(component.parent) is None:
        raise missing("fullName", "CustomObject", component.parent)
    if not text_of(xml, "label"):
        raise DeployProblem("Required field is missing: label")
    try:
        field = build_field(xml, OrgLookUp(org))
    except FieldProblem as problem:
        raise DeployProblem(str(problem)) from problem
    for target in field.reference_to:
        if org.find_object(target) is None:
            raise DeployProblem(f"referenceTo value of '{target}' does not resolve to a valid sObject type")
    if field.formula:
        check_formula(org, component.parent, field.formula)
    if field.summary:
        require_field(org, f"{field.summary.child}.{field.summary.relation}", "summaryForeignKey")
        link = meta_schema.find_field(org, f"{field.summary.child}.{field.summary.relation}")
        if link is None or not link.is_master:
            raise DeployProblem("Roll-up summary fields need a master-detail relationship: summaryForeignKey")


def check_formula(org: OrgState, object_name: str, source: str) -> None:
    """A formula must be readable, and each custom name a field of the object or of where its path leads."""
    try:
        parse_formula(source)
        check_size(source)
    except FormulaError as error:
        raise DeployProblem(f"Error: {error}") from error
    for found in FORMULA_PATH.finditer(deploy_code.STRING.sub("''", source)):
        path = found.group().split(".")
        if not any(step.endswith(("__c", "__r")) for step in path) or path[0].startswith("$"):
            continue
        owner = object_name
        for step in path[:-1]:
            field = _field_of_path(org, owner, step)
            if field is None:
                raise DeployProblem(f"Field {step} does not exist. Check spelling.")
            owner = field
        if path[-1].endswith("__c") and components.find(org, "CustomField", f"{owner}.{path[-1]}") is None:
            raise DeployProblem(f"Field {path[-1]} does not exist. Check spelling.")


def _field_of_path(org: OrgState, owner: str, step: str) -> str | None:
    definition = org.find_object(owner)
    field = definition.find_path(step) if definition else None
    return field.reference_to[0] if field and field.reference_to else None


def check_rule(org: OrgState, component: Component) -> None:
    xml = parse(component.xml)
    require_object(org, component.parent, "fullName")
    check_formula(org, component.parent, text_of(xml, "errorConditionFormula"))
    shown = text_of(xml, "errorDisplayField")
    if shown:
        require_field(org, f"{component.parent}.{shown}", "errorDisplayField")


def check_layout(org: OrgState, component: Component) -> None:
    owner = component.name.split("-", 1)[0]
    require_object(org, owner, "fullName")
    for item in parse(component.xml).iter():
        if isinstance(item.tag, str) and local(item) == "layoutItems":
            require_field(org, f"{owner}.{text_of(item, 'field')}", "field")
    for tag, name in leaves_of(parse(component.xml), "quickActionName", "actionName"):
        if org.find_object(name.partition(".")[0]) is not None:
            require(org, "QuickAction", name, tag)


def check_list_view(org: OrgState, component: Component) -> None:
    for _, name in leaves_of(parse(component.xml), "columns", "field"):
        if name.endswith("__c") and components.find(org, "CustomField", f"{component.parent}.{name}") is None:
            raise DeployProblem(f"Could not resolve list view column: {name}")


def check_parts(org: OrgState, component: Component) -> None:
    """Compact layouts and field sets: the fields of the object itself; a path through a relation is let pass."""
    for tag, name in leaves_of(parse(component.xml), "fields", "field"):
        if "." not in name:
            require_field(org, f"{component.parent}.{name}", tag)


def check_record_type(org: OrgState, component: Component) -> None:
    xml = parse(component.xml)
    require_object(org, component.parent, "fullName")
    for values in elements(xml, "picklistValues"):
        require_field(org, f"{component.parent}.{text_of(values, 'picklist')}", "picklist")
    process = text_of(xml, "businessProcess")
    if process:
        require(org, "BusinessProcess", f"{component.parent}.{process}", "businessProcess")


def check_workflow_part(org: OrgState, component: Component) -> None:
    xml = parse(component.xml)
    require_object(org, component.parent, "fullName")
    if component.type == "WorkflowFieldUpdate":
        require_field(org, f"{component.parent}.{text_of(xml, 'field')}", "field")
    formula = text_of(xml, "formula")
    if formula:
        check_formula(org, component.parent, formula)
    kinds = {"FieldUpdate": "WorkflowFieldUpdate", "Alert": "WorkflowAlert", "Task": "WorkflowTask"}
    for action in elements(xml, "actions"):
        type_name = kinds.get(text_of(action, "type"))
        if type_name:
            require(org, type_name, f"{component.parent}.{text_of(action, 'name')}", "name")


def check_tab(org: OrgState, component: Component) -> None:
    if text_of(parse(component.xml), "customObject") == "true":
        require_object(org, component.name, "customObject")


def check_application(org: OrgState, component: Component) -> None:
    for tag, name in leaves_of(parse(component.xml), "tabs", "tab"):
        if not name.startswith("standard-"):
            require(org, "CustomTab", name, tag)


def check_quick_action(org: OrgState, component: Component) -> None:
    target = text_of(parse(component.xml), "targetObject")
    if target:
        require_object(org, target, "targetObject")


def check_queue(org: OrgState, component: Component) -> None:
    for entry in elements(parse(component.xml), "queueSobject"):
        require_object(org, text_of(entry, "sobjectType"), "sobjectType")


def check_report(org: OrgState, component: Component) -> None:
    folder = component.name.rpartition("/")[0]
    if folder != "unfiled$public" and components.find(org, FOLDER_TYPE.name, folder) is None:
        raise DeployProblem(f"Cannot find folder:{folder}")


def check_role(org: OrgState, component: Component) -> None:
    parent = text_of(parse(component.xml), "parentRole")
    if parent:
        require(org, "Role", parent, "parentRole")


ACCESS = {
    "applicationVisibilities": ("application", "CustomApplication"),
    "classAccesses": ("apexClass", "ApexClass"),
    "customPermissions": ("name", "CustomPermission"),
    "flowAccesses": ("flow", "Flow"),
    "recordTypeVisibilities": ("recordType", "RecordType"),
    "tabSettings": ("tab", "CustomTab"),
    "tabVisibilities": ("tab", "CustomTab"),
}


def check_access(org: OrgState, component: Component) -> None:
    """Profiles and permission sets: everything that an entry names, and no permission on a required field."""
    for entry in elements(parse(component.xml)):
        tag = local(entry)
        if tag == "fieldPermissions":
            _check_permission(org, text_of(entry, "field"))
        elif tag == "objectPermissions":
            require_object(org, text_of(entry, "object"), "object")
        elif tag == "layoutAssignments":
            require(org, "Layout", text_of(entry, "layout"), "layout")
            if first(entry, "recordType") is not None:
                require(org, "RecordType", text_of(entry, "recordType"), "recordType")
        elif tag in ACCESS:
            part, type_name = ACCESS[tag]
            name = text_of(entry, part)
            if not name.startswith(("standard-", "standard__", "PersonAccount.")):
                require(org, type_name, name, part)


def _check_permission(org: OrgState, path: str) -> None:
    require_field(org, path, "field")
    field = meta_schema.find_field(org, path)
    if field is not None and field.required and (field.custom or field.type != "boolean"):
        raise DeployProblem(f"You cannot deploy to a required field: {path}")


def check_record(org: OrgState, component: Component) -> None:
    """Raise unless a custom metadata record fits its type."""
    try:
        meta_records.record_values(org, component)
    except ValueError as error:
        raise DeployProblem(str(error)) from error


CHECKS: dict[str, Callable[[OrgState, Component], None]] = {
    "ApexClass": deploy_code.check_apex,
    "ApexTrigger": deploy_code.check_apex,
    "CompactLayout": check_parts,
    "CustomApplication": check_application,
    "CustomField": check_field,
    "CustomMetadata": check_record,
    "CustomTab": check_tab,
    "FieldSet": check_parts,
    "Flow": deploy_code.check_flow,
    "Layout": check_layout,
    "ListView": check_list_view,
    "PermissionSet": check_access,
    "Profile": check_access,
    "Queue": check_queue,
    "QuickAction": check_quick_action,
    "RecordType": check_record_type,
    "Report": check_report,
    "Role": check_role,
    "ValidationRule": check_rule,
    "WorkflowFieldUpdate": check_workflow_part,
    "WorkflowRule": check_workflow_part,
}
