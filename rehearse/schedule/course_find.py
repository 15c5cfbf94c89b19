"""The best course of a year: how few refreshes, then how few advances, then how little distance it can have at least.

Each is a bound for every schedule that places everything and costs no more in what comes before; the course itself says
which sandboxes are worth keeping in use.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rehearse.schedule.course import build_course
from rehearse.schedule.course_kinds import list_supply, open_book
from rehearse.schedule.course_moves import list_moves
from rehearse.schedule.course_reach import HOPELESS, find_reach
from rehearse.schedule.course_room import Rooms
from rehearse.schedule.course_trace import list_legs, trace
from rehearse.schedule.course_walk import ADVANCE, Walk, World
from rehearse.schedule.narrow_use import Use
from rehearse.schedule.problem import Problem

_MOST = 40
"""Refreshes."""


@dataclass(frozen=True)
class Found:
    """No course has fewer than so many `refreshes`; or none `within` so many has fewer than so many `advances`, or less
    `distance` with no more of those. `use`: what the best one keeps in use; `is_whole`: it looked at everything.
    """

    refreshes: int = 0
    within: int | None = None
    advances: int = 0
    distance: int | None = None
    use: Use | None = None
    is_whole: bool = False


def find_course(problem: Problem, least: int, seconds: float, tell: Callable[[Found], None]) -> None:
    """Look for the best course, and tell of each thing that becomes known. `least`: so many refreshes are needed."""
    until, world = time.monotonic() + seconds, build_world(problem)
    if world is None:
        return
    booked = sum(1 for site in problem.sites for one in site.planned if not one.running)
    try:
        refreshes = _count_refreshes(world, least - booked, until, lambda least: tell(Found(booked + least)))
        if refreshes is None:
            return
        reach = find_reach(world.course, world.moves, (world.book, world.supply), refreshes)
        cap, step, is_new = int(reach.least[0][0, 0, refreshes]), 1, True
        top = (len(problem.sites) + refreshes) * len(problem.wish.releases)
        while cap <= top:
            walk = Walk(world, reach, refreshes, cap, until)
            costs = walk.run()
            if costs is None:
                tell(Found(0, booked + refreshes, cap + 1))
                cap, step = cap + 1 if cap == top else min(top, cap + step), step + 1
                continue
            (cap, distance), used = divmod(int(costs[refreshes]), ADVANCE), int(np.argmin(costs))
            legs = list_legs(walk, used)
            is_last = not _refine(world, [runs for _, runs in legs])
            use = trace(world, [leg for leg, _ in legs]) if is_new or is_last else None
            tell(Found(0, booked + refreshes, cap, distance + world.course.fixed, use, world.course.is_whole))
            if is_last:
                return
            step, is_new = 1, False
    except TimeoutError:
        return


def _refine(world: World, runs: list[int]) -> bool:
    """Look closer at what the course runs; whether anything is to be seen that was not."""
    new = [world.rooms.refine(world.course.begin + number, some) for number, some in enumerate(runs)]
    if any(new):
        world.rows.clear()
    return any(new)


def build_world(problem: Problem) -> World | None:
    """A course and what a walk asks of it; None where it would be too large."""
    course = build_course(problem)
    moves = None if course is None else list_moves(course)
    if course is None or moves is None:
        return None
    if sum(max([*one.cost.values(), one.early or 0]) for one in course.tasks) >= ADVANCE:
        return None
    book = open_book(course)
    return World(course, moves, book, list_supply(book), Rooms(course, book))


def _count_refreshes(world: World, least: int, until: float, tell: Callable[[int], None]) -> int | None:
    """The fewest refreshes of any course, however many advances it has; as many as are known to be needed, if any."""
    if least > 0:
        return least
    for refreshes in range(max(0, least), _MOST):
        reach = find_reach(world.course, world.moves, (world.book, world.supply), refreshes)
        can_be = int(reach.least[0][0, 0, refreshes]) < HOPELESS
        if can_be and Walk(world, reach, refreshes, None, until).run() is not None:
            return refreshes
        tell(refreshes + 1)
    return None
