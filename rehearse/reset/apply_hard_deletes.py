"""Deleting created rows past the recycle bin, only where they hold a unique value that a row of the baseline needs.

By Bulk `hardDelete`, which needs a permission of its own ("Bulk API Hard Delete"); without it the rows give up their
unique values and are deleted softly: whether the recycle bin holds on to such values, no document says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rehearse.errors import OrgRejected
from rehearse.events import Noted
from rehearse.journal import Entry
from rehearse.org.model import Value
from rehearse.reset.apply_context import Context
from rehearse.reset.apply_records import Work, apply_deletes, deletable_rows, send_rows
from rehearse.reset.apply_updates import TEXTS, spare_value
from rehearse.reset.batches import by_object, error_code, in_batches
from rehearse.reset.bulk_jobs import start_job, take_up_job
from rehearse.reset.live_rows import fetch_live
from rehearse.reset.model import Action


def apply_hard_deletes(context: Context, actions: Sequence[Action]) -> None:
    """Hard-delete the rows of these actions that are still as the plan saw them."""
    for object, group in by_object(actions).items():
        for batch in in_batches(group, context.settings.read_batch):
            work = deletable_rows(context, object, batch)
            if not work:
                continue
            detail = {"object": object, "actions": {one.key: one.id for one in work}, "ids": [one.key for one in work]}
            try:
                entry = start_job(context, "hard-delete", detail, ["Id"], [[one.key] for one in work])
            except OrgRejected as error:
                context.on_event(Noted(f"Hard delete is not allowed ({error.org_code}); deleting softly."))
                _bin(context, object, work)
                continue
            finish_hard_delete(context, entry)
            again = [one for one in work if context.results[one.id].state != "done"]
            if again:
                _bin(context, object, again)


def _bin(context: Context, object: str, work: Sequence[Action]) -> None:
    """Delete rows softly, after they gave up their unique values as far as the org lets them."""
    unique = [one for one in context.schema(object).fields if one.unique and one.updateable]
    rows = fetch_live(context, object, [one.key for one in work])
    freed: Work = []
    for action in work:
        held = rows[action.key].values if action.key in rows else {}
        values: dict[str, Value] = {
            one.name: spare_value(action.key, one.length) if one.type in TEXTS else None
            for one in unique
            if held.get(one.name) is not None and (one.type in TEXTS or one.nillable)
        }
        if values:
            given_up = replace(action, id=f"detach/{object}/{action.key}", do="detach")
            freed.append((given_up, {"Id": action.key, **values}))
    send_rows(
        context, "update", object, freed, lambda part: context.writer.update_rows(object, [row for _, row in part])
    )
    for given_up, _ in freed:
        context.results.pop(given_up.id, None)  # what counts is the deletion
    apply_deletes(context, work)


def finish_hard_delete(context: Context, entry: Entry) -> None:
    """Read what an ended job did and close the intent."""
    job = take_up_job(context, entry)
    if job is None:
        return
    object, actions = str(entry.detail["object"]), dict(entry.detail["actions"])
    gone = {row.get("Id") or row["sf__Id"] for row in context.writer.fetch_ingest_results(job.id, "successful")}
    failed = {
        str(row.get("Id") or row["sf__Id"]): error_code(row.get("sf__Error", ""))
        for row in context.writer.fetch_ingest_results(job.id, "failed")
    }
    for key, action_id in actions.items():
        action = Action(action_id, 0, "delete", "record", object, key, "exact", hard=True)
        context.note(
            action, "done" if key in gone else "failed", "" if key in gone else failed.get(key, "not processed")
        )
    result = {"ok": [actions[key] for key in gone if key in actions], "failed": failed}
    context.journal.close(entry, result)
