"""Rows by their place: the n-th row of an object in a capture, found in its part and row group without any look-up.

A place counts the rows of all parts in the order of the manifest, hidden ones too. Parts are read side by side, each by
one thread; only the groups that hold a wanted row are decrypted, and of these only the wanted columns.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rehearse.baseline.canonical_arrays import digest_rows, text_array
from rehearse.baseline.layers import LayeredPart
from rehearse.baseline.model import ComparableField
from rehearse.baseline.record_parts import PRINTS, PartFile, opened_part

READ_AT_ONCE = 4
_Given = TypeVar("_Given")
_Made = TypeVar("_Made")


@dataclass(frozen=True)
class Layout:
    """The row groups of a part: the row at which each starts, then the end; and the prints of each group's columns."""

    starts: Any
    prints: Sequence[Mapping[str, str]]

    def groups_of(self, rows: Any) -> Any:
        """The group of each row of the part."""
        return np.searchsorted(self.starts, rows, side="right") - 1


@dataclass
class Places:
    """The rows of one object in one capture, by place."""

    parts: Sequence[LayeredPart]
    _layouts: dict[int, Layout] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.starts = np.cumsum([0, *(one.part.rows for one in self.parts)])

    def keep_layout(self, part: int, layout: Layout) -> None:
        """Remember the row groups of a part that was opened for something else."""
        self._layouts[part] = layout

    def layout(self, part: int) -> Layout:
        """The row groups of a part, read once. Raises Damaged."""
        if part not in self._layouts:
            self._layouts[part] = load_layout(self.parts[part].file)
        return self._layouts[part]

    def split(self, places: Any) -> Iterator[tuple[int, list[tuple[int, Any]]]]:
        """Sorted places by part: the part, and for each of its groups the rows within the group."""
        parts = np.searchsorted(self.starts, places, side="right") - 1
        for part in np.unique(parts):
            rows = places[parts == part] - self.starts[part]
            layout = self.layout(int(part))
            groups = layout.groups_of(rows)
            yield int(part), [(int(one), rows[groups == one] - layout.starts[one]) for one in np.unique(groups)]

    def group_of(self, place: int) -> tuple[int, int]:
        """The part and row group of a row."""
        part = int(np.searchsorted(self.starts, place, side="right")) - 1
        return part, int(self.layout(part).groups_of(place - self.starts[part]))

    def prints(self, part: int, group: int) -> Mapping[str, str]:
        """The prints of the columns of a group; nothing where its part tells none."""
        told = self.layout(part).prints
        return told[group] if group < len(told) else {}


def load_layout(file: PartFile) -> Layout:
    """The row groups of a part as its footer tells them. Raises Damaged."""
    with opened_part(file) as part:
        return _layout(part.metadata)


def _layout(footer: Any) -> Layout:
    rows = [footer.row_group(number).num_rows for number in range(footer.num_row_groups)]
    told = (footer.metadata or {}).get(PRINTS)
    return Layout(np.cumsum([0, *rows]), json.loads(told) if told else ())


def read_at(places: Places, wanted: Any, columns: Callable[[int, int], Sequence[str]]) -> Iterator[tuple[Any, Any]]:
    """Batches of the rows at these sorted places, each with its places; `columns` says which of a part and group.

    Raises Damaged.
    """

    def read(one: tuple[int, list[tuple[int, Any]]]) -> list[tuple[Any, Any]]:
        part, groups = one
        start, layout, found = places.starts[part], places.layout(part), []
        with opened_part(places.parts[part].file) as opened:
            for group, rows in groups:
                table = opened.read_row_group(group, columns=list(columns(part, group)), use_threads=False)
                (batch,) = table.take(number_array(rows.astype(np.int64))).combine_chunks().to_batches()
                found.append((rows + layout.starts[group] + start, batch))
        return found

    for found in ahead(read, places.split(wanted)):
        yield from found


def read_digests(
    places: Places, part: int, fields: Sequence[ComparableField] | None, only: Sequence[str] | None = None
) -> tuple[Any, Any]:
    """The digests of a part as rows of two numbers, and their places, without hidden rows. Raises Damaged.

    `fields` None takes the stored digests, else they are made anew over these. `only` leaves all ids but these out.
    """
    one = places.parts[part]
    names = ["_digest"] if fields is None else ["Id", *(name.name for name in fields)]
    hides = bool(one.hidden) or only is not None
    columns = ["Id", *names] if hides and fields is None else names
    digests, found, start = [], [], int(places.starts[part])
    with opened_part(one.file) as opened:
        places.keep_layout(part, _layout(opened.metadata))
        for group in range(opened.metadata.num_row_groups):
            table = opened.read_row_group(group, columns=columns, use_threads=False)
            for batch in table.combine_chunks().to_batches():
                at = np.arange(start, start + batch.num_rows, dtype=np.uint64)
                start += batch.num_rows
                stays = _stays(batch.column("Id"), one.hidden, only) if hides else slice(None)
                digests.append(_as_numbers(_digests(batch, fields))[stays])
                found.append(at[stays])
    if not digests:
        return np.empty((0, 2), np.uint64), np.empty(0, np.uint64)
    return np.concatenate(digests), np.concatenate(found)


def ahead(work: Callable[[_Given], _Made], given: Iterable[_Given]) -> Iterator[_Made]:
    """Do the work for each, a few at once, in order; never more than a few results wait to be taken."""
    with ThreadPoolExecutor(READ_AT_ONCE) as pool:
        waiting: deque[Future[_Made]] = deque()
        try:
            for one in given:
                waiting.append(pool.submit(work, one))
                if len(waiting) > READ_AT_ONCE:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def number_array(numbers: Any) -> Any:
    """Whole numbers of numpy as an Arrow array (`pa.array` would import pandas)."""
    whole = np.ascontiguousarray(numbers)
    kind = pa.uint64() if whole.dtype == np.uint64 else pa.int64()
    return pa.Array.from_buffers(kind, len(whole), [None, pa.py_buffer(whole)])


def _digests(batch: Any, fields: Sequence[ComparableField] | None) -> Any:
    if fields is None:
        return batch.column("_digest")
    return digest_rows(batch.column("Id"), [batch.column(one.name) for one in fields], fields)


def _as_numbers(digests: Any) -> Any:
    raw = digests.buffers()[1]
    if raw is None:
        return np.empty((0, 2), np.uint64)
    return np.frombuffer(raw, np.uint64)[2 * digests.offset : 2 * (digests.offset + len(digests))].reshape(-1, 2)


def _stays(ids: Any, hidden: Sequence[str], only: Sequence[str] | None) -> Any:
    stays = np.ones(len(ids), np.bool_)
    if hidden:
        stays &= ~_is_in(ids, hidden)
    if only is not None:
        stays &= _is_in(ids, only)
    return stays


def _is_in(ids: Any, known: Sequence[str]) -> Any:
    found = pc.is_in(ids, text_array(known))
    bits = np.unpackbits(np.frombuffer(found.buffers()[1], np.uint8), bitorder="little")
    return bits[found.offset : found.offset + len(found)].astype(np.bool_)
