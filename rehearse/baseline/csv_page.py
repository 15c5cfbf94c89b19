"""Strict reading of one page of Bulk query results: CSV in, Arrow batches of text out, empty cell = null.

Arrow's reader is fast but takes a body that was cut inside a quoted cell for a whole one (facts/data.md 7.2), and loses
the line feed of a CRLF inside a cell when one of its own blocks ends between the two. So every page is walked for its
grammar: quotes must open and close at cell borders, the last line must end, and the lines must be as many as the org
promised; and Arrow only sees pieces that end where a record ends. Memory stays bounded whatever the page's size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

from rehearse.errors import OrgBusy

PIECE_BYTES = 4 << 20
"""How much is read at once; a record may be longer."""

_QUOTE, _LINE_END = 34, 10
_MAY_PRECEDE = np.zeros(256, np.bool_)
_MAY_PRECEDE[[ord(","), _LINE_END, _QUOTE]] = True
_MAY_FOLLOW = np.zeros(256, np.bool_)
_MAY_FOLLOW[[ord(","), _LINE_END, ord("\r"), _QUOTE]] = True


def read_page(path: Path, columns: Sequence[str], rows: int) -> Iterator[Any]:
    """The record batches of one page, columns named as asked. `rows` is what the org promised.

    Raises OrgBusy (so that the page is fetched again) when the page is cut, torn, or has other rows or columns; batches
    that came before count for nothing then.
    """
    names: list[str] = []
    for piece in walk_page(path, rows):
        skip = 0
        if not names:
            names, skip = _name_columns(path, piece, columns), 1
        try:
            table = _parse(piece, names, skip)
        except pa.ArrowInvalid as error:
            raise _torn(path, "it is not valid CSV") from error
        yield from (batch for batch in table.combine_chunks().to_batches() if batch.num_rows)


def walk_page(path: Path, rows: int) -> Iterator[bytes]:
    """The page in pieces of whole records, its grammar and at the end its number of rows checked; raises OrgBusy."""
    inside, last, lines = False, _LINE_END, 0
    waiting: list[bytes] = []
    with path.open("rb") as file:
        while chunk := file.read(PIECE_BYTES):
            data = np.frombuffer(chunk, np.uint8)
            if last == _QUOTE and not inside and not _MAY_FOLLOW[data[0]]:
                raise _torn(path, "a quote stands inside a cell")
            inside, ends = _walk(path, data, inside, last)
            last, lines = int(data[-1]), lines + len(ends)
            cut = int(ends[-1]) + 1 if len(ends) else 0
            if cut:
                yield b"".join([*waiting, chunk[:cut]])
                waiting = []
            waiting.append(chunk[cut:])
    if inside or last != _LINE_END or lines == 0:
        raise _torn(path, "it ends in the middle of a record")
    if lines - 1 != rows:
        raise _torn(path, f"it has {lines - 1} rows where the org promised {rows}")


def _walk(path: Path, data: Any, inside: bool, last: int) -> tuple[bool, Any]:
    """Whether the end of a chunk is inside a cell, and where in the chunk lines end outside any."""
    quotes = np.flatnonzero(data == _QUOTE)
    opening, closing = (quotes[1::2], quotes[0::2]) if inside else (quotes[0::2], quotes[1::2])
    before = data[opening - 1]
    if len(opening) and opening[0] == 0:
        before[0] = last
    after = data[closing[: len(closing) - int(len(closing) > 0 and closing[-1] == len(data) - 1)] + 1]
    if not (_MAY_PRECEDE[before].all() and _MAY_FOLLOW[after].all()):
        raise _torn(path, "a quote stands inside a cell")
    ends = np.flatnonzero(data == _LINE_END)
    outside = (np.searchsorted(quotes, ends) + int(inside)) % 2 == 0
    return bool((len(quotes) + int(inside)) % 2), ends[outside]


def _name_columns(path: Path, piece: bytes, columns: Sequence[str]) -> list[str]:
    """The columns of the page's first line in the spelling that was asked for."""
    wanted = {name.lower(): name for name in columns}
    line = piece[: piece.index(b"\n")].decode("utf-8", "replace")
    found = [name.strip().strip('"').lower() for name in line.strip("\r\n\ufeff").split(",")]
    if sorted(found) != sorted(wanted):
        raise _torn(path, "its columns are not those that were asked for")
    return [wanted[name] for name in found]


def _parse(piece: bytes, names: Sequence[str], skip: int) -> Any:
    # one block and one thread: pages are read side by side, and Arrow never cuts
    return pyarrow.csv.read_csv(
        pa.BufferReader(piece),
        read_options=pyarrow.csv.ReadOptions(
            use_threads=False, block_size=len(piece) + 1, column_names=list(names), skip_rows=skip
        ),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types={name: pa.string() for name in names},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )


def _torn(path: Path, why: str) -> OrgBusy:
    return OrgBusy(f"The result page {path.name} is damaged: {why}.", "Run again: the page is fetched anew.")
