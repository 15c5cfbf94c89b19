"""Bookings in the workspace database. Two bookings of one sandbox never overlap: the database itself refuses.

An exclusion constraint (PostgreSQL) or triggers (SQLite) hold that, whoever writes; the check before it, in the same
transaction, only says in words what is in the way. Who did what with a booking, and why, is kept with it for good.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from rehearse import clock
from rehearse.errors import Locked, Refused
from rehearse.ids import find_by_prefix, spell
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
    sa.Column("state", sa.Text, nullable=False, server_default="confirmed"),
)


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


def save_bookings(
    database: Database, bookings: Sequence[Booking], now: datetime, instead_of: Sequence[Booking] = ()
) -> None:
    """Keep bookings, all or none; one with a known id moves, those of `instead_of` are cancelled.

    Raises Locked when one overlaps what is booked.
    """
    with _writing(database) as connection:
        for gone in instead_of:
            if _mark_cancelled(connection, gone.id, f"{clock.iso(now)} planned again"):
                _note(connection, gone, ("cancelled", now, _somebody(bookings), "planned again"))
        known = {one.id: _cancel_mark(connection, one.id) for one in bookings}
        for one in bookings:
            connection.execute(sa.delete(_bookings).where(_bookings.c.id == one.id))
        for one in bookings:
            _refuse_overlap(connection, one)
            connection.execute(sa.insert(_bookings).values(**_row(one, now)))
            first = "requested" if one.state == "requested" else "booked"
            _note(connection, one, ("moved" if known[one.id] == "" else first, now, one.by, one.why))


def _somebody(bookings: Sequence[Booking]) -> str:
    return next((one.by for one in bookings if one.by), "")


def refuse_overlaps(database: Database, bookings: Sequence[Booking]) -> None:
    """Raise Locked when one of these would overlap what is booked; nothing is kept."""
    with database.begin() as connection:
        for one in bookings:
            _refuse_overlap(connection, one)


def confirm_booking(database: Database, prefix: str, who: str, now: datetime) -> Booking:
    """Approve a requested booking; raises NotFound, or Refused where it is confirmed already."""
    with _writing(database) as connection:
        found = _find(connection, prefix)
        if found.state == "confirmed":
            raise Refused(f"The booking {found.id} is confirmed already.", "See it with `rehearse book list`.")
        connection.execute(sa.update(_bookings).where(_bookings.c.id == found.id).values(state="confirmed"))
        _note(connection, found, ("confirmed", now, who, ""))
    return replace(found, state="confirmed")


def move_booking(
    database: Database, prefix: str, to: tuple[str, datetime], deed: tuple[str, str, datetime]
) -> tuple[Booking, Booking]:
    """Give a booking another sandbox or start, its length, hold and reset kept; answers what it was and what it is.

    `deed` is who, why and when. Raises Locked when the new time overlaps what is booked, NotFound, AmbiguousId.
    """
    who, why, now = deed
    with _writing(database) as connection:
        old = _find(connection, prefix)
        new = moved(old, *to)
        _refuse_overlap(connection, new)
        values = {key: value for key, value in _row(new, now).items() if key not in ("made", "id")}
        connection.execute(sa.update(_bookings).where(_bookings.c.id == old.id).values(**values))
        _note(connection, new, ("moved", now, who, why))
    return old, new


def moved(booking: Booking, sandbox: str, start: datetime) -> Booking:
    """A booking in another sandbox or at another start; what the planner said of its preparation is no longer known."""
    shift = start - booking.start
    request = None if booking.request is None else booking.request + shift
    return replace(
        booking,
        sandbox=sandbox,
        start=start,
        end=booking.end + shift,
        free_at=booking.free_at + shift,
        prepare="none",
        ready_by=None,
        request=request,
    )


def load_bookings(database: Database, sandbox: str | None = None, names: Iterable[str] = ()) -> tuple[Booking, ...]:
    """All bookings that stand, oldest first; of one sandbox in any letter case, or of all, spelled as in `names`."""
    query = sa.select(_bookings).where(_bookings.c.cancelled.is_(None)).order_by(_bookings.c.start, _bookings.c.id)
    if sandbox is not None:
        query = query.where(_is_of(sandbox))
    spelling = [sandbox] if sandbox is not None else list(names)
    with database.begin() as connection:
        found = [_booking(row) for row in connection.execute(query).mappings()]
    return tuple(replace(one, sandbox=spell(one.sandbox, spelling)) for one in found)


def _is_of(sandbox: str) -> sa.ColumnElement[bool]:
    return sa.func.lower(_bookings.c.sandbox) == sandbox.lower()


def find_booking(database: Database, prefix: str) -> Booking:
    """A booking that stands, by its id or a unique start of it; raises NotFound or AmbiguousId."""
    with database.begin() as connection:
        return _find(connection, prefix)


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


def cancel_booking(database: Database, prefix: str, deed: tuple[str, str], now: datetime) -> Booking:
    """Take a booking back, by its id or a unique start of it; `deed` is who and why. Raises NotFound."""
    with _writing(database) as connection:
        found = _find(connection, prefix)
        _mark_cancelled(connection, found.id, f"{clock.iso(now)} {' '.join(deed)}".strip())
        _note(connection, found, ("cancelled", now, *deed))
    return found


@contextmanager
def _writing(database: Database) -> Iterator[sa.Connection]:
    """A transaction in which the database's own rule against overlaps is told as Locked."""
    try:
        with database.begin() as connection:
            yield connection
    except sa.exc.IntegrityError as error:
        raise Locked(
            "Somebody else booked this time at the same moment; nothing was booked.",
            "See what is free with `rehearse book free`.",
        ) from error


def _find(connection: sa.Connection, prefix: str) -> Booking:
    rows = connection.execute(sa.select(_bookings).where(_bookings.c.cancelled.is_(None))).mappings()
    known = {row["id"]: _booking(row) for row in rows}
    return known[find_by_prefix(prefix, known, "booking")]


def _cancel_mark(connection: sa.Connection, name: str) -> str | None:
    """None for an unknown id, empty for a booking that stands, else when and why it was cancelled."""
    found = connection.execute(sa.select(_bookings.c.cancelled).where(_bookings.c.id == name)).one_or_none()
    return None if found is None else found[0] or ""


def _mark_cancelled(connection: sa.Connection, name: str, mark: str) -> bool:
    change = sa.update(_bookings).where(_bookings.c.id == name, _bookings.c.cancelled.is_(None))
    return bool(connection.execute(change.values(cancelled=mark)).rowcount)


def _note(connection: sa.Connection, one: Booking, deed: tuple[str, datetime, str, str]) -> None:
    what, at, who, why = deed
    row = {"booking": one.id, "what": what, "at": clock.iso(at), "who": who, "why": why, "sandbox": one.sandbox}
    connection.execute(sa.insert(_events).values(**row, start=_text(one.start), end=_text(one.end)))


def _refuse_overlap(connection: sa.Connection, booking: Booking) -> None:
    """Say what is in the way. Instants are kept as UTC text of one form, so comparing text compares time."""
    clash = connection.execute(
        sa.select(_bookings).where(
            _is_of(booking.sandbox),
            _bookings.c.cancelled.is_(None),
            _bookings.c.id != booking.id,
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
    plain = ("id", "sandbox", "what", "release", "rehearsal", "kind", "prepare", "burns", "by", "why", "state")
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
