"""Recurring and imported blackouts, over both clock changes."""

from datetime import UTC, datetime, timedelta

import pytest

from rehearse import clock
from rehearse.errors import UsageError
from rehearse.schedule.blackout_feed import expand_ics
from rehearse.schedule.blackouts import expand_rrule
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


@pytest.mark.parametrize(
    "until",
    ["20270330T080000Z", "20270330T090000", "20270330", "20270330T090000Z"],
    ids=["utc", "wall", "day", "later"],
)
def test_the_end_of_a_recurrence_is_an_instant_a_wall_time_or_a_day_that_is_included(until: str) -> None:
    """Calendars write UTC, which was refused because it must be UTC; a day was its first minute."""
    starts = expand_rrule(f"RRULE:FREQ=WEEKLY;UNTIL={until}", "2027-03-16", "09:00", DUBLIN, SPAN)
    assert [clock.iso(one) for one in starts] == [
        "2027-03-16T09:00:00Z", "2027-03-23T09:00:00Z", "2027-03-30T08:00:00Z"
    ]  # fmt: skip
    assert expand_rrule("FREQ=WEEKLY;UNTIL=20270330T075959Z", "2027-03-16", "09:00", DUBLIN, SPAN) == starts[:2]


def test_a_skipped_wall_time_moves_to_the_first_instant_after_it() -> None:
    starts = expand_rrule("FREQ=DAILY;COUNT=1", "2027-03-28", "01:30", DUBLIN, SPAN)
    assert starts == (datetime(2027, 3, 28, 1, 0, tzinfo=UTC),)


