"""The nouns of an object's shape: fields, objects, record types, roll-ups, and how they become JSON and back.

Everything here is a frozen value; nothing reads or writes. A definition says what an org enforces (rows.py), what a
describe answers (describe.py) and what a query may name (soql_*.py). Names compare without regard to case, as
Salesforce compares them; the spelling of the definition is what answers carry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Literal

Value = str | int | float | bool | None
OnDelete = Literal["clear", "restrict", "cascade"]

NUMBER_TYPES = frozenset({"double", "currency", "percent", "int", "long"})
COMPOUND_TYPES = frozenset({"address", "location"})


@dataclass(frozen=True)
class PicklistValue:
    """One value of a picklist; `name` is what a row holds, `valid_for` the controlling values that allow it."""

    name: str
    label: str
    active: bool = True
    default: bool = False
    valid_for: tuple[str, ...] = ()


@dataclass(frozen=True)
class RollUp:
    """A roll-up summary: what is counted or added up over the details; `field` is None for COUNT."""

    child: str
    relation: str
    operation: Literal["COUNT", "SUM", "MIN", "MAX"]
    field: str | None = None
    filters: tuple[tuple[str, str, str], ...] = ()  # (field, equals|notEqual|greaterThan|lessThan|…, value)


@dataclass(frozen=True)
class FieldDef:
    """One field. `type` is spelled as in a describe; lengths are characters, `precision` is digits in all."""

    name: str
    label: str
    type: str = "string"
    length: int = 0
    precision: int = 0
    scale: int = 0
    required: bool = False
    unique: bool = False
    case_sensitive: bool = False
    external_id: bool = False
    default: Value = None  # a literal; booleans without one default to False
    formula: str | None = None
    blank_as_zero: bool = True
    summary: RollUp | None = None
    auto_number: str | None = None  # display format such as INV-{0000}
    reference_to: tuple[str, ...] = ()
    relationship_name: str | None = None  # the path from the child: Owner, Account, Invoice__r
    child_relationship: str | None = None  # the path from the parent: Contacts, Invoices__r
    relationship_order: int | None = None  # 0 or 1 = master-detail
    on_delete: OnDelete = "clear"
    reparentable: bool = False
    restricted: bool = False
    values: tuple[PicklistValue, ...] = ()
    controller: str | None = None  # of a dependent picklist: the field on which its values depend
    createable: bool = True
    updateable: bool = True
    encrypted: bool = False
    custom: bool = False
    system: bool = False  # kept by the platform: ids, stamps, IsDeleted
    compound: str | None = None  # the compound field that this one is a part of
    parts: tuple[str, ...] = ()  # for a compound: its parts in order
    description: str | None = None
    help_text: str | None = None

    @property
    def stored(self) -> bool:
        """Whether the table has a column for it; formulas and compounds are computed when read."""
        return self.formula is None and not self.parts and self.type not in COMPOUND_TYPES

    @property
    def is_master(self) -> bool:
        return self.relationship_order is not None

    @property
    def calculated(self) -> bool:
        return self.formula is not None or self.summary is not None

    @property
    def is_number(self) -> bool:
        return self.type in NUMBER_TYPES

    @property
    def writable(self) -> bool:
        """Whether anybody may ever give it a value."""
        return self.stored and not self.calculated and self.auto_number is None


@dataclass(frozen=True)
class RecordTypeDef:
    """A record type of an object; the row in RecordType carries its id."""

    name: str
    label: str
    active: bool = True
    description: str | None = None


@dataclass(frozen=True)
class ObjectDef:
    """One object with its fields in describe order."""

    name: str
    label: str
    plural: str
    key_prefix: str
    fields: tuple[FieldDef, ...]
    name_field: str | None = "Name"
    custom: bool = False
    custom_setting: bool = False
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    undeletable: bool = True
    queryable: bool = True
    replicateable: bool = True
    mergeable: bool = False
    triggerable: bool = True
    searchable: bool = True
    setup: bool = False  # a setup object: no mixing with others in one collection call
    bulk: bool = True  # whether Bulk API 2.0 takes it
    sharing: str = "ReadWrite"
    record_types: tuple[RecordTypeDef, ...] = ()

    @cached_property
    def _by_name(self) -> dict[str, FieldDef]:
        return {field.name.lower(): field for field in self.fields}

    @cached_property
    def _by_path(self) -> dict[str, FieldDef]:
        return {field.relationship_name.lower(): field for field in self.fields if field.relationship_name}

    def find(self, name: str) -> FieldDef | None:
        """The field of this name in any case, or None."""
        return self._by_name.get(name.lower())

    def find_path(self, relationship: str) -> FieldDef | None:
        """The reference field behind a relationship name such as Owner or Invoice__r, or None."""
        return self._by_path.get(relationship.lower())

    @cached_property
    def stored_fields(self) -> tuple[FieldDef, ...]:
        return tuple(field for field in self.fields if field.stored)

    def with_field(self, field: FieldDef) -> ObjectDef:
        """The same object with this field added, or put in the place of the one of its name."""
        if self.find(field.name) is None:
            return replace(self, fields=(*self.fields, field))
        kept = tuple(field if old.name.lower() == field.name.lower() else old for old in self.fields)
        return replace(self, fields=kept)

    def without_field(self, name: str) -> ObjectDef:
        return replace(self, fields=tuple(field for field in self.fields if field.name.lower() != name.lower()))


def _tuples(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}


def build_field(data: Mapping[str, Any]) -> FieldDef:
    """A FieldDef from its JSON form."""
    plain = _tuples(data)
    plain["values"] = tuple(PicklistValue(**_tuples(value)) for value in data.get("values", ()))
    summary = data.get("summary")
    if summary is not None:
        filters = tuple((one[0], one[1], one[2]) for one in summary.get("filters", ()))
        plain["summary"] = RollUp(**{**summary, "filters": filters})
    return FieldDef(**plain)


def build_object(data: Mapping[str, Any]) -> ObjectDef:
    """An ObjectDef from its JSON form."""
    plain = _tuples(data)
    plain["fields"] = tuple(build_field(field) for field in data["fields"])
    plain["record_types"] = tuple(RecordTypeDef(**one) for one in data.get("record_types", ()))
    return ObjectDef(**plain)


def _field_as_json(field: FieldDef, plain: FieldDef) -> dict[str, Any]:
    """What of a field does not stand at its default; the many that do are never copied."""
    data: dict[str, Any] = {"name": field.name, "label": field.label}
    data |= {key: value for key, value in vars(field).items() if value != getattr(plain, key)}
    if field.summary is not None:
        data["summary"] = asdict(field.summary)
    if field.values:
        left_out = () if field.controller else ("valid_for",)
        data["values"] = [{k: v for k, v in vars(one).items() if k not in left_out} for one in field.values]
    return data


def object_as_json(definition: ObjectDef) -> dict[str, Any]:
    """The JSON form of an object, without what stands at its default; `build_object` reads it back."""
    plain = FieldDef("", "")
    data = asdict(replace(definition, fields=()))
    data["fields"] = [_field_as_json(field, plain) for field in definition.fields]
    return data


def system_fields(*, owner: tuple[str, ...] = ("User",), deleted: bool = True) -> tuple[FieldDef, ...]:
    """The fields that the platform keeps; without `owner` the object belongs to its master."""

    def reference(name: str, label: str, path: str, to: tuple[str, ...]) -> FieldDef:
        kept = name != "OwnerId"
        return FieldDef(
            name,
            label,
            "reference",
            length=18,
            required=True,
            reference_to=to,
            relationship_name=path,
            createable=not kept,
            updateable=not kept,
            system=kept,
        )

    def stamp(name: str, label: str) -> FieldDef:
        return FieldDef(name, label, "datetime", required=True, createable=False, updateable=False, system=True)

    fields = [reference("OwnerId", "Owner ID", "Owner", owner)] if owner else []
    if deleted:
        fields.append(_kept_boolean("IsDeleted", "Deleted"))
    fields += [
        stamp("CreatedDate", "Created Date"),
        reference("CreatedById", "Created By ID", "CreatedBy", ("User",)),
        stamp("LastModifiedDate", "Last Modified Date"),
        reference("LastModifiedById", "Last Modified By ID", "LastModifiedBy", ("User",)),
        stamp("SystemModstamp", "System Modstamp"),
    ]
    return tuple(fields)


def _kept_boolean(name: str, label: str) -> FieldDef:
    return FieldDef(name, label, "boolean", required=True, createable=False, updateable=False, system=True)


def id_field(label: str) -> FieldDef:
    """The Id of an object called `label`."""
    return FieldDef("Id", label, "id", length=18, required=True, createable=False, updateable=False, system=True)


def build_custom_object(
    name: str, label: str, plural: str, key_prefix: str, fields: Iterable[FieldDef], name_field: FieldDef | None = None
) -> ObjectDef:
    """A custom object with the platform's fields around its own; a master-detail field takes the owner's place.

    `name_field` is the definition of Name (text of 80 characters unless given; auto_number makes it one)."""
    own = tuple(fields)
    named = name_field or FieldDef("Name", f"{label} Name", "string", length=80)
    owner = () if any(field.is_master for field in own) else ("Group", "User")
    around = system_fields(owner=owner)
    head = tuple(field for field in around if field.name in ("OwnerId", "IsDeleted"))
    stamps = tuple(field for field in around if field.name not in ("OwnerId", "IsDeleted"))
    return ObjectDef(name, label, plural, key_prefix, (id_field("Record ID"), *head, named, *stamps, *own), custom=True)
