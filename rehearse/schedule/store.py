"""Bookings in the workspace database. Two bookings of one sandbox never overlap: the database itself refuses.

An exclusion constraint (PostgreSQL) or triggers (SQLite) hold that, whoever writes; the check before it, in the same
transaction, only says in words what is in the way. Who did what with a booking is kept with it (deeds.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from rehearse import clock
from rehearse.errors import Locked, Refused, StalePlan
from rehearse.ids import find_by_prefix, spell
from rehearse.schedule.booked import place_of
from rehearse.schedule.deeds import note
from rehearse.schedule.model import Booking, BookingState
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


@dataclass(frozen=True)
class Planned:
    """Who keeps a schedule, and what it was made from: the bookings that stood in these sandboxes. `gives_up`: those
    of them that it no longer wants."""

    by: str
    sandboxes: tuple[str, ...]
    before: tuple[Booking, ...]
    gives_up: tuple[Booking, ...] = ()


def save_bookings(
    database: Database, bookings: Sequence[Booking], now: datetime, planned: Planned | None = None
) -> None:
    """Keep bookings, all or none; one with a known id moves. Of a schedule, what it gives up is cancelled with it.

    Raises Locked when one overlaps what is booked, StalePlan when the plan was made from what is no longer booked.
    """
    with _writing(database) as connection:
        if planned is not None:
            _refuse_stale(connection, planned, now)
        for gone in planned.gives_up if planned else ():
            if _mark_cancelled(connection, gone.id, f"{clock.iso(now)} planned again"):
                note(connection, gone, ("cancelled", now, planned.by if planned else "", "planned again"))
        known = {one.id: one for one in _standing(connection)}
        for one in bookings:
            connection.execute(sa.delete(_bookings).where(_bookings.c.id == one.id))
        for one in bookings:
            _refuse_overlap(connection, one)
            connection.execute(sa.insert(_bookings).values(**_row(one, now)))
            note(connection, one, _deed(known.get(one.id), one, planned, now))


def _deed(old: Booking | None, new: Booking, planned: Planned | None, now: datetime) -> tuple[str, datetime, str, str]:
    """What was done with a booking, when, by whom and why: a plan moves also what somebody else has booked."""
    who = planned.by if planned else new.by
    if old is None:
        return "requested" if new.state == "requested" else "booked", now, who, new.why
    what = "planned again" if planned and place_of(old) == place_of(new) else "moved"
    return what, now, who, "planned again" if planned and what == "moved" else new.why


def _refuse_stale(connection: sa.Connection, planned: Planned, now: datetime) -> None:
    """What a plan reckons with (rehearsals, advances, refreshes to come) must be booked as it was; plain use, which
    only takes its time, is held by the rule against overlaps."""
    names = {one.casefold() for one in planned.sandboxes}

    def reckoned(some: Iterable[Booking]) -> dict[str, Booking]:
        return {one.id: one for one in some if one.what != "use" and one.end > now and one.sandbox.casefold() in names}

    then, today = reckoned(planned.before), reckoned(_standing(connection))
    for id in sorted({*then, *today}):
        old, new = then.get(id), today.get(id)
        if old is None or new is None or place_of(old) != place_of(new):
            one, what = new or old, "moved" if old and new else "cancelled" if old else "booked"
            assert one is not None
            raise StalePlan(f"{one.label} in {one.sandbox} was {what} while this was planned.", "Plan again.")


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
        note(connection, found, ("confirmed", now, who, ""))
    return replace(found, state="confirmed")


def move_booking(
    database: Database,
    prefix: str,
    to: tuple[str, datetime, datetime | None],
    deed: tuple[str, str, datetime],
    state: BookingState = "confirmed",
) -> tuple[Booking, Booking]:
    """Give a booking another sandbox, start or end (None: its length is kept); answers what it was and what it is.

    `deed` is who, why and when; with `state` requested it waits for approval again. Raises Locked when the new time
    overlaps what is booked, NotFound, AmbiguousId.
    """
    who, why, now = deed
    with _writing(database) as connection:
        old = _find(connection, prefix)
        new = moved(old, *to)
        new = replace(new, state="requested") if state == "requested" else new
        _refuse_overlap(connection, new)
        values = {key: value for key, value in _row(new, now).items() if key not in ("made", "id")}
        connection.execute(sa.update(_bookings).where(_bookings.c.id == old.id).values(**values))
        note(connection, new, ("moved", now, who, why))
    return old, new


def moved(booking: Booking, sandbox: str, start: datetime, until: datetime | None = None) -> Booking:
    """A booking in another sandbox, at another start or with another end, its hold and reset kept; what the planner
    said of its preparation is no longer known."""
    shift = start - booking.start
    request = None if booking.request is None else booking.request + shift
    end = until or booking.end + shift
    if (sandbox, start) == (booking.sandbox, booking.start):
        return replace(booking, end=end, free_at=end + (booking.free_at - booking.end))
    return replace(
        booking,
        sandbox=sandbox,
        start=start,
        end=end,
        free_at=end + (booking.free_at - booking.end),
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


def load_cancelled(database: Database, since: datetime) -> tuple[Booking, ...]:
    """Bookings that were taken back and would have ended after `since`, oldest first."""
    gone = sa.select(_bookings).where(_bookings.c.cancelled.is_not(None), _bookings.c.free_at > _text(since))
    with database.begin() as connection:
        return tuple(_booking(row) for row in connection.execute(gone.order_by(_bookings.c.start)).mappings())


def _is_of(sandbox: str) -> sa.ColumnElement[bool]:
    return sa.func.lower(_bookings.c.sandbox) == sandbox.lower()


def find_booking(database: Database, prefix: str) -> Booking:
    """A booking that stands, by its id or a unique start of it; raises NotFound or AmbiguousId."""
    with database.begin() as connection:
        return _find(connection, prefix)


def cancel_booking(database: Database, prefix: str, deed: tuple[str, str], now: datetime) -> Booking:
    """Take a booking back, by its id or a unique start of it; `deed` is who and why. Raises NotFound."""
    with _writing(database) as connection:
        found = _find(connection, prefix)
        _mark_cancelled(connection, found.id, f"{clock.iso(now)} {' '.join(deed)}".strip())
        note(connection, found, ("cancelled", now, *deed))
    return found


def cancel_bookings(database: Database, bookings: Sequence[Booking], deed: tuple[str, str], now: datetime) -> None:
    """Take several bookings back, all or none; `deed` is who and why. What is cancelled already stays so."""
    with _writing(database) as connection:
        for one in bookings:
            if _mark_cancelled(connection, one.id, f"{clock.iso(now)} {' '.join(deed)}".strip()):
                note(connection, one, ("cancelled", now, *deed))


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
    known = {one.id: one for one in _standing(connection)}
    return known[find_by_prefix(prefix, known, "booking")]


def _standing(connection: sa.Connection) -> list[Booking]:
    rows = connection.execute(sa.select(_bookings).where(_bookings.c.cancelled.is_(None))).mappings()
    return [_booking(row) for row in rows]


def _mark_cancelled(connection: sa.Connection, name: str, mark: str) -> bool:
    change = sa.update(_bookings).where(_bookings.c.id == name, _bookings.c.cancelled.is_(None))
    return bool(connection.execute(change.values(cancelled=mark)).rowcount)


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
