"""Place rehearsals: the goals of formats.md one after another with CP-SAT, each proven best where time allows.

The same wish gives the same schedule as long as the time suffices. A planning in which nothing fits is an answer with
reasons, never an exception. Refreshes are dear, in the model too: it is first tried without any, which gives a first
schedule quickly, then with one a sandbox; what is reached there is best when it is as good as anything can be. A large
planning takes another way (solver_large).
"""

from __future__ import annotations

import time
from dataclasses import replace

from rehearse.events import Advanced, Event, Finished, Noted, OnEvent, Started, ignore
from rehearse.schedule.answer import build_schedule
from rehearse.schedule.broken_rules import name_broken_rules
from rehearse.schedule.explain import explain
from rehearse.schedule.goals import count_goals
from rehearse.schedule.model import Goal, Schedule, Wish
from rehearse.schedule.problem import Problem, build_problem
from rehearse.schedule.search import Search
from rehearse.schedule.solver_build import build_board
from rehearse.schedule.solver_goals import Name, build_goal, list_goals
from rehearse.schedule.solver_large import is_large, solve_large

WORK = "Planning"
_EXPLAIN = 10.0
_KEPT = 0.15
_LAST = 0.05
"""Of all seconds, for the end of a large planning."""
_SHARE = 0.3


def solve(wish: Wish, *, seconds: float = 30.0, on_event: OnEvent = ignore, explained: bool = True) -> Schedule:
    """The best schedule that can be found in some seconds, with what each goal cost and why something did not fit.

    A part of the seconds is kept for the reasons of what does not fit and for the last step; without anything unplaced
    the answer comes so much earlier where time runs out. Without `explained`, reasons are for the caller to ask.
    """
    until = time.monotonic() + seconds
    on_event(Started(WORK, len(_NAMES), "goals"))
    problem = build_problem(wish)
    shown = _shown(problem, on_event)
    last = seconds * _LAST
    large = solve_large(problem, until - last, shown, kept=seconds * _KEPT - last) if is_large(problem) else None
    found = large or _solve_whole(problem, until, seconds, on_event)
    found = replace(found, warnings=(*name_broken_rules(wish, found), *found.warnings))
    on_event(Finished(WORK, "proven best" if found.proven else "not proven best in the time given"))
    left = until - time.monotonic()
    if not explained:
        return found
    return explain(wish, found, seconds=min(_EXPLAIN, max(0.5, left)), on_event=on_event)


def _solve_whole(problem: Problem, until: float, seconds: float, on_event: OnEvent) -> Schedule:
    """On the exact model of everything."""
    search, goals = _search(problem, until - seconds * _KEPT, on_event)
    search.until = until
    search.settle(min(2.0, seconds * _KEPT / 3))
    return _count(problem, build_schedule(search.board, search.value, goals))


_NAMES: tuple[Name, ...] = ("unplaced", "moves", "refreshes", "advances", "distance", "unrepeatable")


def _search(problem: Problem, until: float, on_event: OnEvent) -> tuple[Search, tuple[Goal, ...]]:
    """Few refreshes first; the whole model only where more could help."""
    last: Search | None = None
    for most in (0, 1) if problem.requests and problem.wish.policy.prefer == "few" else ():
        share = time.monotonic() + (until - time.monotonic()) * _SHARE
        search = Search(build_board(problem, most), share, _shown(problem, on_event))
        search.start_from(last)
        reached = [Goal(name, *search.minimize(build_goal(search.board, name), name)) for name in _NAMES[:2]]
        last = search
        if _is_floor(problem, reached):
            return _around(problem, search, reached, (until, on_event))
    return _finish(problem, (None, last), until, on_event)


def _shown(problem: Problem, on_event: OnEvent) -> OnEvent:
    """Each better schedule as progress: the goal that is worked at, what is reached, and the best that it could be."""
    names = list_goals(problem)

    def show(event: Event) -> None:
        if isinstance(event, Advanced):
            done = names.index(event.unit) if event.unit in names else 0
            text = f"goals, {event.unit} {event.done}, at best {event.total}"
            on_event(Advanced(WORK, done, len(names), text))
        elif isinstance(event, Noted):
            on_event(event)

    return show


def _around(
    problem: Problem, search: Search, reached: list[Goal], rest: tuple[float, OnEvent]
) -> tuple[Search, tuple[Goal, ...]]:
    """Nothing more can be placed: how few refreshes does it take, and then the other goals."""
    until, on_event = rest
    search.until = time.monotonic() + (until - time.monotonic()) * _SHARE
    refreshes = Goal("refreshes", *search.minimize(build_goal(search.board, "refreshes"), "refreshes"))
    most = search.board.most
    assert isinstance(most, int)
    return _finish(problem, (max(most, refreshes.value - _booked(problem)), search), until, on_event)


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
    problem: Problem, begin: tuple[int | None, Search | None], until: float, on_event: OnEvent
) -> tuple[Search, tuple[Goal, ...]]:
    """All goals on one model; once the number of refreshes is known, on a smaller one that holds no more than those."""
    most, last = begin
    search = Search(build_board(problem, most), until, _shown(problem, on_event))
    search.start_from(last)
    names, goals = list_goals(problem), []
    for number, name in enumerate(names):
        goals.append(Goal(name, *search.minimize(build_goal(search.board, name), name)))
        on_event(Advanced(WORK, number + 1, len(names), "goals"))
        if name == "refreshes" and number + 1 < len(names) and goals[-1].proven:
            search = _smaller(problem, search, goals, until)
    return search, tuple(goals)


def _smaller(problem: Problem, search: Search, goals: list[Goal], until: float) -> Search:
    """The same goals, reached on a model with only as many refreshes as they need; the same search if time is short."""
    new = goals[-1].value - _booked(problem)
    slots = max((len(one) for one in search.board.slots.values()), default=0)
    if new >= slots or (isinstance(search.board.most, int) and new >= search.board.most):
        return search
    smaller = Search(build_board(problem, new), until, search.on_event)
    smaller.start_from(search)
    for goal in goals:
        smaller.keep(build_goal(smaller.board, goal.name), goal.value)
    return smaller if smaller.stand() else search


def _count(problem: Problem, schedule: Schedule) -> Schedule:
    """The goals with the values that the finished schedule has, whatever the search believed.

    A bound holds for whatever costs no more in the goals before it; so a goal that a later step brought to its bound is
    proven, too.
    """
    values = count_goals(problem, schedule)
    goals = tuple(
        replace(
            one,
            value=values[one.name],
            bound=min(one.bound, values[one.name]),
            proven=values[one.name] == one.bound,
        )
        for one in schedule.goals
    )
    return replace(schedule, goals=goals)
