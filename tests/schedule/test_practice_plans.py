"""The example releases on the practice world: R41 fits and is proven best, the dress rehearsal of R42 does not fit."""

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from rehearse import clock
from rehearse.clock import Hours, Span, parse_time
from rehearse.practice.seed import PAST
from rehearse.release.read import Calendar, load_releases
from rehearse.schedule.ledger import Cycle
from rehearse.schedule.model import Policy, Supply, Wish
from rehearse.schedule.rules import check
from rehearse.schedule.solver import solve

PLANS = Path(__file__).parents[2] / "plans"
ZONE = ZoneInfo("Europe/Dublin")
HOURS = Hours((0, 1, 2, 3, 4), parse_time("09:00"), parse_time("18:00"))
GRID = timedelta(minutes=30)


@pytest.fixture
def plan():  # type: ignore[no-untyped-def]
    def build(*names: str) -> Wish:
        supplies = []
        for name, licence, _, copies in PAST:
            cycles = tuple(
                Cycle(f"{name}{one.requested}", name, licence, "completed", "00D000000000001AAA", one.requested,
                      one.copied, one.activated or one.copied)
                for one in copies
            )  # fmt: skip
            longest = max(one.copied - one.requested for one in copies)
            supplies.append(Supply(name, licence, ("sap", "payments"), cycles, copy_time=longest))
        calendar = Calendar(ZONE, HOURS, GRID, (), tuple(one.name for one in supplies))
        releases = load_releases([PLANS / name for name in names], calendar)
        policy = Policy(ZONE, HOURS, GRID, Span(timedelta(weeks=26)))
        return Wish(clock.from_iso("2026-11-23T08:00:00Z"), policy, tuple(supplies), releases)

    return build


def test_r41_is_placed_on_its_wished_days(plan) -> None:  # type: ignore[no-untyped-def]
    wish = plan("r41.yaml")
    found = solve(wish)
    assert check(found, wish) == [] and found.proven
    assert [one.label for one in found.bookings] == ["R41 mock", "R41 dress"]
    assert {one.name: one.value for one in found.goals} == dict.fromkeys((one.name for one in found.goals), 0)


def test_the_dress_rehearsal_of_r42_clashes_with_the_interval(plan) -> None:  # type: ignore[no-untyped-def]
    wish = plan("r42.yaml")
    found = solve(wish)
    assert check(found, wish) == []
    (last,) = found.unplaced
    assert last.rehearsal == "dress" and "interval" in {one.rule for one in last.reasons}
    assert len(last.repairs) >= 2 and all(one.checked for one in last.repairs)
