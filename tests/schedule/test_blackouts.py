"""Recurring and imported blackouts, over both clock changes."""

from datetime import UTC, datetime, timedelta

import pytest

from rehearse import clock
from rehearse.errors import UsageError
from rehearse.schedule.blackouts import expand_ics, expand_rrule
from rehearse.schedule.model import Window

DUBLIN = clock.zone("Europe/Dublin")
SPAN = Window(datetime(2026, 10, 1, tzinfo=UTC), datetime(2027, 4, 30, tzinfo=UTC))

ICS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//x//y//EN
BEGIN:VEVENT
UID:1
SUMMARY:Christmas
DTSTART;VALUE=DATE:20261225
DTEND;VALUE=DATE:20261227
END:VEVENT
BEGIN:VEVENT
UID:2
SUMMARY:Payroll
DTSTART;TZID=Europe/Dublin:20261021T180000
DTEND;TZID=Europe/Dublin:20261021T200000
RRULE:FREQ=WEEKLY;UNTIL=20261104T235959Z
EXDATE;TZID=Europe/Dublin:20261104T180000
END:VEVENT
BEGIN:VEVENT
UID:3
SUMMARY:Long ago
DTSTART:20200101T000000Z
DURATION:PT1H
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


def test_a_recurrence_keeps_its_wall_time_over_the_clock_change() -> None:
    starts = expand_rrule("FREQ=MONTHLY;BYMONTHDAY=25", "2026-10-25", "18:00", DUBLIN, SPAN)
    assert [one.hour for one in starts if SPAN.start <= one < SPAN.end] == [18, 18, 18, 18, 18, 18, 17]


def test_a_skipped_wall_time_moves_to_the_first_instant_after_it() -> None:
    starts = expand_rrule("FREQ=DAILY;COUNT=1", "2027-03-28", "01:30", DUBLIN, SPAN)
    assert starts == (datetime(2027, 3, 28, 1, 0, tzinfo=UTC),)


@pytest.mark.parametrize(
    ("rule", "first"), [("FREQ=SOMETIMES", "2026-01-01"), ("FREQ=DAILY", "soon"), ("", "2026-01-01")]
)
def test_a_rule_that_cannot_be_read_is_named(rule: str, first: str) -> None:
    with pytest.raises(UsageError):
        expand_rrule(rule, first, "18:00", DUBLIN, SPAN)


def test_a_calendar_file_gives_its_events_inside_the_span() -> None:
    found = expand_ics(ICS, DUBLIN, SPAN)
    assert found == (
        ("Payroll", Window(datetime(2026, 10, 21, 17, tzinfo=UTC), datetime(2026, 10, 21, 19, tzinfo=UTC))),
        ("Payroll", Window(datetime(2026, 10, 28, 18, tzinfo=UTC), datetime(2026, 10, 28, 20, tzinfo=UTC))),
        ("Christmas", Window(datetime(2026, 12, 25, tzinfo=UTC), datetime(2026, 12, 27, tzinfo=UTC))),
    )


def test_a_file_that_is_no_calendar_is_refused_and_an_empty_one_holds_nothing() -> None:
    with pytest.raises(UsageError):
        expand_ics("hello", DUBLIN, SPAN)
    assert expand_ics("", DUBLIN, SPAN) == ()


def test_a_window_must_be_aware_and_run_forward() -> None:
    with pytest.raises(ValueError, match="aware"):
        Window(datetime(2026, 1, 1), datetime(2026, 1, 2))  # noqa: DTZ001
    with pytest.raises(ValueError, match="before"):
        Window(SPAN.end, SPAN.start)
    assert not Window(SPAN.start, SPAN.end).overlaps(Window(SPAN.end, SPAN.end + timedelta(1)))
