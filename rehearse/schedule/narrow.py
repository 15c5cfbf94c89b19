"""A large planning with most of it settled: few starts, few sandboxes, few dates for copies, as a problem of its own.

What solves the narrow problem is a schedule of the whole one, since nothing but choices was taken away. It is small, so
that the exact model of it is built and searched in moments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rehearse.schedule.answer import build_schedule
from rehearse.schedule.axis import Ranges
from rehearse.schedule.goals import count_goals
from rehearse.schedule.model import Schedule
from rehearse.schedule.narrow_hints import add_hints
from rehearse.schedule.problem import Problem
from rehearse.schedule.rows import Key
from rehearse.schedule.solver_board import Board, Expr
from rehearse.schedule.solver_build import build_board
from rehearse.schedule.solver_goals import Name, build_goal, list_goals
from rehearse.schedule.solver_settings import has_answer, new_solver

_FEW, _SOME = 1_000_000, 5_000
"""More than all refreshes and advances of a planning weigh, and more than all its advances."""
Places = Mapping[Key, Mapping[str, tuple[int, ...]]]
"""For each rehearsal the sandboxes and minutes that are left to it."""
Free = Mapping[Key, frozenset[str]]
"""Rehearsals that may move, and to which sandboxes."""


@dataclass(frozen=True)
class Narrow:
    """What is left of a planning: places, ranges for the requests of copies, and how many copies by sandbox."""

    places: Places
    requests: Mapping[str, Ranges]
    most: Mapping[str, int]

    def of(self, problem: Problem) -> Problem:
        """The planning with only these choices."""
        demands = tuple(one if one.fixed else replace(one, starts=self.places[one.key]) for one in problem.demands)
        last = {
            site.name: max((one.starts[site.name][-1] for one in demands if site.name in one.starts), default=-1)
            for site in problem.sites
        }
        chances = tuple(
            one for one in problem.chances if one.fixed or problem.axis.up(one.release.go_live) <= last[one.sandbox]
        )
        requests = {name: self.requests.get(name, ()) for name in problem.requests}
        return replace(problem, demands=demands, chances=chances, requests=requests)


@dataclass(frozen=True)
class Plan:
    """A schedule and what each goal costs in it, in their order."""

    schedule: Schedule
    costs: tuple[int, ...]


def count_plan(problem: Problem, schedule: Schedule) -> Plan:
    """A schedule with its costs."""
    values = count_goals(problem, schedule)
    return Plan(schedule, tuple(values[name] for name in list_goals(problem)))


def narrow_around(problem: Problem, plan: Plan, free: Free, loose: frozenset[str], *, more: str = "") -> Narrow:
    """Everything as in a plan, but for some rehearsals, which may go anywhere in some sandboxes.

    `loose`: sandboxes whose copies may be requested at other times too; `more`: one that may be copied once more.
    """
    axis = problem.axis
    now = {(one.release or "", one.rehearsal or ""): one for one in plan.schedule.bookings}
    places: dict[Key, Mapping[str, tuple[int, ...]]] = {}
    for demand in problem.demands:
        booking = now.get(demand.key)
        if demand.key in free:
            places[demand.key] = {name: one for name, one in demand.starts.items() if name in free[demand.key]}
        else:
            places[demand.key] = {booking.sandbox: (axis.down(booking.start),)} if booking else {}
    requests: dict[str, Ranges] = {}
    most: dict[str, int] = {}
    for name, allowed in problem.requests.items():
        asked = [axis.down(one.request) for one in plan.schedule.refreshes if one.sandbox == name and not one.running]
        most[name] = len(asked) + (name == more)
        requests[name] = allowed if name in loose else tuple((one, one + 1) for one in sorted(asked))
    return Narrow(places, requests, most)


def solve_narrow(problem: Problem, narrow: Narrow, start: Plan | None, aim: tuple[Name, float]) -> Plan | None:
    """The best plan for a goal among what is left, no worse in the goals before it; None where none is better.

    `aim`: the goal, and for how many seconds at most it is looked at.
    """
    name, seconds = aim
    board = build_board(narrow.of(problem), narrow.most)
    names = list_goals(problem)
    if start is not None:
        for one, cost in zip(names[: names.index(name)], start.costs, strict=False):
            _at_most(board, one, cost)
        _at_most(board, name, start.costs[names.index(name)] - 1)
        add_hints(board, start.schedule)
    total = _weighed(board, name)
    if not isinstance(total, int):
        board.model.minimize(total)
    solver = new_solver(max(0.05, seconds), 1)
    if not has_answer(solver.solve(board.model)):
        return None
    found = build_schedule(board, lambda one: one if isinstance(one, int) else int(solver.value(one)), ())
    return count_plan(problem, found)


def _weighed(board: Board, name: Name) -> Expr:
    """A goal, and after it what it could spoil: refreshes and advances, which are few, so that no sum outgrows one."""
    total = build_goal(board, name)
    if name in ("unplaced", "moves", "refreshes"):
        total = total * _FEW
        if name != "refreshes":
            total += build_goal(board, "refreshes") * _SOME
        total += build_goal(board, "advances")
    return total


def _at_most(board: Board, name: Name, cost: int) -> None:
    goal = build_goal(board, name)
    if not isinstance(goal, int):
        board.model.add(goal <= cost)
    elif goal > cost:
        board.model.add_bool_or([])
