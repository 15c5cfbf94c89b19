"""CSV as Bulk API 2.0 reads and writes it: counting a page's rows as it streams by, and writing files for ingest.

A page is never parsed as text here: rows are counted on bytes, so that a value with line ends, any script or a stray
NUL neither changes nor is lost unnoticed. What Bulk cannot carry (`#N/A` as a text means null there) is refused.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from rehearse.errors import UsageError
from rehearse.org.answers import unwritable

NULL = "#N/A"
# a field may hold 131,072 characters (Salesforce: Bulk API limits and allocations)
FIELD_CHARACTERS = 131_072
_KEPT = bytes(sorted({ord('"'), ord("\n")}))
_OTHERS = bytes(set(range(256)) - set(_KEPT))
_PLAIN = re.compile(r"[A-Za-z0-9_.:+-]+\Z")


class RowCounter:
    """Counts the records of a CSV while its bytes go by; also whether it ends where a record ends."""

    def __init__(self) -> None:
        self.records = 0
        self.header = b""
        self.nul_bytes = 0
        self._quoted = False
        self._last = b""

    def feed(self, piece: bytes) -> bytes:
        """Count the records in the next bytes and return them without NUL bytes.

        Quotes and line feeds are all that matters: two quotes side by side cancel out, so what remains is short.
        """
        if b"\0" in piece:
            self.nul_bytes += piece.count(b"\0")
            piece = piece.replace(b"\0", b"")
        if not piece:
            return piece
        marks = piece.translate(None, _OTHERS).replace(b'""', b"")
        for index, part in enumerate(marks.split(b'"')):
            if index:
                self._quoted = not self._quoted
            if not self._quoted:
                self.records += part.count(b"\n")
        if not self._header_whole():
            self.header += piece
        self._last = piece[-1:]
        return piece

    def _header_whole(self) -> bool:
        return b"\n" in self.header

    @property
    def ends_whole(self) -> bool:
        """Whether the last byte closed a record (true for nothing at all)."""
        return not self._quoted and self._last in (b"", b"\n")

    @property
    def rows(self) -> int:
        """Records without the header."""
        return max(0, self.records - 1)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names in the header line."""
        line = self.header.partition(b"\n")[0].decode("utf-8").rstrip("\r")
        return tuple(next(csv.reader([line]), [])) if line else ()


def bulk_cannot_carry(value: str | None) -> bool:
    """Whether a value cannot be written through Bulk: a text that reads as null there, or that no CSV can hold."""
    if value is None:
        return False
    if value.strip().upper() == NULL or len(value) > FIELD_CHARACTERS or "\0" in value:
        return True
    return any("\ud800" <= char <= "\udfff" for char in value) if not value.isascii() else False


def write_bulk_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str | None]]) -> int:
    """Write a file for ingest (UTF-8, LF) and return its number of rows.

    None becomes `#N/A`, which sets null; an empty text becomes an empty cell, which the org leaves alone. Line ends
    inside a value stay as they are. Raises UsageError for a value that Bulk cannot carry, and DiskFull.
    """
    count = 0
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(",".join(_cell(name) for name in columns) + "\n")
            for row in rows:
                file.write(_line(row, len(columns)))
                count += 1
    except OSError as error:
        raise unwritable(path, error) from error
    return count


def _line(row: Sequence[str | None], width: int) -> str:
    if len(row) != width:
        raise UsageError(f"A row for Bulk has {len(row)} values for {width} columns.")
    if any(bulk_cannot_carry(value) for value in row):
        raise UsageError("A value cannot be written through Bulk.", "Write this row through REST.")
    return ",".join(NULL if value is None else _cell(value) for value in row) + "\n"


def _cell(value: str) -> str:
    """Everything but the plainest is quoted; blanks at the ends survive only inside quotes."""
    if value == "" or _PLAIN.match(value):
        return value
    return '"' + value.replace('"', '""') + '"'
