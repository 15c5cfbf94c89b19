"""Next dates, what is left of a quarter and a year, forecasts held against what happened, licences, clashes."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from rehearse import clock
from rehearse.schedule.ledger import ASSUMED_END, Availability, Cycle, build_availability
from rehearse.schedule.ledger_outlook import (
    CopyTime,
    build_copy_time,
    build_errors,
    build_licences,
    build_next_dates,
    build_phases,
    count_left,
    find_clashes,
    quarter_end,
    year_end,
)

NOW = clock.from_iso("2026-11-23T08:00:00Z")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DUBLIN = ZoneInfo("Europe/Dublin")
TOOK = CopyTime(30 * HOUR, 48 * HOUR, "test")


def cycle(days_ago: float, hours: float | None = 30, **more: object) -> Cycle:
    asked = NOW - days_ago * DAY
    made = None if hours is None else asked + hours * HOUR
    values = {"id": f"{days_ago}", "sandbox": "UAT", "licence": "FULL", "state": "completed", "org_id": None}
    return Cycle(**{**values, "requested": asked, "copied": made, "activated": made, **more})  # type: ignore[arg-type]


def found(*cycles: Cycle, rule: str = "learn") -> Availability:
    return build_availability("UAT", None, cycles, NOW, rule)  # type: ignore[arg-type]


def test_the_next_six_dates_count_the_copies_between_them_where_the_rule_is_not_the_request() -> None:
    history = (cycle(10),)
    next_dates = build_next_dates(found(*history), history, TOOK, NOW)
    assert [one.possible - next_dates[0].possible for one in next_dates] == [n * 29 * DAY for n in range(6)]
    first = next_dates[0].certain
    assert first is not None and first == NOW + 19 * DAY + 30 * HOUR
    assert [one.certain - first for one in next_dates if one.certain] == [n * 31 * DAY for n in range(6)]
    by_request = build_next_dates(found(*history, rule="request"), history, TOOK, NOW)
    assert all(one.certain == one.possible for one in by_request)


def test_without_a_refresh_the_first_date_is_now_and_an_unknown_type_has_none() -> None:
    assert build_next_dates(found(), (), TOOK, NOW) == ()  # no type is known
    bare = build_availability("UAT", "FULL", [], NOW)
    assert build_next_dates(bare, (), TOOK, NOW)[0].certain == NOW
    odd = (cycle(10, licence="FULL_PLUS"),)
    assert build_next_dates(found(*odd), odd, TOOK, NOW) == ()
    assert count_left(found(*odd), odd, TOOK, NOW, NOW + 365 * DAY).possible == 0


@pytest.mark.parametrize(("days", "possible", "certain"), [(19, 0, 0), (19.01, 1, 0), (21, 1, 1), (48.01, 2, 1)])
def test_what_is_left_counts_requests_before_the_end(days: float, possible: int, certain: int) -> None:
    history = (cycle(10),)
    left = count_left(found(*history), history, TOOK, NOW, NOW + days * DAY)
    assert (left.possible, left.certain) == (possible, certain)


def test_thirteen_refreshes_a_year_at_most() -> None:
    bare = build_availability("UAT", "FULL", [], NOW, "request")
    assert count_left(bare, (), TOOK, NOW, NOW + 365 * DAY).possible == 13


@pytest.mark.parametrize(
    ("now", "quarter", "year"),
    [
        ("2026-11-23T08:00:00Z", "2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("2026-03-31T22:59:00Z", "2026-03-31T23:00:00Z", "2027-01-01T00:00:00Z"),  # Irish summer time
        ("2026-03-31T23:00:00Z", "2026-06-30T23:00:00Z", "2027-01-01T00:00:00Z"),
    ],
)
def test_quarters_and_years_end_in_the_zone_of_the_team(now: str, quarter: str, year: str) -> None:
    at = clock.from_iso(now)
    assert (clock.iso(quarter_end(at, DUBLIN)), clock.iso(year_end(at, DUBLIN))) == (quarter, year)


def test_copy_times_come_from_own_history_of_this_type_else_from_configuration_else_are_assumed() -> None:
    history = (cycle(90, 10), cycle(50, 20), cycle(10, 30, licence="PARTIAL"))
    own = build_copy_time("FULL", history)
    assert own is not None and (own.p50, own.p90) == (10 * HOUR, 20 * HOUR) and "2 own" in own.basis
    given = build_copy_time("FULL", (), {"FULL": 60 * HOUR})
    assert given is not None and given.p90 == 60 * HOUR and given.basis == "refresh.copy_time"
    assumed = build_copy_time("FULL", ())
    assert assumed is not None and assumed.p90 == 48 * HOUR and "assumed" in assumed.basis
    assert build_copy_time("FULL_PLUS", ()) is None
    sheet = [cycle(days, hours, by_hand=True, activated=NOW) for days, hours in ((50, 3), (10, 60))]
    written = build_copy_time(
        "FULL", (*sheet, cycle(80, 9, by_hand=True), cycle(70, 90, by_hand=True, note=ASSUMED_END))
    )
    assert written is not None and written.p90 == assumed.p90, "what a person wrote down is no measurement"
    assert "3 h to 60 h as written down" in written.basis


def test_each_copy_is_held_against_what_was_told_or_against_what_was_known_then() -> None:
    first, second = cycle(90, 10), cycle(50, 30)
    told = cycle(10, 40, expected_p50=NOW - 10 * DAY + 20 * HOUR, expected_p90=NOW - 10 * DAY + 30 * HOUR)
    errors = build_errors((told, second, first, cycle(1, None)))
    assert [one.expected_p50 for one in errors] == [48 * HOUR, 10 * HOUR, 20 * HOUR]
    assert [one.error for one in errors] == [-38 * HOUR, 20 * HOUR, 20 * HOUR]
    assert [one.told for one in errors] == [False, False, True]
    assert [one.within_p90 for one in errors] == [True, False, False]


def test_phases_are_the_spans_between_the_stamps() -> None:
    one = cycle(10, 30, started=NOW - 10 * DAY + HOUR, activated=NOW - 8 * DAY)
    phases = build_phases(one, activation_asked=NOW - 8 * DAY - HOUR)
    assert (phases.queue, phases.copy, phases.waiting, phases.activating) == (HOUR, 29 * HOUR, 17 * HOUR, HOUR)
    bare = build_phases(cycle(1, None))
    assert (bare.queue, bare.copy, bare.waiting, bare.activating) == (None, None, None, None)


def test_licences_are_counted_by_type_unknown_ones_too() -> None:
    uses = build_licences({"FULL": 1, "ADVANCED_DEV": 3}, {"UAT": "FULL", "PERF": "FULL", "ODD": "FULL_PLUS"})
    assert [(one.type, one.bought, one.used) for one in uses] == [
        ("FULL", 1, 2), ("ADVANCED_DEV", 3, 0), ("FULL_PLUS", None, 1),
    ]  # fmt: skip


def test_a_history_that_cannot_be_true_is_named() -> None:
    assert find_clashes((cycle(60), cycle(20)), DUBLIN) == ()
    assert "5 day(s) later" in find_clashes((cycle(60), cycle(55)), DUBLIN)[0]
    assert "do not follow" in find_clashes((cycle(60, copied=NOW - 70 * DAY),), DUBLIN)[0]
    late = (cycle(60, activated=NOW - 25 * DAY), cycle(30))
    assert "begins before" in find_clashes(late, DUBLIN)[0]
