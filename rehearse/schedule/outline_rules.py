"""The rules of the coarse picture: what must hold for any schedule, day by day.

Each is a rule of formats.md in the form that looks only at days, sandboxes and epochs. It may be weaker than the real
one, never stronger.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from rehearse.schedule.axis import minutes
from rehearse.schedule.demand import Demand
from rehearse.schedule.outline import Cell, Outline, State, occupied_from
from rehearse.schedule.outline_state import MONTH, is_one, is_requested_within, steps
from rehearse.schedule.solver_board import Expr
from rehearse.schedule.solver_refresh import oldest_request
from rehearse.schedule.wall import add_span


def add_outline_rules(outline: Outline) -> None:
    """States that serve what runs on them, one thing at a time, order, burns and fresh starts."""
    for demand in outline.problem.demands:
        if demand.fixed:
            continue
        _add_usage(outline, demand)
        _add_order(outline, demand)
        if demand.burns:
            _add_burn(outline, demand)
    _add_fresh(outline)
    _add_room(outline)


def _add_usage(outline: Outline, demand: Demand) -> None:
    """It runs on a state that is in use then, whose data is young enough, and that can be ready by then."""
    rows: dict[tuple[str, int, tuple[int, ...]], list[Cell]] = defaultdict(list)
    for cell in outline.cells[demand.key]:
        states = outline.states[cell.sandbox]
        fit = tuple(number for number, one in enumerate(states) if _serves(outline, one, cell))
        rows[cell.sandbox, cell.epoch, fit].append(cell)
    for (name, epoch, fit), cells in rows.items():
        alive = [outline.states[name][number].alive[epoch] for number in fit]
        outline.model.add(sum(one.literal for one in cells) <= sum(alive))


def _serves(outline: Outline, state: State, cell: Cell) -> bool:
    problem, demand = outline.problem, cell.demand
    if cell.epoch not in state.alive or state.ready > cell.last:
        return False
    if demand.age is not None:
        latest = state.high
        if state.free:
            cadence = problem.site(state.sandbox).cadence
            assert cadence is not None
            latest = min(latest, cell.last - cadence.copy - minutes(problem.wish.policy.settle))
        if latest < oldest_request(problem, demand, cell.first):
            return False
    return not demand.fresh or _is_fresh(outline, state, cell)


def _is_fresh(outline: Outline, state: State, cell: Cell) -> bool:
    """Whether nothing need have been advanced in a state before, and it may be untouched."""
    if any(steps(outline, state, epoch) for epoch in range(state.born, cell.epoch + 1)):
        return False
    site = outline.problem.site(cell.sandbox)
    return state is not outline.states[cell.sandbox][0] or (site.untouched and not site.burned)


def _add_fresh(outline: Outline) -> None:
    """Each copy has one fresh start."""
    rows: dict[tuple[str, tuple[int, ...]], list[Cell]] = defaultdict(list)
    for demand in outline.problem.demands:
        if demand.fresh and not demand.fixed:
            for cell in outline.cells[demand.key]:
                states = outline.states[cell.sandbox]
                fit = tuple(number for number, one in enumerate(states) if _serves(outline, one, cell))
                rows[cell.sandbox, fit].append(cell)
    for (name, fit), cells in rows.items():
        counts = [outline.states[name][number].count for number in fit]
        outline.model.add(sum(one.literal for one in cells) <= sum(counts))


def _add_order(outline: Outline, demand: Demand) -> None:
    """On no day is it done whose first could not be done so long before."""
    if demand.after is None or demand.after not in outline.cells:
        return
    first = next(one for one in outline.problem.demands if one.key == demand.after)
    outline.model.add(outline.out[demand.key] >= outline.out[first.key])
    ends = sorted(((_followed(outline, one, demand), one.literal) for one in outline.cells[first.key]), key=_by_time)
    mine = sorted(outline.cells[demand.key], key=lambda one: one.last)
    for number, cell in enumerate(mine):
        if number + 1 < len(mine) and mine[number + 1].last == cell.last:
            continue
        before = [literal for at, literal in ends if at <= cell.last]
        outline.model.add(sum(one.literal for one in mine[: number + 1]) <= sum(before))


def _by_time(pair: tuple[int, Expr]) -> int:
    return pair[0]


def _followed(outline: Outline, first: Cell, second: Demand) -> int:
    """The earliest minute at which what follows may start."""
    axis, rehearsal = outline.problem.axis, second.rehearsal
    end = axis.instant(first.first + first.demand.length)
    return axis.up(add_span(end, rehearsal.gap, rehearsal.zone, outline.problem.wish.policy.hours.days))


def _add_burn(outline: Outline, demand: Demand) -> None:
    """After what burns a sandbox, nothing runs there unless a copy was requested that can have been activated since."""
    for name in demand.starts:
        mine = outline.here(demand, name)
        for other in outline.problem.demands:
            if other is demand or other.fixed or name not in other.starts or not mine:
                continue
            _add_burned(outline, mine, outline.here(other, name))
        for state in outline.states[name]:
            _add_end(outline, state, mine)


def _add_burned(outline: Outline, mine: list[Cell], others: list[Cell]) -> None:
    """Pairs of stretches: it burns up to some day, the other runs after it."""
    bounds = sorted({one.last for one in mine})
    if not others or others[-1].first <= bounds[0]:
        return
    inside = [one for one in bounds if any(other.first > one for other in others)]
    previous = -1
    for bound in inside:
        after = [one for one in others if one.first > bound]
        if len(after) == previous and bound is not inside[-1]:
            continue
        previous = len(after)
        before = [one for one in mine if one.last <= bound]
        counts = _between(outline, before[0], after[-1])
        outline.model.add(sum(one.literal for one in (*before, *after)) <= 1 + sum(counts))


def _between(outline: Outline, burning: Cell, cell: Cell) -> list[Expr]:
    """How many copies could be activated between two runs in a sandbox, by state."""
    site, found = outline.problem.site(cell.sandbox), []
    settle = minutes(outline.problem.wish.policy.settle)
    for state in outline.states[cell.sandbox][1:]:
        copy = site.cadence.copy if site.cadence is not None else 0
        low = burning.first - copy - MONTH if state.free else -(10**9)
        if is_requested_within(state, low, cell.last - (copy + settle if state.free else 0)):
            found.append(state.count)
    return found


def _add_end(outline: Outline, state: State, mine: list[Cell]) -> None:
    """A state that was burned is over in the epoch after; one that comes later was not what burned."""
    cadence = outline.problem.site(state.sandbox).cadence
    others = [one for one in outline.states[state.sandbox] if one is not state]
    latest = MONTH**2
    if state is outline.states[state.sandbox][0]:
        latest = state.ready
    elif state.free and cadence is not None and is_one(state):
        latest = state.high + cadence.copy + MONTH
    for epoch, cells in _by_epoch(mine):
        if epoch + 1 not in state.alive or not is_one(state):
            continue
        burning = sum(one.literal for one in cells)
        if cells[0].first > latest:
            outline.model.add(burning + state.alive[epoch + 1] <= 1)
        else:
            instead = [one.alive[epoch] for one in others if epoch in one.alive]
            outline.model.add(burning + state.alive[epoch + 1] <= 1 + sum(instead))


def _by_epoch(cells: Iterable[Cell]) -> Iterator[tuple[int, list[Cell]]]:
    found: dict[int, list[Cell]] = defaultdict(list)
    for one in cells:
        found[one.epoch].append(one)
    return iter(sorted(found.items()))


def _add_room(outline: Outline) -> None:
    """One thing at a time in a sandbox, and one for each person: what runs at an instant whenever that day it began."""
    by_sandbox: dict[str, list[tuple[int, int, Expr]]] = defaultdict(list)
    by_person: dict[str, list[tuple[int, int, Expr]]] = defaultdict(list)
    for cells in outline.cells.values():
        for cell in cells:
            by_sandbox[cell.sandbox].append((*occupied_from(outline, cell), cell.literal))
            for name in cell.demand.people:
                by_person[name].append((cell.last, cell.first + cell.demand.length, cell.literal))
    for spans in (*by_sandbox.values(), *by_person.values()):
        for literals in _cliques(spans):
            outline.model.add_at_most_one(literals)


def _cliques(spans: list[tuple[int, int, Expr]]) -> Iterator[list[Expr]]:
    """The largest sets of stretches that share an instant."""
    some = [one for one in spans if one[0] < one[1]]
    events = sorted(
        [(start, 1, number) for number, (start, _, _) in enumerate(some)]
        + [(end, 0, number) for number, (_, end, _) in enumerate(some)]
    )
    now: dict[int, Expr] = {}
    grown = False
    for _, begins, number in events:
        if begins:
            now[number] = some[number][2]
            grown = True
        else:
            if grown and len(now) > 1:
                yield list(now.values())
            grown = False
            del now[number]
