"""A later capture of the same generation: the rows that may have changed are read, and the rest is taken from a base.

What changed is found by SystemModstamp with an overlap, what went by the recycle bin, and rows that lost a lookup
because their parent went, or found it again, are read anew (`silent_changes.py`). The org's counts must then agree, of
rows and of look-ups that hold something; where they do not, where a field was changed, or where stamps say too little,
the object is read whole: an incremental capture and a full one of the same org have the same snapshot id. The base's
parts are named, never copied, until they are folded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from rehearse.baseline.bodies import take_over_bodies, with_bodies
from rehearse.baseline.canonical import DIGEST_MODULUS
from rehearse.baseline.canonical_arrays import sum_digest_array, text_array
from rehearse.baseline.capture_records import ReadObject, read_parts
from rehearse.baseline.filters import freeze_filter
from rehearse.baseline.layers import LayeredPart, read_layer
from rehearse.baseline.lookup_counts import Counts, count_filled, count_lookups, fetch_counts, lookups_of
from rehearse.baseline.model import Capture, ObjectCapture, ObjectScope, Part
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
        try:
            moved = _fetch_moved(base, reading.reader, shape, scope) if number else _first_moved(base, reading, scope)
            built = _build(base, reading, shape, (scope, schema), (old, moved))
            if built is None:
                return None
            counts = fetch_counts(reading.reader, scope)
        except OrgRejected:
            return None
        if counts.filled is None:
            return None
        if counts == Counts(built.rows, {name: built.filled.get(name, 0) for name in lookups_of(scope)}):
            return ReadObject(shape, scope, built, f"built on {base.capture.ulid}", counts.rows)
    return None


@dataclass(frozen=True)
class _Moved:
    """What moved in an object since the base: how many rows of the scope live, and the ids that went to the bin."""

    live: int
    gone: Set[str]


def _first_moved(base: Base, reading: RowReading, scope: ObjectScope) -> _Moved:
    """What is known already, from questions that other objects asked too; counted where that does not tell."""
    gone, live = base.gone(scope.name), base.live(scope.name)
    if live is None or (live and scope.where):
        live = fetch_expected(reading.reader, _since(base, scope))
    return _Moved(live, gone)


def _fetch_moved(base: Base, reader: OrgReader, shape: RowShape, scope: ObjectScope) -> _Moved:
    """Asked afresh."""
    return _Moved(fetch_expected(reader, _since(base, scope)), fetch_deleted(reader, shape, base.since))


def _since(base: Base, scope: ObjectScope) -> ObjectScope:
    return replace(scope, where=_and(scope.where, f"SystemModstamp >= {base.since}"))


def _build(
    base: Base,
    reading: RowReading,
    shape: RowShape,
    asked: tuple[ObjectScope, Schema],
    known: tuple[ObjectCapture, _Moved],
) -> ObjectCapture | None:
    """The object on top of the base; None where too much changed."""
    (scope, schema), (old, moved) = asked, known
    if moved.live > max(reading.rest_rows, int(old.rows * MOST_CHANGED)):
        return None
    delta, _ = read_parts(reading, shape, _since(base, scope), moved.live) if moved.live else ([], "")
    seen = set(_ids_of(reading, [part for part, _ in delta]))
    silent = sorted(find_silent(base, old, schema, scope) - seen)
    if silent:
        live = fetch_live(reading.reader, shape, silent)
        kept = with_bodies(reading.reader, reading.working, shape, live.values())
        delta.append(write_rows(part_file(reading.working, scope.name, len(delta) + 1), shape, kept))
        seen |= set(live)
    return _put_on(base, reading, shape, (old, delta, sorted(seen | set(silent) | moved.gone)))


def _put_on(
    base: Base,
    reading: RowReading,
    shape: RowShape,
    pieces: tuple[ObjectCapture, Sequence[tuple[Part, int]], Sequence[str]],
) -> ObjectCapture:
    """The rows of the base without the hidden ones, and the delta on top."""
    old, delta, hidden = pieces
    if max((part.layer for part in (*old.parts, *old.removed)), default=0) >= MOST_DELTAS:
        return _fold(base, reading, shape, pieces)
    weight = _weigh(base, shape, old, hidden)
    layer = max((part.layer for part in (*old.parts, *old.removed)), default=0) + 1
    kept = tuple(replace(one, capture=one.capture or base.capture.ulid) for one in old.parts)
    removed = tuple(replace(one, capture=one.capture or base.capture.ulid) for one in old.removed)
    if weight.rows:
        file = part_file(reading.working, shape.object, len(delta) + 1)
        part, _ = write_rows(file, RowShape(shape.object, (), None, None), [{"Id": one} for one in hidden])
        removed = (*removed, replace(part, layer=layer))
    found = total(shape.object, delta)
    return ObjectCapture(
        object=shape.object,
        rows=old.rows - weight.rows + found.rows,
        digest_sum=f"{(int(old.digest_sum, 16) - weight.digests + int(found.digest_sum, 16)) % DIGEST_MODULUS:032x}",
        parts=(*kept, *(replace(one, layer=layer) for one in found.parts)),
        removed=removed,
        filled={name: number - weight.filled[name] + found.filled.get(name, 0) for name, number in weight.all.items()},
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


@dataclass(frozen=True)
class _Weight:
    """What hidden rows take away: their number, the sum of their digests, and how many hold each reference, of `all`
    that hold it in the base."""

    rows: int
    digests: int
    filled: Mapping[str, int]
    all: Mapping[str, int]


def _weigh(base: Base, shape: RowShape, old: ObjectCapture, ids: Sequence[str]) -> _Weight:
    """What rows with these (sorted) ids, where they count in the layers of the base, take away from it."""
    names = [one.name for one in shape.fields if one.type == "reference"]
    parts = base.store.open_parts(base.capture.ulid, old) if ids or not set(names) <= old.filled.keys() else []
    everything = count_lookups(names, old, lambda columns: _read_layers(parts, columns))
    found = list(_read_layers(parts, ["Id", "_digest", *names], ids)) if ids else []
    return _Weight(
        rows=sum(batch.num_rows for batch in found),
        digests=sum(sum_digest_array(batch.column("_digest")) for batch in found),
        filled=count_filled(names, found),
        all=everything,
    )


def _read_layers(
    parts: Sequence[LayeredPart], columns: Sequence[str], ids: Sequence[str] | None = None
) -> Iterator[Any]:
    for part in parts:
        yield from read_layer(part, columns, ids)


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
