"""Wall-clock work of the planner: working days, weekly hours as windows, local days. Pure; right over clock changes.

A day in a duration is 24 hours, whatever the clocks do; only working days (`5bd`) and hours follow the wall. A wall
time that a clock change skips becomes the first instant after it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from rehearse import clock
from rehearse.clock import Hours, Span
from rehearse.schedule.model import Window

_DAY = timedelta(days=1)


def add_span(instant: datetime, span: Span, zone: ZoneInfo, days: Collection[int]) -> datetime:
    """The instant a duration after another; working days (`days`, 0 = Monday) keep the wall time of `zone`."""
    return _shift(instant, span, (zone, days), 1)


def subtract_span(instant: datetime, span: Span, zone: ZoneInfo, days: Collection[int]) -> datetime:
    """The instant a duration before another; working days keep the wall time of `zone`."""
    return _shift(instant, span, (zone, days), -1)


def shift_days(instant: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The same wall time so many calendar days later, or earlier: what people mean who move a date in a file."""
    local = instant.astimezone(zone)
    return clock.wall_forward(local.date() + days * _DAY, local.time(), zone)


def _shift(instant: datetime, span: Span, calendar: tuple[ZoneInfo, Collection[int]], sign: int) -> datetime:
    zone, days = calendar
    if not span.working_days:
        return instant + sign * span.amount
    local, left = instant.astimezone(zone), span.working_days
    day = local.date()
    while left:
        day += sign * _DAY
        left -= day.weekday() in days
    return clock.wall_forward(day, local.time(), zone)


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The calendar day of an instant in a zone."""
    return instant.astimezone(zone).date()


def iterate_days(span: Window, zone: ZoneInfo) -> Iterator[date]:
    """The local days that a window touches."""
    day, last = local_day(span.start, zone), local_day(span.end, zone)
    while day <= last:
        yield day
        day += _DAY


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day."""
    return clock.wall_forward(day, time(0), zone)


@lru_cache(maxsize=256)
def build_hours(hours: Hours, zone: ZoneInfo, span: Window) -> tuple[Window, ...]:
    """The working hours of each local day that touches a span, oldest first; one past midnight belongs to its day."""
    reach = Window(span.start - _DAY, span.end)
    found = []
    for day in iterate_days(reach, zone):
        if day.weekday() not in hours.days:
            continue
        last = day if hours.end > hours.start else day + _DAY
        start, end = clock.wall_forward(day, hours.start, zone), clock.wall_forward(last, hours.end, zone)
        if start < end and end > span.start and start < span.end:
            found.append(Window(start, end))
    return tuple(found)


def build_grid(grid: timedelta, zone: ZoneInfo, span: Window) -> tuple[datetime, ...]:
    """The instants of a grid that is counted from each local midnight, inside a span (its end is not included)."""
    found = []
    for day in iterate_days(span, zone):
        at, end = midnight(day, zone), min(midnight(day + _DAY, zone), span.end)
        while at < end:
            if at >= span.start:
                found.append(at.astimezone(UTC))
            at += grid
    return tuple(found)
