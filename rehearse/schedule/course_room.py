"""What it costs at least to run some tasks between two go-lives on some copies: for every set of tasks at once.

Tasks are shared out among the copies. That what follows another waits for it on another copy, too, is asked where a
course would have it otherwise (`refine`): for each day of the first, what it costs when the second comes after that.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from rehearse.schedule.course import Course
from rehearse.schedule.course_kinds import Kind, KindBook, Kinds
from rehearse.schedule.course_line import NEVER, Line, run_nothing
from rehearse.schedule.course_moves import Numbers
from rehearse.schedule.outline import DAY
from rehearse.schedule.outline_rules import list_followed

_FEW = 4
"""Copies whose sharing of tasks is looked at; of more, each task takes the cheapest."""


@dataclass
class Rooms:
    """Tables of costs: a number for each set of the tasks of an epoch, NEVER where it cannot be."""

    course: Course
    book: KindBook
    _single: dict[tuple[Kind, bool], Numbers] = field(default_factory=dict)
    _joint: dict[tuple[Kinds, Kinds], Numbers] = field(default_factory=dict)
    _free: dict[tuple[Kinds, Kinds], Numbers] = field(default_factory=dict)
    _costs: dict[Kind, list[int]] = field(default_factory=dict)
    _ends: dict[tuple[int, int], dict[int, int]] = field(default_factory=dict)
    _refined: dict[int, set[tuple[int, int]]] = field(default_factory=dict)
    _dated: dict[tuple[Kind, bool, tuple[int, int], int], Numbers] = field(default_factory=dict)

    def table(self, epoch: int, going_on: Kinds, ending: Kinds) -> Numbers:
        """What sets of tasks cost on copies of which some go on after the epoch, and some may be burned in it."""
        key = going_on, ending
        if key == ((), ()):
            return run_nothing(len(self.course.there[epoch]))
        if len(going_on) + len(ending) > _FEW:
            return self._cheapest(epoch, going_on, ending)
        if key not in self._joint:
            parts = [(one, False) for one in going_on] + [(one, True) for one in ending]
            last, is_ending = parts[-1]
            table = self._alone(epoch, last, is_ending)
            if len(parts) > 1:
                rest = (going_on, ending[:-1]) if is_ending else (going_on[:-1], ending)
                table = _join(self.table(epoch, *rest), table)
                table = np.maximum(table, self._cheapest(epoch, going_on, ending))
                for pair in self._refined.get(epoch, ()):
                    table = np.maximum(table, self._put_in_order(epoch, pair, parts, table))
            self._joint[key] = table
        return self._joint[key]

    def refine(self, epoch: int, runs: int) -> bool:
        """Look closer at what follows another in what is run in an epoch; whether that was not so before."""
        now = self._refined.setdefault(epoch, set())
        new = {one for one in self._list_pairs(epoch) if runs >> one[0] & runs >> one[1] & 1} - now
        now |= new
        if new:
            self._joint.clear()
        return bool(new)

    def _put_in_order(
        self, epoch: int, pair: tuple[int, int], parts: list[tuple[Kind, bool]], table: Numbers
    ) -> Numbers:
        """What two tasks cost of which one follows the other: for each day of the first the second after it."""
        first, second = pair
        kinds = {kind for kind, _ in parts}
        days = sorted({one // DAY for kind in kinds for one in self.book.profiles[kind].starts[first]})
        both = (np.arange(len(table)) >> first & np.arange(len(table)) >> second & 1) == 1
        found = np.where(both, NEVER, table)
        for day in days:
            costs = self._date(epoch, parts[0], pair, day)
            for one in parts[1:]:
                costs = _join(costs, self._date(epoch, one, pair, day))
            found = np.where(both, np.minimum(found, costs), found)
        return found

    def _date(self, epoch: int, part: tuple[Kind, bool], pair: tuple[int, int], day: int) -> Numbers:
        """One copy with the first of two tasks on a day at the latest, and the second after the first of that day."""
        (kind, ending), (first, second) = part, pair
        ending = ending and self.has_burns(epoch)
        key = kind, ending, pair, day
        if key not in self._dated:
            tasks = [self.course.tasks[one].demand for one in self.course.there[epoch]]
            starts = list(self.book.profiles[kind].starts)
            (after,) = list_followed(
                self.course.outline, tasks[first], tasks[second], [self._find_start(epoch, first, day)]
            )
            starts[first] = tuple(one for one in starts[first] if one // DAY <= day)
            starts[second] = tuple(one for one in starts[second] if one >= after)
            profile = replace(self.book.profiles[kind], starts=tuple(starts))
            self._dated[key] = Line(self.course, epoch, profile).table(ending=ending)
        return self._dated[key]

    def _find_start(self, epoch: int, bit: int, day: int) -> int:
        """The first start of a task on a day, in any sandbox."""
        number = self.course.there[epoch][bit]
        some = (starts for (one, _, other), starts in self.course.starts.items() if (one, other) == (number, epoch))
        return min(one for starts in some for one in starts if one // DAY == day)

    def has_burns(self, epoch: int) -> bool:
        """Whether anything that may run in an epoch burns its copy."""
        return any(self.course.tasks[one].demand.burns for one in self.course.there[epoch])

    def _cheapest(self, epoch: int, going_on: Kinds, ending: Kinds) -> Numbers:
        """Each task on the copy where it costs least; what follows another, together with that, after its gap."""
        burned, every = tuple(sorted(set(ending))), tuple(sorted({*going_on, *ending}))
        if (burned, every) not in self._free:
            there = [self.course.tasks[number] for number in self.course.there[epoch]]
            costs = [
                min(
                    (self._list_costs(epoch, kind)[bit] for kind in (burned if one.demand.burns else every)),
                    default=NEVER,
                )
                for bit, one in enumerate(there)
            ]
            table = np.zeros(1, dtype=np.int32)
            for cost in costs:
                table = np.concatenate([table, np.minimum(table + cost, NEVER)])
            for first, second in self._list_pairs(epoch):
                both = self._cost_both(epoch, (first, second), (burned, every))
                more = min(both - costs[first] - costs[second], NEVER) if both < NEVER else NEVER
                if more > 0 and max(costs[first], costs[second]) < NEVER:
                    wanted = 1 << first | 1 << second
                    mine = (np.arange(len(table)) & wanted) == wanted
                    table[mine] = np.minimum(table[mine] + more, NEVER)
            self._free[burned, every] = table
        return self._free[burned, every]

    def _list_pairs(self, epoch: int) -> list[tuple[int, int]]:
        """Tasks of an epoch and those that follow them, each in one pair at most."""
        there, found, taken = self.course.there[epoch], list[tuple[int, int]](), set[int]()
        for bit, number in enumerate(there):
            need = self.course.tasks[number].need
            if need in there and not taken & {number, need}:
                taken |= {number, need}
                found.append((there.index(need), bit))
        return found

    def _cost_both(self, epoch: int, pair: tuple[int, int], where: tuple[Kinds, Kinds]) -> int:
        """What two tasks cost at least, one after the other, wherever they run."""
        ways = []
        for bit in pair:
            task = self.course.tasks[self.course.there[epoch][bit]]
            kinds = where[0] if task.demand.burns else where[1]
            ways.append((task, sorted({one for kind in kinds for one in self.book.profiles[kind].starts[bit]})))
        (first, early), (second, late) = ways
        if (first.number, second.number) not in self._ends:
            every = sorted(first.cost)
            ends = list_followed(self.course.outline, first.demand, second.demand, every)
            self._ends[first.number, second.number] = dict(zip(every, ends, strict=True))
        ends_by_start = self._ends[first.number, second.number]
        cheapest, least = NEVER, [NEVER] * (len(late) + 1)
        for place in range(len(late) - 1, -1, -1):
            least[place] = min(least[place + 1], second.cost[late[place]])
        for start in early:
            cheapest = min(cheapest, first.cost[start] + least[bisect_left(late, ends_by_start[start])])
        return min(cheapest, NEVER)

    def _list_costs(self, epoch: int, kind: Kind) -> list[int]:
        """What each task of an epoch costs at least on a copy."""
        if kind not in self._costs:
            tasks = [self.course.tasks[number] for number in self.course.there[epoch]]
            starts = zip(tasks, self.book.profiles[kind].starts, strict=True)
            self._costs[kind] = [min((task.cost[one] for one in some), default=NEVER) for task, some in starts]
        return self._costs[kind]

    def _alone(self, epoch: int, kind: Kind, ending: bool) -> Numbers:
        ending = ending and self.has_burns(epoch)
        if (kind, ending) not in self._single:
            self._single[kind, ending] = Line(self.course, epoch, self.book.profiles[kind]).table(ending=ending)
        return self._single[kind, ending]


def _join(one: Numbers, other: Numbers) -> Numbers:
    """Every set of tasks shared out in the cheapest way between what two tables are of."""
    whole, part, groups = _list_parts(len(one).bit_length() - 1)
    return np.minimum(np.minimum.reduceat(one[whole ^ part] + other[part], groups), NEVER)


@cache
def _list_parts(count: int) -> tuple[Numbers, Numbers, Numbers]:
    """Every set with each of its parts, and where the parts of each set begin."""
    whole, part = np.zeros(1, dtype=np.int32), np.zeros(1, dtype=np.int32)
    for bit in range(count):
        one = 1 << bit
        whole = np.concatenate([whole, whole | one, whole | one])
        part = np.concatenate([part, part, part | one])
    order = np.argsort(whole, kind="stable")
    whole, part = whole[order], part[order]
    return whole, part, np.flatnonzero(np.r_[True, whole[1:] != whole[:-1]])
