"""A booking that the world has broken is marked, with the reason; a replanning moves it, and little else."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from rehearse import clock
from rehearse.clock import Span
from rehearse.release.model import Needs, Pin
from rehearse.schedule.booked import build_bookings, find_left_without, find_own_refreshes, find_superseded
from rehearse.schedule.broken import find_broken
from rehearse.schedule.broken_rules import name_broken_rules
from rehearse.schedule.clones import name_clones
from rehearse.schedule.model import Booking, Closed, Window, Wish
from rehearse.schedule.preparation import prepare_bookings
from rehearse.schedule.rules import check
from rehearse.schedule.solver import solve

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = clock.from_iso("2026-11-23T08:00:00Z")


@pytest.fixture
def booked(worlds: SimpleNamespace) -> Wish:
    """Two releases of one rehearsal each, planned and booked."""
    first = worlds.release("R1", NOW + 20 * DAY, worlds.rehearsal("mock", "R1"))
    second = worlds.release("R2", NOW + 24 * DAY, worlds.rehearsal("mock", "R2"))
    wish = worlds.wish([worlds.supply("UAT")], [first, second])
    bookings = build_bookings(solve(wish, seconds=5), by="ann")
    return replace(wish, supplies=(replace(wish.supplies[0], bookings=bookings),))


def _of(wish: Wish, release: str) -> Booking:
    return next(one for one in wish.supplies[0].bookings if one.release == release)


def test_a_kept_world_breaks_nothing(booked: Wish) -> None:
    assert find_broken(booked) == ()


def test_a_new_blackout_marks_what_it_touches_and_replanning_moves_only_that(booked: Wish) -> None:
    hit = _of(booked, "R1")
    closed = (Closed("Freeze", Window(hit.start - DAY, hit.end)),)
    world = replace(booked, closed=closed)
    (broken,) = find_broken(world)
    assert broken.booking == hit and "Freeze" in broken.text
    stays = solve(world, seconds=5)
    assert any("Freeze" in one and "--replan" in one for one in stays.warnings)
    again = replace(world, replan=True)
    moved = solve(again, seconds=5)
    assert check(moved, again) == [] and name_broken_rules(again, moved) == ()
    assert {one.name: one.value for one in moved.goals}["moves"] == 1
    assert _of(booked, "R2").start in [one.start for one in moved.bookings]


def test_a_late_refresh_marks_what_waits_for_it(booked: Wish, worlds: SimpleNamespace) -> None:
    waits = replace(
        _of(booked, "R1"), start=NOW + 10 * HOUR, end=NOW + 14 * HOUR, prepare="refresh", ready_by=NOW + 9 * HOUR
    )
    copying = worlds.cycle("UAT", "FULL", NOW - 10 * HOUR, state="copying", copied=None, activated=None)
    supply = replace(booked.supplies[0], bookings=(waits,), cycles=(*booked.supplies[0].cycles, copying))
    (broken,) = find_broken(replace(booked, supplies=(supply,)))
    assert "not ready before" in broken.text
    turning = replace(copying, state="activating", copied=NOW - HOUR)
    used = replace(waits, what="use", prepare="none", start=NOW + 2 * HOUR, end=NOW + 3 * HOUR)
    for cycle, broken in ((turning, 1), (replace(turning, state="pending-activation"), 0)):
        there = replace(supply, bookings=(used,), cycles=(*booked.supplies[0].cycles, cycle))
        assert len(find_broken(replace(booked, supplies=(there,)))) == broken, "nobody can use it while it is activated"
    quick = replace(supply, copy_time=12 * HOUR)
    assert find_broken(replace(booked, supplies=(quick,))) == ()


def test_other_ways_in_which_a_booking_breaks(booked: Wish) -> None:
    supply, one = booked.supplies[0], _of(booked, "R2")
    early = tuple(replace(found, go_live=one.start) for found in booked.releases)
    assert any("after the go-live" in found.text for found in find_broken(replace(booked, releases=early)))
    burning = Booking("burn", "UAT", NOW + HOUR, NOW + 2 * HOUR, NOW + 2 * HOUR, "rehearsal", "R0", "x", burns=True)
    ask = NOW - HOUR
    due = Booking("r", "UAT", NOW + 50 * HOUR, NOW + 56 * HOUR, NOW + 56 * HOUR, "refresh", why="data", request=ask)
    missed = replace(due, start=NOW + 30 * HOUR, end=NOW + 36 * HOUR)
    in_time = replace(booked, supplies=(replace(supply, bookings=(*supply.bookings, due)),))
    assert find_broken(in_time) == (), "asked for now, its copy of 36 hours is still made in time"
    for extra, words in ((burning, "burned by R0 x"), (missed, "was not")):
        world = replace(booked, supplies=(replace(supply, bookings=(*supply.bookings, extra)),))
        assert any(words in found.text for found in find_broken(world)), words


def test_the_next_refresh_of_a_sandbox_that_is_refreshed_often_is_not_the_last_one(worlds: SimpleNamespace) -> None:
    """Refreshed two days ago: what waits for the next one is not served by that, and its booking is another one."""
    at = NOW + 3 * DAY
    waits = Booking("r1-m", "DEV", at, at + HOUR, at + HOUR, "rehearsal", "R1", "m", prepare="refresh", ready_by=at)
    supply = worlds.supply("DEV", "DEVELOPER", 2, bookings=(waits,), copy_time=2 * HOUR)
    (broken,) = find_broken(worlds.wish([supply], []))
    assert "neither booked nor under way" in broken.text
    times = at - 6 * HOUR, at, at
    coming = Booking("refresh-dev", "DEV", *times, "refresh", why="data refresh", request=at - 9 * HOUR)
    assert find_own_refreshes([coming], NOW - 2 * DAY, "DEVELOPER") == []
    assert find_own_refreshes([coming], at - 8 * HOUR, "DEVELOPER") == [coming]
    assert find_own_refreshes([coming], NOW - 2 * DAY, "FULL") == [coming]


def test_what_prepares_a_booking_is_told_as_things_stand(booked: Wish, worlds: SimpleNamespace) -> None:
    """Somebody else books before it, a refresh is booked or goes, it is moved: the planner would say the same."""
    supply, late = booked.supplies[0], _of(booked, "R2")
    assert (late.prepare, prepare_bookings(booked)[late.id]) == ("reset", late)
    free = late.start - 3 * HOUR
    use = Booking("use", "UAT", free - HOUR, free, free, "use", why="tea")
    ready = late.start - 30 * HOUR
    refresh = Booking("r", "UAT", ready - 6 * HOUR, ready, ready, "refresh", request=ready - 60 * HOUR)
    alone = [one for one in supply.bookings if one.id == late.id]
    for more, expected in (
        ([use], ("reset", free)),
        ([refresh], ("refresh", ready)),
        ([refresh, use], ("reset", free)),
        ([replace(use, what="advance", release="R0")], ("none", free)),
        ([], ("none", NOW)),
    ):
        world = replace(booked, supplies=(replace(supply, bookings=(*alone, *more)),))
        found = prepare_bookings(world)[late.id]
        assert (found.prepare, found.ready_by) == expected
    waits = worlds.cycle("UAT", "FULL", NOW - 90 * HOUR, state="pending-activation", activated=None)
    due = replace(refresh, start=NOW - 3 * HOUR, end=NOW + 3 * HOUR, free_at=NOW + 3 * HOUR)
    cycles = (*supply.cycles, waits)
    world = replace(booked, supplies=(replace(supply, bookings=(*alone, due), cycles=cycles),))
    assert prepare_bookings(world)[late.id].ready_by == NOW + 6 * HOUR, "not activated yet: it settles from now on"


def test_a_rehearsal_that_lost_the_advance_before_it_is_marked(worlds: SimpleNamespace) -> None:
    first = worlds.release("R1", NOW + 4 * DAY, worlds.rehearsal("mock", "R1"))
    second = worlds.release("R2", NOW + 24 * DAY, worlds.rehearsal("mock", "R2", not_before=NOW + 7 * DAY))
    wish = worlds.wish([worlds.supply("UAT")], [first, second])
    made = build_bookings(solve(wish, seconds=5), by="ann")
    assert [one.what for one in made] == ["rehearsal", "advance", "rehearsal"]
    booked = replace(wish, supplies=(replace(wish.supplies[0], bookings=made),))
    assert find_broken(booked) == ()
    without = replace(wish, supplies=(replace(wish.supplies[0], bookings=(made[0], made[2])),))
    (broken,) = find_broken(without)
    assert broken.booking == made[2] and "R1 goes live on" in broken.text
    copied = worlds.cycle("UAT", "FULL", NOW + 4 * DAY, state="copying", copied=None, activated=None)
    cycles = (*wish.supplies[0].cycles, copied)
    assert find_broken(replace(without, supplies=(replace(without.supplies[0], cycles=cycles),))) == ()


def test_a_replanning_names_what_it_takes_from_others(worlds: SimpleNamespace) -> None:
    first = worlds.release("R1", NOW + 4 * DAY, worlds.rehearsal("mock", "R1"))
    second = worlds.release("R2", NOW + 24 * DAY, worlds.rehearsal("mock", "R2", not_before=NOW + 7 * DAY))
    wish = worlds.wish([worlds.supply("UAT")], [first, second])
    made = build_bookings(solve(wish, seconds=5), by="ann")
    advance, later = made[1], made[2]
    other = replace(second, rehearsals=())  # its file was not given
    supply = replace(wish.supplies[0], bookings=made)
    alone = replace(wish, releases=(first, other), supplies=(supply,), replan=True)
    schedule = solve(alone, seconds=5)
    gone = find_superseded(schedule, made, NOW)
    assert gone == (advance,) and find_left_without(schedule, gone, alone) == ((advance, later),)
    whole = replace(alone, releases=(first, second))
    schedule = solve(whole, seconds=5)
    assert find_left_without(schedule, find_superseded(schedule, made, NOW), whole) == ()


def test_a_plan_that_uses_a_clone_says_what_its_copies_are_of(booked: Wish) -> None:
    schedule = solve(booked, seconds=5)
    assert name_clones(booked, schedule) == ()
    supply = booked.supplies[0]
    cycles = tuple(replace(one, clone_of="GOLD") for one in supply.cycles)
    (said,) = name_clones(replace(booked, supplies=(replace(supply, cycles=cycles),)), schedule)
    assert said.startswith("UAT is a clone of GOLD: a refresh copies GOLD")
    assert name_clones(replace(booked, supplies=(replace(supply, name="B", cycles=cycles),)), schedule) == ()


def test_the_booked_activation_of_a_copy_under_way_stays(worlds: SimpleNamespace) -> None:
    """Also off the grid: the planner put rehearsals where it was booked, and nothing of that could be booked."""
    at = NOW + 52 * HOUR + timedelta(minutes=1)
    copying = worlds.cycle("UAT", "FULL", NOW - HOUR, state="copying", copied=None, activated=None)
    own = Booking("r", "UAT", at, at + 6 * HOUR, at + 6 * HOUR, "refresh", request=NOW - HOUR)
    supply = worlds.supply("UAT", bookings=(own,))
    supply = replace(supply, cycles=(*supply.cycles, copying))
    pinned = worlds.rehearsal("mock", "R1", pin=Pin("UAT", at + HOUR))
    wish = worlds.wish([supply], [worlds.release("R1", NOW + 20 * DAY, pinned)])
    found = solve(wish, seconds=5)
    assert [one.activate for one in found.refreshes] == [at] and found.unplaced
    again = replace(wish, replan=True)
    moved = solve(again, seconds=5)
    (refresh,), (mock,) = moved.refreshes, moved.bookings
    assert mock.end <= refresh.activate or refresh.ready <= mock.start
    made = build_bookings(moved, "ann", [own])
    assert {one.id: (one.start, one.end) for one in made}["r"] == (refresh.activate, refresh.ready)
    assert find_superseded(moved, [own], NOW) == (), "it is still to come: nobody may book over it"
    late = replace(copying, state="activating", copied=NOW - HOUR)
    now = solve(replace(wish, supplies=(replace(supply, bookings=(), cycles=(*supply.cycles[:1], late)),)), seconds=5)
    assert [one.activate for one in now.refreshes] == [NOW]
    fresh = worlds.rehearsal("mock", "R1", needs=Needs(data_age=Span(14 * DAY)), target=Span(9 * DAY))
    releases = (worlds.release("R1", NOW + 20 * DAY, fresh),)
    told = replace(wish, supplies=(replace(supply, bookings=()),), releases=releases)
    (booked,) = [one for one in build_bookings(solve(told, seconds=5), "ann") if one.what == "refresh"]
    assert booked.request == NOW - HOUR, "others asked for it: what waits for it needs the activation all the same"


def test_a_suspended_copy_goes_on_and_a_stopped_one_is_told(worlds: SimpleNamespace) -> None:
    """A suspended copy was forgotten: a new planning gave up its booking, and what waited for it."""
    young = worlds.rehearsal("mock", "R1", needs=Needs(data_age=Span(14 * DAY)), target=Span(9 * DAY))
    copy = worlds.cycle("UAT", "FULL", NOW - HOUR, state="suspended", copied=None, activated=None)
    supply = worlds.supply("UAT")
    supply = replace(supply, cycles=(*supply.cycles, copy))
    wish = worlds.wish([supply], [worlds.release("R1", NOW + 20 * DAY, young)])
    found = solve(wish, seconds=5)
    assert check(found, wish) == [] and [one.prepare for one in found.bookings] == ["refresh"]
    made = build_bookings(found, "ann")
    stopped = replace(supply, bookings=made, cycles=(*supply.cycles[:-1], replace(copy, state="stopped")))
    world = replace(wish, supplies=(stopped,))
    assert ["has stopped" in one.text for one in find_broken(world)] == [True]
    said = solve(world, seconds=5).warnings
    assert any("its copy is stopped" in one for one in said)
    assert any("R1 mock has data of Thu 2026-11-05 08:00" in one for one in said), "as people read it, in their zone"
    locked = replace(stopped, cycles=(*supply.cycles[:-1], replace(copy, state="locked")))
    assert any("is locked" in one.text for one in find_broken(replace(wish, supplies=(locked,))))


def test_a_refresh_that_was_booked_and_never_came_heals_nothing(worlds: SimpleNamespace) -> None:
    """Its copy was dropped, or nobody asked for it: what it was booked for is as burned, and as old, as before."""
    first = worlds.release("R1", NOW - 6 * DAY, worlds.rehearsal("mock", "R1"))
    second = worlds.release("R2", NOW + 24 * DAY, worlds.rehearsal("mock", "R2"))
    ago, then, end = NOW - 5 * DAY, NOW + 3 * DAY, NOW - 2 * DAY
    burning = Booking("burn", "UAT", ago, ago + HOUR, ago + HOUR, "rehearsal", "R2", "x", burns=True)
    late = Booking("r2-mock", "UAT", then, then + HOUR, then + HOUR, "rehearsal", "R2", "mock")
    past = Booking("r", "UAT", end - 6 * HOUR, end, end, "refresh", request=NOW - 4 * DAY)
    for refresh, broken in ((past, 2), (replace(past, start=NOW + DAY, end=NOW + 30 * HOUR), 0)):
        supply = worlds.supply("UAT", bookings=(burning, refresh, late))
        found = [one.text for one in find_broken(worlds.wish([supply], [first, second])) if one.booking == late]
        assert ["burned by" in text and "R1 goes live" in text for text in found] == [True] * (broken // 2), found


def test_a_copy_that_takes_longer_is_not_made_yet(worlds: SimpleNamespace) -> None:
    """Plans told when it was made, days ago, and began the next copy of the same production before now."""
    late = worlds.cycle("UAT", "FULL", NOW - 5 * DAY, state="copying", copied=None, activated=None)
    supply = worlds.supply("UAT")
    young = worlds.rehearsal("mock", "R1", needs=Needs(data_age=Span(14 * DAY)), target=Span(13 * DAY))
    wish = worlds.wish([replace(supply, cycles=(*supply.cycles, late))], [worlds.release("R1", NOW + 20 * DAY, young)])
    found = solve(wish, seconds=5)
    assert check(found, wish) == [] and [one.copied for one in found.refreshes] == [NOW]
