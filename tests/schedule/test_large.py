"""What finds schedules beside the exact model of everything: the greedy pass, parts of a planning, and their bounds.

Each schedule is judged by the rules; each bound is held against what the exact model has proven best.
"""

import os
import time
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from rehearse.events import Noted
from rehearse.schedule import solver
from rehearse.schedule.goals import count_goals
from rehearse.schedule.greedy import place_greedily
from rehearse.schedule.narrow import count_plan, narrow_to_guess, solve_narrow
from rehearse.schedule.outline_goals import Guess, build_outline, fill
from rehearse.schedule.problem import build_problem
from rehearse.schedule.rules import check
from rehearse.schedule.solver import solve
from rehearse.schedule.solver_goals import list_goals
from rehearse.schedule.solver_large import solve_large

LONG = os.environ.get("REHEARSE_TEST") == "all"
MANY = range(400 if LONG else 60)
SOME = range(60 if LONG else 5)


@pytest.mark.parametrize("tiny", [True, False])
def test_a_greedy_schedule_keeps_every_rule(tiny: bool, worlds: SimpleNamespace) -> None:
    placed = 0
    for seed in MANY:
        wish = worlds.random(seed, tiny=tiny)
        found = place_greedily(build_problem(wish))
        assert check(found, wish) == [], seed
        placed += len(found.bookings)
    assert placed > len(MANY) // 2


@pytest.mark.parametrize("by_day", [True, False])
def test_no_bound_of_the_coarse_picture_is_above_what_is_best(by_day: bool, worlds: SimpleNamespace) -> None:
    for seed in SOME:
        wish = worlds.random(seed, tiny=True)
        problem, best = build_problem(wish), solve(wish, seconds=20)
        assert best.proven, seed
        picture = Guess(build_outline(problem, by_day=by_day))
        fill(picture, list_goals(problem), time.monotonic() + 20, {})
        bounds = [picture.goals[one.name].bound for one in best.goals]
        assert bounds <= [one.value for one in best.goals], seed


@pytest.mark.parametrize("seed", SOME)
def test_a_large_planning_is_right_and_its_bounds_are_true(seed: int, worlds: SimpleNamespace) -> None:
    """The way of large plannings on a tiny one, where the best is known."""
    wish = worlds.random(seed, tiny=True)
    problem, best = build_problem(wish), solve(wish, seconds=20)
    found = solve_large(problem, time.monotonic() + 2, lambda event: None)
    assert found is not None and check(found, wish) == []
    assert {one.name: one.value for one in found.goals} == count_goals(problem, found)
    least = [one.value for one in best.goals]
    assert [one.value for one in found.goals] >= least
    for number, one in enumerate(found.goals):
        assert one.bound <= one.value and one.proven == (one.bound == one.value)
        if [other.value for other in found.goals[:number]] == least[:number]:
            assert one.bound <= least[number], (seed, one.name)


def test_the_days_of_the_picture_become_a_schedule(worlds: SimpleNamespace) -> None:
    live = worlds.now + timedelta(days=30)
    many = [worlds.rehearsal(f"m{number}") for number in range(4)]
    wish = worlds.wish([worlds.supply("A"), worlds.supply("B")], [worlds.release("R1", live, *many)])
    problem = build_problem(wish)
    picture = Guess(build_outline(problem))
    fill(picture, list_goals(problem), time.monotonic() + 20, {})
    plan = solve_narrow(problem, narrow_to_guess(problem, picture), None, ("unplaced", 10.0))
    assert plan is not None and check(plan.schedule, wish) == []
    assert plan.costs[0] == 0 and plan == count_plan(problem, replace(plan.schedule))


def test_a_large_planning_shows_its_first_schedule(worlds: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "is_large", lambda problem: True)
    live = worlds.now + timedelta(days=30)
    wish = worlds.wish([worlds.supply("A")], [worlds.release("R1", live, worlds.rehearsal("m"))])
    said: list[str] = []
    found = solve(wish, seconds=2, on_event=lambda one: said.append(one.text) if isinstance(one, Noted) else None)
    assert found.proven and check(found, wish) == []
    assert said == ["A first schedule places 1 of 1 rehearsals; looking for better."]
