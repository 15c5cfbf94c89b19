"""The table of sandboxes: a wait reads as long as it is, and never shorter."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rehearse.baseline.model import Baseline
from rehearse.report.sandboxes import SandboxLine, build_body, build_page, show_wait
from rehearse.schedule.ledger import Cycle, build_availability
from rehearse.schedule.model import Booking

NOW, DAY = datetime(2026, 11, 23, 8, tzinfo=UTC), timedelta(days=1)


@pytest.mark.parametrize(
    ("wait", "said"),
    [
        (timedelta(seconds=1), "1 min"),
        (timedelta(minutes=30), "30 min"),
        (timedelta(minutes=61), "2 h"),
        (timedelta(hours=23, minutes=1), "24 h"),
        (timedelta(days=1), "1 d"),
        (timedelta(days=13, hours=3), "14 d"),
        (-timedelta(hours=1), "0 min"),
    ],
)
def test_a_wait_is_shown_in_the_largest_unit_that_tells_it(wait: timedelta, said: str) -> None:
    assert show_wait(NOW + wait, NOW) == said


def test_no_certain_date_is_no_wait() -> None:
    assert show_wait(None, NOW) == "-"


def test_a_sandbox_that_is_half_put_back_is_not_free() -> None:
    cycle = Cycle("C1", "UAT", "FULL", "completed", "00D000000000001AAA", NOW, NOW, NOW)
    line = SandboxLine(build_availability("UAT", "FULL", [cycle], NOW), None, None, None)
    assert line.condition == "free" and replace(line, half_reset=True).condition == "dirty"


def test_a_sandbox_that_is_held_for_people_or_being_reset_is_not_free() -> None:
    cycle = Cycle("C1", "UAT", "FULL", "completed", "00D000000000001AAA", NOW - DAY, NOW - DAY, NOW - DAY)
    over = Booking("r41-dress", "UAT", NOW - DAY, NOW, NOW + DAY, "rehearsal", "R41", "dress")
    line = SandboxLine(build_availability("UAT", "FULL", [cycle], NOW), None, None, None, held=over)
    (row,) = build_page((line,), NOW, ZoneInfo("UTC")).blocks[0].rows  # type: ignore[union-attr]
    assert line.condition == "in-use" and "hold and reset of R41 dress, until 2026-11-24 08:00" in [
        one.text for one in row
    ]
    assert replace(line, burned_by=over).condition == "burned" and replace(line, half_reset=True).condition == "dirty"
    assert build_body((line,))[0]["held"]["free_at"] == over.free_at


def test_a_proof_that_is_older_than_the_last_rehearsal_does_not_look_like_one_of_today() -> None:
    cycle = Cycle("C1", "UAT", "FULL", "completed", "00D000000000001AAA", NOW - DAY, NOW - DAY, NOW - DAY)
    kept = ("B1", "UAT", "00D", "c", "s", NOW - DAY, 1, 1, 1, "usable", "host", "store", "sha", "p", "clean", NOW - DAY)
    proven = Baseline(*kept)
    over = Booking("r41-dress", "UAT", NOW - DAY, NOW, NOW, "rehearsal", "R41", "dress")
    line = SandboxLine(build_availability("UAT", "FULL", [cycle], NOW), None, None, proven, unproven=over)
    (row,) = build_page((line,), NOW, ZoneInfo("UTC")).blocks[0].rows  # type: ignore[union-attr]
    assert (row[-1].text, row[-1].tone) == ("clean, before R41 dress", "warn")
    assert build_body((line,))[0]["unproven"]["id"] == "r41-dress"
