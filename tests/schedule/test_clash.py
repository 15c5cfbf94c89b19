"""Why something did not fit: the set clashes, lifting any row makes everything of it fit, repairs were tried."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rehearse import clock
from rehearse.clock import Hours, Span
from rehearse.release.model import Needs, Pin
from rehearse.schedule.clash import find_clash, shrink, with_order
from rehearse.schedule.fit import Fit
from rehearse.schedule.model import Booking, Closed, Somebody, Window, Wish
from rehearse.schedule.rows import Row, list_rows
from rehearse.schedule.solver import solve

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Build = Callable[[SimpleNamespace], Wish]


def _at(text: str) -> Any:
    return clock.from_iso(f"{text}:00Z")


def _wish(w: Any, *rehearsals: Any, supply: Any = None, live: str = "2026-12-04T18:00", **more: Any) -> Wish:
    return w.wish([supply or w.supply("U")], [w.release("R1", _at(live), *rehearsals)], **more)  # type: ignore[no-any-return]


def _people(w: Any) -> Wish:
    both = (w.rehearsal(name, people=("ann",), pin=Pin(name, _at("2026-12-01T10:00"))) for name in ("A", "B"))
    release = w.release("R1", _at("2026-12-04T18:00"), *both)
    return w.wish([w.supply("A"), w.supply("B")], [release], people=(Somebody("ann", w.dublin, None),))  # type: ignore[no-any-return]


def _advance(w: Any) -> Wish:
    first = w.release("R0", _at("2026-11-24T18:00"), w.rehearsal("m", "R0", forecast="undoable"))
    late = w.rehearsal("m", not_before=_at("2026-11-25T09:00"), not_after=_at("2026-11-25T16:00"))
    return w.wish([w.supply("U")], [first, w.release("R1", _at("2026-12-04T18:00"), late)])  # type: ignore[no-any-return]


def _go_live_copy(w: Any) -> Wish:
    early = w.release("R0", _at("2026-11-25T08:00"), w.rehearsal("m", "R0", pin=Pin("V")), advance=Span(4 * HOUR))
    used = Booking("used", "U", _at("2026-11-20T10:00"), _at("2026-11-20T11:00"), _at("2026-11-20T11:00"), "use")
    supply = w.supply("U", days_ago=40, bookings=(used,), copy_time=72 * HOUR)
    fresh = w.rehearsal("m", needs=Needs(start="fresh"), not_after=_at("2026-11-27T18:00"), pin=Pin("U"))
    return w.wish(  # type: ignore[no-any-return]
        [supply, w.supply("V")],
        [early, w.release("R1", _at("2026-12-04T18:00"), fresh)],
        policy=w.policy(settle=HOUR),
    )


CASES: dict[str, tuple[Build, list[str]]] = {
    "no sandbox of the type": (lambda w: _wish(w, w.rehearsal("m", needs=Needs(("PARTIAL",)))), ["type"]),
    "no sandbox with the tags": (lambda w: _wish(w, w.rehearsal("m", needs=Needs(tags=("sap",)))), ["tags"]),
    "hours at the week-end only": (
        lambda w: _wish(
            w,
            w.rehearsal("m", hours=Hours((5,), clock.parse_time("09:00"), clock.parse_time("18:00"))),
            live="2026-11-27T18:00",
        ),
        ["before_go_live", "hours"],
    ),
    "bounds that cross": (
        lambda w: _wish(w, w.rehearsal("m", not_before=_at("2026-12-02T09:00"), not_after=_at("2026-12-01T18:00"))),
        ["not_after", "not_before"],
    ),
    "a package that is late": (
        lambda w: w.wish(
            [w.supply("U")], [w.release("R1", _at("2026-12-04T18:00"), w.rehearsal("m"), ready=_at("2026-12-04T16:00"))]
        ),
        ["before_go_live", "ready"],
    ),
    "an order without room": (
        lambda w: _wish(
            w, w.rehearsal("a", not_before=_at("2026-12-04T09:00")), w.rehearsal("b", after="a", gap=Span(2 * DAY))
        ),
        ["after", "before_go_live", "not_before"],
    ),
    "data that is too old": (
        lambda w: _wish(w, w.rehearsal("m", needs=Needs(data_age=Span(10 * DAY)))),
        ["before_go_live", "data_age", "interval"],
    ),
    "two that burn one sandbox": (
        lambda w: _wish(w, w.rehearsal("a", forecast="burns"), w.rehearsal("b", forecast="burns", after="a")),
        ["after", "before_go_live", "burns", "interval"],
    ),
    "a blackout over everything": (
        lambda w: _wish(
            w, w.rehearsal("m"), closed=(Closed("audit", Window(_at("2026-11-20T00:00"), _at("2026-12-05T00:00"))),)
        ),
        ["before_go_live", "blackout"],
    ),
    "a hold that leaves no time": (
        lambda w: _wish(
            w,
            w.rehearsal("a", hold=Span(14 * DAY), not_after=_at("2026-11-24T18:00")),
            w.rehearsal("b", after="a"),
        ),
        ["after", "before_go_live", "hold"],
    ),
    "one person at two places": (_people, ["people", "pin", "pin"]),
    "no time to advance": (_advance, ["advance", "not_after", "not_before"]),
    "a copy across a go-live": (_go_live_copy, ["fresh", "go_live_copy", "not_after", "pin"]),
}


@pytest.mark.parametrize("name", CASES)
def test_the_reasons_clash_and_none_is_idle(name: str, worlds: SimpleNamespace) -> None:
    build, rules = CASES[name]
    wish = build(worlds)
    found = solve(wish, seconds=20)
    last = found.unplaced[-1]
    assert sorted(one.rule for one in last.reasons) == rules
    assert all(one.text.endswith(".") for one in last.reasons)
    keys = with_order(wish, frozenset({(last.release, last.rehearsal)}) | _named(last))
    rows = {
        Row(one.rule, one.release or "", one.rehearsal or "", one.sandbox or "", one.name or "") for one in last.reasons
    }  # type: ignore[arg-type]
    every = frozenset(list_rows(wish, keys))
    fit = Fit(wish, time.monotonic() + 30)
    assert rows <= every
    assert not fit.fits(keys, every - rows)
    for row in rows:
        assert fit.fits(keys, (every - rows) | {row}), row


def _named(one: Any) -> frozenset[tuple[str, str]]:
    return frozenset((row.release, row.rehearsal) for row in one.reasons if row.rehearsal)


def test_repairs_were_tried_and_the_cheap_ones_come_first(worlds: SimpleNamespace) -> None:
    build, _ = CASES["data that is too old"]
    (last,) = solve(build(worlds), seconds=20).unplaced
    assert last.repairs and all(one.checked for one in last.repairs)
    assert [one.change for one in last.repairs][0] == "data_age"
    assert "10d older" in last.repairs[0].text


def test_a_planted_smallest_set_is_found_behind_a_larger_one(worlds: SimpleNamespace) -> None:
    """Two rules alone clash (bounds that cross); a larger clash (age, interval, go-live) must not be told instead."""
    one = worlds.rehearsal(
        "m", needs=Needs(data_age=Span(10 * DAY)), not_before=_at("2026-12-02T09:00"), not_after=_at("2026-12-01T18:00")
    )
    wish = _wish(worlds, one)
    found = solve(wish, seconds=20)
    clash = find_clash(Fit(wish, time.monotonic() + 30), wish, found, ("R1", "m"))
    assert clash is not None and [row.rule for row in clash.rows] == ["not_after", "not_before"]


def test_what_fits_has_no_reasons(worlds: SimpleNamespace) -> None:
    wish = _wish(worlds, worlds.rehearsal("m"))
    found = solve(wish, seconds=20)
    assert not found.unplaced
    assert find_clash(Fit(wish, time.monotonic() + 30), wish, found, ("R1", "m")) is None


def test_shrinking_leaves_nothing_out_that_is_needed() -> None:
    rows = [Row("blackout", name=str(number)) for number in range(13)]
    needed = {rows[3], rows[4], rows[11]}
    assert set(shrink(rows, lambda some: needed <= set(some))) == needed
    assert shrink(rows, lambda some: True) == ()


def test_what_no_rule_keeps_out_says_so_and_names_no_rule(worlds: SimpleNamespace) -> None:
    """Bookings of others fill the only sandbox to the horizon: no rule that somebody wrote could be lifted."""
    now = worlds.now
    used = Booking("used", "U", now, now + 60 * DAY, now + 60 * DAY, "use")
    wish = _wish(worlds, worlds.rehearsal("m"), supply=worlds.supply("U", bookings=(used,)))
    found = solve(wish, seconds=20)
    (one,) = found.unplaced
    assert one.reasons == () and all(way.checked for way in one.repairs)
    assert any(text.startswith("R1 m: no rule keeps it out") for text in found.warnings)


def test_a_rule_that_is_read_in_another_zone_names_it(worlds: SimpleNamespace) -> None:
    """Its times are not those of the table beside it."""
    there = worlds.rehearsal("m", zone=ZoneInfo("America/New_York"), not_after=_at("2026-11-23T15:00"))
    found = solve(_wish(worlds, there), seconds=20)
    texts = {one.rule: one.text for one in found.unplaced[0].reasons}
    assert texts["not_after"] == "R1 m ends by Mon 2026-11-23 10:00 in America/New_York."
    assert texts["hours"].endswith("09:00-18:00 in America/New_York.")


def test_who_is_away_comes_although_away_and_not_outside_the_hours(worlds: SimpleNamespace) -> None:
    """The way out was tried without the absence, and told as one of hours."""
    away = Window(_at("2026-11-23T00:00"), _at("2026-12-05T00:00"))
    ann = Somebody("ann", worlds.dublin, Hours((0, 1, 2, 3, 4), *map(clock.parse_time, ("08:00", "20:00"))), (away,))
    (one,) = solve(_wish(worlds, worlds.rehearsal("m", people=("ann",)), people=(ann,)), seconds=20).unplaced
    texts = [way.text for way in one.repairs]
    assert "Have ann come although they are away." in texts and not any("hours" in text for text in texts)
    (told,) = [why.text for why in one.reasons if why.rule == "people"]
    assert told.endswith("is away from Mon 2026-11-23 to Fri 2026-12-04.")


def test_only_the_sandbox_that_is_named_is_refreshed_earlier(worlds: SimpleNamespace) -> None:
    """Lifting either interval makes it fit; the possible date of one of them alone does."""
    late = worlds.supply("LATE", days_ago=10, copy_time=2 * HOUR)
    soon = worlds.supply("SOON", days_ago=29, copy_time=2 * HOUR)
    used = [Booking(f"u{name}", name, *[worlds.now - 2 * DAY] * 3, "use") for name in ("LATE", "SOON")]
    supplies = [replace(one, bookings=(use,)) for one, use in zip((late, soon), used, strict=True)]
    one = worlds.rehearsal("m", needs=Needs(start="fresh"), not_after=_at("2026-11-24T18:00"))
    wish = worlds.wish(supplies, [worlds.release("R1", _at("2026-12-18T18:00"), one)])
    (out,) = solve(wish, seconds=20).unplaced
    assert sorted(why.sandbox for why in out.reasons if why.rule == "interval") == ["LATE", "SOON"]
    assert [way.text.split()[3] for way in out.repairs if way.change == "refresh"] == ["SOON"]


def test_margins_in_hours_and_working_days_and_other_go_lives_are_moved_too(worlds: SimpleNamespace) -> None:
    live = "2026-11-24T18:00"
    margins = {"bd": Span(working_days=2), "h": Span(30 * HOUR)}
    for name, words in (("bd", "end 1bd nearer"), ("h", "end 1d nearer")):
        one = worlds.rehearsal("m", length=9, before_go_live=margins[name], not_before=_at("2026-11-23T08:30"))
        (out,) = solve(_wish(worlds, one, live=live), seconds=20).unplaced
        assert any(words in way.text for way in out.repairs), [way.text for way in out.repairs]
    (out,) = solve(_advance(worlds), seconds=20).unplaced
    assert any(way.text.startswith("Move the go-live of R0") for way in out.repairs)


def test_what_lies_behind_the_horizon_says_so_and_how_far_ahead_to_plan(worlds: SimpleNamespace) -> None:
    """The rule stood there alone, clashing with nothing that was named, and without a way out."""
    late = worlds.rehearsal("m", not_before=worlds.now + 70 * DAY)  # the horizon of these worlds is 8 weeks
    past = worlds.rehearsal("p", pin=Pin(None, worlds.now - DAY))
    wish = _wish(worlds, late, past, live="2027-03-26T18:00")
    first, second = solve(wish, seconds=20).unplaced
    assert "after the horizon of 8w ends on Mon 2027-01-18 08:00" in first.reasons[0].text
    assert first.repairs[0].text == "Plan 3 week(s) further ahead (calendar.horizon: 11w)."
    assert second.reasons[0].text.endswith("which is over.")
    short = worlds.policy(horizon=Span(3 * DAY))
    saturday = Hours((5,), clock.parse_time("09:00"), clock.parse_time("18:00"))
    (out,) = solve(_wish(worlds, worlds.rehearsal("m", hours=saturday), policy=short), seconds=20).unplaced
    assert any("calendar.horizon" in way.text for way in out.repairs)
