"""At which minutes a rehearsal could be run a second time in a sandbox, by the calendar alone. Pure.

Grid, hours, blackouts, the deadline (the earlier of `go_live - before_go_live` and `not_after`) and the horizon count;
people, pins, order, fresh starts and the age of data do not.
"""

from __future__ import annotations

from rehearse.schedule.axis import Ranges, intersect, minutes, subtract
from rehearse.schedule.demand import Demand, build_closed_starts, build_hour_starts, deadline, horizon, is_go_live_time
from rehearse.schedule.problem import Problem
from rehearse.schedule.rows import row_of


def build_second_starts(problem: Problem, demand: Demand, sandbox: str) -> list[int]:
    """The minutes at which a second run may start, earliest first."""
    wish, axis, one = problem.wish, problem.axis, demand.rehearsal
    length = minutes(one.duration.amount)
    ends = [horizon(wish)]
    if row_of("before_go_live", one) not in problem.lifted:
        ends.append(deadline(wish, demand.release, one))
    if one.not_after and row_of("not_after", one) not in problem.lifted:
        ends.append(one.not_after)
    ranges: Ranges = ((axis.up(wish.now), axis.down(min(ends)) - length + 1),)
    if row_of("hours", one) not in problem.lifted:
        ranges = intersect(ranges, build_hour_starts(wish, axis, one))
    supply = next(found for found in wish.supplies if found.name == sandbox)
    points = axis.points(subtract(ranges, build_closed_starts(wish, axis, one, supply, problem.lifted)))
    if one.hours == "go_live" and row_of("hours", one) not in problem.lifted:
        points = tuple(minute for minute in points if is_go_live_time(axis.instant(minute), wish, demand.release))
    return [minute for minute in points if minute >= problem.site(sandbox).ready]
