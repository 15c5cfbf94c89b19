"""On tiny worlds the solver agrees with trying everything: on what fits, and on the value of each goal."""

import os
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from rehearse.clock import Span
from rehearse.release.model import Release
from rehearse.schedule.model import Booking, Supply, Wish
from rehearse.schedule.problem import build_problem
from rehearse.schedule.rules import check
from rehearse.schedule.solver import solve
from rehearse.schedule.solver_goals import list_goals

LONG = os.environ.get("REHEARSE_TEST") == "all"
FOUND = (4, 28, 100, 101, 105, 114, 117, 120, 124, 200, 212, 301, 308, 354, 362, 20018, 20036, 20091, 30075)
SINCE = (50044, 50138, 50330, 50499, 60167, 60213, 80162)
"""Worlds on which the planner, or the brute force, was wrong once."""
SEEDS = (*FOUND, *SINCE, *((50178, *range(60000, 60300)) if LONG else ()))
CROWDED = (90021, 90073, 90110, 90115, 90204, 90277, *(range(90300, 90400) if LONG else ()))
"""Worlds in which what is booked overlaps: the planner was wrong on each of the first."""
HALF = timedelta(hours=12)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_schedule_is_better(seed: int, worlds: SimpleNamespace, brute_force: Callable[[Wish], Any]) -> None:
    wish = worlds.random(seed, tiny=True)
    found = solve(wish, seconds=20)
    assert found.proven and check(found, wish) == []
    best = brute_force(wish)
    assert [one.name for one in found.goals] == list(list_goals(build_problem(wish)))
    assert tuple(one.value for one in found.goals) == best.goals


@pytest.mark.parametrize("seed", CROWDED)
def test_no_schedule_is_better_where_bookings_overlap(
    seed: int, worlds: SimpleNamespace, brute_force: Callable[[Wish], Any]
) -> None:
    """Holds became longer since they were booked: nothing new is in them, and no planning ends with a traceback."""
    wish = _crowd(worlds.random(seed, tiny=True), random.Random(seed + 7))
    found = solve(wish, seconds=20)
    assert found.proven and check(found, wish) == []
    assert tuple(one.value for one in found.goals) == brute_force(wish).goals


def _crowd(wish: Wish, dice: random.Random) -> Wish:
    """The first rehearsal of most releases is booked and has another hold now; one more use, and an activation."""
    releases, bookings, first, noon = list[Release](), list[Booking](), wish.supplies[0], wish.now.replace(hour=12)
    for release in wish.releases:
        one, *more = release.rehearsals
        if dice.random() < 0.75:
            start, known = noon + dice.randrange(0, 6) * HALF, (b for s in wish.supplies for b in s.bookings)
            if release.name not in {each.release for each in known}:
                end = start + one.duration.amount
                free = end + dice.choice([0, 1]) * HALF
                key = f"{release.name}-{one.name}".lower()
                bookings.append(Booking(key, "A", start, end, free, "rehearsal", release.name, one.name, one.kind))
            one = replace(one, hold=Span(dice.choice([0, 1, 2, 3, 4]) * HALF))
        releases.append(replace(release, rehearsals=(one, *more)))
    if dice.random() < 0.6:
        start = noon + dice.randrange(0, 6) * HALF
        burns = dice.random() < 0.15
        bookings.append(Booking("use2", "A", start, start + HALF, start + HALF, "use", why="y", burns=burns))
    if _is_copying(first) and dice.random() < 0.6:
        start, settled, asked = noon + dice.randrange(1, 7) * HALF, wish.policy.settle, first.cycles[-1].requested
        bookings.append(Booking("ref", "A", start, start + settled, start + settled, "refresh", request=asked))
    supplies = replace(first, bookings=(*first.bookings, *bookings)), *wish.supplies[1:]
    return replace(wish, supplies=supplies, releases=tuple(releases), replan=dice.random() < 0.15)


def _is_copying(supply: Supply) -> bool:
    return bool(supply.cycles) and supply.cycles[-1].state == "copying"
