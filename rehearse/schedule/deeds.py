"""Who did what with a booking, when and why: kept for good, in the transaction that does it, also of cancelled ones.

Nothing here changes a booking, and no deed is ever changed or removed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from rehearse import clock
from rehearse.ids import find_by_prefix
from rehearse.schedule.model import Booking
from rehearse.state import TABLES, Database

_events = sa.Table(
    "booking_event",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("booking", sa.Text, nullable=False, index=True),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("sandbox", sa.Text, nullable=False),
    sa.Column("start", sa.Text, nullable=False),
    sa.Column("end", sa.Text, nullable=False),
)


@dataclass(frozen=True)
class Deed:
    """One thing that somebody did with a booking, and where the booking was after it."""

    booking: str
    what: str
    at: datetime
    who: str
    why: str
    sandbox: str
    start: datetime
    end: datetime


def note(connection: sa.Connection, one: Booking, deed: tuple[str, datetime, str, str]) -> None:
    """Keep what was done with a booking, when, by whom and why."""
    what, at, who, why = deed
    times = {"start": _whole(one.start), "end": _whole(one.end)}
    row = {"booking": one.id, "what": what, "at": clock.iso(at), "who": who, "why": why, "sandbox": one.sandbox}
    connection.execute(sa.insert(_events).values(**row, **times))


def _whole(instant: datetime) -> str:
    return clock.iso(instant.replace(microsecond=0))


def load_deeds(database: Database, prefix: str) -> tuple[Deed, ...]:
    """What was done with a booking, oldest first; also with one that was cancelled. By its id or a unique start of it;
    raises NotFound or AmbiguousId."""
    with database.begin() as connection:
        known = connection.execute(sa.select(_events.c.booking).distinct()).scalars()
        booking = find_by_prefix(prefix, known, "booking")
        query = sa.select(_events).where(_events.c.booking == booking).order_by(_events.c.id)
        rows = connection.execute(query).mappings().all()
    times = ("at", "start", "end")
    found = [{key: clock.from_iso(row[key]) if key in times else row[key] for key in row} for row in rows]
    return tuple(Deed(**{key: value for key, value in one.items() if key != "id"}) for one in found)  # type: ignore[arg-type]


def count_changes(database: Database) -> dict[str, int]:
    """How often each booking was changed after it was made, by its id."""
    query = sa.select(_events.c.booking, sa.func.count()).group_by(_events.c.booking)
    with database.begin() as connection:
        return {booking: count - 1 for booking, count in connection.execute(query)}
