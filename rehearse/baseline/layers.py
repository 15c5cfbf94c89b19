"""The rows of an object as layers: the parts of a base, those of later deltas, and the ids that each delta hides below.

A row of layer n is there unless a `removed` part of a higher layer names its Id: newest wins. An incremental capture so
names parts that other captures wrote; each is opened with the key of the capture that wrote it. A `removed` part is
a part without fields (`write_rows` with a `RowShape` of none). What is hidden is held in memory, and is never large:
a capture folds its layers after a few deltas.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from rehearse.baseline.canonical_arrays import text_array
from rehearse.baseline.model import ObjectCapture, Part
from rehearse.baseline.record_parts import PartFile, read_part


@dataclass(frozen=True)
class LayeredPart:
    """A part that can be read: its file with its key, and the sorted ids that a later layer hides, in it or not."""

    part: Part
    file: PartFile
    hidden: tuple[str, ...] = ()


def open_layers(
    found: ObjectCapture, ulid: str, folder_of: Callable[[str], Path], key_of: Callable[[str], bytes]
) -> list[LayeredPart]:
    """The parts of an object in the capture `ulid`, in the order of the manifest. Raises KeyUnavailable, Damaged."""
    keys: dict[str, bytes] = {}

    def open_part(part: Part) -> PartFile:
        owner = part.capture or ulid
        if owner not in keys:
            keys[owner] = key_of(owner)
        return PartFile(folder_of(owner), part.path, owner, keys[owner])

    hidden = _hidden_below(found, open_part)
    return [LayeredPart(part, open_part(part), hidden.get(part.layer, ())) for part in found.parts]


def read_layer(layered: LayeredPart, columns: Sequence[str], ids: Sequence[str] | None = None) -> Iterator[Any]:
    """The rows of a part that count, as Arrow batches with the named columns; with `ids` (sorted) only those."""
    if not layered.hidden:
        yield from read_part(layered.file, columns, ids)
        return
    wanted = list(columns) if "Id" in columns else ["Id", *columns]
    gone = text_array(layered.hidden)
    for batch in read_part(layered.file, wanted, ids):
        found = batch.column("Id")
        if _may_hide(layered.hidden, pc.min(found).as_py(), pc.max(found).as_py()):
            batch = batch.filter(pc.invert(pc.is_in(found, gone)))
        yield batch if wanted == list(columns) else batch.select(list(columns))


def owners(found: ObjectCapture, ulid: str) -> set[str]:
    """The captures whose files and keys the capture `ulid` needs for the rows of an object, itself included."""
    return {part.capture or ulid for part in (*found.parts, *found.removed)}


def _hidden_below(found: ObjectCapture, open_part: Callable[[Part], PartFile]) -> dict[int, tuple[str, ...]]:
    """For each layer, the sorted ids that any higher layer hides."""
    by_layer: dict[int, set[str]] = {}
    for part in found.removed:
        for batch in read_part(open_part(part), ["Id"]):
            by_layer.setdefault(part.layer, set()).update(batch.column("Id").to_pylist())
    hidden: dict[int, tuple[str, ...]] = {}
    for layer in {part.layer for part in found.parts}:
        above = set().union(*(ids for other, ids in by_layer.items() if other > layer))
        hidden[layer] = tuple(sorted(above))
    return hidden


def _may_hide(hidden: Sequence[str], least: str | None, most: str | None) -> bool:
    """Whether any hidden id lies between two ids."""
    if least is None or most is None:
        return False
    at = bisect.bisect_left(hidden, least)
    return at < len(hidden) and hidden[at] <= most
