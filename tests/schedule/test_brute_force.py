"""On tiny worlds the solver agrees with trying everything: on what fits, and on the value of each goal."""

import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from rehearse.schedule.model import Wish
from rehearse.schedule.problem import build_problem
from rehearse.schedule.rules import check
from rehearse.schedule.solver import solve
from rehearse.schedule.solver_goals import list_goals

LONG = os.environ.get("REHEARSE_TEST") == "all"
FOUND = (4, 28, 100, 101, 105, 114, 117, 120, 124, 200, 212, 301, 308, 354, 362, 20018, 20036, 20091, 30075)
SINCE = (50044, 50138, 50330, 50499, 60167, 60213, 80162)
"""Worlds on which the planner, or the brute force, was wrong once."""
SEEDS = (*FOUND, *SINCE, *((50178, *range(60000, 60300)) if LONG else ()))


@pytest.mark.parametrize("seed", SEEDS)
def test_no_schedule_is_better(seed: int, worlds: SimpleNamespace, brute_force: Callable[[Wish], Any]) -> None:
    wish = worlds.random(seed, tiny=True)
    found = solve(wish, seconds=20)
    assert found.proven and check(found, wish) == []
    best = brute_force(wish)
    assert [one.name for one in found.goals] == list(list_goals(build_problem(wish)))
    assert tuple(one.value for one in found.goals) == best.goals
