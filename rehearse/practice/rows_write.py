"""How one row is written inside a call: checks, the write itself, automation, validation, summaries.

The engine behind rows.py; recycle.py uses its frame for delete and undelete. A call is one transaction, worked in
chunks of 200; a refused row leaves nothing behind (a savepoint each), and with `all_or_none` no row does. Refuses with
RowError, which becomes the answer of that row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rehearse.practice.automation import Effects, Occasion, check_validation, find_effects
from rehearse.practice.describe_field import is_id_lookup
from rehearse.practice.field_security import as_user, require
from rehearse.practice.org_ids import is_id, restore_case
from rehearse.practice.org_state import OrgState
from rehearse.practice.org_tables import quote
from rehearse.practice.rows_assignment import assign_owner
from rehearse.practice.rows_audit import note_setup
from rehearse.practice.rows_check import (
    AUDIT_FIELDS,
    check_owner,
    check_required,
    check_unique,
    checked_values,
    named_fields,
    unwritable,
    with_defaults,
)
from rehearse.practice.rows_dependents import check_dependents
from rehearse.practice.rows_duplicates import check_duplicates
from rehearse.practice.rows_files import after_insert, before_insert
from rehearse.practice.rows_persons import couple_persons, follow_person
from rehearse.practice.rows_places import couple_places
from rehearse.practice.rows_rollup import Touched, recalculate, touch
from rehearse.practice.rows_standard import apply_standard_rules, follow_accounts, make_along
from rehearse.practice.rows_values import RowError, Stored
from rehearse.practice.schema import ObjectDef

CHUNK = 200
DEEPEST_AUTOMATION = 5
RowProblem = tuple[str, str, tuple[str, ...]]  # code, message, fields
ROLLED_BACK: RowProblem = (
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
    (),
)


@dataclass(frozen=True)
class Saved:
    """What became of one row: its 18-character id (None where there is none), and why it was refused."""

    id: str | None
    success: bool
    created: bool = False
    errors: tuple[RowProblem, ...] = ()


@dataclass
class Work:
    """One call's writes: who writes, whether automation runs, and which masters wait for their summaries."""

    org: OrgState
    user_id: str
    automation: bool = True
    depth: int = 0
    touched: Touched = field(default_factory=lambda: defaultdict(set))
    duplicate_rules: tuple[str, ...] = ()
    assignment_rules: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.duplicate_rules = tuple(self.org.settings.get("duplicate_rules", ()))
        self.assignment_rules = tuple(self.org.settings.get("assignment_rules", ()))


class _NotAll(Exception):
    """Rolls the transaction back when all_or_none was asked and a row was refused."""


def save_each(work: Work, items: Sequence[Any], save: Callable[[Any], Saved], all_or_none: bool) -> list[Saved]:
    """Save every item in a savepoint of its own and settle the summaries after each 200; refused items are answers."""
    saved: list[Saved] = []
    try:
        with work.org.transaction():
            for start in range(0, len(items), CHUNK):
                saved += [_save_one(work, item, save) for item in items[start : start + CHUNK]]
                recalculate(work.org, work.user_id, work.touched)
            if all_or_none and not all(one.success for one in saved):
                raise _NotAll
    except _NotAll:
        return [Saved(None, False, False, (ROLLED_BACK,)) if one.success else one for one in saved]
    return saved


def _save_one(work: Work, item: Any, save: Callable[[Any], Saved]) -> Saved:
    try:
        with work.org.transaction():
            return save(item)
    except RowError as error:
        return Saved(None, False, False, ((error.code, error.message, error.fields),))


def find_by_key(org: OrgState, definition: ObjectDef, key: str, value: Any) -> list[str]:
    """The ids of the live rows that have a value in a field that upserts may use. Raises RowError for another one."""
    column = definition.find(key)
    if column is None or not is_id_lookup(definition, column):
        message = f"Field name provided, {key} is not an External ID or indexed field for {definition.name}"
        raise RowError("INVALID_FIELD", message, ())
    wanted = restore_case(str(value)) if column.name == "Id" and is_id(str(value)) else value
    sql = f'SELECT "Id" FROM {quote(definition.name)} WHERE {quote(column.name)} = ? AND "IsDeleted" = 0'
    return [str(row[0]) for row in org.db.execute(sql, (wanted,))]


