"""Small planning worlds from a number, and every possible schedule of a tiny one, for the tests of the planner."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from rehearse import clock
from rehearse.clock import Hours, Span
from rehearse.release.model import Needs, Pin, Rehearsal, Release
from rehearse.schedule.answer import finish_bookings
from rehearse.schedule.goals import count_goals
from rehearse.schedule.ledger import Cycle
from rehearse.schedule.model import (
    Advance,
    Booking,
    Closed,
    Policy,
    Refresh,
    Schedule,
    Somebody,
    Supply,
    Unplaced,
    Window,
    Wish,
)
from rehearse.schedule.problem import build_problem
from rehearse.schedule.rules import RULES, check
from rehearse.schedule.rules_case import Case
from rehearse.schedule.rules_refresh import REFRESH_RULES
from rehearse.schedule.solver_goals import list_goals

EVERY_RULE = (*RULES, *REFRESH_RULES)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DUBLIN = ZoneInfo("Europe/Dublin")
NOW = clock.from_iso("2026-11-23T08:00:00Z")
ALL_DAY = Hours((0, 1, 2, 3, 4, 5, 6), time(0), time(0))
OFFICE = Hours((0, 1, 2, 3, 4), time(9), time(18))


def build_policy(**more: object) -> Policy:
    values: dict[str, object] = {
        "zone": DUBLIN,
        "hours": OFFICE,
        "grid": 30 * timedelta(minutes=1),
        "horizon": Span(timedelta(weeks=8)),
        **more,
    }
    return Policy(**values)  # type: ignore[arg-type]


def build_cycle(sandbox: str, licence: str, requested: datetime, copy: timedelta = 30 * HOUR, **more: object) -> Cycle:
    copied = requested + copy
    values = {"state": "completed", "org_id": "00D000000000001AAA", "copied": copied, "activated": copied, **more}
    return Cycle(id=f"{sandbox}{requested}", sandbox=sandbox, licence=licence, requested=requested, **values)  # type: ignore[arg-type]


def build_supply(name: str, licence: str = "FULL", days_ago: float | None = 18, **more: object) -> Supply:
    cycles = () if days_ago is None else (build_cycle(name, licence, NOW - days_ago * DAY),)
    values: dict[str, object] = {"tags": (), "cycles": cycles, "copy_time": 36 * HOUR, **more}
    return Supply(name, licence, **values)  # type: ignore[arg-type]


def build_rehearsal(name: str, release: str = "R1", length: float = 4, **more: object) -> Rehearsal:
    values: dict[str, object] = {
        "kind": "mock",
        "duration": Span(length * HOUR),
        "zone": DUBLIN,
        "target": Span(7 * DAY),
        "forecast": "undoable",
        **more,
    }
    return Rehearsal(name, release, **values)  # type: ignore[arg-type]


def build_release(name: str, go_live: datetime, *rehearsals: Rehearsal, **more: object) -> Release:
    values: dict[str, object] = {
        "title": name,
        "file": f"{name}.yaml",
        "ready": None,
        "window": Span(6 * HOUR),
        "advance": Span(4 * HOUR),
        "priority": 3,
        "package": None,
        **more,
    }
    return Release(name=name, go_live=go_live, rehearsals=rehearsals, **values)  # type: ignore[arg-type]


def build_wish(supplies: list[Supply], releases: list[Release], **more: object) -> Wish:
    values: dict[str, object] = {"now": NOW, "policy": build_policy(), **more}
    return Wish(supplies=tuple(supplies), releases=tuple(releases), **values)  # type: ignore[arg-type]


def build_random(seed: int, *, tiny: bool) -> Wish:
    """A world from a number: tiny ones have a coarse grid, four rehearsals and two sandboxes at most."""
    return _Dice(random.Random(seed), tiny).wish()


class _Dice:
    def __init__(self, dice: random.Random, tiny: bool) -> None:
        self.dice = dice
        self.tiny = tiny
        self.step = 12 * HOUR if tiny else 2 * HOUR
        self.horizon = dice.choice([3, 4]) * DAY if tiny else dice.choice([20, 45]) * DAY

    def maybe(self, chance: float) -> bool:
        return self.dice.random() < chance

    def wish(self) -> Wish:
        dice = self.dice
        names = ["A", "B"] if self.tiny else ["A", "B", "C", "D"]
        supplies = [self.supply(name) for name in names[: dice.randint(1, len(names))]]
        releases = [self.release(f"R{number}") for number in range(dice.randint(1, 2 if self.tiny else 3))]
        closed = tuple(
            Closed("closed", Window(start, start + dice.choice([1, 3]) * self.step), dice.choice([(), ("A",)]))
            for start in [self.instant()]
            if self.maybe(0.3)
        )
        policy = build_policy(
            grid=self.step,
            hours=ALL_DAY if self.tiny else Hours((0, 1, 2, 3, 4), time(8), time(18)),
            horizon=Span(self.horizon),
            prefer=dice.choice(["few", "few", "fresh"]),
            clock=dice.choice(["learn", "request", "end", "activation"]),
            plan_with=dice.choice(["certain", "possible"]),
            usable_during_copy=self.maybe(0.7),
            settle=dice.choice([0, 6, 12]) * HOUR,
        )
        people = (Somebody("ann", DUBLIN, None, (Window(NOW, NOW + DAY),) if self.maybe(0.3) else ()),)
        return self.booked(build_wish(supplies, releases, policy=policy, closed=closed, people=people))

    def instant(self) -> datetime:
        return NOW - 8 * HOUR + self.dice.randint(0, int(self.horizon / self.step)) * self.step

    def supply(self, name: str) -> Supply:
        dice = self.dice
        licence = dice.choice(["DEVELOPER", "DEVELOPER", "FULL", "PARTIAL"])
        days = dice.choice([None, 0.5, 3, 26, 40])
        copy = dice.choice([12, 24]) * HOUR
        one = build_supply(name, licence, days, tags=dice.choice([(), ("sap",)]), copy_time=copy)
        if days == 0.5:
            running = build_cycle(name, licence, NOW - 0.5 * DAY, state="copying", copied=None, activated=None)
            one = replace(one, cycles=(build_cycle(name, licence, NOW - 40 * DAY), running))
        return replace(one, reset_time=dice.choice([2, 12]) * HOUR)

    def release(self, name: str) -> Release:
        dice = self.dice
        go_live = dice.choice([NOW - 2 * DAY, self.instant() + DAY, self.instant() + 2 * DAY, NOW + self.horizon])
        count = 1 if self.tiny and name == "R1" else dice.randint(1, 2) if self.tiny else dice.randint(1, 4)
        rehearsals = [self.rehearsal(f"m{number}", name, number) for number in range(count)]
        return build_release(
            name,
            go_live,
            *rehearsals,
            priority=dice.randint(1, 4),
            ready=self.instant() if self.maybe(0.2) else None,
            advance=Span(dice.choice([4, 12] if self.tiny else [4, 6]) * HOUR),
        )

    def rehearsal(self, name: str, release: str, number: int) -> Rehearsal:
        dice = self.dice
        needs = Needs(
            types=dice.choice([(), (), ("FULL", "DEVELOPER")]),
            tags=("sap",) if self.maybe(0.15) else (),
            start=dice.choice(["any", "any", "baseline", "fresh"]),
            data_age=Span(dice.choice([1, 2, 5]) * DAY) if self.maybe(0.25) else None,
        )
        return build_rehearsal(
            name,
            release,
            dice.choice([6, 12, 24] if self.tiny else [2, 4, 8]),
            needs=needs,
            target=Span(dice.choice([0, 1, 2, 5]) * DAY),
            before_go_live=Span(dice.choice([0, 1]) * DAY) if self.maybe(0.7) else Span(working_days=1),
            after="m0" if number and self.maybe(0.5) else None,
            gap=Span(dice.choice([0, 12]) * HOUR),
            hold=Span(dice.choice([0, 0, 12]) * HOUR) if self.maybe(0.8) else Span(working_days=1),
            forecast=dice.choice(["undoable", "undoable", "burns"]),
            not_before=self.instant() if self.maybe(0.15) else None,
            not_after=self.instant() + DAY if self.maybe(0.15) else None,
            pin=Pin("A" if self.maybe(0.1) else None, self.instant() + HOUR if self.maybe(0.08) else None),
            people=("ann",) if self.maybe(0.3) else (),
            hours="calendar" if self.tiny or self.maybe(0.7) else "any",
        )

    def booked(self, wish: Wish) -> Wish:
        """Sometimes a rehearsal is booked already, or somebody uses a sandbox."""
        supplies = list(wish.supplies)
        first = supplies[0]
        bookings: list[Booking] = []
        if self.maybe(0.25):
            start = self.instant() + DAY
            bookings.append(Booking("use", first.name, start, start + self.step, start + self.step, "use", why="x"))
        if self.maybe(0.3):
            release = wish.releases[0]
            one = release.rehearsals[0]
            start = self.instant()
            end = start + one.duration.amount
            free = end + first.reset_time
            if not any(other.start < free and start < other.free_at for other in bookings):
                key = f"{release.name}-{one.name}".lower()
                made = Booking(key, first.name, start, end, free, "rehearsal", release.name, one.name, one.kind)
                bookings.append(made)
        supplies[0] = replace(first, bookings=tuple(bookings))
        return replace(wish, supplies=tuple(supplies), replan=self.maybe(0.5))


@dataclass(frozen=True)
class Best:
    """The goals of the best of all schedules, in their order, and one of those schedules."""

    goals: tuple[int, ...]
    schedule: Schedule


class BruteForce:
    """Every schedule of a tiny world, one after another, judged by the rules; the best by the goals."""

    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        self.problem = build_problem(wish)
        every = [self.problem.axis.instant(one) for one in self.problem.axis.grid]
        last = wish.now + wish.policy.horizon.amount
        self.grid = [one for one in every if one <= last]
        self.later = [one for one in every if one > last]
        self.late = self.later[:1]
        self.names = list_goals(self.problem)
        self.best: Best | None = None

    def solve(self) -> Best:
        """Cheap states first, so that dear ones need no look."""
        for refreshes in sorted(self.refresh_sets(), key=len):
            if not self.is_hopeless(0, len([one for one in refreshes if not one.running])):
                for advances in self.advance_sets(refreshes):
                    self.try_state(refreshes, advances)
        assert self.best is not None
        return self.best

    def refresh_sets(self) -> Iterator[tuple[Refresh, ...]]:
        every = [list(self.of_sandbox(supply)) for supply in self.wish.supplies]
        for chosen in itertools.product(*every):
            refreshes = tuple(one for group in chosen for one in group)
            if self.is_right(self.schedule((), refreshes, ()), _STATE):
                yield refreshes

    def of_sandbox(self, supply: Supply) -> Iterator[tuple[Refresh, ...]]:
        site = next((one for one in self.problem.sites if one.name == supply.name), None)
        if site is None:
            return
        running: list[tuple[Refresh, ...]] = [()]
        settle, axis = self.wish.policy.settle, self.problem.axis
        for planned in site.planned:
            instants = [axis.instant(one) for one in planned.activations]
            dates = axis.instant(planned.request), axis.instant(planned.copied)
            instants = [one for one in instants if one in self.grid or one in self.late]
            running = [(Refresh(supply.name, *dates, at, at + settle, planned.running),) for at in instants]
        free: list[Refresh] = []
        if site.cadence is not None:
            copy = site.cadence.copy * timedelta(minutes=1)
            booked = [one.start for one in supply.bookings]  # a refresh may also serve what is booked after the horizon
            last = max([self.grid[-1], *booked])
            grid = [*self.grid, *(one for one in self.later if one < last)]
            free = [
                Refresh(supply.name, one, one + copy, at, at + settle)
                for one in grid
                for at in grid
                if one + copy <= at and at + settle <= last
            ]
        free = [one for one in free if self.is_right(self.schedule((), (one,), ()), {"refresh", "go_live_copy"})]
        for first in running:
            yield first
            for one in free:
                yield (*first, one)
            for one, other in itertools.combinations(free, 2):
                if one.activate <= other.request or other.activate <= one.request:
                    yield (*first, one, other)

    def advance_sets(self, refreshes: tuple[Refresh, ...]) -> Iterator[tuple[Advance, ...]]:
        axis = self.problem.axis
        every = []
        for chance in self.problem.chances:
            spans = [(axis.instant(one), axis.instant(one + chance.length)) for one in chance.starts]
            options: list[Advance | None] = [Advance(chance.sandbox, chance.release.name, *span) for span in spans]
            every.append(options if chance.fixed else [None, *options])
        for chosen in itertools.product(*every):
            advances = tuple(one for one in chosen if one is not None)
            if self.is_right(self.schedule((), refreshes, advances), _STATE):
                yield advances

    def try_state(self, refreshes: tuple[Refresh, ...], advances: tuple[Advance, ...]) -> None:
        every: list[list[Booking | None]] = []
        for demand in self.problem.demands:
            options: list[Booking | None] = [] if demand.fixed else [None]
            for sandbox, starts in demand.starts.items():
                for minute in starts:
                    booking = self.booking(demand.key, sandbox, minute)
                    alone = self.schedule((booking,), refreshes, advances)
                    if demand.fixed or self.is_right(alone, _ALONE):
                        options.append(booking)
            every.append(options)
        out = sum(one.weight for one, options in zip(self.problem.demands, every, strict=True) if options == [None])
        if self.is_hopeless(out, sum(1 for one in refreshes if not one.running)):
            return
        for chosen in itertools.product(*every):
            bookings = tuple(one for one in chosen if one is not None)
            cheap = self.cheap(bookings, refreshes, advances)
            if self.best is not None and cheap > self.best.goals[: len(cheap)]:
                continue
            schedule = self.schedule(bookings, refreshes, advances)
            if not check(schedule, self.wish):
                counted = count_goals(self.problem, schedule)
                goals = tuple(counted[name] for name in self.names)
                if self.best is None or goals < self.best.goals:
                    self.best = Best(goals, schedule)

    def is_hopeless(self, unplaced: int, refreshes: int) -> bool:
        """Whether a state with so many refreshes that leaves so much out cannot be better than the best."""
        if self.best is None or self.wish.policy.prefer == "fresh":
            return self.best is not None and unplaced > self.best.goals[0]
        return (unplaced, 0, refreshes) > self.best.goals[:3]

    def cheap(
        self, bookings: tuple[Booking, ...], refreshes: tuple[Refresh, ...], advances: tuple[Advance, ...]
    ) -> tuple[int, ...]:
        placed = {(one.release, one.rehearsal) for one in bookings}
        unplaced = sum(one.weight for one in self.problem.demands if one.key not in placed)
        if self.wish.policy.prefer == "fresh":
            return (unplaced,)
        moves = count_goals(self.problem, self.schedule(bookings, (), ()))["moves"] if self.wish.replan else 0
        return (unplaced, moves, sum(1 for one in refreshes if not one.running), len(advances))

    def booking(self, key: tuple[str, str], sandbox: str, minute: int) -> Booking:
        demand = next(one for one in self.problem.demands if one.key == key)
        if demand.fixed and demand.booking:
            return demand.booking
        start = self.problem.axis.instant(minute)
        end = start + demand.length * timedelta(minutes=1)
        name = f"{key[0]}-{key[1]}".lower()
        return Booking(name, sandbox, start, end, end, "rehearsal", *key, demand.rehearsal.kind)

    def schedule(
        self, bookings: tuple[Booking, ...], refreshes: tuple[Refresh, ...], advances: tuple[Advance, ...]
    ) -> Schedule:
        placed = {(one.release, one.rehearsal) for one in bookings}
        missing = tuple(
            Unplaced(one.key[1], one.key[0], one.rehearsal.kind, ())
            for one in self.problem.demands
            if one.key not in placed
        )
        finished = finish_bookings(self.problem, bookings, refreshes, advances)
        return Schedule(finished, refreshes, advances, missing, ())

    def is_right(self, schedule: Schedule, rules: set[str]) -> bool:
        case = Case(self.wish, schedule)
        return not any(next(rule(case), None) for name, rule in EVERY_RULE if name in rules)


_STATE = {"refresh", "running", "interval", "copies", "go_live_copy", "advances", "overlap"}
_ALONE = {"fresh", "data_age", "advance", "ready", "overlap", "burns", "bounds", "hours"}


@pytest.fixture(scope="session")
def worlds() -> SimpleNamespace:
    """Builders of small worlds."""
    return SimpleNamespace(
        now=NOW,
        dublin=DUBLIN,
        policy=build_policy,
        cycle=build_cycle,
        supply=build_supply,
        rehearsal=build_rehearsal,
        release=build_release,
        wish=build_wish,
        random=build_random,
    )


@pytest.fixture(scope="session")
def brute_force() -> Callable[[Wish], Best]:
    """The best of all schedules of a tiny world."""
    return lambda wish: BruteForce(wish).solve()
