"""Time: the only file that imports pendulum. Instants are aware datetimes in UTC; wall time is converted here.

Nothing here guesses: a wall time that a clock change skips or repeats is an error that names both readings,
and an unknown zone name is an error that names near ones.
"""

from __future__ import annotations

import difflib
import re
import time as stopwatch
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from rehearse.errors import UsageError

_BRACKET = re.compile(r"^(?P<wall>.+?)\s*\[(?P<zone>[^\]]+)\]$")


def now() -> datetime:
    """The machine's clock, as an instant in UTC."""
    return datetime.now(UTC)


def iso(instant: datetime) -> str:
    """`2026-11-23T07:30:00Z`: the one form in which instants are stored and written to JSON."""
    if instant.tzinfo is not UTC:  # tens of thousands of a listing's dates are in UTC already
        instant = instant.astimezone(UTC)
    text = instant.isoformat(timespec="milliseconds" if instant.microsecond >= 1000 else "seconds")
    return text.replace("+00:00", "Z")


def from_iso(text: str) -> datetime:
    """The instant that an ISO text with an offset means; Salesforce's `+0000` is accepted.

    Raises UsageError without an offset or for text that is no date and time.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is not an ISO date and time.", "Write for example 2026-11-23T07:30:00Z.") from error
    if instant.tzinfo is None:
        raise UsageError(f"{text!r} has no offset.", "Add Z or an offset such as +01:00.")
    return instant.astimezone(UTC)


def from_http(text: str) -> datetime | None:
    """The instant of a Date header (RFC 9110); None for text that is none."""
    from email.utils import parsedate_to_datetime

    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo is not None else None


def _passed() -> float:
    """Seconds since some moment, those counted in which this machine slept, whatever its clock is set to."""
    return stopwatch.clock_gettime(getattr(stopwatch, "CLOCK_BOOTTIME", stopwatch.CLOCK_MONOTONIC))


class OrgClock:
    """The clock of those whom we call, as their last answer told it; before any did, the machine's.

    What may still take effect over there is counted by it: a machine's clock may be set meanwhile, and whoever goes on
    with the work may sit at another machine.
    """

    def __init__(self, passed: Callable[[], float] = _passed) -> None:
        self._passed = passed
        self._told: tuple[datetime, float] | None = None

    def hear(self, theirs: datetime | None) -> None:
        """What an answer said; None says nothing."""
        if theirs is not None:
            self._told = (theirs, self._passed())

    def now(self) -> datetime:
        """The instant over there."""
        if self._told is None:
            return now()
        theirs, at = self._told
        return theirs + timedelta(seconds=self._passed() - at)


_SKEW = timedelta(minutes=5)
"""What a clock may be off: answers take their time, and dates of sandboxes are counted in hours."""


def describe_skew(mine: datetime, theirs: datetime) -> str:
    """`2 h ahead of` or `30 min behind`; empty where two clocks agree to five minutes."""
    off = abs(mine - theirs)
    if off < _SKEW:
        return ""
    minutes = round(off / timedelta(minutes=1))
    size = f"{minutes} min" if minutes < 120 else f"{round(minutes / 60)} h" if minutes < 2880 else f"{off.days} d"
    return f"{size} {'ahead of' if mine > theirs else 'behind'}"


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name; raises UsageError that names the nearest known ones."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        near = difflib.get_close_matches(name, sorted(available_timezones()), n=2, cutoff=0.5)
        hint = f"Did you mean {' or '.join(near)}?" if near else "Use an IANA name such as Europe/Dublin."
        raise UsageError(f"{name!r} is not a known time zone.", hint) from error


def wall(day: date, at: time, where: ZoneInfo) -> datetime:
    """The instant of a wall time; raises UsageError when it does not exist or exists twice."""
    naive = datetime.combine(day, at)
    once, again = (naive.replace(tzinfo=where, fold=fold) for fold in (0, 1))
    if once.utcoffset() == again.utcoffset():
        return once.astimezone(UTC)  # no clock change is near: nothing to guess, and nothing heavy to import
    import pendulum

    try:
        exact = pendulum.datetime(
            day.year, day.month, day.day, at.hour, at.minute, at.second, tz=where.key, raise_on_unknown_times=True
        )
        return datetime.fromtimestamp(exact.timestamp(), UTC)
    except Exception as error:
        if type(error).__name__ not in ("NonExistingTime", "AmbiguousTime"):
            raise
        early, late = (naive.replace(tzinfo=where, fold=fold).astimezone(UTC) for fold in (0, 1))
        why = "does not exist" if type(error).__name__ == "NonExistingTime" else "exists twice"
        readings = " or ".join(moment.astimezone(where).isoformat() for moment in sorted((early, late)))
        raise UsageError(
            f"{naive:%Y-%m-%d %H:%M} {why} in {where.key}: it could mean {readings}.",
            "Write the offset that you mean.",
        ) from error


def wall_forward(day: date, at: time, where: ZoneInfo) -> datetime:
    """The instant of a wall time, taking the first instant after a gap and the first of a repeated hour."""
    local = datetime.combine(day, at, tzinfo=where)
    there_and_back = local.astimezone(UTC).astimezone(where)
    if there_and_back.replace(tzinfo=None) == local.replace(tzinfo=None):
        return local.astimezone(UTC)
    before = (local - timedelta(days=1)).astimezone(UTC)
    after = (local + timedelta(days=1)).astimezone(UTC)
    while after - before > timedelta(minutes=1):
        middle = before + (after - before) / 2
        if middle.astimezone(where).replace(tzinfo=None) < local.replace(tzinfo=None):
            before = middle
        else:
            after = middle
    return after.replace(second=0, microsecond=0)


def parse_instant(text: str, where: ZoneInfo) -> datetime:
    """An instant from `2026-12-18 18:00`, `2026-12-18T18:00+01:00` or `2026-12-18 18:00 [America/New_York]`.

    Without an offset or a bracketed zone the text is wall time in `where`. Raises UsageError.
    """
    bracket = _BRACKET.match(text.strip())
    if bracket:
        text, where = bracket["wall"], zone(bracket["zone"].strip())
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(
            f"{text!r} is not a date and time.", "Write for example 2026-12-18 18:00 or 2026-12-18T18:00+01:00."
        ) from error
    _check_year(moment.date(), text)
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    return wall(moment.date(), moment.time(), where)


def _check_year(day: date, text: str) -> None:
    """Refuse a slip in the year, and dates so far that nothing could be counted from them."""
    if not 1970 <= day.year <= 2199:
        raise UsageError(f"{text!r} lies outside the years 1970 to 2199.", "Look at the year.")


def show(instant: datetime, where: ZoneInfo) -> str:
    """`Mon 2026-11-23 08:30` in a zone: the one form in which people read instants."""
    return f"{instant.astimezone(where):%a} {show_minute(instant, where)}"


def show_minute(instant: datetime, where: ZoneInfo) -> str:
    """`2026-11-23 08:30` in a zone; with the offset in the hour that clocks show twice: `2026-10-25 01:30+01:00`."""
    local = instant.astimezone(where)
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return local.isoformat(" ", "minutes") if twice else f"{local:%Y-%m-%d %H:%M}"


_STORED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


def show_within(text: str, where: ZoneInfo) -> str:
    """A sentence with the instants of `iso` in it, for people: each as `show` writes it."""
    return _STORED.sub(lambda found: show(from_iso(found[0]), where), text)


@dataclass(frozen=True)
class Span:
    """A duration as people write it: an amount in instants, or a number of working days of a calendar (`5bd`)."""

    amount: timedelta = timedelta()
    working_days: int = 0

    def __str__(self) -> str:
        if self.working_days:
            return f"{self.working_days}bd"
        minutes = int(self.amount.total_seconds() // 60)
        for size, unit in ((10080, "w"), (1440, "d"), (60, "h")):
            if minutes and minutes % size == 0:
                return f"{minutes // size}{unit}"
        return f"{minutes}m"


_SPAN = re.compile(r"(\d{1,6})(m|h|d|w|bd)\Z")
_LONGEST = timedelta(days=36525)
"""A hundred years: what is longer is a slip, and no date is so far that it could be counted back from."""


def parse_span(text: str) -> Span:
    """`90m`, `6h`, `3d` (24 hours each), `2w` (168 hours each) or `5bd` (working days). Raises UsageError.

    Longer than a hundred years is refused.
    """
    match = _SPAN.match(text.strip())
    if not match:
        raise UsageError(f"{text!r} is not a duration.", "Write for example 90m, 6h, 3d, 2w or 5bd.")
    count, unit = int(match[1]), match[2]
    amount = timedelta(minutes=count * {"m": 1, "h": 60, "d": 1440, "bd": 1440, "w": 10080}[unit])
    if amount > _LONGEST:
        raise UsageError(f"{text.strip()} is longer than a hundred years.", "Write for example 90m, 6h, 3d, 2w or 5bd.")
    return Span(working_days=count) if unit == "bd" else Span(amount)


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Hours:
    """Weekly hours in wall time: weekdays (0 = Monday), start and end; an end not after the start is the next day's."""

    days: tuple[int, ...]
    start: time
    end: time


