"""Re-reading a batch of rows right before it is written, and deciding row by row. Reads only.

A row is read with its comparable fields, who touched it last and when, and whether it is in the recycle bin. The
decision is `row_state.decide`; what is somebody's edit is never written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rehearse import clock
from rehearse.baseline.bodies import with_digests
from rehearse.baseline.model import ComparableField
from rehearse.baseline.scope import BODY_TYPE, MASKED_TYPE
from rehearse.ids import to_18
from rehearse.org.model import Value
from rehearse.reset.apply_context import Context
from rehearse.reset.model import Action
from rehearse.reset.row_state import Decision, Values, canonical_row, decide, guard_fields, scope_fields

TOUCHED = ("LastModifiedById", "LastModifiedDate", "IsDeleted", "CreatedById", "CreatedDate")


@dataclass(frozen=True)
class LiveRow:
    """One row as it is now. `deleted`: in the recycle bin. `by`, `at`: who touched it last, where the object says."""

    values: Values
    deleted: bool
    by: str
    at: datetime | None
    created_by: str = ""
    created_at: datetime | None = None


def fetch_live(context: Context, object: str, keys: Sequence[str]) -> dict[str, LiveRow]:
    """The rows with these baseline keys that the org has, live or in the bin, by key. Absent rows are absent."""
    schema = context.schema(object)
    clear = {one for one in scope_fields(context.after, object) if one.type == MASKED_TYPE}  # else it comes masked now
    fields = tuple(
        one
        for one in scope_fields(context.before, object)
        if schema.field(one.name) is not None and (one.type != MASKED_TYPE or one in clear)
    )
    extra = [name for name in TOUCHED if schema.field(name) is not None]
    names = sorted({one.name for one in fields} | set(extra))
    live = {context.live_id(key): key for key in keys}
    binned = schema.field("IsDeleted") is not None  # else queryAll could not say which of its rows are gone
    rows = context.writer.reader.fetch_by_ids(object, list(live), names, deleted=binned)
    bodies = [one.name for one in fields if one.type == BODY_TYPE]
    if bodies:  # contents of a row in the bin are not given
        alive = [row for row in rows.values() if row.get("IsDeleted") is not True]
        read = with_digests(context.writer.reader, object, bodies, alive)
        rows |= {to_18(str(row["Id"])): dict(row) for row in read}
    back = context.back()
    context.stamps.update(
        {one: str(row["LastModifiedDate"]) for one, row in rows.items() if row.get("LastModifiedDate")}
    )
    return {live[found]: _live_row(row, fields, back) for found, row in rows.items() if found in live}


def _live_row(row: Mapping[str, Value], fields: Sequence[ComparableField], back: Mapping[str, str]) -> LiveRow:
    return LiveRow(
        canonical_row(row, fields, back),
        row.get("IsDeleted") is True,
        str(row.get("LastModifiedById") or ""),
        _instant(row.get("LastModifiedDate")),
        str(row.get("CreatedById") or ""),
        _instant(row.get("CreatedDate")),
    )


def _instant(value: Value) -> datetime | None:
    return clock.from_iso(str(value)) if value else None


def is_ours(context: Context, row: LiveRow) -> bool:
    """Whether our own user (or automation that our writes set off) touched the row last, since apply began."""
    return row.by == context.user_id and row.at is not None and row.at >= context.began


def is_others(context: Context, row: LiveRow) -> bool:
    """Whether somebody else touched the row since apply began."""
    return row.by != context.user_id and row.at is not None and row.at >= context.began


def is_as_planned(context: Context, object: str, key: str, row: LiveRow) -> bool:
    """Whether a row of the very second in which apply began still holds what the plan saw: nobody touched it since."""
    if row.at is None or row.at.replace(microsecond=0) > context.began:
        return False
    guard = guard_fields(context.before, context.after, object)
    live = context.live_id(key)
    seen = context.canonical(context.load_values(context.after, object, [live]), guard).get(live)
    return seen is not None and all(row.values.get(name, value) == value for name, value in seen.items())


def moved_lookups(context: Context, row: LiveRow, expects: Values) -> list[str]:
    """Fields whose value the platform changed by itself because of our own undelete or delete, without a stamp.

    An undelete restores lookups to the row that came back; a delete clears those to the row that went.
    """
    return [
        name
        for name, old in expects.items()
        if row.values[name] != old
        and (row.values[name] in context.returned or (row.values[name] is None and old in context.removed))
    ]


def decide_rows(context: Context, object: str, actions: Sequence[Action]) -> dict[str, tuple[LiveRow | None, Decision]]:
    """For updates of one object: the live row and what to do with it, by key.

    A row that is gone or in the bin is `foreign` (somebody deleted it); its reason is in the result.
    """
    keys = [one.key for one in actions]
    before = scope_fields(context.before, object)
    guard = guard_fields(context.before, context.after, object)
    goals = context.canonical(context.load_values(context.before, object, keys), before)
    live_keys = [context.live_id(key) for key in keys]
    seen = context.canonical(context.load_values(context.after, object, live_keys), guard)
    rows = fetch_live(context, object, keys)
    found: dict[str, tuple[LiveRow | None, Decision]] = {}
    for key in keys:
        row = rows.get(key)
        if row is None or row.deleted:
            found[key] = (row, Decision("foreign"))
            continue
        expects = {name: value for name, value in seen.get(context.live_id(key), {}).items() if name in row.values}
        expects.update({name: row.values[name] for name in moved_lookups(context, row, expects)})
        goal = {name: value for name, value in goals.get(key, {}).items() if name in row.values}
        found[key] = (
            row,
            decide(row.values, expects, goal, ours=is_ours(context, row), theirs=is_others(context, row)),
        )
    return found
