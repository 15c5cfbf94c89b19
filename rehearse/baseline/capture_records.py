"""Reading the rows of the objects in scope into encrypted parts: many objects and pages at once, memory bounded.

Large objects come through Bulk 2.0 query jobs, page by page (resultPages); small ones, and those that Bulk refuses,
over REST. Pages touch the disk only as files without a name, so that a crash leaves no readable row behind. Every
object is counted before and after; `settle.py` then reads again what changed while the capture ran.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from threading import Semaphore
from typing import Any

from rehearse.baseline.canonical import DIGEST_MODULUS, value_text
from rehearse.baseline.canonical_arrays import text_array
from rehearse.baseline.csv_page import read_page
from rehearse.baseline.model import CoverageRow, ObjectCapture, ObjectScope, Part
from rehearse.baseline.record_parts import PartFile, PartWriter, RowShape, build_batch
from rehearse.baseline.working import Working
from rehearse.baseline.writing import nameless_file, sync_folder
from rehearse.errors import NotFound, OrgBusy, OrgError, OrgRejected
from rehearse.events import Advanced, Finished, OnEvent, Started, ignore
from rehearse.org.model import Schema, Value
from rehearse.org.reader import OrgReader

OBJECTS_AT_ONCE = 4
PAGES_AT_ONCE = 4
DOWNLOADS_AT_ONCE = 3
"""One less than pages, so that a page is being converted while the others are on the line."""
REST_ROWS = 2_000
"""Objects of up to so many rows are read over REST: one call instead of the five of a query job."""
REST_QUERY_BYTES = 8_000
"""Longer queries go through Bulk, which takes them in a body: an address holds 16,384 bytes."""
_PAGE_TRIES = 3
_ARCHIVED = frozenset({"Task", "Event"})


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


@dataclass(frozen=True)
class RowReading:
    """What reading rows needs: the org, the capture under way, the page workers, the line, and the limit for REST."""

    reader: OrgReader
    working: Working
    pages: ThreadPoolExecutor
    line: Semaphore
    rest_rows: int = REST_ROWS


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
    rows = 0
    on_event(Started("records", len(wanted), "objects"))
    with ThreadPoolExecutor(PAGES_AT_ONCE) as pages, ThreadPoolExecutor(OBJECTS_AT_ONCE) as objects:
        reading = RowReading(reader, working, pages, Semaphore(DOWNLOADS_AT_ONCE), rest_rows)
        futures = {objects.submit(_read_object, reading, scope, schema): scope.name for scope, schema in wanted}
        try:
            for future in as_completed(futures):
                try:
                    read.append(future.result())
                    rows += read[-1].found.rows
                except OrgRejected as error:
                    note = f"{error.org_code}: {error.org_message}"
                    refused.append(CoverageRow("records", futures[future], "unreadable", note=note))
                on_event(Advanced("records", len(read) + len(refused), len(wanted), "objects"))
        except BaseException:
            for pool in (objects, pages):
                pool.shutdown(wait=False, cancel_futures=True)
            raise
    on_event(Finished("records", f"{rows} rows of {len(read)} objects"))
    return sorted(read, key=lambda one: one.scope.name), refused


def shape_of_rows(scope: ObjectScope, schema: Schema) -> RowShape:
    """What to select of an object: comparable fields, and its stamp and author where it has them."""
    stamp = next((one for one in ("SystemModstamp", "LastModifiedDate", "CreatedDate") if schema.field(one)), None)
    author = next((one for one in ("LastModifiedById", "CreatedById") if schema.field(one)), None)
    return RowShape(scope.name, scope.fields, stamp, author)


def build_query(shape: RowShape, *conditions: str | None) -> str:
    """The SELECT of an object's columns under all given conditions."""
    return f"SELECT {', '.join(shape.columns)} FROM {shape.object}{build_where(*conditions)}"


def build_where(*conditions: str | None) -> str:
    """` WHERE` with all given conditions, each in brackets; the empty text without any."""
    said = [f"({one})" for one in conditions if one]
    return f" WHERE {' AND '.join(said)}" if said else ""


def with_archived(object: str) -> bool:
    """Whether the object's old rows are archived, so that only queryAll sees them (SOAP guide, archived activities)."""
    return object in _ARCHIVED


def alive(object: str) -> str | None:
    """The condition that leaves out binned rows where queryAll is used."""
    return "IsDeleted = false" if with_archived(object) else None


def fetch_expected(reader: OrgReader, scope: ObjectScope) -> int:
    """How many live rows the org counts in a scope."""
    where = build_where(scope.where, alive(scope.name))
    return reader.fetch_count(f"SELECT COUNT() FROM {scope.name}{where}", deleted=with_archived(scope.name))


