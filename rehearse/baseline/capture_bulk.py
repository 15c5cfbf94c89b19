"""Reading an object through a Bulk 2.0 query job: its pages side by side, each checked, converted and encrypted.

Pages touch the disk only as files without a name, so that a crash leaves no readable row behind. Which job it is and
which of its pages are stored is written down as it happens: a killed capture takes the job back and reads only the
pages that it lacks, for a page can be read again while the job exists (facts/data.md 1.2).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from rehearse.baseline.csv_page import read_page
from rehearse.baseline.model import ObjectScope, Part
from rehearse.baseline.record_parts import PartWriter, RowShape, build_batch
from rehearse.baseline.row_reading import RowReading, alive, build_query, part_file, with_archived
from rehearse.baseline.writing import file_sha256, make_private_folder, nameless_file, write_durably
from rehearse.errors import NotFound, OrgBusy, OrgError, OrgRejected

JOB = "job.json"
_PAGE_TRIES = 3
Page = tuple[Part, int, str | None]
"""A stored page: its part, the sum of its digests, and the locator of the next one where that is the only way on."""


@dataclass
class QueryJob:
    """A query job and its stored pages (number -> part and sum of digests), kept in a file beside the parts."""

    path: Path
    id: str
    soql: str
    pages: dict[int, tuple[Part, int]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def keep(self, number: int, part: Part, digests: int) -> None:
        """Write down that a page is stored."""
        with self._lock:
            self.pages[number] = part, digests
            self.save()

    def save(self) -> None:
        """Write down the job as it stands."""
        pages = {str(number): [asdict(part), str(digests)] for number, (part, digests) in self.pages.items()}
        write_durably(self.path, json.dumps({"id": self.id, "soql": self.soql, "pages": pages}).encode())


def begin_bulk(reading: RowReading, shape: RowShape, scope: ObjectScope) -> QueryJob:
    """The query job of an object: that of an interrupted capture, or a new one. Raises OrgRejected, DiskFull."""
    return _take_back(reading, shape, scope) or _start(reading, shape, scope)


def read_bulk(reading: RowReading, shape: RowShape, job: QueryJob) -> list[tuple[Part, int]]:
    """All pages of a begun job as parts with the sums of their digests.

    Raises OrgRejected where the job failed, OrgBusy where its pages do not add up, DiskFull.
    """
    reader = reading.reader
    try:
        ended = reader.wait_query_job(job.id)
        pages = _read_pages(reading, shape, job)
        rows = sum(part.rows for part, _, _ in pages)
        if rows != ended.processed:
            _end(reading, job)
            raise OrgBusy(
                f"The pages of {shape.object} hold {rows} rows where its job counted {ended.processed}.", "Run again."
            )
    except OrgRejected:
        _end(reading, job)
        raise
    _end(reading, job)
    return [(part, digests) for part, digests, _ in pages]


def _read_pages(reading: RowReading, shape: RowShape, job: QueryJob) -> list[Page]:
    futures: list[Future[Page]] = []
    for number, locator in enumerate(reading.reader.fetch_page_locators(job.id), 1):
        futures.append(reading.pages.submit(_read_page, reading, shape, (job, locator), number))
    pages = [future.result() for future in futures]
    while float(reading.reader.api_version) < 58.0 and pages and pages[-1][2] is not None:
        pages.append(_read_page(reading, shape, (job, pages[-1][2]), len(pages) + 1))
    return pages


def _start(reading: RowReading, shape: RowShape, scope: ObjectScope) -> QueryJob:
    reading.working.forget(scope.name)
    soql = build_query(shape, scope.where, alive(shape.object))
    started = reading.reader.start_query_job(soql, deleted=with_archived(shape.object))
    path = reading.working.folder / scope.name / JOB
    make_private_folder(path.parent)
    job = QueryJob(path, started.id, soql)
    job.save()
    return job


def _take_back(reading: RowReading, shape: RowShape, scope: ObjectScope) -> QueryJob | None:
    """The job of an interrupted capture, with those of its pages that are stored whole; None where there is none."""
    path = reading.working.folder / scope.name / JOB
    if not path.exists() or float(reading.reader.api_version) < 58.0:
        return None
    try:
        known = json.loads(path.read_bytes())
        pages = {int(number): (Part(**part), int(digests)) for number, (part, digests) in known["pages"].items()}
        if known["soql"] != build_query(shape, scope.where, alive(shape.object)):
            return None
        reading.reader.adopt_query_job(known["id"])
    except (ValueError, KeyError, TypeError, NotFound, OrgRejected):
        return None
    whole = {number: page for number, page in pages.items() if _is_whole(reading, page[0])}
    return QueryJob(path, known["id"], known["soql"], whole)


def _is_whole(reading: RowReading, part: Part) -> bool:
    path = reading.working.folder / part.path
    return path.is_file() and file_sha256(path) == part.sha256


def _end(reading: RowReading, job: QueryJob) -> None:
    with suppress(OrgError, NotFound):
        reading.reader.delete_query_job(job.id)
    job.path.unlink(missing_ok=True)


def _read_page(reading: RowReading, shape: RowShape, source: tuple[QueryJob, str | None], number: int) -> Page:
    job, locator = source
    if number in job.pages:
        reading.tally.add(job.pages[number][0].rows)
        return *job.pages[number], None

    def once() -> Page:
        with nameless_file(reading.working.folder) as path:
            with reading.line:
                page = reading.reader.download_page(job.id, locator, path)
            with PartWriter(part_file(reading.working, shape.object, number), shape.fields) as writer:
                for batch in read_page(path, shape.columns, page.rows):
                    writer.write(build_batch(_columns(batch), shape))
            return writer.finish(), writer.digest_sum, page.next_locator

    part, digests, following = _patiently(once)
    job.keep(number, part, digests)
    reading.tally.add(part.rows)
    return part, digests, following


def _patiently(once: Callable[[], Page]) -> Page:
    for left in range(_PAGE_TRIES - 1, -1, -1):
        try:
            return once()
        except OrgBusy:
            if not left:
                raise
    raise AssertionError("unreachable")


def _columns(batch: Any) -> dict[str, Any]:
    return {name: batch.column(place) for place, name in enumerate(batch.schema.names)}
