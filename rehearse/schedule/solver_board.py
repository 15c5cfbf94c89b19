"""The CP-SAT model of one planning, its common part: when and where each rehearsal runs. Times are in whole units.

A unit is the greatest step that all grid points and fixed starts share, so that domains stay short; lengths are rounded
up to units, which is exact because whatever follows starts on a unit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ortools.sat.python import cp_model

from rehearse.clock import Span
from rehearse.schedule.axis import minutes
from rehearse.schedule.demand import Demand
from rehearse.schedule.problem import Problem
from rehearse.schedule.rows import Key, row_of
from rehearse.schedule.site import Planned
from rehearse.schedule.wall import add_span

Expr = Any
"""A CP-SAT variable, a linear expression of them, or a number; the library's own types overlap too much to name."""
Most = int | Mapping[str, int] | None
"""A limit on new refreshes: for every sandbox, by sandbox, or none."""


@dataclass
class Slot:
    """One refresh that exists or may be asked for; from `off` to `ready` its sandbox cannot be used."""

    present: Expr
    request: Expr
    activate: Expr
    off: Expr
    ready: Expr
    planned: Planned | None = None

    def conditions(self, *more: Expr) -> list[Expr]:
        """This refresh taking place, and more literals, as what a constraint depends on; constants are left out."""
        return [one for one in (self.present, *more) if not isinstance(one, int)]


