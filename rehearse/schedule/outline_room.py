"""How much room an epoch has, in the coarse picture: no more runs in a sandbox than its days can hold.

Some instants are chosen so that whatever begins on a day runs at one of them at least; each instant holds one run. So
the runs of an epoch are no more than its instants, and those on a new copy no more than those since it was ready.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from itertools import groupby

from rehearse.schedule.outline import Cell, Outline, State, occupied_from
from rehearse.schedule.outline_state import is_one
from rehearse.schedule.solver_board import times

_DAY = 1440


def add_epoch_room(outline: Outline) -> None:
    """Rows for each sandbox and epoch, for the picture by epochs."""
    for site in outline.problem.sites:
        cells: dict[int, list[Cell]] = defaultdict(list)
        for demand in outline.problem.demands:
            if not demand.fixed:
                for one in outline.here(demand, site.name):
                    cells[one.epoch].append(one)
        for epoch, some in cells.items():
            spans = {id(one): _days(outline, one) for one in some}
            points = _stab([span for every in spans.values() for _, *span in every])
            _add_row(outline, (some, spans, points), None)
            for state in outline.states[site.name]:
                if state.free and state.born == epoch and is_one(state):
                    _add_row(outline, (some, spans, points), state)


_Room = tuple[list[Cell], dict[int, list[tuple[int, int, int]]], list[int]]


def _days(outline: Outline, cell: Cell) -> list[tuple[int, int, int]]:
    """For each day of a cell its latest start, and from when to when a run that starts on it surely runs."""
    found = []
    for _, some in groupby(cell.starts, lambda one: one // _DAY):
        day = tuple(some)
        low, high = occupied_from(outline, Cell(cell.demand, cell.sandbox, cell.epoch, day, 0))
        found.append((day[-1], low, high))
    return found


def _stab(spans: list[list[int]]) -> list[int]:
    """The fewest instants that touch every stretch; empty stretches are none."""
    points: list[int] = []
    for low, high in sorted((one for one in spans if one[0] < one[1]), key=lambda one: one[1]):
        if not points or points[-1] < low:
            points.append(high - 1)
    return points


def _add_row(outline: Outline, room: _Room, state: State | None) -> None:
    """Every run takes as many instants as on its least day; on a new copy alone, only days since it was ready count."""
    cells, spans, points = room
    since = state.ready if state is not None else 0
    there = [one for one in points if one >= since]
    sizes = []
    for cell in cells:
        days = [(low, high) for last, low, high in spans[id(cell)] if last >= since]
        sizes.append(min((_count(there, low, high) for low, high in days), default=0))
    total = sum(times(size, one.literal) for size, one in zip(sizes, cells, strict=True))
    if isinstance(total, int) or sum(sizes) <= len(there):
        return
    if state is None:
        outline.model.add(total <= len(there))
        return
    beside = [one for one in outline.states[state.sandbox] if one is not state]
    others = [one.alive[state.born] for one in beside if state.born in one.alive]
    outline.model.add(total <= len(there) + sum(sizes) * sum(others))


def _count(points: list[int], low: int, high: int) -> int:
    return max(0, bisect_left(points, high) - bisect_left(points, low))