def parse_time(text: str) -> time:
    """A wall time such as `09:00`; raises UsageError."""
    try:
        return time.fromisoformat(text) if re.match(r"\d\d:\d\d(:\d\d)?\Z", text) else _no_time(text)
    except ValueError:
        return _no_time(text)


def _no_time(text: str) -> time:
    raise UsageError(f"{text!r} is not a time of day.", 'Write for example "09:00", in quotes.')


def until_now(at: datetime, now: datetime, where: ZoneInfo) -> datetime:
    """The end of a bare date of something that happened: of today, which is not over yet, now; else as it is."""
    local = at.astimezone(where)
    began = wall_forward(local.date() - timedelta(days=1), time(0), where)
    return now if local.time() == time(0) and began <= now < at else at


def parse_edge(text: str, where: ZoneInfo, *, last: bool) -> datetime:
    """Like `parse_instant`, but a bare date is its first minute, or with `last` the end of that day (included)."""
    if re.match(r"\d{4}-\d\d-\d\d\Z", text.strip()):
        try:
            day = date.fromisoformat(text.strip())
        except ValueError as error:
            raise UsageError(f"{text!r} is not a date.", "Write for example 2026-12-18.") from error
        _check_year(day, text)
        return wall_forward(day + timedelta(days=1) if last else day, time(0), where)
    return parse_instant(text, where)
