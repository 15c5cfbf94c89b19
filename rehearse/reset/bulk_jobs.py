"""Bulk jobs as intents: the id of a job is in the journal before the job may run, so an unknown job never ran.

The one place that opens, fills and closes an ingest job of a reset, and that takes up a job of a killed run: an open
one is aborted (a late close can then do nothing), one that runs is waited for, one that ended is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rehearse.baseline.writing import make_private_folder, nameless_file
from rehearse.errors import OrgRejected, OrgUncertain
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
