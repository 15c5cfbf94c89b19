"""What prepares the booked rehearsals as things stand now: what is booked around them changes after they were planned.

The newest thing that happens in the sandbox before a rehearsal decides (formats.md, `prepare`). Pure; nothing is kept:
what was planned with stays in the booking.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from rehearse.schedule.broken import expect_ready
from rehearse.schedule.demand import in_force
from rehearse.schedule.model import Booking, Prepare, Supply, Wish
from rehearse.schedule.site import RUNNING


def prepare_bookings(wish: Wish) -> dict[str, Booking]:
    """Booking id -> the booking with what prepares it now, for the rehearsals to come of all sandboxes."""
    found = {}
    for supply in wish.supplies:
        for one in supply.bookings:
            if one.what == "rehearsal" and one.start > wish.now:
                prepare, ready = _newest_before(wish, supply, one)
                found[one.id] = replace(
                    one, prepare=prepare, ready_by=max(ready, wish.now) if prepare == "none" else ready
                )
    return found


def _newest_before(wish: Wish, supply: Supply, one: Booking) -> tuple[Prepare, datetime]:
    before = [event for event in _events(wish, supply, one) if event[0] < one.start]
    _, prepare, ready = max(before, key=lambda event: event[0], default=(wish.now, "none", wish.now))
    return prepare, ready


def _events(wish: Wish, supply: Supply, one: Booking) -> Iterator[tuple[datetime, Prepare, datetime]]:
    """What happens in a sandbox besides a booking: its begin, how it prepares what follows, and when that is done."""
    force = in_force(supply)
    live = None if force is None else force.activated or force.copied or force.requested
    if live is not None:
        yield live, "none", live + wish.policy.settle
    last = max(supply.cycles, key=lambda cycle: cycle.requested, default=None)
    late = expect_ready(wish, supply, last) if last is not None and last.state in RUNNING else None
    for other in supply.bookings:
        if other.id == one.id:
            continue
        if other.what == "refresh":
            ready = other.end if late is None or other.start > wish.now else max(other.end, late)
            if wish.now < ready <= one.start:
                yield other.start, "refresh", ready
        elif live is None or other.start >= live:
            yield other.start, "none" if other.what == "advance" else "reset", other.free_at
