"""Which part of a large schedule to place afresh next: what is near in time or in the same sandboxes, the rest stays.

Each part is a narrow planning that is solved exactly; it can only make its goal better. Parts are taken in turn, from
small to large, and always in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

from rehearse.schedule.demand import Demand
from rehearse.schedule.model import Booking, Refresh
from rehearse.schedule.narrow import Free, Narrow, Plan, narrow_around
from rehearse.schedule.narrow_use import keep_in_use
from rehearse.schedule.problem import Problem
from rehearse.schedule.rows import Key
from rehearse.schedule.solver_goals import Name

_DAYS = (8, 16, 30)


Now = Callable[[], Plan]
"""The best plan so far; it may have become better since the last part."""


def list_parts(problem: Problem, now: Now, name: Name) -> Iterator[Narrow]:
    """The parts that could make one goal better, the likeliest first."""
    if name == "unplaced":
        yield from _around_unplaced(problem, now)
    elif name == "refreshes":
        yield from _around_refreshes(problem, now)
    else:
        if name == "advances":
            yield from _pairs_of_sandboxes(problem, now)
        yield from _stretches(problem, now, name)


def _placed(plan: Plan) -> dict[Key, Booking]:
    return {(one.release or "", one.rehearsal or ""): one for one in plan.schedule.bookings}


def _anywhere(demands: list[Demand]) -> Free:
    return {one.key: frozenset(one.starts) for one in demands if not one.fixed}


def _near(problem: Problem, plan: Plan, span: tuple[int, int]) -> list[Demand]:
    """What is placed in a stretch of time, wherever."""
    axis, placed = problem.axis, _placed(plan)
    return [
        one
        for one in problem.demands
        if (booking := placed.get(one.key)) is not None and span[0] <= axis.down(booking.start) < span[1]
    ]


def _around_unplaced(problem: Problem, now: Now) -> Iterator[Narrow]:
    """What has no place yet, with what is near its days; then with a copy more in one of its sandboxes."""
    for days in _DAYS:
        for one in sorted(problem.demands, key=lambda found: (-found.weight, found.key)):
            if one.starts and one.key not in _placed(now()):
                yield _with_missing(problem, now(), one, days)
            for name in one.starts:
                if problem.requests.get(name) and one.key not in _placed(now()):
                    yield _with_copy(problem, now(), (one, name), days)


def _with_missing(problem: Problem, plan: Plan, one: Demand, days: int) -> Narrow:
    free = _anywhere([*_beside(problem, plan, one, days), *_same_release(problem, plan, one)])
    return narrow_around(problem, plan, free, frozenset(one.starts))


def _with_copy(problem: Problem, plan: Plan, what: tuple[Demand, str], days: int) -> Narrow:
    one, name = what
    near = _anywhere(_beside(problem, plan, one, days))
    free = {key: (frozenset([name]) & some) | _own(plan, key) for key, some in near.items()}
    free |= _anywhere(_same_release(problem, plan, one))
    return narrow_around(problem, plan, free, frozenset([name]), more=name)


def _beside(problem: Problem, plan: Plan, one: Demand, days: int) -> list[Demand]:
    """What is placed within some days of the middle of the days on which something may run."""
    every = [minute for starts in one.starts.values() for minute in (starts[0], starts[-1])]
    middle = (min(every) + max(every)) // 2
    return _near(problem, plan, (middle - days * 1440, middle + days * 1440))


def _same_release(problem: Problem, plan: Plan, one: Demand) -> list[Demand]:
    """What else of its release is unplaced: it may be waiting for it."""
    placed = _placed(plan)
    return [other for other in problem.demands if other.release is one.release and other.key not in placed]


def _own(plan: Plan, key: Key) -> frozenset[str]:
    booking = _placed(plan).get(key)
    return frozenset([booking.sandbox]) if booking else frozenset()


def _around_refreshes(problem: Problem, now: Now) -> Iterator[Narrow]:
    """Each copy with what runs within two months of it in the sandboxes that are refreshed."""
    for days in (30, 60):
        for number in range(len(_new(now()))):
            plan = now()
            if number < len(_new(plan)):
                at = problem.axis.down(_new(plan)[number].request)
                names = frozenset(one.sandbox for one in _new(plan))
                near = _near(problem, plan, (at - days * 1440, at + days * 1440))
                free = {key: (some & names) | _own(plan, key) for key, some in _anywhere(near).items()}
                yield narrow_around(problem, plan, free, names)


def _new(plan: Plan) -> list[Refresh]:
    return [one for one in plan.schedule.refreshes if not one.running]


def _pairs_of_sandboxes(problem: Problem, now: Now) -> Iterator[Narrow]:
    """Everything in two sandboxes, exchanged at will: where fewer are kept up to date, fewer advances are needed."""
    plan = now()
    used = sorted({one.sandbox for one in plan.schedule.bookings})
    count = {name: sum(1 for one in plan.schedule.advances if one.sandbox == name) for name in used}
    for pair in sorted(combinations(used, 2), key=lambda pair: (-count[pair[0]] - count[pair[1]], pair)):
        placed = _placed(now())
        there = [one for one in problem.demands if one.key in placed and placed[one.key].sandbox in pair]
        free = {one.key: frozenset(pair) & frozenset(one.starts) for one in there if not one.fixed}
        yield narrow_around(problem, now(), free, frozenset(pair))


def _stretches(problem: Problem, now: Now, name: Name) -> Iterator[Narrow]:
    """Everything within some weeks; where copies are requested may change in the sandboxes that have any.

    Days and second runs are only looked for where the plan keeps a sandbox in use: elsewhere they would cost advances.
    """
    first = problem.axis.up(problem.wish.now)
    last = problem.axis.grid[-1] if problem.axis.grid else first
    for days in (14, 28, 42):
        size = days * 1440
        for start in range(first, last, size // 2):
            near = _near(problem, now(), (start, start + size))
            if near:
                loose = frozenset(one.sandbox for one in _new(now())) if days == 28 else frozenset()
                part = narrow_around(problem, now(), _anywhere(near), loose)
                yield part if name == "advances" else keep_in_use(problem, part, now())
