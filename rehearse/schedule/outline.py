"""A coarse picture of a large planning: between which go-lives and where each rehearsal runs, and what is refreshed.

Times within a day are left out, and so are a few rules that only matter there; nothing that a real schedule could do
is forbidden. So the least that a goal costs here is a bound for every schedule, and what is found here is a good guess
of the sandboxes of one that are kept in use. It places nothing itself.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal

from ortools.sat.python import cp_model

from rehearse.schedule.axis import minutes
from rehearse.schedule.demand import Demand
from rehearse.schedule.problem import Problem
from rehearse.schedule.rows import Key
from rehearse.schedule.site import Cadence, Site
from rehearse.schedule.solver_board import Expr, hold_offsets
from rehearse.schedule.solver_refresh import count_useful

DAY = 1440
FAR = 10**9
Detail = Literal["epochs", "days", "turns", "advances"]
"""Between which go-lives each rehearsal runs; on which day too; in which sandbox on which day; that, and advances."""
_PART = 240
"""Minutes within which a copy is requested, where advances are drawn too; else the day is told."""


@dataclass(frozen=True)
class Cell:
    """One rehearsal in one sandbox between two go-lives. `literal`: it runs there and then.

    `new`: on a copy that is requested in the very epoch in which it runs; else on one from before, where these are told
    apart.
    """

    demand: Demand
    sandbox: str
    epoch: int
    starts: tuple[int, ...]
    new: bool
    literal: Expr

    @property
    def first(self) -> int:
        """The earliest start."""
        return self.starts[0]

    @property
    def last(self) -> int:
        """The latest start."""
        return self.starts[-1]


@dataclass(frozen=True)
class Birth:
    """Copies of a sandbox that may be requested in an epoch: from when to when, ready when at first, how many."""

    low: int
    high: int
    ready: int
    often: int


@dataclass(frozen=True)
class Request:
    """When the one copy of a sandbox in an epoch may be requested: a day or a part of it; `literal`: it is then."""

    low: int
    high: int
    ready: int
    literal: Expr


@dataclass
class State:
    """What a sandbox holds whatever is planned: now, after a copy under way, or after a booked refresh.

    `alive[epoch]`: it is in use in that epoch, with all that went live before. `low` and `high` bound the request.
    """

    sandbox: str
    born: int
    requested: int
    ready: int
    held: frozenset[str]
    alive: dict[int, Expr] = field(default_factory=dict)


@dataclass
class Flow:
    """The copies of a sandbox that are yet to be requested. `count[epoch]`: so many are requested in it.

    `kept[epoch]`: so many that were requested in earlier epochs are in use still, with all that went live before.
    """

    births: dict[int, Birth]
    split: bool = False
    """Whether what runs on a copy of the same epoch is told apart: where something burns, or needs a fresh start."""
    waits: dict[int, Expr] = field(default_factory=dict)
    """Whether a copy that was requested in an earlier epoch was not activated before this one; none is booked."""
    count: dict[int, Expr] = field(default_factory=dict)
    requests: dict[int, list[Request]] = field(default_factory=dict)
    """The days of the request, in the finest picture, where no more than one copy may be requested in an epoch."""
    kept: dict[int, Expr] = field(default_factory=dict)


@dataclass
class Outline:
    """The coarse model and its variables. An epoch begins at each go-live; `lives` are their minutes."""

    problem: Problem
    model: cp_model.CpModel
    lives: tuple[int, ...]
    detail: Detail = "epochs"
    cells: dict[Key, list[Cell]] = field(default_factory=dict)
    places: dict[tuple[Key, str], list[Cell]] = field(default_factory=dict)
    out: dict[Key, Expr] = field(default_factory=dict)
    states: dict[str, list[State]] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)
    held: dict[Key, dict[int, int]] = field(default_factory=dict)
    days: dict[Key, dict[int, Expr]] = field(default_factory=dict)
    """For each rehearsal and start of a day (the earliest minute on it): it runs on that day. A go-live cuts a day."""

    @property
    def daily(self) -> bool:
        """Whether each cell is one day."""
        return self.detail in ("turns", "advances")

    def epoch(self, minute: int) -> int:
        """How many go-lives have been by a minute."""
        return bisect_right(self.lives, minute)

    def new_bool(self) -> Expr:
        """A new literal."""
        return self.model.new_bool_var("")

    def new_count(self, most: int) -> Expr:
        """A new number from nought."""
        return self.model.new_int_var(0, most, "")

    def here(self, demand: Demand, sandbox: str) -> list[Cell]:
        """The cells of a rehearsal in one sandbox, earliest first."""
        return self.places.get((demand.key, sandbox), [])

    def add_at_most(self, terms: Iterable[Expr], limit: Expr) -> None:
        """A sum is at most a limit, where there is anything to sum."""
        if some := list(terms):
            self.model.add(sum(some) <= limit)


def open_outline(problem: Problem, detail: Detail, most: Mapping[str, int] | None = None) -> Outline:
    """Where and between which go-lives each rehearsal may run, and nothing yet that forbids a clash.

    In the finer pictures a cell is one day. `most`: no more copies are looked at than so many by sandbox; where that is
    one, the picture tells the day of its request.
    """
    lives = tuple(sorted({problem.axis.up(one.go_live) for one in problem.wish.releases}))
    outline = Outline(problem, cp_model.CpModel(), lives, detail)
    for site in problem.sites:
        split = any(one.burns or one.fresh for one in problem.demands if site.name in one.starts)
        limit = count_useful(problem, site) if most is None else most.get(site.name, 0)
        outline.flows[site.name] = Flow(_list_births(outline, site, limit), split)
    for demand in problem.demands:
        if not demand.fixed:
            _add_demand(outline, demand)
    return outline


def spacing(cadence: Cadence) -> int:
    """The least minutes from one request to the next."""
    return max(cadence.interval, cadence.copy) if cadence.basis == "request" else cadence.interval + cadence.copy


def _list_births(outline: Outline, site: Site, most: int) -> dict[int, Birth]:
    """The epochs in which a copy may be requested, each as often as the interval allows."""
    problem, cadence = outline.problem, site.cadence
    if cadence is None or not most:
        return {}
    points, found = problem.axis.points(problem.requests[site.name]), {}
    bounds = (-FAR, *outline.lives, FAR)
    for epoch in range(len(outline.lives) + 1):
        inside = points[bisect_left(points, bounds[epoch]) : bisect_left(points, bounds[epoch + 1])]
        if inside:
            often = min(most, 1 + (inside[-1] - inside[0]) // max(1, spacing(cadence)))
            found[epoch] = Birth(inside[0], inside[-1], ready_from(problem, inside[0] + cadence.copy), often)
    return found


def ready_from(problem: Problem, free: int) -> int:
    """The earliest minute at which a copy is ready that is activated at some minute or later."""
    activations = problem.axis.points(problem.activations)
    number = bisect_left(activations, free)
    return activations[number] + minutes(problem.wish.policy.settle) if number < len(activations) else FAR


def add_requests(outline: Outline, site: Site, cadence: Cadence) -> None:
    """On which day each copy is requested, or in which part of it, where an epoch has one at most."""
    problem, flow = outline.problem, outline.flows[site.name]
    part = _PART if outline.detail == "advances" else DAY
    points = problem.axis.points(problem.requests[site.name])
    for epoch, birth in flow.births.items():
        if birth.often == 1:
            inside = points[bisect_left(points, birth.low) : bisect_right(points, birth.high)]
            flow.requests[epoch] = [
                Request(some[0], some[-1], ready_from(problem, some[0] + cadence.copy), outline.new_bool())
                for some in (tuple(day) for _, day in groupby(inside, lambda one: one // part))
            ]
            outline.model.add(sum(one.literal for one in flow.requests[epoch]) == flow.count[epoch])


def _add_demand(outline: Outline, demand: Demand) -> None:
    key = demand.key
    outline.held[key] = hold_offsets(outline.problem, demand)
    outline.cells[key] = []
    first = _earliest(outline.problem, demand)
    for name, starts in demand.starts.items():
        flow, found = outline.flows[name], list[Cell]()
        free = _beside_what_stays(outline, demand, name, starts[bisect_left(starts, first) :])
        for (epoch, _), some in groupby(free, lambda one: (outline.epoch(one), one // DAY if outline.daily else 0)):
            every = tuple(some)
            found.append(Cell(demand, name, epoch, every, False, outline.new_bool()))
            birth = flow.births.get(epoch) if flow.split else None
            late = every[bisect_left(every, birth.ready) :] if birth is not None else ()
            if late:
                found.append(Cell(demand, name, epoch, late, True, outline.new_bool()))
        outline.places[key, name] = found
        outline.cells[key] += found
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
    """The stretch that a run in this cell takes of its sandbox whenever on the day it starts; it may be empty."""
    return cell.last, cell.first + outline.held[cell.demand.key][cell.first] + reset_after(outline, cell)


def reset_after(outline: Outline, cell: Cell) -> int:
    """The reset after a run, where a refresh takes as long: before one it is left out."""
    problem, site = outline.problem, outline.problem.site(cell.sandbox)
    settle = int(problem.wish.policy.settle.total_seconds() // 60)
    return site.reset if not cell.demand.burns and (site.reset <= settle or not _is_refreshed(site)) else 0


def _is_refreshed(site: Site) -> bool:
    return site.cadence is not None or bool(site.planned)
