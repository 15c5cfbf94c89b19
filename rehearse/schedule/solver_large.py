"""A large planning: a schedule at once, then bounds from coarse pictures and better schedules side by side.

One thread asks coarse pictures for the least that each goal can cost (solver_bounds); meanwhile the schedule that a
greedy pass made is improved part by part, and what a picture suggests is drawn finely and made a schedule (drafts).
Every schedule taken is judged by the rules first; what no bound reaches is not called proven.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from rehearse.events import Advanced, Noted, OnEvent
from rehearse.schedule.demand import Demand
from rehearse.schedule.drafts import draw, realise
from rehearse.schedule.greedy import place_greedily
from rehearse.schedule.model import Goal, Schedule
from rehearse.schedule.narrow import Plan, count_plan, solve_narrow
from rehearse.schedule.narrow_use import Use, find_plan_use
from rehearse.schedule.outline_solve import Worker
from rehearse.schedule.problem import Problem
from rehearse.schedule.rules import check
from rehearse.schedule.solver_bounds import Bounds
from rehearse.schedule.solver_goals import Name, count_days, list_drawn, list_goals
from rehearse.schedule.solver_parts import list_parts

_LARGE = 400
_STEP = 3.0
"""Seconds for one part."""
_DRAFT = 15.0
"""Seconds for one draft."""
_BRIEF = 4.0
"""Seconds in which no draft can be made any more."""
_AROUND = 3
"""Epochs around what is in use, for a draft at most."""
_FIRST = 15.0
"""Seconds to bound refreshes and advances by days, where nothing better is near."""
_NEXT = 8.0
"""Seconds to bound the next goal by epochs then: a weak bound, for plannings whose finest picture is too large."""
_SHARE = 0.5
"""Of what is left, for a goal part by part."""
_LEAST = 0.3
"""Seconds in which nothing can be had any more."""


def is_large(problem: Problem) -> bool:
    """Whether the whole model would be more than can be searched in a minute."""
    return len(problem.demands) * len(problem.sites) > _LARGE


def solve_large(problem: Problem, until: float, on_event: OnEvent, *, kept: float = 0.0) -> Schedule | None:
    """The best schedule that was found, with bounds; None where the rules speak against the first one already.

    `kept`: so many seconds before the end it is over, where something is unplaced.
    """
    first = count_plan(problem, place_greedily(problem))
    if check(first.schedule, problem.wish):
        return None
    large = _Large(problem, first, (until, kept), on_event)
    large.say("A first schedule")
    large.run()
    return replace(large.best.schedule, goals=large.goals())


class _Large:
    """The best plan so far and the bounds of its goals."""

    def __init__(self, problem: Problem, first: Plan, until: tuple[float, float], on_event: OnEvent) -> None:
        self.problem = problem
        self.best = first
        self.until, self.kept = until
        self.on_event = on_event
        self.names = list_goals(problem)
        floor = {name: _floor(problem, name) for name in self.names}
        self.bounds = Bounds(problem, self.names, floor, lambda: self.best.costs)
        self.seen = 0
        self.drawer = Worker()
        self.around = 1
        self.is_bounded = False

    def run(self) -> None:
        """Pictures on one thread, schedules on the other."""
        drawing = self.bounds.start(self.until)
        better = True
        with self.drawer:
            while (better or drawing.is_alive()) and self._left() > _LEAST and not self._is_proven():
                better = self._improve()
                if not better:
                    drawing.join(0.1)
        self.bounds.stop()
        drawing.join()
        if self.bounds.faults:
            raise self.bounds.faults[0]

    def goals(self) -> tuple[Goal, ...]:
        """What the best plan costs, goal by goal."""
        return self.bounds.goals(self.best.costs)

    def _is_proven(self) -> bool:
        return all(one.proven for one in self.goals())

    def _until(self, seconds: float) -> float:
        return time.monotonic() + min(seconds, self._left())

    def _left(self) -> float:
        return self.until - time.monotonic() - (self.kept if self.best.costs[0] else 0.0)

    def _realise_guesses(self) -> None:
        """Make schedules of what new pictures suggest."""
        while self.seen < len(self.bounds.guesses) and self._left() > _LEAST:
            self.seen += 1
            self._realise(self.bounds.guesses[self.seen - 1])
            self.bounds.realised.set()

    def _realise(self, use: Use) -> None:
        """Draw what a suggestion keeps in use, what is near, or what is in use now too; a schedule of what is best."""
        for one in (use, use.widened(1), use | find_plan_use(self.problem, self.best)):
            if self._left() > _LEAST and self._draft(one):
                self.around = 1
                return

    def _draft(self, use: Use) -> bool:
        """Whether the finest picture of what is in use makes the best plan better."""
        before, settled = self.best, 0
        if self._left() < _BRIEF:
            return False
        while settled < len(self.names) and self.goals()[settled].proven:
            settled += 1
        draft = draw(self.problem, use, self.best, settled, (self.drawer, self._until(_DRAFT)))
        plan = None if draft is None else realise(self.problem, draft, self.until)
        if plan is not None:
            self._take(plan)
        return self.best is not before

    def _draft_around(self) -> None:
        """Draw what is in use now with what is near, and ever more of that, until something new comes."""
        while self.around <= _AROUND and self._left() > _LEAST and self.seen == len(self.bounds.guesses):
            drawn = [one.proven for one in self.goals()[: len(list_drawn(self.names))]]
            if all(drawn):
                return
            better = self._draft(find_plan_use(self.problem, self.best).widened(self.around))
            self.around = 1 if better else self.around + 1
            if not better and not self.is_bounded:
                self.is_bounded = True
                self.bounds.bound_last(self.bounds.list_first(), self._until(_FIRST), "days", self.drawer)
                self.bounds.bound_last(list_drawn(self.names), self._until(_NEXT), "epochs", self.drawer)

    def _improve(self) -> bool:
        """Make one goal better after another; whether anything became better."""
        before = self.best
        for number, name in enumerate(self.names):
            self._realise_guesses()
            if self._is_drawn(name):
                self._draft_around()
            else:
                self._improve_goal(number, time.monotonic() + self._left() * _SHARE)
        return self.best is not before

    def _is_drawn(self, name: Name) -> bool:
        """Whether drafts make a goal better now: only once a picture has told what is worth keeping in use."""
        return self.around <= _AROUND and self.seen > 0 and name in ("advances", "distance")

    def _improve_goal(self, number: int, until: float) -> None:
        """Part by part, until there is no better one, or a picture suggests another schedule."""
        name, before = self.names[number], None
        while self.best is not before and not self.goals()[number].proven:
            before = self.best
            for part in list_parts(self.problem, lambda: self.best, name):
                left = until - time.monotonic()
                if left < _LEAST or self.goals()[number].proven or self.seen < len(self.bounds.guesses):
                    return
                plan = solve_narrow(self.problem, part, self.best, (name, min(_STEP, left)))
                if plan is not None:
                    self._take(plan)

    def _take(self, plan: Plan) -> None:
        """Keep a plan that is better, if the judge finds nothing against it."""
        if plan.costs >= self.best.costs or check(plan.schedule, self.problem.wish):
            return
        self.best = plan
        goal = next((one for one in self.goals() if not one.proven), self.goals()[-1])
        self.on_event(Advanced(goal.name, goal.value, goal.bound, goal.name))

    def say(self, what: str) -> None:
        """Tell how much is placed."""
        placed = len(self.best.schedule.bookings)
        self.on_event(Noted(f"{what} places {placed} of {len(self.problem.demands)} rehearsals; looking for better."))


def _floor(problem: Problem, name: Name) -> int:
    """What the rehearsals cost one by one, whatever the others do."""
    if name == "unplaced":
        return sum(one.weight for one in problem.demands if not one.starts)
    if name != "distance":
        return 0
    return sum(
        one.weight * min(count_days(problem, one, minute) for minute in _days(one))
        for one in problem.demands
        if one.starts
    )


def _days(demand: Demand) -> Iterator[int]:
    """The first and the last start of each day on which it may run."""
    every = sorted({minute for starts in demand.starts.values() for minute in starts})
    for _, some in groupby(every, lambda one: one // 1440):
        minutes = list(some)
        yield minutes[0]
        yield minutes[-1]