@dataclass
class Board:
    """The model and its variables. `at[key][sandbox]`, `start[key]` and `placed[key]` say where and when.

    `most`: how many new refreshes a sandbox may have, for all or by sandbox, None = as many as could be of use. `busy`:
    the intervals of a sandbox; `seen`: the same for a second run, to which no wait for a fresh start is busy.
    """

    problem: Problem
    model: cp_model.CpModel
    unit: int
    end: int
    most: Most = None
    start: dict[Key, Expr] = field(default_factory=dict)
    placed: dict[Key, Expr] = field(default_factory=dict)
    at: dict[Key, dict[str, Expr]] = field(default_factory=dict)
    held: dict[Key, Expr] = field(default_factory=dict)
    begin: dict[tuple[Key, str], Expr] = field(default_factory=dict)
    until: dict[tuple[Key, str], Expr] = field(default_factory=dict)
    slots: dict[str, list[Slot]] = field(default_factory=dict)
    generation: dict[tuple[object, str], list[Expr]] = field(default_factory=dict)
    busy: dict[str, list[Expr]] = field(default_factory=dict)
    seen: dict[str, list[Expr]] = field(default_factory=dict)
    waits: dict[str, list[Expr]] = field(default_factory=dict)
    advances: dict[tuple[str, str], tuple[Expr, Expr]] = field(default_factory=dict)
    literals: dict[tuple[object, ...], Expr] = field(default_factory=dict)

    def up(self, minute: int) -> int:
        """Minutes as units, rounded up."""
        return -(-minute // self.unit)

    def domain(self, minutes: Iterable[int]) -> cp_model.Domain:
        """A domain in units of minutes that all lie on units."""
        return cp_model.Domain.from_values([one // self.unit for one in minutes])

    def new_bool(self) -> Expr:
        """A new literal."""
        return self.model.new_bool_var("")

    def new_int(self, domain: cp_model.Domain) -> Expr:
        """A new variable; a number where only one value is possible."""
        if domain.size() == 1:
            return domain.min()
        return self.model.new_int_var_from_domain(domain, "")

    def add_no_overlap(self, stretches: Iterable[Expr]) -> None:
        """One thing at a time.

        A stretch before now that is always taken goes with them: without it the linear relaxation of OR-Tools is wrong
        where something is there to the end. It counts from the earliest start of what may come before, as if any of it
        did, and so calls the best schedule impossible.
        """
        self.model.add_no_overlap([self.model.new_fixed_size_interval_var(-1, 1, ""), *stretches])

    def limit(self, sandbox: str) -> int | None:
        """How many new refreshes a sandbox may have."""
        return self.most if self.most is None or isinstance(self.most, int) else self.most.get(sandbox, 0)

    def once(self, key: tuple[object, ...], make: Callable[[], Expr]) -> Expr:
        """The literal of a name, made when first asked for."""
        if key not in self.literals:
            self.literals[key] = make()
        return self.literals[key]


def times(number: int, variable: Expr) -> Expr:
    """A multiple; nought is a plain number: OR-Tools 9.14 makes a constant of it, to which it can add no sum."""
    return number * variable if number else 0


def open_board(problem: Problem, most: Most = None) -> Board:
    """A model with the place and time of each rehearsal, and nothing that forbids a clash yet."""
    unit = _unit(problem)
    last = max((*problem.axis.grid[-1:], *_fixed_minutes(problem)), default=0)
    lengths = max((one.length for one in problem.demands), default=0)
    board = Board(problem, cp_model.CpModel(), unit, (last + lengths + 60 * 1440) // unit + 2, most)
    for demand in problem.demands:
        _add_demand(board, demand)
    for demand in problem.demands:
        if demand.after and not demand.fixed:
            _add_order(board, demand)
    return board


def _fixed_minutes(problem: Problem) -> list[int]:
    found = [minute for one in problem.demands for allowed in one.starts.values() for minute in allowed[-1:]]
    for site in problem.sites:
        found += [minute for one in site.blocks for minute in (one.start, one.end)]
        found += [minute for one in site.planned for minute in (*one.activations[-1:],)]
    return found


def _unit(problem: Problem) -> int:
    """The greatest step of grid points, fixed starts and pins; ends are rounded up and so do not count."""
    points = set(problem.axis.grid)
    for demand in problem.demands:
        if demand.fixed or demand.rehearsal.pin.at is not None:
            points.update(minute for allowed in demand.starts.values() for minute in allowed)
    for site in problem.sites:
        points.update(one.start for one in site.blocks)
        points.update(minute for one in site.planned if not one.running for minute in (one.request, *one.activations))
    return math.gcd(*points) or 1


def _add_demand(board: Board, demand: Demand) -> None:
    model, key = board.model, demand.key
    every = sorted({minute for allowed in demand.starts.values() for minute in allowed})
    if not every:
        board.placed[key], board.start[key], board.at[key], board.held[key] = 0, 0, {}, 0
        return
    start = board.new_int(board.domain(every))
    board.start[key] = start
    board.at[key] = {name: 1 if demand.fixed else board.new_bool() for name in demand.starts}
    if demand.fixed:
        board.placed[key] = 1
    else:
        board.placed[key] = board.new_bool()
        model.add(sum(board.at[key].values()) == board.placed[key])
    for name, allowed in demand.starts.items():
        if len(allowed) < len(every) and not demand.fixed:
            inside = board.domain(allowed)
            model.add_linear_expression_in_domain(start, inside).only_enforce_if(board.at[key][name])
    board.held[key] = add_offset(board, demand, busy_offsets(board, demand))


def busy_offsets(board: Board, demand: Demand, reset: int = 0) -> dict[int, int]:
    """Start minute -> units from the start to the end of the hold, and of a reset of some minutes after it."""
    return {start: board.up(held + reset) for start, held in hold_offsets(board.problem, demand).items()}


def hold_offsets(problem: Problem, demand: Demand) -> dict[int, int]:
    """Start minute -> minutes from the start to the end of the hold."""
    rehearsal, axis, days = demand.rehearsal, problem.axis, problem.wish.policy.hours.days
    hold = Span() if row_of("hold", rehearsal) in problem.lifted else rehearsal.hold
    starts = {minute for allowed in demand.starts.values() for minute in allowed}
    if not hold.working_days:
        return dict.fromkeys(starts, demand.length + minutes(hold.amount))
    found = {}
    for start in starts:
        until = add_span(axis.instant(start + demand.length), hold, rehearsal.zone, days)
        found[start] = axis.up(until) - start
    return found


def add_offset(board: Board, demand: Demand, offsets: Mapping[int, int]) -> Expr:
    """start + an offset that depends on the start: a constant where it does not."""
    start = board.start[demand.key]
    values = sorted(set(offsets.values()))
    if len(values) == 1:
        return start + values[0]
    chosen = [board.new_bool() for _ in values]
    board.model.add_exactly_one(chosen)
    for value, literal in zip(values, chosen, strict=True):
        inside = board.domain(sorted(minute for minute, one in offsets.items() if one == value))
        board.model.add_linear_expression_in_domain(start, inside).only_enforce_if(literal)
    return start + sum(times(value, literal) for value, literal in zip(values, chosen, strict=True))


def _add_order(board: Board, demand: Demand) -> None:
    """It starts at least `gap` after the end of the one it follows, and is placed only when that one is."""
    assert demand.after is not None
    first = next((one for one in board.problem.demands if one.key == demand.after), None)
    if first is None:
        return
    placed = board.placed[demand.key]
    board.model.add(placed <= board.placed[first.key])
    if not first.starts or not demand.starts:
        return
    earliest = add_offset(board, first, _gap_offsets(board, first, demand))
    board.model.add(board.start[demand.key] >= earliest).only_enforce_if(placed)


def _gap_offsets(board: Board, first: Demand, second: Demand) -> dict[int, int]:
    axis, rehearsal = board.problem.axis, second.rehearsal
    days, found = board.problem.wish.policy.hours.days, {}
    for start in {minute for allowed in first.starts.values() for minute in allowed}:
        end = axis.instant(start + first.length)
        found[start] = board.up(axis.up(add_span(end, rehearsal.gap, rehearsal.zone, days)) - start)
    return found
