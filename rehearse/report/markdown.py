"""Pages as Markdown, for a wiki or a ticket."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from rehearse import clock
from rehearse.report.view import Cell, Page, Paragraph, Table, Timeline, printable

UTC = ZoneInfo("UTC")


def render_markdown(page: Page, zone: ZoneInfo = UTC) -> str:
    """The page as Markdown; a timeline becomes a list of its bars, told in `zone`."""
    parts = [f"# {_plain(page.title)}"] if page.title else []
    for block in page.blocks:
        if isinstance(block, Paragraph):
            parts.append(_plain(block.text))
        elif isinstance(block, Table):
            parts.append(_table(block))
        else:
            parts.append(_timeline(block, zone))
    return "\n\n".join(parts) + "\n"


def _table(table: Table) -> str:
    head = f"## {_plain(table.title)}\n\n" if table.title else ""
    if not table.rows:
        return f"{head}{_plain(table.empty)}"
    rule = ["---:" if index in table.right else "---" for index in range(len(table.columns))]
    lines = [[_plain(one) for one in table.columns], rule, *([_cell(one) for one in row] for row in table.rows)]
    return head + "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(cell: Cell) -> str:
    """Code is copied, also out of the source of the page: nothing in it is escaped but what would end the cell."""
    text = " ".join(cell.text.split())
    if not cell.code or not text or "`" in text:
        return _plain(text)
    return f"`{text.replace('|', chr(92) + '|')}`"


def _timeline(timeline: Timeline, zone: ZoneInfo) -> str:
    lines = [f"## {_plain(timeline.title)}", ""]
    for lane in timeline.lanes:
        for bar in sorted(lane.bars, key=lambda one: one.start):
            when = f"{clock.show(bar.start, zone)} to {clock.show(bar.end, zone)}"
            lines.append(f"- {_plain(lane.name)}: {_plain(bar.label)}, {when}")
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, in one line."""
    return re.sub(r"([\\|*_`<>\[\]])", r"\\\1", " ".join(printable(text).split()))
