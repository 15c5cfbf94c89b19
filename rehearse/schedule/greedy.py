"""A first schedule at once: each rehearsal in turn at the place that costs least, without asking for any refresh.

The weightiest come first. It keeps every rule, proves nothing, and leaves out what has no place beside what came
before; the search that follows starts from what it found.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from rehearse.schedule.answer import build_booking, build_warnings, finish_bookings
from rehearse.schedule.demand import Demand
from rehearse.schedule.greedy_state import Stay, build_stays
from rehearse.schedule.model import Advance, Booking, Refresh, Schedule, Unplaced
from rehearse.schedule.problem import Chance, Problem
from rehearse.schedule.rows import Key
from rehearse.schedule.site import Planned
from rehearse.schedule.solver_board import hold_offsets
from rehearse.schedule.solver_goals import count_days
from rehearse.schedule.solver_refresh import oldest_request
from rehearse.schedule.wall import add_span

_DAY = 1440


@dataclass(frozen=True)
class _Option:
    """One way to place a rehearsal, with the advances that it needs before it."""

    stay: Stay
    start: int
    advances: tuple[tuple[Chance, int], ...]


def place_greedily(problem: Problem) -> Schedule:
    """A schedule that keeps every rule, made in one pass."""
    greedy = _Greedy(problem)
    for demand in sorted(problem.demands, key=lambda one: (-one.weight, one.burns, one.release.go_live, one.key)):
        greedy.place(demand)
    return greedy.schedule()


class _Greedy:
    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.stays = build_stays(problem)
        self.chances = {(one.sandbox, one.release.name): one for one in problem.chances}
        self.found: dict[Key, tuple[str, int]] = {}
        self.refused: set[Key] = set()
        self.people: dict[str, list[tuple[int, int]]] = {}
        for demand in problem.demands:
            if demand.fixed:
                ((name, starts),) = demand.starts.items()
                self._note(demand, name, starts[0])

    def _note(self, demand: Demand, name: str, start: int) -> None:
        self.found[demand.key] = name, start
        for person in demand.people:
            self.people.setdefault(person, []).append((start, start + demand.length))

    def place(self, demand: Demand) -> None:
        """The best way that there is now, or none; what it follows is placed before it."""
        if demand.key in self.found or demand.key in self.refused:
            return
        first = next((one for one in self.problem.demands if one.key == demand.after), None)
        if first is not None:
            self.place(first)
        options = [] if first is not None and first.key not in self.found else list(self._options(demand, first))
        if not options:
            self.refused.add(demand.key)
            return
        _, best = min(options, key=lambda one: one[0])
        self._take(demand, best)

    def _options(self, demand: Demand, first: Demand | None) -> Iterator[tuple[tuple[int, int, int], _Option]]:
        problem, held = self.problem, hold_offsets(self.problem, demand)
        earliest = 0 if first is None else self._after(first, demand)
        for name, starts in demand.starts.items():
            for _, some in groupby(starts[bisect_left(starts, earliest) :], lambda one: one // _DAY):
                for start in some:
                    option = self._option(demand, name, start, held[start])
                    if option is not None:
                        cost = len(option.advances), count_days(problem, demand, start), start
                        yield cost, option
                        break

    def _after(self, first: Demand, demand: Demand) -> int:
        axis, rehearsal = self.problem.axis, demand.rehearsal
        end = axis.instant(self.found[first.key][1] + first.length)
        return axis.up(add_span(end, rehearsal.gap, rehearsal.zone, self.problem.wish.policy.hours.days))

    def _option(self, demand: Demand, name: str, start: int, held: int) -> _Option | None:
        site = self.problem.site(name)
        end = start + held + (0 if demand.burns else site.reset)
        stay = next((one for one in self.stays[name] if one.ready <= start and end <= one.until), None)
        if stay is None or not stay.takes(start, end, burns=demand.burns):
            return None
        busy = (span for person in demand.people for span in self.people.get(person, ()))
        if any(start < until and since < start + demand.length for since, until in busy):
            return None
        if demand.age is not None and stay.requested < oldest_request(self.problem, demand, start):
            return None
        if demand.fresh and not stay.is_fresh(start):
            return None
        advances = self._advances(demand, stay, start)
        if advances is None or (demand.fresh and advances):
            return None
        return _Option(stay, start, advances)

    def _advances(self, demand: Demand, stay: Stay, start: int) -> tuple[tuple[Chance, int], ...] | None:
        """What must be advanced before a start, and when: in the order of the go-lives, as early as there is room."""
        axis = self.problem.axis
        needed = [one for one in self.problem.earlier.get(demand.key, ()) if axis.up(one.go_live) <= start]
        missing = [
            one for one in needed if one.name not in stay.held and stay.advanced.get(one.name, start + 1) > start
        ]
        if not missing:
            return ()
        found: list[tuple[Chance, int]] = []
        before = max([stay.ready, *stay.advanced.values()])
        for release in missing:
            chance = self.chances.get((stay.sandbox, release.name))
            if chance is None or chance.fixed or release.name in stay.advanced:
                return None
            at = next((one for one in chance.starts if one >= before and stay.takes(one, one + chance.length)), None)
            if at is None or at + chance.length > start:
                return None
            found.append((chance, at))
            before = at + chance.length
        return tuple(found)

    def _take(self, demand: Demand, option: _Option) -> None:
        stay, start = option.stay, option.start
        for chance, at in option.advances:
            stay.take(at, at + chance.length)
            stay.advanced[chance.release.name] = at + chance.length
        reset = 0 if demand.burns else self.problem.site(stay.sandbox).reset
        stay.take(start, start + hold_offsets(self.problem, demand)[start] + reset, burns=demand.burns)
        if demand.fresh:
            stay.closed_before = max(stay.closed_before, start)
        self._note(demand, stay.sandbox, start)

    def schedule(self) -> Schedule:
        """What was found as a schedule; its goals are not counted yet."""
        problem = self.problem
        placed = tuple(self._booking(one) for one in problem.demands if one.key in self.found)
        missing = tuple(
            Unplaced(one.rehearsal.name, one.rehearsal.release, one.rehearsal.kind, ())
            for one in problem.demands
            if one.key not in self.found
        )
        refreshes = tuple(self._refresh(site.name, one) for site in problem.sites for one in site.planned)
        advances = tuple(sorted(self._placed_advances(), key=lambda one: (one.start, one.sandbox)))
        bookings = finish_bookings(problem, placed, refreshes, advances)
        return Schedule(bookings, refreshes, advances, missing, (), build_warnings(problem))

    def _booking(self, demand: Demand) -> Booking:
        return build_booking(self.problem, demand, *self.found[demand.key])

    def _refresh(self, name: str, one: Planned) -> Refresh:
        axis, policy = self.problem.axis, self.problem.wish.policy
        request, at = axis.instant(one.request), axis.instant(one.activations[0])
        off = None if policy.usable_during_copy or one.running else request
        return Refresh(name, request, axis.instant(one.copied), at, at + policy.settle, one.running, off)

    def _placed_advances(self) -> Iterator[Advance]:
        axis = self.problem.axis
        for name, stays in self.stays.items():
            for stay in stays:
                for release, end in stay.advanced.items():
                    length = timedelta(minutes=self.chances[name, release].length)
                    yield Advance(name, release, axis.instant(end) - length, axis.instant(end))
