"""From components to what the org enforces: ObjectDefs, validation rules and value sets follow the XML.

`derive_object` builds an object's definition again from its components and puts it into the org, so that describe,
rows and SOQL follow at once. Standard objects keep their standard fields; a custom object is made by its own XML.
Nothing here refuses a deployment: that is deploy_references.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from rehearse.practice import automation, components, meta_records
from rehearse.practice.components import Component
from rehearse.practice.meta_fields import FieldProblem, build_field, location_parts, read_values
from rehearse.practice.meta_xml import first, flag, parse, text_of
from rehearse.practice.org_state import OrgState
from rehearse.practice.schema import FieldDef, ObjectDef, PicklistValue, RecordTypeDef, RollUp, build_custom_object
from rehearse.practice.schema_standard import RECORD_TYPE_ID


@dataclass(frozen=True)
class OrgLookUp:
    """What a field's XML may refer to, read from the org's components and standard objects."""

    org: OrgState

    def value_set(self, name: str) -> Sequence[PicklistValue] | None:
        found = components.find(self.org, "GlobalValueSet", name.removesuffix("__gvs"))
        return read_values(parse(found.xml), "customValue") if found else None

    def field(self, path: str) -> FieldDef | None:
        return find_field(self.org, path)


def find_field(org: OrgState, path: str) -> FieldDef | None:
    """The field behind `Object.Field`: from its component where it is custom, else from the standard object."""
    found = components.find(org, "CustomField", path)
    object_name, _, name = path.partition(".")
    if found is not None and name.endswith("__c"):
        try:
            return build_field(parse(found.xml), OrgLookUp(org))
        except FieldProblem:
            return None
    definition = org.find_object(object_name)
    field = definition.find(name) if definition else None
    return None if field is None or field.custom else field


def custom_fields(org: OrgState, object_name: str) -> dict[str, FieldDef]:
    """The custom fields of an object by name, with the two parts of each Location; broken ones are left out."""
    fields: dict[str, FieldDef] = {}
    for component in components.load_children(org, "CustomField", object_name):
        if not component.name.endswith("__c"):
            continue
        try:
            field = build_field(parse(component.xml), OrgLookUp(org))
        except FieldProblem:
            continue
        fields[field.name] = field
        fields |= {part.name: part for part in location_parts(field)}
    return fields


def record_types(org: OrgState, object_name: str) -> tuple[RecordTypeDef, ...]:
    """The record types of an object, by name."""
    kinds = []
    for component in components.load_children(org, "RecordType", object_name):
        xml = parse(component.xml)
        name = component.name.partition(".")[2]
        kinds.append(
            RecordTypeDef(name, text_of(xml, "label") or name, flag(xml, "active"), text_of(xml, "description") or None)
        )
    return tuple(kinds)


def derive_object(org: OrgState, name: str) -> bool:
    """Build the definition of one object from its components and put it into the org, if it is another than before.

    Answers whether its roll-ups are others than before, so that they have to be calculated."""
    old = org.find_object(name)
    component = components.find(org, "CustomObject", name)
    made_here = ("__c", meta_records.SUFFIX)
    if component is None or (old is None and not name.endswith(made_here)):
        return False
    fields = custom_fields(org, name)
    if old is not None:  # fields keep their places; new ones follow by name
        places = {field.name: place for place, field in enumerate(old.fields)}
        fields = dict(sorted(fields.items(), key=lambda one: (places.get(one[0], len(places)), one[0])))
    if name.endswith(made_here):
        new = _custom(org, component, fields, old)
    else:
        assert old is not None
        standard = tuple(field for field in old.fields if not field.custom)
        new = replace(old, fields=(*standard, *fields.values()))
    kinds = record_types(org, name)
    new = replace(new, record_types=kinds)
    if kinds and new.find("RecordTypeId") is None:
        new = new.with_field(RECORD_TYPE_ID)
    if new == old:
        return False
    org.put_object(new)
    return _roll_ups(new) != (_roll_ups(old) if old else [])


def _roll_ups(definition: ObjectDef) -> list[tuple[str, RollUp]]:
    return [(field.name, field.summary) for field in definition.fields if field.summary]


def _custom(org: OrgState, component: Component, fields: dict[str, FieldDef], old: ObjectDef | None) -> ObjectDef:
    xml = parse(component.xml)
    label = text_of(xml, "label") or component.name.rpartition("__")[0].replace("_", " ")
    setting = bool(text_of(xml, "customSettingsType"))
    is_type = component.name.endswith(meta_records.SUFFIX)
    prefix = (
        old.key_prefix if old else (meta_records.prefix_of_type(component.name) if is_type else org.new_key_prefix())
    )
    made = build_custom_object(
        component.name,
        label,
        text_of(xml, "pluralLabel") or label,
        prefix,
        fields.values(),
        _name_field(component, label),
    )
    if is_type:
        return meta_records.build_type(replace(made, label=label))
    made = replace(made, custom_setting=setting, sharing=text_of(xml, "sharingModel") or "ReadWrite")
    if setting and made.find("SetupOwnerId") is None:
        hierarchy = (
            text_of(xml, "customSettingsType") == "Hierarchy"
        )  # one row for each owner; a list: one for each name
        owner = FieldDef(
            "SetupOwnerId", "Location", "reference", length=18, unique=hierarchy,
            reference_to=("Organization", "Profile", "User"), relationship_name="SetupOwner", updateable=False,
        )  # fmt: skip
        plain = tuple(field for field in made.fields if field.name != "OwnerId")
        if not hierarchy:
            plain = tuple(replace(one, unique=True, required=True) if one.name == "Name" else one for one in plain)
        made = replace(made, fields=(plain[0], owner, *plain[1:]), undeletable=False, triggerable=False)
    return made


def _name_field(component: Component, label: str) -> FieldDef:
    xml = first(parse(component.xml), "nameField")
    if xml is None:
        return FieldDef("Name", f"{label} Name", "string", length=80)
    named = text_of(xml, "label") or f"{label} Name"
    if text_of(xml, "type") == "AutoNumber":
        form = text_of(xml, "displayFormat") or "{0}"
        return FieldDef("Name", named, "string", length=80, auto_number=form, createable=False, updateable=False)
    return FieldDef("Name", named, "string", length=80)


def derive_rules(org: OrgState, object_name: str) -> None:
    """Make the validation rules that rows are held against equal to those of the object's components."""
    rules: list[tuple[str, str, str, bool]] = []
    shown: dict[str, str] = {}
    for component in components.load_children(org, "ValidationRule", object_name):
        xml, name = parse(component.xml), component.name.partition(".")[2]
        formula, message = text_of(xml, "errorConditionFormula"), text_of(xml, "errorMessage")
        rules.append((name, formula, message, flag(xml, "active")))
        if text_of(xml, "errorDisplayField"):
            shown[name] = text_of(xml, "errorDisplayField")
    automation.set_validation_rules(org, object_name, rules, shown)


def users_of_value_set(org: OrgState, name: str) -> list[Component]:
    """The custom fields whose values are those of this global value set."""
    found = []
    for component in components.load_type(org, "CustomField"):
        value_set = first(parse(component.xml), "valueSet")
        if value_set is not None and text_of(value_set, "valueSetName").strip() == name:
            found.append(component)
    return found


def roll_ups_over(org: OrgState, names: Collection[str]) -> set[str]:
    """The objects that have a roll-up over the rows of one of these objects."""
    return {
        component.parent
        for component in components.load_type(org, "CustomField")
        if b"summaryForeignKey" in component.xml
        and text_of(parse(component.xml), "summaryForeignKey").partition(".")[0] in names
    }
