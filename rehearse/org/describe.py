"""Describe: the shape of objects, translated from Salesforce's spelling into ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearse.org.model import Child, Field, ObjectSummary, Schema


def build_summary(row: Mapping[str, Any]) -> ObjectSummary:
    """One line of the global describe."""
    return ObjectSummary(
        name=str(row["name"]),
        key_prefix=row.get("keyPrefix") or None,
        queryable=bool(row.get("queryable")),
        custom_setting=bool(row.get("customSetting")),
        replicateable=bool(row.get("replicateable")),
        layoutable=bool(row.get("layoutable")),
    )


def build_schema(row: Mapping[str, Any]) -> Schema:
    """One object's describe."""
    return Schema(
        name=str(row["name"]),
        key_prefix=row.get("keyPrefix") or None,
        queryable=bool(row.get("queryable")),
        createable=bool(row.get("createable")),
        updateable=bool(row.get("updateable")),
        deletable=bool(row.get("deletable")),
        undeletable=bool(row.get("undeletable")),
        replicateable=bool(row.get("replicateable")),
        custom_setting=bool(row.get("customSetting")),
        fields=tuple(build_field(one) for one in row["fields"]),
        children=tuple(_build_child(one) for one in row.get("childRelationships") or () if one.get("field")),
    )


def build_field(row: Mapping[str, Any]) -> Field:
    """One field of a describe; a missing relationshipOrder stays None (0 and 1 mean master-detail)."""
    order = row.get("relationshipOrder")
    return Field(
        name=str(row["name"]),
        type=str(row["type"]),
        length=int(row.get("length") or 0),
        precision=int(row.get("precision") or 0),
        scale=int(row.get("scale") or 0),
        createable=bool(row.get("createable")),
        updateable=bool(row.get("updateable")),
        calculated=bool(row.get("calculated")),
        auto_number=bool(row.get("autoNumber")),
        nillable=bool(row.get("nillable", True)),
        defaulted_on_create=bool(row.get("defaultedOnCreate")),
        unique=bool(row.get("unique")),
        case_sensitive=bool(row.get("caseSensitive")),
        external_id=bool(row.get("externalId")),
        reference_to=tuple(row.get("referenceTo") or ()),
        relationship_name=row.get("relationshipName") or None,
        relationship_order=None if order is None else int(order),
        cascade_delete=bool(row.get("cascadeDelete")),
        restricted_delete=bool(row.get("restrictedDelete")),
        compound_field=row.get("compoundFieldName") or None,
        encrypted=bool(row.get("encrypted")),
        restricted_picklist=bool(row.get("restrictedPicklist")),
        write_requires_master_read=bool(row.get("writeRequiresMasterRead")),
        controller=row.get("controllerName") or None,
    )


def _build_child(row: Mapping[str, Any]) -> Child:
    return Child(
        object=str(row["childSObject"]),
        field=str(row["field"]),
        cascade_delete=bool(row.get("cascadeDelete")),
        restricted_delete=bool(row.get("restrictedDelete")),
    )
