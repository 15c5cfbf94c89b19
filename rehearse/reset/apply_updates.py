"""Updating rows: changed rows, detached ones, and those that came back; the writes that somebody's edit could meet.

Each batch is read and judged right before it is written. Up to 25 rows are written on the condition that nobody
changed them since (`If-Unmodified-Since`, whole seconds); whoever did is read and judged again: somebody's edit is
recorded and kept, what our own automation did is written over. Larger batches go unconditionally: the API has no
condition for them. Refuses to write a field whose present value is neither the rehearsal's nor our own.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence

from rehearse import clock
from rehearse.baseline.bodies import load_body
from rehearse.baseline.scope import BODY_TYPE
from rehearse.org.model import SaveResult, Value
from rehearse.org.rows import CHANGED, can_guard
from rehearse.reset import live_rows
from rehearse.reset.activation import in_turn
from rehearse.reset.apply_context import Context
from rehearse.reset.apply_records import Send, Work, send_rows, who_wrote
from rehearse.reset.batches import by_object, in_batches, wire_value
from rehearse.reset.coupled import with_coupled
from rehearse.reset.gone_targets import find_gone
from rehearse.reset.live_rows import LiveRow
from rehearse.reset.model import Action
from rehearse.reset.persons import made_of_others, switches_kind
from rehearse.reset.refused_values import find_refused, refusal
from rehearse.reset.row_state import Decision, scope_fields

UNKNOWN = ("METHOD_NOT_ALLOWED", "INVALID_HEADER", "HTTP_405", "HTTP_501")
"""Answers of an org or object that takes no condition or no single row: written without one, like a large batch."""

TEXTS = ("string", "email", "phone", "url")
"""Types of unique fields that take a made-up value."""


def apply_updates(context: Context, actions: Sequence[Action]) -> None:
    """Detach or update rows, or finish rows that came back: only open fields, references mapped, null as null."""
    for object, group in by_object(actions).items():
        for batch in in_batches(group, context.settings.read_batch):
            _update_batch(context, object, batch)


def _update_batch(context: Context, object: str, batch: Sequence[Action]) -> None:
    """Write one batch; rows that somebody changed between our read and our write are read and judged again, and what
    the org refused for single values goes again without these."""
    left = list(batch)
    unguarded: set[str] = set()
    read_at: dict[str, str] = {}
    refused: dict[str, set[str]] = {}
    for _ in range(context.settings.lock_tries):
        work, without = _decide_work(context, object, left, refused)
        unguarded |= {id for id, stamp in read_at.items() if context.stamps.get(id) == stamp}
        send_rows(context, "update", object, work, _updater(context, object, unguarded))
        for action in (one for one, _ in work if one.key in without and context.results[one.id].state == "done"):
            context.note(action, "done", without[action.key])
        left = [one for one, row in work if _was_moved(context, one) or find_refused(context.results.get(one.id), row)]
        if not left:
            return
        read_at = {id: context.stamps[id] for one in left if (id := context.live_id(one.key)) in context.stamps}
    for action in (one for one in left if _was_moved(context, one)):
        context.note(action, "foreign", "changed again and again during the reset; not written")


def _was_moved(context: Context, action: Action) -> bool:
    """Whether the org refused the condition of a write, or did not understand it."""
    result = context.results.get(action.id)
    return result is not None and result.state == "failed" and result.detail.partition(" ")[0] in (CHANGED, *UNKNOWN)


def _updater(context: Context, object: str, unguarded: Collection[str]) -> Send:
    """Sends a small batch on the condition that no row changed since it was read; a large one as it is.

    Rows of `unguarded` carry no condition: the org refused one although nobody had changed them.
    """

    def send(part: Sequence[tuple[Action, Mapping[str, Value]]]) -> tuple[SaveResult, ...]:
        rows = [row for _, row in part]
        since = {
            id: clock.from_iso(context.stamps[id])
            for row in rows
            if (id := str(row["Id"])) in context.stamps and id not in unguarded
        }
        if not since or not can_guard(rows):
            return context.writer.update_rows(object, rows)
        return context.writer.update_rows_if_unchanged(object, rows, since)

    return send


def _decide_work(
    context: Context, object: str, batch: Sequence[Action], known: dict[str, set[str]]
) -> tuple[Work, dict[str, str]]:
    """Each row that is to be written, as it is to be written, and by key without which values, in words; why nothing
    is written is recorded for the others. `known`: by key, the values that the org refused; more are added."""
    decided = live_rows.decide_rows(context, object, batch)
    stored = context.load_values(context.before, object, [one.key for one in batch])
    judged: dict[str, tuple[Action, dict[str, Value]]] = {}
    for action in batch:
        row, decision = decided[action.key]
        values = _judge(context, action, row, decision, stored.get(action.key, {}))
        if values:
            judged[action.key] = (action, values)
    gone = find_gone(context, object, judged)
    work: Work = []
    without: dict[str, str] = {}
    for key, (action, values) in judged.items():
        result, dead = context.results.get(action.id), sorted(gone.get(key, ()))
        if not dead:
            known.setdefault(key, set()).update(find_refused(result, values))
        refused = sorted(known.get(key, set()).intersection(values))
        left = {name: value for name, value in values.items() if name not in (*dead, *refused)}
        if left:
            work.append((action, {"Id": context.live_id(key), **left}))
        elif dead:
            told = (action.type, action.key) in context.left_alone
            context.note(action, "waiting" if told else "failed", f"what it names in {', '.join(dead)} is not there")
        elif refused:
            context.note(action, "failed", refusal(result, refused))
        if dead or refused:
            gone_told = f"without what it names in {', '.join(dead)}, which is not there"
            without[key] = gone_told if dead else refusal(result, refused)
    return work, without


def _judge(
    context: Context, action: Action, row: LiveRow | None, decision: Decision, stored: Mapping[str, str | None]
) -> dict[str, Value] | None:
    """The values to write for one row, or None after recording why nothing is written."""
    if (action.type, action.key) in context.foreign:
        return None
    returned = action.do in ("undelete", "insert")
    if decision.state == "foreign" or row is None or (returned and live_rows.is_others(context, row)):
        by = who_wrote(context, row)
        gone = row is None or row.deleted
        told = f"deleted since the plan was made{by}" if gone else f"changed since the plan was made{by}; not written"
        context.note(action, "foreign", told)
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
    for name in with_coupled(_without_taken(context, action, open_fields), schema, stored):
        if name in stored:
            values[name] = reference_or_value(context, action.type, name, stored[name])
    if switches_kind(action.type, row.values, stored):
        values = {name: values[name] for name in ("RecordTypeId",) if name in values}  # the rest in the next pass
    values = in_turn(action.type, row.values, stored, values)
    if not values and not returned:
        context.note(action, "waiting", "its open fields cannot be written")
    return values or None


def _without_taken(context: Context, action: Action, names: Sequence[str]) -> list[str]:
    """Without the unique values that, as the plan says, another row keeps: the org would refuse the whole row."""
    if action.do != "update" or (action.type, action.key) not in context.left_alone:
        return list(names)
    unique = {one.name for one in context.schema(action.type).fields if one.unique}
    return [one for one in names if one in action.fields or one not in unique]


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
        spare = spare_value(action.key, known.length)
        made_up = known.type in TEXTS and not (refused and known.nillable)
        values[name] = spare if made_up else None
    return values


def spare_value(key: str, length: int | None) -> str:
    """A value that nobody uses, in any letter case: Ids of one object begin alike and end differently."""
    room = (length or 255) - 1
    return f"~{(key if room > 6 else key[:15])[-room:]}"


def reference_or_value(context: Context, object: str, name: str, text: str | None) -> Value:
    """A stored text as it is written now: a reference to a re-inserted row goes to its new Id."""
    type = next((one.type for one in scope_fields(context.before, object) if one.name == name), "string")
    if type == "reference" and text is not None:
        return context.live_id(text)
    if type == BODY_TYPE and text is not None:
        return base64.b64encode(load_body(context.store, context.before.ulid, object, text)).decode()
    return wire_value(type, text)
