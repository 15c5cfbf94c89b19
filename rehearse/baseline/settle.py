"""After the rows were read: what changed meanwhile is read again, what was deleted is taken out, and rows are counted.

A stamp is set inside a transaction and seen only when it commits, so the window reaches back before the start
(facts/data.md 3, Clock). Parts are never edited: those that hold an outdated row are written anew, and the re-read rows
go into a part of their own.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

import pyarrow.compute as pc

from rehearse.baseline.bodies import with_bodies
from rehearse.baseline.canonical import stored_value, value_text
from rehearse.baseline.canonical_arrays import sum_digest_array, text_array
from rehearse.baseline.capture_records import ReadObject
from rehearse.baseline.lookup_counts import count_lookups, fetch_lookup_counts, lookups_of
from rehearse.baseline.model import ObjectCapture, Part
from rehearse.baseline.record_parts import PartFile, PartWriter, RowShape, part_schema, read_part
from rehearse.baseline.row_reading import (
    alive,
    build_where,
    fetch_expected,
    only_by_parent,
    part_file,
    total,
    with_archived,
    write_rows,
)
from rehearse.baseline.working import Working
from rehearse.errors import OrgRejected
from rehearse.org.model import Value
from rehearse.org.reader import OrgReader

OVERLAP = timedelta(minutes=5)
"""How far before the capture's start a late commit may carry its stamp [unsure: Salesforce publishes no number]."""


_PASSES = 3
"""How often what changed is read again while the org's count differs from what was read."""


def settle_object(reader: OrgReader, working: Working, read: ReadObject) -> ReadObject:
    """The object with everything that changed since the capture began; `note` says so when the counts still differ."""
    expected: int | None = None
    for _ in range(_PASSES):
        if read.shape.stamp is not None:
            read = _settle_once(reader, working, read)
        expected = fetch_expected(reader, read.scope)
        if expected == read.found.rows and _lookups_agree(reader, working, read):
            return replace(read, expected=expected)
        if read.shape.stamp is None:
            break
    if expected == read.found.rows:
        note = "rows were deleted while the capture ran, and look-ups to them were cleared: something writes to it"
        return replace(read, expected=expected, note=note)
    fewer = expected is not None and read.found.rows < expected
    why = "some cannot be read, or something writes to it" if fewer else "something writes to it"
    note = f"the org counts {expected:,} rows and gave {read.found.rows:,}: {why} while the capture runs"
    return replace(read, expected=expected, note=note)


def _lookups_agree(reader: OrgReader, working: Working, read: ReadObject) -> bool:
    """Whether as many rows hold each look-up as the org counts: a deletion clears look-ups without a stamp."""
    names = lookups_of(read.scope)
    if not names or only_by_parent(read.scope.name):
        return True
    try:
        counted = fetch_lookup_counts(reader, read.scope)
    except OrgRejected:
        return True  # what cannot be counted was read all the same
    return counted == count_lookups(names, (), (), [_file(working, part) for part in read.found.parts])


def _settle_once(reader: OrgReader, working: Working, read: ReadObject) -> ReadObject:
    since = f"{working.started - OVERLAP:%Y-%m-%dT%H:%M:%SZ}"
    changed = _changed(reader, working, read, since)
    gone = fetch_deleted(reader, read.shape, since)
    if not (changed or gone):
        return read
    changed = {str(row["Id"]): dict(row) for row in with_bodies(reader, working, read.shape, changed.values())}
    return replace(read, found=_patch(working, read, changed, gone))


def _changed(reader: OrgReader, working: Working, read: ReadObject, since: str) -> dict[str, dict[str, Value]]:
    """The rows of the window whose stamp is not the captured one, or that were not captured at all."""
    shape = read.shape
    where = build_where(f"{shape.stamp} >= {since}", read.scope.where, alive(shape.object))
    soql = f"SELECT Id, {shape.stamp} FROM {shape.object}{where}"
    try:
        live = {
            str(stored_value("id", value_text(row["Id"]))): stored_value("datetime", value_text(row[shape.stamp or ""]))
            for row in reader.fetch_rows(soql, deleted=with_archived(shape.object))
        }
    except OrgRejected:
        return {}  # some objects take no filter on their stamp; the count still tells
    captured = _stamps(working, read.found, live)
    ids = sorted(one for one, stamp in live.items() if captured.get(one) != stamp)
    return reader.fetch_by_ids(shape.object, ids, shape.columns[1:], deleted=with_archived(shape.object)) if ids else {}


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
