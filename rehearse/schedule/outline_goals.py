"""The least that each goal can cost, from the coarse picture, one after another, and the days that it suggests.

A bound holds for every schedule that is no worse in the goals before it than what the picture reached there.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ortools.sat.python import cp_model

from rehearse.schedule.axis import minutes
from rehearse.schedule.demand import Demand
from rehearse.schedule.model import Goal
from rehearse.schedule.outline import Cell, Outline, open_outline
from rehearse.schedule.outline_room import add_epoch_room
from rehearse.schedule.outline_rules import add_outline_rules
from rehearse.schedule.outline_state import MONTH, add_outline_states, is_requested_within, steps
from rehearse.schedule.problem import Problem
from rehearse.schedule.second_run import build_second_starts
from rehearse.schedule.solver_board import Expr, times
from rehearse.schedule.solver_goals import Name, count_days
from rehearse.schedule.solver_settings import has_answer, new_outline_solver

_GREED = 0.6
_SHORT = 0.2


def build_outline(problem: Problem, *, by_day: bool = True) -> Outline:
    """The whole coarse picture, without goals."""
    outline = open_outline(problem, by_day=by_day)
    add_outline_states(outline)
    add_outline_rules(outline)
    if not by_day:
        add_epoch_room(outline)
    return outline


def build_outline_goal(outline: Outline, name: Name) -> Expr:
    """What a goal costs at least."""
    return {
        "unplaced": _unplaced,
        "moves": _moves,
        "refreshes": _refreshes,
        "advances": _advances,
        "distance": _distance,
        "unrepeatable": _unrepeatable,
    }[name](outline)


def _unplaced(outline: Outline) -> Expr:
    weights = {one.key: one.weight for one in outline.problem.demands}
    return sum(weights[key] * literal for key, literal in outline.out.items())


def _moves(outline: Outline) -> Expr:
    total: Expr = 0
    for demand in outline.problem.demands:
        if demand.booking is None or demand.fixed:
            continue
        minute = outline.problem.axis.down(demand.booking.start)
        same = [one.literal for one in outline.here(demand, demand.booking.sandbox) if minute in one.starts]
        total += 1 - sum(same)
    return total


def _refreshes(outline: Outline) -> Expr:
    booked = sum(1 for site in outline.problem.sites for one in site.planned if not one.running)
    return booked + sum(one.count for states in outline.states.values() for one in states if one.free)


def _advances(outline: Outline) -> Expr:
    return sum(
        times(steps(outline, state, epoch), alive)
        for states in outline.states.values()
        for state in states
        for epoch, alive in state.alive.items()
    )


def _distance(outline: Outline) -> Expr:
    total: Expr = sum(
        one.weight * count_days(outline.problem, one, starts[0])
        for one in outline.problem.demands
        if one.fixed
        for starts in one.starts.values()
    )
    for cells in outline.cells.values():
        for one in cells:
            days = {minute // 1440: minute for minute in (*one.starts, *one.starts[::-1])}
            least = min(count_days(outline.problem, one.demand, minute) for minute in {*days.values(), one.last})
            total += times(one.demand.weight * least, one.literal)
    return total


def _unrepeatable(outline: Outline) -> Expr:
    """Too late for a second run by the calendar, or burned without a refresh that comes in time."""
    total: Expr = 0
    for demand in outline.problem.demands:
        if demand.fixed:
            continue
        for name in demand.starts:
            starts = build_second_starts(outline.problem, demand, name)
            cells = outline.here(demand, name)
            late = [one for one in cells if not starts or starts[-1] < _again(outline, one)]
            total += sum(one.literal for one in late)
            early = [one for one in cells if one not in late]
            if (demand.burns or demand.fresh) and early:
                total += _without_refresh(outline, demand, early, starts[-1])
    return total


def _again(outline: Outline, cell: Cell) -> int:
    """The earliest second start after a run."""
    site = outline.problem.site(cell.sandbox)
    return cell.first + outline.held[cell.demand.key][cell.first] + (0 if cell.demand.burns else site.reset)


def _without_refresh(outline: Outline, demand: Demand, cells: list[Cell], last: int) -> Expr:
    site = outline.problem.site(cells[0].sandbox)
    copy = site.cadence.copy if site.cadence is not None else 0
    latest = last - copy - minutes(outline.problem.wish.policy.settle)
    low = cells[0].first - copy - MONTH
    counts = [
        one.count for one in outline.states[site.name][1:] if not one.free or is_requested_within(one, low, latest)
    ]
    literal = outline.new_bool()
    outline.model.add(sum(one.literal for one in cells) <= literal + sum(counts))
    return literal


@dataclass
class Guess:
    """What the coarse picture came to: the goals, and the literals that are true."""

    outline: Outline
    goals: dict[Name, Goal] = field(default_factory=dict)
    values: Sequence[int] = ()

    def value(self, expression: Expr) -> int:
        """The value of a variable of the picture."""
        return expression if isinstance(expression, int) else self.values[expression.index]

    def is_in_use(self, cell: Cell) -> bool:
        """Whether the sandbox of a cell is in use in its epoch."""
        states = self.outline.states[cell.sandbox]
        return any(cell.epoch in one.alive and self.value(one.alive[cell.epoch]) for one in states)


def fill(found: Guess, names: Sequence[Name], until: float, limits: Mapping[Name, int]) -> None:
    """Minimize the goals one after another; each may take the larger part of what time is left.

    `limits`: goals that are not looked at, but held at a cost that a schedule has; they come first.
    """
    outline = found.outline
    for number, name in enumerate(names):
        goal = build_outline_goal(outline, name)
        if isinstance(goal, int):
            found.goals[name] = Goal(name, goal, goal, True)
            continue
        if name in limits:
            outline.model.add(goal <= limits[name])
            continue
        last = number + 1 == len(names)
        seconds = (until - time.monotonic()) * (1 if last else _GREED)
        solver = _minimize(outline, (goal, found.values), seconds) if seconds > _SHORT else None
        if solver is None:
            return
        value = round(solver.objective_value)
        bound = min(value, max(0, math.ceil(solver.best_objective_bound - 1e-6)))
        outline.model.add(goal <= value)
        found.values = tuple(solver.response_proto.solution)
        found.goals[name] = Goal(name, value, bound, value == bound)


def _minimize(outline: Outline, what: tuple[Expr, Sequence[int]], seconds: float) -> cp_model.CpSolver | None:
    goal, values = what
    model = outline.model
    model.clear_objective()  # type: ignore[no-untyped-call]
    model.clear_hints()  # type: ignore[no-untyped-call]
    model.minimize(goal)
    for index, value in enumerate(values):
        model.add_hint(model.get_int_var_from_proto_index(index), value)
    solver = new_outline_solver(seconds)
    return solver if has_answer(solver.solve(model, _Nought())) else None


class _Nought(cp_model.CpSolverSolutionCallback):
    """Stops a search that has reached nought: no goal can be less."""

    def on_solution_callback(self) -> None:
        """Called by the solver for each better solution."""
        if self.objective_value <= 0:
            self.stop_search()
