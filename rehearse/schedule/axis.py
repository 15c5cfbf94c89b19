"""Instants as whole minutes from one origin, the grid, and sets of minutes as sorted half-open ranges. Pure.

A lower bound is rounded up and an upper bound down, so that no rounding lets anything in that the instants forbid.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rehearse.schedule.model import Window

Ranges = tuple[tuple[int, int], ...]
"""Sorted, disjoint, half-open ranges of minutes."""

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Axis:
    """Minutes from an origin, and the grid points from now to the end of everything that may be planned."""

    origin: datetime
    grid: tuple[int, ...]

    def down(self, instant: datetime) -> int:
        """The last whole minute at or before an instant."""
        return (instant - self.origin) // _MINUTE

    def up(self, instant: datetime) -> int:
        """The first whole minute at or after an instant."""
        return -((self.origin - instant) // _MINUTE)

    def instant(self, minute: int) -> datetime:
        """The instant of a minute."""
        return self.origin + minute * _MINUTE

    def inner(self, window: Window) -> tuple[int, int]:
        """A window in which something may happen, as minutes."""
        return self.up(window.start), self.down(window.end)

    def outer(self, window: Window) -> tuple[int, int]:
        """A window in which nothing may happen, as minutes."""
        return self.down(window.start), self.up(window.end)

    def points(self, ranges: Ranges) -> tuple[int, ...]:
        """The grid points inside ranges."""
        found: list[int] = []
        for start, end in ranges:
            found += self.grid[bisect_left(self.grid, start) : bisect_left(self.grid, end)]
        return tuple(found)


def minutes(length: timedelta) -> int:
    """A length in whole minutes, rounded up."""
    return -(-length // _MINUTE)


def merge(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Any ranges as sorted disjoint ones; empty ones vanish."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(one for one in ranges if one[0] < one[1]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


def intersect(one: Ranges, other: Ranges) -> Ranges:
    """The minutes that are in both."""
    found, i, j = [], 0, 0
    while i < len(one) and j < len(other):
        start, end = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if start < end:
            found.append((start, end))
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return tuple(found)


def subtract(one: Ranges, other: Ranges) -> Ranges:
    """The minutes of the first that are not in the second."""
    found = []
    for start, end in one:
        for from_, to in other:
            if to <= start or from_ >= end:
                continue
            if from_ > start:
                found.append((start, from_))
            start = max(start, to)
        if start < end:
            found.append((start, end))
    return tuple(found)


def starts_inside(windows: Sequence[tuple[int, int]], length: int) -> Ranges:
    """The starts from which a run of some length stays inside one of the windows."""
    return merge((start, end - length + 1) for start, end in windows)


def starts_touching(windows: Sequence[tuple[int, int]], length: int) -> Ranges:
    """The starts from which a run of some length touches one of the windows."""
    return merge((start - length + 1, end) for start, end in windows)
