"""Run one ingest job in chunks of 200 rows, each in one transaction together with its results.

A chunk that was committed is never run again: a restarted server continues behind the last one. What is wrong with a
row is a result of that row; nothing else is rolled back. An abort stops the job between two chunks. Promise: the rows
of the org and the results of the job always tell the same story.
"""

import time
from collections.abc import Callable, Iterator, Sequence, Set
from itertools import islice
from typing import Any

from rehearse.practice import rows
from rehearse.practice.bulk_csv import BadBatch, CsvFile, Record, as_row, check_header
from rehearse.practice.bulk_store import BulkStore, Job
from rehearse.practice.faults import LOCKED
from rehearse.practice.field_security import as_user
from rehearse.practice.org_state import OrgState
from rehearse.practice.rows import Saved

CHUNK = 200  # rows a transaction [data.md 1.8]
Result = list[Any]  # [id, created, error]: error is "" for a row that was saved


class Aborted(Exception):
    """Somebody aborted or deleted the job while it ran."""


def run_ingest_job(store: BulkStore, job: Job, check_stop: Callable[[], None]) -> None:
    """Save the rows of a job that is InProgress, and end it as JobComplete, Failed or Aborted.

    `check_stop` is asked between two chunks and raises when the server stops."""
    started = time.monotonic()
    source = CsvFile(store.path(job.id, ".in.csv"), job)
    done = store.load_chunks(job.id)
    faults = store.org.faults
    try:
        with store.org.lock:
            names = check_header(source.header(), store.org.object(job.object))
        neighbours = Neighbours(store.org, job.object, names)
        for number, chunk in enumerate(split(source.rows())):
            locked = neighbours.locked(chunk)
            if number in done:
                continue
            check_stop()
            if faults is not None and faults.take("CHUNK", job.object, job.org_id) == "lock-row":
                locked = set(range(len(chunk)))
            _run_chunk(store, job, (number, chunk, locked), names)
    except Aborted:
        return
    except BadBatch as error:
        store.move(job.id, ("InProgress",), state="Failed", error=str(error))
        return
    spent = job.milliseconds + int((time.monotonic() - started) * 1000)
    store.move(job.id, ("InProgress",), state="JobComplete", milliseconds=spent)


def split(records: Iterator[Record]) -> Iterator[list[Record]]:
    """The rows of a file in chunks of 200."""
    while chunk := list(islice(records, CHUNK)):
        yield chunk


def locked_result() -> Result:
    """The result of a row whose parent somebody else holds."""
    return ["", False, f"UNABLE_TO_LOCK_ROW:{LOCKED.format('000000000000000')}:--"]


class Neighbours:
    """Which rows of a chunk are refused because the chunk before, which runs beside it, holds a parent of theirs.

    Only where the setting `chunks_lock_parents` is on: Salesforce runs the chunks of a job in parallel, and rows that
    share a parent get in each other's way unless they stand together [data.md 1.9]."""

    def __init__(self, org: OrgState, name: str, names: list[str]) -> None:
        on = bool(org.settings.get("chunks_lock_parents", False))
        definition = org.object(name)
        fields = [definition.find(one) for one in names]
        self._places = [
            place for place, field in enumerate(fields)
            if on and field is not None and field.type == "reference" and field.name != "OwnerId"
        ]  # fmt: skip
        self._held: set[str] = set()

    def locked(self, chunk: Sequence[Record]) -> set[int]:
        """The places of such rows; their parents count as held by this chunk in turn."""
        parents = [
            {record.cells[place][:15] for place in self._places if not record.error and record.cells[place]}
            for record in chunk
        ]
        found = {number for number, mine in enumerate(parents) if mine & self._held}
        self._held = set().union(*parents)
        return found


def _run_chunk(store: BulkStore, job: Job, what: tuple[int, list[Record], set[int]], names: list[str]) -> None:
    number, chunk, locked = what
    with store.org.transaction():
        now = store.move(job.id, ("InProgress",))
        if now is None:
            raise Aborted
        results = save_chunk(store, job, names, chunk, locked)
        store.save_chunk(job.id, number, results)
        failed = sum(1 for result in results if result[2])
        store.move(job.id, ("InProgress",), processed=now.processed + len(results), failed=now.failed + failed)


def save_chunk(
    store: BulkStore, job: Job, names: list[str], chunk: Sequence[Record], locked: Set[int] = frozenset()
) -> list[Result]:
    """Save the readable rows of a chunk but for the `locked` ones; one result for each row, in the file's order."""
    results: list[Result] = [["", False, record.error] for record in chunk]
    for number in {*locked, *(range(0, len(chunk), 3) if job.fault == "some-fail" else ())}:
        results[number] = locked_result()
    readable = [number for number, result in enumerate(results) if not result[2]]
    with as_user(job.created_by):
        saved = _save(store, job, [as_row(names, chunk[number].cells) for number in readable])
    for number, one in zip(readable, saved, strict=True):
        results[number] = [one.id or "", one.created, "" if one.success else error_text(one)]
    return results


def _save(store: BulkStore, job: Job, wanted: list[dict[str, str | None]]) -> list[Saved]:
    org, user_id = store.org, job.created_by
    if not wanted:
        return []
    if job.operation == "insert":
        return rows.insert(org, user_id, job.object, wanted)
    if job.operation == "update":
        return rows.update(org, user_id, job.object, wanted)
    if job.operation == "upsert":
        return rows.upsert(org, user_id, job.object, job.external_id, wanted)
    return _delete(store, job, [_id_of(row) for row in wanted])


def _id_of(row: dict[str, str | None]) -> str:
    return next((value or "" for name, value in row.items() if name.lower() == "id"), "")


def _delete(store: BulkStore, job: Job, ids: list[str]) -> list[Saved]:
    prefix = store.org.object(job.object).key_prefix
    mine = [row_id for row_id in ids if row_id.startswith(prefix)]
    hard = job.operation == "hardDelete"
    saved = iter(rows.delete(store.org, job.created_by, mine, hard=hard))
    return [next(saved) if row_id.startswith(prefix) else wrong_id(row_id) for row_id in ids]


def wrong_id(row_id: str) -> Saved:
    """The result of a deletion whose id is missing or of another object."""
    if not row_id:
        return Saved(None, False, errors=(("MISSING_ARGUMENT", "Id not specified in a delete call", ()),))
    return Saved(None, False, errors=(("MALFORMED_ID", f"bad id {row_id}", ("Id",)),))


def error_text(saved: Saved) -> str:
    """`sf__Error` of a row: CODE:message:fields --"""
    code, message, fields = saved.errors[0]
    return f"{code}:{message}:{' '.join(fields)} --" if fields else f"{code}:{message}:--"
