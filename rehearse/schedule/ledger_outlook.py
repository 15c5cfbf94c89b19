"""What the ledger says about the time ahead and about our own forecasts. Pure.

The next dates assume that each refresh is requested on its date and activated when its copy is made (P90). Every number
says what it rests on: own history, configuration, or our assumption for the licence type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rehearse import clock
from rehearse.schedule.ledger import (
    ASSUMED_END,
    COPY_TIMES,
    DONE,
    GONE,
    Availability,
    Cycle,
    copy_times,
    interval_of,
    percentile,
)

MOST_DATES = 6


@dataclass(frozen=True)
class CopyTime:
    """How long a copy takes: P50 and P90, and from what."""

    p50: timedelta
    p90: timedelta
    basis: str


@dataclass(frozen=True)
class NextDate:
    """One date on which a refresh may be requested; `certain` is None while the copy before it is not made."""

    possible: datetime
    certain: datetime | None


@dataclass(frozen=True)
class Left:
    """Refreshes that may still be requested before an instant: as many as possible, and as are certain."""

    until: datetime
    possible: int
    certain: int


@dataclass(frozen=True)
class ForecastError:
    """What was expected of a copy and what it took. `told` is False where we compute it afterwards from what was known
    at the request."""

    cycle: str
    requested: datetime
    expected_p50: timedelta
    expected_p90: timedelta
    took: timedelta
    told: bool

    @property
    def error(self) -> timedelta:
        """How much later than P50 the copy was made; negative for earlier."""
        return self.took - self.expected_p50

    @property
    def within_p90(self) -> bool:
        """Whether the copy was made by its P90."""
        return self.took <= self.expected_p90


@dataclass(frozen=True)
class Phases:
    """How long each phase of one copy took; None for one that has not ended or is not known."""

    queue: timedelta | None
    copy: timedelta | None
    waiting: timedelta | None
    activating: timedelta | None


@dataclass(frozen=True)
class LicenceUse:
    """Licences of one type: how many were bought (None: not configured) and how many sandboxes use one now."""

    type: str
    bought: int | None
    used: int
    sandboxes: tuple[str, ...]


def build_copy_time(
    licence: str | None, cycles: Sequence[Cycle], configured: Mapping[str, timedelta] | None = None
) -> CopyTime | None:
    """P50 and P90 of a sandbox's own copies; without any, `refresh.copy_time`, else our assumption for its type."""
    times = copy_times(cycles, licence)
    p50, p90 = percentile(times, 50), percentile(times, 90)
    if p50 is not None and p90 is not None:
        return CopyTime(p50, p90, "1 own copy" if len(times) == 1 else f"{len(times)} own copies")
    if (given := (configured or {}).get(licence or "")) is not None:
        return CopyTime(given, given, "refresh.copy_time")
    assumed = COPY_TIMES.get(licence or "")
    return None if assumed is None else CopyTime(assumed, assumed, f"assumed, {_why_assumed(cycles)}")


def _why_assumed(cycles: Sequence[Cycle]) -> str:
    """What people wrote down is no measurement: many sheets know days only. What it says is told, with the setting."""
    told = [one for one in cycles if one.by_hand and ASSUMED_END not in one.note]
    written = [span for one in told if (span := build_phases(one).copy) is not None]
    p50, p90 = percentile(written, 50), percentile(written, 90)
    if p50 is None or p90 is None:
        return "no copy seen yet"
    hours = " to ".join(dict.fromkeys(f"{one / timedelta(hours=1):.0f} h" for one in (p50, p90)))
    return f"none measured yet; {hours} as written down, which `refresh.copy_time` would take"


def build_next_dates(
    found: Availability, cycles: Sequence[Cycle], took: CopyTime | None, now: datetime
) -> tuple[NextDate, ...]:
    """The next six dates of a sandbox; none where its interval is not known, or where it is deleted."""
    interval = interval_of(found.type, cycles)
    if interval is None or found.state in GONE:
        return ()
    first = max(found.possible_from or now, now)
    length = took.p90 if took else timedelta()
    extra = timedelta() if found.rule == "request" else length
    certain = None if found.certain_from is None and found.requested is not None else found.certain_from or now
    if certain is None and found.requested is not None and found.state != "stopped":
        certain = max(now, (found.copied or found.requested + length)) + interval
    certain = None if certain is None else max(certain, now)
    dates = []
    for number in range(MOST_DATES):
        later = None if certain is None else certain + number * (interval + extra)
        dates.append(NextDate(first + number * interval, later))
    return tuple(dates)


def count_left(
    found: Availability, cycles: Sequence[Cycle], took: CopyTime | None, now: datetime, until: datetime
) -> Left:
    """How many refreshes may still be requested before an instant."""
    interval = interval_of(found.type, cycles)
    dates = build_next_dates(found, cycles, took, now)
    if interval is None or not dates:
        return Left(until, 0, 0)
    step = interval + (timedelta() if found.rule == "request" or took is None else took.p90)
    certain = dates[0].certain
    return Left(
        until, _count(dates[0].possible, interval, until), 0 if certain is None else _count(certain, step, until)
    )


