"""A CustomField's XML as the FieldDef that an org enforces.

Pure: global value sets and the fields that roll-ups add up are handed in by a Look-up. What the XML cannot mean
(an unknown type, a missing value set) is a FieldProblem in Salesforce's words. Types and their describe spelling:
Metadata API guide, CustomField / FieldType.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, Protocol

from lxml import etree

from rehearse.practice.meta_xml import elements, first, flag, number_of, text_of
from rehearse.practice.schema import FieldDef, PicklistValue, RollUp, Value

PLAIN = {
    "Text": ("string", 255),
    "TextArea": ("textarea", 255),
    "LongTextArea": ("textarea", 32768),
    "Html": ("textarea", 32768),
    "Checkbox": ("boolean", 0),
    "Number": ("double", 0),
    "Currency": ("currency", 0),
    "Percent": ("percent", 0),
    "Date": ("date", 0),
    "DateTime": ("datetime", 0),
    "Time": ("time", 0),
    "Email": ("email", 80),
    "Phone": ("phone", 40),
    "Url": ("url", 255),
    "Picklist": ("picklist", 255),
    "MultiselectPicklist": ("multipicklist", 4099),
    "Lookup": ("reference", 18),
    "MasterDetail": ("reference", 18),
    "AutoNumber": ("string", 30),
    "EncryptedText": ("encryptedstring", 175),
    "Summary": ("double", 0),
    "Location": ("location", 0),
}
DELETES: dict[str, Literal["clear", "restrict", "cascade"]] = {
    "SetNull": "clear", "Restrict": "restrict", "Cascade": "cascade"
}  # fmt: skip
OPERATIONS: dict[str, Literal["COUNT", "SUM", "MIN", "MAX"]] = {
    "count": "COUNT", "sum": "SUM", "min": "MIN", "max": "MAX"
}  # fmt: skip


class FieldProblem(ValueError):
    """The XML of a field means nothing that this org can do; the text is Salesforce's."""


class LookUp(Protocol):
    """What a field's XML may refer to."""

    def value_set(self, name: str) -> Sequence[PicklistValue] | None:
        """The values of a global value set, or None when there is none of this name."""

    def field(self, path: str) -> FieldDef | None:
        """The field behind `Object.Field`, or None."""


def read_values(parent: etree._Element, tag: str) -> tuple[PicklistValue, ...]:
    """The picklist values under `parent`: elements `tag` with fullName, label, default and isActive."""
    values = []
    for one in elements(parent, tag):
        name = text_of(one, "fullName")
        active = flag(one, "isActive", True)
        values.append(PicklistValue(name, text_of(one, "label") or name, active, flag(one, "default")))
    return tuple(values)


def _whole(xml: etree._Element, tag: str, default: int = 0) -> int:
    try:
        return number_of(xml, tag, default)
    except ValueError as error:
        raise FieldProblem(str(error)) from None


def build_field(xml: etree._Element, look: LookUp) -> FieldDef:
    """The FieldDef of one custom field (a Location without its two parts; `location_parts` gives these).

    Raises FieldProblem."""
    name, kind = text_of(xml, "fullName").strip(), text_of(xml, "type").strip()
    if kind not in PLAIN:
        raise FieldProblem(
            "Required field is missing: type" if not kind else f"'{kind}' is not a valid value for the enum 'FieldType'"
        )
    spelled, length = PLAIN[kind]
    base = FieldDef(
        name,
        text_of(xml, "label") or name.removesuffix("__c").replace("_", " "),
        spelled,
        length=_whole(xml, "length", length) if length else 0,
        precision=_whole(xml, "precision"),
        scale=_whole(xml, "scale"),
        required=flag(xml, "required"),
        unique=flag(xml, "unique"),
        case_sensitive=flag(xml, "caseSensitive"),
        external_id=flag(xml, "externalId"),
        encrypted=kind == "EncryptedText",
        custom=True,
        description=text_of(xml, "description") or None,
        help_text=text_of(xml, "inlineHelpText") or None,
    )
    source = text_of(xml, "formula")
    if source:
        return _formula(base, xml, source)
    return _special(base, kind, xml, look)


def _special(base: FieldDef, kind: str, xml: etree._Element, look: LookUp) -> FieldDef:
    if kind in ("Picklist", "MultiselectPicklist"):
        return _picklist(base, xml, look)
    if kind in ("Lookup", "MasterDetail"):
        return _reference(base, xml, master=kind == "MasterDetail")
    if kind == "Summary":
        return _summary(base, xml, look)
    if kind == "AutoNumber":
        form = text_of(xml, "displayFormat") or "{0}"
        return replace(base, auto_number=form, createable=False, updateable=False)
    if kind == "Location":
        stem = base.name.removesuffix("__c")
        parts = (f"{stem}__Latitude__s", f"{stem}__Longitude__s")
        return replace(base, parts=parts, precision=0, createable=False, updateable=False)
    return replace(base, default=read_default(base, text_of(xml, "defaultValue")))


