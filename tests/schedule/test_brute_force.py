"""On tiny worlds the solver agrees with trying everything: on what fits, and on the value of each goal."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from rehearse.schedule.model import Wish
from rehearse.schedule.problem import build_problem
from rehearse.schedule.rules import check
from rehearse.schedule.solver import solve
from rehearse.schedule.solver_goals import list_goals

SEEDS = (4, 28, 100, 101, 105, 114, 117, 120, 124, 200, 212, 301, 308, 354, 362, 20018, 20036, 20091, 30075)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_schedule_is_better(seed: int, worlds: SimpleNamespace, brute_force: Callable[[Wish], Any]) -> None:
    wish = worlds.random(seed, tiny=True)
    found = solve(wish, seconds=20)
    assert found.proven and check(found, wish) == []
    best = brute_force(wish)
    assert [one.name for one in found.goals] == list(list_goals(build_problem(wish)))
    assert tuple(one.value for one in found.goals) == best.goals
