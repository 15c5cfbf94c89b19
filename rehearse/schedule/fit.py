"""Do some rehearsals fit, all of them, when some rules are lifted? The question that explanations ask, many times."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from rehearse.schedule.demand import Demand
from rehearse.schedule.model import Booking, Wish
from rehearse.schedule.problem import Problem, build_axis, build_problem
from rehearse.schedule.rows import Key, Lifted
from rehearse.schedule.solver_build import build_board
from rehearse.schedule.solver_settings import has_answer, is_impossible, new_solver

_MANY = 400


def is_many(wish: Wish, keys: frozenset[Key]) -> bool:
    """Whether it would take longer than anybody waits to ask whether so many fit."""
    return len(keys) * len(wish.supplies) > _MANY


@dataclass
class Fit:
    """Asks and remembers. `until`: when the time is over, on the monotonic clock."""

    wish: Wish
    until: float
    stay: Mapping[Key, Booking] = field(default_factory=dict)
    """Rehearsals that are to stay where they are: fewer choices, a quicker answer; no then only means not so."""

    def __post_init__(self) -> None:
        self._axis = build_axis(self.wish)
        self._known: dict[frozenset[Key], dict[Lifted, bool]] = {}

    def fits(self, keys: frozenset[Key], lifted: Lifted = frozenset()) -> bool:
        """Whether all these rehearsals can be placed together. Raises TimeoutError when the time is over."""
        known = self._known.setdefault(keys, {})
        for other, answer in known.items():
            if (answer and other <= lifted) or (not answer and lifted <= other):
                return answer  # what fits, fits with more lifted, and what does not, does not with less
        known[lifted] = self._ask(keys, lifted)
        return known[lifted]

    def _ask(self, keys: frozenset[Key], lifted: Lifted) -> bool:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for explaining is over")
        problem = build_problem(without_others(self.wish, keys), keys, lifted, self._axis)
        problem = replace(problem, demands=tuple(self._stayed(problem, one) for one in problem.demands))
        if any(not one.starts for one in problem.demands):
            return False
        board = build_board(problem)
        for key in keys:
            board.model.add(board.placed[key] == 1)
        status = new_solver(max(0.1, left)).solve(board.model)
        if has_answer(status):
            return True
        if is_impossible(status):
            return False
        raise TimeoutError("the time for explaining is over")

    def _stayed(self, problem: Problem, demand: Demand) -> Demand:
        booking = self.stay.get(demand.key)
        if booking is None or demand.fixed:
            return demand
        at = problem.axis.down(booking.start)
        there = at in demand.starts.get(booking.sandbox, ())
        return replace(demand, starts={booking.sandbox: (at,)} if there else {})


def without_others(wish: Wish, keys: frozenset[Key]) -> Wish:
    """With replan, bookings of rehearsals that are not asked about may move away, and so are no hindrance."""
    if not wish.replan:
        return wish
    own = {(release.name, one.name) for release in wish.releases for one in release.rehearsals}
    supplies = tuple(
        replace(
            supply,
            bookings=tuple(
                one
                for one in supply.bookings
                if one.start <= wish.now
                or (one.release, one.rehearsal) not in own
                or (one.release, one.rehearsal) in keys
            ),
        )
        for supply in wish.supplies
    )
    return replace(wish, supplies=supplies)
