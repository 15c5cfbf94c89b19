"""What an org says about its objects: the global list, and the full describe of one, in Salesforce's JSON.

Pure shaping of ObjectDef; the keys and their order of meaning are those of recorded describes. Promise: what a describe
calls createable or updateable is what rows.py accepts, and every child relationship that queries know is listed.
"""

from __future__ import annotations

from typing import Any

from rehearse.practice.describe_field import deletion_rule, describe_field
from rehearse.practice.field_security import hidden_fields, locked_fields, may
from rehearse.practice.org_state import OrgState
from rehearse.practice.schema import ObjectDef

Json = dict[str, Any]
MASTER_RECORD_TYPE = "012000000000000AAA"
FEEDS = frozenset({"Account", "Case", "Contact", "Event", "Lead", "Opportunity", "User"})  # from recorded describes
CLONED_DEEP = frozenset({"Campaign", "Opportunity"})
NOT_RECENT = frozenset({"CampaignMember", "OpportunityContactRole"})


def describe_summary(definition: ObjectDef, version: str) -> Json:
    """One entry of the global describe."""
    base = f"/services/data/v{version}/sobjects/{definition.name}"
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": definition.createable,
        "custom": definition.custom,
        "customSetting": definition.custom_setting,
        "deepCloneable": definition.name in CLONED_DEEP,
        "deletable": definition.deletable,
        "deprecatedAndHidden": False,
        "feedEnabled": definition.name in FEEDS,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": definition.key_prefix,
        "label": definition.label,
        "labelPlural": definition.plural,
        "layoutable": not definition.setup or definition.name == "User",
        "mergeable": definition.mergeable,
        "mruEnabled": definition.name == "User" or not (definition.setup or definition.name in NOT_RECENT),
        "name": definition.name,
        "queryable": definition.queryable,
        "replicateable": definition.replicateable,
        "retrieveable": definition.name != "UserPermissionAccess",  # made for each question: no row has an address
        "searchable": definition.searchable,
        "triggerable": definition.triggerable or definition.name == "User",
        "undeletable": definition.undeletable,
        "updateable": definition.updateable,
        "urls": {"rowTemplate": f"{base}/{{ID}}", "describe": f"{base}/describe", "sobject": base},
    }


def describe_global(org: OrgState, version: str) -> Json:
    """GET /sobjects."""
    found = sorted((one for one in org.objects().values() if may(org, "read", one)), key=lambda one: one.name)
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [describe_summary(one, version) for one in found]}


def describe_object(org: OrgState, definition: ObjectDef, version: str) -> Json:
    """GET /sobjects/X/describe."""
    return {
        **describe_summary(definition, version),
        "actionOverrides": [],
        "childRelationships": child_relationships(org, definition),
        "compactLayoutable": not definition.setup,
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "fields": describe_fields(org, definition),
        "implementedBy": None,
        "implementsInterfaces": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": record_type_infos(org, definition),
        "searchLayoutable": definition.searchable,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": f"All {definition.plural.lower()}", "name": "everything"}],
    }


def describe_fields(org: OrgState, definition: ObjectDef) -> list[Json]:
    """The fields that whoever asks may see; those that he may not write are called so."""
    hidden, locked = hidden_fields(org, definition), locked_fields(org, definition)
    found = []
    for field in definition.fields:
        if field.name not in hidden:
            closed = {"createable": False, "updateable": False} if field.name in locked else {}
            found.append({**describe_field(definition, field), **closed})
    return found


def child_relationships(org: OrgState, definition: ObjectDef) -> list[Json]:
    """Every reference field of the org that may point at this object."""
    found = []
    for child in org.objects().values():
        for field in child.fields:
            if definition.name not in field.reference_to or not field.stored:
                continue
            cascade, restrict = deletion_rule(field)
            found.append(
                {
                    "cascadeDelete": cascade,
                    "childSObject": child.name,
                    "deprecatedAndHidden": False,
                    "field": field.name,
                    "junctionIdListNames": [],
                    "junctionReferenceTo": [],
                    "relationshipName": field.child_relationship,
                    "restrictedDelete": restrict,
                }
            )
    return sorted(found, key=lambda one: (one["childSObject"], one["field"]))


def record_type_infos(org: OrgState, definition: ObjectDef) -> list[Json]:
    """The record types of an object, Master last."""
    columns = '"Id", "Name", "DeveloperName", "IsActive"'
    sql = f'SELECT {columns} FROM "RecordType" WHERE "SobjectType" = ? ORDER BY "Name", "Id"'
    with org.lock:
        rows = org.db.execute(sql, (definition.name,)).fetchall()
    infos = [
        {
            "active": bool(active),
            "available": bool(active),
            "defaultRecordTypeMapping": False,
            "developerName": developer_name,
            "master": False,
            "name": name,
            "recordTypeId": row_id,
            "urls": {},
        }
        for row_id, name, developer_name, active in rows
    ]
    master = {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": True,
        "developerName": "Master",
        "master": True,
        "name": "Master",
        "recordTypeId": MASTER_RECORD_TYPE,
        "urls": {},
    }
    return [*infos, master]
