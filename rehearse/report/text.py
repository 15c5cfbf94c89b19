"""Pages as plain text for a terminal or a log; colour only where the caller says that the terminal wants it."""

from __future__ import annotations

import io
from typing import get_args

from rehearse.report.text_table import STYLES, build_lines
from rehearse.report.view import BAR_NAMES, BarKind, Block, Page, Paragraph, Timeline, printable

_OVER = get_args(BarKind)


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
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
        legacy_windows=False,
    )
    if isinstance(block, Paragraph):
        console.print(Text(printable(block.text), style=STYLES[block.tone]))
    elif isinstance(block, Timeline):
        out.write(printable(_timeline(block, width)))
    elif not block.rows:
        console.print(Text(printable(f"{block.title}: {block.empty}" if block.title else block.empty)))
    else:
        if block.title:
            console.print(Text(printable(block.title), style="bold"), soft_wrap=True)
        console.print(Text("\n").join([Text(), *build_lines(block, width), Text()]), soft_wrap=True)
    return "".join(line.rstrip() + "\n" for line in out.getvalue().splitlines())


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
