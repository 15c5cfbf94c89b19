"""Objects whose rows are made for each query: EntityDefinition, FieldDefinition, and UserPermissionAccess.

The first two say what an org's objects and fields are, the third what whoever asks may do: one row, nobody else's
[object reference, UserPermissionAccess]. Nothing is kept: the rows go into an org in memory, where the ordinary query
engine runs. FieldDefinition demands a filter, as Salesforce does (data.md 1.5).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

from rehearse.practice import components, field_security
from rehearse.practice.http_errors import ApiError
from rehearse.practice.org_state import OrgState, as_stamp
from rehearse.practice.org_tables import quote
from rehearse.practice.schema import FieldDef, ObjectDef
from rehearse.practice.schema_standard import STANDARD_OBJECTS, build_standard_objects
from rehearse.practice.soql_parse import parse_soql

Rows = list[dict[str, Any]]
DEFINITIONS: dict[str, ObjectDef] = {
    one.name: one
    for one in build_standard_objects(
        """
EntityDefinition 4ie | Entity Definition | Entity Definitions | setup nameless not-deletedflag readonly stamps=
  DurableId | Durable ID | string(40)
  DeveloperName | Developer Name | string(80)
  QualifiedApiName | Qualified API Name | string(80)
  NamespacePrefix | Namespace Prefix | string(15)
  Label | Label | string(80)
  PluralLabel | Plural Label | string(80)
  KeyPrefix | Key Prefix | string(3)
  IsCustomizable | Is Customizable | boolean
  IsCustomSetting | Is Custom Setting | boolean
  IsDeprecatedAndHidden | Is Deprecated And Hidden | boolean
  IsQueryable | Is Queryable | boolean

FieldDefinition 4fd | Field Definition | Field Definitions | setup nameless not-deletedflag readonly stamps=
  DurableId | Durable ID | string(80)
  DeveloperName | Developer Name | string(80)
  QualifiedApiName | Qualified API Name | string(80)
  NamespacePrefix | Namespace Prefix | string(15)
  EntityDefinitionId | Entity Definition ID | reference(EntityDefinition) | path=EntityDefinition
  Label | Label | string(80)
  DataType | Data Type | string(255)
  Length | Length | int
  Precision | Precision | int
  Scale | Scale | int
  IsCalculated | Is Calculated | boolean
  IsNillable | Is Nillable | boolean
"""
    )
}
OWN_PERMISSIONS = next(one for one in STANDARD_OBJECTS if one.name == "UserPermissionAccess")
NO_ID = "000000000000000AAA"
"""The Id of a row that nothing keeps [unsure: what a real org answers]."""
UNFILTERED = "A filter on a reified column is required [EntityDefinitionId,DurableId]"


def is_one(name: str) -> bool:
    """Whether queries for an object of this name are answered here."""
    return name.lower() in {one.lower() for one in DEFINITIONS}


def entity_rows(org: OrgState) -> Rows:
    """One row an object: custom objects are named by their id, standard ones by their name."""
    customised = {one.name: one.id or one.name for one in components.load_type(org, "CustomObject")}
    return [
        {
            "Id": customised.get(name, name),
            "DurableId": customised.get(name, name),
            "DeveloperName": name.removesuffix("__c"),
            "QualifiedApiName": name,
            "Label": definition.label,
            "PluralLabel": definition.plural,
            "KeyPrefix": definition.key_prefix,
            "IsCustomizable": name in customised,
            "IsCustomSetting": definition.custom_setting,
            "IsDeprecatedAndHidden": False,
            "IsQueryable": definition.queryable,
        }
        for name, definition in org.objects().items()
    ]


def field_rows(org: OrgState) -> Rows:
    """One row a field of every object."""
    owners = {row["QualifiedApiName"]: row["Id"] for row in entity_rows(org)}
    return [
        _field_row(owners[name], field) for name, definition in org.objects().items() for field in definition.fields
    ]


def _field_row(owner: str, field: FieldDef) -> dict[str, Any]:
    durable = f"{owner}.{field.name}"
    return {
        "Id": durable,
        "DurableId": durable,
        "DeveloperName": field.name.removesuffix("__c"),
        "QualifiedApiName": field.name,
        "EntityDefinitionId": owner,
        "Label": field.label,
        "DataType": field.type,
        "Length": field.length,
        "Precision": field.precision,
        "Scale": field.scale,
        "IsCalculated": field.calculated,
        "IsNillable": not field.required,
    }


def own_permission_rows(org: OrgState) -> Rows:
    """The one row of whoever asks; Modify All Data brings View All Data along [Salesforce help]."""
    row: dict[str, Any] = {"Id": NO_ID, "LastCacheUpdate": as_stamp(org.now().astimezone(UTC))}
    for field in OWN_PERMISSIONS.fields:
        name = field.name.removeprefix("Permissions")
        if name != field.name:
            implied = ("ModifyAllData",) if name == "ViewAllData" else ()
            row[field.name] = field_security.permitted(org, name, *implied)
    return [row]


@contextmanager
def opened(org: OrgState, soql: str) -> Iterator[OrgState]:
    """The org that a query is to run on: one in memory for rows that nothing keeps, else the org itself.

    Raises ApiError for a query of FieldDefinition without a filter."""
    query = parse_soql(soql)
    name = query.source.names[0]
    if name.lower() == OWN_PERMISSIONS.name.lower():
        tables = [(OWN_PERMISSIONS, own_permission_rows(org))]
    elif not is_one(name) or org.find_object(name) is not None:
        yield org
        return
    else:
        if name.lower() == "fielddefinition" and query.where is None:
            raise ApiError(400, "MALFORMED_QUERY", UNFILTERED)
        tables = [
            (DEFINITIONS["EntityDefinition"], entity_rows(org)),
            (DEFINITIONS["FieldDefinition"], field_rows(org)),
        ]
    memory = OrgState(Path(":memory:"), org.clock)
    try:
        with memory.transaction():
            for definition, rows in tables:
                memory.put_object(definition)
                _insert(memory, definition, rows)
        yield memory
    finally:
        memory.close()


def _insert(memory: OrgState, definition: ObjectDef, rows: Rows) -> None:
    known = [field.name for field in definition.stored_fields if field.name in rows[0]]
    columns, marks = ", ".join(quote(one) for one in known), ", ".join("?" * len(known))
    values = [[int(row[one]) if isinstance(row[one], bool) else row[one] for one in known] for row in rows]
    memory.db.executemany(f"INSERT INTO {quote(definition.name)} ({columns}) VALUES ({marks})", values)
