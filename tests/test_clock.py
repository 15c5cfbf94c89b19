"""Wall time into instants: nothing is guessed."""

from datetime import UTC, date, datetime, time, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearse import clock
from rehearse.errors import UsageError

DUBLIN = clock.zone("Europe/Dublin")
NEW_YORK = clock.zone("America/New_York")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-18 18:00", datetime(2026, 12, 18, 18, tzinfo=UTC)),
        ("2026-07-01T09:30", datetime(2026, 7, 1, 8, 30, tzinfo=UTC)),
        ("2026-07-01T09:30+05:30", datetime(2026, 7, 1, 4, tzinfo=UTC)),
        ("2026-12-18 18:00 [America/New_York]", datetime(2026, 12, 18, 23, tzinfo=UTC)),
        ("2026-12-18T18:00Z", datetime(2026, 12, 18, 18, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_in_the_zone_unless_it_names_its_own(text: str, expected: datetime) -> None:
    assert clock.parse_instant(text, DUBLIN) == expected


@pytest.mark.parametrize(
    ("text", "zone", "said"),
    [
        ("2026-03-29 01:30", DUBLIN, "does not exist in Europe/Dublin: 00:30:00+00:00 or 02:30:00+01:00"),
        ("2026-10-25 01:30", DUBLIN, "exists twice in Europe/Dublin: 01:30:00+01:00 or 01:30:00+00:00"),
        ("2026-03-08 02:30", NEW_YORK, "does not exist in America/New_York: 01:30:00-05:00 or 03:30:00-04:00"),
        ("2026-11-01 01:30", NEW_YORK, "exists twice in America/New_York: 01:30:00-04:00 or 01:30:00-05:00"),
    ],
)
def test_a_wall_time_that_a_clock_change_skips_or_repeats_names_both_readings(text, zone, said) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UsageError) as caught:
        clock.parse_instant(text, zone)
    why, early, late = said.replace(" or ", ": ").split(": ")
    day = text[:10]
    assert caught.value.message == f"{text} {why}: it could mean {day}T{early} or {day}T{late}."


@pytest.mark.parametrize("text", ["tomorrow", "2026-13-01 10:00", "", "18:00", "2026-12-18 25:00"])
def test_text_that_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        clock.parse_instant(text, DUBLIN)


def test_a_wrong_zone_names_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        clock.zone("Europe/Dubln")
    assert (caught.value.hint or "").startswith("Did you mean Europe/Dublin")
    with pytest.raises(UsageError) as caught:
        clock.zone("xx77")
    assert caught.value.hint == "Use an IANA name such as Europe/Dublin."


def test_a_bare_date_is_its_first_minute_or_with_last_the_end_of_the_day() -> None:
    assert clock.parse_edge("2026-12-28", DUBLIN, last=False) == datetime(2026, 12, 28, tzinfo=UTC)
    assert clock.parse_edge("2026-12-28", DUBLIN, last=True) == datetime(2026, 12, 29, tzinfo=UTC)
    assert clock.parse_edge("2026-07-01", DUBLIN, last=True) == datetime(2026, 7, 1, 23, tzinfo=UTC)


def test_a_missing_wall_time_moves_to_the_first_instant_after_the_gap() -> None:
    assert clock.wall_forward(date(2026, 3, 29), time(1, 30), DUBLIN) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert clock.wall_forward(date(2026, 10, 25), time(1, 30), DUBLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    lord_howe = clock.zone("Australia/Lord_Howe")  # half an hour is skipped
    assert clock.wall_forward(date(2026, 10, 4), time(2, 7), lord_howe) == datetime(2026, 10, 3, 15, 30, tzinfo=UTC)


@given(
    st.dates(date(1990, 1, 1), date(2035, 1, 1)),
    st.times(),
    st.sampled_from(["Europe/Dublin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo"]),
)
def test_a_wall_time_moved_forward_is_the_first_minute_that_is_not_before_it(day: date, at: time, name: str) -> None:
    where, at = clock.zone(name), at.replace(second=0, microsecond=0)
    found = clock.wall_forward(day, at, where)
    assert found.astimezone(where).replace(tzinfo=None) >= datetime.combine(day, at)
    assert (found - timedelta(minutes=1)).astimezone(where).replace(tzinfo=None) < datetime.combine(day, at)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("36525d", clock.Span(timedelta(days=36525))),
        ("90m", clock.Span(timedelta(minutes=90))),
        ("6h", clock.Span(timedelta(hours=6))),
        ("3d", clock.Span(timedelta(hours=72))),
        ("2w", clock.Span(timedelta(hours=336))),
        ("5bd", clock.Span(working_days=5)),
    ],
)
def test_durations(text: str, expected: clock.Span) -> None:
    assert clock.parse_span(text) == expected


