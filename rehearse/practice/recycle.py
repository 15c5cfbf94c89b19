"""Deleting and undeleting: cascades, cleared look-ups, the recycle bin.

A deleted row stays in its table with IsDeleted, and recycle_bin says with which root it went; recycle_bin.py purges
it when its time is over. A hard-deleted row is a ghost: queryAll still shows it for a day, but nothing brings it back.
Refuses with RowError what the platform refuses: rows that are not there, that are in use, that left the bin.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rehearse.practice.field_security import require
from rehearse.practice.org_ids import is_id, restore_case
from rehearse.practice.org_state import OrgState
from rehearse.practice.org_tables import quote
from rehearse.practice.rows_audit import note_setup
from rehearse.practice.rows_check import check_unique
from rehearse.practice.rows_persons import check_person_delete
from rehearse.practice.rows_rollup import touch
from rehearse.practice.rows_values import RowError, Stored
from rehearse.practice.rows_write import Saved, Work, find_live, load_row, write_changes
from rehearse.practice.schema import FieldDef, ObjectDef

Link = tuple[ObjectDef, FieldDef]  # a reference field, and the object that has it
UNLINKED = frozenset({"OwnerId", "CreatedById", "LastModifiedById", "MasterRecordId", "RecordTypeId"})


def links_to(org: OrgState, name: str) -> list[Link]:
    """The reference fields that may point at an object, but for owners, stamps, record types and masters of merges."""

    def build() -> dict[str, list[Link]]:
        found: dict[str, list[Link]] = {}
        for definition in org.objects().values():
            for one in definition.stored_fields:
                if one.type == "reference" and one.name not in UNLINKED:
                    for target in one.reference_to:
                        found.setdefault(target, []).append((definition, one))
        return found

    links: dict[str, list[Link]] = org.remember("links", build)
    return links.get(name, [])


def _cascades(one: FieldDef) -> bool:
    return one.is_master or one.on_delete == "cascade"


def pointing(org: OrgState, link: Link, row_id: str, tests: str = 'AND "IsDeleted" = 0') -> list[str]:
    """The ids of the rows whose reference field holds an id; those that are not deleted, unless `tests` says else."""
    definition, one = link
    sql = f'SELECT "Id" FROM {quote(definition.name)} WHERE {quote(one.name)} = ? {tests}'
    return [str(row[0]) for row in org.db.execute(sql, (row_id,))]


def find_target(org: OrgState, given: str) -> tuple[ObjectDef, str]:
    """The object and 18-character form of an id. Raises RowError MALFORMED_ID or INVALID_CROSS_REFERENCE_KEY."""
    if not is_id(given):
        raise RowError("MALFORMED_ID", f"malformed id {given}", ())
    row_id = restore_case(given)
    definition = org.object_of_id(row_id)
    if definition is None:
        raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ())
    return definition, row_id


# ---- deleting


@dataclass
class Doomed:
    """What goes with a root: every row with its object, and the look-ups that must let go."""

    rows: dict[str, ObjectDef] = field(default_factory=dict)
    cleared: list[tuple[Link, str]] = field(default_factory=list)  # a link, and the id it points at
    blocked: list[tuple[ObjectDef, str]] = field(default_factory=list)


def _collect(org: OrgState, definition: ObjectDef, row_id: str) -> Doomed:
    doomed = Doomed({row_id: definition})
    queue = [row_id]
    while queue:
        here = queue.pop()
        for link in links_to(org, doomed.rows[here].name):
            child, one = link
            if _cascades(one):
                fresh = [found for found in pointing(org, link, here) if found not in doomed.rows]
                doomed.rows |= dict.fromkeys(fresh, child)
                queue += fresh
            elif one.on_delete == "restrict" and child.name != doomed.rows[here].name:  # a self look-up always clears
                doomed.blocked += [(child, found) for found in pointing(org, link, here)]
            else:
                doomed.cleared.append((link, here))
    doomed.blocked = [(child, found) for child, found in doomed.blocked if found not in doomed.rows]
    return doomed


def delete_row(work: Work, given: str, *, hard: bool = False) -> Saved:
    """Delete one row and whatever goes with it, inside a running transaction. Raises RowError."""
    org = work.org
    definition, row_id = find_target(org, str(given))
    check_person_delete(definition, find_live(org, definition, row_id))
    if not definition.deletable:
        raise RowError("INVALID_TYPE_FOR_OPERATION", f"entity type {definition.name} does not support delete", ())
    require(org, "delete", definition)
    doomed = _collect(org, definition, row_id)
    if doomed.blocked:
        child = doomed.blocked[0][0]
        listed = ", ".join(found for _, found in doomed.blocked[:5])
        why = f"it is associated with the following {child.plural.lower()}.: {listed}"
        message = f"Your attempt to delete {definition.label} could not be completed because {why}"
        raise RowError("DELETE_FAILED", message, ())
    for link, target in doomed.cleared:
        _clear(work, link, target, doomed)
    for one, its in doomed.rows.items():
        _lose_earlier_details(org, its, one)
        row = load_row(org, its, one) or {}
        touch(org, work.touched, its, row)
        _mark(work, its, one, deleted=True)
    gone = int(hard or not definition.undeletable)
    entries = [(one, its.name, row_id, org.stamp(), gone) for one, its in doomed.rows.items()]
    org.db.executemany("INSERT OR REPLACE INTO recycle_bin VALUES (?, ?, ?, ?, ?)", entries)
    for ids in work.touched.values():
        ids -= doomed.rows.keys()
    note_setup(org, work.user_id, "deleted", definition, (row_id, ()))
    return Saved(row_id, True)


def _mark(work: Work, definition: ObjectDef, row_id: str, *, deleted: bool) -> None:
    stamp = work.org.stamp()
    values: dict[str, Stored] = {"LastModifiedDate": stamp, "LastModifiedById": work.user_id, "SystemModstamp": stamp}
    if not deleted:
        values["MasterRecordId"] = None  # it tells of a deletion by merge, which is undone
    kept = {name: value for name, value in values.items() if definition.find(name) is not None}
    write_changes(work.org, definition, row_id, {"IsDeleted": int(deleted), **kept})


def _clear(work: Work, link: Link, target: str, doomed: Doomed) -> None:
    """Null a look-up on every row that stays, in the bin or not, and remember what it held.

    Whether that moves the row's stamp is not documented: setting `lookup_clear_stamps` (default: no)."""
    org = work.org
    child, one = link
    for row_id in pointing(org, link, target, ""):
        if row_id in doomed.rows:
            continue
        root = next(iter(doomed.rows))
        org.db.execute(
            "INSERT INTO cleared_lookups VALUES (?, ?, ?, ?, ?)", (root, child.name, row_id, one.name, target)
        )
        values: dict[str, Stored] = {one.name: None}
        if org.settings.get("lookup_clear_stamps", False) and child.find("SystemModstamp") is not None:
            values["SystemModstamp"] = org.stamp()
        write_changes(org, child, row_id, values)


