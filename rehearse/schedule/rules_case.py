"""What the judge looks at: a wish and a schedule side by side, with the questions that several rules ask. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from rehearse.clock import Hours
from rehearse.release.model import Rehearsal, Release
from rehearse.schedule.ledger import Cycle, find_in_force
from rehearse.schedule.model import Booking, Prepare, Refresh, Schedule, Supply, Window, Wish
from rehearse.schedule.wall import add_span, build_hours, local_day, midnight


@dataclass(frozen=True)
class Run:
    """A placed rehearsal; `fixed`: it was booked and stays."""

    rehearsal: Rehearsal
    release: Release
    booking: Booking
    fixed: bool

    @property
    def key(self) -> tuple[str, str]:
        """(release, rehearsal)"""
        return self.release.name, self.rehearsal.name

    @property
    def label(self) -> str:
        """How people call it."""
        return f"{self.release.name} {self.rehearsal.name}"

    @property
    def start(self) -> datetime:
        """Its start."""
        return self.booking.start

    @property
    def end(self) -> datetime:
        """The end of the work."""
        return self.booking.end


@dataclass(frozen=True)
class Taken:
    """A stretch of a sandbox that something has for itself."""

    name: str
    window: Window


class Case:
    """A wish and a schedule side by side."""

    def __init__(self, wish: Wish, schedule: Schedule) -> None:
        self.wish = wish
        self.schedule = schedule
        self.keys = {(release.name, one.name) for release in wish.releases for one in release.rehearsals}

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """Every placed rehearsal."""
        known = {
            (release.name, one.name): (one, release) for release in self.wish.releases for one in release.rehearsals
        }
        booked = {one.id: one for supply in self.wish.supplies for one in supply.bookings}
        found = []
        for booking in self.schedule.bookings:
            rehearsal, release = known[booking.release or "", booking.rehearsal or ""]
            old = booked.get(booking.id)
            stays = old is not None and (not self.wish.replan or old.start <= self.wish.now)
            found.append(Run(rehearsal, release, booking, stays))
        return tuple(found)

    @cached_property
    def free_runs(self) -> tuple[Run, ...]:
        """The rehearsals that this planning placed."""
        return tuple(one for one in self.runs if not one.fixed)

    def supply(self, name: str) -> Supply:
        """The sandbox of a name."""
        return next(one for one in self.wish.supplies if one.name == name)

    def force(self, name: str) -> Cycle | None:
        """The refresh that a sandbox holds now."""
        return find_in_force(self.supply(name).cycles)

    def refreshes(self, name: str) -> list[Refresh]:
        """The refreshes of a sandbox, earliest first."""
        return sorted((one for one in self.schedule.refreshes if one.sandbox == name), key=lambda one: one.activate)

    def is_on_grid(self, instant: datetime) -> bool:
        """Whether an instant is a whole number of grid steps after the local midnight."""
        policy = self.wish.policy
        return (instant - midnight(local_day(instant, policy.zone), policy.zone)) % policy.grid == timedelta()

    def off(self, refresh: Refresh) -> datetime:
        """From when a refresh makes its sandbox unusable."""
        return refresh.activate if self.wish.policy.usable_during_copy else refresh.request

    def burns(self, run: Run) -> bool:
        """Whether a run leaves its sandbox unusable."""
        if run.rehearsal.forecast != "auto":
            return run.rehearsal.forecast == "burns"
        old = [one for one in self.supply(run.booking.sandbox).bookings if one.id == run.booking.id]
        return run.key in self.wish.burns or any(one.burns for one in old)

    def held(self, run: Run) -> datetime:
        """The end of the time for people to look."""
        return add_span(run.end, run.rehearsal.hold, run.rehearsal.zone, self.wish.policy.hours.days)

    def free_at(self, run: Run) -> datetime:
        """When a sandbox is free again after a run, as the rules say."""
        if run.fixed and run.start <= self.wish.now:
            return run.booking.free_at
        held, name = self.held(run), run.booking.sandbox
        if self.burns(run):
            return held
        off = min((self.off(one) for one in self.refreshes(name) if self.off(one) >= held), default=None)
        starts = [start for start in self.starts(name) if start > run.start]
        if off is not None and not any(start < off for start in starts):
            return held
        return held + self.supply(name).reset_time

    def starts(self, name: str) -> list[datetime]:
        """When anything that is booked or advanced starts in a sandbox, past and coming."""
        found = [one.start for one in self.schedule.bookings if one.sandbox == name]
        found += [one.start for one in self.schedule.advances if one.sandbox == name]
        return found + [one.start for one in self.others(name)]

    def others(self, name: str) -> list[Booking]:
        """What is booked in a sandbox besides rehearsals of this wish and refreshes, past and coming."""
        moved = self.wish.replan
        return [
            one
            for one in self.supply(name).bookings
            if one.what != "refresh"
            and not (one.what == "rehearsal" and (one.release, one.rehearsal) in self.keys)
            and not (one.what == "advance" and moved and one.start > self.wish.now)
        ]

    def occupied(self, name: str) -> list[tuple[Taken, bool]]:
        """Every stretch of a sandbox that is taken from now on, and whether it was booked and stays."""
        found = []
        for run in self.runs:
            if run.booking.sandbox == name:
                found.append((Taken(run.label, Window(run.start, run.booking.free_at)), run.fixed))
        found += [(Taken(one.label, Window(one.start, one.free_at)), True) for one in self.others(name)]
        booked = {(one.what, one.start) for one in self.supply(name).bookings}
        for advance in self.schedule.advances:
            if advance.sandbox == name and ("advance", advance.start) not in booked:
                found.append((Taken(f"{advance.release} advance", Window(advance.start, advance.end)), False))
        for one in self.refreshes(name):
            stays = one.running or ("refresh", self.off(one)) in booked
            found.append((Taken("refresh", Window(self.off(one), one.ready)), stays))
        return found

    def preparation(self, run: Run) -> tuple[Prepare, datetime]:
        """What makes the sandbox ready for a run: the newest thing before it."""
        name, now = run.booking.sandbox, self.wish.now
        found: list[tuple[datetime, Prepare, datetime]] = []
        for one in self.refreshes(name):
            found.append((one.activate, "refresh", one.ready))
        for other in self.runs:
            if other.booking.sandbox == name and other is not run:
                found.append((other.start, "reset", other.booking.free_at))
        for booking in self.others(name):
            found.append((booking.start, "none" if booking.what == "advance" else "reset", booking.free_at))
        for advance in self.schedule.advances:
            if advance.sandbox == name:
                found.append((advance.start, "none", advance.end))
        force = self.force(name)
        if force is not None:
            at = force.activated or force.copied or force.requested
            found.append((at, "none", max(now, at + self.wish.policy.settle)))
        before = [one for one in found if one[0] < run.start or (one[1] == "refresh" and one[2] <= run.start)]
        if not before:
            return "none", now
        _, prepare, ready = max(before, key=lambda one: one[0])
        return prepare, ready


def is_inside(window: Window, hours: Hours, zone: ZoneInfo) -> bool:
    """Whether a window lies inside the working hours of one day."""
    return any(one.start <= window.start and window.end <= one.end for one in build_hours(hours, zone, window))
