"""Pages as plain text for a terminal or a log; colour only where the caller says that the terminal wants it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal, get_args

from rehearse.report.view import BAR_NAMES, BarKind, Block, Cell, Page, Paragraph, Table, Timeline, printable

if TYPE_CHECKING:
    from rich.table import Table as RichTable
    from rich.text import Text

_WHOLE = 20
_OVER = get_args(BarKind)
_STYLES = {"plain": "", "good": "green", "warn": "yellow", "bad": "bold red", "faint": "dim"}


def render_text(page: Page, *, width: int = 120, colour: bool = False) -> str:
    """The whole page as text that ends in a line end."""
    head = f"{printable(page.title)}\n{'=' * len(page.title)}\n\n" if page.title else ""
    parts = [head]
    for before, block in zip((None, *page.blocks), page.blocks, strict=False):
        gap = "\n" if before is not None and not (_is_item(before) and _is_item(block)) else ""
        parts.append(gap + render_block(block, width=width, colour=colour))
    return "".join(parts)


def _is_item(block: Block) -> bool:
    """Whether a paragraph is a line of a list: those stand close together."""
    return isinstance(block, Paragraph) and block.text.startswith("  ")


def render_block(block: Block, *, width: int = 120, colour: bool = False) -> str:
    """One block as text that ends in a line end."""
    from rich.console import Console
    from rich.text import Text

    out = io.StringIO()
    console = Console(
        file=out,
        width=max(width, _least(block)) if isinstance(block, Table) else width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
        legacy_windows=False,
    )
    if isinstance(block, Paragraph):
        console.print(Text(printable(block.text), style=_STYLES[block.tone]))
    elif isinstance(block, Timeline):
        out.write(printable(_timeline(block, width)))
    else:
        if block.title and block.rows:
            console.print(Text(printable(block.title), style="bold"), soft_wrap=True)
        console.print(_table(block))
    return "".join(line.rstrip() + "\n" for line in out.getvalue().splitlines())


def _least(table: Table) -> int:
    """The width below which short cells would be cut; a wider line is better than a date without its end."""
    columns = [[name, *(row[index].text for row in table.rows)] for index, name in enumerate(table.columns)]
    natural = [max(len(text) for text in texts) for texts in columns]
    whole = [name == "id" for name in table.columns]
    return sum((size if uncut else min(size, _WHOLE + 4)) + 3 for size, uncut in zip(natural, whole, strict=True))


def _table(table: Table) -> RichTable | Text:
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    if not table.rows:
        return Text(printable(f"{table.title}: {table.empty}" if table.title else table.empty))
    made = RichTable(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, name in enumerate(table.columns):
        short = name == "id" or all(len(row[index].text) <= _WHOLE for row in table.rows)  # dates and ids stay whole
        justify: Literal["left", "right"] = "right" if index in table.right else "left"
        made.add_column(Text(printable(name)), justify=justify, overflow="fold", no_wrap=short)
    for row in table.rows:
        made.add_row(*(_cell(one) for one in row))
    return made


def _cell(cell: Cell) -> Text:
    from rich.text import Text

    return Text(cell.text, style=_STYLES[cell.tone])


_MARKS = {
    "booking": "#",
    "reset": "r",
    "copy": "c",
    "settling": "s",
    "possible": "·",
    "certain": "-",
    "blackout": "x",
    "burned": "!",
    "advance": "a",
    "use": "u",
}


def _timeline(timeline: Timeline, width: int) -> str:
    """A lane a line, one character a slice of time; what is booked is drawn over everything else."""
    label = max([len(lane.name) for lane in timeline.lanes] + [8]) + 2
    columns = max(20, width - label - 2)
    whole = (timeline.end - timeline.start) / columns
    lines = [timeline.title, f"{'':{label}}{timeline.start:%d %b}".ljust(label + columns - 6) + f"{timeline.end:%d %b}"]
    for lane in timeline.lanes:
        cells = [" "] * columns
        for bar in sorted(lane.bars, key=lambda one: _OVER.index(one.kind)):
            first = max(0, int((bar.start - timeline.start) / whole))
            last = min(columns, max(first + 1, int((bar.end - timeline.start) / whole)))
            cells[first:last] = _MARKS[bar.kind] * max(0, last - first)
        lines.append(f"{lane.name:{label}}{''.join(cells)}")
    used = {bar.kind for lane in timeline.lanes for bar in lane.bars}
    lines.append("  ".join(f"{_MARKS[kind]} {BAR_NAMES[kind]}" for kind in _MARKS if kind in used))
    return "\n".join(line.rstrip() for line in lines) + "\n"
