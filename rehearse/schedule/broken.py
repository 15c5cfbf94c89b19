"""Which bookings the world has broken since they were made: a new blackout, a late refresh, a moved date. Pure.

A booking is marked, never changed: what to do is for people, or for `plan --replan`. Only what the workspace database
and rehearse.yaml know is judged here; a planning that is given the release files also names the rules of those.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from rehearse import clock
from rehearse.schedule.demand import is_gone
from rehearse.schedule.ledger import Cycle, leeway_of
from rehearse.schedule.model import Booking, Closed, Supply, Window, Wish
from rehearse.schedule.site import RUNNING, build_copy_time


@dataclass(frozen=True)
class BrokenBooking:
    """A booking that cannot be kept as it stands, and why."""

    booking: Booking
    text: str


def find_broken(wish: Wish) -> tuple[BrokenBooking, ...]:
    """The coming bookings that can no longer be kept, earliest first, each with everything that is against it."""
    found = []
    for supply in wish.supplies:
        for one in supply.bookings:
            if one.end > wish.now and (why := list(_against(wish, supply, one))):
                found.append(BrokenBooking(one, " ".join(why)))
    return tuple(sorted(found, key=lambda one: (one.booking.start, one.booking.id)))


def _against(wish: Wish, supply: Supply, one: Booking) -> Iterator[str]:
    if is_gone(supply):
        yield f"{supply.name} was deleted."
    if (last := max(supply.cycles, key=lambda cycle: cycle.requested, default=None)) and last.state == "locked":
        yield f"{supply.name} is locked: its licences are used up."
    if one.start > wish.now and one.what != "refresh":
        yield from _blackouts(wish, one)
        yield from _late_go_live(wish, one)
        yield from _not_ready(wish, supply, one)
        yield from _burned(wish, supply, one)
        yield from _unlike_production(wish, supply, one)
    if one.what == "refresh":
        yield from _not_requested(wish, supply, one)


def _blackouts(wish: Wish, one: Booking) -> Iterator[str]:
    window = Window(one.start, one.end)
    for closed in wish.closed:
        if (not closed.sandboxes or one.sandbox in closed.sandboxes) and closed.window.overlaps(window):
            yield f"It runs into the blackout {closed.name} from {clock.show(closed.window.start, wish.policy.zone)}."


def _late_go_live(wish: Wish, one: Booking) -> Iterator[str]:
    release = next((found for found in wish.releases if found.name == one.release), None)
    if release is None:
        return
    at = clock.show(release.go_live, wish.policy.zone)
    if one.what == "rehearsal" and one.end > release.go_live:
        yield f"It ends after the go-live of {release.name} on {at}."
    if one.what == "advance" and one.start < release.go_live:
        yield f"It starts before the go-live of {release.name} on {at}."


def _not_ready(wish: Wish, supply: Supply, one: Booking) -> Iterator[str]:
    """The refresh that a booking waits for is late, or nobody asks for it any more."""
    last = max(supply.cycles, key=lambda cycle: cycle.requested, default=None)
    ready = expect_ready(wish, supply, last)
    show = clock.show
    zone = wish.policy.zone
    waits = ready is not None and last is not None and last.requested < one.start < ready
    if ready is not None and last is not None and waits and (one.prepare == "refresh" or not _is_usable(wish, last)):
        yield f"{supply.name} is not ready before {show(ready, zone)}: its refresh is later than planned."
    if one.prepare != "refresh" or one.ready_by is None:
        return
    if last is not None and last.state == "stopped" and last.requested < one.start:
        yield f"The copy of {supply.name} that it waits for has stopped, and does not go on by itself."
        return
    planned = any(
        other.what == "refresh" and other.end <= one.start and other.end > wish.now for other in supply.bookings
    )
    begun = last is not None and last.activated is None and last.state in RUNNING
    near = one.ready_by - leeway_of(supply.type)
    done = last is not None and last.state == "completed" and _settled(wish, last) >= near
    if not (planned or begun or done):
        yield "The refresh that it waits for is neither booked nor under way."


def list_unready(wish: Wish) -> tuple[Closed, ...]:
    """The times from now on in which the newest copy of a sandbox keeps everybody out of it: no booking stays there."""
    found = []
    for supply in wish.supplies:
        last = max(supply.cycles, key=lambda cycle: cycle.requested, default=None)
        ready = expect_ready(wish, supply, last)
        if last is not None and ready is not None and ready > wish.now and not _is_usable(wish, last):
            found.append(Closed("refresh", Window(wish.now, ready), (supply.name,)))
    return tuple(found)


def _is_usable(wish: Wish, last: Cycle) -> bool:
    """Whether the sandbox is still the old one, and that one may be used while its newest copy is made."""
    return wish.policy.usable_during_copy and last.state not in ("completed", "activating")


def _settled(wish: Wish, cycle: Cycle) -> datetime:
    return (cycle.activated or cycle.copied or cycle.requested) + wish.policy.settle


def expect_ready(wish: Wish, supply: Supply, last: Cycle | None) -> datetime | None:
    """When the newest refresh of a sandbox is ready: as it was, or at the earliest that can still be hoped for."""
    if last is None:
        return None
    if last.state == "completed":
        return _settled(wish, last)
    if last.state not in RUNNING:
        return None
    copy = build_copy_time(supply)
    copied = last.copied or (last.requested + copy if copy else wish.now)
    return max(copied, wish.now) + wish.policy.settle


def _burned(wish: Wish, supply: Supply, one: Booking) -> Iterator[str]:
    """Something that burns came before it, with no refresh in between; one that was booked for the past and never
    came is none."""
    for other in supply.bookings:
        if not other.burns or other.start >= one.start:
            continue
        again = any(cycle.activated and cycle.activated >= other.end for cycle in supply.cycles)
        planned = any(
            found.what == "refresh" and found.start >= other.end and wish.now < found.end <= one.start
            for found in supply.bookings
        )
        if not (again or planned):
            yield f"{supply.name} is burned by {other.label}, and no refresh is booked in between."


def _unlike_production(wish: Wish, supply: Supply, one: Booking) -> Iterator[str]:
    """A release goes live before a rehearsal of a later one, and neither a copy nor an advance brings it there."""
    own = next((found for found in wish.releases if found.name == one.release), None)
    if own is None or one.what != "rehearsal":
        return
    copies = [cycle.requested for cycle in supply.cycles if cycle.state in (*RUNNING, "completed", "locked")]
    copies += [other.request for other in supply.bookings if other.request and wish.now < other.end <= one.start]
    for release in sorted(wish.releases, key=lambda found: found.go_live):
        if release.go_live >= own.go_live or release.go_live > one.start:
            continue
        applied = any(
            other.what == "advance" and other.release == release.name and other.end <= one.start
            for other in supply.bookings
        )
        if not applied and not any(release.go_live <= at <= one.start for at in copies):
            at = clock.show(release.go_live, wish.policy.zone)
            yield f"{release.name} goes live on {at}, and is neither applied to {supply.name} by then nor copied."


def _not_requested(wish: Wish, supply: Supply, one: Booking) -> Iterator[str]:
    if one.request is None or one.request > wish.now or any(found.requested >= one.request for found in supply.cycles):
        return
    last = max(supply.cycles, key=lambda cycle: cycle.requested, default=None)
    if wish.now + (build_copy_time(supply) or timedelta()) <= one.end - wish.policy.settle:
        return  # it can still be asked for: a day's work begins with looking at what is due
    if last is None or last.state not in RUNNING:
        yield f"Its copy was to be requested at {clock.show(one.request, wish.policy.zone)}, and was not."
