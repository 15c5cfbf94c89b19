"""All rows of a capture: objects that can be built on a base as increments, the others whole, and all of them settled.

An object whose increment does not agree with the org's own count is read whole after all. Whole objects are settled
when everything is read; increments are made last, so that they see what changed meanwhile. Where the whole ones are all
small, as the base knows, they take no longer than the increments: then both are made at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Semaphore

from rehearse.baseline.capture_records import (
    DOWNLOADS_AT_ONCE,
    PAGES_AT_ONCE,
    ReadObject,
    capture_records,
)
from rehearse.baseline.field_listing import is_redefined
from rehearse.baseline.incremental import can_build, read_since
from rehearse.baseline.model import CoverageRow, ObjectScope
from rehearse.baseline.record_store import find_object
from rehearse.baseline.row_reading import RowReading
from rehearse.baseline.settle import settle_object
from rehearse.baseline.silent_changes import Base
from rehearse.baseline.working import Working
from rehearse.events import Advanced, Finished, OnEvent, Started
from rehearse.org.model import Schema
from rehearse.org.reader import OrgReader

INCREMENTS_AT_ONCE = 8
"""Most of them are two short questions."""
Wanted = Sequence[tuple[ObjectScope, Schema]]


@dataclass(frozen=True)
class RowsWork:
    """Whom to read, into which capture, on top of what, and which objects are small enough for REST."""

    reader: OrgReader
    working: Working
    base: Base | None
    rest_rows: int
    on_event: OnEvent


def read_rows(work: RowsWork, wanted: Wanted) -> tuple[list[ReadObject], list[CoverageRow]]:
    """Read all wanted objects; those that the org will not show become coverage rows. Raises OrgError, DiskFull."""
    base = work.base
    later = [] if base is None else [one for one in wanted if _can_build(work, base, *one)]
    whole = [one for one in wanted if one not in later]
    if later and all(_is_small(work, base, scope) for scope, _ in whole):
        with ThreadPoolExecutor(1) as beside:
            building = beside.submit(_read_later, work, later)
            read, refused = _read_whole(work, whole)
            built, failed = building.result()
    else:
        read, refused = _read_whole(work, whole)
        built, failed = _read_later(work, later)
    again, more = _read_whole(work, failed) if failed else ([], [])
    return sorted([*read, *built, *again], key=lambda one: one.scope.name), [*refused, *more]


def _can_build(work: RowsWork, base: Base, scope: ObjectScope, schema: Schema) -> bool:
    same_fields = not is_redefined(scope.name, base.changed_fields)
    return same_fields and can_build(base.capture, scope, schema, work.rest_rows)


def _is_small(work: RowsWork, base: Base | None, scope: ObjectScope) -> bool:
    """Whether an object had so few rows that it was read over REST."""
    found = find_object(base.capture, scope.name) if base else None
    return found is not None and found.rows <= work.rest_rows


def _read_whole(work: RowsWork, wanted: Wanted) -> tuple[list[ReadObject], list[CoverageRow]]:
    read, refused = capture_records(work.reader, work.working, wanted, work.rest_rows, work.on_event)
    work.on_event(Started("changes during the capture", len(read), "objects"))
    with ThreadPoolExecutor(INCREMENTS_AT_ONCE) as pool:
        settled = list(pool.map(lambda one: settle_object(work.reader, work.working, one), read))
    work.on_event(Finished("changes during the capture"))
    return settled, refused


def _read_later(work: RowsWork, later: Wanted) -> tuple[list[ReadObject], list[tuple[ObjectScope, Schema]]]:
    """The objects as increments, and those that have to be read whole."""
    base = work.base
    if base is None or not later:
        return [], []
    built: list[ReadObject] = []
    failed: list[tuple[ObjectScope, Schema]] = []
    work.on_event(Started("changes since the base", len(later), "objects"))
    with ThreadPoolExecutor(PAGES_AT_ONCE) as pages, ThreadPoolExecutor(INCREMENTS_AT_ONCE) as objects:
        reading = RowReading(work.reader, work.working, pages, Semaphore(DOWNLOADS_AT_ONCE), work.rest_rows)
        found = objects.map(lambda one: read_since(base, reading, *one), later)
        for number, (one, read) in enumerate(zip(later, found, strict=True), 1):
            if read is None:
                failed.append(one)
            else:
                built.append(read)
            work.on_event(Advanced("changes since the base", number, len(later), "objects"))
    work.on_event(Finished("changes since the base", f"{len(built)} of {len(later)} objects built on the base"))
    return built, failed
