"""One sandbox as the solver sees it: the state it is in, what is booked, and when refreshes are allowed. Pure.

The two dates of the ledger become one here, by `plan_with`. A copy under way keeps its request; a sandbox whose copies
cannot be predicted (an unknown type, a stopped copy) gets no new refresh, and is used as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from rehearse.schedule.axis import Axis, Ranges, intersect, minutes, subtract
from rehearse.schedule.demand import in_force, is_gone, ready_at, taken_until
from rehearse.schedule.ledger import COPY_TIMES, DONE, Availability, Cycle, build_availability, interval_of
from rehearse.schedule.model import Booking, Supply, Window, Wish
from rehearse.schedule.rows import Key, Lifted, Row
from rehearse.schedule.wall import build_hours

Basis = Literal["request", "end", "activation"]
RUNNING = ("pending", "copying", "suspended", "pending-activation", "activating")
"""States of a copy that ends in an activation, of itself or by somebody; a suspended one goes on by itself, later."""
ACTIVATION_LIMIT = timedelta(days=30)
"""How long a finished copy waits for its activation before the platform drops it (Salesforce Help)."""


@dataclass(frozen=True)
class Block:
    """Something booked that the planner does not move and that is no rehearsal of this planning."""

    start: int
    end: int
    burns: bool
    advance: str | None = None


@dataclass(frozen=True)
class Planned:
    """A refresh whose request, or whose activation too, is settled: a copy under way, or one that was booked."""

    request: int
    copied: int
    activations: tuple[int, ...]
    running: bool
    since: frozenset[str]


@dataclass(frozen=True)
class Cadence:
    """When new refreshes may be requested: the earliest minute, the copy, the interval and what it counts from."""

    first: int
    copy: int
    interval: int
    basis: Basis


@dataclass(frozen=True)
class Site:
    """A sandbox for the solver, in minutes. The state is that of the refresh in force now.

    `ready`: usable from here on; `requested`: when its data was copied, None = unknown; `since`: releases that went
    live before that; `untouched`: nothing has started in it since it was ready.
    """

    name: str
    reset: int
    ready: int
    requested: int | None
    since: frozenset[str]
    untouched: bool
    advanced: frozenset[str]
    burned: bool
    ran: bool
    blocks: tuple[Block, ...]
    planned: tuple[Planned, ...]
    cadence: Cadence | None


def build_site(wish: Wish, axis: Axis, supply: Supply, keys: frozenset[Key], lifted: Lifted) -> Site:
    """A sandbox as the solver sees it; `keys` are the rehearsals of this planning."""
    last = max(supply.cycles, key=lambda one: one.requested, default=None)
    force = in_force(supply)
    activated = None if force is None else force.activated or force.copied or force.requested
    ready = wish.now if activated is None else activated + wish.policy.settle
    own = [one for one in supply.bookings if one.what != "refresh" and (activated is None or one.start >= activated)]
    begun = [one for one in own if one.start <= wish.now]
    burned = any(one.burns and one.end <= wish.now and not _is_lifted(one, supply, keys, lifted) for one in begun)
    done = {one.release for one in begun if one.what == "advance" and one.end <= wish.now}
    return Site(
        name=supply.name,
        reset=minutes(supply.reset_time),
        ready=axis.up(ready_at(wish, supply)),
        requested=None if force is None else axis.down(force.requested),
        since=frozenset() if force is None else gone_live(wish, force.requested),
        untouched=force is not None and not any(one.start >= ready for one in begun),
        advanced=frozenset(one for one in done if one)
        | frozenset(release for release, sandbox in wish.advanced if sandbox == supply.name),
        burned=burned,
        ran=bool(begun),
        blocks=tuple(
            _build_block(axis, one, supply, keys, lifted) for one in supply.bookings if _blocks(wish, one, keys)
        ),
        planned=_build_planned(wish, axis, supply, last),
        cadence=_build_cadence(wish, axis, supply, last, lifted),
    )


def gone_live(wish: Wish, requested: datetime) -> frozenset[str]:
    """The releases that went live at or before a request, and that its copy therefore holds."""
    return frozenset(one.name for one in wish.releases if one.go_live <= requested)


def _is_lifted(one: Booking, supply: Supply, keys: frozenset[Key], lifted: Lifted) -> bool:
    if (one.release, one.rehearsal) in keys:
        return Row("burns", one.release or "", one.rehearsal or "") in lifted
    return Row("burns", one.release or "", one.rehearsal or one.id, supply.name) in lifted


def _blocks(wish: Wish, one: Booking, keys: frozenset[Key]) -> bool:
    """Whether a booking is a block: not over, no rehearsal of this planning, and nothing that may be planned afresh."""
    if one.free_at <= wish.now or one.what == "refresh":
        return False
    if one.what == "advance" and wish.replan and one.start > wish.now:
        return one.release not in {release.name for release in wish.releases}
    return not (one.what == "rehearsal" and (one.release or "", one.rehearsal or "") in keys)


def _build_block(axis: Axis, one: Booking, supply: Supply, keys: frozenset[Key], lifted: Lifted) -> Block:
    start, end = axis.outer(Window(one.start, one.free_at))
    burning = one.burns and not _is_lifted(one, supply, keys, lifted)
    return Block(start, end, burning, one.release if one.what == "advance" else None)


def build_copy_time(supply: Supply) -> timedelta | None:
    """How long the planner expects a copy to take; None where nothing is known."""
    return supply.copy_time or COPY_TIMES.get(supply.type or "")


def _build_planned(wish: Wish, axis: Axis, supply: Supply, last: Cycle | None) -> tuple[Planned, ...]:
    copy = build_copy_time(supply) or timedelta(hours=48)
    found = []
    due = [] if wish.replan else sorted(_refreshes(supply), key=lambda one: one.start)
    if last is not None and last.state in RUNNING:
        copied = last.copied or max(last.requested + copy, wish.now)  # one that is late is made now at the earliest
        asked = [axis.up(_activation(wish, one)) for one in due if _is_due(wish, one)]
        if (running := _build_running(wish, axis, supply, (last, copied, asked))) is not None:
            found.append(running)
    for one in due:
        if one.request is not None and not _is_due(wish, one):
            request, activation = axis.down(one.request), axis.down(_activation(wish, one))
            since = gone_live(wish, one.request)
            found.append(Planned(request, request + minutes(copy), (activation,), False, since))
    return tuple(found)


def _is_due(wish: Wish, one: Booking) -> bool:
    """Whether a booked refresh should have been requested by now: then it is the copy under way, or was missed."""
    return one.request is not None and one.request < wish.now


def _activation(wish: Wish, one: Booking) -> datetime:
    """When a booked refresh is to be activated; where copies make a sandbox unusable, its booking begins earlier."""
    return one.start if wish.policy.usable_during_copy else one.end - wish.policy.settle


def _refreshes(supply: Supply) -> list[Booking]:
    return [one for one in supply.bookings if one.what == "refresh"]


def _build_running(
    wish: Wish, axis: Axis, supply: Supply, dates: tuple[Cycle, datetime, Sequence[int]]
) -> Planned | None:
    """A copy under way with the minutes at which it may be activated: when that is booked, as long as it can be (also
    off the grid: what is booked stays), at once where it is being activated. None when the platform has dropped it.
    """
    cycle, copied, asked = dates
    first, last = max(copied, wish.now), copied + ACTIVATION_LIMIT
    if first > last:
        return None
    if cycle.state == "activating":
        asked = (axis.up(wish.now),)
    settle = minutes(wish.policy.settle)
    taken: Ranges = tuple(
        sorted(
            (axis.down(one.start) - settle + 1, axis.up(taken_until(wish, supply, one)))
            for one in supply.bookings
            if one.what != "refresh"
        )
    )
    can_be = subtract(((axis.up(first), axis.down(last) + 1),), taken)
    free = tuple(one for one in asked if any(start <= one < end for start, end in can_be))[:1]
    free = free or axis.points(intersect(build_activations(wish, axis), can_be))
    if not free:
        return None
    return Planned(axis.down(cycle.requested), axis.up(copied), free, True, gone_live(wish, cycle.requested))


def build_activations(wish: Wish, axis: Axis) -> Ranges:
    """The minutes at which somebody of the team can activate a copy."""
    last = axis.grid[-1] if axis.grid else 0
    windows = build_hours(wish.policy.hours, wish.policy.zone, Window(axis.instant(0), axis.instant(last + 1)))
    return tuple(axis.inner(one) for one in windows)


def _build_cadence(wish: Wish, axis: Axis, supply: Supply, last: Cycle | None, lifted: Lifted) -> Cadence | None:
    interval = interval_of(supply.type, supply.cycles)
    copy = build_copy_time(supply)
    if interval is None or copy is None or is_gone(supply):
        return None
    if last is not None and last.state not in (*DONE, *RUNNING):
        return None
    free = Row("interval", sandbox=supply.name) in lifted
    found = build_availability(supply.name, supply.type, supply.cycles, wish.now, wish.policy.clock)
    first = axis.up(wish.now)
    if last is not None and last.state in DONE and not free:
        date = found.possible_from if plans_with_possible(wish, supply) else found.certain_from
        if date is None:
            return None  # a person's entry that lacks its end: nothing certain follows from it
        first = max(first, axis.up(date))
    elif last is not None and last.state in DONE and (at := last.activated or last.copied) is not None:
        first = max(first, axis.up(at))
    return Cadence(first, minutes(copy), 0 if free else minutes(interval), _basis(wish, supply, found))


def plans_with_possible(wish: Wish, supply: Supply) -> bool:
    """Which of the two dates of the ledger counts for a sandbox."""
    return supply.possible or wish.policy.plan_with == "possible"


def _basis(wish: Wish, supply: Supply, found: Availability) -> Basis:
    rule = wish.policy.clock
    if rule != "learn":
        return rule
    if found.settled:
        return found.rule
    return "request" if plans_with_possible(wish, supply) else "activation"


def build_request_ranges(wish: Wish, axis: Axis, cadence: Cadence, lifted: Lifted) -> Ranges:
    """The minutes at which a refresh may be requested: from the earliest on, so that no go-live falls into its copy."""
    last = axis.grid[-1] + 1 if axis.grid else 0
    forbidden = tuple(
        sorted(
            (axis.down(one.go_live) - cadence.copy + 1, axis.up(one.go_live))
            for one in wish.releases
            if Row("go_live_copy", one.name) not in lifted
        )
    )
    return subtract(((cadence.first, last),), forbidden) if cadence.first < last else ()
