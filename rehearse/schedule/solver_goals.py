"""The goals of a planning as expressions over the CP-SAT model, in the order in which they count."""

from __future__ import annotations

from itertools import groupby
from typing import Literal

from rehearse.schedule.demand import Demand
from rehearse.schedule.problem import Problem
from rehearse.schedule.solver_board import Board, Expr, times
from rehearse.schedule.solver_repeat import build_unrepeatable
from rehearse.schedule.wall import local_day, subtract_span

Name = Literal["unplaced", "moves", "refreshes", "advances", "distance", "unrepeatable"]
_FEW: tuple[Name, ...] = ("unplaced", "moves", "refreshes", "advances", "distance", "unrepeatable")
_FRESH: tuple[Name, ...] = ("unplaced", "moves", "distance", "unrepeatable", "refreshes", "advances")


def list_goals(problem: Problem) -> tuple[Name, ...]:
    """The goals in their order."""
    return _FEW if problem.wish.policy.prefer == "few" else _FRESH


def list_drawn(names: tuple[Name, ...]) -> tuple[Name, ...]:
    """The goals before the one that asks for second runs: pictures know little of that one."""
    return names[: names.index("unrepeatable")]


def build_goal(board: Board, name: Name) -> Expr:
    """What a goal counts; its part of the model is added when first asked for."""
    build = {
        "unplaced": _unplaced,
        "moves": _moves,
        "refreshes": _refreshes,
        "advances": _advances,
        "distance": _distance,
        "unrepeatable": build_unrepeatable,
    }[name]
    return build(board)


def _unplaced(board: Board) -> Expr:
    return sum(one.weight * (1 - board.placed[one.key]) for one in board.problem.demands)


def _moves(board: Board) -> Expr:
    total: Expr = 0
    for demand in board.problem.demands:
        if demand.booking is None or demand.fixed:
            continue
        name, minute = demand.booking.sandbox, board.problem.axis.down(demand.booking.start)
        if minute not in demand.starts.get(name, ()):
            total += 1
            continue
        same = board.new_bool()
        board.model.add_implication(same, board.at[demand.key][name])
        board.model.add(board.start[demand.key] == minute // board.unit).only_enforce_if(same)
        total += 1 - same
    return total


def _refreshes(board: Board) -> Expr:
    every = [one for slots in board.slots.values() for one in slots]
    return sum(one.present for one in every if one.planned is None or not one.planned.running)


def _advances(board: Board) -> Expr:
    return sum(present for present, _ in board.advances.values())


def count_days(problem: Problem, demand: Demand, minute: int) -> int:
    """Whole local calendar days between a start and the wished distance from the go-live."""
    rehearsal, axis = demand.rehearsal, problem.axis
    days = problem.wish.policy.hours.days
    wished = subtract_span(demand.release.go_live, rehearsal.target, rehearsal.zone, days)
    return abs((local_day(axis.instant(minute), rehearsal.zone) - local_day(wished, rehearsal.zone)).days)


def _distance(board: Board) -> Expr:
    total: Expr = 0
    for demand in board.problem.demands:
        every = sorted({one for allowed in demand.starts.values() for one in allowed})
        if every:
            total += demand.weight * _days_of(board, demand, every)
    return total


def _days_of(board: Board, demand: Demand, every: list[int]) -> Expr:
    """One literal a local day on which the rehearsal may start."""
    problem, model, placed = board.problem, board.model, board.placed[demand.key]
    zone = demand.rehearsal.zone
    days = [list(minutes) for _, minutes in groupby(every, lambda one: local_day(problem.axis.instant(one), zone))]
    if len(days) == 1:
        return times(count_days(problem, demand, days[0][0]), placed)
    start = board.start[demand.key]
    on = [board.new_bool() for _ in days]
    model.add(sum(on) == placed)
    first = [one[0] // board.unit for one in days]
    span = max(one[-1] // board.unit - one[0] // board.unit for one in days)
    inside = model.new_int_var(0, span, "")
    model.add(start == sum(base * literal for base, literal in zip(first, on, strict=True)) + inside).only_enforce_if(
        [] if isinstance(placed, int) else placed
    )
    for day, literal in zip(days, on, strict=True):
        length = day[-1] // board.unit - day[0] // board.unit
        if length < span:
            model.add(inside <= length).only_enforce_if(literal)
    return sum(times(count_days(problem, demand, day[0]), literal) for day, literal in zip(days, on, strict=True))
