"""The judge's rules about refreshes and the state of a sandbox: one small function a constraint."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import combinations, pairwise

from rehearse import clock
from rehearse.schedule.ledger import COPY_TIMES, Availability, build_availability, interval_of
from rehearse.schedule.model import Refresh, Window
from rehearse.schedule.rules_case import Case, Run, is_inside
from rehearse.schedule.wall import add_span, subtract_span

_LIMIT = timedelta(days=30)


def refresh_dates(case: Case) -> Iterator[str]:
    """Requested and activated on the grid, copied in between, activated in the team's hours and in time."""
    policy = case.wish.policy
    for one in case.schedule.refreshes:
        supply = case.supply(one.sandbox)
        copy = supply.copy_time or COPY_TIMES.get(supply.type or "")
        if not one.running and (one.request < case.wish.now or one.copied != one.request + (copy or timedelta())):
            yield f"{one.sandbox}: the copy of {one.request} cannot be so"
        if not (one.copied <= one.activate <= one.copied + _LIMIT) or one.ready != one.activate + policy.settle:
            yield f"{one.sandbox}: activated at the wrong time"
        if not is_inside(Window(one.activate, one.activate + timedelta(minutes=1)), policy.hours, policy.zone):
            yield f"{one.sandbox}: activated outside the hours"
        if not case.is_on_grid(one.activate) or not (one.running or case.is_on_grid(one.request)):
            yield f"{one.sandbox}: a refresh off the grid"


def running_copies_are_kept(case: Case) -> Iterator[str]:
    """A running copy keeps its request; no other refresh claims to run."""
    for supply in case.wish.supplies:
        last = max(supply.cycles, key=lambda one: one.requested, default=None)
        runs = last is not None and last.state in (
            "pending",
            "copying",
            "suspended",
            "pending-activation",
            "activating",
        )
        for one in case.refreshes(supply.name):
            if one.running and not (runs and last is not None and abs(one.request - last.requested) < _MINUTE):
                yield f"{supply.name}: no such copy is running"


_MINUTE = timedelta(minutes=1)


def interval(case: Case) -> Iterator[str]:
    """The interval of the licence between refreshes, and no request before the last activation."""
    policy = case.wish.policy
    for supply in case.wish.supplies:
        planned = case.refreshes(supply.name)
        free = [one for one in planned if not one.running]
        if not free:
            continue
        length = interval_of(supply.type, supply.cycles)
        if length is None:
            yield f"{supply.name}: its interval is not known"
            continue
        dates = build_availability(supply.name, supply.type, supply.cycles, case.wish.now, policy.clock)
        if not planned[0].running and supply.cycles:
            first = dates.certain_from if policy.plan_with == "certain" else dates.possible_from
            if first is not None and free[0].request < first:
                yield f"{supply.name}: requested before {first}"
        for before, after in pairwise(planned):
            base = _base(case, before, dates)
            if after.request < base + length or after.request < before.activate:
                yield f"{supply.name}: requested too soon after the one before"


def _base(case: Case, one: Refresh, dates: Availability) -> datetime:
    rule = case.wish.policy.clock
    if rule == "learn":
        rule = "request" if case.wish.policy.plan_with == "possible" else "activation"
        rule = dates.rule if dates.settled else rule
    return {"request": one.request, "end": one.copied, "activation": max(one.copied, one.activate)}[rule]


def copies(case: Case) -> Iterator[str]:
    """The copies of one production never overlap."""
    for one, other in combinations(case.schedule.refreshes, 2):
        both = Window(one.request, one.copied), Window(other.request, other.copied)
        if both[0].overlaps(both[1]) and not (one.running and other.running):
            yield f"the copies of {one.sandbox} and {other.sandbox} overlap"


def go_live_copy(case: Case) -> Iterator[str]:
    """No copy runs across a go-live."""
    for one in case.schedule.refreshes:
        for release in case.wish.releases:
            if not one.running and one.request < release.go_live < one.copied:
                yield f"the copy of {one.sandbox} runs across the go-live of {release.name}"


def burned(case: Case) -> Iterator[str]:
    """After what burns, nothing happens in a sandbox until the next refresh is ready."""
    for supply in case.wish.supplies:
        ends = [(run.start, run.label) for run in case.runs if run.booking.sandbox == supply.name and case.burns(run)]
        ends += [(one.start, one.label) for one in case.others(supply.name) if one.burns]
        force = case.force(supply.name)
        since = (force.activated or force.copied or force.requested) if force else None
        for run in case.free_runs:
            if run.booking.sandbox == supply.name and case.burns(run):
                yield from _spoiled(case, run)
        for start, label in ends:
            if since is not None and start < since:
                continue
            again = min((one.ready for one in case.refreshes(supply.name) if one.activate >= start), default=None)
            for run in case.free_runs:
                if run.booking.sandbox == supply.name and run.start > start and (again is None or run.start < again):
                    yield f"{run.label} runs in what {label} has burned"
            for one in case.schedule.advances:
                if one.sandbox == supply.name and one.start > start and (again is None or one.start < again):
                    yield f"an advance of {one.release} in what {label} has burned"


def _spoiled(case: Case, run: Run) -> Iterator[str]:
    """What is booked already must not lose its sandbox to something that burns it."""
    name = run.booking.sandbox
    again = min((one.activate for one in case.refreshes(name) if one.activate >= run.end), default=None)
    for start in case.starts(name):
        if start > run.start and (again is None or start < again):
            yield f"{run.label} burns {name} for what starts at {clock.iso(start)}"