def _lose_earlier_details(org: OrgState, definition: ObjectDef, row_id: str) -> None:
    """Details that were deleted on their own before their master are gone for good once the master goes."""
    for link in links_to(org, definition.name):
        if link[1].is_master:
            for found in pointing(org, link, row_id, 'AND "IsDeleted" = 1'):
                sql = "UPDATE recycle_bin SET hard = 1, deleted_at = ? WHERE id = ? AND root = id AND hard = 0"
                org.db.execute(sql, (org.stamp(), found))


# ---- undeleting


def undelete_row(work: Work, given: str) -> Saved:
    """Bring one row back with what its deletion took along, inside a running transaction.

    Raises RowError UNDELETE_FAILED where it is not in the bin, ENTITY_IS_DELETED where its master still is,
    DUPLICATE_VALUE where a unique value was taken meanwhile."""
    org = work.org
    if not is_id(str(given)):
        raise RowError("MALFORMED_ID", f"malformed id {given}", ())
    row_id = restore_case(str(given))
    definition = org.object_of_id(row_id)
    binned = org.db.execute("SELECT root, hard FROM recycle_bin WHERE id = ?", (row_id,)).fetchone()
    if definition is None or binned is None or binned[1]:
        raise RowError("UNDELETE_FAILED", "Entity is not in the recycle bin", ())
    require(org, "create", definition)
    group = _group(org, definition, row_id, str(binned[0]))
    _require_masters(org, definition, row_id, group)
    for one, its in _with_living_masters(org, group).items():
        row = load_row(org, its, one) or {}
        check_unique(org, its, row, one)
        _forget_dead_parents(org, its, row, group)
        _mark(work, its, one, deleted=False)
        org.db.execute("DELETE FROM recycle_bin WHERE id = ?", (one,))
        touch(org, work.touched, its, row)
        _restore_lookups(org, one)
    return Saved(row_id, True)


