"""The judge notices: for each rule a schedule that breaks it by one slip, and its neighbour that does not.

Every other test holds the planner against the judge, and would pass under one that finds everything right.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from rehearse import clock
from rehearse.clock import Span
from rehearse.release.model import Needs, Pin
from rehearse.schedule.model import Advance, Booking, Refresh, Schedule, Wish
from rehearse.schedule.rules import check

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MINUTE = timedelta(minutes=1)
Pair = tuple[Wish, Schedule]


def _at(text: str) -> datetime:
    return clock.from_iso(f"2026-{text}:00Z")


LIVE, DAY_1 = _at("12-18T18:00"), _at("12-01T09:00")  # a Tuesday


def _run(start: datetime = DAY_1, name: str = "m", release: str = "R1", **more: Any) -> Booking:
    values: dict[str, Any] = {"prepare": "none", "ready_by": _at("11-23T08:00"), "free_at": start + 6 * HOUR, **more}
    end = values.pop("end", start + 4 * HOUR)
    sandbox, id = values.pop("sandbox", "U"), values.pop("id", f"{release}-{name}")
    return Booking(id, sandbox, start, end, values.pop("free_at"), "rehearsal", release, name, "mock", **values)


def _refresh(request: datetime, activate: datetime, sandbox: str = "U", **more: Any) -> Refresh:
    values: dict[str, Any] = {"copied": request + 36 * HOUR, "ready": activate, **more}
    return Refresh(sandbox, request, values.pop("copied"), activate, values.pop("ready"), **values)


def _made(*bookings: Booking, refreshes: Any = (), advances: Any = ()) -> Schedule:
    return Schedule(bookings, tuple(refreshes), tuple(advances), (), ())


def _wish(w: Any, *rehearsals: Any, supply: Any = None, supplies: Any = None, more: Any = (), **wish: Any) -> Wish:
    release = w.release("R1", wish.pop("live", LIVE), *(rehearsals or (w.rehearsal("m"),)))
    policy = w.policy(**{"settle": timedelta(), **wish.pop("policy", {})})
    made: Wish = w.wish(supplies or [supply or w.supply("U")], [release, *more], policy=policy, **wish)
    return made


def _kept(**more: Any) -> Booking:
    return _run(id="kept", **more)


def _two(w: Any, **more: Any) -> Wish:
    return _wish(w, w.rehearsal("m"), w.rehearsal("b", **more))


def _developer(w: Any, *names: str, **more: Any) -> list[Any]:
    return [w.supply(one, "DEVELOPER", 40, **more) for one in names]


def _copying(w: Any, name: str, state: str = "copying") -> Any:
    last = w.cycle(name, "DEVELOPER", _at("11-22T20:00"), state=state, copied=None, activated=None)
    return w.supply(name, "DEVELOPER", cycles=(last,))


def _burns(w: Any, **more: Any) -> Wish:
    rehearsals = w.rehearsal("m", forecast="burns"), w.rehearsal("b")
    return _wish(w, *rehearsals, **{"supplies": _developer(w, "U"), **more})


def _later(w: Any) -> Any:
    return w.release("R2", _at("12-18T18:00"), w.rehearsal("m", "R2"))


def _after_go_live(w: Any, **more: Any) -> Wish:
    """R1 goes live on 27 November, and R2 is rehearsed after it."""
    rehearsal = w.rehearsal("x", not_after=_at("11-24T18:00"))
    return _wish(w, rehearsal, live=_at("11-27T18:00"), more=[_later(w)], **more)


def _advance(start: str, release: str = "R1", hours: float = 4) -> Advance:
    return Advance("U", release, _at(start), _at(start) + hours * HOUR)


R2 = _run(_at("12-03T09:00"), release="R2")
READY = _at("12-01T09:00")
FRESH = Needs(start="fresh")

CASES: dict[str, tuple[str, str, Callable[[Any], Pair], Callable[[Any], Pair]]] = {
    "the past": (
        "grid", "in the past",
        lambda w: (_wish(w), _made(_run(_at("11-20T09:00")))), lambda w: (_wish(w), _made(_run())),
    ),
    "the grid": (
        "grid", "off the grid",
        lambda w: (_wish(w), _made(_run(DAY_1 + 7 * MINUTE))), lambda w: (_wish(w), _made(_run(DAY_1 + 30 * MINUTE))),
    ),
    "a pin": (
        "grid", "at its pin",
        lambda w: (_wish(w, w.rehearsal("m", pin=Pin(None, DAY_1))), _made(_run(DAY_1 + 30 * MINUTE))),
        lambda w: (_wish(w, w.rehearsal("m", pin=Pin(None, DAY_1))), _made(_run())),
    ),
    "a length": (
        "grid", "another length",
        lambda w: (_wish(w), _made(_run(end=DAY_1 + 5 * HOUR))), lambda w: (_wish(w), _made(_run())),
    ),
    "one at a time": (
        "overlap", "R1 m and R1 b overlap",
        lambda w: (_two(w), _made(_run(), _run(DAY_1 + 5 * HOUR, "b"))),
        lambda w: (_two(w), _made(_run(), _run(DAY_1 + 6 * HOUR, "b"))),
    ),
    "in what somebody else has": (
        "overlap", "R1 m and course overlap",
        lambda w: (_wish(w, supply=_course(w, DAY_1)), _made(_run())),
        lambda w: (_wish(w, supply=_course(w, DAY_1 + DAY)), _made(_run())),
    ),
    "in a booked advance, which a planning of everything moves": (
        "overlap", "R1 m and R1 advance overlap",
        lambda w: (_wish(w, supply=_will_advance(w, DAY_1)), _made(_run())),
        lambda w: (_wish(w, supply=_will_advance(w, DAY_1), replan=True), _made(_run())),
    ),
    "in an advance that has begun, which nothing moves": (
        "overlap", "R1 m and R1 advance overlap",
        lambda w: (_wish(w, supply=_will_advance(w, _at("11-23T07:30")), replan=True), _made(_run(_at("11-23T09:00")))),
        lambda w: (_wish(w, supply=_will_advance(w, _at("11-23T07:30")), replan=True), _made(_run(_at("11-23T12:00")))),
    ),
    "no way into a sandbox whose copy is made, where it is not usable": (
        "overlap", "R1 m and refresh overlap",
        lambda w: (_wish(w, policy={"usable_during_copy": False}), _copied()),
        lambda w: (_wish(w, policy={"usable_during_copy": True}), _copied()),
    ),
    "free after hold and reset": (
        "reset", "is free at",
        lambda w: (_wish(w), _made(_run(free_at=DAY_1 + 4 * HOUR))), lambda w: (_wish(w), _made(_run())),
    ),
    "no reset right before a refresh": (
        "reset", "is free at",
        lambda w: (_wish(w), _made(_run(), refreshes=[_refresh(_at("11-29T09:00"), DAY_1 + 4 * HOUR)])),
        lambda w: (
            _wish(w),
            _made(_run(free_at=DAY_1 + 4 * HOUR), refreshes=[_refresh(_at("11-29T09:00"), DAY_1 + 4 * HOUR)]),
        ),
    ),
    "a reset before a refresh with work between": (
        "reset", "R1 m is free at",
        lambda w: (_two(w), _between(DAY_1 + 4 * HOUR)), lambda w: (_two(w), _between(DAY_1 + 6 * HOUR)),
    ),
    "a mark of burning": (
        "reset", "wrong mark",
        lambda w: (_wish(w), _made(_run(burns=True))), lambda w: (_wish(w), _made(_run())),
    ),
    "prepared by a refresh that is ready as it starts": (
        "prepare", "R1 m",
        lambda w: (_wish(w), _made(_run(), refreshes=[_refresh(_at("11-29T09:00"), DAY_1)])),
        lambda w: (
            _wish(w),
            _made(_run(prepare="refresh", ready_by=DAY_1), refreshes=[_refresh(_at("11-29T09:00"), DAY_1)]),
        ),
    ),
    "ready from now on": (
        "prepare", "R1 m",
        lambda w: (_wish(w), _made(_run(ready_by=_at("11-05T08:00")))), lambda w: (_wish(w), _made(_run())),
    ),
    "a gap": (
        "after", "too soon",
        lambda w: (_two(w, after="m", gap=Span(DAY)), _made(_run(), _run(DAY_1 + 27 * HOUR, "b"))),
        lambda w: (_two(w, after="m", gap=Span(DAY)), _made(_run(), _run(DAY_1 + 28 * HOUR, "b"))),
    ),
    "what is booked": (
        "booked", "the booking kept moved",
        lambda w: (_wish(w, supply=w.supply("U", bookings=(_kept(),))), _made(_kept(end=DAY_1 + 5 * HOUR))),
        lambda w: (_wish(w, supply=w.supply("U", bookings=(_kept(),))), _made(_kept())),
    ),
    "what has begun, though all is planned again": (
        "booked", "the booking kept moved",
        lambda w: (_begun(w), _made(_kept())), lambda w: (_begun(w), _made(_kept(start=_at("11-23T07:07")))),
    ),
    "the rules of what has begun": (
        "grid", "off the grid",
        lambda w: (_begun(w), _made(_run(DAY_1 + 7 * MINUTE))),
        lambda w: (_begun(w), _made(_kept(start=_at("11-23T07:07")))),
    ),
    "the time of a copy": (
        "refresh", "cannot be so",
        lambda w: (_wish(w), _made(refreshes=[_refresh(_at("11-26T09:00"), DAY_1, copied=_at("11-26T10:00"))])),
        lambda w: (_wish(w), _made(refreshes=[_refresh(_at("11-26T09:00"), DAY_1)])),
    ),
    "an activation in time": (
        "refresh", "at the wrong time",
        lambda w: (_wish(w), _made(refreshes=[_refresh(_at("11-26T09:00"), _at("12-29T09:00"))])),
        lambda w: (_wish(w), _made(refreshes=[_refresh(_at("11-26T09:00"), _at("12-22T09:00"))])),
    ),
    "settled": (
        "refresh", "at the wrong time",
        lambda w: (_wish(w), _made(refreshes=[_refresh(_at("11-26T09:00"), DAY_1, ready=DAY_1 + HOUR)])),
        lambda w: (_wish(w), _made(refreshes=[_refresh(_at("11-26T09:00"), DAY_1)])),
    ),
    "an activation on the grid": (
        "refresh", "off the grid",
        lambda w: (_wish(w), _made(refreshes=[_refresh(_at("11-26T09:00"), DAY_1 + MINUTE)])),
        lambda w: (_wish(w), _made(refreshes=[_refresh(_at("11-26T09:00"), DAY_1)])),
    ),
    "an activation in the hours": (
        "refresh", "outside the hours",
        lambda w: (_wish(w), _made(refreshes=[_refresh(_at("11-26T09:00"), _at("12-01T20:00"))])),
        lambda w: (_wish(w), _made(refreshes=[_refresh(_at("11-26T09:00"), DAY_1)])),
    ),
    "a copy that runs": (
        "running", "no such copy",
        lambda w: (_wish(w), _made(refreshes=[_refresh(_at("11-22T20:00"), DAY_1, running=True)])),
        lambda w: (
            _wish(w, supply=_copying(w, "U")),
            _made(refreshes=[_refresh(_at("11-22T20:00"), DAY_1, running=True)]),
        ),
    ),
    "a copy that runs, as it was requested": (
        "running", "no such copy",
        lambda w: (_wish(w, supply=_copying(w, "U")), _running("11-22T19:00")),
        lambda w: (_wish(w, supply=_copying(w, "U")), _running("11-22T20:00", 30)),
    ),
    "a copy that waits for its activation runs": (
        "running", "no such copy",
        lambda w: (_wish(w, supply=_copying(w, "U", "completed")), _running("11-22T20:00")),
        lambda w: (_wish(w, supply=_copying(w, "U", "pending-activation")), _running("11-22T20:00")),
    ),
    "the interval since the last refresh": (
        "interval", "requested before",
        lambda w: (_wish(w), _made(refreshes=[_refresh(_at("11-26T09:00"), DAY_1)])),
        lambda w: (_wish(w), _made(refreshes=[_refresh(_at("12-09T09:00"), _at("12-14T09:00"))])),
    ),
    "no request before the copy of the last one is activated": (
        "interval", "too soon after",
        lambda w: (_wish(w, supplies=_developer(w, "U"), policy={"clock": "request"}), _twice("11-27T09:00")),
        lambda w: (_wish(w, supplies=_developer(w, "U"), policy={"clock": "request"}), _twice("12-01T09:00")),
    ),
    "one copy at a time": (
        "copies", "overlap",
        lambda w: (_wish(w, supplies=[*_developer(w, "U"), _copying(w, "V")]), _copies(False)),
        lambda w: (_wish(w, supplies=[_copying(w, "U"), _copying(w, "V")]), _copies(True)),
    ),
    "no copy across a go-live": (
        "go_live_copy", "across the go-live",
        lambda w: (_wish(w, live=_at("11-27T18:00")), _made(refreshes=[_refresh(_at("11-27T09:00"), DAY_1)])),
        lambda w: (_wish(w, live=_at("11-27T18:00")), _made(refreshes=[_refresh(_at("11-27T18:00"), DAY_1)])),
    ),
    "what burns what is booked": (
        "burns", "burns U for what starts",
        lambda w: (_burns(w, supplies=[_course(w, DAY_1 + DAY)]), _made(_run(burns=True))),
        lambda w: (_burns(w, supplies=[_course(w, DAY_1 - DAY)]), _made(_run(burns=True))),
    ),
    "what runs in the ashes before the refresh": (
        "burns", "R1 b runs in what R1 m has burned",
        lambda w: (_burns(w), _made(_run(burns=True), _run(DAY_1 + DAY, "b"), refreshes=[_refresh(DAY_1, _NEW)])),
        lambda w: (_burns(w), _made(_run(burns=True), _run(_NEW, "b"), refreshes=[_refresh(DAY_1, _NEW)])),
    ),
    "an advance in the ashes": (
        "burns", "an advance of R1",
        lambda w: (_burns(w), _made(_run(burns=True), advances=[_advance("12-21T09:00")])),
        lambda w: (_burns(w), _made(_run(_at("12-22T09:00"), burns=True), advances=[_advance("12-21T09:00")])),
    ),
    "settled after the last refresh": (
        "ready", "before U is ready",
        lambda w: (_settling(w), _made(_run(_at("11-23T11:00")))),
        lambda w: (_settling(w), _made(_run(_at("11-23T14:00")))),
    ),
    "the first after a refresh": (
        "fresh", "R1 b is not the first",
        lambda w: (_two(w, needs=FRESH), _made(_run(READY), _run(READY + DAY, "b"), refreshes=[_FRESH])),
        lambda w: (_two(w, needs=FRESH), _made(_run(READY - DAY), _run(READY + DAY, "b"), refreshes=[_FRESH])),
    ),
    "young data": (
        "data_age", "has data of",
        lambda w: (_wish(w, w.rehearsal("m", needs=Needs(data_age=Span(7 * DAY)))), _made(_run())),
        lambda w: (_wish(w, w.rehearsal("m", needs=Needs(data_age=Span(40 * DAY)))), _made(_run())),
    ),
    "what went live": (
        "advance", "without R1", lambda w: (_after_go_live(w), _made(R2)),
        lambda w: (_after_go_live(w, advanced=frozenset({("R1", "U")})), _made(R2)),
    ),
    "what went live, and was advanced before the copy of an older day": (
        "advance", "without R1",
        lambda w: (_after_go_live(w), _advanced("11-30T09:00")),
        lambda w: (_after_go_live(w), _advanced("12-02T09:00")),
    ),
    "an advance in time": (
        "advances", "at a wrong time",
        lambda w: (_gone(w), _made(advances=[_advance("11-20T09:00")])),
        lambda w: (_gone(w), _made(advances=[_advance("11-24T09:00")])),
    ),
    "an advance after the end of the planning": (
        "advances", "at a wrong time",
        lambda w: (_wish(w, policy={"horizon": Span(29 * DAY)}), _made(advances=[_advance("12-22T09:00")])),
        lambda w: (_wish(w, policy={"horizon": Span(30 * DAY)}), _made(advances=[_advance("12-22T09:00")])),
    ),
    "advances in the order of the go-lives": (
        "advances", "R2 is advanced before R1",
        lambda w: (_after_go_live(w), _made(advances=[_advance("12-21T09:00", "R2"), _advance("12-22T09:00")])),
        lambda w: (_after_go_live(w), _made(advances=[_advance("12-21T09:00"), _advance("12-22T09:00", "R2")])),
    ),
    "an advance once": (
        "advances", "twice",
        lambda w: (_after_go_live(w), _made(advances=[_advance("12-21T09:00"), _advance("12-22T09:00")])),
        lambda w: (_after_go_live(w), _made(advances=[_advance("12-21T09:00")])),
    ),
}  # fmt: skip

_NEW = _at("12-04T09:00")
_FRESH = _refresh(_at("11-29T09:00"), READY)


def _course(w: Any, start: datetime) -> Any:
    course = Booking("course", "U", start, start + HOUR, start + HOUR, "use", why="course")
    return w.supply("U", bookings=(course,))


def _will_advance(w: Any, start: datetime) -> Any:
    advance = Booking("advance", "U", start, start + 4 * HOUR, start + 4 * HOUR, "advance", "R1")
    return w.supply("U", bookings=(advance,))


def _running(request: str, seconds: int = 0) -> Schedule:
    """A refresh whose request is as the ledger and the booking tell it: not to the second."""
    asked = _at(request) + timedelta(seconds=seconds)
    return _made(refreshes=[_refresh(asked, DAY_1, running=True)])


def _copied() -> Schedule:
    return _made(_run(), refreshes=[_refresh(_at("12-01T06:00"), _at("12-04T09:00"))])


def _between(free: datetime) -> Schedule:
    later = _run(DAY_1 + DAY, "b", free_at=DAY_1 + DAY + 4 * HOUR)
    return _made(_run(free_at=free), later, refreshes=[_refresh(DAY_1 + DAY, _at("12-04T09:00"))])


def _begun(w: Any) -> Wish:
    return _wish(w, supply=w.supply("U", bookings=(_kept(start=_at("11-23T07:07")),)), replan=True)


def _twice(second: str) -> Schedule:
    first = _refresh(_at("11-23T09:00"), _at("12-01T09:00"))
    return _made(refreshes=[first, _refresh(_at(second), _at("12-08T09:00"))])


def _copies(running: bool) -> Schedule:
    one = _refresh(_at("11-22T20:00") if running else _at("11-23T09:00"), DAY_1, running=running)
    return _made(refreshes=[one, _refresh(_at("11-22T20:00"), DAY_1, "V", running=True)])


def _settling(w: Any) -> Wish:
    supply = w.supply("U", cycles=(w.cycle("U", "FULL", _at("11-22T01:00")),))  # activated at seven today
    return _wish(w, supply=supply, policy={"settle": 6 * HOUR})


def _advanced(start: str) -> Schedule:
    """The copy is of the day before the go-live, and was activated on the first of December."""
    old = _refresh(_at("11-26T09:00"), DAY_1)
    return _made(R2, refreshes=[old], advances=[_advance(start)])


def _gone(w: Any) -> Wish:
    return _wish(w, w.rehearsal("m"), live=_at("11-19T18:00"))


@pytest.mark.parametrize("name", CASES)
def test_a_slip_is_named_and_its_neighbour_is_not(name: str, worlds: SimpleNamespace) -> None:
    rule, text, wrong, right = CASES[name]
    for build, told in ((wrong, True), (right, False)):
        wish, schedule = build(worlds)
        named = [one.text for one in check(schedule, wish) if one.rule == rule and text in one.text]
        assert bool(named) is told, check(schedule, wish)


def test_what_a_booking_says_of_burning_counts_where_the_forecast_decides(worlds: SimpleNamespace) -> None:
    burned = _kept(burns=True)
    wish = _wish(worlds, worlds.rehearsal("m", forecast="auto"), supply=worlds.supply("U", bookings=(burned,)))
    again = replace(wish, replan=True)
    for booking, told in ((replace(burned, burns=False), True), (burned, False)):
        found = [one for one in check(_made(booking), again) if "wrong mark" in one.text]
        assert bool(found) is told
