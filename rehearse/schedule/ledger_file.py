"""Sheets on disk: CSV in any usual encoding and delimiter, XLSX with all its tabs; written back as the same columns.

Reading follows no link and runs no formula: of a formula its last shown value counts. What is written never begins like
a formula, so that no cell runs when somebody opens the file.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rehearse import clock
from rehearse.errors import NotFound, StoreError, UsageError
from rehearse.schedule.ledger import Cycle
from rehearse.schedule.ledger_sheet import COLUMNS, Tab, one_line
from rehearse.schedule.model import Booking

_MOST_ROWS = 50_000


def load_tabs(path: Path) -> tuple[Tab, ...]:
    """The tabs of a CSV or XLSX file. Raises NotFound, UsageError for a file that is neither."""
    if not path.is_file():
        raise NotFound(f"There is no file {path}.", "Name a CSV or XLSX file.")
    return _load_workbook(path) if path.suffix.lower() in (".xlsx", ".xlsm") else (_load_csv(path),)


def _load_csv(path: Path) -> Tab:
    raw = path.read_bytes()
    if raw[:2] in (b"PK", b"\xd0\xcf"):
        raise UsageError(f"{path} is a workbook under another name.", "Save it as .xlsx or as CSV.")
    text = _decode(raw)
    sample = "\n".join(text.splitlines()[:20])
    delimiter = max(",;\t|", key=sample.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return Tab("", list(itertools.islice(lines, _MOST_ROWS)))
    except csv.Error as error:
        raise UsageError(
            f"{path} cannot be read as CSV near line {lines.line_num}: {error}.",
            "Look for a quote that is never closed.",
        ) from error


def _decode(raw: bytes) -> str:
    """UTF-8 or UTF-16 where the file holds that; else the encoding that spreadsheets on Windows write."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def _load_workbook(path: Path) -> tuple[Tab, ...]:
    import warnings
    import zipfile

    import openpyxl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of styles and extensions that we do not read
            book = openpyxl.load_workbook(path, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError, EOFError, SyntaxError) as error:
        raise UsageError(f"{path} is no XLSX file that can be read.", "Save it again, or save it as CSV.") from error
    try:
        return tuple(Tab(sheet.title, _rows_of(sheet)) for sheet in book.worksheets)
    finally:
        book.close()


def _rows_of(sheet: Any) -> list[list[Any]]:
    """The values; a merged range counts as if its value stood in each of its cells."""
    rows = [list(row) for row in sheet.iter_rows(values_only=True, max_row=min(sheet.max_row, _MOST_ROWS))]
    for merged in sheet.merged_cells.ranges:
        value = rows[merged.min_row - 1][merged.min_col - 1]
        if merged.min_col != merged.max_col:
            continue  # a title over several columns is no value of each
        for number in range(merged.min_row, min(merged.max_row, len(rows)) + 1):
            rows[number - 1][merged.min_col - 1] = value
    return rows


def build_rows(cycles: Sequence[Cycle], bookings: Sequence[Booking], zone: ZoneInfo) -> list[list[str]]:
    """The rows of an export under COLUMNS: refreshes and bookings, oldest first."""

    def at(instant: datetime | None) -> str:
        return "" if instant is None else clock.show_minute(instant, zone)

    found: list[tuple[datetime, list[str]]] = []
    for one in cycles:
        dates = [at(one.requested), at(one.copied), at(one.activated)]
        row = [one.sandbox, one.licence, *dates, one.org_id or "", "", "", "", one.by, one.note]
        found.append((one.requested, row))
    for booked in bookings:
        row = [booked.sandbox, "", "", "", "", "", at(booked.start), at(booked.end), booked.label, booked.by, ""]
        found.append((booked.start, row))
    return [[_harmless(one_line(cell)) for cell in row] for _, row in sorted(found, key=lambda one: (one[0], one[1]))]


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def save_rows(path: Path, rows: Sequence[Sequence[str]]) -> None:
    """Write an export as CSV, or as XLSX by the ending of its name; whole or not at all. Raises StoreError, and
    UsageError for another ending."""
    if path.suffix.lower() not in (".csv", ".txt", ".xlsx"):
        raise UsageError(f"{path} ends neither in .csv nor in .xlsx.", "Without a file the sheet goes to stdout.")
    aside = path.with_name(f".{path.name}.new")
    try:
        if path.suffix.lower() == ".xlsx":
            import openpyxl

            book, content = openpyxl.Workbook(), io.BytesIO()
            sheet = book.active
            sheet.title = "sandboxes"
            for row in (COLUMNS, *rows):
                sheet.append(list(row))
            book.save(content)  # not on disk: a full one breaks it in ways of its own
            aside.write_bytes(content.getvalue())
        else:
            aside.write_text(render_csv(rows), encoding="utf-8", newline="")
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise StoreError(f"{path} cannot be written: {error.strerror}.", "Name another file.") from error


def render_csv(rows: Sequence[Sequence[str]]) -> str:
    """An export as CSV text."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([COLUMNS, *rows])
    return text.getvalue()
