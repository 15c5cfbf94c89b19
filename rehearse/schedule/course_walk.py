"""The cheapest course within so many refreshes and advances: from now to the last go-live, epoch by epoch.

A place on the way is the copies in use and what is done; of all ways to it the cheapest counts, by refreshes, then by
advances, then by distance. A way is left where copies as good or better, with as much done, cost no more, and where the
rest of the year could not be paid for.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations_with_replacement, permutations, product

import numpy as np

from rehearse.schedule.course import Course
from rehearse.schedule.course_keep import count_new, list_burned, list_kept, list_whole, list_woken
from rehearse.schedule.course_kinds import Kind, KindBook, Kinds, Supply
from rehearse.schedule.course_line import NEVER
from rehearse.schedule.course_moves import Moves, Numbers
from rehearse.schedule.course_reach import HOPELESS, MANY, Reach
from rehearse.schedule.course_room import Rooms

ADVANCE = 1 << 29
"""What an advance weighs beside a day of distance: more than all of the next goal."""
ENDLESS = 1 << 60
_WORSE = 3
"""Copies that are held against others one by one; where more differ, neither is called better."""


@dataclass(frozen=True)
class World:
    """A course with all that a walk asks of it."""

    course: Course
    moves: Sequence[Moves]
    book: KindBook
    supply: Supply
    rooms: Rooms
    rows: dict[tuple[int, Kinds, Kinds], Numbers] = field(default_factory=dict)
    """Of the newest epoch: those of all of them would take gigabytes."""

    def row(self, number: int, stay: Kinds, burned: Kinds) -> Numbers:
        """What each move of an epoch costs on some copies, some of which may be burned; ENDLESS where it cannot be."""
        key = number, stay, burned
        if key not in self.rows:
            if self.rows and next(iter(self.rows))[0] != number:
                self.rows.clear()
            moves = self.moves[number]
            costs = self.rooms.table(self.course.begin + number, stay, burned)[moves.runs].astype(np.int64)
            self.rows[key] = np.where(costs >= NEVER, ENDLESS, costs + moves.extra)
        return self.rows[key]


@dataclass(frozen=True)
class Leg:
    """One way to take copies through an epoch. `costs`: by what is done after it.

    `before`: the copies in use, `born`: those requested in it; `burned`: any of these may be burned, `stay`: the
    others; `kept`: those that are used after it.
    """

    costs: Numbers
    before: Kinds
    born: Kinds
    burned: Kinds
    stay: Kinds
    kept: Kinds


Layer = dict[Kinds, Numbers]


@dataclass
class Walk:
    """A search within `refreshes` and `advances` (None: these cost nothing). Raises TimeoutError after `until`."""

    world: World
    reach: Reach
    refreshes: int
    advances: int | None
    until: float
    layers: list[Layer] = field(default_factory=list)
    legs: list[dict[Kinds, list[Leg]]] = field(default_factory=list)

    def run(self) -> Numbers | None:
        """What the cheapest course costs, by how many refreshes it has at most; None where there is none."""
        world, layer = self.world, dict[Kinds, Numbers]()
        there = tuple(sorted(kind for kind, _ in world.supply.settled.get(world.course.begin, ())))
        for kept in [there] if self.advances is None else list_kept(world.book, there, lambda one: one):
            costs = np.full((self.refreshes + 1, 1), ENDLESS, dtype=np.int64)
            costs[0] = sum(world.book.step[one] for one in kept) * self._weight
            layer[kept] = costs
        for number in range(len(world.moves)):
            self.layers.append(layer)
            layer = self._step(number, layer)
            if not layer:
                return None
        return np.minimum.accumulate(np.min(list(layer.values()), axis=0).min(axis=1))

    @property
    def _weight(self) -> int:
        return ADVANCE if self.advances is not None else 0

    def _step(self, number: int, layer: Layer) -> Layer:
        found: Layer = {}
        legs: dict[Kinds, list[Leg]] = {}
        for before, costs in layer.items():
            for leg in self._list_legs(number, before, costs):
                after = tuple(sorted(self.world.book.following[one] for one in leg.kept))
                there = found.get(after)
                if there is None or (leg.costs < there).any():
                    found[after] = leg.costs if there is None else np.minimum(there, leg.costs)
                    legs.setdefault(after, []).append(leg)
        if number + 1 < len(self.world.moves):
            found = self._drop_worse(found)
        self.legs.append(
            {
                after: [one for one in legs[after] if ((one.costs == best) & (best < ENDLESS)).any()]
                for after, best in found.items()
            }
        )
        return found

    def _list_legs(self, number: int, before: Kinds, costs: Numbers) -> Iterator[Leg]:
        """Every way through an epoch that can still be paid for."""
        world, epoch = self.world, self.world.course.begin + number
        moves, used = world.moves[number], int(np.argmax(costs.min(axis=1) < ENDLESS))
        kinds = sorted(world.supply.births.get(epoch, {}))
        more = tuple(kind for kind, _ in world.supply.settled.get(epoch, ())) if number else ()
        for count in range(self.refreshes - used + 1):
            late = costs if count == 0 else np.full_like(costs, ENDLESS)
            late[count:] = costs[: len(costs) - count]
            if not self._can_pay(number, late):
                continue
            for born in combinations_with_replacement(kinds, count):
                for given, woken in product(
                    list_kept(world.book, more, lambda one: one) if more else [()], list_woken(world.book, before)
                ):
                    there = tuple(sorted((*woken, *born, *given)))
                    paid = sum(world.book.step[one] for one in given) * self._weight
                    for burned, stay in list_burned(world.course, epoch, there):
                        if time.monotonic() > self.until:
                            raise TimeoutError
                        every = late[:, moves.before] + world.row(number, stay, burned) + paid
                        least = np.minimum.reduceat(every, moves.groups, axis=1)
                        yield from self._keep(number, (before, born, burned, stay), least)

    def _can_pay(self, number: int, costs: Numbers) -> bool:
        """Whether anything could be paid for, whatever is run and kept in an epoch."""
        rest = self.reach.least[number + 1].min(axis=(0, 1))[::-1]
        most = HOPELESS - 1 if self.advances is None else self.advances
        spent = 0 if self.advances is None else costs.min(axis=1) // ADVANCE
        return bool(((spent + rest <= most) & (costs.min(axis=1) < ENDLESS)).any())

    def _keep(self, number: int, what: tuple[Kinds, Kinds, Kinds, Kinds], least: Numbers) -> Iterator[Leg]:
        """The copies that are kept after an epoch."""
        if self._pay(number, least, 0, MANY) is None:
            return
        book, last, stay = self.world.book, number + 1 == len(self.world.moves), what[3]
        every: Iterable[Kinds]
        room = len(book.few) - count_new(book, what[0], what[2])
        if last:
            every = [()]
        elif self.advances is None:
            every = list_whole(book, stay, room)
        else:
            every = list_kept(book, stay, lambda one: book.following[one])
        for kept in every:
            if sum(book.scarce[one] for one in kept) > room:
                continue
            steps = 0 if last else sum(book.step[book.following[one]] for one in kept)
            costs = self._pay(number, least, steps, len(kept))
            if costs is not None:
                yield Leg(costs, *what, kept)

    def _pay(self, number: int, least: Numbers, steps: int, count: int) -> Numbers | None:
        """The costs with some advances, where the rest can be paid for with so many copies in use; None if nowhere."""
        costs = least + steps * self._weight
        rest = self.reach.least[number + 1][min(count, MANY)].T[::-1]
        if self.advances is None:
            costs[(rest >= HOPELESS) | (costs >= ENDLESS)] = ENDLESS
        else:
            costs[costs // ADVANCE + rest > self.advances] = ENDLESS
        return costs if costs.min() < ENDLESS else None

    def _drop_worse(self, layer: Layer) -> Layer:
        """Leave out what costs no less than copies as good or better."""
        every = list(layer)
        costs = np.array([layer[one].ravel() for one in every])
        sizes = np.array([len(one) for one in every])
        found = {}
        for number, other in enumerate(every):
            mine = costs[number]
            real = np.flatnonzero(mine < ENDLESS)
            counts = (costs[:, real] <= mine[real]).sum(axis=1) * (sizes >= len(other))
            counts[number] = 0
            for place in np.argsort(-counts, kind="stable"):
                if not counts[place] or not len(real):
                    break
                worse = costs[place] <= mine
                if (mine[worse] < ENDLESS).any() and _covers(self.world.book, every[place], other):
                    mine[worse] = ENDLESS
                    real = np.flatnonzero(mine < ENDLESS)
            if len(real):
                found[other] = mine.reshape(layer[other].shape)
        return found


def _covers(book: KindBook, one: Kinds, other: Kinds) -> bool:
    """Whether each copy of the others has one of its own that is as good."""
    mine, its = list(one), list[Kind]()
    for kind in other:
        if kind in mine:
            mine.remove(kind)
        else:
            its.append(kind)
    if len(its) > _WORSE:
        return False
    return any(
        all(book.is_as_good(kind, less) for kind, less in zip(some, its, strict=True))
        for some in permutations(mine, len(its))
    )
