"""The rules of the coarse picture: what must hold for any schedule, day by day.

Each is a rule of formats.md in the form that looks only at days, sandboxes and epochs. It may be weaker than the real
one, never stronger.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from rehearse.schedule.axis import minutes
from rehearse.schedule.demand import Demand
from rehearse.schedule.outline import Cell, Outline, State
from rehearse.schedule.outline_state import before, count_lives, going_on, is_single, serving, steps, units
from rehearse.schedule.solver_refresh import oldest_request
from rehearse.schedule.wall import add_span


def add_outline_rules(outline: Outline) -> None:
    """Copies that serve what runs on them, order, age and fresh starts."""
    for demand in outline.problem.demands:
        if demand.fixed:
            continue
        for name in demand.starts:
            if cells := outline.here(demand, name):
                _add_usage(outline, name, cells)
                if demand.age is not None:
                    _add_age(outline, name, cells)
                if demand.fresh:
                    _add_fresh(outline, demand, name, cells)
        _add_order(outline, demand)
    _add_fresh_counts(outline)
    _add_ends(outline)


def by_epoch(cells: Iterable[Cell]) -> dict[int, list[Cell]]:
    """Cells by their epoch, earliest first."""
    found: dict[int, list[Cell]] = defaultdict(list)
    for one in cells:
        found[one.epoch].append(one)
    return dict(sorted(found.items()))


def _add_usage(outline: Outline, name: str, cells: list[Cell]) -> None:
    """It runs on a copy that is in use then, and that can be ready by then.

    What runs in some epoch or later runs on a copy that is in use in that epoch already, unless it is requested later:
    a copy that is in use in an epoch was so ever since it was requested, with all the advances that this costs.
    """
    flow, states, epochs = outline.flows[name], outline.states[name], by_epoch(cells)
    for epoch, some in epochs.items():
        latest = max(some, key=lambda one: one.last)
        old = [one.literal for one in some if not one.new]
        outline.add_at_most(old, serving(outline, latest))
        outline.add_at_most((one.literal for one in some if one.new), flow.count.get(epoch, 0))
        since = [one.literal for one in cells if one.epoch >= epoch]
        last = max(epochs)
        if len(since) > len(some):
            births = sum(flow.count[one] for one in flow.count if epoch <= one <= last)
            later = sum(one.alive[one.born] for one in states if epoch < one.born <= last)
            outline.add_at_most(since, before(outline, name, epoch) + births + later)


Fit = tuple[int, tuple[int, ...], tuple[tuple[int, int], ...]]
"""An epoch, the states that are young enough for what runs in it, and the epochs and days of such requests."""


def _add_age(outline: Outline, name: str, cells: list[Cell]) -> None:
    """Its data is young enough: which copies that can be is the same for all cells of a row.

    What runs in some epoch or later, or up to one, needs one that is young for any of these: in halves, a copy would
    serve each day by itself.
    """
    rows: dict[Fit, list[Cell]] = defaultdict(list)
    states = outline.states[name]
    for cell in cells:
        oldest = oldest_request(outline.problem, cell.demand, cell.first)
        young = () if cell.new else tuple(number for number, one in enumerate(states) if _is_young(one, cell, oldest))
        rows[cell.epoch, young, _list_young(outline, cell, oldest)].append(cell)
    for fit in rows:
        _add_young(outline, name, {fit: rows[fit]})
    epochs = sorted({epoch for epoch, _, _ in rows})
    for number, epoch in enumerate(epochs):
        _add_young(outline, name, {fit: some for fit, some in rows.items() if fit[0] >= epoch})
        if number + 1 < len(epochs):
            _add_young(outline, name, {fit: some for fit, some in rows.items() if fit[0] <= epoch})


def _add_young(outline: Outline, name: str, rows: dict[Fit, list[Cell]]) -> None:
    """What a rehearsal has in some rows is at most what can serve any of them."""
    flow, states = outline.flows[name], outline.states[name]
    first: dict[int, int] = {}
    for epoch, young, _ in sorted(rows, reverse=True):
        first |= dict.fromkeys(young, epoch)
    ways = [states[number].alive[epoch] for number, epoch in first.items()]
    for epoch, day in sorted({one for _, _, copies in rows for one in copies}):
        ways.append(flow.count[epoch] if day < 0 else flow.requests[epoch][day].literal)
    outline.add_at_most((one.literal for some in rows.values() for one in some), sum(ways))


def _list_young(outline: Outline, cell: Cell, oldest: int) -> tuple[tuple[int, int], ...]:
    """The epochs, and the days of requests in them where these are told, of copies that can be young and ready."""
    flow, found = outline.flows[cell.sandbox], []
    for epoch in flow.births:
        if not (epoch == cell.epoch if cell.new else epoch < cell.epoch + (not flow.split)):
            continue
        if epoch in flow.requests:
            days = enumerate(flow.requests[epoch])
            found += [(epoch, day) for day, one in days if one.high >= oldest and one.ready <= cell.last]
        elif _latest(outline, cell, epoch) >= oldest:
            found.append((epoch, -1))
    return tuple(found)


def _is_young(state: State, cell: Cell, oldest: int) -> bool:
    return cell.epoch in state.alive and state.ready <= cell.last and state.requested >= oldest


def _latest(outline: Outline, cell: Cell, epoch: int) -> int:
    """When a copy of some epoch can have been requested at the latest, to be ready for a cell."""
    cadence = outline.problem.site(cell.sandbox).cadence
    assert cadence is not None
    settle = minutes(outline.problem.wish.policy.settle)
    return min(outline.flows[cell.sandbox].births[epoch].high, cell.last - cadence.copy - settle)


def _add_fresh(outline: Outline, demand: Demand, name: str, cells: list[Cell]) -> None:
    """On a copy from before, only where nothing need have been advanced; what it follows ran elsewhere."""
    for epoch, some in by_epoch(cells).items():
        if not _is_fresh_before(outline, name, epoch):
            outline.add_at_most((one.literal for one in some if not one.new), 0)
        first = next((one for one in outline.problem.demands if one.key == demand.after and not one.fixed), None)
        if first is not None and is_single(outline, name, epoch):
            both = [one.literal for one in (*some, *outline.here(first, name)) if one.new and one.epoch == epoch]
            outline.add_at_most(both, 1)


def _is_fresh_before(outline: Outline, name: str, epoch: int) -> bool:
    """Whether a copy from before an epoch may be untouched in it; after a go-live it was advanced."""
    site, states = outline.problem.site(name), outline.states[name]
    for state in states:
        if epoch not in state.alive or any(steps(outline, state, one) for one in range(state.born, epoch + 1)):
            continue
        if state is not states[0] or (site.untouched and not site.burned):
            return True
    return epoch in outline.flows[name].kept and count_lives(outline, epoch) == 0


def _add_fresh_counts(outline: Outline) -> None:
    """Each copy has one fresh start."""
    rows: dict[tuple[str, int, bool], list[Cell]] = defaultdict(list)
    for demand in outline.problem.demands:
        if demand.fresh and not demand.fixed:
            for cell in outline.cells[demand.key]:
                rows[cell.sandbox, cell.epoch, cell.new].append(cell)
    for (name, epoch, new), cells in rows.items():
        copies = outline.flows[name].count.get(epoch, 0) if new else before(outline, name, epoch)
        outline.add_at_most((one.literal for one in cells), copies)


def _add_order(outline: Outline, demand: Demand) -> None:
    """On no day is it done whose first could not be done so long before."""
    if demand.after is None or demand.after not in outline.cells:
        return
    first = next(one for one in outline.problem.demands if one.key == demand.after)
    outline.model.add(outline.out[demand.key] >= outline.out[first.key])
    if outline.daily:
        return  # the days of the two are held against one another where they are drawn
    cells = outline.cells[first.key]
    ends = list_followed(outline, first, demand, [one.first for one in cells])
    mine = sorted(outline.cells[demand.key], key=lambda one: one.last)
    for number, cell in enumerate(mine):
        if number + 1 < len(mine) and mine[number + 1].last == cell.last:
            continue
        done = [one.literal for one, end in zip(cells, ends, strict=True) if end <= cell.last]
        if len(done) < len(cells):
            outline.model.add(sum(one.literal for one in mine[: number + 1]) <= sum(done))


def list_followed(outline: Outline, first: Demand, second: Demand, starts: list[int]) -> list[int]:
    """For starts of the one that is followed, the earliest minute at which what follows may start."""
    axis, rehearsal = outline.problem.axis, second.rehearsal
    days, found = outline.problem.wish.policy.hours.days, []
    for start in starts:
        end = axis.instant(start + first.length)
        found.append(axis.up(add_span(end, rehearsal.gap, rehearsal.zone, days)))
    return found


def _add_ends(outline: Outline) -> None:
    """What was burned does not go on into the next epoch; nor does an old copy once something runs on a new one."""
    for site in outline.problem.sites:
        name = site.name
        cells = [one for key in outline.cells for one in outline.places.get((key, name), [])]
        for epoch, some in by_epoch(cells).items():
            burns = [one for one in some if one.demand.burns]
            outline.add_at_most(
                [*(one.literal for one in burns), going_on(outline, name, epoch)], units(outline, name, epoch)
            )
            waits = outline.flows[name].waits.get(epoch + 1)
            if waits is None or not is_single(outline, name, epoch):
                continue
            ended = sum(one.literal for one in burns if one.new)
            outline.model.add(ended + before(outline, name, epoch + 1) <= 1 + waits)
            for key in {one.demand.key for one in some if one.new}:
                outline.model.add(sum(one.literal for one in some if one.new and one.demand.key == key) + waits <= 1)
