"""Bringing back rows that no recycle bin holds: inserted by Bulk 2.0, parents first, old Ids mapped to new ones.

The id map is committed in the transaction that closes the intent, before any row that refers to the new ones is sent.
Results come in no promised order: they are matched by a digest of what was sent; what cannot be told apart is never
guessed. A row is inserted only when queryAll does not know its Id, or the org refused to undelete that very Id.

Few rows go by Bulk too, although a collection call would be cheaper than a job's six calls: an insert whose reply is
lost leaves rows with Ids that nobody knows, which only a guess by content could tell from those of somebody else, and
sending it again would make them twice. A job whose id is journalled is looked up instead, whenever it ran.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from rehearse.errors import OrgRejected
from rehearse.events import Noted
from rehearse.journal import Entry
from rehearse.org.bulk_csv import bulk_cannot_carry
from rehearse.reset.activation import born_as
from rehearse.reset.apply_context import Context
from rehearse.reset.apply_files import holds_files, insert_files, may_lack
from rehearse.reset.apply_updates import reference_or_value
from rehearse.reset.batches import by_object, in_batches, row_mark, told_refusal
from rehearse.reset.bulk_jobs import start_job, take_up_job
from rehearse.reset.companions import take_companions
from rehearse.reset.coupled import follows
from rehearse.reset.gone_targets import find_gone
from rehearse.reset.live_rows import fetch_live
from rehearse.reset.model import Action
from rehearse.reset.order import Link, order_rows
from rehearse.reset.persons import fetch_contacts, is_person, made_of_others
from rehearse.reset.plan_records import reference_links
from rehearse.reset.refused_values import find_refused
from rehearse.reset.row_state import scope_fields

DUPLICATES = "DUPLICATES_DETECTED"
Sent = dict[str, dict[str, str | None]]
"""What is sent: key of the baseline -> column -> text."""


def apply_inserts(context: Context, actions: Sequence[Action], refused: Collection[str]) -> None:
    """Insert the rows of these actions that the org has neither alive nor in the bin.

    `refused` names the actions whose row is in the bin although the org refused to undelete it.
    """
    missing: list[Action] = []
    for object, group in by_object(actions).items():
        for batch in in_batches(group, context.settings.read_batch):
            rows = fetch_live(context, object, [one.key for one in batch])
            for action in batch:
                row = rows.get(action.key)
                if row is None or (row.deleted and action.id in refused):
                    missing.append(action)
                elif row.deleted:
                    context.note(action, "waiting", "it is in the recycle bin and was not undeleted")
                else:
                    context.note_equal(action)
    _insert_levels(context, {one.key: one for one in missing})


def finish_insert(context: Context, entry: Entry) -> None:
    """Read what an ended job did, write the id map and close the intent in one transaction."""
    job = take_up_job(context, entry)
    if job is None:
        return
    columns, marks = list(entry.detail["columns"]), {mark: list(keys) for mark, keys in entry.detail["marks"].items()}
    actions: Mapping[str, str] = entry.detail["actions"]
    object, pairs, failed, strangers = str(entry.detail["object"]), dict[str, str](), dict[str, str](), 0
    for row in context.writer.fetch_ingest_results(job.id, "successful"):
        keys = marks.get(row_mark(row, columns), [])
        if keys:
            pairs[keys.pop()] = row["sf__Id"]
        else:
            strangers += 1
    for row in context.writer.fetch_ingest_results(job.id, "failed"):
        keys = marks.get(row_mark(row, columns), [])
        if keys:
            failed[keys.pop()] = told_refusal(row.get("sf__Error", ""))
    ok = [actions[key] for key in pairs]
    known = context.load_values(context.before, object, sorted(pairs)) if object == "Account" else {}
    contacts = fetch_contacts(context.writer.reader, known, pairs)
    result = {"ok": ok, "failed": {actions[key]: code for key, code in failed.items()}, "strangers": strangers}
    context.journal.close(entry, result, also=lambda connection: context.id_map.add(connection, pairs | contacts))
    context.take_ids()
    _note_all(context, object, actions, pairs, failed)
    if strangers:
        context.on_event(Noted(f"{strangers} inserted rows of {object} could not be told apart; look at job {job.id}."))


def _note_all(
    context: Context, object: str, actions: Mapping[str, str], pairs: Mapping[str, str], failed: Mapping[str, str]
) -> None:
    for key, action_id in actions.items():
        do = action_id.partition("/")[0]
        action = Action(action_id, 0, "undelete" if do == "undelete" else "insert", "record", object, key, "residue")
        if key in pairs:
            context.note(action, "done", f"re-inserted as {pairs[key]}")
        elif key in failed:
            context.note(action, "failed", failed[key])
        else:
            context.note(action, "waiting", "the bulk job did not process it")


def _insert_levels(context: Context, missing: Mapping[str, Action]) -> None:
    links: list[Link] = []
    values: Sent = {}
    for object, group in by_object(missing.values()).items():
        rows = context.load_values(context.before, object, [one.key for one in group])
        names = [one.name for one in scope_fields(context.before, object) if one.type == "reference"]
        for key, row in rows.items():
            values[key] = row
            links.extend(reference_links(object, row, names, context.schema(object), key))
    ordered = order_rows(missing, links)
    for key in ordered.stuck:
        context.note(missing[key], "failed", "its references form a circle in which none may be null")
    for level in ordered.levels:
        for object, group in by_object(missing[key] for key in level).items():
            alone = [one for one in group if _goes_alone(context, object, values[one.key])]
            insert_files(context, object, alone, ordered.deferred)
            group = take_companions(context, object, [one for one in group if one not in alone])
            for batch in in_batches(group, context.settings.insert_batch):
                sent = {one.key: _cells(context, one, values[one.key], ordered.deferred) for one in batch}
                dead = find_gone(context, object, {one.key: (one, sent[one.key]) for one in batch})
                for key, lost in dead.items():
                    sent[key].update(dict.fromkeys(lost))
                _insert(context, object, batch, sent)
                _insert_again(context, object, batch, sent, ordered.deferred)


def _insert_again(
    context: Context, object: str, batch: Sequence[Action], sent: Sent, deferred: Mapping[str, Collection[str]]
) -> None:
    """What the org refused for single values goes again without them, as the org fills them by itself; the update that
    follows writes or names them. What a duplicate rule only warns of goes by REST: Bulk cannot say that it may pass."""
    left = list(batch)
    for _ in range(context.settings.lock_tries):
        again = []
        for action in left:
            cells = sent[action.key]
            if refused := find_refused(context.results.get(action.id), may_lack(context, object, cells)):
                again.append(action)
                sent[action.key] = {name: text for name, text in cells.items() if name not in refused}
        if not again:
            break
        left = again
        _insert(context, object, left, {one.key: sent[one.key] for one in left})
    alike = [one for one in batch if (told := context.results.get(one.id)) and told.detail.startswith(DUPLICATES)]
    insert_files(context, object, alike, deferred)


def _goes_alone(context: Context, object: str, stored: Mapping[str, str | None]) -> bool:
    """Whether Bulk cannot insert a row at all: it takes no contents of files, and no text that means null there where
    a value is required (`#N/A` is what a spreadsheet writes into a name)."""
    if holds_files(context, object):
        return True
    needed = [one.name for one in context.schema(object).fields if one.createable and not one.nillable]
    return not is_person(stored) and any(bulk_cannot_carry(stored.get(name)) for name in needed)


def _cells(
    context: Context, action: Action, stored: Mapping[str, str | None], deferred: Mapping[str, Collection[str]]
) -> dict[str, str | None]:
    """The columns of one row: what may be set on insert, without deferred references and what Bulk cannot carry."""
    cells: dict[str, str | None] = {}
    made = made_of_others(action.type, stored) | follows(action.type, stored)
    for one in scope_fields(context.before, action.type):
        known = context.schema(action.type).field(one.name)
        if known is None or one.name in made or not known.createable or known.calculated or known.auto_number:
            continue
        text = stored.get(one.name)
        if one.type == "reference" and text is not None:
            text = str(reference_or_value(context, action.type, one.name, text))
        skip = one.name in deferred.get(action.key, ()) or bulk_cannot_carry(text)
        cells[one.name] = None if skip else text
    return {**cells, **born_as(action.type, stored)}


def _insert(context: Context, object: str, batch: Sequence[Action], sent: Sent) -> None:
    columns = sorted({name for row in sent.values() for name in row})
    marks: dict[str, list[str]] = {}
    for key, row in sent.items():
        marks.setdefault(row_mark(row, columns), []).append(key)
    detail = {
        "object": object,
        "actions": {one.key: one.id for one in batch},
        "columns": columns,
        "marks": marks,
    }
    rows = [[sent[one.key].get(name, "") for name in columns] for one in batch]  # empty: left to the org
    try:
        entry = start_job(context, "insert", detail, columns, rows)
    except OrgRejected as error:
        for action in batch:
            context.note(action, "failed", error.org_code)
        return
    finish_insert(context, entry)
