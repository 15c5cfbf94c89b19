"""Improve a schedule a part at a time: some releases are placed afresh while all others stay where they are.

What a large planning needs: the whole of it is too much for one search, and what is near in time is what clashes. Each
step can only make the goal better, and nothing is proven by it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from rehearse.schedule.problem import Problem
from rehearse.schedule.rows import Key
from rehearse.schedule.search import Search
from rehearse.schedule.solver_board import Expr

_STEP = 2.0


def place_parts(search: Search, goal: Expr, until: float) -> None:
    """Place what is unplaced, release by release, then with more and more of the releases around it."""
    board = search.board
    for size in (1, 3, 6):
        for part in _parts(board.problem, size):
            left = until - time.monotonic()
            if left <= 0.2:
                return
            if any(not search.value(board.placed[key]) for key in part if board.at[key]):
                search.place_afresh(goal, part, min(_STEP, left))


def improve_parts(search: Search, goal: Expr, until: float) -> None:
    """Minimize a goal by parts of some releases each, until nothing becomes better or the time is over."""
    for size in (4, 8):
        better = True
        while better:
            better = False
            for part in _parts(search.board.problem, size):
                left = until - time.monotonic()
                if left <= 0.2:
                    return
                better |= search.place_afresh(goal, part, min(_STEP, left))


def _parts(problem: Problem, size: int) -> Iterator[frozenset[Key]]:
    """The rehearsals of releases that go live one after another; each release is in two parts."""
    releases = sorted(problem.wish.releases, key=lambda one: (one.go_live, one.name))
    for first in range(0, max(1, len(releases) - size // 2), max(1, size // 2)):
        names = {one.name for one in releases[first : first + size]}
        yield frozenset(one.key for one in problem.demands if one.release.name in names)