def _count(first: datetime, step: timedelta, until: datetime) -> int:
    return 0 if first >= until else (until - first - timedelta(microseconds=1)) // step + 1


def quarter_end(now: datetime, zone: ZoneInfo) -> datetime:
    """The first instant after the calendar quarter that `now` is in, in the team's zone."""
    local = now.astimezone(zone)
    month = 3 * ((local.month - 1) // 3) + 4
    day = date(local.year + month // 13, (month - 1) % 12 + 1, 1)
    return clock.wall_forward(day, time(0), zone)


def year_end(now: datetime, zone: ZoneInfo) -> datetime:
    """The first instant after the calendar year that `now` is in, in the team's zone."""
    return clock.wall_forward(date(now.astimezone(zone).year + 1, 1, 1), time(0), zone)


def build_errors(
    cycles: Sequence[Cycle], configured: Mapping[str, timedelta] | None = None
) -> tuple[ForecastError, ...]:
    """Every finished copy against what was expected of it, oldest first; only copies that production reported."""
    ordered = sorted((one for one in cycles if not one.by_hand), key=lambda one: one.requested)
    found = []
    for place, one in enumerate(ordered):
        if one.copied is None:
            continue
        told = one.expected_p50 is not None and one.expected_p90 is not None
        known = [before for before in ordered[:place] if before.copied and before.copied <= one.requested]
        guess = build_copy_time(one.licence, known, configured)
        if one.expected_p50 is not None and one.expected_p90 is not None:
            p50, p90 = one.expected_p50 - one.requested, one.expected_p90 - one.requested
        elif guess is not None:
            p50, p90 = guess.p50, guess.p90
        else:
            continue
        found.append(ForecastError(one.id, one.requested, p50, p90, one.copied - one.requested, told))
    return tuple(found)


def build_phases(one: Cycle, activation_asked: datetime | None = None) -> Phases:
    """The phases of a copy; `activation_asked` comes from its activation stage, where production has stages.

    A row of a sheet with one date ("last refresh") says when, and nothing of how long: it has none.
    """
    if one.by_hand and one.copied is not None and one.copied == one.activated:
        return Phases(None, None, None, None)

    def span(start: datetime | None, end: datetime | None) -> timedelta | None:
        return None if start is None or end is None or end < start else end - start

    return Phases(
        span(one.requested, one.started),
        span(one.started or one.requested, one.copied),
        span(one.copied, activation_asked or one.activated),
        span(activation_asked, one.activated),
    )


def build_licences(
    bought: Mapping[str, int], sandboxes: Mapping[str, str], unknown: str = "?"
) -> tuple[LicenceUse, ...]:
    """Licences by type, largest first; `sandboxes` are the types of those that exist now, by name.

    A smaller sandbox may use up a larger licence (facts 1.4), so "used" above "bought" is not always too many.
    """
    kinds = [one for one in COPY_TIMES if one in bought or one in sandboxes.values()]
    kinds += sorted({*bought, *sandboxes.values()} - set(kinds))
    found = []
    for kind in kinds:
        own = tuple(sorted(name for name, type in sandboxes.items() if type == kind))
        found.append(LicenceUse(kind or unknown, bought.get(kind), len(own), own))
    return tuple(found)


def find_clashes(cycles: Sequence[Cycle], zone: ZoneInfo) -> tuple[str, ...]:
    """What cannot all be true in a history: requests inside the interval, copies that overlap, dates out of order."""
    ordered = sorted(cycles, key=lambda one: one.requested)
    found = []
    for one in ordered:
        dates = [at for at in (one.requested, one.started, one.copied, one.activated) if at]
        if dates != sorted(dates):
            found.append(f"{one.sandbox}: the dates of the refresh of {_day(one, zone)} do not follow one another")
    for before, after in zip(ordered, ordered[1:], strict=False):
        interval = interval_of(before.licence, [before])
        if interval and before.state in DONE and after.requested - before.requested < interval - timedelta(days=1):
            days = (after.requested - before.requested) / timedelta(days=1)
            found.append(
                f"{after.sandbox}: refreshed on {_day(before, zone)} and again on {_day(after, zone)}, "
                f"{days:.0f} day(s) later, although {before.licence} takes {interval.days}"
            )
        ended = before.activated or before.copied
        if ended and after.requested < ended:
            what = f"the refresh of {_day(after, zone)} begins before that of {_day(before, zone)} has ended"
            found.append(f"{after.sandbox}: {what}")
    return tuple(found)


def _day(one: Cycle, zone: ZoneInfo) -> str:
    return f"{one.requested.astimezone(zone):%Y-%m-%d}"
