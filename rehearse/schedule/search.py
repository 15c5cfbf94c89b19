"""One CP-SAT model and its newest solution: goals are minimized one after another, and what was reached stays.

Presolve stays off: it takes longer than the search on models with so many optional things. Several searches run side by
side, and any of them may win; the last step makes the answer one and the same.
"""

from __future__ import annotations

import math
import time

from ortools.sat.python import cp_model

from rehearse.schedule.rows import Key
from rehearse.schedule.solver_board import Board, Expr

Places = dict[Key, tuple[str, int]]
"""(release, rehearsal) -> sandbox and start in units, of what is placed."""


class Search:
    """Minimizes goals on a board. `until`: when its time is over, on the monotonic clock."""

    def __init__(self, board: Board, until: float) -> None:
        self.board = board
        self._until = until
        self._found: cp_model.CpSolver | None = None

    def start_from(self, places: Places) -> None:
        """Hint at where rehearsals were in another solution; what is not named stays out."""
        board, model = self.board, self.board.model
        for key, sandboxes in board.at.items():
            name, start = places.get(key, ("", 0))
            if name in sandboxes and not isinstance(board.start[key], int):
                model.add_hint(board.start[key], start)
            for sandbox, literal in sandboxes.items():
                if not isinstance(literal, int):
                    model.add_hint(literal, int(sandbox == name))

    def places(self) -> Places:
        """Where rehearsals are in the newest solution."""
        board, found = self.board, {}
        for key, sandboxes in board.at.items():
            for sandbox, literal in sandboxes.items():
                if self.value(literal):
                    found[key] = (sandbox, self.value(board.start[key]))
        return found

    def keep(self, goal: Expr, value: int) -> None:
        """A goal that was reached on another board may not become worse on this one."""
        if not isinstance(goal, int):
            self.board.model.add(goal <= value)

    def minimize(self, goal: Expr) -> tuple[int, int, bool]:
        """Value, bound and whether it is proven; the goal may not become worse from here on."""
        if isinstance(goal, int):
            return goal, goal, True
        model = self.board.model
        model.minimize(goal)
        solver = self._run(max(0.05, self._until - time.monotonic()))
        model.clear_objective()  # type: ignore[no-untyped-call]
        value = self.value(goal)
        bound = max(0, min(value, math.ceil(solver.best_objective_bound - 1e-6)))
        model.add(goal <= value)
        return value, bound, value == bound

    def settle(self) -> None:
        """Among equally good schedules take the earliest, so that the answer does not depend on chance."""
        board = self.board
        every = [(1000 + number) * start for number, start in enumerate(reversed(board.start.values()))]
        every += [one for slots in board.slots.values() for slot in slots for one in (slot.request, slot.activate)]
        every += [(500 + number) * start for number, (_, start) in enumerate(board.advances.values())]
        every += [number * one for places in board.at.values() for number, one in enumerate(places.values()) if number]
        total = sum(every)
        if not isinstance(total, int):
            board.model.minimize(total)
            self._run(min(2.0, max(0.2, self._until - time.monotonic())))

    def value(self, expression: Expr) -> int:
        """The value of an expression in the newest solution."""
        if isinstance(expression, int):
            return expression
        if self._found is None:
            self._place_nothing()
        assert self._found is not None
        return int(self._found.value(expression))

    def _place_nothing(self) -> None:
        """The schedule that always exists: nothing placed but what is booked."""
        model = self.board.model.clone()
        for demand in self.board.problem.demands:
            if not demand.fixed:
                model.add(self.board.placed[demand.key] == 0)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        if solver.solve(model) in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            self._found = solver

    def _run(self, seconds: float) -> cp_model.CpSolver:
        model = self.board.model
        if self._found is not None:
            model.clear_hints()  # type: ignore[no-untyped-call]
            for index, number in enumerate(self._found.response_proto.solution):
                model.add_hint(model.get_int_var_from_proto_index(index), number)
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = seconds
        solver.parameters.random_seed = 1
        solver.parameters.num_workers = 4
        solver.parameters.cp_model_presolve = False
        if solver.solve(model) in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            self._found = solver
        return solver
