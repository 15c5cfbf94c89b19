"""How CP-SAT is set for every question of the planner: the same everywhere, so that an answer is not chance.

Presolve is off: it takes longer than the search on models with so many optional things. Without it, the linear
relaxation of OR-Tools 9.15 called a model infeasible that is not (the random world 30075 in the tests), so it is
off too, also in the searches that run side by side.
"""

from __future__ import annotations

from ortools.sat.python import cp_model

_WITH_RELAXATION = (
    "default_lp",
    "max_lp",
    "max_lp_sym",
    "reduced_costs",
    "pseudo_costs",
    "quick_restart",
    "lb_tree_search",
    "objective_lb_search",
    "objective_lb_search_max_lp",
    "objective_shaving_max_lp",
    "variables_shaving_max_lp",
    "probing_max_lp",
    "core_max_lp",
)


def new_solver(seconds: float, workers: int = 1) -> cp_model.CpSolver:
    """A solver with a time limit; searches run side by side, and any of them may win."""
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.random_seed = 1
    solver.parameters.num_workers = workers
    solver.parameters.cp_model_presolve = False
    solver.parameters.linearization_level = 0
    solver.parameters.ignore_subsolvers.extend(_WITH_RELAXATION)
    return solver
