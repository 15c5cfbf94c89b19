"""The CSV that an ingest job brings: read strictly, a row at a time, as Bulk 2.0 reads it.

A cell may hold line breaks and doubled quotes inside quotes; nothing is trimmed. A row that cannot be read is an error
of that row; a header that cannot be read, wrong line endings and wrong encoding are errors of the job (BadBatch).
Promise: rows are numbered the same way in every pass over the same file. Facts: data.md 1.7.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rehearse.practice.bulk_store import DELIMITERS, LINE_ENDINGS, Job
from rehearse.practice.schema import ObjectDef

MOST_HEADER = 32_000  # characters
MOST_RECORD = 400_000
MOST_FIELDS = 5_000
NULL = "#N/A"
UNESCAPED = "Failed to parse CSV. Found unescaped quote. A value with quote should be within a quote"


class BadBatch(Exception):
    """The whole file is refused; the text is the job's errorMessage."""

    def __init__(self, text: str) -> None:
        super().__init__(f"InvalidBatch : {text}")


@dataclass(frozen=True)
class Record:
    """One data row: its cells, or why it could not be read."""

    cells: list[str]
    error: str = ""


class CsvFile:
    """The uploaded file of an ingest job."""

    def __init__(self, path: Path, job: Job) -> None:
        self._path = path
        self.delimiter = DELIMITERS[job.delimiter]
        self.ending = LINE_ENDINGS[job.line_ending]
        self._ending_name = job.line_ending
        mark = re.escape(self.delimiter)
        self._cell = re.compile(rf'("(?:[^"]|"")*"|[^"{mark}]*)({mark}|\Z)', re.DOTALL)

    def header(self) -> list[str]:
        """The column names. Raises BadBatch."""
        first = next(self._records(), "")
        if not first.strip():
            raise BadBatch("Failed to parse CSV header. The CSV has no header row")
        if len(first) > MOST_HEADER:
            raise BadBatch("Failed to parse CSV header. The header is too long")
        if self.ending == "\n" and first.endswith("\r"):
            raise BadBatch(f"LineEnding is invalid on user data. Current LineEnding setting is {self._ending_name}")
        names = self._split(first)
        if names is None or len(names) > MOST_FIELDS:
            raise BadBatch(UNESCAPED if names is None else "Too many fields in the CSV header")
        return names

    def rows(self) -> Iterator[Record]:
        """The data rows in the order of the file; empty lines are no rows. Raises BadBatch for a broken encoding."""
        width = len(self.header())
        records = self._records()
        next(records, None)
        for text in records:
            if not text:
                continue
            cells = self._split(text) if len(text) <= MOST_RECORD else []
            if cells is None:
                yield Record([text], f"CSV_ERROR:{UNESCAPED}:--")
            elif not cells:
                yield Record([text[:255]], "CSV_ERROR:The record is longer than 400000 characters:--")
            elif len(cells) != width:
                wrong = f"Row length mismatch: {width} columns are in the header and {len(cells)} in the row"
                yield Record(cells, f"CSV_ERROR:{wrong}:--")
            else:
                yield Record(cells)

    def _records(self) -> Iterator[str]:
        """The records as text, without their line ending: a record goes on while a quote is open."""
        try:
            # newline="\n": nothing is translated, and only LF ends a line, so CR and U+2028 stay in the cells.
            with self._path.open(encoding="utf-8-sig", newline="\n") as file:
                pending: list[str] = []
                quotes = 0
                for line in file:
                    pending.append(line)
                    quotes += line.count('"')
                    if quotes % 2:
                        continue
                    yield self._without_ending("".join(pending))
                    pending, quotes = [], 0
                if pending:
                    yield "".join(pending)
        except UnicodeDecodeError as error:
            raise BadBatch("Failed to read request. Exceptions: the data is not valid UTF-8") from error

    def _without_ending(self, record: str) -> str:
        if record.endswith(self.ending):
            return record[: -len(self.ending)]
        if record.endswith("\n"):
            raise BadBatch(f"LineEnding is invalid on user data. Current LineEnding setting is {self._ending_name}")
        return record

    def _split(self, record: str) -> list[str] | None:
        if '"' not in record:
            return record.split(self.delimiter)
        cells: list[str] = []
        place = 0
        while (found := self._cell.match(record, place)) is not None:
            cell = found[1]
            cells.append(cell[1:-1].replace('""', '"') if cell.startswith('"') else cell)
            place = found.end()
            if not found[2]:
                return cells if place == len(record) else None
        return None


def check_header(names: list[str], definition: ObjectDef) -> list[str]:
    """The names as rows.py takes them. Raises BadBatch for a column that is no field and for one that comes twice."""
    found: list[str] = []
    for name in names:
        plain = name.partition(":")[2] or name  # Type:Relationship.Key names the type of a polymorphic parent
        path, dot, _key = plain.partition(".")
        known = definition.find_path(path) if dot else definition.find(plain)
        if known is None:
            raise BadBatch(f"Field name not found : {name}")
        if plain.lower() in (one.lower() for one in found):
            raise BadBatch(f"Duplicate field name : {name}")
        found.append(plain)
    return found


def as_row(names: list[str], cells: list[str]) -> dict[str, str | None]:
    """A row for rows.py: an empty cell says nothing about its field, `#N/A` says null."""
    return {name: None if cell == NULL else cell for name, cell in zip(names, cells, strict=True) if cell != ""}
