"""The table of sandboxes: a wait reads as long as it is, and never shorter."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rehearse.report.sandboxes import SandboxLine, show_wait
from rehearse.schedule.ledger import Cycle, build_availability

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


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