def _group(org: OrgState, definition: ObjectDef, row_id: str, root: str) -> dict[str, ObjectDef]:
    """The rows that come back with a row, parents first: those that the same deletion took because of it."""
    group = {row_id: definition}
    queue = [row_id]
    while queue:
        here = queue.pop(0)
        for link in links_to(org, group[here].name):
            if not _cascades(link[1]):
                continue
            for found in pointing(org, link, here, 'AND "IsDeleted" = 1'):
                entry = org.db.execute("SELECT root, hard FROM recycle_bin WHERE id = ?", (found,)).fetchone()
                if found not in group and entry is not None and entry[0] == root and not entry[1]:
                    group[found] = link[0]
                    queue.append(found)
    return group


def _dead_parents(
    org: OrgState, definition: ObjectDef, row_id: str, group: dict[str, ObjectDef]
) -> list[tuple[FieldDef, str]]:
    """The cascading references of a row whose target is deleted and does not come back with it."""
    row = load_row(org, definition, row_id) or {}
    dead = []
    for one in definition.stored_fields:
        target_id = row.get(one.name)
        if one.type != "reference" or not _cascades(one) or not target_id or target_id in group:
            continue
        target = org.object_of_id(str(target_id))
        parent = load_row(org, target, str(target_id)) if target is not None else None
        if parent is None or parent["IsDeleted"]:
            dead.append((one, str(target_id)))
    return dead


def _require_masters(org: OrgState, definition: ObjectDef, row_id: str, group: dict[str, ObjectDef]) -> None:
    for one, _target in _dead_parents(org, definition, row_id, group):
        if one.is_master or one.required:
            raise RowError("ENTITY_IS_DELETED", "entity is deleted", (one.name,))


def _with_living_masters(org: OrgState, group: dict[str, ObjectDef]) -> dict[str, ObjectDef]:
    """The group without junction rows whose other master is still deleted: those wait for that one's return."""
    kept: dict[str, ObjectDef] = {}
    for row_id, definition in group.items():
        dead = [
            (one, target)
            for one, target in _dead_parents(org, definition, row_id, group)
            if one.is_master or one.required
        ]
        if not dead:
            kept[row_id] = definition
            continue
        root = org.db.execute("SELECT root FROM recycle_bin WHERE id = ?", (dead[0][1],)).fetchone()
        if root is not None:
            org.db.execute("UPDATE recycle_bin SET root = ? WHERE id = ?", (root[0], row_id))
    return kept


def _forget_dead_parents(
    org: OrgState, definition: ObjectDef, row: dict[str, Stored], group: dict[str, ObjectDef]
) -> None:
    """An optional cascading parent that is still deleted is let go of, to be restored when it returns."""
    row_id = str(row["Id"])
    for one, target in _dead_parents(org, definition, row_id, group):
        org.db.execute(
            "INSERT INTO cleared_lookups VALUES (?, ?, ?, ?, ?)", (target, definition.name, row_id, one.name, target)
        )
        write_changes(org, definition, row_id, {one.name: None})


def _restore_lookups(org: OrgState, target: str) -> None:
    """Give look-ups back to rows that lost them with this one, unless they were replaced since."""
    lost = org.db.execute("SELECT object, id, field FROM cleared_lookups WHERE target = ?", (target,)).fetchall()
    for name, row_id, column in lost:
        child = org.find_object(name)
        if child is not None and child.find(column) is not None:
            sql = f'UPDATE {quote(child.name)} SET {quote(column)} = ? WHERE "Id" = ? AND {quote(column)} IS NULL'
            org.db.execute(sql, (target, row_id))
    org.db.execute("DELETE FROM cleared_lookups WHERE target = ?", (target,))
