"""What an org says about its objects: the global list, and the full describe of one, in Salesforce's JSON.

Pure shaping of ObjectDef; the keys and their order of meaning are those of recorded describes. Promise: what a describe
calls createable or updateable is what rows.py accepts, and every child relationship that queries know is listed.
"""

from __future__ import annotations

from typing import Any

from rehearse.practice.org_state import OrgState
from rehearse.practice.schema import COMPOUND_TYPES, FieldDef, ObjectDef

Json = dict[str, Any]
SOAP_TYPES = {
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "time": "xsd:time",
    "id": "tns:ID",
    "reference": "tns:ID",
    "address": "urn:address",
    "location": "urn:location",
    "base64": "xsd:base64Binary",
    "anyType": "xsd:anyType",
}
MASTER_RECORD_TYPE = "012000000000000AAA"


def is_long_text(field: FieldDef) -> bool:
    """Whether a field is a long text area, which queries cannot filter or sort."""
    return field.type == "textarea" and field.length > 255


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
        "deepCloneable": False,
        "deletable": definition.deletable,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": definition.key_prefix,
        "label": definition.label,
        "labelPlural": definition.plural,
        "layoutable": not definition.setup,
        "mergeable": definition.mergeable,
        "mruEnabled": not definition.setup,
        "name": definition.name,
        "queryable": definition.queryable,
        "replicateable": definition.replicateable,
        "retrieveable": True,
        "searchable": definition.searchable,
        "triggerable": definition.triggerable,
        "undeletable": definition.undeletable,
        "updateable": definition.updateable,
        "urls": {"rowTemplate": f"{base}/{{ID}}", "describe": f"{base}/describe", "sobject": base},
    }


def describe_global(org: OrgState, version: str) -> Json:
    """GET /sobjects."""
    found = sorted(org.objects().values(), key=lambda one: one.name)
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
        "fields": [describe_field(definition, field) for field in definition.fields],
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


def deletion_rule(field: FieldDef) -> tuple[bool, bool]:
    """(cascadeDelete, restrictedDelete) of a reference field."""
    return field.is_master or field.on_delete == "cascade", not field.is_master and field.on_delete == "restrict"


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


def describe_field(definition: ObjectDef, field: FieldDef) -> Json:
    """One field of a describe, its keys in the order of the alphabet as Salesforce has them."""
    written, filtered = _as_written(definition, field), _as_filter(definition, field)
    return dict(sorted({**_as_value(field), **_as_reference(field), **filtered, **written, **_UNUSED}.items()))


_UNUSED: Json = {
    "aiPredictionField": False,
    "controllerName": None,
    "defaultValueFormula": None,
    "dependentPicklist": False,
    "deprecatedAndHidden": False,
    "extraTypeInfo": None,
    "filteredLookupInfo": None,
    "highScaleNumber": False,
    "htmlFormatted": False,
    "mask": None,
    "maskType": None,
    "referenceTargetField": None,
    "writeRequiresMasterRead": False,
}


def _as_value(field: FieldDef) -> Json:
    """What a value of the field is."""
    whole = field.type in ("int", "long")
    return {
        "byteLength": field.length * 3,
        "caseSensitive": field.case_sensitive,
        "compoundFieldName": field.compound,
        "custom": field.custom,
        "digits": field.precision if whole else 0,
        "displayLocationInDecimal": field.type == "location",
        "encrypted": field.encrypted,
        "inlineHelpText": field.help_text,
        "label": field.label,
        "length": field.length,
        "name": field.name,
        "picklistValues": picklist_values(field),
        "precision": 0 if whole else field.precision,
        "restrictedPicklist": field.restricted,
        "scale": field.scale,
        "soapType": SOAP_TYPES.get(field.type, "xsd:string"),
        "type": field.type,
    }


def _as_reference(field: FieldDef) -> Json:
    """Where the field points, and what the deletion of its target does."""
    # Recorded describes say this on custom fields only; for standard ones it stands in the parent's childRelationships.
    cascade, restrict = deletion_rule(field) if field.type == "reference" and field.custom else (False, False)
    return {
        "cascadeDelete": cascade,
        "namePointing": len(field.reference_to) > 1,
        "polymorphicForeignKey": len(field.reference_to) > 1,
        "referenceTo": list(field.reference_to),
        "relationshipName": field.relationship_name,
        "relationshipOrder": field.relationship_order,
        "restrictedDelete": restrict,
    }


def _as_filter(definition: ObjectDef, field: FieldDef) -> Json:
    """What a query may do with the field."""
    compound = field.type in COMPOUND_TYPES
    opaque = is_long_text(field) or compound
    return {
        "aggregatable": not (opaque or field.type == "boolean"),
        "externalId": field.external_id,
        "filterable": not (opaque or field.encrypted),
        "groupable": not (opaque or field.type in ("double", "currency", "percent", "datetime")),
        "idLookup": is_id_lookup(definition, field),
        "nameField": field.name == definition.name_field,
        "queryByDistance": compound,
        "searchPrefilterable": field.type == "reference",
        "sortable": not (opaque or field.type == "multipicklist"),
        "unique": field.unique,
    }


def _as_written(definition: ObjectDef, field: FieldDef) -> Json:
    """Who gives the field its value."""
    calculated = field.calculated and not field.system
    return {
        "autoNumber": field.auto_number is not None,
        "calculated": calculated,
        "calculatedFormula": field.formula if calculated else None,
        "createable": field.writable and field.createable,
        "defaultValue": bool(field.default) if field.type == "boolean" else field.default,
        "defaultedOnCreate": is_defaulted(definition, field),
        "formulaTreatNullNumberAsZero": calculated and field.formula is not None and field.blank_as_zero,
        "nillable": is_nillable(definition, field),
        "permissionable": not (field.required or field.system or field.name == definition.name_field),
        "updateable": field.writable and field.updateable and (not field.is_master or field.reparentable),
    }


def is_defaulted(definition: ObjectDef, field: FieldDef) -> bool:
    """Whether an insert may leave the field out although it is never null."""
    own_name = definition.custom and field.name == "Name"
    kept = field.system and not field.formula
    numbered = field.auto_number is not None
    return (
        field.type == "boolean" or kept or numbered or field.default is not None or field.name == "OwnerId" or own_name
    )


def is_nillable(definition: ObjectDef, field: FieldDef) -> bool:
    """Whether the field may be null in a row that is read."""
    if definition.custom and field.name == "Name":
        return True
    whole_name = bool(field.parts) and field.type == "string"
    kept = field.required or field.is_master or field.type == "boolean"
    return not (kept or whole_name or field.auto_number is not None)


def is_id_lookup(definition: ObjectDef, field: FieldDef) -> bool:
    """Whether upserts may find rows by the field."""
    if not field.stored:
        return False
    named = field.name == definition.name_field and field.type == "string"
    own_mail = field.type == "email" and field.name == "Email"
    return field.type == "id" or own_mail or field.external_id or field.unique or named


def picklist_values(field: FieldDef) -> list[Json]:
    return [
        {"active": v.active, "defaultValue": v.default, "label": v.label, "validFor": None, "value": v.name}
        for v in field.values
    ]
