"""The least that each goal of a large planning can cost, asked of coarse pictures on a thread of its own.

A bound holds for every schedule that costs no more in the goals before it than the picture took for granted. A rough
picture comes first and says which sandboxes are worth keeping in use; once that is a schedule, the finest one bounds
the goal after those. What costs more than the best schedule that is known is not looked at.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from rehearse.schedule.course_find import Found, find_course
from rehearse.schedule.model import Goal
from rehearse.schedule.narrow_use import Use, find_guess_use
from rehearse.schedule.outline import FAR, Detail
from rehearse.schedule.outline_goals import Guess, build_outline, build_outline_goal, fill
from rehearse.schedule.outline_solve import Worker
from rehearse.schedule.problem import Problem
from rehearse.schedule.solver_goals import Name, list_drawn

_ROUGH = 0.75
"""Of all seconds, for the rough picture at most."""
_SHARE = 0.6
"""Of what is left, for each goal of the rough picture but the last."""
_COURSE = 0.6
"""Of what is left, for the best course at most."""
_WAIT = 15.0
"""Seconds for a schedule to be made of what the rough picture suggests."""
_LATE = 0.5
"""Seconds that are kept for what the solver does after its time."""
Costs = tuple[int, ...]


@dataclass(frozen=True)
class Bound:
    """The least cost of a goal for whatever costs no more than `limits` in the goals before it."""

    name: Name
    least: int
    limits: Mapping[Name, int]


@dataclass
class Bounds:
    """What is known of each goal. `now`: what the best plan costs so far; `floor`: bounds that hold in any case."""

    problem: Problem
    names: tuple[Name, ...]
    floor: Mapping[Name, int]
    now: Callable[[], Costs]
    found: list[Bound] = field(default_factory=list)
    guesses: list[Use] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    worker: Worker = field(default_factory=Worker)
    realised: threading.Event = field(default_factory=threading.Event)
    """A schedule was made of what the first picture suggested."""

    def start(self, until: float) -> threading.Thread:
        """Draw pictures in the background."""
        thread = threading.Thread(target=self._work, args=(until,), daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """Nothing more is asked."""
        self.worker.close()

    def _work(self, until: float) -> None:
        try:
            with self.worker:
                is_whole = self._draw_rough(until)
                self.realised.wait(max(0.0, min(_WAIT, until - time.monotonic())))
                if not is_whole:
                    self.bound_last(list_drawn(self.names), until, "turns", self.worker)
                self.bound_last(self.names, until, "days", self.worker)
        except Exception as fault:  # raised again where the other thread waits for this one
            self.faults.append(fault)

    def _draw_rough(self, end: float) -> bool:
        """The goals up to refreshes and advances, but for what days say of them; whether a course said the rest."""
        until = time.monotonic() + (end - time.monotonic()) * _ROUGH
        picture, limits = Guess(build_outline(self.problem, "epochs")), dict[Name, int]()
        for name in self.list_first():
            if name == "advances" and self._find_course(limits, end):
                return True
            left = until - time.monotonic()
            share = 1.0 if name == self.list_first()[-1] else _SHARE
            most = self.most(name, limits)
            fill(picture, (name,), (time.monotonic() + left * share, most), self.worker)
            goal = picture.goals.get(name)
            if goal is None:
                break
            self.found.append(Bound(name, goal.bound, dict(limits)))
            limits[name] = goal.value
            if goal.value >= FAR:
                break
        if picture.values:
            self.guesses.append(find_guess_use(picture))
        return False

    def _find_course(self, limits: Mapping[Name, int], until: float) -> bool:
        """The best course of the year, where everything can be placed: its refreshes, advances and distance."""
        if self.names[2] != "refreshes" or limits["unplaced"] or self._is_proven("distance"):
            return False
        least = max([0, *(one.least for one in self.found if one.name == "refreshes" and not one.limits["moves"])])
        is_whole = False

        def hear(found: Found) -> None:
            nonlocal is_whole
            self._note(found)
            is_whole = found.is_whole
            if found.use is not None:
                self.guesses.append(found.use)

        seconds = (until - time.monotonic()) * _COURSE
        self.worker.ask(find_course, (self.problem, least, seconds), seconds, hear)
        return is_whole

    def _note(self, found: Found) -> None:
        """What is known of courses holds for every schedule that places everything."""
        limits: dict[Name, int] = {"unplaced": 0}
        self.found.append(Bound("refreshes", found.refreshes, dict(limits)))
        if found.within is not None:
            limits["refreshes"] = found.within
            self.found.append(Bound("advances", found.advances, dict(limits)))
        if found.distance is not None:
            limits["advances"] = found.advances
            self.found.append(Bound("distance", found.distance, dict(limits)))

    def list_first(self) -> tuple[Name, ...]:
        """The goals up to refreshes and advances."""
        last = max(self.names.index("refreshes"), self.names.index("advances"))
        return self.names[: last + 1]

    def bound_last(self, names: tuple[Name, ...], until: float, detail: Detail, worker: Worker) -> None:
        """Bound the last of some goals, for what costs no more than the best plan in those before it; unless proven."""
        if self._is_proven(names[-1]) or until - time.monotonic() < _LATE:
            return
        picture, limits = Guess(build_outline(self.problem, detail)), dict[Name, int]()
        now = dict(zip(self.names, self.now(), strict=True))
        for name in names:
            goal = build_outline_goal(picture.outline, name)
            if name == names[-1] and not isinstance(goal, int):
                picture.outline.model.minimize(goal)
                self._ask(picture, (name, limits), until, worker)
            limits[name] = now[name]
            if not isinstance(goal, int):
                picture.outline.model.add(goal <= now[name])

    def _ask(self, picture: Guess, what: tuple[Name, Mapping[Name, int]], until: float, worker: Worker) -> None:
        (name, limits), model = what, picture.outline.model
        seconds = until - time.monotonic() - _LATE
        most = self.most(name, limits)
        answer = worker.minimize(model, seconds, most, is_large=picture.outline.daily) if seconds > _LATE else None
        if answer is None:
            return
        self.found.append(Bound(name, answer.bound, dict(limits)))
        if answer.value is not None:
            self.guesses.append(find_guess_use(replace(picture, values=answer.values)))

    def most(self, name: Name, limits: Mapping[Name, int]) -> int | None:
        """What a goal costs in the best plan, where that is within the limits: nothing dearer need be looked at."""
        now = dict(zip(self.names, self.now(), strict=True))
        return now[name] if all(now[one] <= limit for one, limit in limits.items()) else None

    def _is_proven(self, name: Name) -> bool:
        return self.goals(self.now())[self.names.index(name)].proven

    def goals(self, costs: Costs) -> tuple[Goal, ...]:
        """What a plan costs, and the best bound of each goal that holds for it."""
        reached, goals = dict(zip(self.names, costs, strict=True)), []
        for name, cost in reached.items():
            bounds = [self.floor[name] if costs[0] == 0 or name == "unplaced" else 0]
            for one in tuple(self.found):
                if one.name == name and all(reached[other] <= limit for other, limit in one.limits.items()):
                    bounds.append(one.least)
            bound = min(cost, max(bounds))
            goals.append(Goal(name, cost, bound, cost == bound))
        return tuple(goals)
