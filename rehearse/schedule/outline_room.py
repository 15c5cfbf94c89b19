"""How much room an epoch has, in the coarse picture: no more runs in a sandbox than its days can hold.

Some instants are chosen so that whatever begins on a day runs at one of them at least; each instant
holds one run, on a copy that is in use. So the runs of an epoch are no more than its instants.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import groupby

from rehearse.schedule.outline import DAY, Cell, Outline, occupied_from
from rehearse.schedule.outline_rules import by_epoch
from rehearse.schedule.outline_state import before, units
from rehearse.schedule.solver_board import Expr, times


def add_outline_room(outline: Outline) -> None:
    """Rows for each sandbox and epoch."""
    for site in outline.problem.sites:
        cells = [one for key in outline.cells for one in outline.places.get((key, site.name), [])]
        for epoch, some in by_epoch(cells).items():
            _add_epoch(outline, site.name, epoch, some)


def _add_epoch(outline: Outline, name: str, epoch: int, cells: list[Cell]) -> None:
    """Every run takes as many instants of its epoch as on its least day, and each copy in use has those."""
    spans = {id(one): _days(outline, one) for one in cells}
    points = _stab([span for every in spans.values() for span in every])
    sizes = [min(_count(points, *span) for span in spans[id(one)]) for one in cells]
    if sum(sizes) <= len(points):
        return
    rooms = [(list(range(len(cells))), units(outline, name, epoch))]
    if outline.flows[name].split:
        rooms.append(([number for number, one in enumerate(cells) if not one.new], before(outline, name, epoch)))
    for some, copies in rooms:
        total: Expr = sum(times(sizes[number], cells[number].literal) for number in some)
        if not isinstance(total, int):
            outline.model.add(total <= len(points))
            outline.model.add(total <= len(points) * copies)


def _days(outline: Outline, cell: Cell) -> list[tuple[int, int]]:
    """For each day of a cell from when to when a run that starts on it surely runs."""
    found = []
    for _, some in groupby(cell.starts, lambda one: one // DAY):
        day = Cell(cell.demand, cell.sandbox, cell.epoch, tuple(some), cell.new, 0)
        found.append(occupied_from(outline, day))
    return found


def _stab(spans: list[tuple[int, int]]) -> list[int]:
    """The fewest instants that touch every stretch; empty stretches are none."""
    points: list[int] = []
    for low, high in sorted((one for one in spans if one[0] < one[1]), key=lambda one: one[1]):
        if not points or points[-1] < low:
            points.append(high - 1)
    return points


def _count(points: list[int], low: int, high: int) -> int:
    return max(0, bisect_left(points, high) - bisect_left(points, low))
