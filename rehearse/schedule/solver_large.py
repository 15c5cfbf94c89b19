"""A large planning: the goals after the refreshes, on a model that holds only the refreshes that were found.

Values are those of a real schedule. Bounds hold for any schedule: where a goal was only looked at on the smaller model,
its bound is what the rehearsals cost one by one, and nothing is called proven that is not.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from rehearse.schedule.model import Goal
from rehearse.schedule.problem import Problem
from rehearse.schedule.search import Search
from rehearse.schedule.solver_board import Most
from rehearse.schedule.solver_build import build_board
from rehearse.schedule.solver_goals import Name, build_goal, count_days
from rehearse.schedule.solver_parts import improve_parts

_LARGE = 400
_PARTS = 0.7


def is_large(problem: Problem) -> bool:
    """Whether the whole model would be more than can be searched in a minute."""
    return len(problem.demands) * len(problem.sites) > _LARGE


def improve(problem: Problem, search: Search, reached: Sequence[Goal], until: float) -> tuple[Search, tuple[Goal, ...]]:
    """The rest of the goals, from a schedule in which at most one refresh a sandbox was looked at."""
    whole = search.board.most == 0 and not any(search.board.slots.values()) and reached[2].value == 0
    search, refreshes = _prove_refreshes(problem, search, reached, until)
    chosen = {name: _new(search, name) for name in search.board.slots}
    best = _narrow(problem, (search, until), [*reached[:2], refreshes], chosen)
    goals = [_bounded(problem, one, whole) for one in reached[:2]] + [refreshes]
    names: tuple[Name, ...] = ("advances", "distance", "unrepeatable")
    for number, name in enumerate(names):
        left = until - time.monotonic() - 2.0
        best.until = time.monotonic() + max(0.05, left / (len(names) - number))
        goal = build_goal(best.board, name)
        improve_parts(best, goal, time.monotonic() + (best.until - time.monotonic()) * _PARTS)
        found = Goal(name, *best.minimize(goal, name))
        goals.append(_bounded(problem, found, whole))
    order = {"few": (0, 1, 2, 3, 4, 5), "fresh": (0, 1, 4, 5, 2, 3)}[problem.wish.policy.prefer]
    return best, tuple(goals[one] for one in order)


def _new(search: Search, sandbox: str) -> int:
    """How many new refreshes a sandbox has in the newest schedule."""
    slots = search.board.slots[sandbox]
    return sum(1 for one in slots if one.planned is None and search.value(one.present))


def _prove_refreshes(problem: Problem, search: Search, reached: Sequence[Goal], until: float) -> tuple[Search, Goal]:
    """Whether several refreshes of one sandbox would make do with fewer in all."""
    goal = reached[2]
    new = sum(_new(search, name) for name in search.board.slots)
    if new <= 1 or not goal.proven:
        proven = goal.proven and (new == 0 or search.board.most == 1)
        return search, Goal("refreshes", goal.value, goal.value if proven else goal.value - new, proven)
    share = time.monotonic() + (until - time.monotonic()) * 0.3
    wider = Search(build_board(problem, new - 1), share, search.on_event)
    for one in reached[:2]:
        wider.keep(build_goal(wider.board, one.name), one.value)
    fewer = build_goal(wider.board, "refreshes")
    wider.keep(fewer, goal.value - 1)
    answer = wider.can_stand()
    if answer is False:
        return search, Goal("refreshes", goal.value, goal.value, True)
    if answer is None:
        return search, Goal("refreshes", goal.value, goal.value - new, False)
    value = wider.value(fewer)
    return wider, Goal("refreshes", value, goal.value - new, False)


def _narrow(problem: Problem, begin: tuple[Search, float], reached: Sequence[Goal], chosen: Most) -> Search:
    """The same schedule on a model with no other refreshes than it has; half of the time may go into it at most."""
    search, until = begin
    now = time.monotonic()
    narrow = Search(build_board(problem, chosen), now + min(15.0, (until - now) / 2), search.on_event)
    narrow.start_from(search)
    for one in reached:
        narrow.keep(build_goal(narrow.board, one.name), one.value)
    return narrow if narrow.stand() else search


def _bounded(problem: Problem, goal: Goal, whole: bool) -> Goal:
    """A goal with a bound that holds whatever is refreshed."""
    if whole:
        return goal
    floor = {"unplaced": _least_unplaced, "distance": _least_distance}.get(goal.name, lambda _: 0)(problem)
    bound = min(goal.value, floor)
    return Goal(goal.name, goal.value, bound, goal.value == bound)


def _least_unplaced(problem: Problem) -> int:
    return sum(one.weight for one in problem.demands if not one.starts)


def _least_distance(problem: Problem) -> int:
    """Every rehearsal on its best day, whatever the others do; nothing where some may stay unplaced."""
    if any(not one.starts for one in problem.demands):
        return 0
    return sum(
        one.weight * min(count_days(problem, one, minute) for starts in one.starts.values() for minute in starts)
        for one in problem.demands
    )
