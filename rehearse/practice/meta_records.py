"""Custom metadata: types whose rows are components, deployed and deleted, and read like any row.

A type is a custom object called Name__mdt without owner; its rows cannot be written over REST or Bulk. A record must
name a type and fields that are there, and values that fit them; its row carries the id of the component. Refuses with
ValueError, in Salesforce's words. [metadata.md 4.1, CustomMetadata record; data.md 4 row 33]
"""

from __future__ import annotations

from dataclasses import replace
from zlib import crc32

from rehearse.practice.components import Component
from rehearse.practice.meta_xml import elements, first, parse, text_of
from rehearse.practice.org_ids import base62
from rehearse.practice.org_state import OrgState
from rehearse.practice.rows_values import RowError, stored_value
from rehearse.practice.schema import FieldDef, ObjectDef, Value, id_field, system_fields

SUFFIX = "__mdt"


def build_type(made: ObjectDef) -> ObjectDef:
    """A custom metadata type out of a custom object: the fields of a record's name in place of owner and Name."""
    custom = tuple(one for one in made.fields if one.custom)

    def text(name: str, label: str, length: int) -> FieldDef:
        return FieldDef(name, label, "string", length=length, createable=False, updateable=False)

    own = (
        replace(text("DeveloperName", f"{made.label} Name", 40), unique=True),
        text("MasterLabel", "Label", 40),
        text("Language", "Master Language", 40),
        text("NamespacePrefix", "Namespace Prefix", 15),
        text("Label", "Label", 40),
        text("QualifiedApiName", "Qualified API Name", 70),
    )
    stamp = tuple(one for one in system_fields(owner=(), deleted=False) if one.name == "SystemModstamp")
    return replace(
        made,
        fields=(id_field("Custom Metadata Record ID"), *own, *stamp, *custom),
        name_field="DeveloperName",
        createable=False,
        updateable=False,
        deletable=False,
        undeletable=False,
        replicateable=False,
        triggerable=False,
        searchable=False,
    )


def prefix_of_type(name: str) -> str:
    """The key prefix of a custom metadata type, which follows its name: a record may come before its type is made."""
    return f"m{base62(crc32(type_name(name).lower().encode()) % 62**2, 2)}"


def type_name(name: str) -> str:
    """The type that a type's or a record's full name speaks of: TaxRate.Standard -> TaxRate__mdt."""
    return f"{name.partition('.')[0].removesuffix(SUFFIX)}{SUFFIX}"


def type_of(org: OrgState, component: Component) -> ObjectDef:
    """The type of a record, which is the first part of its name. Raises ValueError."""
    name = type_name(component.name)
    found = org.find_object(name)
    if found is None or "." not in component.name:
        raise ValueError(f"no CustomObject named {name} found")
    return found


def record_values(org: OrgState, component: Component) -> dict[str, Value]:
    """The row of a record. Raises ValueError for what does not fit its type."""
    definition, xml = type_of(org, component), parse(component.xml)
    label = text_of(xml, "label")
    if not label:
        raise ValueError("Required fields are missing: [MasterLabel]")
    short = component.name.partition(".")[2]
    values: dict[str, Value] = {
        "DeveloperName": short,
        "MasterLabel": label,
        "Label": label,
        "Language": "en_US",
        "QualifiedApiName": short,
    }
    for one in elements(xml, "values"):
        name, given = text_of(one, "field"), first(one, "value")
        field = definition.find(name)
        if field is None or not field.custom:
            raise ValueError(f"In field: field - no CustomField named {definition.name}.{name} found")
        try:
            values[field.name] = stored_value(field, given.text if given is not None else None)
        except RowError as error:
            raise ValueError(error.message) from error
    missing = [one.name for one in definition.fields if one.custom and one.required and values.get(one.name) is None]
    if missing:
        raise ValueError(f"Required fields are missing: [{', '.join(missing)}]")
    return values
