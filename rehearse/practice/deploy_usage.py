"""Who uses a component: what blocks a deletion ("referenced elsewhere", facts 4.1).

A search for words in Apex, flows (every version), formulas, validation rules, workflow, layouts and roll-ups. It does
not compile: a field counts as used by a source that names both the field and its object.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rehearse.practice import components, meta_flows
from rehearse.practice.components import Component
from rehearse.practice.meta_xml import elements, local, parse, text_of
from rehearse.practice.org_state import OrgState

WORD = re.compile(r"\w+")
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


@dataclass(frozen=True)
class Use:
    """Somebody that uses a component: its type, full name and how Salesforce's message calls it."""

    type: str
    name: str
    label: str


def words_of(source: str) -> frozenset[str]:
    """The words of a source, in small letters."""
    return frozenset(word.lower() for word in WORD.findall(source))


def code_of(component: Component) -> str:
    """The source of an Apex class or trigger without its comments."""
    return COMMENT.sub(" ", "\n".join(body.decode("utf-8", "replace") for body in component.files.values()))


def find_users(org: OrgState, type_name: str, name: str) -> list[Use]:
    """Everything that would break without this component, itself and its own parts left out."""
    if type_name == "CustomField":
        return list(_field_users(org, name))
    if type_name == "CustomObject":
        return list(_object_users(org, name))
    if type_name in ("ApexClass", "CustomLabel", "CustomPermission"):
        return [one for one in _code_users(org, name) if (one.type, one.name) != (type_name, name)]
    if type_name == "GlobalValueSet":
        tag = "valueSetName"
        return [
            Use("CustomField", one.name, f"Custom Field - {one.name}")
            for one in components.load_type(org, "CustomField")
            if any(local(part) == tag and (part.text or "").strip() == name for part in parse(one.xml).iter())
        ]
    if type_name in ("QuickAction", "WebLink"):
        return [
            Use("Layout", one.name, f"Page Layout - {one.name}")
            for one in components.load_type(org, "Layout")
            if any(
                (part.text or "") in (name, name.partition(".")[2]) for part in parse(one.xml).iter() if not len(part)
            )
        ]
    return []


def _code_users(org: OrgState, name: str) -> Iterator[Use]:
    for type_name, label in (("ApexClass", "Apex Class"), ("ApexTrigger", "Apex Trigger")):
        for one in components.load_type(org, type_name):
            if name.lower() in words_of(code_of(one)):
                yield Use(type_name, one.name, f"{label} - {one.name}")
    for version in meta_flows.load_versions(org):
        if name.lower() in words_of(version.xml.decode()):
            yield Use("Flow", f"{version.flow}-{version.number}", f"Flow - {version.flow}-{version.number}")


def _object_users(org: OrgState, name: str) -> Iterator[Use]:
    yield from _code_users(org, name)
    for field in components.load_type(org, "CustomField"):
        if field.parent != name and text_of(parse(field.xml), "referenceTo") == name:
            yield Use("CustomField", field.name, f"Custom Field - {field.name}")


def _field_users(org: OrgState, path: str) -> Iterator[Use]:
    owner, _, name = path.partition(".")
    wanted = {name.lower(), f"{name.removesuffix('__c')}__r".lower()}

    def mentions(source: str) -> bool:
        words = words_of(source)
        return bool(wanted & words) and owner.lower() in words

    for type_name, label in (("ApexClass", "Apex Class"), ("ApexTrigger", "Apex Trigger")):
        for one in components.load_type(org, type_name):
            if mentions(code_of(one)):
                yield Use(type_name, one.name, f"{label} - {one.name}")
    for version in meta_flows.load_versions(org):
        if mentions(version.xml.decode()):
            yield Use("Flow", f"{version.flow}-{version.number}", f"Flow - {version.flow}-{version.number}")
    yield from _formula_users(org, path, wanted)
    yield from _workflow_users(org, path)


def _formula_users(org: OrgState, path: str, wanted: set[str]) -> Iterator[Use]:
    owner = path.partition(".")[0]
    near = _neighbours(org, owner)
    for one in components.load_type(org, "ValidationRule"):
        if one.parent in near and wanted & words_of(text_of(parse(one.xml), "errorConditionFormula")):
            yield Use("ValidationRule", one.name, f"Validation Rule - {one.name}")
    for one in components.load_type(org, "CustomField"):
        xml = parse(one.xml)
        if one.name != path and one.parent in near and wanted & words_of(text_of(xml, "formula")):
            yield Use("CustomField", one.name, f"Custom Formula Field - {one.name}")
        named = {text_of(xml, "summaryForeignKey"), text_of(xml, "summarizedField")}
        named |= {text_of(item, "field") for item in elements(xml, "summaryFilterItems")}
        if path in named:
            yield Use("CustomField", one.name, f"Roll-Up Summary - {one.name}")


def _neighbours(org: OrgState, owner: str) -> frozenset[str]:
    """The object itself and those that point at it: their formulas may reach the field through the relation."""
    pointing = {
        definition.name
        for definition in org.objects().values()
        if any(owner in field.reference_to for field in definition.fields if field.custom)
    }
    return frozenset({owner, *pointing})


def _workflow_users(org: OrgState, path: str) -> Iterator[Use]:
    owner, _, name = path.partition(".")
    for type_name, label in (("WorkflowFieldUpdate", "Workflow Field Update"), ("WorkflowRule", "Workflow Rule")):
        for one in components.load_type(org, type_name):
            leaves = {(part.text or "").strip() for part in parse(one.xml).iter() if not len(part)}
            own = one.parent == owner and (name in leaves or any(name in WORD.findall(leaf) for leaf in leaves))
            if own or path in leaves:
                yield Use(type_name, one.name, f"{label} - {one.name}")
