"""A large planning: a schedule at once, then bounds from a coarse picture and better schedules side by side.

One thread asks the coarse picture for the least that each goal can cost; meanwhile the schedule that a greedy pass made
is improved part by part. Then the days of the picture are made a schedule, and the better of the two improved until the
time is over. Every schedule taken is judged by the rules first; what no bound reaches is not called proven.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby

from rehearse.events import Advanced, Noted, OnEvent
from rehearse.schedule.demand import Demand
from rehearse.schedule.greedy import place_greedily
from rehearse.schedule.model import Goal, Schedule
from rehearse.schedule.narrow import Narrow, Plan, count_plan, narrow_to_guess, solve_narrow
from rehearse.schedule.outline_goals import Guess, build_outline, fill
from rehearse.schedule.problem import Problem
from rehearse.schedule.rules import check
from rehearse.schedule.solver_goals import Name, count_days, list_goals
from rehearse.schedule.solver_parts import list_parts

_LARGE = 400
_STEP = 3.0
"""Seconds for one part."""
_PICTURE = 0.5
"""Of all seconds, for the first picture."""
_SETTLED = 0.75
"""Of all seconds; from then on a second picture bounds what the first did not."""
_REALISE = 0.2
"""Of what is left, for each goal of the picture's days."""


def is_large(problem: Problem) -> bool:
    """Whether the whole model would be more than can be searched in a minute."""
    return len(problem.demands) * len(problem.sites) > _LARGE


def solve_large(problem: Problem, until: float, on_event: OnEvent) -> Schedule | None:
    """The best schedule that was found, with bounds; None where the rules speak against the first one already."""
    first = count_plan(problem, place_greedily(problem))
    if check(first.schedule, problem.wish):
        return None
    large = _Large(problem, first, until, on_event)
    large.say("A first schedule")
    large.run()
    return replace(large.best.schedule, goals=large.goals())


class _Large:
    """The best plan so far and the pictures that bound it."""

    def __init__(self, problem: Problem, first: Plan, until: float, on_event: OnEvent) -> None:
        self.problem = problem
        self.best = first
        self.until = until
        self.on_event = on_event
        self.names = list_goals(problem)
        self.floor: Mapping[Name, int] = {name: _floor(problem, name) for name in self.names}
        self.pictures: list[tuple[Guess, Mapping[Name, int]]] = []
        self.faults: list[Exception] = []

    def run(self) -> None:
        """Pictures on one thread, schedules on the other."""
        begun = time.monotonic()
        whole = self.until - begun
        drawing = self._draw({}, begun + whole * _PICTURE)
        self._improve_goal(0, (self._is_drawn, begun + whole * _PICTURE))
        self._wait(begun + whole * _PICTURE)
        self._realise()
        self._improve(begun + whole * _SETTLED)
        self._join(drawing)
        missed = self._missed()
        if len(missed) < len(self.names):
            drawing = self._draw(missed, self.until)
            self._improve(self.until)
            self._join(drawing)

    def _join(self, drawing: threading.Thread) -> None:
        drawing.join()
        if self.faults:
            raise self.faults[0]

    def _is_drawn(self) -> bool:
        """Whether the picture says where copies are needed: what it says of days matters less."""
        last = max(self.names.index("refreshes"), self.names.index("advances"))
        return bool(self.pictures) and self.names[last] in self.pictures[0][0].goals

    def _wait(self, until: float) -> None:
        """Nothing is left to improve before the picture is drawn."""
        while not (self._is_drawn() or self.faults) and time.monotonic() < until:
            time.sleep(0.05)

    def _draw(self, limits: Mapping[Name, int], until: float) -> threading.Thread:
        """Ask the coarse picture in the background; it writes down what it knows goal by goal."""

        def work() -> None:
            try:
                found = Guess(build_outline(self.problem, by_day=False))
                self.pictures.append((found, limits))
                fill(found, self.names, until, limits)
            except Exception as fault:  # raised again where the other thread waits for this one
                self.faults.append(fault)

        drawing = threading.Thread(target=work, daemon=True)
        drawing.start()
        return drawing

    def _missed(self) -> dict[Name, int]:
        """The goals up to the first that costs more than its bound, and that one, with their costs."""
        found: dict[Name, int] = {}
        for goal in self.goals():
            found[goal.name] = goal.value
            if not goal.proven:
                return found
        return found

    def _realise(self) -> None:
        """The days of the picture as a schedule, goal by goal, where that is better than what there is."""
        if not self.pictures or not self.pictures[0][0].values:
            return
        picture = self.pictures[0][0]
        narrow = narrow_to_guess(self.problem, picture)
        plan: Plan | None = None
        for name in self.names:
            seconds = max(0.1, (self.until - time.monotonic()) * _REALISE)
            plan = solve_narrow(self.problem, narrow, plan, (name, seconds)) or plan
            if plan is None or plan.costs[: self.names.index(name) + 1] > self.best.costs:
                return
        if plan is not None:
            self._take(plan)

    def _improve(self, until: float) -> None:
        """Make one goal better after another, part by part."""
        for number in range(len(self.names)):
            share = time.monotonic() + (until - time.monotonic()) / (len(self.names) - number) * 2
            self._improve_goal(number, (lambda: False, min(until, share)))

    def _improve_goal(self, number: int, how: tuple[Callable[[], bool], float]) -> None:
        is_over, until = how
        name, better = self.names[number], True
        while better:
            better = False
            for part in list_parts(self.problem, lambda: self.best, name):
                left = until - time.monotonic()
                if left < 0.3 or self.goals()[number].proven or is_over():
                    return
                better |= self._try(part, name, min(_STEP, left))

    def _try(self, part: Narrow, name: Name, seconds: float) -> bool:
        plan = solve_narrow(self.problem, part, self.best, (name, seconds))
        return plan is not None and self._take(plan)

    def _take(self, plan: Plan) -> bool:
        """Keep a plan that is better, if the judge finds nothing against it."""
        if plan.costs >= self.best.costs or check(plan.schedule, self.problem.wish):
            return False
        self.best = plan
        goal = next((one for one in self.goals() if not one.proven), self.goals()[-1])
        self.on_event(Advanced(goal.name, goal.value, goal.bound, goal.name))
        return True

    def say(self, what: str) -> None:
        """Tell how much is placed."""
        placed = len(self.best.schedule.bookings)
        self.on_event(Noted(f"{what} places {placed} of {len(self.problem.demands)} rehearsals; looking for better."))

    def goals(self) -> tuple[Goal, ...]:
        """What the best plan costs, and the best bound of each goal that holds for what is no worse before it."""
        found: list[Goal] = []
        for name, cost in zip(self.names, self.best.costs, strict=True):
            bounds = [self.floor[name] if self._all_placed() or name == "unplaced" else 0]
            for picture, limits in tuple(self.pictures):
                goal = picture.goals.get(name)
                if goal is not None and all(_reached(one, picture, limits) for one in found):
                    bounds.append(goal.bound)
            bound = min(cost, max(bounds))
            found.append(Goal(name, cost, bound, cost == bound))
        return tuple(found)

    def _all_placed(self) -> bool:
        return self.best.costs[0] == 0


def _reached(goal: Goal, picture: Guess, limits: Mapping[Name, int]) -> bool:
    """Whether a plan is no worse in a goal than what the picture took for granted after it."""
    if goal.name in limits:
        return goal.value <= limits[goal.name]
    return goal.name in picture.goals and goal.value <= picture.goals[goal.name].value


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
