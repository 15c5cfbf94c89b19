"""What finds schedules beside the exact model of everything: the greedy pass, parts of a planning, and their bounds.

Each schedule is judged by the rules; each bound is held against what the exact model has proven best.
"""

import os
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from ortools.sat.python import cp_model

from rehearse.events import Noted
from rehearse.schedule import solver
from rehearse.schedule.goals import count_goals
from rehearse.schedule.greedy import place_greedily
from rehearse.schedule.model import Schedule
from rehearse.schedule.narrow import count_plan, solve_narrow
from rehearse.schedule.narrow_use import find_guess_use, narrow_to_use
from rehearse.schedule.outline_goals import Guess, build_outline, build_outline_goal, fill
from rehearse.schedule.outline_solve import Worker
from rehearse.schedule.problem import Problem, build_problem
from rehearse.schedule.rules import check
from rehearse.schedule.solver import solve
from rehearse.schedule.solver_goals import list_goals
from rehearse.schedule.solver_large import solve_large

LONG = os.environ.get("REHEARSE_TEST") == "all"
MANY = range(400 if LONG else 60)
SOME = range(60 if LONG else 4)
EVERY = range(400 if LONG else 15)


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
    with Worker() as worker:
        for seed in SOME:
            wish = worlds.random(seed, tiny=True)
            problem, best = build_problem(wish), solve(wish, seconds=20)
            assert best.proven, seed
            picture = Guess(build_outline(problem, by_day=by_day))
            fill(picture, list_goals(problem), time.monotonic() + 300, worker)
            bounds = [picture.goals[one.name].bound for one in best.goals]
            assert bounds <= [one.value for one in best.goals], seed


def test_every_schedule_is_one_of_the_coarse_picture(worlds: SimpleNamespace) -> None:
    """No rule of the picture is stronger than the real one: a schedule fits into it, and costs no more there."""
    for seed in EVERY:
        wish = worlds.random(seed, tiny=bool(seed % 2))
        problem = build_problem(wish)
        for schedule in (place_greedily(problem), solve(wish, seconds=3) if seed in SOME else place_greedily(problem)):
            assert _is_in_picture(problem, schedule), seed


def _is_in_picture(problem: Problem, schedule: Schedule) -> bool:
    """Whether the picture allows what a schedule places and requests, and thinks it no dearer than it is."""
    outline, axis = build_outline(problem), problem.axis
    placed = {(one.release or "", one.rehearsal or ""): one for one in schedule.bookings}
    for key, cells in outline.cells.items():
        booking = placed.get(key)
        if booking is None:
            outline.model.add(outline.out[key] == 1)
            continue
        start = axis.down(booking.start)
        there = [one for one in cells if one.sandbox == booking.sandbox and one.epoch == outline.epoch(start)]
        outline.model.add(sum(one.literal for one in there) == 1)
        day = max((one for one in outline.days[key] if one <= start), default=0)
        outline.model.add(outline.days[key][day] == 1)
    asked = Counter((one.sandbox, outline.epoch(axis.down(one.request))) for one in schedule.refreshes)
    for name, flow in outline.flows.items():
        if not problem.site(name).planned:
            for epoch, count in flow.count.items():
                outline.model.add(count == asked[name, epoch])
    for name, cost in count_goals(problem, schedule).items():
        goal = build_outline_goal(outline, name)
        outline.model.add(goal <= cost) if not isinstance(goal, int) else outline.model.add_bool_or([goal <= cost])
    return cp_model.CpSolver().solve(outline.model) in (cp_model.OPTIMAL, cp_model.FEASIBLE)


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
    with Worker() as worker:
        fill(picture, list_goals(problem), time.monotonic() + 300, worker)
    narrow = narrow_to_use(problem, find_guess_use(picture))
    plan = solve_narrow(problem, narrow, None, ("unplaced", 10.0))
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
