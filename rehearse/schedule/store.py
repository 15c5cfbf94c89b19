"""Bookings in the workspace database. Two bookings of one sandbox never overlap: the database itself refuses.

The check and the insert are one immediate transaction (SQLite), or run under an exclusive lock of the table
(PostgreSQL), so that two people who book at once cannot both succeed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from rehearse import clock
from rehearse.errors import Locked, NotFound
from rehearse.ids import find_by_prefix
from rehearse.schedule.model import Booking
from rehearse.state import TABLES, Database

_bookings = sa.Table(
    "booking",
    TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("sandbox", sa.Text, nullable=False, index=True),
    sa.Column("start", sa.Text, nullable=False),
    sa.Column("end", sa.Text, nullable=False),
    sa.Column("free_at", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("release", sa.Text),
    sa.Column("rehearsal", sa.Text),
    sa.Column("kind", sa.Text),
    sa.Column("prepare", sa.Text, nullable=False),
    sa.Column("ready_by", sa.Text),
    sa.Column("burns", sa.Boolean, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("request", sa.Text),
    sa.Column("made", sa.Text, nullable=False),
    sa.Column("cancelled", sa.Text),
)


def save_bookings(
    database: Database, bookings: Sequence[Booking], now: datetime, instead_of: Sequence[Booking] = ()
) -> None:
    """Keep bookings, all or none; one with a known id moves, those of `instead_of` are cancelled.

    Raises Locked when one overlaps what is booked.
    """
    with database.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("LOCK TABLE booking IN SHARE ROW EXCLUSIVE MODE"))
        for one in instead_of:
            change = sa.update(_bookings).where(_bookings.c.id == one.id, _bookings.c.cancelled.is_(None))
            connection.execute(change.values(cancelled=f"{clock.iso(now)} planned again"))
        for one in bookings:
            connection.execute(sa.delete(_bookings).where(_bookings.c.id == one.id))
        for one in bookings:
            _refuse_overlap(connection, one)
            connection.execute(sa.insert(_bookings).values(**_row(one, now)))


def refuse_overlaps(database: Database, bookings: Sequence[Booking]) -> None:
    """Raise Locked when one of these would overlap what is booked; nothing is kept."""
    with database.begin() as connection:
        for one in bookings:
            _refuse_overlap(connection, one)


def load_bookings(database: Database, sandbox: str | None = None) -> tuple[Booking, ...]:
    """All bookings that stand, oldest first."""
    query = sa.select(_bookings).where(_bookings.c.cancelled.is_(None)).order_by(_bookings.c.start, _bookings.c.id)
    if sandbox is not None:
        query = query.where(_bookings.c.sandbox == sandbox)
    with database.begin() as connection:
        return tuple(_booking(row) for row in connection.execute(query).mappings())


def find_booking(database: Database, prefix: str) -> Booking:
    """A booking that stands, by its id or a unique start of it; raises NotFound or AmbiguousId."""
    known = {one.id: one for one in load_bookings(database)}
    return known[find_by_prefix(prefix, known, "booking")]


def cancel_booking(database: Database, prefix: str, why: str, now: datetime) -> Booking:
    """Take a booking back, by its id or a unique start of it; raises NotFound."""
    found = find_booking(database, prefix)
    change = sa.update(_bookings).where(_bookings.c.id == found.id, _bookings.c.cancelled.is_(None))
    with database.begin() as connection:
        if not connection.execute(change.values(cancelled=f"{clock.iso(now)} {why}".strip())).rowcount:
            raise NotFound(f"The booking {found.id} was cancelled already.")
    return found


def _refuse_overlap(connection: sa.Connection, booking: Booking) -> None:
    """Instants are kept as UTC text of one form, so comparing text compares time."""
    clash = connection.execute(
        sa.select(_bookings).where(
            _bookings.c.sandbox == booking.sandbox,
            _bookings.c.cancelled.is_(None),
            _bookings.c.start < _text(booking.free_at),
            _bookings.c.free_at > _text(booking.start),
        )
    ).mappings()
    for row in clash:
        other = _booking(row)
        raise Locked(
            f"{booking.sandbox} is booked from {clock.iso(other.start)} until {clock.iso(other.free_at)} "
            f"for {other.label}, which overlaps {booking.label}.",
            f"Choose another time, or cancel it with `rehearse book cancel {other.id}`.",
        )


def _row(one: Booking, now: datetime) -> dict[str, object]:
    times: dict[str, str | None] = {key: _text(getattr(one, key)) for key in ("start", "end", "free_at")}
    for key in ("ready_by", "request"):
        times[key] = _optional(getattr(one, key))
    plain = ("id", "sandbox", "what", "release", "rehearsal", "kind", "prepare", "burns", "by", "why")
    return {**{key: getattr(one, key) for key in plain}, **times, "made": clock.iso(now)}


def _text(instant: datetime) -> str:
    """Whole seconds, so that every text has one length and sorts as time."""
    return clock.iso(instant.replace(microsecond=0))


def _optional(instant: datetime | None) -> str | None:
    return None if instant is None else _text(instant)


def _booking(row: sa.RowMapping) -> Booking:
    values = {key: row[key] for key in row if key not in ("made", "cancelled")}
    for key in ("start", "end", "free_at"):
        values[key] = clock.from_iso(values[key])
    for key in ("ready_by", "request"):
        values[key] = None if values[key] is None else clock.from_iso(values[key])
    return Booking(**values)
