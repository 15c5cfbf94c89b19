"""After the rows were read: what changed meanwhile is read again, what was deleted is taken out, and rows are counted.

A stamp is set inside a transaction and seen only when it commits, so the window reaches back before the start
(facts/data.md 3, Clock). Parts are never edited: those that hold an outdated row are written anew, and the re-read rows
go into a part of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyarrow.compute as pc

from rehearse.baseline.bodies import with_bodies
from rehearse.baseline.canonical import stored_value, value_text
from rehearse.baseline.canonical_arrays import sum_digest_array, text_array
from rehearse.baseline.capture_records import ReadObject
from rehearse.baseline.lookup_counts import count_lookups, fetch_counts, lookups_of
from rehearse.baseline.model import ObjectCapture, Part
from rehearse.baseline.record_parts import PartFile, PartWriter, RowShape, part_schema, read_part
from rehearse.baseline.row_reading import (
    alive,
    build_where,
    part_file,
    total,
    with_archived,
    write_rows,
)
from rehearse.baseline.working import Working
from rehearse.errors import OrgRejected
from rehearse.org.model import Row, Value
from rehearse.org.reader import OrgReader

OVERLAP = timedelta(minutes=5)
"""How far before the capture's start a late commit may carry its stamp [unsure: Salesforce publishes no number]."""


_PASSES = 3
"""How often what changed is read again while the org's count differs from what was read."""


def settle_object(reader: OrgReader, working: Working, read: ReadObject) -> ReadObject:
    """The object with everything that changed since the capture began; `note` says so when the counts still differ."""
    expected = 0
    for _ in range(_PASSES):
        if read.shape.stamp is not None:
            read = _settle_once(reader, working, read)
        counts = fetch_counts(reader, read.scope)
        expected = counts.rows
        if expected == read.found.rows and counts.filled in (None, _count(working, read)):
            return replace(read, expected=expected)
        if read.shape.stamp is None:
            break
    if expected == read.found.rows:
        note = "rows were deleted while the capture ran, and look-ups to them were cleared: something writes to it"
        return replace(read, expected=expected, note=note)
    fewer = read.found.rows < expected
    why = "some cannot be read, or something writes to it" if fewer else "something writes to it"
    note = f"the org counts {expected:,} rows and gave {read.found.rows:,}: {why} while the capture runs"
    return replace(read, expected=expected, note=note)


def _count(working: Working, read: ReadObject) -> dict[str, int]:
    """How many rows hold each look-up: a deletion clears look-ups without a stamp, and the org then counts fewer."""

    def batches(names: Sequence[str]) -> Iterator[Any]:
        for part in read.found.parts:
            yield from read_part(_file(working, part), names)

    return count_lookups(lookups_of(read.scope), read.found, batches)


def _settle_once(reader: OrgReader, working: Working, read: ReadObject) -> ReadObject:
    live, gone = _fetch_moved(reader, read, f"{working.started - OVERLAP:%Y-%m-%dT%H:%M:%SZ}")
    changed = _fetch_changed(reader, working, read, live)
    if not (changed or gone):
        return read
    changed = {str(row["Id"]): dict(row) for row in with_bodies(reader, working, read.shape, changed.values())}
    return replace(read, found=_patch(working, read, changed, gone))


def _fetch_moved(reader: OrgReader, read: ReadObject, since: str) -> tuple[dict[str, str | None], set[str]]:
    """The live rows of the window with their stamps, and those that went to the bin in it; one query where one tells.

    A filter may leave out rows that went: then both are asked for.
    """
    shape, stamp = read.shape, read.shape.stamp or ""
    if read.scope.where is None:
        with suppress(OrgRejected):  # no recycle bin, or no filter on the stamp: asked for one by one
            soql = f"SELECT Id, {stamp}, IsDeleted FROM {shape.object} WHERE {stamp} >= {since}"
            rows = list(reader.fetch_rows(soql, deleted=True))
            return dict(_stamped(row, stamp) for row in rows if not row["IsDeleted"]), _ids(rows, deleted=True)
    where = build_where(f"{stamp} >= {since}", read.scope.where, alive(shape.object))
    live: dict[str, str | None] = {}
    with suppress(OrgRejected):  # some objects take no filter on their stamp; the count still tells
        soql = f"SELECT Id, {stamp} FROM {shape.object}{where}"
        live = dict(_stamped(row, stamp) for row in reader.fetch_rows(soql, deleted=with_archived(shape.object)))
    return live, fetch_deleted(reader, shape, since)


