"""What a finished schedule costs, goal by goal. Pure, and independent of the solver: the values that are reported."""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime, timedelta

from rehearse.schedule.model import Refresh, Schedule, Window, Wish
from rehearse.schedule.problem import Problem
from rehearse.schedule.rules_case import Case, Run
from rehearse.schedule.second_run import build_second_starts
from rehearse.schedule.wall import local_day, subtract_span


def count_goals(problem: Problem, schedule: Schedule) -> dict[str, int]:
    """The value of each goal."""
    case = Case(problem.wish, schedule)
    weights = {one.name: 10 ** (4 - one.priority) for one in problem.wish.releases}
    return {
        "unplaced": sum(weights[one.release] for one in schedule.unplaced),
        "moves": _count_moves(problem.wish, case),
        "refreshes": sum(1 for one in schedule.refreshes if not one.running),
        "advances": len(schedule.advances),
        "distance": sum(weights[run.release.name] * _count_days(case, run) for run in case.runs),
        "unrepeatable": sum(1 for run in case.runs if not is_repeatable(problem, case, run)),
    }


def _count_moves(wish: Wish, case: Case) -> int:
    placed = {run.key: run.booking for run in case.runs}
    moved = 0
    for supply in wish.supplies:
        for one in supply.bookings:
            key = one.release or "", one.rehearsal or ""
            if one.what == "rehearsal" and key in case.keys:
                now = placed.get(key)
                moved += now is None or (now.sandbox, now.start) != (one.sandbox, one.start)
    return moved


def _count_days(case: Case, run: Run) -> int:
    one = run.rehearsal
    wished = subtract_span(run.release.go_live, one.target, one.zone, case.wish.policy.hours.days)
    return abs((local_day(run.start, one.zone) - local_day(wished, one.zone)).days)


def is_repeatable(problem: Problem, case: Case, run: Run) -> bool:
    """Whether there is room for a second run in the same sandbox."""
    name, axis, length = run.booking.sandbox, problem.axis, run.end - run.start
    demand = next(one for one in problem.demands if one.key == run.key)
    first = _first_second(case, run)
    if first is None:
        return False
    taken = [_taken(case, other) for other in case.runs if other.booking.sandbox == name and other is not run]
    taken += [Window(one.start, one.free_at) for one in case.others(name)]
    taken += [Window(one.start, one.end) for one in case.schedule.advances if one.sandbox == name]
    taken += [Window(case.off(one), one.ready) for one in case.refreshes(name)]
    taken += _burned_by_others(case, name)
    starts = build_second_starts(problem, demand, name)
    for minute in starts[bisect_left(starts, axis.up(first)) :]:
        window = Window(axis.instant(minute), axis.instant(minute) + length)
        if not any(one.overlaps(window) for one in taken):
            return True
    return False


def _first_second(case: Case, run: Run) -> datetime | None:
    """The earliest second start: after the full reset; after a burn or for a fresh start, after the next refresh."""
    name, held = run.booking.sandbox, case.held(run)
    burns = case.burns(run)
    bounds = [held if burns else held + case.supply(name).reset_time]
    if burns or run.rehearsal.needs.start == "fresh":
        ways = (one.ready for one in case.refreshes(name) if _gone_from(case, one) >= held)
        again = min(ways, default=None)
        if again is None:
            return None
        bounds.append(again)
    return max(bounds)


def _gone_from(case: Case, one: Refresh) -> datetime:
    """From when a refresh ends what was there before it: a copy that is under way already, only with its activation."""
    return one.activate if one.running else case.off(one)


def _taken(case: Case, run: Run) -> Window:
    """What another rehearsal takes: no reset is left out."""
    if run.fixed and run.start <= case.wish.now:
        return Window(run.start, run.booking.free_at)
    held = case.held(run)
    return Window(run.start, held if case.burns(run) else held + case.supply(run.booking.sandbox).reset_time)


def _burned_by_others(case: Case, name: str) -> list[Window]:
    """Stretches in which a sandbox is burned: from what burns to the next readiness."""
    never = case.wish.now + timedelta(days=36500)
    force = case.force(name)
    since = (force.activated or force.copied or force.requested) if force else None
    ends = [run.end for run in case.runs if run.booking.sandbox == name and case.burns(run)]
    ends += [one.end for one in case.others(name) if one.burns]
    found = []
    for end in ends:
        if since is None or end >= since:
            ready = [one.ready for one in case.refreshes(name) if one.ready >= end]  # settling may take no time
            found.append(Window(end, min(ready, default=never)))
    return found
