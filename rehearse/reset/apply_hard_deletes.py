"""Deleting created rows past the recycle bin, only where they hold a unique value that a row of the baseline needs.

By Bulk `hardDelete`, which needs a permission of its own ("Bulk API Hard Delete"); without it the rows are deleted
softly, and the plan's later passes show whether the value was freed.
"""

from __future__ import annotations

from collections.abc import Sequence

from rehearse.errors import OrgRejected
from rehearse.events import Noted
from rehearse.journal import Entry
from rehearse.reset.apply_context import Context
from rehearse.reset.apply_records import apply_deletes, deletable_rows
from rehearse.reset.batches import by_object, error_code, in_batches
from rehearse.reset.bulk_jobs import start_job, take_up_job
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
                apply_deletes(context, work)
                continue
            finish_hard_delete(context, entry)
            again = [one for one in work if context.results[one.id].state != "done"]
            if again:
                apply_deletes(context, again)


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