def upsert_row(work: Work, definition: ObjectDef, key: str, row: Mapping[str, Any]) -> Saved:
    value = next((value for name, value in row.items() if name.lower() == key.lower()), None)
    if value in (None, "") and key.lower() != "id":
        raise RowError("MISSING_ARGUMENT", f"{key} not specified", (key,))
    found = find_by_key(work.org, definition, key, value) if value not in (None, "") else []
    if len(found) > 1:
        listed = ", ".join(found)
        message = f"{key}: more than one record found for external id field: [{listed}]"
        raise RowError("DUPLICATE_EXTERNAL_ID", message, (key,))
    if found:
        rest = {name: one for name, one in row.items() if name.lower() not in (key.lower(), "id")}
        return update_row(work, definition, {**rest, "Id": found[0]})
    if key.lower() == "id" and value not in (None, ""):
        raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ())
    fresh = {name: one for name, one in row.items() if name.lower() != "id"}
    if given := [name for name in fresh if name in AUDIT_FIELDS]:  # on insert only, not by upsert (data.md 4, row 16)
        raise unwritable(given)
    return insert_row(work, definition, fresh)


def insert_row(work: Work, definition: ObjectDef, row: Mapping[str, Any]) -> Saved:
    """Insert one row inside a running transaction. Raises RowError."""
    if not definition.createable:
        raise RowError("INVALID_TYPE_FOR_OPERATION", f"entity type {definition.name} does not support create", ())
    org = work.org
    require(org, "create", definition)
    values = checked_values(org, named_fields(org, definition, row, creating=True))
    with_defaults(org, definition, values, work.user_id)
    assign_owner(org, work.assignment_rules, definition, values)
    apply_standard_rules(org, definition.name, values, {})
    couple_places(definition, values, {})
    couple_persons(org, definition, values, {})
    check_dependents(org, definition, values, {})
    before_insert(org, definition.name, values, work.user_id)
    check_required(definition, values, creating=True)
    check_unique(org, definition, values, None)
    check_owner(org, definition, values)
    check_duplicates(org, work.duplicate_rules, definition, values)
    row_id = org.new_id(definition.key_prefix)
    name = definition.find("Name")
    if definition.custom and name is not None and values.get("Name") is None:
        values["Name"] = row_id  # a custom object without a name takes its id for one
    stamp = org.stamp()
    stamps: dict[str, Stored] = {
        "CreatedDate": stamp,
        "CreatedById": work.user_id,
        "LastModifiedDate": stamp,
        "LastModifiedById": work.user_id,
        "SystemModstamp": stamp,
    }
    kept = {column: value for column, value in stamps.items() if definition.find(column) is not None}
    write_new(org, definition, {"Id": row_id, **kept, **{k: v for k, v in values.items() if v is not None}})
    after_insert(org, definition.name, row_id, work.user_id)
    make_along(org, definition.name, row_id, work.user_id)
    follow_person(org, definition, row_id, work.user_id)
    _after(work, Occasion(org, definition, row_id, work.user_id, {}, True))
    note_setup(org, work.user_id, "created", definition, (row_id, ()))
    return Saved(row_id, True, True)


def write_new(org: OrgState, definition: ObjectDef, values: Mapping[str, Stored]) -> None:
    """Put a row into its table."""
    columns = ", ".join(quote(name) for name in values)
    marks = ", ".join("?" * len(values))
    org.db.execute(f"INSERT INTO {quote(definition.name)} ({columns}) VALUES ({marks})", tuple(values.values()))


def write_changes(org: OrgState, definition: ObjectDef, row_id: str, values: Mapping[str, Stored]) -> None:
    """Change columns of a row."""
    sets = ", ".join(f"{quote(name)} = ?" for name in values)
    org.db.execute(f'UPDATE {quote(definition.name)} SET {sets} WHERE "Id" = ?', (*values.values(), row_id))


