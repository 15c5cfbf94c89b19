"""What a row must satisfy before it is written: known and writable fields, references that are there, required
values, unique values.

Reads the org, writes nothing. Answers the columns to write; refuses with RowError, in Salesforce's words, naming the
fields. Validation rules come later, when the row stands in its table (automation.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rehearse.practice import field_security
from rehearse.practice.org_ids import is_id, restore_case
from rehearse.practice.org_state import OrgState
from rehearse.practice.org_tables import quote
from rehearse.practice.rows_values import RowError, Stored, numbered, stored_value
from rehearse.practice.schema import FieldDef, ObjectDef

AUDIT_FIELDS = frozenset({"CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById"})


def named_fields(
    org: OrgState, definition: ObjectDef, row: Mapping[str, Any], *, creating: bool
) -> list[tuple[FieldDef, Any]]:
    """The fields that a row names, with what was sent; `attributes` and, when updating, Id are left out.

    Raises RowError INVALID_FIELD for an unknown name, INVALID_FIELD_FOR_INSERT_UPDATE for one that may not be
    written."""
    found: list[tuple[FieldDef, Any]] = []
    refused: list[str] = []
    hidden, locked = field_security.hidden_fields(org, definition), field_security.locked_fields(org, definition)
    for name, value in row.items():
        if name == "attributes" or (name.lower() == "id" and (not creating or value in (None, ""))):
            continue
        if name.lower() == "id":
            raise RowError("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ("Id",))
        field = definition.find(name)
        if field is None:
            field, value = _by_relation(org, definition, name, value)
        if field.name in hidden:
            raise RowError("INVALID_FIELD", f"No such column '{name}' on sobject of type {definition.name}", (name,))
        if field.name in locked or not may_write(org, field, creating=creating):
            refused.append(field.name)
        found.append((field, value))
    if refused:
        raise unwritable(refused)
    return found


def unwritable(names: Sequence[str]) -> RowError:
    """The refusal of fields that may not be given a value."""
    see = "Please check the security settings of this field and verify that it is read/write for your profile or "
    message = f"Unable to create/update fields: {', '.join(names)}. {see}permission set."
    return RowError("INVALID_FIELD_FOR_INSERT_UPDATE", message, tuple(names))


def may_write(org: OrgState, field: FieldDef, *, creating: bool) -> bool:
    """Whether a field may be given a value, on insert or on update."""
    if creating and field.name in AUDIT_FIELDS and _audited(org):
        return True
    if not field.writable:
        return False
    if creating:
        return field.createable
    return field.updateable and (not field.is_master or field.reparentable)


def _audited(org: OrgState) -> bool:
    """Whether audit fields may be given: Set Audit Fields upon Record Creation, or its setting (data.md 4, row 16)."""
    return bool(org.settings.get("audit_fields", False)) or field_security.was_given(org, "CreateAuditFields")


def _by_relation(org: OrgState, definition: ObjectDef, name: str, value: Any) -> tuple[FieldDef, Any]:
    """A parent named by an external id: {"Account": {"Code__c": "x"}} or a column Account.Code__c."""
    path, _, key = name.partition(".")
    field = definition.find_path(path)
    if not key and isinstance(value, Mapping):
        keys = [one for one in value if one != "attributes"]
        key, value = (keys[0], value[keys[0]]) if len(keys) == 1 else ("", None)
    if field is None or not key:
        raise RowError("INVALID_FIELD", f"No such column '{name}' on sobject of type {definition.name}", (name,))
    if value in (None, ""):
        return field, None
    for target_name in field.reference_to:
        target = org.find_object(target_name)
        column = target.find(key) if target is not None else None
        if target is None or column is None:
            continue
        wanted = restore_case(str(value)) if column.name == "Id" and is_id(str(value)) else value
        sql = f'SELECT "Id" FROM {quote(target.name)} WHERE {quote(column.name)} = ? AND "IsDeleted" = 0 LIMIT 2'
        ids = org.db.execute(sql, (wanted,)).fetchall()
        if len(ids) == 1:
            return field, ids[0][0]
        if len(ids) > 1:
            raise RowError("INVALID_FIELD", f"More than one record found for external id field: {column.name}", ())
        message = f"Foreign key external ID: {value} not found for field {column.name} in entity {target.name}"
        raise RowError("INVALID_FIELD", message, ())
    raise RowError("INVALID_FIELD", f"No such column '{key}' on sobject of type {field.reference_to[0]}", (name,))


def reference_value(org: OrgState, field: FieldDef, value: Any) -> Stored:
    """The 18-character id for a reference, after looking at its target.

    Raises RowError MALFORMED_ID, FIELD_INTEGRITY_EXCEPTION (an id of another object), ENTITY_IS_DELETED (in the bin) or
    INVALID_CROSS_REFERENCE_KEY (not there)."""
    if value is None or not str(value).strip():
        return None
    text = str(value).strip()
    if not is_id(text):
        raise RowError("MALFORMED_ID", f"{field.label}: id value of incorrect type: {text}", (field.name,))
    row_id = restore_case(text)
    targets = [target for name in field.reference_to if (target := org.find_object(name)) is not None]
    target = next((one for one in targets if one.key_prefix == row_id[:3]), None)
    if target is None:
        message = f"{field.label}: id value of incorrect type: {text}"
        raise RowError("FIELD_INTEGRITY_EXCEPTION", message, (field.name,))
    found = org.db.execute(f'SELECT "IsDeleted" FROM {quote(target.name)} WHERE "Id" = ?', (row_id,)).fetchone()
    if found is None or (found[0] and _is_ghost(org, row_id)):
        raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", (field.name,))
    if found[0]:
        raise RowError("ENTITY_IS_DELETED", "entity is deleted", (field.name,))
    return row_id


def check_owner(org: OrgState, definition: ObjectDef, values: Mapping[str, Stored]) -> None:
    """Raise RowError INACTIVE_OWNER_OR_USER where a row is given to a user who is not active.

    Update Records with Inactive Owners allows it, to whom it was given, or to all by the setting `inactive_owners`
    (data.md 4, row 23)."""
    owner = values.get("OwnerId")
    if owner is None or field_security.was_given(org, "UpdateWithInactiveOwners"):
        return
    found = org.db.execute('SELECT "IsActive" FROM "User" WHERE "Id" = ?', (owner,)).fetchone()
    if found is not None and not found[0] and not org.settings.get("inactive_owners", False):
        text = f"operation performed with inactive user [{str(owner)[:15]}] as owner of {definition.label.lower()}"
        raise RowError("INACTIVE_OWNER_OR_USER", text, ("OwnerId",))


def _is_ghost(org: OrgState, row_id: str) -> bool:
    found = org.db.execute("SELECT hard FROM recycle_bin WHERE id = ?", (row_id,)).fetchone()
    return found is None or bool(found[0])


def checked_values(org: OrgState, named: Iterable[tuple[FieldDef, Any]]) -> dict[str, Stored]:
    """The columns of the named fields as the table holds them. Raises RowError for the first that does not fit."""
    values: dict[str, Stored] = {}
    for field, value in named:
        if field.type == "reference":
            values[field.name] = reference_value(org, field, value)
        else:
            values[field.name] = stored_value(field, value)
    return values


def with_defaults(org: OrgState, definition: ObjectDef, values: dict[str, Stored], user_id: str) -> None:
    """Fill in what an insert did not name: owner, literal defaults, auto-numbers."""
    for field in definition.stored_fields:
        if field.auto_number is not None:
            number = org.next_number(f"auto:{definition.name}.{field.name}")
            values[field.name] = numbered(field.auto_number, number, org.now().date())
        elif field.summary is not None:
            values[field.name] = 0 if field.summary.operation in ("COUNT", "SUM") else None
        elif field.name in values:
            continue
        elif field.name == "OwnerId" and field.createable:
            values["OwnerId"] = user_id
        elif field.name == "SetupOwnerId":
            values["SetupOwnerId"] = org.org_id  # a custom setting without an owner is the org's own
        elif field.default is not None:
            values[field.name] = stored_value(field, field.default)
        elif field.type == "boolean":
            values[field.name] = 0


def check_required(definition: ObjectDef, values: Mapping[str, Stored], *, creating: bool) -> None:
    """Raise RowError REQUIRED_FIELD_MISSING for required fields that are, or become, null."""
    missing = [
        field.name
        for field in definition.stored_fields
        if (field.required or field.is_master)
        and not field.system
        and field.auto_number is None
        and values.get(field.name) is None
        and (field.name in values or (creating and (field.createable or field.is_master)))
    ]
    if missing:
        message = f"Required fields are missing: [{', '.join(missing)}]"
        raise RowError("REQUIRED_FIELD_MISSING", message, tuple(missing))


def check_unique(org: OrgState, definition: ObjectDef, values: Mapping[str, Stored], row_id: str | None) -> None:
    """Raise RowError DUPLICATE_VALUE where another row has a unique value.

    Whether a row in the recycle bin still holds its value is an assumption: `binned_rows_hold_unique_values`."""
    for field in definition.stored_fields:
        value = values.get(field.name)
        if not field.unique or value is None:
            continue
        sql = f'SELECT "Id", "IsDeleted" FROM {quote(definition.name)} WHERE {quote(field.name)} = ? AND "Id" IS NOT ?'
        others = org.db.execute(sql, (value, row_id)).fetchall()
        holder = next((other for other, deleted in others if not deleted or _holds_value(org, str(other))), None)
        if holder is not None:
            message = f"duplicate value found: {field.name} duplicates value on record with id: {holder}"
            raise RowError("DUPLICATE_VALUE", message, ())


def _holds_value(org: OrgState, row_id: str) -> bool:
    """Whether a deleted row still blocks its unique values."""
    return bool(org.settings.get("binned_rows_hold_unique_values", True)) and not _is_ghost(org, row_id)
