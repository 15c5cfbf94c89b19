"""Plans and conflicts that were planted by a number: the best plan is known before the planner is asked for it."""

import random
from datetime import timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from rehearse import clock
from rehearse.clock import Span
from rehearse.release.model import Needs, Pin
from rehearse.schedule.rules import check
from rehearse.schedule.solver import solve

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONES = ("Europe/Dublin", "America/New_York", "Australia/Sydney")
CHANGES = {
    "Europe/Dublin": ("2027-03-30T17:00:00Z", "2026-10-27T18:00:00Z"),
    "America/New_York": ("2027-03-16T21:00:00Z", "2026-11-03T22:00:00Z"),
    "Australia/Sydney": ("2026-10-06T07:00:00Z", "2027-04-06T08:00:00Z"),
}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_planted_plan_is_found(seed: int, worlds: SimpleNamespace) -> None:
    """Every rehearsal has one sandbox that it fits and a wished day of its own: all goals can be nought."""
    dice = random.Random(seed)
    names = ["A", "B", "C"]
    where = [dice.choice(names) for _ in range(5)]
    days = dice.sample(range(5, 12), 5)
    many = [
        worlds.rehearsal(f"m{number}", needs=Needs(tags=(name,)), target=Span(day * DAY))
        for number, (name, day) in enumerate(zip(where, days, strict=True))
    ]
    live = clock.from_iso("2026-12-11T17:00:00Z")
    policy = worlds.policy(hours=clock.Hours(tuple(range(7)), clock.parse_time("09:00"), clock.parse_time("18:00")))
    supplies = [worlds.supply(name, tags=(name,)) for name in names]
    wish = worlds.wish(supplies, [worlds.release("R1", live, *many)], policy=policy)
    found = solve(wish, seconds=20)
    assert check(found, wish) == [] and found.proven
    assert [one.value for one in found.goals] == [0] * 6
    placed = {one.rehearsal: (one.sandbox, one.start.date()) for one in found.bookings}
    assert placed == {
        f"m{number}": (name, (live - day * DAY).date())
        for number, (name, day) in enumerate(zip(where, days, strict=True))
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_planted_conflict_is_named_and_nothing_else(seed: int, worlds: SimpleNamespace) -> None:
    """Two bounds cross, or two pins share a person; around it many rules that stand in nobody's way."""
    dice = random.Random(seed)
    at = clock.from_iso("2026-12-01T09:00:00Z") + dice.randint(0, 2) * DAY
    noise = {"hold": Span(2 * HOUR), "needs": Needs(("FULL",), ("sap",), "baseline", Span(60 * DAY))}
    late = worlds.rehearsal("late", not_before=at, not_after=at + dice.randint(1, 3) * HOUR, **noise)
    other = worlds.rehearsal("other", pin=Pin("U"), **noise)
    release = worlds.release("R1", clock.from_iso("2026-12-11T18:00:00Z"), late, other)
    found = solve(worlds.wish([worlds.supply("U", tags=("sap",))], [release]), seconds=20)
    (one,) = found.unplaced
    assert one.rehearsal == "late" and sorted(row.rule for row in one.reasons) == ["not_after", "not_before"]
    assert one.repairs and all(way.checked for way in one.repairs)


@pytest.mark.parametrize("direction", [0, 1])
@pytest.mark.parametrize("zone", ZONES)
def test_hours_and_margins_hold_over_a_change_of_the_clocks(zone: str, direction: int, worlds: SimpleNamespace) -> None:
    """Three working days before the go-live is the same wall time, on the other side of the change."""
    where, live = ZoneInfo(zone), clock.from_iso(CHANGES[zone][direction])
    assert (live - 3 * DAY).astimezone(where).utcoffset() != live.astimezone(where).utcoffset()
    one = worlds.rehearsal("m", zone=where, before_go_live=Span(working_days=2), target=Span(working_days=2), length=8)
    supply = worlds.supply("U", days_ago=None)
    policy = worlds.policy(zone=where)
    wish = worlds.wish([supply], [worlds.release("R1", live, one)], policy=policy, now=live - 10 * DAY)
    found = solve(wish, seconds=20)
    assert check(found, wish) == [] and found.proven
    (booking,) = found.bookings
    start, end = booking.start.astimezone(where), booking.end.astimezone(where)
    assert (start.weekday(), start.hour, end.hour) == (4, 9, 17)
    assert booking.start.utcoffset() is not None and end - start == 8 * HOUR


def test_two_rules_that_each_keep_it_out_are_changed_together(worlds: SimpleNamespace) -> None:
    one = worlds.rehearsal("m", needs=Needs(("FULL",), ("sap",)))
    release = worlds.release("R1", clock.from_iso("2026-12-11T18:00:00Z"), one)
    found = solve(worlds.wish([worlds.supply("U", "PARTIAL")], [release]), seconds=20)
    (way,) = found.unplaced[0].repairs
    assert len(found.unplaced[0].reasons) == 1 and way.checked
    assert sorted(way.change.split("+")) == ["tags", "type"] and way.text.startswith("Together: ")


def test_a_way_out_that_takes_the_place_of_another_says_so(worlds: SimpleNamespace) -> None:
    """One day, one sandbox: the second rehearsal fits only where the first is."""
    at = clock.from_iso("2026-12-01T09:00:00Z")
    only = {"not_before": at, "not_after": at + 8 * HOUR, "length": 8}
    first = worlds.rehearsal("first", **only)
    late = worlds.rehearsal("late", "R2", needs=Needs(tags=("sap",)), **only)
    live = clock.from_iso("2026-12-11T18:00:00Z")
    releases = [worlds.release("R1", live, first), worlds.release("R2", live, late)]
    found = solve(worlds.wish([worlds.supply("U")], releases), seconds=20)
    (missing,) = found.unplaced
    assert missing.rehearsal == "late" and [row.rule for row in missing.reasons] == ["tags"]
    assert missing.repairs[0].text.endswith("Something that is placed now must then give way.")
