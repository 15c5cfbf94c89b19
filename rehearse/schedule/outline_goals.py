"""The least that each goal can cost, from the coarse picture, one after another, and the days that it suggests.

A bound holds for every schedule that is no worse in the goals before it than what the picture reached there.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rehearse.schedule.axis import minutes
from rehearse.schedule.demand import Demand
from rehearse.schedule.model import Goal
from rehearse.schedule.outline import DAY, FAR, Cell, Detail, Outline, open_outline
from rehearse.schedule.outline_days import add_outline_days
from rehearse.schedule.outline_room import add_outline_room
from rehearse.schedule.outline_rules import add_outline_rules
from rehearse.schedule.outline_solve import Worker
from rehearse.schedule.outline_state import MONTH, add_outline_states, count_lives, steps
from rehearse.schedule.outline_turns import add_outline_turns
from rehearse.schedule.problem import Problem
from rehearse.schedule.second_run import build_second_starts
from rehearse.schedule.solver_board import Expr, times
from rehearse.schedule.solver_goals import Name, count_days

_GREED = 0.6
_SHORT = 0.2


def build_outline(problem: Problem, detail: Detail = "days", most: Mapping[str, int] | None = None) -> Outline:
    """The whole picture, without goals; the less detail, the smaller it is. `most`: of copies, by sandbox."""
    outline = open_outline(problem, detail, most)
    add_outline_states(outline)
    add_outline_rules(outline)
    if outline.daily:
        add_outline_turns(outline, advances=detail == "advances")
        return outline
    add_outline_room(outline)
    if detail == "days":
        add_outline_days(outline)
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
    return booked + sum(one for flow in outline.flows.values() for one in flow.count.values())


def _advances(outline: Outline) -> Expr:
    total: Expr = sum(
        times(steps(outline, state, epoch), alive)
        for states in outline.states.values()
        for state in states
        for epoch, alive in state.alive.items()
    )
    for flow in outline.flows.values():
        total += sum(times(count_lives(outline, epoch), kept) for epoch, kept in flow.kept.items())
    return total


def _distance(outline: Outline) -> Expr:
    total: Expr = sum(
        one.weight * count_days(outline.problem, one, starts[0])
        for one in outline.problem.demands
        if one.fixed
        for starts in one.starts.values()
    )
    for demand in outline.problem.demands:
        if demand.fixed:
            continue
        cells = outline.cells[demand.key]
        if demand.key in outline.days:
            parts = [(first, first + DAY - 1 - first % DAY, one) for first, one in outline.days[demand.key].items()]
        else:
            parts = [(one.first, one.last, one.literal) for one in cells]
        for low, high, literal in parts:
            total += times(demand.weight * _least(outline.problem, demand, (low, high)), literal)
    return total


def _least(problem: Problem, demand: Demand, span: tuple[int, int]) -> int:
    """The fewest days from the wished one, for any start in a stretch; a local day is no day of the axis."""
    low, high = span
    some = (low, *range(low - low % DAY + DAY, high, DAY), high)
    return min(count_days(problem, demand, one) for one in some)


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
    low, flow = cells[0].first - copy - MONTH, outline.flows[site.name]
    counts = [flow.count[epoch] for epoch, one in flow.births.items() if one.low <= latest and low <= one.high]
    literal = outline.new_bool()
    outline.model.add(sum(one.literal for one in cells) <= literal + sum(counts) + len(site.planned))
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

    def is_in_use(self, sandbox: str, epoch: int) -> bool:
        """Whether any copy of a sandbox is in use in an epoch."""
        flow, states = self.outline.flows[sandbox], self.outline.states[sandbox]
        some = [flow.count.get(epoch, 0), flow.kept.get(epoch, 0), *(one.alive.get(epoch, 0) for one in states)]
        return any(self.value(one) > 0 for one in some)


def fill(found: Guess, names: Sequence[Name], limits: tuple[float, int | None], worker: Worker) -> None:
    """Minimize the goals one after another; each may take the larger part of what time is left.

    `limits`: until when, and what a goal costs at most; nothing dearer is looked at.
    """
    outline, (until, most) = found.outline, limits
    for number, name in enumerate(names):
        goal = build_outline_goal(outline, name)
        if isinstance(goal, int):
            found.goals[name] = Goal(name, goal, goal, True)
            continue
        last = number + 1 == len(names)
        seconds = (until - time.monotonic()) * (1 if last else _GREED)
        outline.model.minimize(goal)
        answer = worker.minimize(outline.model, seconds, most) if seconds > _SHORT else None
        if answer is None:
            return
        bound = max(0, answer.bound)
        if answer.value is None:
            found.goals[name] = Goal(name, FAR, bound, False)
            return
        bound = min(answer.value, bound)
        outline.model.add(goal <= answer.value)
        found.values = answer.values
        found.goals[name] = Goal(name, answer.value, bound, answer.value == bound)
