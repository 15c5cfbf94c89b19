"""Do some rehearsals fit, all of them, when some rules are lifted? The question that explanations ask, many times."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from rehearse.schedule.model import Wish
from rehearse.schedule.problem import build_axis, build_problem
from rehearse.schedule.rows import Key, Lifted
from rehearse.schedule.solver_build import build_board
from rehearse.schedule.solver_settings import has_answer, is_impossible, new_solver


@dataclass
class Fit:
    """Asks and remembers. `until`: when the time is over, on the monotonic clock."""

    wish: Wish
    until: float

    def __post_init__(self) -> None:
        self._axis = build_axis(self.wish)
        self._known: dict[tuple[frozenset[Key], Lifted], bool] = {}

    def fits(self, keys: frozenset[Key], lifted: Lifted = frozenset()) -> bool:
        """Whether all these rehearsals can be placed together. Raises TimeoutError when the time is over."""
        asked = keys, lifted
        if asked not in self._known:
            self._known[asked] = self._ask(keys, lifted)
        return self._known[asked]

    def _ask(self, keys: frozenset[Key], lifted: Lifted) -> bool:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for explaining is over")
        problem = build_problem(without_others(self.wish, keys), keys, lifted, self._axis)
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
