"""Strict reading of one page of Bulk query results: CSV in, Arrow batches of text out, empty cell = null.

Arrow's reader is fast but takes a body that was cut inside a quoted cell for a whole one (facts/data.md 7.2). So every
page is first walked once for its grammar: quotes must open and close at cell borders, the last line must end, and the
lines must be as many as the org promised. A page that fails is refused whole. Memory stays bounded whatever its size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

from rehearse.errors import OrgBusy

BLOCK_BYTES = 32 << 20
"""More than twice the 8 MB that one record may take: a record must fit in a block even with every quote doubled."""

_CHUNK_BYTES = 4 << 20
_QUOTE, _LINE_END = 34, 10
_MAY_PRECEDE = np.zeros(256, np.bool_)
_MAY_PRECEDE[[ord(","), _LINE_END, _QUOTE]] = True
_MAY_FOLLOW = np.zeros(256, np.bool_)
_MAY_FOLLOW[[ord(","), _LINE_END, ord("\r"), _QUOTE]] = True


def read_page(path: Path, columns: Sequence[str], rows: int) -> Iterator[Any]:
    """The record batches of one page, columns named as asked. `rows` is what the org promised.

    Raises OrgBusy (so that the page is fetched again) when the page is cut, torn, or has other rows or columns.
    """
    check_page(path, rows)
    wanted = {name.lower(): name for name in columns}
    found = _header(path)
    if sorted(name.lower() for name in found) != sorted(wanted):
        raise _torn(path, "its columns are not those that were asked for")
    names = [wanted[name.lower()] for name in found]
    try:
        with _open(path, names) as reader:
            yield from (batch for batch in reader if batch.num_rows)
    except pa.ArrowInvalid as error:
        raise _torn(path, "it is not valid CSV") from error


def check_page(path: Path, rows: int) -> None:
    """Walk the whole page for its grammar and its number of rows; raises OrgBusy when it is not whole."""
    inside, last, lines = False, _LINE_END, 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            data = np.frombuffer(chunk, np.uint8)
            if last == _QUOTE and not inside and not _MAY_FOLLOW[data[0]]:
                raise _torn(path, "a quote stands inside a cell")
            inside, lines_here = _walk(path, data, inside, last)
            last, lines = int(data[-1]), lines + lines_here
    if inside or last != _LINE_END or lines == 0:
        raise _torn(path, "it ends in the middle of a record")
    if lines - 1 != rows:
        raise _torn(path, f"it has {lines - 1} rows where the org promised {rows}")


def _walk(path: Path, data: Any, inside: bool, last: int) -> tuple[bool, int]:
    """Whether the end of a chunk is inside a cell, and how many lines end in the chunk outside any."""
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
    return bool((len(quotes) + int(inside)) % 2), int(np.count_nonzero(outside))


def _header(path: Path) -> list[str]:
    with path.open("rb") as file:
        line = file.readline(64 << 10).decode("utf-8", "replace")
    return [name.strip().strip('"') for name in line.strip("\r\n\ufeff").split(",")]


def _open(path: Path, names: Sequence[str]) -> Any:
    return pyarrow.csv.open_csv(
        path,
        read_options=pyarrow.csv.ReadOptions(block_size=BLOCK_BYTES, column_names=list(names), skip_rows=1),
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
