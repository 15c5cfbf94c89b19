"""The days of the coarse picture: on which each rehearsal runs, wherever; no more at once than copies are in use.

Where a rehearsal runs is not said by day, which keeps the picture small. Few sandboxes are in use late in a year, so
that little is lost: a day of all of them together is nearly a day of each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rehearse.schedule.demand import Demand
from rehearse.schedule.outline import DAY, Cell, Outline, occupied_from
from rehearse.schedule.outline_rules import by_epoch, list_followed
from rehearse.schedule.outline_state import units
from rehearse.schedule.rows import Key
from rehearse.schedule.solver_board import Expr

T = TypeVar("T")


@dataclass(frozen=True)
class Day:
    """A day of a rehearsal, or the part of one before or after a go-live: the minutes at which it may start on it."""

    demand: Demand
    epoch: int
    starts: tuple[int, ...]
    literal: Expr


Span = tuple[int, int, Day]


def add_outline_days(outline: Outline) -> None:
    """The days of every rehearsal, how they belong to its places, their order and how much room they have."""
    every: dict[Key, list[Day]] = {}
    for demand in outline.problem.demands:
        if not demand.fixed:
            every[demand.key] = _list_days(outline, demand)
            outline.days[demand.key] = {one.starts[0]: one.literal for one in every[demand.key]}
            _add_places(outline, outline.cells[demand.key], every[demand.key])
    add_order(outline, every)
    add_people(outline, every.values())
    for names in _list_kinds(outline):
        _add_room(outline, names, every)


def _list_days(outline: Outline, demand: Demand) -> list[Day]:
    found: dict[tuple[int, int], set[int]] = defaultdict(set)
    for cell in outline.cells[demand.key]:
        for one in cell.starts:
            found[cell.epoch, one // DAY].add(one)
    return [Day(demand, epoch, tuple(sorted(some)), outline.new_bool()) for (epoch, _), some in sorted(found.items())]


def _add_places(outline: Outline, cells: list[Cell], days: list[Day]) -> None:
    """It runs on the days of an epoch as often as in its sandboxes, and nowhere before it can."""
    for epoch, some in by_epoch(cells).items():
        mine = [one for one in days if one.epoch == epoch]
        total = sum(one.literal for one in some)
        outline.model.add(sum(one.literal for one in mine) == total)
        for number, day in enumerate(mine[:-1]):
            there = [one for one in some if one.first <= day.starts[-1]]
            if len(there) < len(some):
                outline.add_at_most((one.literal for one in mine[: number + 1]), sum(one.literal for one in there))


def add_order(outline: Outline, every: Mapping[Key, list[Day]]) -> None:
    """What follows another follows it on its days, too."""
    for days in every.values():
        first = next((every.get(one.demand.after) for one in days if one.demand.after), None)
        if first:
            _add_order(outline, first, days)


def _add_order(outline: Outline, first: list[Day], second: list[Day]) -> None:
    """On no day is it done whose first could not be done so long before."""
    ends = list_followed(outline, first[0].demand, second[0].demand, [one.starts[0] for one in first])
    for number, day in enumerate(second):
        done = [one.literal for one, end in zip(first, ends, strict=True) if end <= day.starts[-1]]
        if len(done) < len(first):
            outline.model.add(sum(one.literal for one in second[: number + 1]) <= sum(done))


def add_people(outline: Outline, every: Iterable[Sequence[Day | Cell]]) -> None:
    """Nobody is in two rehearsals at once."""
    spans: dict[str, list[tuple[int, int, Day | Cell]]] = defaultdict(list)
    for days in every:
        for one in days:
            for name in one.demand.people:
                spans[name].append((one.starts[-1], one.starts[0] + one.demand.length, one))
    for some in spans.values():
        for clique in list_cliques(some):
            outline.model.add_at_most_one([one.literal for one in clique])


def _list_kinds(outline: Outline) -> set[frozenset[str]]:
    """The sets of sandboxes that some rehearsals are bound to, and all sandboxes."""
    found = {frozenset(one.starts) for one in outline.problem.demands if one.starts and not one.fixed}
    return {*found, frozenset(site.name for site in outline.problem.sites)}


def _add_room(outline: Outline, names: frozenset[str], every: dict[Key, list[Day]]) -> None:
    """What can run nowhere else runs at an instant on as many copies as are in use there."""
    spans: list[Span] = []
    for days in every.values():
        for one in days:
            if set(one.demand.starts) <= names:
                low, high = zip(*(_occupied(outline, one, name) for name in one.demand.starts), strict=True)
                spans.append((max(low), min(high), one))
    for clique in list_cliques(spans):
        for epoch in sorted({one.epoch for one in clique}):
            copies = sum(units(outline, name, epoch) for name in sorted(names))
            outline.model.add(sum(one.literal for one in clique if one.epoch == epoch) <= copies)


def _occupied(outline: Outline, day: Day, name: str) -> tuple[int, int]:
    return occupied_from(outline, Cell(day.demand, name, day.epoch, day.starts, False, 0))


def list_cliques(spans: list[tuple[int, int, T]], *, alone: bool = False) -> Iterator[list[T]]:
    """The largest sets of stretches that share an instant; those of one too where asked for."""
    some = [one for one in spans if one[0] < one[1]]
    events = sorted(
        [(start, 1, number) for number, (start, _, _) in enumerate(some)]
        + [(end, 0, number) for number, (_, end, _) in enumerate(some)]
    )
    now: dict[int, T] = {}
    grown = False
    for _, begins, number in events:
        if begins:
            now[number] = some[number][2]
            grown = True
        else:
            if grown and (alone or len(now) > 1):
                yield list(now.values())
            grown = False
            del now[number]
