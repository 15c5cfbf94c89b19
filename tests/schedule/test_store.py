"""Bookings: the database refuses an overlap, whoever comes first."""

import multiprocessing
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from rehearse import clock, state
from rehearse.errors import AmbiguousId, Locked, NotFound, Refused, StalePlan
from rehearse.schedule.deeds import load_deeds
from rehearse.schedule.model import Booking
from rehearse.schedule.store import (
    Planned,
    cancel_booking,
    confirm_booking,
    load_bookings,
    move_booking,
    save_bookings,
)

NOW = clock.from_iso("2026-11-23T08:00:00Z")
HOUR = timedelta(hours=1)
MANY = 20 if os.environ.get("REHEARSE_TEST") == "all" else 8
"""Processes that book at once; five hours are free."""


def _booking(name: str, start: int, hours: int = 2, sandbox: str = "UAT", hold: int = 1) -> Booking:
    begin = NOW + start * HOUR
    end = begin + hours * HOUR
    return Booking(name, sandbox, begin, end, end + hold * HOUR, "rehearsal", "R41", name, "mock", ready_by=begin)


@pytest.fixture
def database(database_place: Path | str):  # type: ignore[no-untyped-def]
    opened = state.open_database(database_place)
    yield opened
    opened.close()


def test_a_booking_is_read_back_as_it_was_saved(database: state.Database) -> None:
    one = _booking("mock", 1)
    save_bookings(database, [one], NOW)
    assert load_bookings(database) == (one,)


@pytest.mark.parametrize(("start", "hours"), [(0, 2), (2, 1), (3, 1), (-5, 20)])
def test_an_overlap_with_work_hold_or_reset_is_refused(database: state.Database, start: int, hours: int) -> None:
    save_bookings(database, [_booking("first", 1)], NOW)
    with pytest.raises(Locked, match="overlaps") as caught:
        save_bookings(database, [_booking("ok", 100), _booking("second", start, hours, hold=0)], NOW)
    assert "first" in (caught.value.hint or "")
    assert [one.id for one in load_bookings(database)] == ["first"]


def test_windows_that_touch_do_not_overlap_and_other_sandboxes_are_free(database: state.Database) -> None:
    save_bookings(database, [_booking("first", 1), _booking("next", 4), _booking("same", 1, sandbox="SIT")], NOW)
    assert len(load_bookings(database)) == 3


def test_letter_case_does_not_tell_two_sandboxes_apart(database: state.Database) -> None:
    one = _booking("first", 1)
    save_bookings(database, [one], NOW)
    assert (
        load_bookings(database, "uat")
        == load_bookings(database, names=["Sit", "uat"])
        == (replace(one, sandbox="uat"),)
    )
    with pytest.raises(Locked, match="overlaps"):
        save_bookings(database, [_booking("second", 2, sandbox="Uat")], NOW)
    with pytest.raises(sa.exc.IntegrityError), database.begin() as connection:  # nor past our own check
        connection.execute(
            sa.text(
                "INSERT INTO booking SELECT 'other', 'uAT', start, \"end\", free_at, what, release, rehearsal, kind, "
                'prepare, ready_by, burns, "by", why, request, made, cancelled, state FROM booking'
            )
        )


def test_a_known_id_moves(database: state.Database) -> None:
    save_bookings(database, [_booking("mock", 1)], NOW)
    save_bookings(database, [_booking("mock", 2)], NOW)
    assert [one.start for one in load_bookings(database)] == [NOW + 2 * HOUR]


def test_a_cancelled_booking_gives_its_time_back(database: state.Database) -> None:
    save_bookings(database, [_booking("mock-1", 1), _booking("mock-2", 9)], NOW)
    with pytest.raises(AmbiguousId):
        cancel_booking(database, "mock", ("ann", "moved"), NOW)
    cancel_booking(database, "mock-1", ("ann", "moved"), NOW)
    save_bookings(database, [_booking("other", 1)], NOW)
    with pytest.raises(NotFound):
        cancel_booking(database, "mock-1", ("ann", "again"), NOW)


def _book(place: Path | str, number: int, results: "multiprocessing.queues.Queue[str]") -> None:
    opened = state.open_database(place)
    try:
        save_bookings(opened, [_booking(f"p{number}", number % 5)], NOW)
        results.put("booked")
    except Locked:
        results.put("refused")
    finally:
        opened.close()