@pytest.mark.parametrize(
    "text", ["9999-12-31", "0001-01-01", "9999-12-31 23:00-12:00", "0001-01-01 00:00+05:00", "2206-11-23 09:00"]
)
def test_a_year_that_nobody_means_is_refused(text: str) -> None:
    for read in (clock.parse_instant, partial(clock.parse_edge, last=True)):
        with pytest.raises(UsageError, match="1970 to 2199"):
            read(text, DUBLIN)


@pytest.mark.parametrize("text", ["6", "h", "-3d", "1.5h", "3 d", "9999999d", "999999w", "36526d", "36526bd"])
def test_a_wrong_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        clock.parse_span(text)


@pytest.mark.parametrize("text", ["0m", "90m", "25h", "1d", "6d", "2w", "15d", "5bd"])
def test_a_duration_is_told_in_its_largest_unit(text: str) -> None:
    assert str(clock.parse_span(text)) == text


def test_a_time_of_day_has_hours_and_minutes_of_two_digits() -> None:
    assert clock.parse_time("09:00") == time(9) and clock.parse_time("23:59:30") == time(23, 59, 30)
    for text in ("9:00", "0900", "24:00", "09:60", "09", "09:00+01:00", "", "noon"):
        with pytest.raises(UsageError, match="is not a time of day"):
            clock.parse_time(text)


@given(st.timedeltas(min_value=timedelta(minutes=1), max_value=timedelta(days=600)))
def test_a_span_is_read_back_from_its_text(amount: timedelta) -> None:
    whole = timedelta(minutes=int(amount.total_seconds() // 60))
    assert clock.parse_span(str(clock.Span(whole))).amount == whole


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001
def test_an_instant_is_read_back_from_its_text_to_the_millisecond(naive: datetime) -> None:
    instant = naive.replace(tzinfo=UTC)
    back = clock.from_iso(clock.iso(instant))
    assert abs(back - instant) < timedelta(milliseconds=1)


def test_an_iso_text_without_an_offset_is_refused() -> None:
    with pytest.raises(UsageError, match="no offset"):
        clock.from_iso("2026-11-23T08:00:00")
    with pytest.raises(UsageError, match="is not an ISO date and time"):
        clock.from_iso("soon")


def test_a_sentence_tells_its_instants_in_the_zone_of_people() -> None:
    said = "Booked from 2026-10-25T00:30:00Z until 2026-11-02T09:00:00.250Z; 2026-11-02T09:00:00+00:00 stays."
    shown = clock.show_within(said, clock.zone("Europe/Dublin"))
    assert (
        shown == "Booked from Sun 2026-10-25 01:30+01:00 until Mon 2026-11-02 09:00; 2026-11-02T09:00:00+00:00 stays."
    )


def test_two_clocks_are_held_against_each_other() -> None:
    noon = clock.from_iso("2026-11-23T12:00:00Z")
    theirs = clock.from_http("Mon, 23 Nov 2026 12:00:00 GMT")
    assert theirs == noon and clock.from_http("soon") is None and clock.from_http("") is None
    for off, said in (
        (timedelta(minutes=4), ""),
        (timedelta(minutes=31), "31 min ahead of"),
        (timedelta(hours=2), "2 h ahead of"),
        (timedelta(hours=-25), "25 h behind"),
        (timedelta(days=-3), "3 d behind"),
    ):
        assert clock.describe_skew(noon + off, noon) == said


def test_the_clock_of_an_org_stands_on_what_it_said_and_not_on_this_machine() -> None:
    passed = [100.0]
    theirs = clock.OrgClock(lambda: passed[0])
    assert abs(theirs.now() - clock.now()) < timedelta(minutes=1), "nobody has answered yet"
    noon = clock.from_iso("2031-11-23T12:00:00Z")
    theirs.hear(noon)
    assert theirs.now() == noon
    passed[0] += 7_200  # this machine slept, or its clock was set
    theirs.hear(None)
    assert theirs.now() == noon + timedelta(hours=2)
    theirs.hear(noon + timedelta(minutes=5))
    assert theirs.now() == noon + timedelta(minutes=5)
