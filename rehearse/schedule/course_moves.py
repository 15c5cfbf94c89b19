"""What may be run from one go-live to the next, given what is done: the steps of a course but for its copies.

What can run in no later epoch runs now; what follows another is not done before it. Only what is still open is told
apart, so that there are few sets of what is done.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from rehearse.schedule.course import Course, Task

Numbers = Any
"""An array of whole numbers."""
_MOST = 60_000


@dataclass(frozen=True)
class Moves:
    """The moves of an epoch, side by side: from which set of what is done, to which, and what is run.

    `runs`: a bit a task of the epoch; `extra`: what was done before the epochs that are looked at costs so much;
    `groups`: where a new set to which they lead begins, in their order; `size`: how many sets there are.
    """

    before: Numbers
    after: Numbers
    runs: Numbers
    extra: Numbers
    groups: Numbers
    size: int


def list_moves(course: Course) -> list[Moves] | None:
    """By epoch, from the one of now on; None where there are too many."""
    done, found = [0], list[Moves]()
    for epoch in range(course.begin, course.end + 1):
        rows, done = _list_epoch(course, epoch, done)
        if not rows or len(rows) > _MOST:
            return None
        rows.sort(key=lambda row: row[1])
        before, after, runs, extra = (np.array(one, dtype=np.int64) for one in zip(*rows, strict=True))
        groups = np.flatnonzero(np.r_[True, after[1:] != after[:-1]])
        found.append(Moves(before, after, runs, extra, groups, len(done)))
    return found


Row = tuple[int, int, int, int]


def _list_epoch(course: Course, epoch: int, done: list[int]) -> tuple[list[Row], list[int]]:
    """The moves of an epoch, and the sets of what is done after it."""
    here = [course.tasks[number] for number in course.there[epoch]]
    open_still = sum(1 << one.number for one in course.tasks if one.epochs[0] <= epoch < one.epochs[-1])
    new = [one for one in here if one.epochs[0] == epoch and one.early is not None]
    rows, numbers = list[Row](), dict[int, int]()
    for index, old in enumerate(done):
        for first, extra in _list_early(course, new, old, epoch):
            for chosen, runs in _list_runs(course, here, first, epoch):
                kept = (first | chosen) & open_still
                rows.append((index, numbers.setdefault(kept, len(numbers)), runs, extra))
        if len(rows) > _MOST:
            break
    return rows, list(numbers)


def _list_early(course: Course, new: list[Task], done: int, epoch: int) -> Iterator[tuple[int, int]]:
    """What may have been done before the epochs that are looked at, and what that costs at least."""
    for chosen in range(1 << len(new)):
        some = [one for bit, one in enumerate(new) if chosen >> bit & 1]
        total = done | sum(1 << one.number for one in some)
        if _is_in_order(course, some, total, epoch):
            yield total, sum(one.early or 0 for one in some)


def _list_runs(course: Course, here: list[Task], done: int, epoch: int) -> Iterator[tuple[int, int]]:
    """The tasks that may be run in an epoch, as bits of their numbers and of their places in it."""
    free = [(bit, one) for bit, one in enumerate(here) if not done >> one.number & 1]
    must = [(bit, one) for bit, one in free if one.epochs[-1] == epoch]
    may = [(bit, one) for bit, one in free if one.epochs[-1] > epoch]
    for chosen in range(1 << len(may)):
        some = [*must, *(one for place, one in enumerate(may) if chosen >> place & 1)]
        mine = sum(1 << one.number for _, one in some)
        if _is_in_order(course, [one for _, one in some], done | mine, epoch):
            yield mine, sum(1 << bit for bit, _ in some)


def _is_in_order(course: Course, some: list[Task], done: int, epoch: int) -> bool:
    """Whether what each follows is done: now, before, or in epochs that are not looked at."""
    for one in some:
        if one.need is not None and not done >> one.need & 1:
            first = course.tasks[one.need]
            if first.epochs[-1] >= epoch and (first.epochs[0] <= epoch or first.early is None):
                return False
    return True
