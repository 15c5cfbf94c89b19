"""What a request for a refresh would meet."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rehearse import clock
from rehearse.lock import Lock
from rehearse.refresh.decide import activation_deadline, decide, find_obstacles
from rehearse.schedule.ledger import Availability, Cycle, build_availability
from rehearse.schedule.model import Booking

NOW = clock.from_iso("2026-11-23T08:00:00Z")
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def _cycle(days_ago: float, state: str = "completed") -> Cycle:
    requested = NOW - days_ago * DAY
    return Cycle("1", "UAT", "FULL", state, None, requested, requested + DAY, requested + 2 * DAY)


def _found(days_ago: float, state: str = "completed") -> Availability:
    return build_availability("UAT", "FULL", [_cycle(days_ago, state)], NOW)


def _booked(start: int, *, sandbox: str = "UAT", what: Any = "use", prepare: Any = "none") -> Booking:
    begin = NOW + start * DAY
    return Booking(f"{sandbox}{start}", sandbox, begin, begin + DAY, begin + DAY, what, why="x", prepare=prepare)


@pytest.mark.parametrize(
    ("days", "answer", "reason"),
    [
        (10, "no", "interval since the last request has not passed"),
        (30, "maybe", "not since the end"),
        (40, "yes", None),
    ],
)
def test_the_answer_names_what_stands_against_it(days: float, answer: str, reason: str | None) -> None:
    found = decide(_found(days), [], NOW)
    assert found.refreshable == answer
    assert (reason is None and not found.reasons) or any(reason in one for one in found.reasons)  # type: ignore[operator]


def test_a_copy_under_way_stands_against_it_whatever_the_dates() -> None:
    found = decide(_found(40, "pending-activation"), [], NOW)
    assert found.refreshable == "no" and "pending-activation" in found.reasons[0]


def test_a_locked_sandbox_has_no_copy_under_way() -> None:
    found = decide(_found(40, "locked"), [], NOW)
    assert found.refreshable == "no" and found.reasons == ("it is locked: its licences are used up",)


def test_bookings_to_come_are_named_and_past_ones_are_not() -> None:
    booked = [_booked(-3), _booked(-1), _booked(0), _booked(3, sandbox="uat"), _booked(3, sandbox="SIT")]
    assert [one.id for one in decide(_found(40), booked, NOW).bookings] == ["UAT0", "uat3"]


def test_what_waits_for_the_refresh_is_not_hit_by_it_unless_it_runs() -> None:
    refresh = _booked(2, what="refresh")
    after, runs = _booked(3, prepare="refresh"), _booked(0, prepare="refresh")
    assert decide(_found(40), [refresh, after, runs], NOW).bookings == (runs,)


def test_what_nobody_ever_saw_refreshed_has_no_date_against_it() -> None:
    found = decide(build_availability("UAT", "FULL", [], NOW), [], NOW)
    assert found.possible_from is None and not any("interval" in one for one in found.reasons)


def test_a_sandbox_that_is_gone_and_what_is_known_of_a_date_are_told() -> None:
    known = replace(_found(40), evidence="a request was refused")
    assert decide(known, [], NOW).reasons == ("a request was refused",)
    gone = replace(known, state="deleted", note="UAT was deleted", evidence="")
    assert decide(gone, [], NOW).reasons == ("UAT was deleted; only Setup makes a sandbox",)
    unknown = replace(known, state="unknown", note="nobody can tell", evidence="")
    assert decide(unknown, [], NOW).reasons == ("nobody can tell",)


def test_an_activation_meets_who_has_the_sandbox_before_it_would_be_ready() -> None:
    settle = DAY
    waiting = replace(_cycle(40), state="pending-activation")
    begins_when_ready, ends_now = _booked(1), _booked(-1)
    assert find_obstacles(waiting, [begins_when_ready, ends_now, _booked(0, what="refresh")], (), NOW, settle) == ()
    (hit,) = find_obstacles(waiting, [replace(begins_when_ready, start=NOW + DAY - MINUTE)], (), NOW, settle)
    assert hit.lifted_by == "--over-bookings" and "it is booked for" in hit.text
    held = [Lock("uat", "t", "ana", "a reset", NOW, "host", "1/1"), Lock("SIT", "u", "ben", "x", NOW, "host", "1/1")]
    (locked,) = find_obstacles(waiting, [], held, NOW, settle)
    assert locked.text == "ana works on it: a reset" and not locked.lifted_by
    (copying,) = find_obstacles(_cycle(1), [], (), NOW, settle)
    assert "is completed, not waiting" in copying.text
    assert "no copy" in find_obstacles(None, [], (), NOW, settle)[0].text


def test_only_a_copy_that_waits_has_a_last_day() -> None:
    waiting = replace(_cycle(40), state="pending-activation")
    assert activation_deadline(waiting) == NOW - 40 * DAY + DAY + 30 * DAY
    assert activation_deadline(_cycle(40)) is None and activation_deadline(replace(waiting, copied=None)) is None
