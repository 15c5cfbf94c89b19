"""A coarse picture of a large planning: on which day and where each rehearsal runs, and when copies are requested.

Times within a day are left out, and so are a few rules that only matter there; nothing that a real schedule could do
is forbidden. So the least that a goal costs here is a bound for every schedule, and what is found here is a good guess
of the days and sandboxes of one. It places nothing itself.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import groupby

from ortools.sat.python import cp_model

from rehearse.schedule.demand import Demand
from rehearse.schedule.problem import Problem
from rehearse.schedule.rows import Key
from rehearse.schedule.site import Site
from rehearse.schedule.solver_board import Expr, hold_offsets

_DAY = 1440


@dataclass(frozen=True)
class Cell:
    """One rehearsal in one sandbox on one day; a go-live cuts a day in two. `literal`: it runs there and then."""

    demand: Demand
    sandbox: str
    epoch: int
    starts: tuple[int, ...]
    literal: Expr

    @property
    def first(self) -> int:
        """The earliest start."""
        return self.starts[0]

    @property
    def last(self) -> int:
        """The latest start."""
        return self.starts[-1]


@dataclass
class State:
    """What a sandbox holds from one copy to the next. `count`: how many copies were requested in that epoch.

    `alive[epoch]`: it is in use in that epoch, with all that went live before. `low` and `high` bound the request.
    """

    sandbox: str
    born: int
    low: int
    high: int
    ready: int
    free: bool
    count: Expr
    held: frozenset[str]
    alive: dict[int, Expr] = field(default_factory=dict)


@dataclass
class Outline:
    """The coarse model and its variables. An epoch begins at each go-live; `lives` are their minutes."""

    problem: Problem
    model: cp_model.CpModel
    lives: tuple[int, ...]
    cells: dict[Key, list[Cell]] = field(default_factory=dict)
    out: dict[Key, Expr] = field(default_factory=dict)
    states: dict[str, list[State]] = field(default_factory=dict)
    held: dict[Key, dict[int, int]] = field(default_factory=dict)
    by_day: bool = True

    def epoch(self, minute: int) -> int:
        """How many go-lives have been by a minute."""
        return bisect_right(self.lives, minute)

    def new_bool(self) -> Expr:
        """A new literal."""
        return self.model.new_bool_var("")

    def here(self, demand: Demand, sandbox: str) -> list[Cell]:
        """The cells of a rehearsal in one sandbox, earliest first."""
        return [one for one in self.cells[demand.key] if one.sandbox == sandbox]


def open_outline(problem: Problem, *, by_day: bool = True) -> Outline:
    """Where and on which day each rehearsal may run, and nothing yet that forbids a clash."""
    lives = tuple(sorted({problem.axis.up(one.go_live) for one in problem.wish.releases}))
    outline = Outline(problem, cp_model.CpModel(), lives, by_day=by_day)
    for demand in problem.demands:
        if not demand.fixed:
            _add_demand(outline, demand)
    return outline


def _add_demand(outline: Outline, demand: Demand) -> None:
    key = demand.key
    outline.held[key] = hold_offsets(outline.problem, demand)
    outline.cells[key] = []
    first = _earliest(outline.problem, demand)
    for name, starts in demand.starts.items():
        free = _beside_what_stays(outline, demand, name, starts[bisect_left(starts, first) :])
        for (_, epoch), some in groupby(free, lambda one: (one // _DAY if outline.by_day else 0, outline.epoch(one))):
            outline.cells[key].append(Cell(demand, name, epoch, tuple(some), outline.new_bool()))
    outline.out[key] = outline.new_bool()
    outline.model.add_exactly_one([outline.out[key], *(one.literal for one in outline.cells[key])])


def _earliest(problem: Problem, demand: Demand) -> int:
    """The end of the one that it follows, where that is booked."""
    follows = next((one for one in problem.demands if one.key == demand.after and one.fixed), None)
    if follows is None or not follows.starts:
        return 0
    return max(starts[0] for starts in follows.starts.values()) + follows.length


def _beside_what_stays(outline: Outline, demand: Demand, name: str, starts: tuple[int, ...]) -> list[int]:
    """The starts from which a run and its hold touch nothing that stays in a sandbox."""
    problem, held = outline.problem, outline.held[demand.key]
    taken = [(one.start, one.end) for one in problem.site(name).blocks]
    for other in problem.demands:
        if other.fixed and name in other.starts:
            start = other.starts[name][0]
            taken.append((start, start + other.length))
    return [
        one for one in starts if not any(one < end and start < one + held[one] for start, end in taken if end > start)
    ]


def occupied_from(outline: Outline, cell: Cell) -> tuple[int, int]:
    """The stretch that a run in this cell takes of its sandbox whenever on the day it starts; it may be empty.

    The reset counts only where a refresh takes as long: before one it is left out.
    """
    problem, site = outline.problem, outline.problem.site(cell.sandbox)
    settle = int(problem.wish.policy.settle.total_seconds() // 60)
    reset = site.reset if not cell.demand.burns and (site.reset <= settle or not _is_refreshed(site)) else 0
    return cell.last, cell.first + outline.held[cell.demand.key][cell.first] + reset


def _is_refreshed(site: Site) -> bool:
    return site.cadence is not None or bool(site.planned)
