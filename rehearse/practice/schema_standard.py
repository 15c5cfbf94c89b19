"""The standard objects that every practice org is born with, read from standard_objects.txt beside this file.

Names, types, lengths and key prefixes are those of Salesforce's own describes; what such a describe computes (a full
name, whether a stage is won) is a formula here that describe.py does not show as one. Custom objects and fields are
no business of this file: they come with deployments.
"""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import resources

from rehearse.practice.schema import FieldDef, ObjectDef, OnDelete, PicklistValue, Value, id_field, system_fields

FLAG_TO_END = re.compile(r"(?:^| )(derived|default)=(.*)$")
TYPE = re.compile(r"(\w+)(?:\(([^)]*)\))?(?:: (.*))?")
ON_DELETE: dict[str, OnDelete] = {"clear": "clear", "restrict": "restrict", "cascade": "cascade"}
NAMED_BY = {
    "Case": "CaseNumber", "ContentDocument": "Title", "ContentVersion": "Title", "Event": "Subject", "Task": "Subject"
}  # fmt: skip
STAMPS = ("CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp")


def _values(text: str | None) -> tuple[PicklistValue, ...]:
    if not text:
        return ()
    names = [name.strip() for name in text.split(";")]
    return tuple(PicklistValue(name.lstrip("*"), name.lstrip("*"), default=name.startswith("*")) for name in names)


def _flags(text: str) -> dict[str, str]:
    flags: dict[str, str] = {}
    if found := FLAG_TO_END.search(text):
        flags[found[1]] = found[2]
        text = text[: found.start()]
    for word in text.split():
        name, _, value = word.partition("=")
        flags[name] = value
    return flags


def _typed(name: str, label: str, text: str) -> FieldDef:
    """A field with what its type says: length, digits, targets, values."""
    found = TYPE.fullmatch(text)
    if found is None:
        raise ValueError(f"standard_objects.txt: {name} has no readable type: {text}")
    kind, size, values = found[1], found[2] or "", found[3]
    field = FieldDef(name, label, kind, values=_values(values))
    if kind == "reference":
        path = name[:-2] if name.endswith("Id") else None
        return replace(field, length=18, reference_to=tuple(size.split(",")), relationship_name=path)
    if "," in size:
        digits, scale = size.split(",")
        return replace(field, precision=int(digits), scale=int(scale))
    if kind == "int":
        return replace(field, precision=8)
    return replace(field, length=int(size) if size else 0)


def _default(field: FieldDef, flags: dict[str, str]) -> Value:
    if "default" in flags:
        return flags["default"] == "true" if field.type == "boolean" else flags["default"]
    return next((value.name for value in field.values if value.default), None)


def _field(line: str) -> FieldDef:
    name, label, kind, *rest = [part.strip() for part in line.split(" | ")]
    flags = _flags(rest[0] if rest else "")
    field = _typed(name, label, kind)
    parts = tuple(flags["parts"].split(",")) if "parts" in flags else ()
    computed = bool(parts) or "derived" in flags or "auto" in flags
    return replace(
        field,
        required="required" in flags or field.type == "boolean",
        unique="unique" in flags,
        external_id="external" in flags,
        restricted="restricted" in flags,
        default=_default(field, flags),
        formula=flags.get("derived"),
        system="derived" in flags,
        auto_number=flags.get("auto"),
        relationship_name=flags.get("path", field.relationship_name),
        child_relationship=flags.get("children"),
        on_delete=ON_DELETE[flags.get("on", "clear")],
        compound=flags.get("of"),
        parts=parts,
        createable=not computed and "readonly" not in flags,
        updateable=not computed and "readonly" not in flags and "createonly" not in flags,
    )


RECORD_TYPE_ID = FieldDef(
    "RecordTypeId",
    "Record Type ID",
    "reference",
    length=18,
    reference_to=("RecordType",),
    relationship_name="RecordType",
)


def _object(lines: list[str]) -> ObjectDef:
    head, *body = lines
    names, label, plural, *rest = [part.strip() for part in head.split(" | ")]
    name, prefix = names.split()
    flags = _flags(rest[0] if rest else "")
    owner: tuple[str, ...] = ()
    fields: list[FieldDef] = []
    for line in body:
        if line.startswith("@owner"):
            owner = tuple(line.split()[1:])
        elif line == "@recordtypes":
            fields.append(RECORD_TYPE_ID)
        else:
            fields.append(_field(line))
    kept = flags["stamps"].split(",") if "stamps" in flags else STAMPS
    system = [field for field in system_fields(owner=owner) if field.name in kept or field.name == "OwnerId"]
    deleted = [field for field in system_fields() if field.name == "IsDeleted" and "not-deletedflag" not in flags]
    read_only = "readonly" in flags
    names_known = {field.name for field in fields}
    return ObjectDef(
        name,
        label,
        plural,
        prefix,
        (id_field(f"{label} ID"), *deleted, *fields, *system),
        name_field=_name_field(name, names_known, "nameless" in flags),
        createable=not read_only and "not-createable" not in flags,
        updateable=not read_only and "not-updateable" not in flags,
        deletable=not read_only and "not-deletable" not in flags,
        undeletable=not read_only and "not-undeletable" not in flags,
        replicateable=not read_only and "not-replicateable" not in flags,
        mergeable="mergeable" in flags,
        searchable="not-searchable" not in flags,
        triggerable="setup" not in flags,
        setup="setup" in flags,
    )


def _name_field(name: str, known: set[str], nameless: bool) -> str | None:
    if nameless:
        return None
    return NAMED_BY.get(name, "Name" if "Name" in known else None)


def build_standard_objects(text: str) -> tuple[ObjectDef, ...]:
    """The objects that a text in the form of standard_objects.txt describes. Raises ValueError naming the bad line."""
    groups: list[list[str]] = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith(" "):
            groups[-1].append(line.strip())
        else:
            groups.append([line])
    return tuple(_object(group) for group in groups)


STANDARD_OBJECTS = build_standard_objects(
    resources.files("rehearse.practice").joinpath("standard_objects.txt").read_text(encoding="utf-8")
)
