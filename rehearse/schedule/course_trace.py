"""Back from the end of a walk: which copies the best course keeps in use, in which sandboxes, and when it asks for any.

Kinds become sandboxes again here, each copy in one that holds no other at the time where there is one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from rehearse.schedule.course_kinds import Kind, Kinds
from rehearse.schedule.course_walk import Leg, Walk, World
from rehearse.schedule.narrow_use import Use


def trace(world: World, legs: list[Leg]) -> Use:
    """What a course keeps in use."""
    begin = world.course.begin
    places = _Places(world)
    places.begin(legs[0].before)
    for number, leg in enumerate(legs):
        places.take(begin + number, leg)
    return Use(frozenset(places.used), frozenset(places.asked), tuple(sorted(Counter(places.new).items())))


def list_legs(walk: Walk, refreshes: int) -> list[tuple[Leg, int]]:
    """The legs of the course, earliest first, each with what is run on it."""
    world, found = walk.world, list[tuple[Leg, int]]()
    after: Kinds = ()
    done, used = 0, refreshes
    for number in range(len(world.moves) - 1, -1, -1):
        moves, some = world.moves[number], walk.legs[number][after]
        leg = min(some, key=lambda one: int(one.costs[used, done]))
        used -= len(leg.born)
        before = walk.layers[number][leg.before][used]
        every = before[moves.before] + world.row(number, leg.stay, leg.burned)
        there = np.flatnonzero(moves.after == done)
        best = there[np.argmin(every[there])]
        after, done = leg.before, int(moves.before[best])
        found.append((leg, int(moves.runs[best])))
    return found[::-1]


@dataclass
class _Places:
    """The copies in use, each in a sandbox."""

    world: World
    there: list[tuple[Kind, str]] = field(default_factory=list)
    used: set[tuple[str, int]] = field(default_factory=set)
    asked: set[tuple[str, int]] = field(default_factory=set)
    new: list[str] = field(default_factory=list)

    def begin(self, kinds: Kinds) -> None:
        """The copies that are there at first."""
        every = list(self.world.supply.settled.get(self.world.course.begin, ()))
        self.there = [self._take_one(every, kind) for kind in kinds]

    def take(self, epoch: int, leg: Leg) -> None:
        """Through an epoch."""
        births = self.world.supply.births.get(epoch, {})
        if epoch > self.world.course.begin:
            self.there += self.world.supply.settled.get(epoch, ())
        for kind in leg.born:
            name = min(births[kind], key=self._is_busy)
            self.there.append((kind, name))
            self.asked.add((name, epoch))
            self.new.append(name)
        self._wake(Counter((*leg.stay, *leg.burned)))
        self.used |= {(name, epoch) for _, name in self.there}
        for kind in leg.burned:
            self._take_one(self.there, kind)
        kept = [self._take_one(self.there, kind) for kind in leg.kept]
        self.there = [(self.world.book.following[kind], name) for kind, name in kept]

    def _wake(self, kinds: Counter[Kind]) -> None:
        """Activate what the leg has awake."""
        asleep = list[tuple[Kind, str]]()
        for one in self.there:
            if kinds[one[0]] or self.world.book.awake[one[0]] < 0:
                kinds[one[0]] -= 1
            else:
                asleep.append(one)
        for kind, name in asleep:
            self.there.remove((kind, name))
            self.there.append((self.world.book.awake[kind], name))

    def _is_busy(self, name: str) -> tuple[bool, int, str]:
        newest = max((number for number, one in enumerate(self.new) if one == name), default=-1)
        return any(other == name for _, other in self.there), newest, name

    @staticmethod
    def _take_one(every: list[tuple[Kind, str]], kind: Kind) -> tuple[Kind, str]:
        found = next(one for one in every if one[0] == kind)
        every.remove(found)
        return found
