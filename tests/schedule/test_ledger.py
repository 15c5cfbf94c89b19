"""Refresh dates from history: two dates until one is settled, and percentiles from the sandbox's own copies."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rehearse import clock
from rehearse.schedule.ledger import Cycle, build_availability, percentile

NOW = clock.from_iso("2026-11-23T08:00:00Z")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def _cycle(days_ago: float, copy_hours: float | None = 30, activated_after: float | None = 40, **more: object) -> Cycle:
    requested = NOW - days_ago * DAY
    values: dict[str, object] = {
        "id": f"0GR{days_ago}",
        "sandbox": "UATFULL",
        "licence": "FULL",
        "state": "completed",
        "org_id": "00D000000000001AAA",
        "requested": requested,
        "copied": None if copy_hours is None else requested + copy_hours * HOUR,
        "activated": None if activated_after is None else requested + activated_after * HOUR,
    }
    return Cycle(**{**values, **more})  # type: ignore[arg-type]


def test_the_two_dates_count_from_the_request_and_from_the_activation() -> None:
    found = build_availability("UATFULL", "FULL", [_cycle(18)], NOW)
    assert found.possible_from == NOW + 11 * DAY
    assert found.certain_from == NOW + 11 * DAY + 40 * HOUR
    assert found.refreshable == "no" and found.days_left == 13


@pytest.mark.parametrize(
    ("licence", "zone", "requested", "shown"),
    [  # days of 24 hours: the wall time moves with the clocks, in both directions and both hemispheres
        ("FULL", "Europe/Dublin", "2026-10-02T08:00:00Z", "Sat 2026-10-31 08:00"),
        ("FULL", "Europe/Dublin", "2027-03-01T09:00:00Z", "Tue 2027-03-30 10:00"),
        ("FULL", "America/New_York", "2026-10-10T12:00:00Z", "Sun 2026-11-08 07:00"),
        ("PARTIAL", "America/New_York", "2027-03-10T14:00:00Z", "Mon 2027-03-15 10:00"),
        ("PARTIAL", "Australia/Sydney", "2026-10-01T22:00:00Z", "Wed 2026-10-07 09:00"),
        ("FULL", "Australia/Sydney", "2027-03-19T22:00:00Z", "Sun 2027-04-18 08:00"),
        ("DEVELOPER", "Europe/Dublin", "2026-10-24T00:30:00Z", "Sun 2026-10-25 01:30+01:00"),
        ("DEVELOPER", "Europe/Dublin", "2026-10-24T01:30:00Z", "Sun 2026-10-25 01:30+00:00"),
        ("DEVELOPER", "Australia/Sydney", "2027-04-02T16:30:00Z", "Sun 2027-04-04 02:30+10:00"),
    ],
)
def test_dates_over_a_change_of_the_clocks(licence: str, zone: str, requested: str, shown: str) -> None:
    one = _cycle(0, None, None, licence=licence)
    asked = replace(one, requested=clock.from_iso(requested), copied=None, activated=None)
    found = build_availability("UATFULL", licence, [asked], asked.requested, "request")
    assert found.possible_from is not None and clock.show(found.possible_from, ZoneInfo(zone)) == shown


@pytest.mark.parametrize(("days", "expected"), [(28.9, "no"), (29, "maybe"), (30.6, "maybe"), (30.7, "yes")])
def test_between_the_dates_the_answer_is_maybe(days: float, expected: str) -> None:
    assert build_availability("UATFULL", "FULL", [_cycle(days)], NOW).refreshable == expected


@pytest.mark.parametrize(("rule", "hours"), [("request", 0), ("end", 30), ("activation", 40)])
def test_a_configured_rule_gives_one_date(rule, hours: int) -> None:  # type: ignore[no-untyped-def]
    found = build_availability("UATFULL", "FULL", [_cycle(18)], NOW, rule)
    assert found.possible_from == found.certain_from == NOW + 11 * DAY + hours * HOUR and found.settled


def test_one_accepted_request_between_the_dates_settles_the_rule() -> None:
    early = [_cycle(60), _cycle(60 - 29.5)]
    found = build_availability("UATFULL", "FULL", early, NOW)
    assert found.settled and found.possible_from == found.certain_from == NOW - 30.5 * DAY + 29 * DAY
    late = build_availability("UATFULL", "FULL", [_cycle(70), _cycle(30)], NOW)
    assert not late.settled and late.certain_from != late.possible_from


@pytest.mark.parametrize("state", ["pending", "copying", "pending-activation", "activating", "locked", "stopped"])
def test_while_a_copy_runs_or_is_stuck_nothing_may_be_refreshed(state: str) -> None:
    running = _cycle(40, state=state, activated=None)
    found = build_availability("UATFULL", "FULL", [_cycle(90, org_id="00D000000000000AAA"), running], NOW)
    assert found.refreshable == "no" and state in found.note
    assert found.org_id == "00D000000000000AAA" and found.generation == 1


@pytest.mark.parametrize(("state", "copied"), [("copying", None), ("pending-activation", 30), ("activating", 30)])
def test_a_copy_that_is_not_activated_has_no_certain_date(state: str, copied: float | None) -> None:
    found = build_availability("UATFULL", "FULL", [_cycle(5, copied, None, state=state)], NOW)
    assert found.certain_from is None and found.possible_from is not None and found.days_left is None


def test_an_unknown_licence_is_not_predicted() -> None:
    found = build_availability("X", None, [_cycle(90, licence="FULL_PLUS")], NOW)
    assert found.possible_from is None and found.refreshable == "maybe" and "FULL_PLUS" in found.note


def test_without_history_a_refresh_is_possible_now() -> None:
    found = build_availability("X", "FULL", [], NOW)
    assert found.refreshable == "yes" and found.note


def test_the_newest_request_counts_whatever_the_order_of_rows() -> None:
    cycles = [_cycle(10), _cycle(90), _cycle(50)]
    dates = {build_availability("U", "FULL", order, NOW).possible_from for order in (cycles, cycles[::-1])}
    assert dates == {NOW + 19 * DAY}


@pytest.mark.parametrize(("percent", "hours"), [(50, 30), (90, 60), (1, 20), (100, 60)])
def test_percentiles_are_nearest_rank(percent: int, hours: int) -> None:
    assert percentile([30 * HOUR, 60 * HOUR, 20 * HOUR], percent) == hours * HOUR
    assert percentile([], percent) is None


def test_the_interval_is_counted_in_instants_over_a_clock_change() -> None:
    requested = datetime.fromisoformat("2026-10-20T09:00:00+01:00")
    one = Cycle("0GR1", "U", "FULL", "completed", None, requested, requested + HOUR, requested + HOUR)
    found = build_availability("U", "FULL", [one], NOW)
    assert found.possible_from == requested + 29 * DAY
