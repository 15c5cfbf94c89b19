"""May this sandbox be refreshed or activated now, and what would it cost? Pure: it asks no org and sends nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from rehearse import clock
from rehearse.ids import is_same_name
from rehearse.lock import Lock
from rehearse.refresh.model import Answer, Obstacle
from rehearse.schedule.ledger import DONE, GONE, Availability, Cycle
from rehearse.schedule.model import Booking

ACTIVATION_LIMIT = timedelta(days=30)
"""A refreshed copy that nobody activated is deleted after so long (Salesforce Help, refresh your sandbox)."""


def decide(found: Availability, bookings: Sequence[Booking], now: datetime) -> Answer:
    """What a request for a refresh would meet now: the interval, a copy under way, and the bookings it would hit.

    A rehearsal that is booked for after a refresh waits for it, and is not hit.
    """
    hit = tuple(one for one in bookings if is_same_name(one.sandbox, found.sandbox) and one.free_at > now)
    hit = tuple(one for one in hit if one.what != "refresh" and not (one.prepare == "refresh" and one.start > now))
    reasons = []
    if found.state in GONE:
        reasons.append(f"{found.note}; only Setup makes a sandbox")
    elif found.note and found.state not in (*DONE, "unknown", "locked"):
        reasons.append(f"{found.note}: only one copy of a sandbox can be under way")
    elif found.note:
        reasons.append(found.note)
    if found.possible_from and now < found.possible_from:
        reasons.append("the interval since the last request has not passed")
    elif found.certain_from and now < found.certain_from:
        reasons.append("the interval has passed since the last request, but not since the end of the last refresh")
    if found.evidence:
        reasons.append(found.evidence)
    return Answer(found.refreshable, found.possible_from, found.certain_from, tuple(reasons), hit)


def find_obstacles(
    cycle: Cycle | None, bookings: Sequence[Booking], locks: Sequence[Lock], now: datetime, settle: timedelta
) -> tuple[Obstacle, ...]:
    """What stands against activating a copy now: its state, and whoever has the sandbox before it would be ready."""
    if cycle is None:
        return (Obstacle("no copy of it is known"),)
    found = []
    if cycle.state != "pending-activation":
        found.append(Obstacle(f"its newest copy is {cycle.state}, not waiting for an activation"))
    for one in bookings:
        if one.what != "refresh" and one.start < now + settle and one.free_at > now:
            when = f"{clock.iso(one.start)} to {clock.iso(one.free_at)}"
            found.append(Obstacle(f"it is booked for {one.label}, {when}", "--over-bookings"))
    for held in locks:
        if is_same_name(held.sandbox, cycle.sandbox):
            found.append(Obstacle(f"{held.who} works on it: {held.what}"))
    return tuple(found)


def activation_deadline(cycle: Cycle) -> datetime | None:
    """Until when a waiting copy must be activated; None for one that does not wait."""
    if cycle.state != "pending-activation" or cycle.copied is None:
        return None
    return cycle.copied + ACTIVATION_LIMIT
