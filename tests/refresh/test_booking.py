"""A refresh is itself a booking, from the request to readiness, whatever became of the one that was made for it."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rehearse import clock, state
from rehearse.cli.refresh_booking import book_refresh, move_refresh
from rehearse.clock import Hours
from rehearse.errors import Locked
from rehearse.schedule.ledger import Cycle
from rehearse.schedule.model import Booking
from rehearse.schedule.store import load_bookings, save_bookings

NOW, HOUR = clock.from_iso("2026-11-25T09:07:12Z"), timedelta(hours=1)
OFFICE = Hours((0, 1, 2, 3, 4), clock.parse_time("09:00"), clock.parse_time("18:00"))


def _case(database: state.Database, *, usable: bool = True) -> Any:
    last = Cycle("0GR1", "UAT", "FULL", "pending", None, NOW - HOUR, None, None)
    refresh = SimpleNamespace(settle=6 * HOUR, usable_during_copy=usable)
    zone, grid = clock.zone("Europe/Dublin"), timedelta(minutes=30)
    workspace = SimpleNamespace(refresh=refresh, zone=zone, hours=OFFICE, grid=grid)
    desk = SimpleNamespace(database=database, workspace=workspace)
    config = SimpleNamespace(type="FULL")
    return SimpleNamespace(
        name="UAT", now=NOW, last=last, desk=desk, config=config, zone=zone,
        load_bookings=lambda: load_bookings(database),
    )  # fmt: skip


def test_a_request_books_the_first_point_of_the_grid_at_which_somebody_is_there(tmp_path: Path) -> None:
    database = state.open_database(tmp_path)
    book_refresh(_case(database), NOW + 48 * HOUR, "ann")  # Friday 09:07:12: a plan could not keep that minute
    (one,) = load_bookings(database)
    assert (clock.iso(one.start), one.end - one.start) == ("2026-11-27T09:30:00Z", 6 * HOUR)
    database.close()
    database = state.open_database(tmp_path / "other")
    book_refresh(_case(database, usable=False), NOW + 48 * HOUR, "ann")
    (one,) = load_bookings(database)
    assert clock.iso(one.start) == "2026-11-25T08:07:12Z", "copies make it unusable: it is taken from the request on"
    database.close()


def test_who_activates_has_the_sandbox_until_it_is_ready_also_when_the_booking_was_cancelled(tmp_path: Path) -> None:
    database = state.open_database(tmp_path)
    move_refresh(_case(database), "ann")
    (one,) = load_bookings(database)
    assert (one.what, one.start, one.end) == ("refresh", NOW, NOW + 6 * HOUR)
    with pytest.raises(Locked):
        save_bookings(database, [Booking("x", "UAT", NOW + HOUR, NOW + 2 * HOUR, NOW + 2 * HOUR, "use")], NOW)
    database.close()
