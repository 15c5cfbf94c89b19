"""Reading the rows of the objects in scope into encrypted parts: many objects and pages at once, memory bounded.

Large objects come through Bulk 2.0 query jobs (`capture_bulk.py`); small ones, those that Bulk refuses, and those whose
files' contents are wanted, over REST. Every object is counted before and after; `settle.py` then reads again what
changed while the capture ran.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from threading import Semaphore

from rehearse.baseline.bodies import body_fields, with_bodies
from rehearse.baseline.capture_bulk import QueryJob, begin_bulk, read_bulk
from rehearse.baseline.jobs_ahead import JobsAhead
from rehearse.baseline.model import CoverageRow, ObjectCapture, ObjectScope, Part
from rehearse.baseline.record_parts import RowShape
from rehearse.baseline.row_reading import (
    REST_ROWS,
    RowReading,
    Tally,
    build_query,
    fetch_all_rows,
    fetch_expected,
    only_by_parent,
    part_file,
    shape_of_rows,
    total,
    write_rows,
)
from rehearse.baseline.working import DONE, Working
from rehearse.baseline.writing import sync_folder
from rehearse.errors import OrgRejected
from rehearse.events import Finished, OnEvent, Started, ignore
from rehearse.org.model import Schema
from rehearse.org.reader import OrgReader

OBJECTS_AT_ONCE = 4
COUNTS_AT_ONCE = 8
PAGES_AT_ONCE = 4
DOWNLOADS_AT_ONCE = 3
"""One less than pages, so that a page is being converted while the others are on the line."""
REST_QUERY_BYTES = 8_000
"""Longer queries go through Bulk, which takes them in a body: an address holds 16,384 bytes."""


@dataclass(frozen=True)
class ReadObject:
    """What was read of one object, with its shape; `note` is not empty when something about it is odd.

    `expected` is the org's own count after everything was read; None where it was not asked.
    """

    shape: RowShape
    scope: ObjectScope
    found: ObjectCapture
    note: str = ""
    expected: int | None = None


def capture_records(
    reader: OrgReader,
    working: Working,
    wanted: Sequence[tuple[ObjectScope, Schema]],
    rest_rows: int = REST_ROWS,
    on_event: OnEvent = ignore,
) -> tuple[list[ReadObject], list[CoverageRow]]:
    """Read all rows of the wanted objects; objects that the org will not show become coverage rows.

    Raises OrgError where the org fails, DiskFull, Damaged.
    """
    read: list[ReadObject] = []
    refused: list[CoverageRow] = []
    counts = _count_all(reader, [one for one, _ in wanted])
    tally = Tally(sum(one for one in counts.values() if isinstance(one, int)), on_event)
    on_event(Started("records", tally.total, "rows"))
    with ThreadPoolExecutor(PAGES_AT_ONCE) as pages, ThreadPoolExecutor(OBJECTS_AT_ONCE) as objects:
        reading = RowReading(reader, working, pages, Semaphore(DOWNLOADS_AT_ONCE), rest_rows, tally)
        asked = [_Asked(scope, shape_of_rows(scope, schema), counts[scope.name]) for scope, schema in wanted]
        begin = {one.scope.name: partial(begin_bulk, reading, one.shape, one.scope) for one in asked}
        ahead = JobsAhead({one.scope.name: begin[one.scope.name] for one in asked if _lacks_a_job(reading, one)})
        futures = {objects.submit(_read_object, reading, one, ahead): one.scope.name for one in asked}
        try:
            for future in as_completed(futures):
                try:
                    read.append(future.result())
                except OrgRejected as error:
                    note = f"{error.org_code}: {error.org_message}"
                    refused.append(CoverageRow("records", futures[future], "unreadable", note=note))
        except BaseException:
            for pool in (objects, pages):
                pool.shutdown(wait=False, cancel_futures=True)
            raise
        finally:
            ahead.close()
    on_event(Finished("records", f"{tally.rows:,} rows of {len(read)} objects"))
    return sorted(read, key=lambda one: one.scope.name), refused


def _count_all(reader: OrgReader, wanted: Sequence[ObjectScope]) -> dict[str, int | OrgRejected]:
    """How many rows the org counts in each scope, or what it says against that."""
    with ThreadPoolExecutor(COUNTS_AT_ONCE) as pool:
        return dict(zip((one.name for one in wanted), pool.map(lambda one: _count(reader, one), wanted), strict=True))


def _count(reader: OrgReader, scope: ObjectScope) -> int | OrgRejected:
    try:
        return fetch_expected(reader, scope)
    except OrgRejected as error:
        return error


@dataclass(frozen=True)
class _Asked:
    """An object to read: its scope, what to select, and the rows that the org counts."""

    scope: ObjectScope
    shape: RowShape
    expected: int | OrgRejected


def _lacks_a_job(reading: RowReading, asked: _Asked) -> bool:
    """Whether an object is read by a query job, and is not stored yet."""
    stored = (reading.working.folder / asked.scope.name / DONE).exists()
    large = isinstance(asked.expected, int) and _takes_a_job(reading, asked.shape, asked.scope, asked.expected)
    return large and not stored


def _read_object(reading: RowReading, asked: _Asked, ahead: JobsAhead[QueryJob]) -> ReadObject:
    scope, shape = asked.scope, asked.shape
    if isinstance(asked.expected, OrgRejected):
        raise asked.expected
    done = reading.working.load_done(scope)
    if done is not None:
        reading.tally.add(done[0].rows)
        return ReadObject(shape, scope, *done)
    parts, note = read_parts(reading, shape, scope, asked.expected, ahead)
    found = total(scope.name, parts)
    if found.rows > reading.rest_rows:
        reading.working.save_done(scope, found, note)
    elif found.parts:
        sync_folder(reading.working.folder / scope.name)  # read again sooner than remembered
    return ReadObject(shape, scope, found, note)


def _takes_a_job(reading: RowReading, shape: RowShape, scope: ObjectScope, expected: int) -> bool:
    large = expected > reading.rest_rows or len(build_query(shape, scope.where)) > REST_QUERY_BYTES
    return large and not body_fields(shape) and not only_by_parent(scope.name)


def read_parts(
    reading: RowReading, shape: RowShape, scope: ObjectScope, expected: int, ahead: JobsAhead[QueryJob] | None = None
) -> tuple[list[tuple[Part, int]], str]:
    """All rows of a scope as parts with the sums of their digests, and a note where that took another way.

    `ahead` may have begun its job already.
    """
    note = ""
    begin = partial(begin_bulk, reading, shape, scope)
    if _takes_a_job(reading, shape, scope, expected):
        try:
            return read_bulk(reading, shape, ahead.take(scope.name, begin) if ahead else begin()), note
        except OrgRejected as error:
            note = f"read over REST: {error.org_code}"
    reading.working.forget(scope.name)
    return [_read_rest(reading, shape, scope)], note


def _read_rest(reading: RowReading, shape: RowShape, scope: ObjectScope) -> tuple[Part, int]:
    rows = fetch_all_rows(reading.reader, shape, scope)
    kept = with_bodies(reading.reader, reading.working, shape, rows)
    written = write_rows(part_file(reading.working, shape.object, 1), shape, kept)
    if not written[0].rows:
        (reading.working.folder / written[0].path).unlink()
    reading.tally.add(written[0].rows)
    return written
