"""Writing rows: detach, delete, undelete, update, each batch re-read first and journalled before and after.

Holds the writer, with apply_inserts and apply_metadata; nothing else in this room does. Only rows in a state that the
plan knows are written. A refused row is recorded and never stops the others; a lost reply is left as an open intent
and settled by looking at the org (`settle`), never by sending again at once.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence

from rehearse.baseline.bodies import load_body
from rehearse.baseline.scope import BODY_TYPE
from rehearse.errors import LoginError, OrgBusy, OrgLimit, OrgRejected, OrgUncertain, OrgUnreachable, Refused
from rehearse.events import Advanced, Noted
from rehearse.journal import Entry
from rehearse.org.model import RowError, SaveResult, Value
from rehearse.reset import live_rows, settle
from rehearse.reset.apply_context import Context, close_entry
from rehearse.reset.batches import RETRIED, by_object, in_batches, wire_value
from rehearse.reset.cascades import find_kept_children
from rehearse.reset.coupled import with_coupled
from rehearse.reset.live_rows import LiveRow
from rehearse.reset.model import Action
from rehearse.reset.persons import made_of_others
from rehearse.reset.row_state import Decision, guard_fields, scope_fields

FOREIGN = "changed since the plan was made; not written"
LOCKED = "locked or busy"
TOGETHER = 1000
"""So many deletions look together at what hangs below them; more look batch by batch, right before each."""
Send = Callable[[Sequence[tuple[Action, Mapping[str, Value]]]], tuple[SaveResult, ...]]
Work = list[tuple[Action, Mapping[str, Value]]]


def apply_updates(context: Context, actions: Sequence[Action]) -> None:
    """Detach or update rows, or finish rows that came back: only open fields, references mapped, null as null."""
    for object, group in by_object(actions).items():
        for batch in in_batches(group, context.settings.read_batch):
            decided = live_rows.decide_rows(context, object, batch)
            work: Work = []
            stored = context.load_values(context.before, object, [one.key for one in batch])
            for action in batch:
                row, decision = decided[action.key]
                values = _judge(context, action, row, decision, stored.get(action.key, {}))
                if values:
                    work.append((action, {"Id": context.live_id(action.key), **values}))
            send_rows(context, "update", object, work, _updater(context, object))


def _judge(
    context: Context, action: Action, row: LiveRow | None, decision: Decision, stored: Mapping[str, str | None]
) -> dict[str, Value] | None:
    """The values to write for one row, or None after recording why nothing is written."""
    if (action.type, action.key) in context.foreign:
        return None
    returned = action.do in ("undelete", "insert")
    if decision.state == "foreign" or row is None or (returned and live_rows.is_others(context, row)):
        where = "deleted since the plan was made" if row is None or row.deleted else FOREIGN
        context.note(action, "foreign", f"{where}{_who(context, row)}")
        return None
    if decision.state == "done":
        context.note_equal(action)
        return None
    if action.do == "detach":
        return _detached(context, action, row, decision) or None
    schema = context.schema(action.type)
    made = made_of_others(action.type, stored, row.values)
    open_fields = [
        name for name in decision.fields if name not in made and (known := schema.field(name)) and known.updateable
    ]
    values = {}
    for name in with_coupled(open_fields, schema):
        if name in stored:
            values[name] = reference_or_value(context, action.type, name, stored[name])
    if not values and not returned:
        context.note(action, "waiting", "its open fields cannot be written")
    return values or None


def _detached(context: Context, action: Action, row: LiveRow, decision: Decision) -> dict[str, Value]:
    """Null for references; for a unique text a value that nobody uses, and null only where the org refused that.

    A validation rule may demand a value, and a format rule may refuse a made-up one: the other way is tried then.
    """
    known_refusal = context.results.get(action.id)
    refused = known_refusal is not None and known_refusal.state == "failed"
    values: dict[str, Value] = {}
    for name in action.fields:
        known = context.schema(action.type).field(name)
        if known is None or name not in decision.fields or row.values.get(name) is None:
            continue
        spare = f"~{action.key}"[: known.length or 18]
        made_up = known.type in ("string", "email", "phone", "url") and not (refused and known.nillable)
        values[name] = spare if made_up else None
    return values


def reference_or_value(context: Context, object: str, name: str, text: str | None) -> Value:
    """A stored text as it is written now: a reference to a re-inserted row goes to its new Id."""
    type = next((one.type for one in scope_fields(context.before, object) if one.name == name), "string")
    if type == "reference" and text is not None:
        return context.live_id(text)
    if type == BODY_TYPE and text is not None:
        return base64.b64encode(load_body(context.store, context.before.ulid, object, text)).decode()
    return wire_value(type, text)


def apply_deletes(context: Context, actions: Sequence[Action]) -> None:
    """Delete created rows that are still as the plan saw them; a row that others hang on by cascade waits."""
    groups = {object: [one.key for one in group] for object, group in by_object(actions).items()}
    few = len(actions) <= TOGETHER
    holds = find_kept_children(context, groups) if few else None
    for object, group in by_object(actions).items():
        for batch in in_batches(group, context.settings.read_batch):
            work: Work = [(one, {"Id": one.key}) for one in deletable_rows(context, object, batch, holds)]
            send_rows(context, "delete", object, work, _deleter(context))


def deletable_rows(
    context: Context, object: str, batch: Sequence[Action], holds: Mapping[str, str] | None = None
) -> list[Action]:
    """The actions whose created row may be deleted now; why not, or that it is gone, is recorded for the others.

    `holds`: what `find_kept_children` just said about these rows; asked here unless given.
    """
    keys = [one.key for one in batch]
    rows = live_rows.fetch_live(context, object, keys)
    guard = guard_fields(context.before, context.after, object)
    seen = context.canonical(context.load_values(context.after, object, keys), guard)
    if holds is None:
        holds = find_kept_children(context, {object: [key for key in keys if key in rows]})
    found: list[Action] = []
    for action in batch:
        row = rows.get(action.key)
        if row is None or row.deleted:
            context.note_equal(action)
        elif action.key in holds:
            context.note(action, "waiting", f"a row of {holds[action.key]} that stays would be deleted with it")
        elif _edited(context, row, seen.get(action.key)):
            context.note(action, "foreign", f"{FOREIGN}{_who(context, row)}")
        elif (action.type, action.key) not in context.foreign:
            found.append(action)
    return found


def _edited(context: Context, row: LiveRow, seen: Mapping[str, str | None] | None) -> bool:
    if seen is None:  # it was in the bin when the org was read, and came back with its parent
        return not live_rows.is_ours(context, row) and (row.at is None or row.at >= context.planned_at)
    return any(row.values.get(name, value) != value for name, value in seen.items()) and not live_rows.is_ours(
        context, row
    )


def apply_undeletes(context: Context, actions: Sequence[Action]) -> list[Action]:
    """Undelete what is in the bin; answers the actions whose rows the org says cannot come back that way.

    A row that is alive already came back with its parent.
    """
    lost: list[Action] = []
    for object, group in by_object(actions).items():
        fixed = not context.schema(object).undeletable
        for batch in in_batches(group, context.settings.read_batch):
            rows = live_rows.fetch_live(context, object, [one.key for one in batch])
            work: Work = []
            for action in batch:
                row = rows.get(action.key)
                if row is None:
                    lost.append(action)
                elif row.deleted:
                    work.append((action, {"Id": context.live_id(action.key)}))
                elif action.do == "undelete":
                    context.note(action, "done", "it came back with its parent")
                else:
                    context.note_equal(action)
            send_rows(context, "undelete", object, work, _undeleter(context))
            for action, _ in work:
                result = context.results.get(action.id)
                if result and result.state == "failed" and _is_final(action, result.detail, fixed):
                    lost.append(action)
    return lost


def _is_final(action: Action, detail: str, fixed: bool) -> bool:
    """Whether the org's refusal means that this row can never be undeleted, so that it may be re-inserted.

    Where the plan already says insert (its master is gone, its object knows no undelete), any refusal but a lock does.
    """
    return "UNDELETE_FAILED" in detail or ((fixed or action.do == "insert") and detail != LOCKED)


def send_rows(context: Context, kind: str, object: str, work: Work, send: Send) -> None:
    """Send one batch, then again what a passing lock refused, in ever smaller batches."""
    size = context.settings.batch
    for attempt in range(context.settings.lock_tries):
        locked: Work = []
        for part in in_batches(work, size):
            locked.extend(_send_part(context, kind, object, part, send))
        if not locked:
            return
        work, size = locked, max(1, size // 8)
        context.settings.sleep(context.settings.poll * attempt)
    for action, _ in work:
        context.note(action, "failed", LOCKED)


def _send_part(
    context: Context, kind: str, object: str, part: Sequence[tuple[Action, Mapping[str, Value]]], send: Send
) -> Work:
    ids = [str(row["Id"]) for _, row in part]
    stamps = {one: context.stamps[one] for one in ids if one in context.stamps}
    detail = {"object": object, "actions": [one.id for one, _ in part], "ids": ids, "stamps": stamps}
    entry = context.journal.open(kind, detail)
    try:
        results = send(part)
    except OrgUncertain:
        context.on_event(Noted(f"The reply to a {kind} of {len(part)} {object} was lost; looking at the org."))
        settle.settle_rows(context, entry)
        for action, _ in part:
            context.note(action, "waiting", "the reply was lost; the next pass looks again")
        return []
    except OrgRejected as error:
        results = tuple(SaveResult(one, False, (RowError(error.org_code, ""),)) for one in ids)
    except OrgBusy:
        close_entry(context, entry, [], {one.id: "ORG_BUSY" for one, _ in part})
        return list(part)
    except (OrgLimit, OrgUnreachable, LoginError, Refused):
        close_entry(context, entry, [], {one.id: "NOT_SENT" for one, _ in part})
        raise
    return _take_results(context, entry, part, results)


def _take_results(
    context: Context,
    entry: Entry,
    part: Sequence[tuple[Action, Mapping[str, Value]]],
    results: Sequence[SaveResult],
) -> Work:
    """Record each row's result, close the intent, and answer the rows that a passing lock refused."""
    ok: list[str] = []
    failed: dict[str, str] = {}
    locked: Work = []
    for (action, row), result in zip(part, results, strict=True):
        if result.success:
            ok.append(action.id)
            context.note(action, "done")
            continue
        first = result.errors[0] if result.errors else None
        code = first.code if first else "UNKNOWN_ERROR"
        failed[action.id] = code
        fields = f" ({', '.join(first.fields)})" if first and first.fields else ""
        context.note(action, "failed", f"{code}{fields}")
        if code in RETRIED:
            locked.append((action, row))
    close_entry(context, entry, ok, failed)
    context.on_event(Advanced(f"{entry.kind} {entry.detail['object']}", len(ok), unit="rows"))
    return locked


def _updater(context: Context, object: str) -> Send:
    return lambda part: context.writer.update_rows(object, [row for _, row in part])


def _deleter(context: Context) -> Send:
    return lambda part: context.writer.delete_rows([str(row["Id"]) for _, row in part])


def _undeleter(context: Context) -> Send:
    return lambda part: context.writer.undelete_rows([str(row["Id"]) for _, row in part])


def _who(context: Context, row: LiveRow | None) -> str:
    return f" by {context.person(row.by)}" if row and row.by else ""
