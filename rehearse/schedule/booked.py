"""From a schedule to the bookings that keep it: rehearsals, advances, and when a refresh keeps a sandbox busy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from rehearse.schedule.ledger import leeway_of
from rehearse.schedule.model import Advance, Booking, Refresh, Schedule, Wish


def build_bookings(schedule: Schedule, by: str, known: Iterable[Booking] = ()) -> tuple[Booking, ...]:
    """The bookings of a schedule, oldest first. The booking of a copy that runs already, among the `known`, moves to
    where the schedule has its activation; where there is none, it is booked as soon as a rehearsal waits for it."""
    kept = tuple(known)
    found = [replace(one, by=one.by or by) for one in schedule.bookings]
    found += [_advance(one, by) for one in schedule.advances]
    found += [_refresh(one, by) for one in schedule.refreshes if not one.running]
    found += [made for one in schedule.refreshes if one.running for made in _running(schedule, one, kept, by)]
    return tuple(sorted(found, key=lambda one: (one.start, one.sandbox)))


def _running(schedule: Schedule, one: Refresh, known: Sequence[Booking], by: str) -> list[Booking]:
    """The booking of a copy under way, where its activation is planned; less than a minute is no move."""
    own = find_own_refreshes([found for found in known if found.sandbox == one.sandbox], one.request, None)
    if not own:
        waits = any(found.sandbox == one.sandbox and found.ready_by == one.ready for found in schedule.bookings)
        return [_refresh(one, by)] if waits else []
    old = min(own, key=lambda found: abs((found.request or found.start) - one.request))
    if abs(old.end - one.ready) < timedelta(minutes=1):
        return [old]
    begun = old.start == old.request  # copies make the sandbox unusable: it is taken from the request on
    return [replace(old, start=old.start if begun else one.activate, end=one.ready, free_at=one.ready)]


def _advance(one: Advance, by: str) -> Booking:
    name = f"{one.release.lower()}-advance-{one.sandbox.lower()}"
    return Booking(name, one.sandbox, one.start, one.end, one.end, "advance", one.release, by=by)


def _refresh(one: Refresh, by: str) -> Booking:
    """From when the sandbox cannot be used any more (its activation, as a rule) to its readiness."""
    name = f"refresh-{one.sandbox.lower()}-{one.request:%Y-%m-%d}"
    times = one.off or one.activate, one.ready, one.ready
    return Booking(name, one.sandbox, *times, "refresh", by=by, why="data refresh", request=one.request)


def place_of(one: Booking) -> tuple[str, datetime, datetime]:
    """Where a booking is: its sandbox in one letter case, and its whole seconds, as they are kept."""
    return one.sandbox.casefold(), one.start.replace(microsecond=0), one.end.replace(microsecond=0)


def find_superseded(schedule: Schedule, known: Sequence[Booking], now: datetime) -> tuple[Booking, ...]:
    """Bookings that a planning with replan no longer wants: to be cancelled together with keeping the new ones.

    Only what has not begun: rehearsals that became unplaced, and advances and refreshes that are not in the schedule.
    """
    kept = {one.id for one in build_bookings(schedule, "", known)}
    missing = {(one.release, one.rehearsal) for one in schedule.unplaced}
    return tuple(
        one
        for one in known
        if one.start > now
        and one.id not in kept
        and (
            one.what in ("advance", "refresh") or (one.what == "rehearsal" and (one.release, one.rehearsal) in missing)
        )
    )


def find_left_without(schedule: Schedule, gone: Sequence[Booking], wish: Wish) -> tuple[tuple[Booking, Booking], ...]:
    """What a planning with replan gives up although something relies on it that is booked and that it was not asked
    about (its file was not given): each with the first that does."""
    own = {(release.name, one.name) for release in wish.releases for one in release.rehearsals}
    others = [one for supply in wish.supplies for one in supply.bookings]
    others = [
        one
        for one in others
        if one.what == "rehearsal" and one.start > wish.now and (one.release, one.rehearsal) not in own
    ]
    found = []
    for one in gone:
        needs = [other for other in others if _relies(other, one, wish) and not _replaced(schedule, one, other)]
        if needs:
            found.append((one, min(needs, key=lambda other: other.start)))
    return tuple(found)


def _relies(other: Booking, one: Booking, wish: Wish) -> bool:
    if other.sandbox != one.sandbox or other.start < one.end:
        return False
    if one.what == "refresh":
        return other.prepare == "refresh"
    lives = {release.name: release.go_live for release in wish.releases}
    before, after = lives.get(one.release or ""), lives.get(other.release or "")
    return one.what == "advance" and (before is None or after is None or before < after)


def _replaced(schedule: Schedule, one: Booking, other: Booking) -> bool:
    """Whether the new schedule does the same in time: a refresh serves for an advance as well."""
    if any(found.sandbox == one.sandbox and one.start <= found.ready <= other.start for found in schedule.refreshes):
        return True
    return any(
        (found.sandbox, found.release) == (one.sandbox, one.release) and found.end <= other.start
        for found in schedule.advances
    )


def find_own_refreshes(bookings: Sequence[Booking], requested: datetime, licence: str | None) -> list[Booking]:
    """Of the bookings of a sandbox those of the refresh that was requested then, and is not over."""
    return [
        one
        for one in bookings
        if one.what == "refresh"
        and one.end > requested
        and one.request is not None
        and abs(one.request - requested) < leeway_of(licence)
    ]


def find_elsewhere(bookings: Sequence[Booking], wish: Wish) -> tuple[Booking, ...]:
    """Coming rehearsals of the given files that are booked in a sandbox which rehearse.yaml does not name (any more):
    the planner knows nothing of them, and would book them anew."""
    names = {one.name.casefold() for one in wish.supplies}
    wanted = {(release.name, one.name) for release in wish.releases for one in release.rehearsals}
    return tuple(
        one
        for one in bookings
        if one.what == "rehearsal" and one.start > wish.now and (one.release, one.rehearsal) in wanted
        if one.sandbox.casefold() not in names
    )


def find_renamed(bookings: Sequence[Booking], wish: Wish) -> tuple[Booking, ...]:
    """Coming rehearsals that are booked for a given release, whose file has none of that name (any more)."""
    files = {release.name: {one.name for one in release.rehearsals} for release in wish.releases if release.file}
    return tuple(
        one
        for one in bookings
        if one.what == "rehearsal" and one.start > wish.now
        if one.release in files and one.rehearsal not in files[one.release]
    )
