"""Place rehearsals: the goals of formats.md one after another with CP-SAT, each proven best where time allows.

The same wish gives the same schedule as long as the time suffices. A planning in which nothing fits is an answer with
reasons, never an exception. Refreshes are dear, in the model too: it is first tried without any, then with one a
sandbox; what is reached there is best when it is as good as anything can be.
"""

from __future__ import annotations

import time
from dataclasses import replace

from rehearse.events import Advanced, Finished, OnEvent, Started, ignore
from rehearse.schedule.answer import build_schedule
from rehearse.schedule.explain import explain
from rehearse.schedule.goals import count_goals
from rehearse.schedule.model import Goal, Schedule, Wish
from rehearse.schedule.problem import Problem, build_problem
from rehearse.schedule.search import Places, Search
from rehearse.schedule.solver_build import build_board
from rehearse.schedule.solver_goals import build_goal, list_goals

WORK = "Planning"
_EXPLAIN = 10.0


def solve(wish: Wish, *, seconds: float = 30.0, on_event: OnEvent = ignore) -> Schedule:
    """The best schedule that can be found in some seconds, with what each goal cost and why something did not fit."""
    until = time.monotonic() + seconds
    problem = build_problem(wish)
    on_event(Started(WORK, len(list_goals(problem)), "goals"))
    search, goals = _search(problem, until, on_event)
    search.settle()
    found = _count(problem, build_schedule(search.board, search.value, goals))
    on_event(Finished(WORK, "proven best" if found.proven else "not proven best in the time given"))
    left = until - time.monotonic()
    return explain(wish, found, seconds=min(_EXPLAIN, max(2.0, left)), on_event=on_event)


def _search(problem: Problem, until: float, on_event: OnEvent) -> tuple[Search, tuple[Goal, ...]]:
    """Few refreshes first; the whole model only where more could help."""
    places: Places = {}
    for most in (0, 1):
        if problem.wish.policy.prefer == "fresh" or not problem.requests:
            break
        share = time.monotonic() + (until - time.monotonic()) * 0.3
        search = Search(build_board(problem, most), share)
        search.start_from(places)
        reached = [Goal(name, *search.minimize(build_goal(search.board, name))) for name in ("unplaced", "moves")]
        places = search.places()
        if _is_floor(problem, reached):
            refreshes, _, _ = search.minimize(build_goal(search.board, "refreshes"))
            return _finish(problem, (max(most, refreshes - _booked(problem)), search.places()), until, on_event)
    return _finish(problem, (None, places), until, on_event)


def _booked(problem: Problem) -> int:
    """How many refreshes are booked; they count in any schedule."""
    return sum(1 for site in problem.sites for one in site.planned if not one.running)


def _is_floor(problem: Problem, reached: list[Goal]) -> bool:
    """Whether no number of refreshes could place more, or move less."""
    hopeless = {one.key for one in problem.demands if not one.starts}
    for _ in problem.demands:
        hopeless |= {one.key for one in problem.demands if one.after in hopeless and not one.fixed}
    weights = sum(one.weight for one in problem.demands if one.key in hopeless)
    return reached[0].value == weights and reached[1].value == 0


def _finish(
    problem: Problem, begin: tuple[int | None, Places], until: float, on_event: OnEvent
) -> tuple[Search, tuple[Goal, ...]]:
    """All goals on one model; once the number of refreshes is known, on a smaller one that holds no more than those."""
    most, places = begin
    search = Search(build_board(problem, most), until)
    search.start_from(places)
    names, goals = list_goals(problem), []
    for number, name in enumerate(names):
        goals.append(Goal(name, *search.minimize(build_goal(search.board, name))))
        on_event(Advanced(WORK, number + 1, len(names), "goals"))
        if name == "refreshes" and number + 1 < len(names) and goals[-1].proven:
            search = _smaller(problem, search, goals, until)
    return search, tuple(goals)


def _smaller(problem: Problem, search: Search, goals: list[Goal], until: float) -> Search:
    """The same goals, reached on a model with only as many refreshes as they need."""
    new = goals[-1].value - _booked(problem)
    slots = max((len(one) for one in search.board.slots.values()), default=0)
    if new >= slots or (search.board.most is not None and new >= search.board.most):
        return search
    smaller = Search(build_board(problem, new), until)
    smaller.start_from(search.places())
    for goal in goals:
        smaller.keep(build_goal(smaller.board, goal.name), goal.value)
    return smaller


def _count(problem: Problem, schedule: Schedule) -> Schedule:
    """The goals with the values that the finished schedule has, whatever the search believed."""
    values = count_goals(problem, schedule)
    goals = tuple(
        replace(one, value=values[one.name], proven=one.proven and values[one.name] == one.bound)
        for one in schedule.goals
    )
    return replace(schedule, goals=goals)
