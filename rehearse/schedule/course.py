"""The course of a year: which rehearsals may run between which go-lives, and on which copies; the nouns of it.

A copy of production in a sandbox is kept from one go-live to the next, with an advance each time, until something burns
it or nobody needs it. A course says which copies are kept and what runs on them; times within a day and a few rules are
left out, as in the coarse picture, on which it rests. It is whole where the relaxation of a picture is not: no half
copies, no half rehearsals. What is not placed is no course.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from rehearse.schedule.demand import Demand
from rehearse.schedule.outline import Outline
from rehearse.schedule.outline_goals import build_outline
from rehearse.schedule.problem import Problem
from rehearse.schedule.solver_goals import count_days

MOST = 13
"""Rehearsals that may run between the same two go-lives: a table of them has 2 to this power numbers."""
_LOOKS = (5, 4, 3, 2, 1)
Starts = tuple[int, ...]


@dataclass(frozen=True)
class Task:
    """A rehearsal in a course, with its own number. `early`: what it costs at least before the epochs looked at.

    `epochs`: those looked at, `cost`: by minute; `need`: the task that it follows.
    """

    number: int
    demand: Demand
    epochs: tuple[int, ...]
    cost: dict[int, int]
    early: int | None
    need: int | None


@dataclass(frozen=True)
class Course:
    """The tasks of a planning by epoch. `begin`: the epoch of now; `starts`: by task, sandbox and epoch.

    `fixed`: the distance of what is booked and stays.
    """

    outline: Outline
    begin: int
    tasks: tuple[Task, ...]
    there: tuple[tuple[int, ...], ...]
    starts: dict[tuple[int, str, int], Starts]
    fixed: int

    @property
    def is_whole(self) -> bool:
        """Whether no epoch is left out in which anything could be run."""
        return all(one.early is None for one in self.tasks)

    @property
    def end(self) -> int:
        """The last epoch."""
        return len(self.outline.lives)


def build_course(problem: Problem) -> Course | None:
    """The tasks of a planning; None where something can run nowhere, or too much between the same two go-lives."""
    outline = build_outline(problem, "epochs")
    begin = outline.epoch(problem.axis.up(problem.wish.now))
    free = [one for one in problem.demands if not one.fixed]
    starts: dict[tuple[int, str, int], set[int]] = defaultdict(set)
    for number, demand in enumerate(free):
        for cell in outline.cells[demand.key]:
            starts[number, cell.sandbox, cell.epoch] |= set(cell.starts)
    every = {key: tuple(sorted(some)) for key, some in starts.items() if some}
    for look in _LOOKS:
        tasks = [_build_task(problem, every, (number, look), free) for number in range(len(free))]
        there = _list_there(tasks, len(outline.lives))
        if any(one is None for one in tasks):
            return None
        if max(map(len, there)) <= MOST:
            fixed = sum(_cost(problem, one, min(min(some) for some in one.starts.values())) for one in _stays(problem))
            return Course(outline, begin, tuple(one for one in tasks if one), there, every, fixed)
    return None


def _stays(problem: Problem) -> list[Demand]:
    return [one for one in problem.demands if one.fixed and one.starts]


def _cost(problem: Problem, demand: Demand, minute: int) -> int:
    return demand.weight * count_days(problem, demand, minute)


def _build_task(
    problem: Problem, every: dict[tuple[int, str, int], Starts], what: tuple[int, int], free: list[Demand]
) -> Task | None:
    number, look = what
    demand = free[number]
    minutes = {(epoch, one) for (other, _, epoch), some in every.items() if other == number for one in some}
    if not minutes:
        return None
    epochs = sorted({epoch for epoch, _ in minutes})
    cost = {one: _cost(problem, demand, one) for _, one in minutes}
    before = [cost[one] for epoch, one in minutes if epoch not in epochs[-look:]]
    need = next((other for other, one in enumerate(free) if one.key == demand.after), None)
    return Task(number, demand, tuple(epochs[-look:]), cost, min(before, default=None), need)


def _list_there(tasks: list[Task | None], last: int) -> tuple[tuple[int, ...], ...]:
    """By epoch the tasks that may run in it."""
    found: list[list[int]] = [[] for _ in range(last + 1)]
    for one in tasks:
        for epoch in one.epochs if one else ():
            found[epoch].append(one.number if one else 0)
    return tuple(tuple(some) for some in found)
