"""The judge: one small function a constraint, which reads a finished schedule and names what it breaks.

It shares nothing with the solver but the wall clock, so that a mistake there is seen here. What was booked and stays is
not held against the rules of its own; everything else is held against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

from rehearse.clock import Hours
from rehearse.schedule.model import Booking, Schedule, Window, Wish
from rehearse.schedule.rules_case import Case, is_inside
from rehearse.schedule.rules_refresh import REFRESH_RULES
from rehearse.schedule.wall import add_span, subtract_span


@dataclass(frozen=True)
class Broken:
    """A rule that a schedule breaks, and how."""

    rule: str
    text: str


def check(schedule: Schedule, wish: Wish) -> list[Broken]:
    """Every rule that the schedule breaks; an empty list for a right one."""
    case = Case(wish, schedule)
    return [Broken(name, text) for name, rule in (*RULES, *REFRESH_RULES) for text in rule(case)]


def everything_is_answered(case: Case) -> Iterator[str]:
    """Each rehearsal is placed or unplaced, once."""
    placed = [(one.release or "", one.rehearsal or "") for one in case.schedule.bookings]
    missing = [(one.release, one.rehearsal) for one in case.schedule.unplaced]
    wanted = [(release.name, one.name) for release in case.wish.releases for one in release.rehearsals]
    if sorted(placed + missing) != sorted(wanted):
        yield f"wanted {sorted(wanted)}, got {sorted(placed)} and {sorted(missing)} unplaced"


def starts_on_grid(case: Case) -> Iterator[str]:
    """A start is on the grid or pinned, and not in the past."""
    for run in case.free_runs:
        pinned = run.rehearsal.pin.at
        if run.start < case.wish.now:
            yield f"{run.label} starts in the past"
        if pinned is None and not case.is_on_grid(run.start):
            yield f"{run.label} starts off the grid"
        if pinned is not None and run.start != pinned:
            yield f"{run.label} does not start at its pin"
        if run.end - run.start != run.rehearsal.duration.amount:
            yield f"{run.label} has another length than wanted"


def hours(case: Case) -> Iterator[str]:
    """A run stays inside its hours of one day, or starts like the go-live."""
    policy = case.wish.policy
    for run in case.free_runs:
        kind = run.rehearsal.hours
        if kind == "go_live":
            here, there = (one.astimezone(policy.zone) for one in (run.start, run.release.go_live))
            if (here.weekday(), here.time()) != (there.weekday(), there.time()):
                yield f"{run.label} does not start like the go-live"
        elif kind != "any":
            bound = policy.hours if isinstance(kind, str) else kind
            if not is_inside(Window(run.start, run.end), bound, run.rehearsal.zone):
                yield f"{run.label} is outside its hours"


def blackout(case: Case) -> Iterator[str]:
    """No blackout of its sandbox touches a run."""
    for run in case.free_runs:
        for one in case.wish.closed:
            covers = not one.sandboxes or run.booking.sandbox in one.sandboxes
            if covers and one.window.overlaps(Window(run.start, run.end)):
                yield f"{run.label} touches {one.name}"


def bounds(case: Case) -> Iterator[str]:
    """Ready, not_before, not_after, before_go_live and the horizon."""
    policy = case.wish.policy
    last = add_span(case.wish.now, policy.horizon, policy.zone, policy.hours.days)
    for run in case.free_runs:
        one = run.rehearsal
        limit = subtract_span(run.release.go_live, one.before_go_live, one.zone, policy.hours.days)
        if run.release.ready and run.start < run.release.ready:
            yield f"{run.label} starts before the package exists"
        if one.not_before and run.start < one.not_before:
            yield f"{run.label} starts too early"
        if run.end > min(limit, last, one.not_after or last):
            yield f"{run.label} ends too late"


def place(case: Case) -> Iterator[str]:
    """The sandbox has the type and the tags, and is the pinned one."""
    for run in case.free_runs:
        supply, needs, pin = case.supply(run.booking.sandbox), run.rehearsal.needs, run.rehearsal.pin.sandbox
        if needs.types and supply.type not in needs.types:
            yield f"{run.label} needs another type"
        if not set(needs.tags) <= set(supply.tags):
            yield f"{run.label} needs other tags"
        if pin is not None and pin.lower() != supply.name.lower():
            yield f"{run.label} is pinned to {pin}"


def people(case: Case) -> Iterator[str]:
    """People are there, within their hours, and in one rehearsal at a time."""
    known = {one.name: one for one in case.wish.people}
    for run in case.free_runs:
        for name in run.rehearsal.people:
            person, window = known[name], Window(run.start, run.end)
            if any(away.overlaps(window) for away in person.away):
                yield f"{run.label}: {name} is away"
            bound: Hours | None = None if run.rehearsal.hours in ("any", "go_live") else person.hours
            if bound is not None and not is_inside(window, bound, person.zone):
                yield f"{run.label}: {name} does not work then"
    for one, other in combinations(case.runs, 2):
        shared = set(one.rehearsal.people) & set(other.rehearsal.people)
        if shared and not (one.fixed and other.fixed) and one.start < other.end and other.start < one.end:
            yield f"{one.label} and {other.label} share {', '.join(sorted(shared))}"


def after(case: Case) -> Iterator[str]:
    """It starts at least `gap` after the one it follows, which is placed."""
    runs = {run.key: run for run in case.runs}
    for run in case.free_runs:
        if run.rehearsal.after is None:
            continue
        first = runs.get((run.release.name, run.rehearsal.after))
        days = case.wish.policy.hours.days
        if first is None:
            yield f"{run.label} follows what is not placed"
        elif run.start < add_span(first.end, run.rehearsal.gap, run.rehearsal.zone, days):
            yield f"{run.label} starts too soon after {first.label}"


def one_at_a_time(case: Case) -> Iterator[str]:
    """Nothing overlaps in a sandbox, from the start to the end of the reset, nor while it is away for a refresh."""
    for supply in case.wish.supplies:
        for (one, own), (other, others) in combinations(case.occupied(supply.name), 2):
            if not (own and others) and one.window.overlaps(other.window):
                yield f"{supply.name}: {one.name} and {other.name} overlap"


def reset(case: Case) -> Iterator[str]:
    """A sandbox is free again after hold and reset; before a refresh, and after a burn, the reset is left out."""
    for run in case.free_runs:
        if run.booking.free_at != case.free_at(run):
            yield f"{run.label} is free at {run.booking.free_at}, not at {case.free_at(run)}"
        if run.booking.burns != case.burns(run):
            yield f"{run.label} has a wrong mark of burning"


def prepare(case: Case) -> Iterator[str]:
    """`prepare` and `ready_by` name the newest thing that happened in the sandbox."""
    for run in case.free_runs:
        expected = case.preparation(run)
        if (run.booking.prepare, run.booking.ready_by) != expected:
            yield f"{run.label}: {run.booking.prepare} {run.booking.ready_by}, not {expected[0]} {expected[1]}"


def bookings_stay(case: Case) -> Iterator[str]:
    """Without replan, what is booked stays; what has begun stays anyway."""
    placed: dict[tuple[str, str], Booking] = {run.key: run.booking for run in case.runs}
    for supply in case.wish.supplies:
        for one in supply.bookings:
            key = one.release or "", one.rehearsal or ""
            if one.what != "rehearsal" or key not in case.keys or (case.wish.replan and one.start > case.wish.now):
                continue
            now = placed.get(key)
            if now is None or (now.sandbox, now.start, now.end) != (one.sandbox, one.start, one.end):
                yield f"the booking {one.id} moved"


RULES: tuple[tuple[str, Callable[[Case], Iterator[str]]], ...] = (
    ("answered", everything_is_answered),
    ("grid", starts_on_grid),
    ("hours", hours),
    ("blackout", blackout),
    ("bounds", bounds),
    ("place", place),
    ("people", people),
    ("after", after),
    ("overlap", one_at_a_time),
    ("reset", reset),
    ("prepare", prepare),
    ("booked", bookings_stay),
)
