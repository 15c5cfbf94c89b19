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
from rehearse.schedule.drafts import draw, realise
from rehearse.schedule.goals import count_goals
from rehearse.schedule.greedy import place_greedily
from rehearse.schedule.model import Schedule
from rehearse.schedule.narrow import Plan, count_plan, solve_narrow
from rehearse.schedule.narrow_use import Use, find_guess_use, narrow_to_use
from rehearse.schedule.outline import Detail
from rehearse.schedule.outline_goals import Guess, build_outline, build_outline_goal, fill
from rehearse.schedule.outline_solve import Answer, Worker
from rehearse.schedule.problem import Problem, build_problem
from rehearse.schedule.rules import check
from rehearse.schedule.solver import solve
from rehearse.schedule.solver_goals import list_goals
from rehearse.schedule.solver_large import solve_large

LONG = os.environ.get("REHEARSE_TEST") == "all"
MANY = range(400 if LONG else 60)
SOME = range(60 if LONG else 4)
EVERY = range(400 if LONG else 15)
DETAILS: tuple[Detail, ...] = ("epochs", "days", "turns", "advances") if LONG else ("days", "advances")


@pytest.mark.parametrize("tiny", [True, False])
def test_a_greedy_schedule_keeps_every_rule(tiny: bool, worlds: SimpleNamespace) -> None:
    placed = 0
    for seed in MANY:
        wish = worlds.random(seed, tiny=tiny)
        found = place_greedily(build_problem(wish))
        assert check(found, wish) == [], seed
        placed += len(found.bookings)
    assert placed > len(MANY) // 2


@pytest.mark.parametrize("detail", DETAILS)
def test_no_bound_of_a_picture_is_above_what_is_best(detail: Detail, worlds: SimpleNamespace) -> None:
    with Worker() as worker:
        for seed in SOME:
            wish = worlds.random(seed, tiny=True)
            problem, best = build_problem(wish), solve(wish, seconds=20)
            assert best.proven, seed
            picture = Guess(build_outline(problem, detail))
            fill(picture, list_goals(problem), (time.monotonic() + 300, None), worker)
            bounds = [picture.goals[one.name].bound for one in best.goals]
            assert bounds <= [one.value for one in best.goals], seed


@pytest.mark.parametrize("detail", DETAILS)
def test_every_schedule_is_one_of_each_picture(detail: Detail, worlds: SimpleNamespace) -> None:
    """No rule of a picture is stronger than the real one: a schedule fits into it, and costs no more there."""
    for seed in EVERY:
        wish = worlds.random(seed, tiny=bool(seed % 2))
        problem = build_problem(wish)
        for schedule in (place_greedily(problem), solve(wish, seconds=3) if seed in SOME else place_greedily(problem)):
            assert _is_in_picture(problem, schedule, detail), seed


def _is_in_picture(problem: Problem, schedule: Schedule, detail: Detail) -> bool:
    """Whether a picture allows what a schedule places and requests, and thinks it no dearer than it is."""
    outline, axis = build_outline(problem, detail), problem.axis
    placed = {(one.release or "", one.rehearsal or ""): one for one in schedule.bookings}
    for key, cells in outline.cells.items():
        booking = placed.get(key)
        if booking is None:
            outline.model.add(outline.out[key] == 1)
            continue
        start = axis.down(booking.start)
        there = [one for one in cells if one.sandbox == booking.sandbox and start in one.starts]
        outline.model.add(sum(one.literal for one in there) == 1)
        if key in outline.days:
            outline.model.add(outline.days[key][max(one for one in outline.days[key] if one <= start)] == 1)
    asked = Counter((one.sandbox, outline.epoch(axis.down(one.request))) for one in schedule.refreshes)
    minutes = {(one.sandbox, axis.down(one.request)) for one in schedule.refreshes}
    for name, flow in outline.flows.items():
        if not problem.site(name).planned:
            for epoch, count in flow.count.items():
                outline.model.add(count == asked[name, epoch])
            for one in (day for days in flow.requests.values() for day in days):
                is_then = any(other == name and one.low <= minute <= one.high for other, minute in minutes)
                outline.model.add(one.literal == is_then)
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
        fill(picture, list_goals(problem), (time.monotonic() + 300, None), worker)
    narrow = narrow_to_use(problem, find_guess_use(picture))
    plan = solve_narrow(problem, narrow, None, ("unplaced", 10.0))
    assert plan is not None and check(plan.schedule, wish) == []
    assert plan.costs[0] == 0 and plan == count_plan(problem, replace(plan.schedule))