@pytest.mark.parametrize(
    ("rule", "first"),
    [
        ("FREQ=SOMETIMES", "2026-01-01"),
        ("FREQ=DAILY", "soon"),
        ("", "2026-01-01"),
        ("RRULE:FREQ=MINUTELY", "2026-01-01"),
        ("FREQ=DAILY;UNTIL=soon", "2026-01-01"),
    ],
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


def _feed(*entries: str) -> str:
    """A calendar of entries, each given by its lines without the frame."""
    framed = (f"BEGIN:VEVENT\nUID:1\nSUMMARY:Close\n{one}\nEND:VEVENT\n" for one in entries)
    return ("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n" + "".join(framed) + "END:VCALENDAR\n").replace("\n", "\r\n")


WEEKLY = "DTSTART:20261124T090000Z\nDTEND:20261124T100000Z\nRRULE:FREQ=WEEKLY;COUNT=3"
GONE = "RECURRENCE-ID:20261201T090000Z"
NEPAL = "DTSTART;TZID=Asia/Kathmandu:20261124T090000\nDURATION:PT1H"


@pytest.mark.parametrize(
    ("entries", "starts"),
    [
        ((f"{WEEKLY}\nRDATE:20261203T090000Z\nEXDATE:20261201T090000Z",), ["1124T09", "1203T09", "1208T09"]),
        ((WEEKLY, f"{GONE}\nDTSTART:20261202T150000Z\nDURATION:PT1H"), ["1124T09", "1202T15", "1208T09"]),
        ((WEEKLY, f"{GONE}\nDTSTART:20261201T090000Z\nSTATUS:CANCELLED"), ["1124T09", "1208T09"]),
        ((f"{WEEKLY}\nSTATUS:CANCELLED",), []),
        ((f"{NEPAL}\nRDATE;VALUE=PERIOD:20261126T090000Z/PT2H",), ["1124T03", "1126T09"]),
    ],
)
def test_dates_that_a_calendar_adds_leaves_out_moves_and_cancels(entries: tuple[str, ...], starts: list[str]) -> None:
    found = expand_ics(_feed(*entries), DUBLIN, SPAN)
    assert [f"{one.start:%m%dT%H}" for _, one in found] == starts


DAILY = "DTSTART;TZID=America/New_York:20261221T180000\nDURATION:PT1H\nRRULE:FREQ=DAILY"
DAYS = "DTSTART;VALUE=DATE:20261221\nDTEND;VALUE=DATE:20261221\nRRULE:FREQ=DAILY"


@pytest.mark.parametrize(
    ("entries", "zone", "starts"),
    [
        ((f"{DAILY};COUNT=3\nEXDATE;VALUE=DATE:20261222",), "Europe/Dublin", ["1221T23", "1223T23"]),
        (
            (f"{DAILY};COUNT=2", "RECURRENCE-ID;VALUE=DATE:20261222\nDTSTART:20261230T230000Z\nDURATION:PT1H"),
            "Europe/Dublin",
            ["1221T23", "1230T23"],
        ),
        ((f"{DAILY};UNTIL=20261222",), "Europe/Dublin", ["1221T23", "1222T23"]),
        ((f"{DAYS};UNTIL=20261222T000000Z",), "America/New_York", ["1221T05", "1222T05"]),
        ((f"{DAYS};UNTIL=20261221T100000Z",), "Pacific/Kiritimati", ["1220T10", "1221T10"]),
    ],
)
def test_what_other_programs_write(entries: tuple[str, ...], zone: str, starts: list[str]) -> None:
    """Days for instants and instants for days; a day that ends on itself."""
    found = expand_ics("\ufeff" + _feed(*entries), clock.zone(zone), SPAN)
    assert [f"{one.start:%m%dT%H}" for _, one in found] == starts
    assert all(one.end > one.start for _, one in found)


def test_an_entry_that_lasts_hours_lasts_them_whatever_the_clocks_do_and_days_follow_them() -> None:
    """RFC 5545, 3.3.6; six hours over the night in which clocks go forward were five."""
    for starts, lasts, ends in [
        ("20270327T230000", "DURATION:PT6H", "0328T05"),
        ("20261024T230000", "DURATION:PT6H", "1025T04"),
        ("20270327T230000", "DURATION:P1DT1H", "0328T23"),
        ("20270327T230000", "DTEND;TZID=Europe/Dublin:20270328T050000", "0328T04"),
        ("20270327T200000", "RDATE;VALUE=PERIOD;TZID=Europe/Dublin:20270327T230000/PT6H", "0328T05"),
    ]:
        found = expand_ics(_feed(f"DTSTART;TZID=Europe/Dublin:{starts}\n{lasts}"), DUBLIN, SPAN)
        assert len(found) == (2 if "RDATE" in lasts else 1)
        assert f"{found[-1][1].end:%m%dT%H}" == ends, lasts


def test_a_zone_is_that_of_its_own_file_wherever_it_is_explained_there() -> None:
    """Outlook calls every zone of its own making the same."""

    def zone(offset: str) -> str:
        rule = f"BEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:{offset}\nTZOFFSETTO:{offset}\nEND:STANDARD\n"
        return f"BEGIN:VTIMEZONE\nTZID:Customized Time Zone\n{rule}END:VTIMEZONE\n".replace("\n", "\r\n")

    def hour(text: str) -> int:
        ((_, window),) = expand_ics(text, DUBLIN, SPAN)
        return window.start.hour

    feed = _feed("DTSTART;TZID=Customized Time Zone:20261124T180000\nDURATION:PT1H")
    first, last = feed.index("BEGIN:VEVENT"), feed.index("END:VCALENDAR")
    for offset, expected in (("+0100", 17), ("+0600", 12)):
        assert hour(feed[:first] + zone(offset) + feed[first:]) == expected
        assert hour(feed[:last] + zone(offset) + feed[last:]) == expected
    with pytest.raises(UsageError, match="does not explain"):
        expand_ics(feed, DUBLIN, SPAN)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("DTSTART;TZID=Nowhere/Land:20261124T090000", "time zone"),
        ("DTSTART:20261124T090000Z\nDTEND:20261124T080000Z", "ends before"),
        ("DTSTART:20261124T090000Z\nRRULE:FREQ=SECONDLY", "by the minute"),
        ("DTSTART:20261124T090000Z\nRRULE:FREQ=DAILY;COUNT=-1", "never comes"),
        ("DTSTART:2026", "cannot be read"),
        ("LOCATION:x", "no start"),
    ],
)
def test_an_entry_that_would_have_to_be_guessed_is_refused_by_name(entry: str, said: str) -> None:
    with pytest.raises(UsageError, match=f"'Close'.*{said}"):
        expand_ics(_feed(entry), DUBLIN, SPAN)


@pytest.mark.parametrize("text", ["hello", "", "<html>404</html>"])
def test_a_file_that_is_no_calendar_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        expand_ics(text, DUBLIN, SPAN)


def test_a_window_must_be_aware_and_run_forward() -> None:
    with pytest.raises(ValueError, match="aware"):
        Window(datetime(2026, 1, 1), datetime(2026, 1, 2))  # noqa: DTZ001
    with pytest.raises(ValueError, match="before"):
        Window(SPAN.end, SPAN.start)
    assert not Window(SPAN.start, SPAN.end).overlaps(Window(SPAN.end, SPAN.end + timedelta(1)))
