"""The days of advances in the finest picture: a run on an old copy comes after them, and they take their time.

An advance is on a day of the epoch that its go-live begins, or later: then it takes no room here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from rehearse.release.model import Release
from rehearse.schedule.outline import DAY, FAR, Cell, Outline, reset_after
from rehearse.schedule.site import Site
from rehearse.schedule.solver_board import Expr


@dataclass(frozen=True)
class Step:
    """An advance of a sandbox on one day: from when it may begin, how long it is; `literal`: it is on that day."""

    day: int
    starts: tuple[int, ...]
    length: int
    literal: Expr


@dataclass(frozen=True)
class Steps:
    """An advance of a sandbox: by day, or after the epoch that its go-live begins."""

    release: Release
    epoch: int
    days: tuple[Step, ...]
    late: Expr


def add_outline_advances(outline: Outline, site: Site, cliques: Iterable[list[Cell]]) -> None:
    """Rows for one sandbox; of the cells of a clique one is so at most."""
    every = _list_steps(outline, site)
    by_day = {day: list(some) for day, some in groupby(_sorted_days(every), lambda one: one.day)}
    for clique in cliques:
        _add_room(outline, clique, by_day)
        for (epoch, _), some in groupby(sorted(clique, key=_turn), _turn):
            cells = [one for one in some if not one.new]
            for steps in (one for one in every if epoch - 1 <= one.epoch <= epoch):
                _add_need(outline, steps, [one for one in cells if _needs(outline, one, steps.release)])


def _turn(cell: Cell) -> tuple[int, int]:
    return cell.epoch, cell.first // DAY


def _needs(outline: Outline, cell: Cell, release: Release) -> bool:
    return release in outline.problem.earlier.get(cell.demand.key, ())


def _sorted_days(every: list[Steps]) -> list[Step]:
    return sorted((one for steps in every for one in steps.days), key=lambda one: one.day)


def _list_steps(outline: Outline, site: Site) -> list[Steps]:
    """The advances that may be placed, each once at most."""
    found = []
    for chance in outline.problem.chances:
        if chance.sandbox != site.name or chance.fixed:
            continue
        epoch = outline.epoch(outline.problem.axis.up(chance.release.go_live))
        end = outline.lives[epoch] if epoch < len(outline.lives) else FAR
        days = tuple(
            Step(day, tuple(some), chance.length, outline.new_bool())
            for day, some in groupby((one for one in chance.starts if one < end), lambda one: one // DAY)
        )
        late = outline.new_bool() if chance.starts[-1] >= end else 0
        outline.add_at_most([*(one.literal for one in days), late], 1)
        found.append(Steps(chance.release, epoch, days, late))
    return found


def _add_room(outline: Outline, clique: list[Cell], by_day: Mapping[int, list[Step]]) -> None:
    """Nothing else has the sandbox during an advance: not what leaves no room beside it, whenever both begin."""
    days = {day for one in clique for day in range(one.first // DAY, _until(outline, one, one.last) // DAY + 1)}
    for step in (one for day in sorted(days) for one in by_day.get(day, ())):
        clashing = [one.literal for one in clique if not _is_room(outline, one, step)]
        if clashing:
            outline.model.add(sum(clashing) + step.literal <= 1)


def _until(outline: Outline, cell: Cell, start: int) -> int:
    return start + outline.held[cell.demand.key][start] + reset_after(outline, cell)


def _is_room(outline: Outline, cell: Cell, step: Step) -> bool:
    """Whether a run of a cell may be before an advance of that day, or after it."""
    if _is_before(step, cell):
        return True
    return any(_until(outline, cell, one) <= step.starts[-1] for one in cell.starts)


def _is_before(step: Step, cell: Cell) -> bool:
    return step.starts[0] + step.length <= cell.last


def _add_need(outline: Outline, steps: Steps, cells: list[Cell]) -> None:
    """What runs on a copy from before the go-live comes after the advance; on one from after it, it needs none.

    A cell that is not new is on a copy of an earlier epoch, or of any up to its own where these are not told apart.
    """
    if not cells:
        return
    name, epoch = cells[0].sandbox, cells[0].epoch
    flow = outline.flows[name]
    later = [one for number, one in flow.count.items() if steps.epoch <= number < epoch + (not flow.split)]
    states = [one for one in outline.states[name] if epoch in one.alive and steps.release.name in one.held]
    ways = sum(later) + sum(one.alive[epoch] for one in states) + (steps.late if steps.epoch < epoch else 0)
    day = cells[0].first // DAY
    done = sum(one.literal for one in steps.days if one.day < day)
    same = [one for one in steps.days if one.day == day]
    beside = [one for one in cells if any(_is_before(step, one) for step in same)]
    outline.add_at_most((one.literal for one in cells if one not in beside), done + ways)
    outline.add_at_most((one.literal for one in cells), done + ways + sum(one.literal for one in same))