def _stamped(row: Row, stamp: str) -> tuple[str, str | None]:
    return str(stored_value("id", value_text(row["Id"]))), stored_value("datetime", value_text(row[stamp]))


def _ids(rows: Iterable[Row], *, deleted: bool) -> set[str]:
    return {str(stored_value("id", value_text(row["Id"]))) for row in rows if bool(row["IsDeleted"]) is deleted}


def _fetch_changed(
    reader: OrgReader, working: Working, read: ReadObject, live: Mapping[str, str | None]
) -> dict[str, dict[str, Value]]:
    """Those of the live rows whose stamp is not the captured one, or that were not captured at all."""
    captured = _stamps(working, read.found, live)
    ids = sorted(one for one, stamp in live.items() if captured.get(one) != stamp)
    archived = with_archived(read.shape.object)
    return reader.fetch_by_ids(read.shape.object, ids, read.shape.columns[1:], deleted=archived) if ids else {}


def fetch_deleted(reader: OrgReader, shape: RowShape, since: str) -> set[str]:
    """The Ids of rows that went to the bin since an instant (SOQL text); none where the object has no bin."""
    soql = f"SELECT Id FROM {shape.object} WHERE IsDeleted = true AND {shape.stamp} >= {since}"
    try:
        rows = list(reader.fetch_rows(soql, deleted=True))
    except OrgRejected:
        return set()  # the object has no recycle bin
    return {str(stored_value("id", value_text(row["Id"]))) for row in rows}


def _stamps(working: Working, found: ObjectCapture, ids: Collection[str]) -> dict[str, str | None]:
    wanted = sorted(ids)
    stamps: dict[str, str | None] = {}
    for part in found.parts if wanted else ():
        for batch in read_part(_file(working, part), ["Id", "_stamp"], wanted):
            stamps.update(zip(batch.column("Id").to_pylist(), batch.column("_stamp").to_pylist(), strict=True))
    return stamps


def _patch(
    working: Working, read: ReadObject, changed: dict[str, dict[str, Value]], gone: Collection[str]
) -> ObjectCapture:
    outdated = sorted({*changed, *gone})
    number = _next_number(read.found)
    kept: list[tuple[Part, int]] = []
    replaced: list[Part] = []
    for part in read.found.parts:
        file = _file(working, part)
        if not any(batch.num_rows for batch in read_part(file, ["Id"], outdated)):
            kept.append((part, _digest_sum(file)))
            continue
        kept.append(_without(file, part_file(working, read.shape.object, number), read, outdated))
        replaced.append(part)
        number += 1
    if changed:
        kept.append(write_rows(part_file(working, read.shape.object, number), read.shape, changed.values()))
    found = total(read.shape.object, kept)
    working.save_done(read.scope, found, read.note)
    for part in [*replaced, *(part for part, _ in kept if not part.rows)]:
        (working.folder / part.path).unlink()
    return found


def _without(old: PartFile, new: PartFile, read: ReadObject, outdated: list[str]) -> tuple[Part, int]:
    names = part_schema(read.shape.fields).names
    with PartWriter(new, read.shape.fields) as writer:
        for batch in read_part(old, names):
            stays = pc.invert(pc.is_in(batch.column("Id"), text_array(outdated)))
            left = batch.filter(stays)
            if left.num_rows:
                writer.write(left)
    return writer.finish(), writer.digest_sum


def _digest_sum(file: PartFile) -> int:
    return sum(sum_digest_array(batch.column("_digest")) for batch in read_part(file, ["Id", "_digest"]))


def _next_number(found: ObjectCapture) -> int:
    numbers = [int(part.path.rpartition("-")[2].removesuffix(".parquet")) for part in found.parts]
    return max(numbers, default=0) + 1


def _file(working: Working, part: Part) -> PartFile:
    return PartFile(working.folder, part.path, working.ulid, working.key)