def ready(case: Case) -> Iterator[str]:
    """Nothing starts before the refresh in force has settled."""
    for run in case.free_runs:
        force = case.force(run.booking.sandbox)
        if force is not None:
            at = force.activated or force.copied or force.requested
            if run.start < at + case.wish.policy.settle:
                yield f"{run.label} starts before {run.booking.sandbox} is ready"


def fresh(case: Case) -> Iterator[str]:
    """A fresh start: nothing has started in the sandbox since the last refresh became ready."""
    for run in case.free_runs:
        if run.rehearsal.needs.start != "fresh":
            continue
        since = _ready_since(case, run)
        if since is None:
            yield f"{run.label} is not on a refreshed sandbox"
        elif any(since <= start < run.start for start in case.starts(run.booking.sandbox)):
            yield f"{run.label} is not the first"


def _ready_since(case: Case, run: Run) -> datetime | None:
    found = [one.ready for one in case.refreshes(run.booking.sandbox) if one.ready <= run.start]
    force = case.force(run.booking.sandbox)
    if found:
        return max(found)
    if force is None:
        return None
    return (force.activated or force.copied or force.requested) + case.wish.policy.settle


def _in_force(case: Case, run: Run) -> tuple[datetime | None, datetime | None]:
    """Request and activation of the refresh in force at a start."""
    found = [one for one in case.refreshes(run.booking.sandbox) if one.activate <= run.start]
    if found:
        return found[-1].request, found[-1].activate
    force = case.force(run.booking.sandbox)
    if force is None:
        return None, None
    return force.requested, force.activated or force.copied or force.requested


def data_age(case: Case) -> Iterator[str]:
    """The data is young enough at the start."""
    for run in case.free_runs:
        age = run.rehearsal.needs.data_age
        if age is None:
            continue
        requested, _ = _in_force(case, run)
        oldest = subtract_span(run.start, age, run.rehearsal.zone, case.wish.policy.hours.days)
        if requested is None or requested < oldest:
            yield f"{run.label} has data of {clock.iso(requested) if requested else 'unknown age'}"


def resembles_production(case: Case) -> Iterator[str]:
    """After an earlier go-live, the sandbox was refreshed since, or that release was advanced in it."""
    for run in case.free_runs:
        requested, activated = _in_force(case, run)
        for release in case.wish.releases:
            if release.go_live >= run.release.go_live or release.go_live > run.start:
                continue
            if requested is not None and requested >= release.go_live:
                continue
            done = (release.name, run.booking.sandbox) in case.wish.advanced and not any(
                one.activate <= run.start for one in case.refreshes(run.booking.sandbox)
            )
            ends = [(one.start, one.end) for one in _advances(case, release.name, run.booking.sandbox)]
            if not done and not any(start >= (activated or start) and end <= run.start for start, end in ends):
                yield f"{run.label} runs on a sandbox without {release.name}"


def _advances(case: Case, release: str, sandbox: str) -> list[Window]:
    found = [
        Window(one.start, one.end) for one in case.schedule.advances if (one.release, one.sandbox) == (release, sandbox)
    ]
    for one in case.others(sandbox):
        if one.what == "advance" and one.release == release:
            found.append(Window(one.start, one.end))
    return found


def advance(case: Case) -> Iterator[str]:
    """Advances: in hours, in no blackout, after the go-live, once, in go-live order, in a ready sandbox."""
    policy = case.wish.policy
    last = add_span(case.wish.now, policy.horizon, policy.zone, policy.hours.days)
    releases = {one.name: one for one in case.wish.releases}
    booked = {(one.sandbox, one.start) for supply in case.wish.supplies for one in supply.bookings}
    for one in case.schedule.advances:
        window, release = Window(one.start, one.end), releases[one.release]
        if (one.sandbox, one.start) in booked:
            continue
        if one.end - one.start != release.advance.amount or not case.is_on_grid(one.start):
            yield f"an advance of {one.release} of a wrong length or off the grid"
        if one.start < max(release.go_live, case.wish.now) or one.end > last:
            yield f"an advance of {one.release} at a wrong time"
        if not is_inside(window, policy.hours, policy.zone):
            yield f"an advance of {one.release} outside the hours"
        covers = [found for found in case.wish.closed if not found.sandboxes or one.sandbox in found.sandboxes]
        if any(found.window.overlaps(window) for found in covers):
            yield f"an advance of {one.release} in a blackout"
    for one, other in combinations(sorted(case.schedule.advances, key=lambda found: found.start), 2):
        if one.sandbox == other.sandbox and releases[one.release].go_live > releases[other.release].go_live:
            yield f"{one.release} is advanced before {other.release}"
        if (one.sandbox, one.release) == (other.sandbox, other.release):
            yield f"{one.release} is advanced twice"


REFRESH_RULES: tuple[tuple[str, Callable[[Case], Iterator[str]]], ...] = (
    ("refresh", refresh_dates),
    ("running", running_copies_are_kept),
    ("interval", interval),
    ("copies", copies),
    ("go_live_copy", go_live_copy),
    ("burns", burned),
    ("ready", ready),
    ("fresh", fresh),
    ("data_age", data_age),
    ("advance", resembles_production),
    ("advances", advance),
)
