"""The course of a year: no bound that it tells is above what the exact model has proven best."""

import os
import time
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from rehearse.clock import Span
from rehearse.release.model import Needs
from rehearse.schedule.course_find import Found, find_course
from rehearse.schedule.model import Schedule, Wish
from rehearse.schedule.problem import build_problem
from rehearse.schedule.rules import check
from rehearse.schedule.solver import solve
from rehearse.schedule.solver_large import solve_large

DAY = timedelta(days=1)
LONG = os.environ.get("REHEARSE_TEST") == "all"
SOME = range(300 if LONG else 12)
LARGER = range(1000, 1060 if LONG else 1002)


def _place_all(wish: Wish) -> tuple[Wish, Schedule]:
    """A world of which everything is placed: what is not is asked for no more."""
    wish = replace(wish, policy=replace(wish.policy, prefer="few"))
    best = solve(wish, seconds=20, explained=False)
    if best.unplaced:
        out = {(one.release, one.rehearsal) for one in best.unplaced}
        releases = (
            replace(one, rehearsals=tuple(each for each in one.rehearsals if (one.name, each.name) not in out))
            for one in wish.releases
        )
        wish = replace(wish, releases=tuple(releases))
        best = solve(wish, seconds=20, explained=False)
    return wish, best


@pytest.mark.parametrize("tiny", [True, False])
def test_no_bound_of_a_course_is_above_what_is_best(tiny: bool, worlds: SimpleNamespace) -> None:
    whole = near = 0
    for seed in SOME if tiny else LARGER:
        wish, best = _place_all(worlds.random(seed, tiny=tiny))
        cost = {one.name: one.value for one in best.goals}
        if not best.bookings or cost["unplaced"]:
            continue
        told: list[Found] = []
        for least in {0, cost["refreshes"]}:
            find_course(build_problem(wish), least, 30.0, told.append)
        assert max((one.refreshes for one in told), default=0) <= cost["refreshes"], seed
        for one in told:
            if one.within is not None and cost["refreshes"] <= one.within:
                assert one.advances <= cost["advances"], seed
                if one.distance is not None and cost["advances"] <= one.advances:
                    assert one.distance <= cost["distance"], seed
                    whole, near = whole + 1, near + (one.distance == cost["distance"])
    assert near > whole // 2


def test_a_burn_ends_its_copy_and_what_follows_it_waits(worlds: SimpleNamespace) -> None:
    """One sandbox, three rehearsals in a week: the one that burns is the last, and each has its day."""
    live = worlds.now + 11 * DAY
    common = {"length": 8, "target": Span(4 * DAY)}
    burning = worlds.rehearsal("b", forecast="burns", **common)
    others = [worlds.rehearsal("c", **common), worlds.rehearsal("d", after="c", gap=Span(2 * DAY), **common)]
    wish = worlds.wish([worlds.supply("A")], [worlds.release("R1", live, burning, *others)])
    best, told = solve(wish, seconds=10), list[Found]()
    find_course(build_problem(wish), 0, 30.0, told.append)
    assert best.proven and [one.value for one in best.goals[:4]] == [0, 0, 0, 0]
    assert (told[-1].within, told[-1].advances, told[-1].distance) == (0, 0, best.goals[4].value)
    assert told[-1].use is not None and ("A", 0) in told[-1].use.kept


def test_what_follows_another_waits_for_it_on_another_copy_too(worlds: SimpleNamespace) -> None:
    """Each has a sandbox of its own and the same wished day: the gap between them has to be paid for."""
    live = worlds.now + 15 * DAY
    first = worlds.rehearsal("c", target=Span(4 * DAY), needs=Needs(types=("PARTIAL",)))
    second = worlds.rehearsal("d", target=Span(4 * DAY), needs=Needs(types=("FULL",)), after="c", gap=Span(2 * DAY))
    wish = worlds.wish([worlds.supply("A", "PARTIAL"), worlds.supply("B")], [worlds.release("R1", live, first, second)])
    best, told = solve(wish, seconds=10), list[Found]()
    find_course(build_problem(wish), 0, 30.0, told.append)
    assert best.proven and best.goals[4].value > 0
    assert (told[-1].within, told[-1].advances, told[-1].distance) == (0, 0, best.goals[4].value)


def test_the_one_sandbox_of_its_tag_holds_one_copy_at_a_time(worlds: SimpleNamespace) -> None:
    """What burns on a new copy leaves nothing for what comes after: the old copy is gone, and one more is due."""
    lives = [worlds.now + days * DAY for days in (20, 41, 62)]
    tagged, fresh = Needs(tags=("sap",)), Needs(tags=("sap",), start="fresh")
    burning = worlds.rehearsal("f", "R2", target=Span(5 * DAY), needs=fresh, forecast="burns")
    first, last = (worlds.rehearsal("m", one, target=Span(5 * DAY), needs=tagged) for one in ("R1", "R3"))
    releases = [
        worlds.release(name, live, one, ready=live - 18 * DAY)
        for name, live, one in zip(("R1", "R2", "R3"), lives, (first, burning, last), strict=True)
    ]
    policy = worlds.policy(horizon=Span(70 * DAY))
    wish = worlds.wish([worlds.supply("A", tags=("sap",)), worlds.supply("B")], releases, policy=policy)
    best, told = solve(wish, seconds=20), list[Found]()
    find_course(build_problem(wish), 0, 30.0, told.append)
    assert best.proven and best.goals[2].value == 2
    assert max(one.refreshes for one in told) == 2


def test_a_large_planning_is_proven_by_its_course(worlds: SimpleNamespace) -> None:
    live = worlds.now + 11 * DAY
    many = [worlds.rehearsal(f"m{number}", target=Span(4 * DAY)) for number in range(4)]
    wish = worlds.wish([worlds.supply("A")], [worlds.release("R1", live, *many)])
    found = solve_large(build_problem(wish), time.monotonic() + 3, lambda event: None)
    assert found is not None and check(found, wish) == [] and all(one.proven for one in found.goals[:5])
