"""A refresh on its way is itself a booking, so that nobody books over it; it moves and goes with the copy."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from rehearse import clock
from rehearse.cli.answers import say
from rehearse.errors import Locked
from rehearse.schedule.booked import find_own_refreshes
from rehearse.schedule.model import Booking, Window
from rehearse.schedule.store import cancel_booking, save_bookings

if TYPE_CHECKING:
    from rehearse.cli.refresh_desk import Case


def book_refresh(case: Case, copied: datetime, by: str) -> None:
    """Book the time in which the sandbox changes hands: from the first working hour after the copy (from the request
    where copies make it unusable) to readiness.

    A refresh that a plan booked stays as it was planned. Where somebody has that time already, it is only said.
    """
    if case.last is None or _own(case):
        return
    activate = _first_working_hour(case, copied)
    requested, refresh = case.last.requested, case.desk.workspace.refresh
    name = f"refresh-{case.name.lower()}-{requested:%Y-%m-%d}"
    start, end = activate if refresh.usable_during_copy else requested, activate + refresh.settle
    made = Booking(name, case.name, start, end, end, "refresh", by=by, why="data refresh", request=requested)
    try:
        save_bookings(case.desk.database, [made], case.now)
    except Locked as error:
        say(f"note: The activation was not booked: {clock.show_within(error.message, case.zone)}")


def move_refresh(case: Case, by: str) -> None:
    """The sandbox changes hands now, or did, whatever was booked: move the booking of the refresh there."""
    start = (case.last.activated if case.last else None) or case.now
    end = start + case.desk.workspace.refresh.settle
    for one in _own(case)[:1]:
        moved = Booking(one.id, one.sandbox, start, end, end, "refresh", by=by, why=one.why, request=one.request)
        try:
            save_bookings(case.desk.database, [moved], case.now)
        except Locked:
            cancel_booking(case.desk.database, one.id, (by, "activated while the sandbox was booked"), case.now)


def cancel_refresh(case: Case, by: str) -> None:
    """The copy was discarded: nothing changes hands."""
    for one in _own(case):
        cancel_booking(case.desk.database, one.id, (by, "the copy was discarded"), case.now)


def _own(case: Case) -> list[Booking]:
    """Bookings of the refresh that is under way."""
    last = case.last
    requested, licence = (last.requested, last.licence) if last else (case.now, case.config.type)
    return find_own_refreshes(case.load_bookings(), requested, licence)


def _first_working_hour(case: Case, at: datetime) -> datetime:
    """The first point of the calendar's grid at which somebody is there to activate a copy."""
    from rehearse.schedule.wall import build_grid, build_hours

    workspace, span = case.desk.workspace, Window(at, at + timedelta(days=14))
    hours = build_hours(workspace.hours, workspace.zone, span)
    grid = build_grid(workspace.grid, workspace.zone, span)
    return next((one for one in grid if one >= at and any(day.start <= one < day.end for day in hours)), at)
