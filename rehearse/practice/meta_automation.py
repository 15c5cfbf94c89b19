"""Automation follows metadata: an active record-triggered flow works on rows, a trigger only while it is deployed.

A flow that starts after a row was saved, and whose updates go to the row itself or to one that it points at, is
translated into an AutomationRule of its name. Other flows, and Apex, are not translated: a rule of their name that
somebody else has put is switched on and off with them.
"""

from __future__ import annotations

from lxml import etree

from rehearse.practice import automation, components, meta_flows
from rehearse.practice.automation import Action, AutomationRule
from rehearse.practice.meta_xml import elements, first, parse, text_of
from rehearse.practice.org_state import OrgState

COMPARE = {
    "EqualTo": "{} = {}",
    "NotEqualTo": "{} <> {}",
    "GreaterThan": "{} > {}",
    "GreaterThanOrEqualTo": "{} >= {}",
    "LessThan": "{} < {}",
    "LessThanOrEqualTo": "{} <= {}",
    "Contains": "CONTAINS({}, {})",
    "StartsWith": "BEGINS({}, {})",
}
EVENTS = {"Create": ("insert",), "Update": ("update",), "CreateAndUpdate": ("insert", "update")}


class NotTranslatable(Exception):
    """The flow does something that a rule cannot say."""


def follow_all(org: OrgState) -> None:
    """Make every rule that stands for a flow or trigger say and do what is deployed and active now."""
    versions: dict[str, bytes | None] = {name: None for name in components.names(org, "Flow")}
    versions |= {one.flow: one.xml for one in meta_flows.load_versions(org) if one.status == "Active"}
    for flow, xml in versions.items():
        _follow_flow(org, flow, xml)
    triggers = {
        one.name: text_of(parse(one.xml), "status", "Active") == "Active"
        for one in components.load_type(org, "ApexTrigger")
    }
    for rule in automation.load_automation(org):
        if rule.name not in versions and rule.active != triggers.get(rule.name, False):
            automation.set_automation_active(org, rule.name, triggers.get(rule.name, False))


def _follow_flow(org: OrgState, flow: str, active: bytes | None) -> None:
    if active is None:
        automation.set_automation_active(org, flow, False)
        return
    try:
        rule = build_rule(org, flow, parse(active))
    except NotTranslatable:
        automation.set_automation_active(org, flow, True)
        return
    if rule not in automation.load_automation(org):
        automation.put_automation(org, rule)


def build_rule(org: OrgState, flow: str, xml: etree._Element) -> AutomationRule:
    """The rule of a record-triggered flow. Raises NotTranslatable."""
    start = first(xml, "start")
    if start is None or not text_of(start, "triggerType").startswith("Record"):
        raise NotTranslatable
    target = text_of(start, "object")
    updates = list(elements(xml, "recordUpdates"))
    if not updates:
        raise NotTranslatable
    actions = tuple(_action(org, target, one) for one in updates)
    when = " && ".join(f"({_condition(org, target, one)})" for one in elements(start, "filters")) or None
    return AutomationRule(flow, target, actions, EVENTS.get(text_of(start, "recordTriggerType"), ("insert",)), when)


def _action(org: OrgState, target: str, update: etree._Element) -> Action:
    values = tuple(
        (text_of(one, "field"), _formula(first(one, "value"))) for one in elements(update, "inputAssignments")
    )
    reference = text_of(update, "inputReference")
    filters = list(elements(update, "filters"))
    if reference == "$Record":
        return Action("set", values)
    if len(filters) != 1 or text_of(filters[0], "field") != "Id" or text_of(filters[0], "operator") != "EqualTo":
        raise NotTranslatable
    path = _formula(first(filters[0], "value"))
    if path == "Id" and text_of(update, "object") == target:
        return Action("set", values)
    return Action("set_parent", values, path)


def _formula(value: etree._Element | None) -> str:
    """A typed value of a flow as a formula."""
    if value is None:
        return "NULL"
    reference = text_of(value, "elementReference")
    if reference.startswith("$Record."):
        return reference.removeprefix("$Record.")
    if reference in ("$Flow.CurrentDateTime", "$Flow.CurrentDate"):
        return "NOW()" if reference.endswith("Time") else "TODAY()"
    if reference:
        raise NotTranslatable
    if first(value, "stringValue") is not None:
        text = text_of(value, "stringValue").replace("\\", "\\\\").replace('"', '\\"')
        return f'"{text}"'
    if first(value, "booleanValue") is not None:
        return text_of(value, "booleanValue").strip().upper()
    if first(value, "numberValue") is not None:
        return text_of(value, "numberValue").strip()
    raise NotTranslatable


def _condition(org: OrgState, target: str, one: etree._Element) -> str:
    name, how = text_of(one, "field"), text_of(one, "operator")
    value = _formula(first(one, "value"))
    if how == "IsNull":
        return f"ISBLANK({name})" if value == "TRUE" else f"NOT(ISBLANK({name}))"
    if how == "IsChanged":
        return f"ISCHANGED({name})" if value == "TRUE" else f"NOT(ISCHANGED({name}))"
    if how not in COMPARE:
        raise NotTranslatable
    definition = org.find_object(target)
    field = definition.find(name) if definition else None
    if field is not None and field.type == "picklist" and how in ("EqualTo", "NotEqualTo"):
        test = f"ISPICKVAL({name}, {value})"
        return test if how == "EqualTo" else f"NOT({test})"
    return COMPARE[how].format(name, value)
