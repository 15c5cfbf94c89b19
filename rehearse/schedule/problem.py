"""A whole planning in minutes: the demands, the sites, the advances that could be needed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from rehearse.release.model import Release
from rehearse.schedule.axis import Axis, Ranges, intersect, minutes, starts_inside, starts_touching, subtract
from rehearse.schedule.demand import Demand, build_demand, horizon, is_gone
from rehearse.schedule.model import Window, Wish
from rehearse.schedule.rows import Key, Lifted, Row
from rehearse.schedule.site import (
    ACTIVATION_LIMIT,
    RUNNING,
    Site,
    build_activations,
    build_copy_time,
    build_request_ranges,
    build_site,
)
from rehearse.schedule.wall import build_grid, build_hours, local_day, midnight

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Chance:
    """An advance that could be placed: a release, a sandbox, its length and the minutes at which it may start."""

    release: Release
    sandbox: str
    length: int
    starts: tuple[int, ...]
    fixed: bool = False


@dataclass(frozen=True)
class Problem:
    """Everything that the solver needs, in minutes of one axis."""

    wish: Wish
    axis: Axis
    lifted: Lifted
    demands: tuple[Demand, ...]
    sites: tuple[Site, ...]
    chances: tuple[Chance, ...]
    requests: Mapping[str, Ranges]
    activations: Ranges
    earlier: Mapping[Key, tuple[Release, ...]]
    """For each rehearsal the releases that go live before its own and that its sandbox must therefore hold."""

    def site(self, name: str) -> Site:
        """The site of a sandbox."""
        return next(one for one in self.sites if one.name == name)


def build_axis(wish: Wish) -> Axis:
    """Minutes from the local midnight before now, with the grid from now to the last thing that may be planned."""
    origin = midnight(local_day(wish.now, wish.policy.zone), wish.policy.zone)
    last = horizon(wish)
    for supply in wish.supplies:
        newest = max(supply.cycles, key=lambda one: one.requested, default=None)
        if newest is not None and newest.state in RUNNING:
            copy = build_copy_time(supply) or timedelta(hours=48)
            copied = newest.copied or max(newest.requested + copy, wish.now)
            last = max(last, copied + ACTIVATION_LIMIT)
    axis = Axis(origin, ())
    grid = build_grid(wish.policy.grid, wish.policy.zone, Window(origin, last + _DAY))
    now = axis.up(wish.now)
    return Axis(origin, tuple(minute for one in grid if (minute := axis.down(one)) >= now))


def build_problem(
    wish: Wish, keys: frozenset[Key] | None = None, lifted: Lifted = frozenset(), axis: Axis | None = None
) -> Problem:
    """A planning of some rehearsals (all unless given), with every rule but the lifted ones."""
    axis = axis or build_axis(wish)
    wanted = [
        (release, one)
        for release in wish.releases
        for one in release.rehearsals
        if keys is None or (release.name, one.name) in keys
    ]
    demands = tuple(build_demand(wish, axis, release, one, lifted) for release, one in wanted)
    own = frozenset(one.key for one in demands)
    live = [one for one in wish.supplies if not is_gone(one)]
    sites = tuple(build_site(wish, axis, one, own, lifted) for one in live)
    requests = {
        one.name: build_request_ranges(wish, axis, one.cadence, lifted) for one in sites if one.cadence is not None
    }
    earlier = {one.key: _earlier(wish, one, lifted) for one in demands if not one.fixed}
    chances = tuple(_build_chances(wish, axis, (demands, sites, earlier), lifted))
    return Problem(wish, axis, lifted, demands, sites, chances, requests, build_activations(wish, axis), earlier)


def _earlier(wish: Wish, demand: Demand, lifted: Lifted) -> tuple[Release, ...]:
    found = [
        one for one in wish.releases if one.go_live < demand.release.go_live and Row("advance", one.name) not in lifted
    ]
    return tuple(sorted(found, key=lambda one: (one.go_live, one.name)))


def _build_chances(
    wish: Wish,
    axis: Axis,
    parts: tuple[tuple[Demand, ...], tuple[Site, ...], Mapping[Key, tuple[Release, ...]]],
    lifted: Lifted,
) -> list[Chance]:
    """One chance a release and sandbox where some rehearsal could need it, unless it is done or booked already."""
    demands, sites, earlier = parts
    found = []
    for site in sites:
        booked = {one.advance for one in site.blocks}
        for release in wish.releases:
            live = axis.up(release.go_live)
            needed = any(
                release in earlier.get(one.key, ()) and one.starts[site.name][-1] >= live
                for one in demands
                if site.name in one.starts
            )
            if release.name in booked:
                found += _booked_chances(release, site)
            elif needed and release.name not in site.advanced:
                length = minutes(release.advance.amount)
                starts = axis.points(_advance_starts(wish, axis, (release, site.name), lifted))
                if starts := tuple(one for one in starts if one >= site.ready):
                    found.append(Chance(release, site.name, length, starts))
    return found


def _booked_chances(release: Release, site: Site) -> list[Chance]:
    return [
        Chance(release, site.name, one.end - one.start, (one.start,), fixed=True)
        for one in site.blocks
        if one.advance == release.name
    ]


def _advance_starts(wish: Wish, axis: Axis, where: tuple[Release, str], lifted: Lifted) -> Ranges:
    """In the team's hours, in no blackout, at or after the go-live and now, within the horizon."""
    release, sandbox = where
    length = minutes(release.advance.amount)
    last = axis.grid[-1] if axis.grid else 0
    span = Window(axis.instant(0), axis.instant(last + 1))
    hours = [axis.inner(one) for one in build_hours(wish.policy.hours, wish.policy.zone, span)]
    closed = [
        axis.outer(one.window)
        for one in wish.closed
        if (not one.sandboxes or sandbox in one.sandboxes) and Row("blackout", name=one.name) not in lifted
    ]
    first = max(axis.up(wish.now), axis.up(release.go_live))
    bounds = ((first, axis.down(horizon(wish)) - length + 1),)
    return subtract(intersect(starts_inside(hours, length), bounds), starts_touching(closed, length))
