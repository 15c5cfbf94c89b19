"""What an org says about one field of an object, in Salesforce's JSON.

Pure shaping of FieldDef; the keys, and which flags go together, are those of recorded describes. Promise: what is
called createable, updateable, filterable or groupable here is what rows.py and the query engine accept.
"""

from __future__ import annotations

import base64
from typing import Any

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
# Optional fields of standard objects that no field-level security covers, from recorded describes.
NOT_PERMISSIONABLE = frozenset(
    {
        "AccountId.Event",
        "ActivityDate.Event",
        "ActivityDateTime.Event",
        "ConvertedAccountId.Lead",
        "ConvertedContactId.Lead",
        "ConvertedDate.Lead",
        "ConvertedOpportunityId.Lead",
        "DurationInMinutes.Event",
        "EndDate.Event",
        "EndDateTime.Event",
        "EventSubtype.Event",
        "ForecastCategoryName.Opportunity",
        "GroupEventType.Event",
        "Pricebook2Id.Opportunity",
        "ReminderDateTime.Event",
        "Role.OpportunityContactRole",
        "ShowAs.Event",
        "StartDateTime.Event",
        "Status.Case",
    }
)
NEVER_PERMISSIONABLE = frozenset(
    {
        "FirstName",
        "LastActivityDate",
        "LastReferencedDate",
        "LastViewedDate",
        "MasterRecordId",
        "RecordTypeId",
        "Salutation",
    }
)
UNSEARCHED_REFERENCES = frozenset({"CreatedById", "LastModifiedById", "MasterRecordId", "OwnerId", "RecordTypeId"})


def is_long_text(field: FieldDef) -> bool:
    """Whether a field is a long text area, which queries cannot filter or sort."""
    return field.type == "textarea" and field.length > 255


def deletion_rule(field: FieldDef) -> tuple[bool, bool]:
    """(cascadeDelete, restrictedDelete) of a reference field."""
    return field.is_master or field.on_delete == "cascade", not field.is_master and field.on_delete == "restrict"


def describe_field(definition: ObjectDef, field: FieldDef) -> Json:
    """One field of a describe, its keys in the order of the alphabet as Salesforce has them."""
    written, filtered = _as_written(definition, field), _as_filter(definition, field)
    described = {**_as_value(field), **_as_reference(field), **filtered, **written, **_UNUSED}
    controller = definition.find(field.controller) if field.controller else None
    if controller is not None:
        described |= {"controllerName": controller.name, "dependentPicklist": True}
        described["picklistValues"] = picklist_values(field, controller)
    return dict(sorted(described.items()))


_UNUSED: Json = {
    "aiPredictionField": False,
    "controllerName": None,
    "defaultValueFormula": None,
    "dependentPicklist": False,
    "deprecatedAndHidden": False,
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
        "byteLength": field.length if field.type in ("id", "reference") else field.length * 3,
        "caseSensitive": field.case_sensitive,
        "compoundFieldName": field.compound,
        "custom": field.custom,
        "digits": field.precision if whole else 0,
        "displayLocationInDecimal": field.type == "location",
        "encrypted": field.encrypted,
        "extraTypeInfo": _extra(field),
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
        "filterable": not (is_long_text(field) or field.encrypted),  # addresses are called filterable
        "groupable": not (opaque or field.type in ("double", "currency", "percent", "datetime")),
        "idLookup": is_id_lookup(definition, field),
        "nameField": field.name == definition.name_field,
        "queryByDistance": compound,
        "searchPrefilterable": field.type == "reference" and field.name not in UNSEARCHED_REFERENCES,
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
        "permissionable": is_permissionable(definition, field),
        "updateable": field.writable and field.updateable and (not field.is_master or field.reparentable),
    }


def _extra(field: FieldDef) -> str | None:
    """What recorded describes add to the type of standard text fields."""
    if field.custom:
        return None
    if field.type == "textarea":
        return "plaintextarea"
    named = field.compound == "Name" or (field.name == "Name" and bool(field.parts))
    return "personname" if named else None


def is_permissionable(definition: ObjectDef, field: FieldDef) -> bool:
    """Whether field-level security can hide the field. Required, system and name fields are always seen."""
    if field.custom:
        return not (field.required or field.is_master)
    always = field.required or field.system or field.name == definition.name_field
    listed = field.name in NEVER_PERMISSIONABLE or f"{field.name}.{definition.name}" in NOT_PERMISSIONABLE
    return not (always or listed)


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


def picklist_values(field: FieldDef, controller: FieldDef | None = None) -> list[Json]:
    """The values of a picklist; those of a dependent one say for which values of its controller they stand."""
    return [
        {
            "active": v.active,
            "defaultValue": v.default,
            "label": v.label,
            "validFor": _valid_for(v.valid_for, controller) if controller is not None else None,
            "value": v.name,
        }
        for v in field.values
    ]


def _valid_for(allowed: tuple[str, ...], controller: FieldDef) -> str:
    """A bit for each value of the controller, the highest first, in base64 (SOAP guide, PicklistEntry)."""
    names = ["false", "true"] if controller.type == "boolean" else [one.name for one in controller.values]
    bits = bytearray((len(names) + 7) // 8)
    for place, name in enumerate(names):
        if name in allowed:
            bits[place // 8] |= 0x80 >> place % 8
    return base64.b64encode(bytes(bits)).decode()
