"""One copy between two go-lives: what it costs at least to run sets of tasks on it, one thing after the other.

Hold and reset are kept; what burns it comes last, a fresh start first; what follows another on it waits for its gap. A
start counts as the earliest of its day where another must wait for its end, and as the latest where it waits itself; so
nothing that could be done is dearer or left out.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import groupby
from typing import NamedTuple

import numpy as np

from rehearse.schedule.course import Course, Task
from rehearse.schedule.course_kinds import Profile
from rehearse.schedule.course_moves import Numbers
from rehearse.schedule.outline import DAY, FAR
from rehearse.schedule.outline_rules import list_followed

NEVER = 1 << 29
"""More than any course costs; twice as much is still a number of 32 bits."""
_Wait = tuple[int, int]
"""A task that was run and is followed by another, which waits until a minute."""
_ALL: _Wait = (-1, -FAR)


class _Way(NamedTuple):
    """A task on a day: its starts from `first` to `last`; it takes so long, and what follows it waits until `ripe`."""

    bit: int
    first: int
    last: int
    takes: int
    cost: int
    ripe: int


def run_nothing(count: int) -> Numbers:
    """The table of no copy at all: only nothing can be run."""
    table = np.full(1 << count, NEVER, dtype=np.int32)
    table[0] = 0
    return table


class Line:
    """One copy in one epoch: sets of tasks by when it is free again after them."""

    def __init__(self, course: Course, epoch: int, profile: Profile) -> None:
        self.tasks = [course.tasks[one] for one in course.there[epoch]]
        self.course, self.profile = course, profile
        numbers = {one.number: bit for bit, one in enumerate(self.tasks)}
        self.first = {bit: numbers[one.need] for bit, one in enumerate(self.tasks) if one.need in numbers}
        self.second: dict[int, list[int]] = {}
        for bit, other in self.first.items():
            self.second.setdefault(other, []).append(bit)
        self.ways = [way for bit, one in enumerate(self.tasks) for way in self._list_ways(bit, one)]
        self.points = [*sorted({-FAR, *(one.first + one.takes for one in self.ways)}), FAR]
        self.places = np.arange(1 << len(self.tasks))
        self.free: list[dict[_Wait, Numbers]] = [{} for _ in self.points]
        self.ended = np.full(1 << len(self.tasks), NEVER, dtype=np.int32)

    def _list_ways(self, bit: int, task: Task) -> list[_Way]:
        held, found = self.course.outline.held[task.demand.key], []
        for _, some in groupby(self.profile.starts[bit], lambda one: one // DAY):
            starts = list(some)
            takes = min(held[one] for one in starts) + self.profile.reset
            cost = min(task.cost[one] for one in starts)
            seconds = [self.tasks[other].demand for other in self.second.get(bit, ())]
            outline, demand = self.course.outline, task.demand
            ripe = [list_followed(outline, demand, one, starts[:1])[0] for one in seconds]
            found.append(_Way(bit, starts[0], starts[-1], takes, cost, min(ripe, default=-FAR)))
        return found

    def table(self, *, ending: bool) -> Numbers:
        """The cheapest way to run each set; where `ending`, the copy may be burned by the last."""
        self.free[0][_ALL] = run_nothing(len(self.tasks))
        for place, point in enumerate(self.points[:-1]):
            now = self.free[place]
            for key in [one for one in now if one[1] <= point and one != _ALL]:
                self._merge(place, _ALL, now.pop(key))
            while any([self._run(place, one, way, ending=ending) for one in list(now.items()) for way in self.ways]):
                pass  # what is over within the same place of time is followed from there
            for key, costs in now.items():
                self._merge(place + 1, key, costs)
            now.clear()
        found = self.ended
        for costs in self.free[-1].values():
            found = np.minimum(found, costs)
        return np.minimum(found, NEVER)

    def _merge(self, place: int, key: _Wait, costs: Numbers) -> None:
        there = self.free[place].get(key)
        self.free[place][key] = costs.copy() if there is None else np.minimum(there, costs)

    def _run(self, place: int, what: tuple[_Wait, Numbers], way: _Way, *, ending: bool) -> bool:
        """Run a task on a day, as soon as the copy is free; whether it may be followed from the same place of time."""
        ((waiting, ripe), costs), point, task = what, self.points[place], self.tasks[way.bit].demand
        follows = waiting >= 0 and self.first.get(way.bit) == waiting
        start = max(way.first, point, ripe if follows else way.first)
        if start > way.last or self.points[place + 1] <= way.first or (task.burns and not ending):
            return False
        target = bisect_right(self.points, start + way.takes) - 1
        into = self.ended if task.burns else self._open(target, way, (waiting, ripe))
        side = costs.reshape(-1, 2, 1 << way.bit)[:, 0, :]
        if task.fresh:
            side = np.where(self._sides(way.bit) == 0, side, NEVER)
        for other in self.second.get(way.bit, ()):
            side = np.where(self._sides(way.bit) >> other & 1, NEVER, side)
        half, mine = into.reshape(-1, 2, 1 << way.bit)[:, 1, :], side + way.cost
        again = target == place and not task.burns and bool((mine < half).any())
        np.minimum(half, mine, out=half)
        return again

    def _sides(self, bit: int) -> Numbers:
        return self.places.reshape(-1, 2, 1 << bit)[:, 0, :]

    def _open(self, place: int, way: _Way, waiting: _Wait) -> Numbers:
        """The costs that a task leads to: what follows it waits; of several things that wait, the newest counts."""
        point = self.points[place]
        key = waiting if waiting[1] > point else _ALL
        if way.ripe > point:
            key = way.bit, way.ripe
        if key not in self.free[place]:
            self.free[place][key] = np.full(len(self.places), NEVER, dtype=np.int32)
        return self.free[place][key]