def test_many_processes_that_book_at_once_never_overlap(database_place: Path | str) -> None:
    """They also meet an empty database, which one of them makes."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["rehearse.schedule.store", "alembic.command", "psycopg"])
    results = context.Queue()
    workers = [context.Process(target=_book, args=(database_place, number, results)) for number in range(MANY)]
    for one in workers:
        one.start()
    answers = [results.get(timeout=60) for _ in workers]
    for one in workers:
        one.join()
        one.close()
    results.close()
    results.join_thread()
    opened = state.open_database(database_place)
    booked = load_bookings(opened)
    opened.close()
    assert answers.count("booked") == len(booked) >= 1 and len(answers) == MANY
    assert not [
        (a.id, b.id) for a in booked for b in booked if a.id < b.id and a.start < b.free_at and b.start < a.free_at
    ]


def test_the_database_refuses_an_overlap_whoever_writes(database: state.Database) -> None:
    save_bookings(database, [_booking("mock", 1), _booking("late", 50)], NOW)
    copy = (
        "INSERT INTO booking SELECT 'other' AS id, sandbox, start, \"end\", free_at, what, release, rehearsal, kind, "
    )
    copy += "prepare, ready_by, burns, by, why, request, made, cancelled, state FROM booking WHERE id = 'mock'"
    late = "UPDATE booking SET start = (SELECT b.start FROM booking b WHERE b.id = 'mock') WHERE id = 'late'"
    for statement in (copy, late):
        with pytest.raises(sa.exc.IntegrityError, match="booking_overlap"), database.begin() as connection:
            connection.execute(sa.text(statement))
    cancel_booking(database, "mock", ("ann", "free again"), NOW)
    with database.begin() as connection:
        connection.execute(sa.text(late))


def test_a_booking_is_requested_confirmed_moved_and_cancelled_with_who_and_why(database: state.Database) -> None:
    save_bookings(
        database, [replace(_booking("mock", 1), state="requested", by="ann", why="R41"), _booking("x", 9)], NOW
    )
    with pytest.raises(Locked):
        save_bookings(database, [_booking("second", 1)], NOW)
    assert confirm_booking(database, "mock", "bob", NOW).state == "confirmed"
    with pytest.raises(Refused, match="already"):
        confirm_booking(database, "mock", "bob", NOW)
    with pytest.raises(Locked, match="overlaps"):
        move_booking(database, "mock", ("UAT", NOW + 8 * HOUR, None), ("bob", "later", NOW))
    old, new = move_booking(database, "mock", ("UAT", NOW + 2 * HOUR, None), ("bob", "later", NOW))
    assert (old.start, new.start, new.free_at - new.end) == (NOW + HOUR, NOW + 2 * HOUR, HOUR)
    cancel_booking(database, "mock", ("eve", "no need"), NOW)
    deeds = [(one.what, one.who, one.why, one.start) for one in load_deeds(database, "moc")]
    at = NOW + HOUR
    assert deeds == [
        ("requested", "ann", "R41", at),
        ("confirmed", "bob", "", at),
        ("moved", "bob", "later", at + HOUR),
        ("cancelled", "eve", "no need", at + HOUR),
    ]
    assert [one.id for one in load_bookings(database)] == ["x"]


def test_a_new_plan_takes_the_place_of_an_old_one_in_one_step(database) -> None:  # type: ignore[no-untyped-def]
    first = clock.from_iso("2026-12-01T09:00:00Z")
    old = Booking("old", "U", first, first + timedelta(hours=4), first + timedelta(hours=6), "refresh", request=first)
    new = replace(old, id="new", what="use", request=None)
    save_bookings(database, [old], first)
    assert load_bookings(database) == (old,)
    with pytest.raises(Locked):
        save_bookings(database, [new], first)
    save_bookings(database, [new], first, Planned("ann", ("U",), (old,), gives_up=(old,)))
    assert load_bookings(database) == (new,)


def test_a_plan_is_refused_where_somebody_changed_what_it_was_made_with(database: state.Database) -> None:
    mock, dress = _booking("mock", 1), _booking("dress", 30)
    save_bookings(database, [mock, dress], NOW)
    made_from = Planned("bob", ("uat",), load_bookings(database))
    save_bookings(database, [replace(_booking("tea", 60), what="use", release=None)], NOW)  # only takes its time
    cancel_booking(database, "mock", ("ann", "not now"), NOW)
    with pytest.raises(StalePlan, match="R41 mock in UAT was cancelled"):
        save_bookings(database, [replace(mock, start=mock.start + HOUR)], NOW, made_from)
    made_from = Planned("bob", ("uat",), load_bookings(database))
    move_booking(database, "dress", ("UAT", NOW + 33 * HOUR, None), ("ann", "later", NOW))
    with pytest.raises(StalePlan, match="R41 dress in UAT was moved"):
        save_bookings(database, [_booking("other", 90)], NOW, made_from)
    made_from = Planned("bob", ("uat",), ())
    with pytest.raises(StalePlan, match="was booked"):
        save_bookings(database, [], NOW, made_from)
    assert {one.id for one in load_bookings(database)} == {"dress", "tea"}


def test_who_planned_again_is_kept_and_not_who_booked_first(database: state.Database) -> None:
    mock = replace(_booking("mock", 1), by="ann")
    save_bookings(database, [mock], NOW)
    plan = Planned("bob", ("UAT",), (mock,))
    save_bookings(database, [replace(mock, burns=True)], NOW, plan)
    save_bookings(database, [replace(_booking("mock", 5), by="ann")], NOW, plan)
    deeds = [(one.what, one.who) for one in load_deeds(database, "mock")]
    assert deeds == [("booked", "ann"), ("planned again", "bob"), ("moved", "bob")]


def test_a_move_that_nobody_approved_waits_for_approval(database: state.Database) -> None:
    save_bookings(database, [_booking("mock", 1)], NOW)
    to = "UAT", NOW + 9 * HOUR, None
    assert move_booking(database, "mock", to, ("bob", "later", NOW), "requested")[1].state == "requested"
    assert [one.state for one in load_bookings(database)] == ["requested"]
