"""May this sandbox be refreshed now, and what would it cost? Pure: it decides nothing for anybody and asks no org."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rehearse.schedule.ledger import Availability
from rehearse.schedule.model import Booking


@dataclass(frozen=True)
class Answer:
    """`yes`, `maybe` (between the two dates, only the platform knows) or `no`, and what stands against it."""

    refreshable: Literal["yes", "maybe", "no"]
    possible_from: datetime | None
    certain_from: datetime | None
    reasons: tuple[str, ...]
    bookings: tuple[Booking, ...]


def decide(found: Availability, bookings: Sequence[Booking], now: datetime) -> Answer:
    """What a request for a refresh would meet now: the interval, a copy under way, and the bookings it would hit."""
    hit = tuple(one for one in bookings if one.sandbox == found.sandbox and one.free_at > now)
    reasons = []
    if found.note and found.state not in ("completed", "unknown"):
        reasons.append(f"{found.note}: only one copy of a sandbox can be under way")
    elif found.note:
        reasons.append(found.note)
    if found.possible_from and now < found.possible_from:
        reasons.append("the interval since the last request has not passed")
    elif found.certain_from and now < found.certain_from:
        reasons.append("the interval has passed since the last request, but not since the end of the last refresh")
    return Answer(found.refreshable, found.possible_from, found.certain_from, tuple(reasons), hit)
