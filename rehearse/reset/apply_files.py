"""Bringing back rows that are in no recycle bin and that Bulk cannot carry: attachments, documents, a name of `#N/A`.

Bulk has no base64 fields, so each goes alone in a REST call, its contents taken from the baseline. An insert whose
reply is lost leaves a row whose Id nobody knows: it is looked up among the rows that our own user made since apply
began, by every value that was sent and by the digest of its contents, and is never sent again before that. What cannot
be told apart is never guessed. The pair of Ids is committed in the transaction that closes the intent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from rehearse import clock
from rehearse.baseline.scope import BODY_TYPE
from rehearse.errors import OrgBusy, OrgUncertain
from rehearse.events import Noted
from rehearse.journal import Entry
from rehearse.org.model import SaveResult, Value
from rehearse.reset.apply_context import NOTHING_DONE, Context
from rehearse.reset.apply_updates import reference_or_value
from rehearse.reset.coupled import follows
from rehearse.reset.live_rows import fetch_live
from rehearse.reset.model import Action, Do
from rehearse.reset.refused_values import find_refused
from rehearse.reset.row_state import Values, scope_fields
from rehearse.reset.settle import wait_for_effect

KIND = "insert-file"


def holds_files(context: Context, object: str) -> bool:
    """Whether the baseline holds the contents of files in rows of this object."""
    return any(one.type == BODY_TYPE for one in scope_fields(context.before, object))


def insert_files(
    context: Context, object: str, actions: Sequence[Action], deferred: Mapping[str, Collection[str]]
) -> None:
    """Insert rows one by one; a refused one is recorded and stops no other."""
    for action in actions:
        stored = context.load_values(context.before, object, [action.key]).get(action.key, {})
        left_out = {*deferred.get(action.key, ()), *follows(object, stored)}
        names = [one for one in sent_names(context, object) if one not in left_out]
        values = {name: reference_or_value(context, object, name, stored.get(name)) for name in names}
        for _ in range(context.settings.lock_tries):
            _insert(context, action, values)
            refused = find_refused(context.results.get(action.id), may_lack(context, object, values))
            if not refused:
                break
            values = {name: value for name, value in values.items() if name not in refused}


def may_lack(context: Context, object: str, values: Mapping[str, Value]) -> list[str]:
    """Those of the fields with a value that an insert may leave to the org."""
    known = {name: context.schema(object).field(name) for name, value in values.items() if value is not None}
    return [name for name, one in known.items() if one is not None and (one.nillable or one.defaulted_on_create)]


def sent_names(context: Context, object: str) -> list[str]:
    """The fields of the baseline that an insert may set."""
    schema = context.schema(object)
    known = ((one.name, schema.field(one.name)) for one in scope_fields(context.before, object))
    return [name for name, field in known if field and field.createable and not (field.calculated or field.auto_number)]


def _insert(context: Context, action: Action, values: Mapping[str, Value]) -> None:
    detail = {"object": action.type, "key": action.key, "actions": [action.id], "fields": sorted(values)}
    entry = context.journal.open(KIND, detail)
    try:
        result = context.writer.insert_row(action.type, values)
    except OrgUncertain:
        context.on_event(Noted(f"The reply to an insert of {action.type} was lost; looking at the org."))
        finish_file(context, entry)
        return
    except OrgBusy:
        context.journal.close(entry, {"ok": [], "failed": {action.id: "ORG_BUSY"}})
        context.note(action, "failed", "locked or busy")
        return
    except NOTHING_DONE:
        context.journal.close(entry, {"ok": [], "failed": {action.id: "NOT_SENT"}})
        raise
    _take_result(context, entry, action, result)


def _take_result(context: Context, entry: Entry, action: Action, result: SaveResult) -> None:
    if result.success and result.id:
        _remember(context, entry, action, result.id)
        return
    first = result.errors[0] if result.errors else None
    fields = f" ({', '.join(first.fields)})" if first and first.fields else ""
    code = first.code if first else "UNKNOWN_ERROR"
    context.journal.close(entry, {"ok": [], "failed": {action.id: code}})
    context.note(action, "failed", f"{code}{fields}")


def finish_file(context: Context, entry: Entry) -> None:
    """Settle an insert whose reply is not known: wait until its row is there, or can no longer come."""
    object, key, action_id = str(entry.detail["object"]), str(entry.detail["key"]), str(entry.detail["actions"][0])
    do: Do = "undelete" if action_id.startswith("undelete/") else "insert"
    action = Action(action_id, 0, do, "record", object, key, "residue")
    found: list[str] = []

    def seen() -> bool:
        found[:] = find_inserted(context, object, key, list(entry.detail["fields"]))
        return bool(found)

    wait_for_effect(context, entry, seen)
    if len(found) == 1:
        _remember(context, entry, action, found[0])
        return
    context.journal.close(entry, {"ok": [], "failed": {}, "seen": bool(found), "strangers": len(found)})
    if found:
        context.note(action, "failed", f"it may be one of {', '.join(sorted(found))}, which cannot be told apart")
    else:
        context.note(action, "waiting", "the reply was lost; the next pass looks again")


def find_inserted(context: Context, object: str, key: str, names: Sequence[str]) -> list[str]:
    """Rows that our user made since apply began, that no other row is known by, and that hold what was sent."""
    since = clock.iso(context.began)
    soql = f"SELECT Id FROM {object} WHERE CreatedById = '{context.user_id}' AND CreatedDate >= {since}"
    known = set(context.ids.values())
    ids = [id for row in context.writer.reader.fetch_rows(soql) if (id := str(row["Id"])) not in known]
    goal = _goal(context, object, key)
    rows = fetch_live(context, object, ids) if ids else {}
    return [id for id, row in rows.items() if all(row.values.get(name) == goal.get(name) for name in names)]


def _goal(context: Context, object: str, key: str) -> Values:
    fields = scope_fields(context.before, object)
    return context.canonical(context.load_values(context.before, object, [key]), fields).get(key, {})


def _remember(context: Context, entry: Entry, action: Action, new: str) -> None:
    """Close the intent and keep the pair of Ids, both at once."""
    result = {"ok": [action.id], "failed": {}}
    context.journal.close(entry, result, also=lambda connection: context.id_map.add(connection, {action.key: new}))
    context.take_ids()
    context.note(action, "done", f"re-inserted as {new}")
