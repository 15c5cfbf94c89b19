"""What sandboxes hold, in the coarse picture: the copy of now, those under way or booked, and those yet to request.

A state costs one advance for each go-live that it outlives; that is where few sandboxes, kept in use, pay.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import combinations

from rehearse.schedule.axis import minutes
from rehearse.schedule.outline import Outline, State
from rehearse.schedule.site import Cadence, Site
from rehearse.schedule.solver_board import Expr
from rehearse.schedule.solver_refresh import count_useful

MONTH = 30 * 1440
"""How long a finished copy waits for its activation."""


def add_outline_states(outline: Outline) -> None:
    """The states of every sandbox, in which epochs each is in use, and how near to one another copies may be."""
    for site in outline.problem.sites:
        ends = [one.epoch for cells in outline.cells.values() for one in cells if one.sandbox == site.name]
        last = max(ends, default=-1)
        states = [*_settled(outline, site), *_free(outline, site, last)]
        outline.states[site.name] = states
        for state in states:
            _add_life(outline, state, last)
        if site.cadence is not None:
            for one, other in combinations(states, 2):
                _keep_apart(outline, site.cadence, one, other)


def _settled(outline: Outline, site: Site) -> list[State]:
    problem = outline.problem
    now = problem.axis.up(problem.wish.now)
    born = outline.epoch(now)
    requested = site.requested if site.requested is not None else -(10**9)
    found = [State(site.name, born, requested, requested, site.ready, False, 1, site.since | site.advanced)]
    for one in site.planned:
        ready = one.activations[0] + minutes(problem.wish.policy.settle)
        born = outline.epoch(max(now, one.request))
        found.append(State(site.name, born, one.request, one.request, ready, False, 1, one.since))
    return found


def _free(outline: Outline, site: Site, last: int) -> list[State]:
    """One state for each epoch in which a copy may be requested, as often as the interval allows."""
    problem, cadence = outline.problem, site.cadence
    most = count_useful(problem, site) if cadence is not None else 0
    if cadence is None or not most:
        return []
    points, found = problem.axis.points(problem.requests[site.name]), []
    bounds = [-(10**9), *outline.lives, 10**9]
    settle, activations = minutes(problem.wish.policy.settle), problem.axis.points(problem.activations)
    for epoch in range(last + 1):
        inside = points[bisect_left(points, bounds[epoch]) : bisect_left(points, bounds[epoch + 1])]
        if not inside:
            continue
        often = min(most, 1 + (inside[-1] - inside[0]) // max(1, spacing(cadence)))
        count = outline.new_bool() if often == 1 else outline.model.new_int_var(0, often, "")
        copied = bisect_left(activations, inside[0] + cadence.copy)
        ready = activations[copied] + settle if copied < len(activations) else 10**9
        held = frozenset(one.name for one in problem.wish.releases if problem.axis.up(one.go_live) <= bounds[epoch])
        found.append(State(site.name, epoch, inside[0], inside[-1], ready, True, count, held))
    return found


def spacing(cadence: Cadence) -> int:
    """The least minutes from one request to the next."""
    return max(cadence.interval, cadence.copy) if cadence.basis == "request" else cadence.interval + cadence.copy


def _add_life(outline: Outline, state: State, last: int) -> None:
    before: Expr = state.count
    for epoch in range(state.born, last + 1):
        alive = outline.new_bool()
        state.alive[epoch] = alive
        outline.model.add(alive <= before)
        before = alive


def _keep_apart(outline: Outline, cadence: Cadence, one: State, other: State) -> None:
    """Two copies keep the interval; once one can wait for its activation no longer, the state before it is over."""
    if not other.free:
        return
    if one.free and other.high - one.low < spacing(cadence) and is_one(one) and is_one(other):
        outline.model.add(one.count + other.count <= 1)
    late = bisect_right(outline.lives, other.high + cadence.copy + MONTH)
    over = [epoch for epoch in one.alive if epoch > late]
    if over and one.high <= other.low and is_one(other):
        outline.model.add(one.alive[over[0]] + other.count <= 1)


def is_one(state: State) -> bool:
    """Whether a state stands for one copy, and not for several of an epoch."""
    return isinstance(state.count, int) or state.count.proto.domain[-1] == 1


def steps(outline: Outline, state: State, epoch: int) -> int:
    """How many advances a state costs in the step into an epoch; into its first, all that it lacks."""
    problem, first = outline.problem, epoch == state.born
    found = 0
    for one in problem.wish.releases:
        live = outline.epoch(problem.axis.up(one.go_live))
        if one.name not in state.held and (live <= epoch if first else live == epoch):
            found += 1
    return found


def is_requested_within(state: State, low: int, high: int) -> bool:
    """Whether the copy of a state may have been requested from one minute to another."""
    return state.low <= high and low <= state.high
