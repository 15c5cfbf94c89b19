"""When a sandbox is free for a while: the answer that a refused booking deserves. Pure.

A slot is as long as what was asked for, starts on the grid, touches no booking (with its hold and reset) and no
blackout, and lies inside the team's hours where the wish did. It promises nothing: whoever books first has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rehearse.schedule.model import Booking, Closed, Policy, Window
from rehearse.schedule.wall import build_grid, build_hours

_AHEAD = timedelta(days=28)


@dataclass(frozen=True)
class FreeSlot:
    """A stretch in which a sandbox is free."""

    sandbox: str
    window: Window


@dataclass(frozen=True)
class Calendar:
    """What stands against a time: bookings of all sandboxes, blackouts, the team's hours and grid."""

    bookings: tuple[Booking, ...]
    closed: tuple[Closed, ...]
    policy: Policy

    def taken(self, sandbox: str) -> list[Window]:
        """Every stretch of a sandbox in which nothing new may be, earliest first."""
        found = [Window(one.start, one.free_at) for one in self.bookings if one.sandbox == sandbox]
        found += [one.window for one in self.closed if not one.sandboxes or sandbox in one.sandboxes]
        return sorted(found, key=lambda one: one.start)


def is_free(calendar: Calendar, sandbox: str, window: Window) -> bool:
    """Whether nothing stands against a time."""
    return not any(one.overlaps(window) for one in calendar.taken(sandbox))


def find_slots(calendar: Calendar, sandbox: str, wish: Window, most: int = 3) -> tuple[FreeSlot, ...]:
    """The first free stretches of a sandbox from a wished start on, each as long as the wish, none touching another."""
    length, taken, found = wish.end - wish.start, calendar.taken(sandbox), []
    inside = _is_in_hours(calendar.policy, wish)
    after = wish.start
    ends = [] if inside else [one.end for one in taken]
    for start in _starts(calendar.policy, wish.start, ends, inside=inside):
        window = Window(start, start + length)
        if start < after or any(one.overlaps(window) for one in taken):
            continue
        if inside and not _is_in_hours(calendar.policy, window):
            continue
        found.append(FreeSlot(sandbox, window))
        after = window.end
        if len(found) == most:
            break
    return tuple(found)


def find_elsewhere(calendar: Calendar, sandboxes: Sequence[str], window: Window) -> tuple[FreeSlot, ...]:
    """Other sandboxes that are free at the very time."""
    return tuple(FreeSlot(name, window) for name in sandboxes if is_free(calendar, name, window))


def _starts(policy: Policy, first: datetime, ends: Sequence[datetime], *, inside: bool) -> Iterator[datetime]:
    """The first, then points of the grid; outside the hours whole hours after the first, and where something ends."""
    last, hour = first + _AHEAD, timedelta(hours=1)
    grid = build_grid(policy.grid, policy.zone, Window(first, last))
    found = {one for one in grid if inside or (one - first) % hour == timedelta()}
    yield from sorted({first, *found, *(one for one in ends if first < one < last)})


def _is_in_hours(policy: Policy, window: Window) -> bool:
    hours = build_hours(policy.hours, policy.zone, window)
    return any(one.start <= window.start and window.end <= one.end for one in hours)
