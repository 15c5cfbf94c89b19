"""Writing rows: delete and undelete, each batch re-read first, and any batch journalled before and after.

Holds the writer, with apply_updates, apply_inserts and apply_metadata. Only rows in a state that the
plan knows are written. A refused row is recorded and never stops the others; a lost reply is left as an open intent
and settled by looking at the org (`settle`), never by sending again at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rehearse.errors import OrgBusy, OrgRejected, OrgUncertain
from rehearse.events import Noted
from rehearse.journal import Entry
from rehearse.org.model import RowError, SaveResult, Value
from rehearse.reset import live_rows, settle
from rehearse.reset.apply_context import NOTHING_DONE, Context, close_entry
from rehearse.reset.batches import RETRIED, by_object, in_batches
from rehearse.reset.cascades import find_kept_children
from rehearse.reset.live_rows import LiveRow
from rehearse.reset.model import Action
from rehearse.reset.row_state import guard_fields

LOCKED = "locked or busy"
TOGETHER = 1000
"""So many deletions look together at what hangs below them; more look batch by batch, right before each."""
Send = Callable[[Sequence[tuple[Action, Mapping[str, Value]]]], tuple[SaveResult, ...]]
Work = list[tuple[Action, Mapping[str, Value]]]


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
            context.note(action, "foreign", f"changed since the plan was made{who_wrote(context, row)}; not written")
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
    What it lies below comes back first; where that is still deleted, nothing brings the row back.
    """
    return any(one in detail for one in ("UNDELETE_FAILED", "ENTITY_IS_DELETED")) or (
        (fixed or action.do == "insert") and detail != LOCKED
    )


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
    except NOTHING_DONE:
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
    return locked


def _deleter(context: Context) -> Send:
    return lambda part: context.writer.delete_rows([str(row["Id"]) for _, row in part])


def _undeleter(context: Context) -> Send:
    return lambda part: context.writer.undelete_rows([str(row["Id"]) for _, row in part])


def who_wrote(context: Context, row: LiveRow | None) -> str:
    """` by NAME` of who touched a row last, or nothing."""
    return f" by {context.person(row.by)}" if row and row.by else ""
