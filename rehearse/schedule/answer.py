"""From the values of a solution to a Schedule: bookings with what prepares them, refreshes, advances. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rehearse.schedule.demand import Demand, in_force
from rehearse.schedule.ledger import DONE, GONE
from rehearse.schedule.model import Advance, Booking, Goal, Prepare, Refresh, Schedule, Supply, Unplaced
from rehearse.schedule.problem import Problem
from rehearse.schedule.site import RUNNING
from rehearse.schedule.solver_board import Board, Expr, Slot
from rehearse.schedule.wall import add_span

Value = Callable[[Expr], int]


def build_schedule(board: Board, value: Value, goals: tuple[Goal, ...]) -> Schedule:
    """The schedule of a solution; the reasons of what is unplaced are added later."""
    problem = board.problem
    refreshes = tuple(sorted(_refreshes(board, value), key=lambda one: (one.request, one.sandbox)))
    advances = tuple(sorted(_advances(board, value), key=lambda one: (one.start, one.sandbox)))
    placed, missing = [], []
    for demand in problem.demands:
        if value(board.placed[demand.key]):
            placed.append(_place(board, value, demand))
        else:
            rehearsal = demand.rehearsal
            missing.append(Unplaced(rehearsal.name, rehearsal.release, rehearsal.kind, ()))
    bookings = finish_bookings(problem, tuple(placed), refreshes, advances)
    return Schedule(bookings, refreshes, advances, tuple(missing), goals, build_warnings(problem))


def build_warnings(problem: Problem) -> tuple[str, ...]:
    """What the planner had to assume."""
    missed = tuple(
        f"{supply.name}: the refresh booked for {one.start:%Y-%m-%d} was not requested; cancel {one.id} and plan again."
        for supply in problem.wish.supplies
        for one in supply.bookings
        if one.what == "refresh" and one.request is not None and one.request < problem.wish.now < one.start
        if not any(found.running for site in problem.sites if site.name == supply.name for found in site.planned)
        and not any(found.requested >= one.request for found in supply.cycles)
    )
    halted = tuple(
        f"{supply.name}: its copy is {last.state}; no refresh of it is planned until that is over."
        for supply in problem.wish.supplies
        if (last := max(supply.cycles, key=lambda one: one.requested, default=None)) is not None
        if last.state not in (*DONE, *GONE, *RUNNING)
    )
    return (
        missed
        + halted
        + tuple(
            f"{one.key[0]} {one.key[1]}: nobody knows whether it can be undone (forecast auto, no package); "
            "it is planned as undoable."
            for one in problem.demands
            if one.rehearsal.forecast == "auto" and one.release.package is None and not one.burns
        )
    )


def _refreshes(board: Board, value: Value) -> list[Refresh]:
    axis, settle = board.problem.axis, board.problem.wish.policy.settle
    found = []
    for site in board.problem.sites:
        for slot in board.slots[site.name]:
            if value(slot.present):
                request, copied = _copy(board, value, slot, site.cadence.copy if site.cadence else 0)
                at = axis.instant(value(slot.activate) * board.unit)
                running = slot.planned is not None and slot.planned.running
                off = None if board.problem.wish.policy.usable_during_copy or running else request
                found.append(Refresh(site.name, request, copied, at, at + settle, running, off))
    return found


def _copy(board: Board, value: Value, slot: Slot, copy: int) -> tuple[datetime, datetime]:
    axis = board.problem.axis
    if slot.planned is not None:
        return axis.instant(slot.planned.request), axis.instant(slot.planned.copied)
    request = value(slot.request) * board.unit
    return axis.instant(request), axis.instant(request + copy)


def _advances(board: Board, value: Value) -> list[Advance]:
    axis, found = board.problem.axis, []
    for chance in board.problem.chances:
        present, start = board.advances[chance.sandbox, chance.release.name]
        if value(present):
            at = axis.instant(value(start) * board.unit)
            found.append(Advance(chance.sandbox, chance.release.name, at, at + timedelta(minutes=chance.length)))
    return found


def _place(board: Board, value: Value, demand: Demand) -> Booking:
    sandbox = next(name for name, literal in board.at[demand.key].items() if value(literal))
    return build_booking(board.problem, demand, sandbox, value(board.start[demand.key]) * board.unit)


def build_booking(problem: Problem, demand: Demand, sandbox: str, minute: int) -> Booking:
    """A rehearsal in its place; one that was booked and stays is that booking, one that moves keeps its id."""
    if demand.fixed and demand.booking is not None:
        return demand.booking
    rehearsal, start = demand.rehearsal, problem.axis.instant(minute)
    end = start + timedelta(minutes=demand.length)
    fresh = Booking(
        id=f"{rehearsal.release}-{rehearsal.name}".lower(),
        sandbox=sandbox,
        start=start,
        end=end,
        free_at=end,
        what="rehearsal",
        release=rehearsal.release,
        rehearsal=rehearsal.name,
        kind=rehearsal.kind,
    )
    old = demand.booking
    return fresh if old is None else replace(fresh, id=old.id, by=old.by, why=old.why)


@dataclass(frozen=True)
class _Event:
    """Something that has begun in a sandbox before something else: `free`: when it was over."""

    start: datetime
    free: datetime
    what: Prepare | None


def finish_bookings(
    problem: Problem, placed: tuple[Booking, ...], refreshes: tuple[Refresh, ...], advances: tuple[Advance, ...]
) -> tuple[Booking, ...]:
    """Add to rehearsals when the sandbox is free again, what prepares it and by when; what has begun stays as it is."""
    demands = {one.key: one for one in problem.demands}
    sized = tuple(_sized(problem, demands, one, (placed, refreshes, advances)) for one in placed)
    found = []
    for one in sized:
        if not has_begun(problem, demands, one):
            prepare, ready_by = _preparation(problem, one, (sized, refreshes, advances))
            one = replace(one, prepare=prepare, ready_by=ready_by)
        found.append(one)
    return tuple(sorted(found, key=lambda one: (one.start, one.sandbox, one.id)))


def has_begun(problem: Problem, demands: dict[tuple[str, str], Demand], one: Booking) -> bool:
    """Whether a booking that stays has started already."""
    return demands[one.release or "", one.rehearsal or ""].fixed and one.start <= problem.wish.now


_Parts = tuple[tuple[Booking, ...], tuple[Refresh, ...], tuple[Advance, ...]]


def _sized(problem: Problem, demands: dict[tuple[str, str], Demand], one: Booking, parts: _Parts) -> Booking:
    if has_begun(problem, demands, one):
        return one
    demand = demands[one.release or "", one.rehearsal or ""]
    policy, rehearsal = problem.wish.policy, demand.rehearsal
    held = add_span(one.end, rehearsal.hold, rehearsal.zone, policy.hours.days)
    free = held
    if not demand.burns and not _refresh_is_next(problem, one, parts):
        free = held + timedelta(minutes=problem.site(one.sandbox).reset)
    return replace(one, free_at=free, burns=demand.burns)


def _refresh_is_next(problem: Problem, one: Booking, parts: _Parts) -> bool:
    """Whether the next thing in the sandbox is that it goes away for a refresh."""
    placed, refreshes, advances = parts
    offs = [off_of(problem, found) for found in refreshes if found.sandbox == one.sandbox]
    off = min((at for at in offs if at >= one.end), default=None)
    others = [other.start for other in (*placed, *_others(problem, one.sandbox)) if other.sandbox == one.sandbox]
    others += [other.start for other in advances if other.sandbox == one.sandbox]
    return off is not None and not any(one.start < start < off for start in others)


def off_of(problem: Problem, refresh: Refresh) -> datetime:
    """From when a refresh makes its sandbox unusable: its activation, or its request where copies do so."""
    return refresh.activate if problem.wish.policy.usable_during_copy else refresh.request


def _others(problem: Problem, sandbox: str) -> list[Booking]:
    """What is booked in a sandbox besides the rehearsals of this planning and its refreshes."""
    keys = {one.key for one in problem.demands}
    supply = _supply(problem, sandbox)
    return [
        one
        for one in supply.bookings
        if one.what == "use" or (one.what == "rehearsal" and (one.release or "", one.rehearsal or "") not in keys)
    ]


def _supply(problem: Problem, sandbox: str) -> Supply:
    return next(one for one in problem.wish.supplies if one.name == sandbox)


def _preparation(problem: Problem, one: Booking, parts: _Parts) -> tuple[Prepare, datetime]:
    """What made the sandbox ready: the newest thing before the booking decides."""
    placed, refreshes, advances = parts
    events = [
        _Event(found.activate, found.ready, "refresh")
        for found in refreshes
        if found.sandbox == one.sandbox and found.ready <= one.start
    ]
    events += [_Event(found.start, found.free_at, "reset") for found in placed if found.sandbox == one.sandbox]
    events += [_Event(found.start, found.free_at, "reset") for found in _others(problem, one.sandbox)]
    events += [_Event(found.start, found.end, "none") for found in advances if found.sandbox == one.sandbox]
    events += _past(problem, one.sandbox)
    before = [
        event for event in events if event.start < one.start or (event.what == "refresh" and event.free <= one.start)
    ]
    newest = max(before, key=lambda event: event.start, default=None)
    now = problem.wish.now
    if newest is None or newest.what is None:
        return "none", max(now, newest.free) if newest else now
    return newest.what, newest.free


def _past(problem: Problem, sandbox: str) -> list[_Event]:
    """What happened in a sandbox before now: the refresh in force, advances, rehearsals that are over."""
    supply, force = _supply(problem, sandbox), in_force(_supply(problem, sandbox))
    found = []
    if force is not None:
        at = force.activated or force.copied or force.requested
        found.append(_Event(at, at + problem.wish.policy.settle, None))
    found += [_Event(one.start, one.end, "none") for one in supply.bookings if one.what == "advance"]
    return found
