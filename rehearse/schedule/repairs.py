"""Ways out of a clash, the cheapest first: small changes of what somebody wrote, each as a wish to solve again. Pure.

A change is proposed only for rules of the clash. Moving dates comes before giving up a demand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rehearse import clock
from rehearse.clock import Span
from rehearse.release.model import Needs, Pin, Rehearsal, Release
from rehearse.schedule.demand import horizon
from rehearse.schedule.ledger import build_availability
from rehearse.schedule.model import Closed, Somebody, Wish
from rehearse.schedule.rows import Row
from rehearse.schedule.wall import shift_days

_STEPS = (1, 2, 3, 5, 7, 10, 14, 21, 28)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Way:
    """A family of changes, from small to large; the first that works is the one to tell. `rank` orders families."""

    rank: int
    change: str
    tries: tuple[tuple[str, Wish], ...]


def list_ways(wish: Wish, rows: tuple[Row, ...]) -> tuple[Way, ...]:
    """The ways out of a clash, the cheapest first."""
    ways = [way for row in rows for way in _ways(wish, row) if way.tries] if rows else list(_without_rules(wish))
    lives = [one.go_live for one in wish.releases if one.name in {row.release for row in rows}]
    if any(one > horizon(wish) for one in lives) and not any(way.change == "horizon" for way in ways):
        ways.append(replace(_further(wish, (1, 2, 4)), rank=8))
    return tuple(sorted(ways, key=lambda one: one.rank))


def _without_rules(wish: Wish) -> Iterator[Way]:
    """No rule stands in the way: only what is booked could move, or more time be planned."""
    if not wish.replan:
        text = "Let what is booked move: plan again with --replan."
        yield Way(1, "replan", ((text, replace(wish, replan=True)),))
    yield _further(wish, (1, 2, 4))


def _further(wish: Wish, weeks: tuple[int, ...]) -> Way:
    """To plan further ahead: what lies behind the horizon clashes with it, and no rule says so."""
    policy = wish.policy
    longer = [(more, Span(policy.horizon.amount + timedelta(weeks=more))) for more in weeks]
    tries = tuple(
        (
            f"Plan {more} week(s) further ahead (calendar.horizon: {span}).",
            replace(wish, policy=replace(policy, horizon=span)),
        )
        for more, span in longer
        if not policy.horizon.working_days
    )
    return Way(2, "horizon", tries)


def _past_horizon(wish: Wish, at: datetime | None) -> Iterator[Way]:
    """The ways out for a date that lies behind the horizon."""
    beyond = at - horizon(wish) if at is not None else -_DAY
    if beyond >= timedelta():
        weeks = beyond // timedelta(weeks=1) + 1
        yield replace(_further(wish, (weeks, weeks + 1, weeks + 4)), rank=0)  # nothing that is wanted changes


def _ways(wish: Wish, row: Row) -> Iterator[Way]:
    release = next((one for one in wish.releases if one.name == row.release), None)
    rehearsal = next((one for one in (release.rehearsals if release else ()) if one.name == row.rehearsal), None)
    if release is not None and rehearsal is not None:
        yield from _of_rehearsal(wish, row, release, rehearsal)
    elif release is not None and row.rule == "ready" and release.ready is not None:
        ready, zone = release.ready, wish.policy.zone
        early = [(f"{days}d", replace(release, ready=shift_days(ready, -days, zone))) for days in _STEPS]
        yield from _past_horizon(wish, ready)
        yield Way(3, "ready", _tries(wish, f"Have the package of {release.name} ready {{}} earlier", early))
    elif release is not None and row.rule in ("advance", "go_live_copy"):
        yield from _move_go_live(wish, release)
    elif row.rule == "interval":
        yield from _refresh_earlier(wish, row.sandbox)
    elif row.rule == "people":
        yield Way(5, "people", tuple(_person_comes(wish, row.name)))
        yield Way(6, "people", ((f"Do without {row.name}.", _without_person(wish, row.name)),))
    elif row.rule == "blackout":
        closed: tuple[Closed, ...] = tuple(one for one in wish.closed if one.name != row.name)
        yield Way(7, "blackout", ((f"Lift the blackout {row.name}.", replace(wish, closed=closed)),))


def _person_comes(wish: Wish, name: str) -> Iterator[tuple[str, Wish]]:
    """A person who comes outside the hours, or although away, whatever helps; both only where it takes both."""
    one = next(found for found in wish.people if found.name == name)
    changes: list[tuple[str, dict[str, object]]] = []
    if one.hours is not None:
        changes.append(("outside their hours", {"hours": None}))
    if one.away:
        changes.append(("although they are away", {"away": ()}))
    if len(changes) == 2:
        changes.append(("outside their hours and although they are away", {"hours": None, "away": ()}))
    for text, change in changes:
        changed: Somebody = replace(one, **change)  # type: ignore[arg-type]
        people = tuple(changed if each is one else each for each in wish.people)
        yield f"Have {name} come {text}.", replace(wish, people=people)


def _without_person(wish: Wish, name: str) -> Wish:
    def without(one: Rehearsal) -> Rehearsal:
        return replace(one, people=tuple(other for other in one.people if other != name))

    releases = tuple(replace(one, rehearsals=tuple(without(each) for each in one.rehearsals)) for one in wish.releases)
    return replace(wish, releases=releases)


def _refresh_earlier(wish: Wish, sandbox: str) -> Iterator[Way]:
    """Between the two dates of the ledger a request may be accepted: worth asking for."""
    supply = next(one for one in wish.supplies if one.name == sandbox)
    found = build_availability(supply.name, supply.type, supply.cycles, wish.now, wish.policy.clock)
    if wish.policy.plan_with == "certain" and found.possible_from != found.certain_from and found.possible_from:
        at = clock.show(max(found.possible_from, wish.now), wish.policy.zone)
        text = f"Try to refresh {sandbox} from {at} on: it is possible from then, though not certain."
        supplies = tuple(replace(one, possible=one.name == sandbox) for one in wish.supplies)
        yield Way(2, "refresh", ((text, replace(wish, supplies=supplies)),))


def _tries(wish: Wish, text: str, changed: list[tuple[str, Release]]) -> tuple[tuple[str, Wish], ...]:
    return tuple((f"{text.format(size)}.", _with_release(wish, release)) for size, release in changed)


def _with_release(wish: Wish, release: Release) -> Wish:
    return replace(wish, releases=tuple(release if one.name == release.name else one for one in wish.releases))


def _with(wish: Wish, release: Release, one: Rehearsal, **changes: object) -> Wish:
    changed = replace(one, **changes)  # type: ignore[arg-type]
    rehearsals = tuple(changed if each.name == one.name else each for each in release.rehearsals)
    return _with_release(wish, replace(release, rehearsals=rehearsals))


def _of_rehearsal(wish: Wish, row: Row, release: Release, one: Rehearsal) -> Iterator[Way]:
    label = f"{release.name} {one.name}"
    if row.rule in _SIMPLE:
        rank, text, change = _SIMPLE[row.rule]
        yield Way(
            rank, row.rule, ((f"{text.format(label=label, one=one)}.", _with(wish, release, one, **change(one))),)
        )
    if row.rule == "before_go_live":
        yield from _later_go_live(wish, release, one)
    elif row.rule == "not_after" and one.not_after is not None:
        yield _moved(wish, release, one, ("not_after", one.not_after, 1))
    elif row.rule == "not_before" and one.not_before is not None:
        yield from _past_horizon(wish, one.not_before)
        yield _moved(wish, release, one, ("not_before", one.not_before, -1))
    elif row.rule == "hours":
        yield _shorter(wish, release, one)
    elif row.rule == "data_age" and one.needs.data_age is not None:
        yield _older(wish, release, one, one.needs.data_age)
    elif row.rule == "type":
        yield _other_type(wish, release, one)
    elif row.rule == "pin":
        yield from _past_horizon(wish, one.pin.at)
        yield from _unpinned(wish, release, one)


_Change = Callable[[Rehearsal], dict[str, object]]
_SIMPLE: dict[str, tuple[int, str, _Change]] = {
    "after": (6, "Let {label} run before {one.after}", lambda one: {"after": None}),
    "fresh": (
        5,
        "Let {label} start from a reset baseline",
        lambda one: {"needs": replace(one.needs, start="baseline")},
    ),
    "burns": (5, "Change {label} so that it can be undone", lambda one: {"forecast": "undoable"}),
    "hold": (2, "Do not hold the sandbox after {label}", lambda one: {"hold": Span()}),
    "tags": (6, "Let {label} run in a sandbox without these tags", lambda one: {"needs": replace(one.needs, tags=())}),
}


def _moved(wish: Wish, release: Release, one: Rehearsal, bound: tuple[str, datetime, int]) -> Way:
    name, at, sign = bound
    text = f"Let {release.name} {one.name} {'end' if sign > 0 else 'start'}"
    tries = tuple(
        (
            f"{text} {days}d {'later' if sign > 0 else 'earlier'}.",
            _with(wish, release, one, **{name: shift_days(at, sign * days, one.zone)}),
        )
        for days in _STEPS
    )
    return Way(1, name, tries)


def _later_go_live(wish: Wish, release: Release, one: Rehearsal) -> Iterator[Way]:
    text = f"Let {release.name} {one.name} end {{}} nearer to the go-live."
    tries = [
        (text.format(_in_days(by)), _with(wish, release, one, before_go_live=left))
        for by, left in _less(one.before_go_live)
    ]
    yield Way(1, "before_go_live", tuple(tries))
    yield from _move_go_live(wish, release)


def _less(margin: Span) -> Iterator[tuple[Span, Span]]:
    """By how much a margin may be smaller, and what is left of it then, down to nothing."""
    if margin.working_days:
        for days in range(1, margin.working_days + 1):
            yield Span(working_days=days), Span(working_days=margin.working_days - days)
        return
    for days in (one for one in _STEPS if one * _DAY <= margin.amount):
        yield Span(days * _DAY), Span(margin.amount - days * _DAY)
    if margin.amount % _DAY:
        yield margin, Span()


def _in_days(span: Span) -> str:
    """`7d` and not `1w`: a margin is read as days."""
    return str(span) if span.working_days or span.amount % _DAY else f"{span.amount // _DAY}d"


def _move_go_live(wish: Wish, release: Release) -> Iterator[Way]:
    if release.go_live <= wish.now:
        return  # it is over: nobody can move it
    zone = wish.policy.zone
    later = [(f"{days}d", replace(release, go_live=shift_days(release.go_live, days, zone))) for days in _STEPS]
    yield Way(4, "go_live", _tries(wish, f"Move the go-live of {release.name} {{}} later", later))


def _shorter(wish: Wish, release: Release, one: Rehearsal) -> Way:
    hours = -(-one.duration.amount // timedelta(hours=1))
    tries = tuple(
        (
            f"Shorten {release.name} {one.name} to {length}h.",
            _with(wish, release, one, duration=Span(timedelta(hours=length))),
        )
        for length in range(hours - 1, max(0, hours // 2 - 1), -1)
    )
    return Way(3, "duration", tries)


def _older(wish: Wish, release: Release, one: Rehearsal, age: Span) -> Way:
    tries = []
    for days in (*_STEPS, 42, 60, 90):
        more = Span(working_days=days) if age.working_days else Span(days * _DAY)
        older = Span(age.amount + more.amount, age.working_days + more.working_days)
        text = f"Let the data of {release.name} {one.name} be {_in_days(more)} older."
        tries.append((text, _with(wish, release, one, needs=replace(one.needs, data_age=older))))
    return Way(2, "data_age", tuple(tries))


def _other_type(wish: Wish, release: Release, one: Rehearsal) -> Way:
    have = sorted({supply.type for supply in wish.supplies if supply.type} - set(one.needs.types))
    order = [name for name in ("FULL", "PARTIAL", "DEVELOPER_PRO", "DEVELOPER") if name in have]

    def needs(name: str) -> Needs:
        return replace(one.needs, types=(*one.needs.types, name))

    tries = tuple(
        (f"Let {release.name} {one.name} run in a {name} sandbox.", _with(wish, release, one, needs=needs(name)))
        for name in order
    )
    return Way(5, "type", tries)


def _unpinned(wish: Wish, release: Release, one: Rehearsal) -> Iterator[Way]:
    label, pin = f"{release.name} {one.name}", one.pin
    if pin.sandbox:
        text = f"Let {label} run in another sandbox than {pin.sandbox}."
        yield Way(2, "sandbox", ((text, _with(wish, release, one, pin=Pin(None, pin.at))),))
    if pin.at:
        yield Way(2, "time", ((f"Let {label} run at another time.", _with(wish, release, one, pin=Pin(pin.sandbox))),))
