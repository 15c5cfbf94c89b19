"""Cases as data: small worlds, and what must come out of them. Every schedule is held against the judge as well."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from rehearse import clock
from rehearse.clock import Hours, Span
from rehearse.release.model import Needs, Pin
from rehearse.schedule.booked import build_bookings, find_superseded
from rehearse.schedule.model import Booking, Closed, Schedule, Somebody, Window, Wish
from rehearse.schedule.rules import check
from rehearse.schedule.solver import solve

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LONG = os.environ.get("REHEARSE_TEST") == "all"
Build = Callable[[SimpleNamespace], Wish]


def _at(text: str) -> datetime:
    return clock.from_iso(f"{text}:00Z")


def _release(w: Any, *rehearsals: Any, live: str = "2026-12-18T18:00", **more: Any) -> Any:
    return w.release("R1", _at(live), *rehearsals, **more)


def _one(w: Any, supply: Any = None, live: str = "2026-12-18T18:00", **more: Any) -> Wish:
    return w.wish([supply or w.supply("U")], [_release(w, w.rehearsal("m", **more), live=live)])  # type: ignore[no-any-return]


def _two(w: Any, first: dict[str, Any], second: dict[str, Any], **more: Any) -> Wish:
    both = w.rehearsal("a", **first), w.rehearsal("b", **second)
    return w.wish([w.supply("U", days_ago=40)], [_release(w, *both)], **more)  # type: ignore[no-any-return]


def _booked(w: Any, **more: Any) -> Wish:
    start = _at("2026-12-01T10:00")
    kept = Booking("kept", "U", start, start + 4 * HOUR, start + 6 * HOUR, "rehearsal", "R1", "m", "mock")
    return replace(_one(w, w.supply("U", bookings=(kept,))), **more)


def _copying(w: Any, **more: Any) -> Any:
    old = w.cycle("U", "FULL", _at("2026-10-01T08:00"))
    running = w.cycle("U", "FULL", _at("2026-11-22T20:00"), state="copying", copied=None, activated=None)
    return w.supply("U", cycles=(old, running), **more)


def _settling(w: Any) -> Any:
    """A sandbox whose copy was activated an hour ago, so that it is ready at one."""
    return w.supply("U", cycles=(w.cycle("U", "FULL", _at("2026-11-22T01:00")),))


def _used(w: Any, name: str = "U", **more: Any) -> Any:
    """A sandbox that was refreshed and used since, so that it is not fresh any more."""
    start = _at("2026-11-20T10:00")
    used = Booking(f"used-{name}", name, start, start + HOUR, start + HOUR, "use", why="training")
    return w.supply(name, bookings=(used,), **{"days_ago": 40, **more})


def _policy(wish: Wish, **more: Any) -> Wish:
    return replace(wish, policy=replace(wish.policy, **more))


AWAY = Somebody("ann", clock.zone("America/New_York"), Hours((0, 1, 2, 3, 4), time(9), time(17)))
PLACED: dict[str, tuple[Build, dict[str, str]]] = {
    "on the wished day, at its first free minute": (_one, {"m": "U 2026-12-11T09:00"}),
    "a pin may be off the grid": (
        lambda w: _one(w, pin=Pin("u", _at("2026-12-01T09:07"))),
        {"m": "U 2026-12-01T09:07"},
    ),
    "a pin to a sandbox": (
        lambda w: w.wish([w.supply("A"), w.supply("U")], [_release(w, w.rehearsal("m", pin=Pin("U")))]),
        {"m": "U 2026-12-11T09:00"},
    ),
    "people in New York are there from two in Dublin": (
        lambda w: replace(_one(w, people=("ann",)), people=(AWAY,)),
        {"m": "U 2026-12-11T14:00"},
    ),
    "one person in one rehearsal at a time": (
        lambda w: replace(
            w.wish(
                [w.supply("A"), w.supply("B")],
                [_release(w, *(w.rehearsal(name, people=("ann",), length=5) for name in ("a", "b")))],
            ),
            people=(Somebody("ann", w.dublin, None),),
        ),
        {"a": "A 2026-12-10T09:00", "b": "A 2026-12-11T09:00"},
    ),
    "in summer time the hours follow the wall": (
        lambda w: _policy(
            _one(w, live="2027-04-07T17:00", target=Span(9 * DAY), not_before=_at("2027-03-28T00:00")),
            horizon=Span(timedelta(weeks=26)),
        ),
        {"m": "U 2027-03-29T08:00"},
    ),
    "hours of the go-live: its weekday and clock time, whatever the clocks did": (
        lambda w: _policy(
            _one(w, live="2027-04-02T17:00", hours="go_live", length=20),
            horizon=Span(timedelta(weeks=26)),
        ),
        {"m": "U 2027-03-26T18:00"},
    ),
    "a blackout moves it to the day beside": (
        lambda w: replace(
            _one(w), closed=(Closed("x", Window(_at("2026-12-11T00:00"), _at("2026-12-12T00:00")), ("U",)),)
        ),
        {"m": "U 2026-12-10T09:00"},
    ),
    "a blackout of another sandbox does not": (
        lambda w: replace(
            _one(w), closed=(Closed("x", Window(_at("2026-12-11T00:00"), _at("2026-12-12T00:00")), ("V",)),)
        ),
        {"m": "U 2026-12-11T09:00"},
    ),
    "fresh needs a refresh, and runs once it has settled": (
        lambda w: _one(w, _used(w), needs=Needs(start="fresh"), not_after=_at("2026-11-26T18:00")),
        {"m": "U 2026-11-26T09:00"},
    ),
    "nothing starts before the last refresh has settled, pinned to that day or not": (
        lambda w: _one(w, _settling(w), not_after=_at("2026-11-23T18:00")),
        {"m": "U 2026-11-23T13:00"},
    ),
    "young data needs a refresh": (
        lambda w: _one(w, w.supply("U", days_ago=40), needs=Needs(data_age=Span(7 * DAY))),
        {"m": "U 2026-12-11T09:00"},
    ),
    "a booking stays, though a rule breaks": (
        lambda w: _booked(w, policy=w.policy(hours=Hours((5,), time(9), time(18)))),
        {"m": "U 2026-12-01T10:00"},
    ),
    "with replan a booking stays as long as no rule breaks": (
        lambda w: _booked(w, replan=True),
        {"m": "U 2026-12-01T10:00"},
    ),
    "without use during a copy, nothing starts before the copy under way is ready": (
        lambda w: _policy(_one(w, _copying(w), not_after=_at("2026-11-26T18:00")), usable_during_copy=False),
        {"m": "U 2026-11-26T09:00"},
    ),
}


@pytest.mark.parametrize("name", PLACED)
def test_where_and_when(name: str, worlds: SimpleNamespace) -> None:
    build, expected = PLACED[name]
    wish = build(worlds)
    found = solve(wish, seconds=20)
    assert check(found, wish) == [] and found.proven and not found.unplaced
    assert {one.rehearsal: f"{one.sandbox} {one.start:%Y-%m-%dT%H:%M}" for one in found.bookings} == expected


def _solved(wish: Wish) -> Schedule:
    found = solve(wish, seconds=20)
    assert check(found, wish) == [] and found.proven
    return found


def _goals(found: Schedule) -> dict[str, int]:
    return {one.name: one.value for one in found.goals}


def test_what_burns_is_last_before_a_refresh_or_at_all(worlds: SimpleNamespace) -> None:
    found = _solved(_two(worlds, {"forecast": "burns"}, {}))
    assert [one.rehearsal for one in found.bookings] == ["b", "a"] and not found.refreshes
    assert [one.burns for one in found.bookings] == [False, True]
    ordered = _solved(_two(worlds, {"forecast": "burns"}, {"after": "a"}))
    assert [one.rehearsal for one in ordered.bookings] == ["a", "b"] and _goals(ordered)["refreshes"] == 1
    (refresh,) = ordered.refreshes
    first, second = ordered.bookings
    assert first.free_at <= refresh.activate and refresh.ready <= second.start
    assert (second.prepare, second.ready_by) == ("refresh", refresh.ready)


def test_the_reset_is_left_out_before_a_refresh_and_only_there(worlds: SimpleNamespace) -> None:
    needs = Needs(data_age=Span(7 * DAY))
    found = _solved(_two(worlds, {"not_after": _at("2026-11-24T12:00")}, {"after": "a", "needs": needs}))
    first, second = found.bookings
    assert first.free_at == first.end and second.free_at == second.end + 2 * HOUR
    plain = _solved(_two(worlds, {}, {"after": "a"}))
    assert [one.free_at - one.end for one in plain.bookings] == [2 * HOUR, 2 * HOUR]
    assert (plain.bookings[1].prepare, plain.bookings[1].ready_by) == ("reset", plain.bookings[0].free_at)


def test_a_hold_keeps_the_sandbox(worlds: SimpleNamespace) -> None:
    found = _solved(
        _two(worlds, {"hold": Span(2 * DAY), "target": Span(7 * DAY)}, {"after": "a", "target": Span(7 * DAY)})
    )
    first, second = found.bookings
    assert first.free_at == first.end + 2 * DAY + 2 * HOUR and second.start >= first.free_at


@pytest.mark.parametrize(("plan_with", "unplaced"), [("certain", 1), ("possible", 0)])
def test_which_of_the_two_dates_is_trusted(plan_with: str, unplaced: int, worlds: SimpleNamespace) -> None:
    """The last request was 28 days ago: possible tomorrow, certain more than a day later."""
    supply = _used(worlds, days_ago=28, copy_time=30 * HOUR)
    wish = _one(worlds, supply, needs=Needs(start="fresh"), not_after=_at("2026-11-27T12:00"))
    found = _solved(_policy(wish, plan_with=plan_with, settle=HOUR))
    assert len(found.unplaced) == unplaced
    if unplaced:
        assert [one.change for one in found.unplaced[0].repairs if one.checked].count("refresh") == 1


def test_a_later_release_needs_an_advance_and_gets_one(worlds: SimpleNamespace) -> None:
    first = worlds.release("R1", _at("2026-11-27T18:00"), worlds.rehearsal("m", not_after=_at("2026-11-24T18:00")))
    second = worlds.release(
        "R2", _at("2026-12-18T18:00"), worlds.rehearsal("m", "R2", not_before=_at("2026-12-07T00:00"))
    )
    found = _solved(worlds.wish([worlds.supply("U")], [first, second]))
    (advance,) = found.advances
    assert (advance.sandbox, advance.release, advance.end - advance.start) == ("U", "R1", 4 * HOUR)
    assert _at("2026-11-27T18:00") <= advance.start and advance.end <= found.bookings[1].start
    assert (found.bookings[1].prepare, found.bookings[1].ready_by) == ("none", advance.end)
    assert _goals(found)["advances"] == 1 and _goals(found)["refreshes"] == 0


def test_a_copy_under_way_is_kept_and_not_counted(worlds: SimpleNamespace) -> None:
    found = _solved(_one(worlds, _copying(worlds), needs=Needs(data_age=Span(30 * DAY))))
    (refresh,) = found.refreshes
    assert refresh.running and refresh.request == _at("2026-11-22T20:00") and _goals(found)["refreshes"] == 0
    assert found.bookings[0].prepare == "refresh"


def test_moves_are_counted_and_are_few(worlds: SimpleNamespace) -> None:
    closed = (Closed("new", Window(_at("2026-12-01T00:00"), _at("2026-12-02T00:00"))),)
    found = _solved(_booked(worlds, replan=True, closed=closed))
    assert _goals(found)["moves"] == 1 and found.bookings[0].id == "kept"


def test_copies_of_one_production_run_one_after_another(worlds: SimpleNamespace) -> None:
    supplies = [_used(worlds, name) for name in ("A", "B")]
    fresh = [
        worlds.rehearsal(name, needs=Needs(start="fresh"), pin=Pin(name), not_after=_at("2026-11-30T18:00"))
        for name in ("A", "B")
    ]
    found = _solved(worlds.wish(supplies, [_release(worlds, *fresh)]))
    one, other = sorted(found.refreshes, key=lambda refresh: refresh.request)
    assert one.copied <= other.request and not found.unplaced


def test_one_run_at_the_last_minute_cannot_be_repeated(worlds: SimpleNamespace) -> None:
    pinned = Pin(None, _at("2026-12-18T13:30"))
    found = _solved(_one(worlds, pin=pinned))
    assert _goals(found)["unrepeatable"] == 1
    assert _goals(_solved(_one(worlds)))["unrepeatable"] == 0


def test_a_go_live_that_is_over_is_not_moved(worlds: SimpleNamespace) -> None:
    found = _solved(_one(worlds, live="2026-11-20T18:00"))
    (late,) = found.unplaced
    assert [one.rule for one in late.reasons] == ["before_go_live"] and "is over" in late.reasons[0].text
    assert late.repairs == ()


def test_the_same_wish_gives_the_same_schedule(worlds: SimpleNamespace) -> None:
    wish = worlds.random(13, tiny=False)
    assert solve(wish).bookings == solve(wish).bookings


def _when(one: Booking) -> tuple[object, ...]:
    """Not `ready_by`: the activation of a copy under way is not booked and may be chosen anew."""
    return one.id, one.sandbox, one.start, one.end, one.free_at, one.prepare


def _book(wish: Wish, found: Schedule) -> Wish:
    made = build_bookings(found, "me")
    supplies = tuple(
        replace(
            one,
            bookings=tuple(
                {old.id: old for old in (*one.bookings, *(new for new in made if new.sandbox == one.name))}.values()
            ),
        )
        for one in wish.supplies
    )
    return replace(wish, supplies=supplies, replan=False)


@pytest.mark.parametrize("seed", [4, 105, 120, 200, 213, 234, 308, 354, 1, 13, *([38, 59] if LONG else [])])
def test_what_was_booked_comes_out_the_same_when_planned_again(seed: int, worlds: SimpleNamespace) -> None:
    wish = worlds.random(seed, tiny=seed > 100 or seed == 4)
    found = solve(wish, seconds=20)
    again = _book(wish, found)
    second = solve(again, seconds=20)
    assert check(second, again) == []
    assert [_when(one) for one in build_bookings(second, "me")] == [_when(one) for one in build_bookings(found, "me")]
    assert _goals(second)["moves"] == 0 and find_superseded(second, [], again.now) == ()
