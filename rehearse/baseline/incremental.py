"""A later capture of the same generation: the rows that may have changed are read, and the rest is taken from a base.

What changed is found by SystemModstamp with an overlap, what went by the recycle bin, and rows that lost a lookup
because their parent went, or found it again, are read anew (`silent_changes.py`). The org's counts must then agree, of
rows and of look-ups that hold something; where they do not, where a field was changed, or where stamps say too little,
the object is read whole: an incremental capture and a full one of the same org have the same snapshot id. The base's
parts are named, never copied, until they are folded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from typing import Any

from rehearse.baseline.bodies import take_over_bodies, with_bodies
from rehearse.baseline.canonical import DIGEST_MODULUS
from rehearse.baseline.canonical_arrays import sum_digest_array, text_array
from rehearse.baseline.capture_records import ReadObject, read_parts
from rehearse.baseline.filters import freeze_filter
from rehearse.baseline.layers import LayeredPart, read_layer
from rehearse.baseline.lookup_counts import count_lookups, fetch_lookup_counts, lookups_of
from rehearse.baseline.model import CANONICALISER, Capture, ObjectCapture, ObjectScope, Part
from rehearse.baseline.record_parts import PartWriter, RowShape, part_schema, read_part
from rehearse.baseline.record_store import find_object
from rehearse.baseline.row_reading import (
    RowReading,
    build_where,
    fetch_expected,
    part_file,
    shape_of_rows,
    total,
    with_archived,
    write_rows,
)
from rehearse.baseline.settle import fetch_deleted
from rehearse.baseline.silent_changes import Base, find_silent
from rehearse.errors import OrgRejected
from rehearse.org.model import Schema, Value
from rehearse.org.reader import OrgReader

MOST_DELTAS = 8
"""After so many layers the rows are written anew, into parts of one capture."""
MOST_CHANGED = 0.3
"""Where a larger part of an object changed, it is read whole."""
_FOLDED_ROWS = 250_000
_PASSES = 3


def may_build_on(base: Capture, reader: OrgReader, user_id: str) -> bool:
    """Whether a capture of this org by this user may reuse an earlier one."""
    return (
        base.verdict == "usable"
        and base.org_id == reader.org_id
        and base.api_version == reader.api_version
        and base.read_by == user_id
        and base.canonicaliser == CANONICALISER
    )


def can_build(base: Capture, scope: ObjectScope, schema: Schema, rest_rows: int) -> bool:
    """Whether the stamps of an object tell enough: same shape and filter, a stamp on every row, a filter that holds."""
    found = find_object(base, scope.name)
    if found is None or found.rows <= rest_rows or scope not in base.scope.objects:
        return False
    if shape_of_rows(scope, schema).stamp != "SystemModstamp":
        return False
    return scope.where is None or not freeze_filter(scope.where, schema, base.started)[1]


def read_since(base: Base, reading: RowReading, scope: ObjectScope, schema: Schema) -> ReadObject | None:
    """The object as it is now, on top of the base; None where it must be read whole. Raises OrgError, Damaged."""
    shape = shape_of_rows(scope, schema)
    old = find_object(base.capture, scope.name)
    assert old is not None
    for number in range(_PASSES):
        reading.working.forget(scope.name)
        gone = fetch_deleted(reading.reader, shape, base.since) if number else base.gone(scope.name)
        try:
            found = _build(base, reading, shape, (scope, schema), (old, gone))
            if found is None:
                return None
            built, lookups = found
            expected = fetch_expected(reading.reader, scope)
            if expected == built.rows and lookups == fetch_lookup_counts(reading.reader, scope):
                return ReadObject(shape, scope, built, f"built on {base.capture.ulid}", expected)
        except OrgRejected:
            return None
    return None


def _build(
    base: Base,
    reading: RowReading,
    shape: RowShape,
    asked: tuple[ObjectScope, Schema],
    known: tuple[ObjectCapture, Set[str]],
) -> tuple[ObjectCapture, dict[str, int]] | None:
    """The object on top of the base, and how many of its rows hold each look-up; None where too much changed."""
    (scope, schema), (old, gone) = asked, known
    changed = replace(scope, where=_and(scope.where, f"SystemModstamp >= {base.since}"))
    number = fetch_expected(reading.reader, changed)
    if number > max(reading.rest_rows, int(old.rows * MOST_CHANGED)):
        return None
    delta, _ = read_parts(reading, shape, changed, number) if number else ([], "")
    seen = set(_ids_of(reading, [part for part, _ in delta]))
    silent = sorted(find_silent(base, old, schema, scope) - seen)
    if silent:
        live = fetch_live(reading.reader, shape, silent)
        kept = with_bodies(reading.reader, reading.working, shape, live.values())
        delta.append(write_rows(part_file(reading.working, scope.name, len(delta) + 1), shape, kept))
        seen |= set(live)
    hidden = sorted(seen | set(silent) | gone)
    files = [replace(part_file(reading.working, "", 0), path=part.path) for part, _ in delta if part.rows]
    counts = count_lookups(lookups_of(scope), base.store.open_parts(base.capture.ulid, old), hidden, files)
    return _put_on(base, reading, shape, (old, delta, hidden)), counts


def _put_on(
    base: Base,
    reading: RowReading,
    shape: RowShape,
    pieces: tuple[ObjectCapture, Sequence[tuple[Part, int]], Sequence[str]],
) -> ObjectCapture:
    """The rows of the base without the hidden ones, and the delta on top."""
    old, delta, hidden = pieces
    rows, digests = _weigh(base.store.open_parts(base.capture.ulid, old), hidden)
    layer = max((part.layer for part in (*old.parts, *old.removed)), default=0) + 1
    if layer > MOST_DELTAS:
        return _fold(base, reading, shape, pieces)
    kept = tuple(replace(one, capture=one.capture or base.capture.ulid) for one in old.parts)
    removed = tuple(replace(one, capture=one.capture or base.capture.ulid) for one in old.removed)
    if rows:
        file = part_file(reading.working, shape.object, len(delta) + 1)
        part, _ = write_rows(file, RowShape(shape.object, (), None, None), [{"Id": one} for one in hidden])
        removed = (*removed, replace(part, layer=layer))
    found = total(shape.object, delta)
    return ObjectCapture(
        object=shape.object,
        rows=old.rows - rows + found.rows,
        digest_sum=f"{(int(old.digest_sum, 16) - digests + int(found.digest_sum, 16)) % DIGEST_MODULUS:032x}",
        parts=(*kept, *(replace(one, layer=layer) for one in found.parts)),
        removed=removed,
    )


def _fold(
    base: Base,
    reading: RowReading,
    shape: RowShape,
    pieces: tuple[ObjectCapture, Sequence[tuple[Part, int]], Sequence[str]],
) -> ObjectCapture:
    """All rows of all layers in parts of this capture."""
    old, delta, hidden = pieces
    names = part_schema(shape.fields).names
    written = list(delta)
    waiting = _without(base.store.open_parts(base.capture.ulid, old), names, hidden)
    batch = next(waiting, None)
    while batch is not None:
        with PartWriter(part_file(reading.working, shape.object, len(written) + 1), shape.fields) as writer:
            while batch is not None and writer.rows < _FOLDED_ROWS:
                take_over_bodies(base.store, base.capture.ulid, reading.working, shape, batch)
                writer.write(batch)
                batch = next(waiting, None)
        written.append((writer.finish(), writer.digest_sum))
    return total(shape.object, written)


def _without(parts: Sequence[LayeredPart], names: Sequence[str], hidden: Sequence[str]) -> Iterator[Any]:
    import pyarrow.compute as pc

    gone = text_array(hidden)
    for part in parts:
        for batch in read_layer(part, names):
            left: Any = batch
            if hidden:
                left = left.filter(pc.invert(pc.is_in(left.column("Id"), gone)))
            if left.num_rows:
                yield left


def _weigh(parts: Sequence[LayeredPart], ids: Sequence[str]) -> tuple[int, int]:
    """How many rows with these (sorted) ids count in the layers, and the sum of their digests."""
    rows = digests = 0
    for part in parts if ids else ():
        for batch in read_layer(part, ["Id", "_digest"], ids):
            found: Any = batch
            rows += found.num_rows
            digests += sum_digest_array(found.column("_digest"))
    return rows, digests


def fetch_live(reader: OrgReader, shape: RowShape, ids: Sequence[str]) -> dict[str, dict[str, Value]]:
    """Those of the rows with these ids that are not in the bin."""
    archived = with_archived(shape.object)
    more = ["IsDeleted"] if archived else []
    found = reader.fetch_by_ids(shape.object, ids, [*shape.columns[1:], *more], deleted=archived)
    return {key: row for key, row in found.items() if not (archived and row["IsDeleted"])}


def _ids_of(reading: RowReading, parts: Sequence[Part]) -> Iterator[str]:
    for part in parts:
        file = replace(part_file(reading.working, "", 0), path=part.path)
        for batch in read_part(file, ["Id"]) if part.rows else ():
            yield from batch.column("Id").to_pylist()


def _and(*conditions: str | None) -> str:
    return build_where(*conditions).removeprefix(" WHERE ")
