"""The record part of a reset plan: changed rows -> actions in phases, and what cannot be undone, with the reason.

Pure. Nothing outside the changes gets an action. Kept rows are detached before the created rows that they point to
are deleted; roots are undeleted before leaves; parents are inserted before children; only fields that differ (and
those that Salesforce couples with them) are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from rehearse.baseline.model import Change
from rehearse.org.model import Schema
from rehearse.reset import row_marks
from rehearse.reset.carriers import carrier_levels, masters_of, move_buried
from rehearse.reset.coupled import with_coupled
from rehearse.reset.cut_off import lost_below
from rehearse.reset.file_parts import find_document, parts_last
from rehearse.reset.ghosts import find_ghosts
from rehearse.reset.hazards import find_hazard
from rehearse.reset.inactive_owners import name_inactive
from rehearse.reset.inputs import PlanInputs
from rehearse.reset.kept_below import spare_masters
from rehearse.reset.lost_targets import leave_lost_targets
from rehearse.reset.model import Action, Blocked, Do
from rehearse.reset.order import Link, order_rows
from rehearse.reset.pictures import name_pictures
from rehearse.reset.plan_created import NO_PART, person, with_emptied
from rehearse.reset.record_plan import RecordPlan
from rehearse.reset.row_state import Values, scope_fields
from rehearse.reset.taken_values import leave_taken_values

DETACH, DELETE, UNDELETE, INSERT, UPDATE, LATE_DELETE = 300, 400, 500, 600, 700, 800
"""First phase number of each kind of record work; a level within a kind adds one."""


def plan_records(inputs: PlanInputs) -> tuple[tuple[Action, ...], tuple[Blocked, ...], tuple[str, ...]]:
    """Actions, blocked items and warnings for every record change of the inputs."""
    plan = RecordPlan(inputs)
    choices = inputs.choices
    if choices.update_changed:
        for change in plan.by_what["updated"]:
            _plan_update(plan, change)
    if choices.delete_added:
        _plan_deletes(plan)
    if choices.create_missing:
        _plan_returns(plan)
    leave_taken_values(plan)
    leave_lost_targets(plan)
    if choices.update_changed:
        _plan_swaps(plan)
    plan.actions = name_pictures(inputs, name_inactive(inputs, plan.actions))
    return tuple(plan.actions), tuple(plan.blocked), row_marks.sum_warnings(inputs, plan.actions, plan.warnings)


def reference_links(
    object: str, values: Values, fields: Iterable[str], schema: Schema | None, key: str
) -> tuple[Link, ...]:
    """The links of one row; a reference is loose when describe says that it may be null and it is no master-detail.

    One that only the platform sets binds nothing: a document's latest version comes and goes with the document.
    """
    links = []
    for name in fields:
        target = values.get(name)
        known = schema.field(name) if schema else None
        if known is not None and not (known.createable or known.updateable or known.is_master_detail):
            continue
        loose = known is None or (known.nillable and not known.is_master_detail and known.updateable)
        if target is not None:
            links.append(Link(key, name, target, loose))
    return tuple(links)


def reference_names(inputs: PlanInputs, object: str) -> tuple[str, ...]:
    """The comparable reference fields of an object, on either side."""
    both = {*scope_fields(inputs.before, object), *scope_fields(inputs.after, object)}
    return tuple(sorted(one.name for one in both if one.type == "reference"))


def _plan_update(plan: RecordPlan, change: Change) -> None:
    schema = plan.inputs.schemas.get(change.type)
    book = plan.book(change.type)
    before, after = book.before.get(change.key, {}), book.after.get(change.key, {})
    differing = row_marks.differing_fields(plan.inputs, change.type, before, after)
    marks, fixed = row_marks.update_marks(plan.inputs, change, differing)
    hazard = find_hazard("record", change.type, "updated", marks)
    derived = row_marks.derived_fields(plan.inputs, change)
    if differing and derived.issuperset(differing):
        plan.blocked.append(Blocked("record", change.type, change.key, hazard.grade, hazard.reason, hazard.source))
        return
    writable = tuple(name for name in differing if name not in fixed and name not in derived)
    if fixed and "only-platform-fields" not in marks:
        plan.block(change, hazard, ", ".join(fixed))
        hazard = find_hazard("record", change.type, "updated")
    if hazard.grade in ("manual", "impossible") and not fixed:
        plan.block(change, hazard)
        return
    if gone := sorted(plan.away(change.type).intersection(writable)):
        plan.block(change, find_hazard("record", change.type, "updated", {"field-away"}), ", ".join(gone))
        writable = tuple(one for one in writable if one not in gone)
    if writable:
        coupled = with_coupled(writable, schema, before) if schema else writable
        closed = row_marks.closed_fields(writable, schema)
        fields = tuple(sorted({*closed, *(name for name in coupled if name in before)}))
        plan.act(UPDATE, "update", change, hazard, fields)
        if row_marks.holds_private_id(before, writable, scope_fields(plan.inputs.before, change.type)):
            plan.warnings.append(f"{change.type}: a text field holds a Salesforce Id; Ids in texts are never mapped.")


def _plan_deletes(plan: RecordPlan) -> None:
    wanted: dict[str, Change] = {}
    for change in parts_last(plan.by_what["created"]):
        hazard = find_hazard("record", change.type, "created", row_marks.create_marks(plan.inputs, change))
        if document := find_document(plan.inputs, change, wanted):
            why = f"goes with its document {document}"
            plan.blocked.append(Blocked("record", change.type, change.key, "unknown", why, hazard.source))
        elif hazard.grade != "exact":
            plan.block(change, hazard)
        elif row_marks.is_foreign(plan.inputs, change):
            who = person(plan.inputs, row_marks.creator_of(plan.inputs, change))
            plan.blocked.append(Blocked("record", change.type, change.key, "manual", f"created by {who}, {NO_PART}"))
        else:
            wanted[change.key] = change
    spare_masters(plan, wanted)
    plan.blocked = with_emptied(plan.inputs, plan.blocked, wanted)
    late = _plan_detach(plan, wanted)
    links = [link for change in wanted.values() for link in _links_of(plan, change, live=True)]
    inverse = [Link(link.to, link.field, link.of, True) for link in links]
    ordered = order_rows(wanted, inverse)
    hard = row_marks.clashing_rows(plan.inputs, wanted)
    for level, keys in enumerate((*ordered.levels, ordered.stuck)):
        for key in keys:
            change = wanted[key]
            start = LATE_DELETE if key in late else DELETE
            action = plan.act(start + min(level, 99), "delete", change, find_hazard("record", change.type, "created"))
            if key in hard:
                plan.actions[-1] = replace(action, hard=True)


def _plan_detach(plan: RecordPlan, created: Mapping[str, Change]) -> set[str]:
    """Detach kept rows from created ones; answers the created rows that may go only after the updates."""
    late: set[str] = set()
    for change in plan.by_what["updated"]:
        loose = []
        for link in _links_of(plan, change, live=True):
            if link.to not in created:
                continue
            if link.loose:
                loose.append(link.field)
            else:
                late.add(link.to)
        if loose:
            plan.act(DETACH, "detach", change, find_hazard("record", change.type, "updated"), tuple(sorted(loose)))
    return late


def _links_of(plan: RecordPlan, change: Change, live: bool) -> tuple[Link, ...]:
    book = plan.book(change.type)
    values = (book.after if live else book.before).get(change.key, {})
    names = reference_names(plan.inputs, change.type)
    return reference_links(change.type, values, names, plan.inputs.schemas.get(change.type), change.key)


def _plan_returns(plan: RecordPlan) -> None:
    """Undelete what is in the bin, insert what is not; what is alive after all only left a filter: it is updated."""
    back: dict[str, Change] = {}
    insert: dict[str, Change] = {}
    for change in plan.by_what["deleted"]:
        marks = row_marks.delete_marks(plan.inputs, change)
        hazard = find_hazard("record", change.type, "deleted", marks)
        where = plan.book(change.type).bin.get(change.key)
        if where == "live" and row_marks.unread(plan.inputs, change.type):
            plan.block(change, find_hazard("record", change.type, "deleted", {"object-unread"}))
        elif where == "live":
            fields = tuple(sorted(plan.book(change.type).before.get(change.key, {})))
            plan.act(UPDATE, "update", change, find_hazard("record", change.type, "updated"), fields)
        elif hazard.grade in ("manual", "impossible"):
            plan.block(change, hazard)
        elif row_marks.vanished(plan.inputs, change.type):
            plan.block(change, find_hazard("record", change.type, "deleted", {"rows-vanished"}))
        elif where == "absent" and row_marks.hides_rows(plan.inputs.after):
            plan.block(change, find_hazard("record", change.type, "deleted", {"row-unshared"}))
        elif {"hard-deleted", "not-undeletable", "object-lost"} & marks:
            insert[change.key] = change
        else:
            back[change.key] = change
    _move_orphans(plan, back, insert)
    carriers = move_buried(plan, back, insert)
    _plan_ghosts(plan, back, carriers)
    _plan_levels(plan, {**back, **carriers}, "undelete", UNDELETE)
    _plan_levels(plan, insert, "insert", INSERT)


def _move_orphans(plan: RecordPlan, back: dict[str, Change], insert: dict[str, Change]) -> None:
    """A row whose master comes back under a new Id cannot be undeleted below the old one: it is re-inserted too."""
    moved = True
    while moved:
        moved = False
        for key, change in list(back.items()):
            if any(not link.loose and link.to in insert for link in _links_of(plan, change, live=False)):
                insert[key] = back.pop(key)
                moved = True


def _plan_ghosts(plan: RecordPlan, back: Mapping[str, Change], carriers: Mapping[str, Change]) -> None:
    """Rows of the rehearsal that come back with the undeleted ones, or for them, are deleted again, or named where
    nothing may be."""
    ghosts = {
        object: {key: values for key, values in rows.items() if key not in carriers}
        for object, rows in plan.inputs.ghosts.items()
    }
    levels = [*find_ghosts(ghosts, {*back, *carriers}), *carrier_levels(plan.inputs.carriers, carriers)]
    for level, places in enumerate(levels):
        for object, key in places:
            change = Change("record", object, key, None, "in the recycle bin")
            if plan.inputs.choices.delete_added:
                plan.act(LATE_DELETE + min(level, 99), "delete", change, find_hazard("record", object, "created"))
            else:
                reason = "comes back with an undeleted row; left out by choice"
                plan.blocked.append(Blocked("record", object, key, "manual", reason))


def _plan_levels(plan: RecordPlan, rows: Mapping[str, Change], do: Do, start: int) -> None:
    links = [link for change in rows.values() for link in _links_of(plan, change, live=False)]
    if do == "undelete":
        links = [link for link in links if not link.loose]
        links += [Link(key, "", master, False) for key in rows for master in masters_of(plan.inputs, rows[key])]
    ordered = order_rows(rows, links)
    for level, keys in enumerate(ordered.levels):
        for key in keys:
            change = rows[key]
            marks = row_marks.delete_marks(plan.inputs, change)
            if do == "insert" and "in-bin" in marks:
                marks = (marks - {"in-bin"}) | {"hard-deleted"}
            hazard = find_hazard("record", change.type, "deleted", marks)
            plan.act(start + min(level, 99), do, change, hazard, ordered.deferred.get(key, ()))
    if do == "insert":
        plan.warnings.extend(lost_below(plan.inputs.before, plan.inputs.schemas, {one.type for one in rows.values()}))
    for key in ordered.stuck:
        plan.block(rows[key], find_hazard("record", rows[key].type, "deleted", {"circle"}))


def _plan_swaps(plan: RecordPlan) -> None:
    """Rows that have to give up a unique value first, because another row needs it back: emptied in the first phase."""
    updates = {one.key: one for one in plan.actions if one.do == "update"}
    changes = {one.key: one for one in plan.by_what["updated"]}
    detached = {one.key: place for place, one in enumerate(plan.actions) if one.do == "detach"}
    for key, field in row_marks.unique_holders(plan.inputs, updates, changes):
        if key not in detached:
            detached[key] = len(plan.actions)
            plan.act(DETACH, "detach", changes[key], find_hazard("record", changes[key].type, "updated"), (field,))
            continue
        known = plan.actions[detached[key]]
        plan.actions[detached[key]] = replace(known, fields=tuple(sorted({*known.fields, field})))
