"""The result of a query job on disk: one CSV file and beside it the offset of every row.

Any page is then a header and one span of bytes, whatever `maxRecords` asks for. The file is written aside, synced and
renamed with its index first, so a job that says JobComplete has its whole result; a page never ends inside a row.
"""

import os
import random
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

WIDTH = array("Q").itemsize
SHUFFLE_ROWS = 200_000  # rows that change places among each other; all of them, for smaller results
SHUFFLE_BYTES = 32 << 20  # and no more than this, since they are held in memory


@dataclass(frozen=True)
class Page:
    """Rows `start` to `end` of a result, as the spans of bytes that make the page: the header, then the rows."""

    start: int
    end: int
    spans: list[tuple[int, int]]


class PageFile:
    """A written result."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._index = path.with_suffix(".idx")

    def cut(self, start: int, rows: int, max_bytes: int = 0) -> Page:
        """The page of at most so many rows and, where `max_bytes` is not 0, bytes; at least one row if there is one."""
        total = self._index.stat().st_size // WIDTH - 1
        with self._index.open("rb") as index:

            def offset(row: int) -> int:
                index.seek(row * WIDTH)
                return int(array("Q", index.read(WIDTH))[0])

            header, first = offset(0), offset(min(start, total))
            end = min(start + rows, total)
            if max_bytes and end > start and offset(end) - first > max_bytes:
                low, high = start + 1, end
                while low < high:
                    middle = (low + high + 1) // 2
                    low, high = (middle, high) if offset(middle) - first <= max_bytes else (low, middle - 1)
                end = low
            return Page(start, end, [(0, header), (first, offset(end))])


def write_pages(
    path: Path, header: bytes, lines: Iterable[bytes], shuffle: int | None, tick: Callable[[int], None]
) -> int:
    """Write a result with its index; returns its number of rows. `shuffle` seeds the order, None keeps it.

    `tick` is told the number of rows now and then; what it raises ends the writing and leaves no result.
    """
    aside, index = path.with_suffix(".new"), path.with_suffix(".idx")
    offsets = array("Q", [len(header)])
    end = len(header)
    generator = random.Random(shuffle)
    with aside.open("wb", buffering=1 << 20) as file:
        file.write(header)
        for block in _blocks(lines, tick):
            if shuffle is not None:
                generator.shuffle(block)
            for line in block:
                end += len(line)
                offsets.append(end)
            file.write(b"".join(block))
        file.flush()
        os.fsync(file.fileno())
    with index.open("wb") as file:
        offsets.tofile(file)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    return len(offsets) - 1


def _blocks(lines: Iterable[bytes], tick: Callable[[int], None]) -> Iterable[list[bytes]]:
    block: list[bytes] = []
    held = 0
    for count, line in enumerate(lines, start=1):
        block.append(line)
        held += len(line)
        if count % 5_000 == 0:
            tick(count)
        if len(block) == SHUFFLE_ROWS or held > SHUFFLE_BYTES:
            yield block
            block, held = [], 0
    yield block
