"""How CP-SAT is set for every question of the planner: the same everywhere, so that an answer is not chance.

Presolve is off: it takes longer than the search on models with so many optional things. The linear relaxation of
OR-Tools 9.15 then calls models infeasible that are not (the random world 30075 in the tests), so an older release is
required; that one is right on it.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from ortools.sat.python import cp_model


class _Solver(cp_model.CpSolver):
    """Stops at Ctrl-C, and the command with it: OR-Tools takes the signal for itself, and ends as if its time were
    over, so that what was found until then was taken for the answer, and booked."""

    def solve(self, model: cp_model.CpModel, solution_callback: Any = None) -> Any:
        """As CpSolver.solve, beside the main thread, which is the one that hears of signals."""
        if threading.current_thread() is not threading.main_thread():
            return super().solve(model, solution_callback)
        with ThreadPoolExecutor(1) as beside:
            solving = beside.submit(super().solve, model, solution_callback)
            try:
                return solving.result()
            except KeyboardInterrupt:
                while wait([solving], 0.05).not_done:
                    self.stop_search()
                raise


def new_solver(seconds: float, workers: int = 1) -> cp_model.CpSolver:
    """A solver with a time limit; searches run side by side, and any of them may win."""
    solver = _Solver()
    solver.parameters.catch_sigint_signal = False
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.random_seed = 1
    solver.parameters.num_workers = workers
    solver.parameters.cp_model_presolve = False
    return solver


def has_answer(status: object) -> bool:
    """Whether a search ended with a solution."""
    return status in (cp_model.OPTIMAL, cp_model.FEASIBLE)


def is_impossible(status: object) -> bool:
    """Whether a search proved that there is no solution."""
    return status == cp_model.INFEASIBLE
