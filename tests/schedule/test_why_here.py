"""What stops a placed rehearsal from being earlier: every named rule does, and where none does, a goal does."""

from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace

from rehearse import clock
from rehearse.clock import Span
from rehearse.schedule.model import Booking, Schedule, WhyHere, Wish
from rehearse.schedule.solver import solve
from rehearse.schedule.why_here import compare_places, explain_place

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = clock.from_iso("2026-11-23T08:00:00Z")


def _why(wish: Wish, name: str) -> WhyHere:
    schedule: Schedule = solve(wish, seconds=5)
    booking = next(one for one in schedule.bookings if one.rehearsal == name)
    return explain_place(wish, schedule, booking, seconds=8)


def test_a_rule_is_named_and_no_idle_one(worlds: SimpleNamespace) -> None:
    at = clock.from_iso("2026-12-01T09:00:00Z")
    mock = worlds.rehearsal("mock", target=Span(20 * DAY), not_before=at)
    dress = worlds.rehearsal("dress", target=Span(20 * DAY), after="mock", gap=Span(2 * DAY))
    wish = worlds.wish([worlds.supply("UAT")], [worlds.release("R1", NOW + 20 * DAY, mock, dress)])
    found = _why(wish, "mock")
    assert found.by == "rules" and [one.rule for one in found.reasons] == ["not_before"]
    found = _why(wish, "dress")
    assert found.by == "rules" and {one.rule for one in found.reasons} == {"after", "not_before"}


def test_a_goal_is_named_where_no_rule_stands_against_it(worlds: SimpleNamespace) -> None:
    release = worlds.release("R1", NOW + 20 * DAY, worlds.rehearsal("mock", target=Span(7 * DAY)))
    wish = worlds.wish([worlds.supply("UAT")], [release])
    found = _why(wish, "mock")
    assert (found.by, found.goal and found.goal.name, found.would_cost) == ("goal", "distance", 20)
    schedule = solve(wish, seconds=5)
    (booking,) = schedule.bookings
    kept = replace(wish, supplies=(replace(wish.supplies[0], bookings=(booking,)),))
    assert explain_place(kept, schedule, booking, seconds=8).by == "goal"  # a booking may move for the question


def test_what_starts_now_or_has_begun_cannot_be_earlier(worlds: SimpleNamespace) -> None:
    mock = worlds.rehearsal("mock", target=Span(20 * DAY), hours="any")
    wish = worlds.wish([worlds.supply("UAT")], [worlds.release("R1", NOW + 3 * DAY, mock)])
    assert _why(wish, "mock").by == "now"
    schedule = solve(wish, seconds=5)
    (booking,) = schedule.bookings
    assert explain_place(wish, schedule, replace(booking, start=NOW - DAY), seconds=5).by == "begun"


def test_what_is_booked_beside_it_is_named_where_that_would_have_to_move(worlds: SimpleNamespace) -> None:
    at = clock.from_iso("2026-12-01T09:00:00Z")
    wished = {"target": Span(20 * DAY), "length": 8}
    mock, dress = worlds.rehearsal("mock", **wished), worlds.rehearsal("dress", after="mock", **wished)
    wish = worlds.wish([worlds.supply("UAT")], [worlds.release("R1", NOW + 20 * DAY, mock, dress)])
    booked = tuple(replace(one, **_shifted(one, at + n * DAY)) for n, one in enumerate(solve(wish, seconds=5).bookings))
    kept = replace(wish, supplies=(replace(wish.supplies[0], bookings=booked),))
    schedule = solve(kept, seconds=5)
    found = [explain_place(kept, schedule, one, seconds=8) for one in schedule.bookings]
    assert found[0].by == "nothing" and "distance" in found[0].text and "--replan" in found[0].text
    assert (found[1].by, found[1].goal and found[1].goal.name, found[1].would_cost) == ("goal", "moves", 2)
    assert "only if 1 more that is booked moved" in found[1].text


def _shifted(one: Booking, start: datetime) -> dict[str, datetime]:
    return {"start": start, "end": start + 8 * HOUR, "free_at": start + 10 * HOUR}


def test_what_was_not_proven_is_not_said(worlds: SimpleNamespace) -> None:
    """With a bound that does not show it, the higher cost may be only what was found in time."""
    release = worlds.release("R1", NOW + 20 * DAY, worlds.rehearsal("mock", target=Span(7 * DAY)))
    wish = worlds.wish([worlds.supply("UAT")], [release])
    schedule = solve(wish, seconds=5)

    def other(bound: int) -> Schedule:
        goals = [replace(one, value=50, bound=bound, proven=False) for one in schedule.goals if one.name == "distance"]
        return replace(schedule, goals=tuple(goals[0] if one.name == "distance" else one for one in schedule.goals))

    assert compare_places(wish, schedule, other(0), schedule.bookings[0]).by == "time"
    found = compare_places(wish, schedule, other(20), schedule.bookings[0])
    assert found.would_cost == 20 and "at least 20" in found.text