def test_a_draft_is_no_dearer_than_the_best_and_becomes_a_schedule(worlds: SimpleNamespace) -> None:
    """Drawn of every sandbox for as long as there is, a draft is a bound; what is made of its days keeps every rule."""
    as_good = 0
    with Worker() as worker:
        for seed in SOME:
            wish = worlds.random(seed, tiny=True)
            problem, best = build_problem(wish), solve(wish, seconds=20)
            costs = tuple(one.value for one in best.goals)
            every = frozenset((site.name, epoch) for site in problem.sites for epoch in range(9))
            use = Use(every, every, tuple((site.name, 9) for site in problem.sites))
            dear = Plan(place_greedily(problem), (10**6,) * len(costs))
            draft = draw(problem, use, dear, 0, (worker, time.monotonic() + 300))
            if draft is None:
                assert not any(one.starts for one in problem.demands if not one.fixed), seed
                continue
            assert tuple(draft.costs.values()) <= costs[: len(draft.costs)], seed
            made = realise(problem, draft, time.monotonic() + 300)
            assert made is not None and check(made.schedule, wish) == [], seed
            assert made.costs >= costs, seed
            as_good += made.costs[: len(draft.costs)] == costs[: len(draft.costs)]
    assert as_good > len(SOME) // 2


class _Tired(Worker):
    """A process with time for so many questions."""

    questions = 0

    def minimize(
        self, model: cp_model.CpModel, seconds: float, most: int | None = None, *, is_large: bool = False
    ) -> Answer | None:
        self.questions -= 1
        return super().minimize(model, seconds, most, is_large=is_large) if self.questions >= 0 else None


def test_a_draft_whose_time_is_over_keeps_what_it_came_to(worlds: SimpleNamespace) -> None:
    """More was placed, and the time was over before the days were looked at: it was thrown away."""
    live = worlds.now + timedelta(days=30)
    many = [worlds.rehearsal(f"m{number}") for number in range(3)]
    wish = worlds.wish([worlds.supply("A")], [worlds.release("R1", live, *many)])
    problem = build_problem(wish)
    every = frozenset((site.name, epoch) for site in problem.sites for epoch in range(9))
    use = Use(every, every, tuple((site.name, 9) for site in problem.sites))
    best = place_greedily(problem)
    costs = count_plan(problem, best).costs
    worker = _Tired()
    with worker:
        for questions, worse in ((1, 0), (1, 1), (0, 1), (9, 1)):
            worker.questions = questions
            dear = Plan(best, (costs[0] + worse, *costs[1:]))
            draft = draw(problem, use, dear, 0, (worker, time.monotonic() + 300))
            assert (draft is None) == (questions == 0 or not worse), (questions, worse)
            if draft is not None:
                made = realise(problem, draft, time.monotonic() + 300)
                assert made is not None and check(made.schedule, wish) == [] and made.costs < dear.costs


def test_a_large_planning_shows_its_first_schedule(worlds: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "is_large", lambda problem: True)
    live = worlds.now + timedelta(days=30)
    wish = worlds.wish([worlds.supply("A")], [worlds.release("R1", live, worlds.rehearsal("m"))])
    said: list[str] = []
    found = solve(wish, seconds=2, on_event=lambda one: said.append(one.text) if isinstance(one, Noted) else None)
    assert found.proven and check(found, wish) == []
    assert said == ["A first schedule places 1 of 1 rehearsals; looking for better."]


def test_a_goal_that_a_later_step_brought_to_its_bound_is_proven(worlds: SimpleNamespace) -> None:
    wish = worlds.wish(
        [worlds.supply("A")], [worlds.release("R1", worlds.now + timedelta(days=30), worlds.rehearsal("m"))]
    )
    found = solve(wish, seconds=5)
    told = [replace(one, value=one.bound + 5, proven=False) for one in found.goals]
    assert solver._count(build_problem(wish), replace(found, goals=tuple(told))).goals == found.goals
    told = [replace(one, bound=max(0, one.bound - 1), proven=False) for one in found.goals]
    counted = solver._count(build_problem(wish), replace(found, goals=tuple(told))).goals
    assert [one.proven for one in counted] == [
        one.bound == other.value for one, other in zip(told, found.goals, strict=True)
    ]
