"""What sandboxes hold, in the coarse picture: the copy of now, those under way or booked, and those yet to request.

A copy costs one advance for each go-live that it outlives in use; that is where few sandboxes, kept in use, pay. The
copies yet to request flow from epoch to epoch: in each some are requested, and some of those there go on.
"""

from __future__ import annotations

from bisect import bisect_right

from rehearse.schedule.axis import minutes
from rehearse.schedule.outline import FAR, Cell, Outline, State, add_requests, spacing
from rehearse.schedule.site import Cadence, Site
from rehearse.schedule.solver_board import Expr

MONTH = 30 * 1440
"""How long a finished copy waits for its activation."""
_BOTH = 2
"""Copies of earlier epochs that may be in use in one: the old one, and the next, whose activation was put off."""


def add_outline_states(outline: Outline) -> None:
    """The states of every sandbox, in which epochs each is in use, and how near to one another copies may be."""
    last = len(outline.lives)
    for site in outline.problem.sites:
        outline.states[site.name] = _settled(outline, site)
        for state in outline.states[site.name]:
            before: Expr = 1
            for epoch in range(state.born, last + 1):
                state.alive[epoch] = outline.new_bool()
                outline.model.add(state.alive[epoch] <= before)
                before = state.alive[epoch]
        _add_flow(outline, site, last)


def _settled(outline: Outline, site: Site) -> list[State]:
    problem = outline.problem
    now = problem.axis.up(problem.wish.now)
    requested = site.requested if site.requested is not None else -FAR
    found = [State(site.name, outline.epoch(now), requested, site.ready, site.since | site.advanced)]
    for one in site.planned:
        ready = one.activations[0] + minutes(problem.wish.policy.settle)
        born = outline.epoch(max(now, one.request))
        found.append(State(site.name, born, one.request, ready, one.since))
    return found


def _add_flow(outline: Outline, site: Site, last: int) -> None:
    flow, cadence = outline.flows[site.name], site.cadence
    if cadence is None or not flow.births:
        return
    for epoch, birth in flow.births.items():
        flow.count[epoch] = outline.new_count(birth.often)
    if outline.daily:
        add_requests(outline, site, cadence)
    for epoch in range(min(flow.births) + 1, last + 1):
        flow.kept[epoch] = outline.new_count(_BOTH)
        outline.model.add(flow.kept[epoch] <= flow.kept.get(epoch - 1, 0) + flow.count.get(epoch - 1, 0))
    _keep_apart(outline, site, cadence)


def _keep_apart(outline: Outline, site: Site, cadence: Cadence) -> None:
    """Copies keep the interval; of those from before an epoch one is in use, and those that were not activated by then.

    A copy waits for its activation a month at most; with the activation what was there before is over.
    """
    flow, space, done = outline.flows[site.name], spacing(cadence), -1
    epochs = sorted(flow.births)
    for number, epoch in enumerate(epochs):
        near = [one for one in epochs[number:] if flow.births[one].high - flow.births[epoch].low < space]
        if len(near) > 1 and near[-1] > done:
            outline.model.add(sum(flow.count[one] for one in near) <= 1)
            done = near[-1]
    for epoch in range(1, len(outline.lives) + 1):
        waiting = [
            one
            for one in epochs
            if one < epoch <= bisect_right(outline.lives, flow.births[one].high + cadence.copy + MONTH)
        ]
        some = before(outline, site.name, epoch)
        if isinstance(some, int):
            continue
        ready = [one for one in site.planned if bisect_right(outline.lives, one.activations[-1]) >= epoch]
        late = sum(flow.count[one] for one in waiting) + len(ready)
        if waiting and flow.split and not site.planned:
            flow.waits[epoch] = outline.new_bool()
            outline.model.add(flow.waits[epoch] <= late)
            late = flow.waits[epoch]
            for one in (one for one in waiting if flow.births[one].often == 1):
                now = outline.states[site.name][0].alive[epoch]
                outline.model.add(now + flow.count[one] <= 1 + late)
        outline.model.add(some <= 1 + late)


def before(outline: Outline, sandbox: str, epoch: int, cell: Cell | None = None) -> Expr:
    """How many copies from before an epoch are in use in it; for a cell, only those that are ready by then."""
    states = [one for one in outline.states[sandbox] if epoch in one.alive]
    if cell is not None:
        states = [one for one in states if one.ready <= cell.last]
    return sum(one.alive[epoch] for one in states) + outline.flows[sandbox].kept.get(epoch, 0)


def serving(outline: Outline, cell: Cell) -> Expr:
    """How many copies are in use that a cell which is not new may run on."""
    flow = outline.flows[cell.sandbox]
    return before(outline, cell.sandbox, cell.epoch, cell) + (0 if flow.split else flow.count.get(cell.epoch, 0))


def units(outline: Outline, sandbox: str, epoch: int) -> Expr:
    """How many copies are in use in an epoch, those requested in it among them."""
    return before(outline, sandbox, epoch) + outline.flows[sandbox].count.get(epoch, 0)


def going_on(outline: Outline, sandbox: str, epoch: int) -> Expr:
    """How many of the copies that are in use in an epoch go on in the next."""
    states = [one for one in outline.states[sandbox] if epoch in one.alive and epoch + 1 in one.alive]
    return sum(one.alive[epoch + 1] for one in states) + outline.flows[sandbox].kept.get(epoch + 1, 0)


def is_single(outline: Outline, sandbox: str, epoch: int) -> bool:
    """Whether no more than one copy may be requested in an epoch."""
    birth = outline.flows[sandbox].births.get(epoch)
    return birth is not None and birth.often == 1


def steps(outline: Outline, state: State, epoch: int) -> int:
    """How many advances a state costs in the step into an epoch; into its first, all that it lacks."""
    problem, first = outline.problem, epoch == state.born
    found = 0
    for one in problem.wish.releases:
        live = outline.epoch(problem.axis.up(one.go_live))
        if one.name not in state.held and (live <= epoch if first else live == epoch):
            found += 1
    return found


def count_lives(outline: Outline, epoch: int) -> int:
    """How many releases go live where an epoch begins."""
    axis = outline.problem.axis
    return sum(1 for one in outline.problem.wish.releases if outline.epoch(axis.up(one.go_live)) == epoch)
