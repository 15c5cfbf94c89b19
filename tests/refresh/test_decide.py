"""What a request for a refresh would meet."""

from datetime import timedelta

import pytest

from rehearse import clock
from rehearse.refresh.decide import decide
from rehearse.schedule.ledger import Cycle, build_availability
from rehearse.schedule.model import Booking

NOW = clock.from_iso("2026-11-23T08:00:00Z")
DAY = timedelta(days=1)


def _found(days_ago: float, state: str = "completed"):  # type: ignore[no-untyped-def]
    requested = NOW - days_ago * DAY
    one = Cycle("1", "UAT", "FULL", state, None, requested, requested + DAY, requested + 2 * DAY)
    return build_availability("UAT", "FULL", [one], NOW)


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


def test_bookings_to_come_are_named_and_past_ones_are_not() -> None:
    def booked(start: int, sandbox: str = "UAT") -> Booking:
        begin = NOW + start * DAY
        return Booking(f"{sandbox}{start}", sandbox, begin, begin + DAY, begin + DAY, "use", why="x")

    hit = decide(_found(40), [booked(-3), booked(-1), booked(0), booked(3), booked(3, "SIT")], NOW).bookings
    assert [one.id for one in hit] == ["UAT0", "UAT3"]