def write_rows(file: PartFile, shape: RowShape, rows: Iterable[Mapping[str, Value]]) -> tuple[Part, int]:
    """Write rows that came as JSON into one part; returns it with the sum of its digests."""
    with PartWriter(file, shape.fields) as writer:
        waiting = iter(rows)
        while batch := list(islice(waiting, REST_ROWS)):
            columns = {name: text_array(_texts(row.get(name) for row in batch)) for name in shape.columns}
            writer.write(build_batch(columns, shape))
    return writer.finish(), writer.digest_sum


def _texts(values: Iterable[Value]) -> list[str | None]:
    """`value_text` of each; most values are texts or null already, and need no call."""
    return [one if one is None or (type(one) is str and one) else value_text(one) for one in values]


def total(object: str, parts: Iterable[tuple[Part, int]]) -> ObjectCapture:
    """The capture of an object from its parts and their digest sums; empty parts are left out."""
    kept = [(part, digests) for part, digests in parts if part.rows]
    digest_sum = sum(digests for _, digests in kept) % DIGEST_MODULUS
    return ObjectCapture(
        object, sum(part.rows for part, _ in kept), f"{digest_sum:032x}", tuple(part for part, _ in kept)
    )


def _read_object(reading: RowReading, scope: ObjectScope, schema: Schema) -> ReadObject:
    shape = shape_of_rows(scope, schema)
    done = reading.working.load_done(scope)
    if done is not None:
        return ReadObject(shape, scope, *done)
    reading.working.forget(scope.name)
    expected = fetch_expected(reading.reader, scope)
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
    if expected > reading.rest_rows or len(build_query(shape, scope.where)) > REST_QUERY_BYTES:
        try:
            return _read_bulk(reading, shape, scope), ""
        except OrgRejected as error:
            note = f"read over REST: {error.org_code}"
            reading.working.forget(scope.name)
            return [_read_rest(reading, shape, scope)], note
    return [_read_rest(reading, shape, scope)], ""


def _read_rest(reading: RowReading, shape: RowShape, scope: ObjectScope) -> tuple[Part, int]:
    deleted = with_archived(shape.object)
    rows = reading.reader.fetch_rows(build_query(shape, scope.where, alive(shape.object)), deleted=deleted)
    written = write_rows(part_file(reading.working, shape.object, 1), shape, rows)
    if not written[0].rows:
        (reading.working.folder / written[0].path).unlink()
    return written


def _read_bulk(reading: RowReading, shape: RowShape, scope: ObjectScope) -> list[tuple[Part, int]]:
    reader = reading.reader
    soql = build_query(shape, scope.where, alive(shape.object))
    job = reader.start_query_job(soql, deleted=with_archived(shape.object))
    try:
        ended = reader.wait_query_job(job.id)
        futures: list[Future[tuple[Part, int, str | None]]] = []
        for number, locator in enumerate(reader.fetch_page_locators(job.id), 1):
            futures.append(reading.pages.submit(_read_page, reading, shape, (job.id, locator), number))
        pages = [future.result() for future in futures]
        while float(reader.api_version) < 58.0 and pages and pages[-1][2] is not None:
            pages.append(_read_page(reading, shape, (job.id, pages[-1][2]), len(pages) + 1))
        rows = sum(part.rows for part, _, _ in pages)
        if rows != ended.processed:
            raise OrgBusy(
                f"The pages of {shape.object} hold {rows} rows where its job counted {ended.processed}.", "Run again."
            )
        return [(part, digests) for part, digests, _ in pages]
    finally:
        with suppress(OrgError, NotFound):
            reader.delete_query_job(job.id)


def _read_page(
    reading: RowReading, shape: RowShape, source: tuple[str, str | None], number: int
) -> tuple[Part, int, str | None]:
    def once() -> tuple[Part, int, str | None]:
        with nameless_file(reading.working.folder) as path:
            with reading.line:
                page = reading.reader.download_page(*source, path)
            with PartWriter(part_file(reading.working, shape.object, number), shape.fields) as writer:
                for batch in read_page(path, shape.columns, page.rows):
                    writer.write(build_batch(_columns(batch), shape))
            return writer.finish(), writer.digest_sum, page.next_locator

    return _patiently(once)


def _patiently(once: Callable[[], tuple[Part, int, str | None]]) -> tuple[Part, int, str | None]:
    for left in range(_PAGE_TRIES - 1, -1, -1):
        try:
            return once()
        except OrgBusy:
            if not left:
                raise
    raise AssertionError("unreachable")


def part_file(working: Working, object: str, number: int) -> PartFile:
    """Where the part of this number of an object goes."""
    return PartFile(working.folder, f"{object}/part-{number:05d}.parquet", working.ulid, working.key)


def _columns(batch: Any) -> dict[str, Any]:
    return {name: batch.column(place) for place, name in enumerate(batch.schema.names)}
