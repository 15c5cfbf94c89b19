"""The least that each goal of a large planning can cost, asked of coarse pictures on a thread of its own.

A bound holds for every schedule that costs no more in the goals before it than the picture took for granted. A rough
picture comes first and says which sandboxes are worth keeping in use; one with days then bounds what is not proven yet.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from rehearse.schedule.model import Goal
from rehearse.schedule.outline import FAR
from rehearse.schedule.outline_goals import Guess, build_outline, build_outline_goal, fill
from rehearse.schedule.outline_solve import Worker
from rehearse.schedule.problem import Problem
from rehearse.schedule.solver_goals import Name

_ROUGH = 0.75
"""Of all seconds, for the rough picture at most."""
_SHARE = 0.6
"""Of what is left, for a goal in the picture with days."""
_WAIT = 6.0
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
    guesses: list[Guess] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    worker: Worker = field(default_factory=Worker)
    realised: threading.Event = field(default_factory=threading.Event)

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
                limits = self._draw_rough(time.monotonic() + (until - time.monotonic()) * _ROUGH)
                self._await_plan(min(until, time.monotonic() + _WAIT))
                if limits:
                    self._bound_rest(self._list_first()[: len(limits)], until, limits)
                self.realised.wait(max(0.0, until - time.monotonic()))
                self._bound_rest(self.names[:-1], until, {}, by_day=False)
                self._bound_rest(self.names, until, {})
        except Exception as fault:  # raised again where the other thread waits for this one
            self.faults.append(fault)

    def _await_plan(self, until: float) -> None:
        """Wait a little: what the rough picture suggests may be a schedule that needs no better bound."""
        last = self._list_first()[-1]
        while time.monotonic() < until and not self.realised.is_set() and not self._is_proven(last):
            time.sleep(0.05)

    def _draw_rough(self, until: float) -> dict[Name, int]:
        """The goals up to refreshes and advances, but for what days say of them; what it found for them."""
        picture, limits = Guess(build_outline(self.problem, by_day=False)), dict[Name, int]()
        for name in self._list_first():
            left = until - time.monotonic()
            share = 1.0 if name == self._list_first()[-1] else _SHARE
            fill(picture, (name,), time.monotonic() + left * share, self.worker)
            goal = picture.goals.get(name)
            if goal is None:
                break
            self.found.append(Bound(name, goal.bound, dict(limits)))
            limits[name] = goal.value
            if goal.value >= FAR:
                break
        if picture.values:
            self.guesses.append(replace(picture, goals=dict(picture.goals)))
        return limits if len(limits) == len(self._list_first()) else {}

    def _list_first(self) -> tuple[Name, ...]:
        last = max(self.names.index("refreshes"), self.names.index("advances"))
        return self.names[: last + 1]

    def _bound_rest(
        self, names: tuple[Name, ...], until: float, drawn: Mapping[Name, int], *, by_day: bool = True
    ) -> None:
        """Bound each goal that is not proven, for what costs no more than the best plan in those before it.

        `drawn`: what the rough picture reached; then it is only asked whether days make its last goal dearer. Without
        days an answer comes sooner, and with it what else could be kept in use.
        """
        if all(self._is_proven(one) for one in names):
            return
        picture, limits = Guess(build_outline(self.problem, by_day=by_day)), dict[Name, int]()
        for name in names:
            goal = build_outline_goal(picture.outline, name)
            if isinstance(goal, int):
                limits[name] = goal
                continue
            is_asked = not self._is_proven(name) and (not drawn or name == names[-1])
            if is_asked:
                share = 1.0 if name == self.names[-1] else _SHARE
                picture.outline.model.minimize(goal)
                if not self._ask(picture, name, limits, (until - time.monotonic() - _LATE) * share):
                    return
            limits[name] = drawn[name] if drawn else self.now()[self.names.index(name)]
            picture.outline.model.add(goal <= limits[name])

    def _ask(self, picture: Guess, name: Name, limits: Mapping[Name, int], seconds: float) -> bool:
        answer = self.worker.minimize(picture.outline.model, seconds) if seconds > _LATE else None
        if answer is None:
            return False
        self.found.append(Bound(name, answer.bound, dict(limits)))
        if answer.value is not None:
            goals = {name: Goal(name, answer.value, answer.bound, answer.value == answer.bound)}
            self.guesses.append(replace(picture, values=answer.values, goals=goals))
        return True

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
