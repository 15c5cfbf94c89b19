"""Bulk jobs as intents: the id of a job is in the journal before the job may run, so an unknown job never ran.

The one place that opens, fills and closes an ingest job of a reset, and that takes up a job of a killed run: an open
one is aborted (a late close can then do nothing), one that runs is waited for, one that ended is read. Refuses to
insert beside a load of the same login that is not of this run: two resets at once would bring each row back twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rehearse.baseline.writing import make_private_folder, nameless_file
from rehearse.errors import OrgRejected, OrgUncertain, StalePlan
from rehearse.ids import to_18
from rehearse.journal import Entry
from rehearse.org.bulk_csv import write_bulk_csv
from rehearse.org.model import BulkJob
from rehearse.reset.apply_context import Context

INGEST = {"insert": "insert", "hard-delete": "hardDelete"}
"""Kind of intent -> operation of the job."""


def start_job(
    context: Context, kind: str, detail: Mapping[str, Any], columns: Sequence[str], rows: Sequence[Sequence[str | None]]
) -> Entry:
    """Journal the intent, open the job, journal its id, upload, and let it run. Answers the open entry.

    Raises OrgRejected when the org refuses the job itself; the intent is then closed, since nothing ran.
    """
    entry = context.journal.open(kind, dict(detail))
    try:
        job = context.writer.open_ingest(str(detail["object"]), INGEST[kind])
    except OrgRejected:
        context.journal.close(entry, {"ok": [], "failed": {}, "void": True})
        raise
    entry = context.journal.amend(entry, {"job": job.id})
    if kind == "insert" and not context.alone:
        _require_alone(context, job)
    folder = context.store.root / "scratch"
    make_private_folder(folder)
    with nameless_file(folder) as path:
        write_bulk_csv(path, columns, rows)
        try:
            context.writer.upload_ingest(job.id, path)
        except OrgUncertain:
            return entry
    context.writer.close_ingest(job.id)
    return entry


def _require_alone(context: Context, ours: BulkJob) -> None:
    """Once a pass: nobody else loads with our login since this run began. Raises StalePlan.

    A job that was not let run is none: it may be ours, and the answer that told its id was lost.
    """
    known = {to_18(str(one.detail["job"])) for one in context.entries() if "job" in one.detail}
    for job in context.writer.reader.fetch_load_jobs():
        before = job.created is None or job.created < context.began
        idle = job.state in ("Open", "Aborted") and not job.processed
        if before or idle or job.id in known or to_18(job.created_by) != to_18(context.user_id):
            continue
        context.writer.abort_ingest(ours.id)
        raise StalePlan(
            f"Somebody else loads into {context.plan.sandbox} with the login of this reset ({job.operation} of "
            f"{job.object}, job {job.id}): rows would come back twice.",
            "Is another reset of it at work, from a workspace with a database of its own? When that has ended, make a "
            "new plan; a team shares one database (storage.database).",
        )
    context.alone = True


def take_up_job(context: Context, entry: Entry) -> BulkJob | None:
    """The ended job of an intent, after waiting for it; None when it surely never ran (the intent is then closed).

    Raises OrgRejected where the org does not know the job any more.
    """
    job_id = entry.detail.get("job")
    if job_id is None:
        context.journal.close(entry, {"ok": [], "failed": {}, "void": True})
        return None
    job = context.writer.fetch_ingest(str(job_id))
    if job.state == "Open":
        context.writer.abort_ingest(job.id)
        job = context.writer.fetch_ingest(job.id)
    job = context.writer.wait_ingest(job.id, context.on_event)
    if job.state == "Aborted" and job.processed == 0:
        context.journal.close(entry, {"ok": [], "failed": {}, "void": True})
        return None
    return job
