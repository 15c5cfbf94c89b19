"""Reading the rows of the objects in scope into encrypted parts: many objects and pages at once, memory bounded.

Large objects come through Bulk 2.0 query jobs (`capture_bulk.py`); small ones, those that Bulk refuses, and those whose
files' contents are wanted, over REST. Every object is counted before and after; `settle.py` then reads again what
changed while the capture ran.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from threading import Semaphore

from rehearse.baseline.bodies import body_fields, with_bodies
from rehearse.baseline.capture_bulk import read_bulk
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
from rehearse.baseline.working import Working
from rehearse.baseline.writing import sync_folder
from rehearse.errors import OrgRejected
from rehearse.events import Finished, OnEvent, Started, ignore
from rehearse.org.model import Schema
from rehearse.org.reader import OrgReader

OBJECTS_AT_ONCE = 4
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
    with ThreadPoolExecutor(PAGES_AT_ONCE) as pages, ThreadPoolExecutor(OBJECTS_AT_ONCE) as objects:
        counts = dict(
            zip((one.name for one, _ in wanted), objects.map(lambda one: _count(reader, one[0]), wanted), strict=True)
        )
        tally = Tally(sum(one for one in counts.values() if isinstance(one, int)), on_event)
        on_event(Started("records", tally.total, "rows"))
        reading = RowReading(reader, working, pages, Semaphore(DOWNLOADS_AT_ONCE), rest_rows, tally)
        futures = {objects.submit(_read_object, reading, one, counts[one[0].name]): one[0].name for one in wanted}
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
    on_event(Finished("records", f"{tally.rows:,} rows of {len(read)} objects"))
    return sorted(read, key=lambda one: one.scope.name), refused


def _count(reader: OrgReader, scope: ObjectScope) -> int | OrgRejected:
    try:
        return fetch_expected(reader, scope)
    except OrgRejected as error:
        return error


def _read_object(reading: RowReading, asked: tuple[ObjectScope, Schema], expected: int | OrgRejected) -> ReadObject:
    scope, schema = asked
    if isinstance(expected, OrgRejected):
        raise expected
    shape = shape_of_rows(scope, schema)
    done = reading.working.load_done(scope)
    if done is not None:
        reading.tally.add(done[0].rows)
        return ReadObject(shape, scope, *done)
    parts, note = read_parts(reading, shape, scope, expected)
    found = total(scope.name, parts)
    if found.rows > reading.rest_rows:
        reading.working.save_done(scope, found, note)
    elif found.parts:
        sync_folder(reading.working.folder / scope.name)  # read again sooner than remembered
    return ReadObject(shape, scope, found, note)


def read_parts(
    reading: RowReading, shape: RowShape, scope: ObjectScope, expected: int
) -> tuple[list[tuple[Part, int]], str]:
    """All rows of a scope as parts with the sums of their digests, and a note where that took another way."""
    note = ""
    large = expected > reading.rest_rows or len(build_query(shape, scope.where)) > REST_QUERY_BYTES
    if large and not body_fields(shape) and not only_by_parent(scope.name):
        try:
            return read_bulk(reading, shape, scope), note
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
