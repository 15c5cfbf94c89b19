"""The fewest advances that the rest of a year can need, from how many copies are in use: copies are all alike here.

It tells a walk early which copies it cannot afford to keep.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rehearse.schedule.course import Course
from rehearse.schedule.course_kinds import KindBook, Supply
from rehearse.schedule.course_moves import Moves, Numbers
from rehearse.schedule.outline_state import count_lives

MANY = 6
"""So many copies or more are not told apart."""
HOPELESS = 10**6


@dataclass(frozen=True)
class Reach:
    """`least[epoch - begin]`: by copies in use, by what is done, and by refreshes left: the fewest advances."""

    least: list[Numbers]


def find_reach(course: Course, moves: Sequence[Moves], what: tuple[KindBook, Supply], refreshes: int) -> Reach:
    """From the last epoch to the one of now."""
    book, supply = what
    found = [np.zeros((MANY + 1, moves[-1].size, refreshes + 1), dtype=np.int64)]
    for number in range(len(moves) - 1, -1, -1):
        epoch, after = course.begin + number, found[-1]
        kept = np.minimum.accumulate(
            np.stack([after[count] + count * _step(course, supply, book, epoch + 1) for count in range(MANY + 1)])
        )
        size = moves[number - 1].size if number else 1
        found.append(_find_epoch(course, (epoch, moves[number], kept), size, supply))
    return Reach(found[::-1])


def _step(course: Course, supply: Supply, book: KindBook, epoch: int) -> int:
    """The fewest advances that any copy costs to be taken into an epoch."""
    if epoch > course.end:
        return HOPELESS  # nothing is kept beyond the last
    some = [count_lives(course.outline, epoch)]
    for born, kinds in supply.settled.items():
        for kind, _ in kinds:
            if born < epoch:
                for _ in range(born, epoch):
                    kind = book.following[kind]
                some.append(book.step[kind])
    return min(some)


def _find_epoch(course: Course, what: tuple[int, Moves, Numbers], size: int, supply: Supply) -> Numbers:
    epoch, moves, kept = what
    settled = len(supply.settled.get(epoch, ()))
    tasks = [course.tasks[one].demand for one in course.there[epoch]]
    burns = _count_bits(moves.runs, [one.burns for one in tasks])
    old = epoch > course.begin and not settled
    fresh = _count_bits(moves.runs, [one.fresh and old for one in tasks])
    order = np.argsort(moves.before, kind="stable")
    before = moves.before[order]
    groups = np.flatnonzero(np.r_[True, before[1:] != before[:-1]])
    refreshes = kept.shape[2] - 1
    found = np.full((MANY + 1, size, refreshes + 1), HOPELESS, dtype=np.int64)
    most = refreshes if supply.births.get(epoch) else 0
    for count in range(MANY + 1):
        for born in range(most + 1):
            copies = count + born + settled
            left = np.full(len(moves.runs), MANY) if copies >= MANY else copies - burns
            least = np.where((left >= 0)[:, None], kept[np.maximum(left, 0), moves.after], HOPELESS)
            least[(fresh > born) | ((moves.runs > 0) & (copies == 0))] = HOPELESS
            best = np.minimum.reduceat(least[order], groups)[:, : refreshes + 1 - born]
            there = found[count, before[groups], born:]
            found[count, before[groups], born:] = np.minimum(there, best)
    return np.minimum(found, HOPELESS)


def _count_bits(runs: Numbers, flags: Sequence[bool]) -> Numbers:
    return sum((runs >> bit & 1 for bit, flag in enumerate(flags) if flag), np.zeros_like(runs))
