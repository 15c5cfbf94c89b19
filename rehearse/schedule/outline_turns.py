"""The finest picture: on which day each rehearsal runs in which sandbox, and what follows what there.

Its cells are days. It is drawn only of a planning that is narrowed to few sandboxes in use, where it is solved in
moments; what it finds is nearly a schedule. Each row says why no schedule breaks it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from rehearse.schedule.outline import DAY, Cell, Outline, occupied_from, ready_from
from rehearse.schedule.outline_advances import add_outline_advances
from rehearse.schedule.outline_days import Day, add_order, add_people, list_cliques
from rehearse.schedule.outline_state import before, units
from rehearse.schedule.solver_board import Expr

Turns = dict[tuple[int, bool], list[Cell]]
"""The cells of a sandbox by epoch, and by whether they are on a copy of that very epoch."""


def add_outline_turns(outline: Outline, *, advances: bool) -> None:
    """One thing after another in each sandbox, nobody in two places, and each rehearsal after the one it follows."""
    add_people(outline, outline.cells.values())
    add_order(outline, {key: _list_days(outline, cells) for key, cells in outline.cells.items()})
    for site in outline.problem.sites:
        cells = [one for key in outline.cells for one in outline.places.get((key, site.name), [])]
        turns: Turns = defaultdict(list)
        for one in cells:
            turns[one.epoch, one.new].append(one)
        cliques = list(list_sandbox_cliques(outline, cells))
        for clique in cliques:
            outline.add_at_most((one.literal for one in clique), 1)
        for (epoch, new), some in turns.items():
            _add_turns(outline, site.name, some, copies(outline, site.name, epoch, new=new))
            if new:
                _add_change(outline, turns.get((epoch, False), []), some)
        if advances:
            add_outline_advances(outline, site, cliques)


def _list_days(outline: Outline, cells: list[Cell]) -> list[Day]:
    """The days of a rehearsal, wherever it runs: they make the rows of its order short."""
    found: dict[tuple[int, int], list[Cell]] = defaultdict(list)
    for one in cells:
        found[one.epoch, one.first // DAY].append(one)
    days = []
    for (epoch, _), some in sorted(found.items()):
        starts = tuple(sorted({minute for one in some for minute in one.starts}))
        days.append(Day(some[0].demand, epoch, starts, outline.new_bool()))
        outline.model.add(sum(one.literal for one in some) == days[-1].literal)
    return days


def copies(outline: Outline, sandbox: str, epoch: int, *, new: bool) -> Expr:
    """How many copies are in use that cells of an epoch may run on."""
    flow = outline.flows[sandbox]
    if new:
        return flow.count[epoch]
    return before(outline, sandbox, epoch) if flow.split else units(outline, sandbox, epoch)


def list_sandbox_cliques(outline: Outline, cells: Iterable[Cell]) -> Iterator[list[Cell]]:
    """The cells of a sandbox of which one at most is so: whatever the starts, they share an instant."""
    return list_cliques([(*occupied_from(outline, one), one) for one in cells], alone=True)


def _add_turns(outline: Outline, name: str, cells: list[Cell], some: Expr) -> None:
    """What runs at an instant runs on a copy in use. Nothing runs on one after it was burned, or before a fresh start.

    Two runs of an epoch are on one copy where no more is in use; where two are, the rows allow for both.
    """
    burns = {one.demand.key for one in cells if one.demand.burns}
    fresh = {one.demand.key for one in cells if one.demand.fresh}
    requests = outline.flows[name].requests.get(cells[0].epoch, []) if cells[0].new else []
    for clique in list_sandbox_cliques(outline, cells):
        now = [one.literal for one in clique]
        outline.model.add(sum(now) <= some)
        first, last = min(one.first for one in clique), max(one.last for one in clique)
        if requests:
            outline.model.add(sum(now) <= sum(one.literal for one in requests if one.ready <= last))
        for key in burns:
            early = [one.literal for one in cells if one.demand.key == key and one.last < first]
            if early:
                outline.model.add(sum(early) + sum(_others(clique, key)) <= some)
        for key in fresh:
            late = [one.literal for one in cells if one.demand.key == key and one.first > last]
            if late:
                outline.model.add(sum(late) + sum(_others(clique, key)) <= some)


def _others(clique: list[Cell], key: tuple[str, str]) -> list[Expr]:
    return [one.literal for one in clique if one.demand.key != key]


def _add_change(outline: Outline, old: list[Cell], new: list[Cell]) -> None:
    """A copy of this epoch is activated after all that runs on one from before, and in hours; then it settles."""
    keys = {one.demand.key for one in new}
    for clique in list_sandbox_cliques(outline, old):
        free = min(one.first + outline.held[one.demand.key][one.first] for one in clique)
        ready = ready_from(outline.problem, free)
        for key in keys:
            early = [one.literal for one in new if one.demand.key == key and one.last < ready]
            if early:
                outline.model.add(sum(early) + sum(_others(clique, key)) <= 1)
