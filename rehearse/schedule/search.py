"""One CP-SAT model and its newest solution: goals are minimized one after another, and what was reached stays.

As many searches run side by side as there are cores, and any of them may win; the last step makes the answer one and
the same. A schedule that was found is never lost: what is not bettered in time stays.
"""

from __future__ import annotations

import math
import os
import time

from ortools.sat.python import cp_model

from rehearse.events import Advanced, OnEvent, ignore
from rehearse.schedule.solver_board import Board, Expr, Slot
from rehearse.schedule.solver_settings import has_answer, is_impossible, new_solver

_SEVERAL = 4


class Search:
    """Minimizes goals on a board. `until`: when its time is over, on the monotonic clock."""

    def __init__(self, board: Board, until: float, on_event: OnEvent = ignore) -> None:
        self.board = board
        self.until = until
        self.on_event = on_event
        self._found: cp_model.CpSolver | None = None
        self._status: object = None
        self._hints: list[tuple[Expr, int]] = []

    def start_from(self, other: Search | None) -> None:
        """Take over another search's schedule: where rehearsals are, what is refreshed and advanced.

        Hints alone may be lost in a large model, and with them a schedule that was good already.
        """
        if other is None or other._found is None:
            return
        self._hints.clear()
        self._collect(other)
        model = self.board.model.clone()
        for variable, value in self._hints:
            self.board.model.add_hint(variable, value)
            model.add(variable == value)
        solver = self._solve(model, max(0.5, self.until - time.monotonic()), "")
        if self._is_answer():
            self._found = solver

    def _collect(self, other: Search) -> None:
        board, old = self.board, other.board
        for key, sandboxes in board.at.items():
            self._hint(board.start[key], other.value(old.start[key]))
            for name, literal in sandboxes.items():
                self._hint(literal, other.value(old.at[key][name]))
        for name, slots in board.slots.items():
            used = [one for one in old.slots[name] if one.planned is not None or other.value(one.present)]
            self._hint_slots(slots, used, other)
        for pair, (present, start) in board.advances.items():
            self._hint(present, other.value(old.advances[pair][0]))
            self._hint(start, other.value(old.advances[pair][1]))

    def _hint_slots(self, slots: list[Slot], used: list[Slot], other: Search) -> None:
        """New refreshes fill the first new slots; a slot that is left over stays out."""
        new = [one for one in used if one.planned is None]
        for slot in slots:
            if slot.planned is not None:
                continue
            self._hint(slot.present, 1 if new else 0)
            if new:
                one = new.pop(0)
                self._hint(slot.request, other.value(one.request))
                self._hint(slot.activate, other.value(one.activate))

    def _hint(self, variable: Expr, value: int) -> None:
        if not isinstance(variable, int):
            self._hints.append((variable, value))

    def keep(self, goal: Expr, value: int) -> None:
        """A goal that was reached on another board may not become worse on this one."""
        if not isinstance(goal, int):
            self.board.model.add(goal <= value)

    def minimize(self, goal: Expr, name: str = "") -> tuple[int, int, bool]:
        """Value, bound and whether it is proven; the goal may not become worse from here on."""
        if isinstance(goal, int):
            return goal, goal, True
        model = self.board.model
        self._complete()
        model.minimize(goal)
        solver = self._run(max(0.05, self.until - time.monotonic()), name)
        model.clear_objective()  # type: ignore[no-untyped-call]
        bound = max(0, math.ceil(solver.best_objective_bound - 1e-6))
        value = self.value(goal)
        bound = min(value, bound)
        model.add(goal <= value)
        return value, bound, value == bound

    def _complete(self) -> None:
        """Give the newest solution values for the variables that were added to the model since."""
        if self._found is None:
            self._place_nothing()
        if self._found is None or len(self._found.response_proto.solution) == len(self.board.model.proto.variables):
            return
        model = self.board.model.clone()
        for index, number in enumerate(self._found.response_proto.solution):
            model.add(model.get_int_var_from_proto_index(index) == number)
        solver = self._solve(model, max(5.0, self.until - time.monotonic()), "")
        if self._is_answer():
            self._found = solver

    def stand(self) -> bool:
        """Whether what was hinted at and kept was found to be a schedule of this model."""
        return self.can_stand() is True

    def can_stand(self) -> bool | None:
        """Whether there is any schedule at all: None when the time was not enough to know."""
        solver = self._run(max(0.05, self.until - time.monotonic()), "")
        if self._found is solver:
            return True
        return False if is_impossible(self._status) else None

    def settle(self, most: float) -> None:
        """Among equally good schedules take the earliest, so that the answer does not depend on chance."""
        board = self.board
        every = [(1000 + number) * start for number, start in enumerate(reversed(board.start.values()))]
        every += [one for slots in board.slots.values() for slot in slots for one in (slot.request, slot.activate)]
        every += [(500 + number) * start for number, (_, start) in enumerate(board.advances.values())]
        every += [number * one for places in board.at.values() for number, one in enumerate(places.values()) if number]
        total = sum(every)
        if not isinstance(total, int):
            board.model.minimize(total)
            self._run(min(most, max(0.2, self.until - time.monotonic())), "")

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
            if not isinstance(placed := self.board.placed[demand.key], int):
                model.add(placed == 0)
        solver = new_solver(60.0)
        if has_answer(solver.solve(model)):
            self._found = solver

    def _run(self, seconds: float, name: str) -> cp_model.CpSolver:
        self._repeat_hints(self.board.model)
        solver = self._solve(self.board.model, seconds, name)
        if self._is_answer():
            self._found = solver
        return solver

    def _repeat_hints(self, model: cp_model.CpModel) -> None:
        """The newest solution as a complete hint."""
        if self._found is not None:
            model.clear_hints()  # type: ignore[no-untyped-call]
            for index, number in enumerate(self._found.response_proto.solution):
                model.add_hint(model.get_int_var_from_proto_index(index), number)

    def _solve(self, model: cp_model.CpModel, seconds: float, name: str, workers: int = 0) -> cp_model.CpSolver:
        solver = new_solver(seconds, workers or _count_workers())
        self._status = solver.solve(model, _Better(name, self.on_event) if name else None)
        return solver

    def _is_answer(self) -> bool:
        return has_answer(self._status)


class _Better(cp_model.CpSolverSolutionCallback):
    """Tells of each better schedule: the goal, what it costs now, and what it costs at best."""

    def __init__(self, name: str, on_event: OnEvent) -> None:
        super().__init__()
        self._name = name
        self._on_event = on_event

    def on_solution_callback(self) -> None:
        """Called by the solver for each better solution."""
        value, bound = round(self.objective_value), math.ceil(self.best_objective_bound - 1e-6)
        self._on_event(Advanced(self._name, value, max(0, bound), self._name))


def _count_workers() -> int:
    """One a core that this process may use, at most four: more only take time from one another."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 2
    return max(1, min(_SEVERAL, cores))
