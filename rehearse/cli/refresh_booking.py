"""A refresh on its way is itself a booking, so that nobody books over it; it moves and goes with the copy."""

from __future__ import annotations

from dataclasses import replace
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
    start, end = activate if refresh.usable_during_copy else requested, activate + refresh.settle
    made = _build(case, by, requested, (start, end))
    try:
        save_bookings(case.desk.database, [made], case.now)
    except Locked as error:
        say(f"note: The activation was not booked: {clock.show_within(error.message, case.zone)}")


def move_refresh(case: Case, by: str) -> None:
    """The sandbox changes hands now, or did, whatever was booked: the refresh's booking moves there, or is made."""
    if case.last is None:
        return
    start = case.last.activated or case.now
    end = start + case.desk.workspace.refresh.settle
    own = _own(case)[:1]
    moved = [replace(one, start=start, end=end, free_at=end, by=by) for one in own]
    try:
        made = moved or [_build(case, by, case.last.requested, (start, end))]
        save_bookings(case.desk.database, made if end > case.now else moved, case.now)
    except Locked:
        for one in own:
            cancel_booking(case.desk.database, one.id, (by, "activated while the sandbox was booked"), case.now)


def _build(case: Case, by: str, requested: datetime, times: tuple[datetime, datetime]) -> Booking:
    start, end = times
    name = f"refresh-{case.name.lower()}-{requested:%Y-%m-%d}"
    return Booking(name, case.name, start, end, end, "refresh", by=by, why="data refresh", request=requested)


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
