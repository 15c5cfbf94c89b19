"""What is shown, before it is text: tables, paragraphs and timelines, neutral to the medium. Pure values.

The same page is rendered as text, Markdown and HTML; what a cell means (good, bad, plain) is said here, what it looks
like is the renderer's choice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Tone = Literal["plain", "good", "warn", "bad", "faint"]


@dataclass(frozen=True)
class Cell:
    """One cell of a table: its text, and what it says about the world; `code`: to be copied letter by letter."""

    text: str
    tone: Tone = "plain"
    code: bool = False


@dataclass(frozen=True)
class Table:
    """A titled table; every row is as long as `columns`. `right` holds the indexes of columns of numbers."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    right: tuple[int, ...] = ()
    empty: str = "none"


@dataclass(frozen=True)
class Paragraph:
    """A few sentences; `tone` marks a verdict."""

    text: str
    tone: Tone = "plain"


BarKind = Literal["certain", "possible", "blackout", "burned", "copy", "settling", "reset", "use", "advance", "booking"]
"""In the order in which they are drawn over one another."""


@dataclass(frozen=True)
class Bar:
    """A stretch of time on a lane: a booking, a reset, a copy, a window in which a refresh is possible."""

    kind: BarKind
    start: datetime
    end: datetime
    label: str


BAR_NAMES = {
    "booking": "booking",
    "reset": "hold and reset",
    "copy": "copy",
    "settling": "activation and settling",
    "possible": "refresh possible",
    "certain": "refresh certain",
    "blackout": "blackout",
    "burned": "burned until a refresh",
    "advance": "advance",
    "use": "use",
}
"""What each kind of bar is called in a legend."""


@dataclass(frozen=True)
class Lane:
    """One sandbox's row of a timeline."""

    name: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Timeline:
    """Lanes over one stretch of time; `marks` are instants that matter to all lanes, such as a go-live."""

    title: str
    start: datetime
    end: datetime
    lanes: tuple[Lane, ...]
    marks: tuple[tuple[datetime, str], ...] = ()


Block = Table | Paragraph | Timeline
Rows = list[list[Cell | str]]


@dataclass(frozen=True)
class Page:
    """A titled page of blocks."""

    title: str
    blocks: tuple[Block, ...]


_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """Text that cannot steer a terminal: names and messages of an org may hold control characters."""
    return _CONTROLS.sub("\ufffd", text)


def build_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell | str]], **more: object) -> Table:
    """A table from cells or plain texts; raises ValueError when a row has another length than the columns."""
    made = tuple(tuple(_clean(one if isinstance(one, Cell) else Cell(one)) for one in row) for row in rows)
    if any(len(row) != len(columns) for row in made):
        raise ValueError(f"a row of the table {title!r} has not {len(columns)} cells")
    return Table(title, tuple(columns), made, **more)  # type: ignore[arg-type]


def _clean(cell: Cell) -> Cell:
    return Cell(printable(cell.text), cell.tone, cell.code)
