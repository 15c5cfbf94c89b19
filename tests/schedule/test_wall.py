"""Wall-clock work in three zones and over both clock changes."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from rehearse import clock
from rehearse.clock import Hours, Span
from rehearse.schedule.model import Window
from rehearse.schedule.wall import add_span, build_grid, build_hours, shift_days, subtract_span

WEEK = (0, 1, 2, 3, 4)
OFFICE = Hours(WEEK, time(9), time(18))


def _at(text: str) -> datetime:
    return clock.from_iso(text)


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        ("Europe/Dublin", "2027-03-26T09:00:00Z", "2027-03-29T08:00:00Z"),
        ("Europe/Dublin", "2026-10-23T08:00:00Z", "2026-10-26T09:00:00Z"),
        ("America/New_York", "2027-03-12T14:00:00Z", "2027-03-15T13:00:00Z"),
        ("America/New_York", "2026-10-30T13:00:00Z", "2026-11-02T14:00:00Z"),
        ("Australia/Sydney", "2026-10-01T23:00:00Z", "2026-10-04T22:00:00Z"),
        ("Australia/Sydney", "2027-04-01T22:00:00Z", "2027-04-04T23:00:00Z"),
    ],
)
def test_a_working_day_keeps_the_wall_time_and_a_day_is_24_hours(zone: str, start: str, end: str) -> None:
    where, one = ZoneInfo(zone), Span(working_days=1)
    assert add_span(_at(start), one, where, WEEK) == _at(end)
    assert subtract_span(_at(end), one, where, WEEK) == _at(start)
    assert add_span(_at(start), Span(timedelta(days=3)), where, WEEK) == _at(start) + timedelta(hours=72)


def test_five_working_days_pass_over_a_weekend() -> None:
    dublin = ZoneInfo("Europe/Dublin")
    assert subtract_span(_at("2026-12-18T18:00:00Z"), Span(working_days=5), dublin, WEEK) == _at("2026-12-11T18:00:00Z")
    assert subtract_span(_at("2026-12-19T18:00:00Z"), Span(working_days=1), dublin, WEEK) == _at("2026-12-18T18:00:00Z")


def test_a_wall_time_that_is_skipped_becomes_the_first_instant_after_it() -> None:
    dublin = ZoneInfo("Europe/Dublin")
    found = add_span(_at("2027-03-27T01:30:00Z"), Span(working_days=1), dublin, (0, 1, 2, 3, 4, 5, 6))
    assert found == _at("2027-03-28T01:00:00Z")


def test_hours_follow_the_wall_and_may_end_the_next_day() -> None:
    dublin = ZoneInfo("Europe/Dublin")
    span = Window(_at("2027-03-26T00:00:00Z"), _at("2027-03-30T00:00:00Z"))
    assert [one.start.hour for one in build_hours(OFFICE, dublin, span)] == [9, 8]
    night = Hours((5,), time(22), time(4))
    (one,) = build_hours(night, dublin, span)
    assert (one.start, one.end) == (_at("2027-03-27T22:00:00Z"), _at("2027-03-28T03:00:00Z"))


@pytest.mark.parametrize(("day", "count"), [("2027-03-28", 23), ("2026-10-25", 25), ("2026-11-23", 24)])
def test_the_grid_is_counted_from_each_local_midnight(day: str, count: int) -> None:
    dublin = ZoneInfo("Europe/Dublin")
    begin = clock.wall_forward(datetime.fromisoformat(day).date(), time(0), dublin)
    after = clock.wall_forward((datetime.fromisoformat(day) + timedelta(days=1)).date(), time(0), dublin)
    found = build_grid(timedelta(hours=1), dublin, Window(begin, after))
    assert len(found) == count and found[0] == begin
    coarse = build_grid(timedelta(hours=7), dublin, Window(begin, after + timedelta(hours=1)))
    assert after in coarse


def test_a_date_that_is_moved_in_a_file_keeps_its_clock_time() -> None:
    dublin = ZoneInfo("Europe/Dublin")
    assert shift_days(_at("2027-03-20T18:00:00Z"), 10, dublin) == _at("2027-03-30T17:00:00Z")
    assert shift_days(_at("2027-03-30T17:00:00Z"), -10, dublin) == _at("2027-03-20T18:00:00Z")
