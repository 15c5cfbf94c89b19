"""Place rehearsals: the goals of formats.md one after another with CP-SAT, each proven best where time allows.

The same wish gives the same schedule as long as the time suffices: one seed, and a search that does not depend on the
number of processors. A planning in which nothing fits is an answer with reasons, never an exception.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace

from ortools.sat.python import cp_model

from rehearse.events import Advanced, Finished, OnEvent, Started, ignore
from rehearse.schedule.answer import build_schedule
from rehearse.schedule.explain import explain
from rehearse.schedule.goals import count_goals
from rehearse.schedule.model import Goal, Schedule, Wish
from rehearse.schedule.problem import Problem, build_problem
from rehearse.schedule.solver_board import Board, Expr
from rehearse.schedule.solver_build import build_board
from rehearse.schedule.solver_goals import build_goal, list_goals

WORK = "Planning"
_EXPLAIN = 10.0


def solve(wish: Wish, *, seconds: float = 30.0, on_event: OnEvent = ignore) -> Schedule:
    """The best schedule that can be found in some seconds, with what each goal cost and why something did not fit."""
    until = time.monotonic() + seconds
    problem = build_problem(wish)
    board = build_board(problem)
    names = list_goals(problem)
    on_event(Started(WORK, len(names), "goals"))
    search = Search(board, until)
    goals = []
    for number, name in enumerate(names):
        goals.append(Goal(name, *search.minimize(build_goal(board, name))))
        on_event(Advanced(WORK, number + 1, len(names), "goals"))
    search.settle()
    on_event(Finished(WORK, "proven best" if all(one.proven for one in goals) else "not proven best in the time given"))
    found = _count(problem, build_schedule(board, search.value, tuple(goals)))
    left = until - time.monotonic()
    return explain(wish, found, seconds=min(_EXPLAIN, max(2.0, left)), on_event=on_event)


def _count(problem: Problem, schedule: Schedule) -> Schedule:
    """The goals with the values that the finished schedule has, whatever the search believed."""
    values = count_goals(problem, schedule)
    goals = tuple(
        replace(one, value=values[one.name], proven=one.proven and values[one.name] == one.bound)
        for one in schedule.goals
    )
    return replace(schedule, goals=goals)


class Search:
    """Minimizes one goal after another; what was reached stays, and each starts from the newest solution."""

    def __init__(self, board: Board, until: float) -> None:
        self._board = board
        self._until = until
        self._found: cp_model.CpSolver | None = None

    def minimize(self, goal: Expr) -> tuple[int, int, bool]:
        """Value, bound and whether it is proven; the goal may not become worse from here on."""
        if isinstance(goal, int):
            return goal, goal, True
        model = self._board.model
        model.minimize(goal)
        solver = self._run(max(0.05, self._until - time.monotonic()))
        value = self.value(goal)
        bound = min(value, math.ceil(solver.best_objective_bound - 1e-6))
        proven = value == bound
        model.clear_objective()  # type: ignore[no-untyped-call]
        model.add(goal <= value)
        return value, bound, proven

    def settle(self) -> None:
        """Among equally good schedules take the earliest, so that the answer does not depend on chance."""
        board = self._board
        every = [*board.start.values()]
        every += [one for slots in board.slots.values() for slot in slots for one in (slot.request, slot.activate)]
        every += [start for _, start in board.advances.values()]
        every += [
            number * literal for places in board.at.values() for number, literal in enumerate(places.values()) if number
        ]
        total = sum(every)
        if isinstance(total, int):
            return
        board.model.minimize(total)
        self._run(min(5.0, max(0.2, self._until - time.monotonic())))

    def value(self, expression: Expr) -> int:
        """The value of an expression in the newest solution."""
        if isinstance(expression, int):
            return expression
        assert self._found is not None
        return int(self._found.value(expression))

    def _run(self, seconds: float) -> cp_model.CpSolver:
        model = self._board.model
        if self._found is not None:
            model.clear_hints()  # type: ignore[no-untyped-call]
            for index, number in enumerate(self._found.response_proto.solution):
                model.add_hint(model.get_int_var_from_proto_index(index), number)
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = seconds
        solver.parameters.random_seed = 1
        solver.parameters.num_workers = 4
        solver.parameters.interleave_search = True
        if solver.solve(model) in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            self._found = solver
        return solver