def location_parts(field: FieldDef) -> tuple[FieldDef, ...]:
    """The latitude and longitude that a Location stores; no parts for any other field."""
    if field.type != "location":
        return ()
    scale = field.scale
    return tuple(
        FieldDef(
            part,
            f"{field.label} ({word})",
            "double",
            precision=scale + 3,
            scale=scale,
            custom=True,
            compound=field.name,
        )
        for part, word in zip(field.parts, ("Latitude", "Longitude"), strict=True)
    )


def read_default(field: FieldDef, text: str) -> Value:
    """A default as a literal: true, a number, or a quoted text; a real formula is no literal and gives None."""
    text = text.strip()
    if field.type == "boolean":
        return text.lower() == "true"
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    try:
        return float(text) if field.is_number else None
    except ValueError:
        return None


def _formula(base: FieldDef, xml: etree._Element, source: str) -> FieldDef:
    as_zero = text_of(xml, "formulaTreatBlanksAs", "BlankAsZero") != "BlankAsBlank"
    length = 1300 if base.type == "string" else 0
    return replace(
        base,
        formula=source,
        blank_as_zero=as_zero,
        length=length,
        required=False,
        createable=False,
        updateable=False,
        precision=base.precision or (18 if base.is_number else 0),
    )


def _picklist(base: FieldDef, xml: etree._Element, look: LookUp) -> FieldDef:
    value_set = first(xml, "valueSet")
    if value_set is None:
        raise FieldProblem("Must specify either a global value set or a value set definition for a picklist field")
    restricted = flag(value_set, "restricted")
    controller = text_of(value_set, "controllingField").strip() or None
    base = replace(base, controller=controller)
    allowed = {
        text_of(one, "valueName"): tuple(part.text or "" for part in elements(one, "controllingFieldValue"))
        for one in elements(value_set, "valueSettings")
    }
    shared = text_of(value_set, "valueSetName").strip()
    if shared:
        values = look.value_set(shared)
        if values is None:
            raise FieldProblem(f"In field: valueSet - no GlobalValueSet named {shared} found")
        return replace(base, values=_allowed(values, allowed), restricted=True)
    own = first(value_set, "valueSetDefinition")
    values = read_values(own, "value") if own is not None else ()
    return replace(base, values=_allowed(values, allowed), restricted=restricted)


def _allowed(values: Sequence[PicklistValue], allowed: Mapping[str, tuple[str, ...]]) -> tuple[PicklistValue, ...]:
    """Values with the controlling values under which each may be chosen."""
    return tuple(replace(one, valid_for=allowed.get(one.name, ())) for one in values)


def _reference(base: FieldDef, xml: etree._Element, *, master: bool) -> FieldDef:
    target = text_of(xml, "referenceTo").strip()
    if not target:
        raise FieldProblem("Required field is missing: referenceTo")
    children = text_of(xml, "relationshipName").strip()
    field = replace(
        base,
        reference_to=(target,),
        relationship_name=f"{base.name.removesuffix('__c')}__r",
        child_relationship=f"{children}__r" if children else None,
    )
    if not master:
        return replace(field, on_delete=DELETES.get(text_of(xml, "deleteConstraint") or "SetNull", "clear"))
    reparentable = flag(xml, "reparentableMasterDetail")
    order = _whole(xml, "relationshipOrder")
    return replace(
        field,
        required=True,
        on_delete="cascade",
        relationship_order=order,
        reparentable=reparentable,
        updateable=reparentable,
    )


def _summary(base: FieldDef, xml: etree._Element, look: LookUp) -> FieldDef:
    relation = text_of(xml, "summaryForeignKey").strip()
    child, _, link = relation.partition(".")
    summed = text_of(xml, "summarizedField").strip()
    operation = OPERATIONS.get(text_of(xml, "summaryOperation").strip().lower(), "COUNT")
    filters = tuple(
        (text_of(one, "field").removeprefix(f"{child}."), text_of(one, "operation"), text_of(one, "value"))
        for one in elements(xml, "summaryFilterItems")
    )
    roll_up = RollUp(child, link, operation, summed.partition(".")[2] or None, filters)
    field = replace(base, summary=roll_up, createable=False, updateable=False, precision=18, scale=0)
    if operation == "COUNT":
        return field
    source = look.field(summed)
    if source is None:
        raise FieldProblem(f"In field: summarizedField - no CustomField named {summed} found")
    return replace(field, type=source.type, precision=source.precision, scale=source.scale)