def load_row(org: OrgState, definition: ObjectDef, row_id: str) -> dict[str, Stored] | None:
    """All columns of one row, deleted or not, or None."""
    names = [one.name for one in definition.stored_fields]
    if "IsDeleted" not in names:
        names.append("IsDeleted")
    columns = ", ".join(quote(name) for name in names)
    found = org.db.execute(f'SELECT {columns} FROM {quote(definition.name)} WHERE "Id" = ?', (row_id,)).fetchone()
    return dict(zip(names, found, strict=True)) if found is not None else None


def row_id_of(definition: ObjectDef, row: Mapping[str, Any]) -> str:
    """The 18-character Id that a row carries. Raises RowError MISSING_ARGUMENT or MALFORMED_ID."""
    given = next((value for name, value in row.items() if name.lower() == "id"), None)
    if given in (None, ""):
        raise RowError("MISSING_ARGUMENT", "Id not specified in an update call", ())
    if not is_id(str(given)):
        raise RowError("MALFORMED_ID", f"malformed id {given}", ("Id",))
    row_id = restore_case(str(given))
    if definition.key_prefix != row_id[:3]:
        message = f"{definition.label} ID: id value of incorrect type: {given}"
        raise RowError("MALFORMED_ID", message, ("Id",))
    return row_id


def find_live(org: OrgState, definition: ObjectDef, row_id: str) -> dict[str, Stored]:
    """A row that is not deleted. Raises RowError ENTITY_IS_DELETED or INVALID_CROSS_REFERENCE_KEY."""
    before = load_row(org, definition, row_id)
    if before is None:
        raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ())
    if before["IsDeleted"]:
        raise RowError("ENTITY_IS_DELETED", "entity is deleted", ())
    return before


def update_row(work: Work, definition: ObjectDef, row: Mapping[str, Any]) -> Saved:
    """Update one row inside a running transaction. Raises RowError."""
    if not definition.updateable:
        raise RowError("INVALID_TYPE_FOR_OPERATION", f"entity type {definition.name} does not support update", ())
    org = work.org
    row_id = row_id_of(definition, row)
    before = find_live(org, definition, row_id)
    require(org, "edit", definition, row_id)
    values = checked_values(org, named_fields(org, definition, row, creating=False))
    apply_standard_rules(org, definition.name, values, before)
    couple_places(definition, values, before)
    couple_persons(org, definition, values, before)
    check_dependents(org, definition, values, before)
    check_required(definition, values, creating=False)
    changed = {name: value for name, value in values.items() if value != before.get(name)}
    check_unique(org, definition, changed, row_id)
    check_owner(org, definition, changed)
    check_duplicates(org, work.duplicate_rules, definition, changed, row_id)
    stamp = org.stamp()
    stamps = {"LastModifiedDate": stamp, "LastModifiedById": work.user_id, "SystemModstamp": stamp}
    values |= {column: value for column, value in stamps.items() if definition.find(column) is not None}
    write_changes(org, definition, row_id, values)
    follow_person(org, definition, row_id, work.user_id)
    if "AccountId" in changed:
        follow_accounts(org, definition.name, row_id)
    touch(org, work.touched, definition, before)
    _after(work, Occasion(org, definition, row_id, work.user_id, before, False))
    note_setup(org, work.user_id, "changed", definition, (row_id, changed))
    return Saved(row_id, True, False)


def _after(work: Work, occasion: Occasion) -> None:
    """Automation and validation rules on the row as it now stands, and the masters that look at it."""
    org, definition = occasion.org, occasion.definition
    runs = work.automation and work.depth < DEEPEST_AUTOMATION
    effects = find_effects(occasion) if runs else None
    if effects is not None and effects.own:
        named = [(one, value) for name, value in effects.own.items() if (one := definition.find(name)) is not None]
        write_changes(org, definition, occasion.row_id, checked_values(org, named))
    check_validation(occasion)
    after = load_row(org, definition, occasion.row_id)
    touch(org, work.touched, definition, after or {})
    if effects is not None:
        _apply(work, effects)


def _apply(work: Work, effects: Effects) -> None:
    """Write what automation wants on other rows: real writes, with rules and stamps of their own."""
    work.depth += 1
    try:
        with as_user(None):  # automation runs as the platform
            for name, row_id, values in effects.parents:
                update_row(work, work.org.object(name), {**values, "Id": row_id})
            for name, values in effects.created:
                insert_row(work, work.org.object(name), values)
    finally:
        work.depth -= 1
