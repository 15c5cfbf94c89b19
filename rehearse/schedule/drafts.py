"""A draft: the finest picture of the sandboxes that are kept in use, goal by goal, and the schedule made of it.

The picture knows few sandboxes, but each of their days; so it is solved in moments where the exact model is searched
for minutes. What it finds is given to the exact model day by day, and a little around them where that does not do.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from rehearse.schedule.narrow import Narrow, Plan, solve_narrow
from rehearse.schedule.narrow_use import Use, find_guess_use, narrow_to_use
from rehearse.schedule.outline import DAY
from rehearse.schedule.outline_goals import Guess, build_outline, build_outline_goal
from rehearse.schedule.outline_solve import Worker
from rehearse.schedule.problem import Problem
from rehearse.schedule.rows import Key
from rehearse.schedule.solver_goals import Name, list_drawn, list_goals

_AROUND = 3
"""Days around those of a draft, where the draft itself is no schedule."""
_SECONDS = 3.0
"""For each question to the exact model."""
_SHORT = 0.2
_GAIN = 200
"""A draft is worth its time where it saves one in so many of what the last goal costs."""


@dataclass(frozen=True)
class Draft:
    """What the picture of a planning came to: `small` holds the places that were left to it."""

    small: Problem
    guess: Guess
    costs: Mapping[Name, int]


def draw(problem: Problem, use: Use, now: Plan, settled: int, where: tuple[Worker, float]) -> Draft | None:
    """A draft within what is kept in use that is better than a plan; None where there is none, or no time.

    `settled`: of so many goals the plan is known to be the best; `where`: who solves it, and until when.
    """
    worker, until = where
    small = narrow_to_use(problem, use).of(problem)
    outline = build_outline(small, "advances", dict(use.most))
    names, values, costs = list_drawn(list_goals(problem)), list[int](), dict[Name, int]()
    for number, name in enumerate(names):
        goal, cost = build_outline_goal(outline, name), now.costs[number]
        if isinstance(goal, int):
            costs[name] = goal
            continue
        level = tuple(costs.values()) == now.costs[:number]
        last = number + 1 == len(names)
        if number < settled and level and not last:
            costs[name] = cost
        else:
            outline.model.minimize(goal)
            most = (cost - 1 - cost // _GAIN if last else cost) if level else None
            seconds = until - time.monotonic()
            answer = worker.minimize(outline.model, seconds, most) if seconds > _SHORT else None
            if answer is None or answer.value is None or (most is not None and answer.value > most):
                if not values or level:
                    return None
                break  # it is better in the goals before this one already
            values, costs[name] = list(answer.values), answer.value
        outline.model.add(goal <= costs[name])
    if not values or tuple(costs.values()) >= now.costs[: len(names)]:
        return None  # nothing was asked, or nothing better is there
    return Draft(small, Guess(outline, {}, values), costs)


def realise(problem: Problem, draft: Draft, until: float) -> Plan | None:
    """A schedule on the days of a draft; where not everything fits so, on some days around them."""
    plan = None
    for around in (0, _AROUND):
        narrow = narrow_to_draft(draft, around)
        for name in ("unplaced", "distance"):
            left = min(_SECONDS, until - time.monotonic())
            if left > _SHORT and (around or name == "unplaced"):
                plan = solve_narrow(problem, narrow, plan, (name, left)) or plan
        if plan is not None and plan.costs[: len(draft.costs)] <= tuple(draft.costs.values()):
            break
    return plan


def narrow_to_draft(draft: Draft, around: int) -> Narrow:
    """Each rehearsal in its sandbox, some days around its own; what the draft leaves out goes anywhere it may."""
    use = find_guess_use(draft.guess)
    narrow = narrow_to_use(draft.small, use)
    places: dict[Key, Mapping[str, tuple[int, ...]]] = dict(narrow.places)
    for key, cells in draft.guess.outline.cells.items():
        for cell in cells:
            if draft.guess.value(cell.literal):
                day = cell.first - cell.first % DAY
                starts = next(one for one in draft.small.demands if one.key == key).starts[cell.sandbox]
                low, high = bisect_left(starts, day - around * DAY), bisect_right(starts, day + DAY - 1 + around * DAY)
                places[key] = {cell.sandbox: starts[low:high] if around else cell.starts}
    return Narrow(places, narrow.requests, narrow.most)
