"""Pages as one self-contained HTML file: no script, no font, no address of anything outside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

from rehearse.report.view import BAR_NAMES, BarKind, Page, Paragraph, Table, Timeline, printable

_WIDTH, _ROW, _TOP = 1080, 34, 34
_LETTER, _NAMES = 7.5, (120, 340)
"""How wide a letter of a lane's name is at most, and the least and most room for names."""
_ORDER = get_args(BarKind)


@dataclass(frozen=True)
class _Shape:
    """One rectangle of a drawn timeline, in the units of its drawing."""

    x: float
    y: float
    width: float
    kind: str
    label: str
    text: str


@dataclass(frozen=True)
class _Drawing:
    """A timeline with everything placed."""

    title: str
    left: float
    height: int
    lanes: tuple[tuple[float, str], ...]
    shapes: tuple[_Shape, ...]
    ticks: tuple[tuple[float, str], ...]
    marks: tuple[tuple[float, str, str], ...]
    kinds: tuple[str, ...]


def render_html(page: Page, at: datetime, zone: ZoneInfo) -> str:
    """The page as HTML text; instants are shown in `zone`."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, finalize=_readable
    )
    blocks = [_prepare(block, zone) for block in page.blocks]
    made = f"{at.astimezone(zone):%A %d %B %Y, %H:%M} ({zone.key})"
    return environment.get_template("page.html").render(
        title=page.title, blocks=blocks, made=made, names=BAR_NAMES, width=_WIDTH, row=_ROW, top=_TOP
    )


def _readable(value: object) -> object:
    return printable(value) if type(value) is str else value  # what is marked safe is a class of its own


def _prepare(block: Table | Paragraph | Timeline, zone: ZoneInfo) -> tuple[str, object]:
    if isinstance(block, Timeline):
        return "timeline", _draw(block, zone)
    return ("table", block) if isinstance(block, Table) else ("paragraph", block)


def _draw(timeline: Timeline, zone: ZoneInfo) -> _Drawing:
    whole = (timeline.end - timeline.start) / timedelta(minutes=1)
    longest = max((len(lane.name) for lane in timeline.lanes), default=0)
    left = min(max(_NAMES[0], longest * _LETTER + 10), _NAMES[1])

    def across(instant: datetime) -> float:
        inside = min(max(instant, timeline.start), timeline.end)
        return round(left + (inside - timeline.start) / timedelta(minutes=1) / whole * _WIDTH, 1)

    shapes = []
    for index, lane in enumerate(timeline.lanes):
        for bar in sorted(lane.bars, key=lambda one: _ORDER.index(one.kind)):
            if bar.end <= timeline.start or bar.start >= timeline.end:
                continue
            x, until = across(bar.start), across(bar.end)
            span = f"{bar.start.astimezone(zone):%a %d %b %H:%M} to {bar.end.astimezone(zone):%a %d %b %H:%M}"
            shapes.append(_Shape(x, _TOP + index * _ROW, max(2.0, until - x), bar.kind, bar.label, span))
    lanes = tuple((_TOP + index * _ROW, lane.name) for index, lane in enumerate(timeline.lanes))
    marks = tuple(
        (across(at), label, f"{at.astimezone(zone):%a %d %b %H:%M}")
        for at, label in timeline.marks
        if timeline.start <= at <= timeline.end
    )
    kinds = tuple(dict.fromkeys(one.kind for one in shapes))
    height = _TOP + _ROW * len(timeline.lanes) + 12
    ticks = _ticks(timeline, zone, across, left + _WIDTH - 40)
    return _Drawing(timeline.title, left, height, lanes, tuple(shapes), ticks, marks, kinds)


def _ticks(
    timeline: Timeline, zone: ZoneInfo, across: Callable[[datetime], float], last: float
) -> tuple[tuple[float, str], ...]:
    """The Mondays, thinned so that their labels do not touch; after `last` there is no room for a label."""
    first = timeline.start.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    day = first + timedelta(days=(7 - first.weekday()) % 7)
    weeks = max(1, (timeline.end - timeline.start).days // 7)
    step = timedelta(weeks=1 + weeks // 16)
    found = []
    while day < timeline.end:
        found.append((across(day), f"{day:%d %b}" if across(day) <= last else ""))
        day += step
    return tuple(found)
