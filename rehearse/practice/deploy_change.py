"""What may not be done to a field that is there: checked before it is written, against its values.

A formula never becomes a stored field nor the other way, a roll-up stays a roll-up, a conversion that would lose
values is refused while there are values, and rows without a master stop a master-detail field (facts 4.1).
"""

from __future__ import annotations

import re

from rehearse.practice import components, meta_records, meta_schema
from rehearse.practice.components import Component
from rehearse.practice.deploy_code import check_no_jobs
from rehearse.practice.deploy_model import DeployProblem
from rehearse.practice.meta_fields import FieldProblem, build_field
from rehearse.practice.meta_xml import parse, same, text_of
from rehearse.practice.org_state import OrgState
from rehearse.practice.org_tables import quote
from rehearse.practice.schema import FieldDef

NAMED = {
    "CustomField": "Field Name",
    "CustomLabel": "Custom Label API name",
    "CustomObject": "Object Name",
    "CustomPermission": "Custom Permission API name",
    "GlobalValueSet": "Global Value Set API name",
    "PermissionSet": "Permission Set API name",
    "RecordType": "Record Type Name",
    "StaticResource": "Static Resource name",
    "ValidationRule": "Rule Name",
}
OF_OBJECTS = ("SharingRules", "AssignmentRules", "AutoResponseRules", "EscalationRules", "MatchingRules")
NAME = re.compile("[A-Za-z][A-Za-z0-9_]*")
SUFFIX = re.compile("__[a-z]+$")
NAME_RULE = (
    "can only contain underscores and alphanumeric characters. It must be unique, begin with a letter, not include"
    " spaces, not end with an underscore, and not contain two consecutive underscores."
)
TEXTS = {"string", "textarea", "email", "phone", "url", "picklist", "multipicklist", "encryptedstring"}
NUMBERS = {"double", "currency", "percent"}


def check_before(org: OrgState, component: Component) -> None:
    """Raise DeployProblem where this write is impossible over what is there."""
    check_name(component)
    if component.type == "ApexClass":
        old_class = components.find(org, "ApexClass", component.name)
        if old_class is not None and dict(old_class.files) != dict(component.files):
            check_no_jobs(org, old_class.id)
    elif component.type == "CustomField" and component.name.endswith("__c"):
        old = meta_schema.find_field(org, component.name)
        try:
            new = build_field(parse(component.xml), meta_schema.OrgLookUp(org))
        except FieldProblem:
            return  # told afterwards, on the state that the package leaves
        _check_field(org, component, old, new)
    elif component.type == "MatchingRule":
        _check_matching(org, component)
    elif component.type in OF_OBJECTS and org.find_object(component.name) is None:
        raise DeployProblem(f"Entity Enumeration Or ID: bad value for restricted picklist field: {component.name}")
    elif component.type == "CustomObject" and component.name.endswith(("__c", meta_records.SUFFIX)):
        is_new = components.find(org, "CustomObject", component.name) is None
        if is_new and not text_of(parse(component.xml), "label"):
            raise DeployProblem("Must specify a label for the CustomObject")
    elif component.type == "CustomObject" and org.find_object(component.name) is None:
        raise DeployProblem(f"Entity Enumeration Or ID: bad value for restricted picklist field: {component.name}")


def _check_matching(org: OrgState, component: Component) -> None:
    """A matching rule is changed while it is inactive only (facts 4.1)."""
    old = components.find(org, "MatchingRule", component.name)
    if old is None or text_of(parse(old.xml), "ruleStatus") != "Active":
        return
    if text_of(parse(component.xml), "ruleStatus") == "Active" and not same(old.xml, component.xml, unordered=False):
        raise DeployProblem("Before you change a matching rule, you must deactivate it")


def check_name(component: Component) -> None:
    """Raise DeployProblem for an API name that Salesforce does not take, of the types that people name."""
    if component.type not in NAMED:
        return
    short = SUFFIX.sub("", component.name.rpartition(".")[2])
    if not NAME.fullmatch(short) or "__" in short or short.endswith("_"):
        raise DeployProblem(f"The {NAMED[component.type]} {NAME_RULE}")


def _check_field(org: OrgState, component: Component, old: FieldDef | None, new: FieldDef) -> None:
    if old is None:
        if new.is_master and _rows(org, component.parent, ""):
            raise DeployProblem("Cannot add a master-detail field to an object that has records; create a lookup first")
        return
    if bool(old.formula) != bool(new.formula):
        to, away = ("Formula", "something else") if new.formula else ("something else", "a Formula")
        raise DeployProblem(f"Cannot update a field to a {to} from {away}")
    if bool(old.summary) != bool(new.summary):
        raise DeployProblem("Cannot change a field to or from a roll-up summary")
    loses = old.type != new.type and not old.formula and not _keeps_values(old, new)
    if loses and _rows(org, component.parent, old.name):
        raise DeployProblem(f"Cannot change type due to existing data: {component.name}")
    if new.is_master and not old.is_master and _empty_rows(org, component.parent, old.name):
        raise DeployProblem("Cannot change to master-detail: records without a value exist")


def _keeps_values(old: FieldDef, new: FieldDef) -> bool:
    if old.type in TEXTS and new.type in TEXTS:
        return True
    return old.type in NUMBERS and new.type in NUMBERS or new.type in ("string", "textarea") and old.type in NUMBERS


def _rows(org: OrgState, owner: str, column: str) -> bool:
    definition = org.find_object(owner)
    if definition is None or (column and definition.find(column) is None):
        return False
    where = f" WHERE {quote(column)} IS NOT NULL" if column else ""
    return org.db.execute(f"SELECT 1 FROM {quote(owner)}{where} LIMIT 1").fetchone() is not None


def _empty_rows(org: OrgState, owner: str, column: str) -> bool:
    sql = f"SELECT 1 FROM {quote(owner)} WHERE {quote(column)} IS NULL LIMIT 1"
    return org.db.execute(sql).fetchone() is not None
