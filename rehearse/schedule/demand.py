"""What one rehearsal asks of time and place: in which sandbox it may start at which minute, by its own rules. Pure.

Only rules that look at the rehearsal alone are here (type, tags, hours, bounds, blackouts, people's hours, pin); what
depends on refreshes or on others is the solver's. A booking that stays is a demand with one start, whatever the rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rehearse.clock import Hours, Span
from rehearse.release.model import Rehearsal, Release
from rehearse.schedule.axis import (
    Axis,
    Ranges,
    intersect,
    minutes,
    starts_inside,
    starts_touching,
    subtract,
)
from rehearse.schedule.ledger import GONE, Cycle, find_in_force
from rehearse.schedule.model import Booking, Somebody, Supply, Window, Wish
from rehearse.schedule.rows import Key, Lifted, Row, row_of
from rehearse.schedule.wall import add_span, build_hours, subtract_span


@dataclass(frozen=True)
class Demand:
    """One rehearsal for the solver, in minutes. `fixed`: a booking that stays; `done`: it has ended already."""

    key: Key
    rehearsal: Rehearsal
    release: Release
    weight: int
    length: int
    starts: Mapping[str, tuple[int, ...]]
    burns: bool
    fresh: bool
    age: Span | None
    after: Key | None
    people: tuple[str, ...]
    booking: Booking | None = None
    fixed: bool = False
    done: bool = False


def weight_of(release: Release) -> int:
    """What an unplaced rehearsal of a release costs: 10^(4 - priority)."""
    return int(10 ** (4 - release.priority))


def build_demand(wish: Wish, axis: Axis, release: Release, rehearsal: Rehearsal, lifted: Lifted) -> Demand:
    """A rehearsal as the solver sees it."""
    key = (release.name, rehearsal.name)
    booking = find_booking(wish, key)
    fixed = booking is not None and (not wish.replan or booking.start <= wish.now)
    if booking is not None and fixed:
        starts: Mapping[str, tuple[int, ...]] = {booking.sandbox: (axis.down(booking.start),)}
    else:
        starts = build_starts(wish, axis, release, rehearsal, lifted)
    needs = rehearsal.needs
    return Demand(
        key=key,
        rehearsal=rehearsal,
        release=release,
        weight=weight_of(release),
        length=minutes(booking.end - booking.start if fixed and booking else rehearsal.duration.amount),
        starts=starts,
        burns=burns(wish, rehearsal, booking) and row_of("burns", rehearsal) not in lifted,
        fresh=needs.start == "fresh" and row_of("fresh", rehearsal) not in lifted,
        age=None if row_of("data_age", rehearsal) in lifted else needs.data_age,
        after=(release.name, rehearsal.after) if rehearsal.after and row_of("after", rehearsal) not in lifted else None,
        people=tuple(one for one in rehearsal.people if Row("people", name=one) not in lifted),
        booking=booking,
        fixed=fixed,
        done=booking is not None and booking.end <= wish.now,
    )


def find_booking(wish: Wish, key: Key) -> Booking | None:
    """The booking that a rehearsal has, the newest where there are several."""
    found = [
        one
        for supply in wish.supplies
        for one in supply.bookings
        if one.what == "rehearsal" and (one.release, one.rehearsal) == key
    ]
    return max(found, key=lambda one: one.start, default=None)


def burns(wish: Wish, rehearsal: Rehearsal, booking: Booking | None) -> bool:
    """Whether a rehearsal leaves its sandbox unusable; an unknown forecast counts as undoable."""
    if rehearsal.forecast != "auto":
        return rehearsal.forecast == "burns"
    return (rehearsal.release, rehearsal.name) in wish.burns or (booking is not None and booking.burns)


def build_starts(
    wish: Wish, axis: Axis, release: Release, rehearsal: Rehearsal, lifted: Lifted
) -> dict[str, tuple[int, ...]]:
    """Sandbox -> minutes at which the rehearsal may start there by its own rules; without any it is left out."""
    common = _bounds(wish, axis, release, rehearsal, lifted)
    if row_of("hours", rehearsal) not in lifted:
        common = intersect(common, build_hour_starts(wish, axis, rehearsal))
    for person in wish.people:
        if person.name in rehearsal.people and Row("people", name=person.name) not in lifted:
            common = _with_person(common, wish, axis, rehearsal, person)
    found = {}
    for supply in wish.supplies:
        if serves(supply, rehearsal, lifted):
            ranges = subtract(common, build_closed_starts(wish, axis, rehearsal, supply, lifted))
            ranges = subtract(ranges, ((0, axis.up(ready_at(wish, supply))),))
            if points := _points(wish, axis, release, (rehearsal, ranges), lifted):
                found[supply.name] = points
    return found


def serves(supply: Supply, rehearsal: Rehearsal, lifted: Lifted) -> bool:
    """Whether a sandbox has the type and the tags, and is the one of the pin."""
    needs, pin = rehearsal.needs, rehearsal.pin.sandbox
    if is_gone(supply):
        return False
    return (
        (not needs.types or supply.type in needs.types or row_of("type", rehearsal) in lifted)
        and (set(needs.tags) <= set(supply.tags) or row_of("tags", rehearsal) in lifted)
        and (pin is None or pin.lower() == supply.name.lower() or row_of("pin", rehearsal) in lifted)
    )


def is_gone(supply: Supply) -> bool:
    """Whether a sandbox was deleted."""
    last = max(supply.cycles, key=lambda one: one.requested, default=None)
    return last is not None and last.state in GONE


def in_force(supply: Supply) -> Cycle | None:
    """The refresh that the sandbox holds now."""
    return find_in_force(supply.cycles)


def ready_at(wish: Wish, supply: Supply) -> datetime:
    """From when on a sandbox may be used: now, or when the refresh in force has settled."""
    force = in_force(supply)
    if force is None:
        return wish.now
    return max(wish.now, (force.activated or force.copied or force.requested) + wish.policy.settle)


def deadline(wish: Wish, release: Release, rehearsal: Rehearsal) -> datetime:
    """The latest end by the go-live: `before_go_live` before it."""
    return subtract_span(release.go_live, rehearsal.before_go_live, rehearsal.zone, wish.policy.hours.days)


def horizon(wish: Wish) -> datetime:
    """The latest end of anything."""
    return add_span(wish.now, wish.policy.horizon, wish.policy.zone, wish.policy.hours.days)


def _bounds(wish: Wish, axis: Axis, release: Release, one: Rehearsal, lifted: Lifted) -> Ranges:
    starts, ends = [wish.now], [horizon(wish)]
    if release.ready and Row("ready", release.name) not in lifted:
        starts.append(release.ready)
    if one.not_before and row_of("not_before", one) not in lifted:
        starts.append(one.not_before)
    if one.not_after and row_of("not_after", one) not in lifted:
        ends.append(one.not_after)
    if row_of("before_go_live", one) not in lifted:
        ends.append(deadline(wish, release, one))
    first, last = axis.up(max(starts)), axis.down(min(ends)) - minutes(one.duration.amount)
    for key, before in wish.earlier:
        if key == (release.name, one.name):
            last = min(last, axis.up(before) - 1)
    return ((first, last + 1),) if first <= last else ()


def build_hour_starts(wish: Wish, axis: Axis, rehearsal: Rehearsal) -> Ranges:
    """The starts that keep a rehearsal inside its hours; `go_live` binds points, not ranges, and is held elsewhere."""
    whole = ((0, axis.grid[-1] + 1),) if axis.grid else ()
    if isinstance(rehearsal.hours, str) and rehearsal.hours != "calendar":
        return whole
    hours = wish.policy.hours if rehearsal.hours == "calendar" else rehearsal.hours
    assert isinstance(hours, Hours)
    windows = build_hours(hours, rehearsal.zone, _span(axis))
    return starts_inside([axis.inner(one) for one in windows], minutes(rehearsal.duration.amount))


def _span(axis: Axis) -> Window:
    last = axis.grid[-1] if axis.grid else 0
    return Window(axis.instant(0), axis.instant(last + 2 * 1440))


def build_closed_starts(
    wish: Wish, axis: Axis, rehearsal: Rehearsal, supply: Supply, lifted: Lifted = frozenset()
) -> Ranges:
    """The starts from which a rehearsal would touch a blackout of a sandbox."""
    closed = [
        axis.outer(one.window)
        for one in wish.closed
        if (not one.sandboxes or supply.name in one.sandboxes) and Row("blackout", name=one.name) not in lifted
    ]
    return starts_touching(closed, minutes(rehearsal.duration.amount))


def _with_person(common: Ranges, wish: Wish, axis: Axis, rehearsal: Rehearsal, person: Somebody) -> Ranges:
    length = minutes(rehearsal.duration.amount)
    common = subtract(common, starts_touching([axis.outer(one) for one in person.away], length))
    if person.hours is None or rehearsal.hours in ("any", "go_live"):
        return common
    windows = build_hours(person.hours, person.zone, _span(axis))
    return intersect(common, starts_inside([axis.inner(one) for one in windows], length))


def _points(
    wish: Wish, axis: Axis, release: Release, wanted: tuple[Rehearsal, Ranges], lifted: Lifted
) -> tuple[int, ...]:
    """Grid points of ranges, or the pinned minute; for `hours: go_live` only those with its weekday and clock time."""
    rehearsal, ranges = wanted
    at = rehearsal.pin.at
    points: tuple[int, ...]
    if at is not None and row_of("pin", rehearsal) not in lifted:
        minute = axis.down(at)
        points = (minute,) if any(start <= minute < end for start, end in ranges) else ()
    else:
        points = axis.points(ranges)
    if rehearsal.hours == "go_live" and row_of("hours", rehearsal) not in lifted:
        points = tuple(one for one in points if is_go_live_time(axis.instant(one), wish, release))
    return points


def is_go_live_time(instant: datetime, wish: Wish, release: Release) -> bool:
    """Whether an instant has the weekday and the clock time of the go-live, in the calendar's zone."""
    here, there = (one.astimezone(wish.policy.zone) for one in (instant, release.go_live))
    return here.weekday() == there.weekday() and here.time() == there.time()


def taken_until(wish: Wish, supply: Supply, one: Booking) -> datetime:
    """Until when something booked has its sandbox, a refresh that comes next left out of account.

    A rehearsal that stays has the hold of its release file, which may have become longer since it was booked; the reset
    after it, where something else begins before that is over.
    """
    key = one.release, one.rehearsal
    known = (each for release in wish.releases for each in release.rehearsals if (release.name, each.name) == key)
    rehearsal = next(known, None)
    if one.what != "rehearsal" or rehearsal is None or wish.replan or one.start <= wish.now:
        return one.free_at
    held = add_span(one.end, rehearsal.hold, rehearsal.zone, wish.policy.hours.days)
    after = held + supply.reset_time
    others = [each.start for each in supply.bookings if each.what != "refresh"]
    return max(one.free_at, after if any(one.start < start < after for start in others) else held)
