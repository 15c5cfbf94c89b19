"""Recurring blackouts as instants. Recurrences are counted in wall time: 18:00 stays 18:00 all year.

A rule that recurs by the minute, or never, is refused: it is no calendar of a team. Imported calendars are read in
blackout_feed.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from rehearse import clock
from rehearse.errors import UsageError
from rehearse.schedule.model import Window


def expand_rrule(rule: str, first_day: str, at: str, zone: ZoneInfo, span: Window) -> tuple[datetime, ...]:
    """The starts, inside a span, of a recurrence (RFC 5545 RRULE) whose first day and clock time are given.

    Raises UsageError when the rule or the first day cannot be read.
    """
    try:
        first = datetime.combine(date.fromisoformat(first_day), clock.parse_time(at))
        recurrence = build_recurrence(in_wall_time(rule.strip().upper().removeprefix("RRULE:"), zone), first)
    except ValueError as error:
        raise UsageError(f"The recurrence {rule!r} from {first_day!r} cannot be read: {error}.", _HINT) from error
    return tuple(as_instant(naive, zone) for naive in find_between(recurrence, zone, span, timedelta()))


_HINT = "Write for example FREQ=MONTHLY;BYMONTHDAY=25 with from: 2026-11-25."


def build_recurrence(rule: str, first: datetime) -> Any:
    """A recurrence in wall time; raises ValueError for a rule that cannot be read, never comes or comes too often."""
    from dateutil.rrule import rrulestr

    parts = dict(part.partition("=")[::2] for part in rule.upper().split(";"))
    if parts.get("FREQ") in ("SECONDLY", "MINUTELY"):
        raise ValueError("it recurs by the minute")
    if parts.get("COUNT", "1").lstrip("+0") in ("", "-") or parts.get("COUNT", "1").startswith("-"):
        raise ValueError("it never comes")
    return rrulestr(rule, dtstart=first)


def in_wall_time(rule: str, zone: tzinfo, *, whole_days: bool = False) -> str:
    """An RRULE whose UNTIL is wall time, because the recurrence is counted in wall time.

    A bare date includes its day. For whole days a program may mean the date that stands there, or midnight at home.
    Raises ValueError for an UNTIL that is no date.
    """
    parts = []
    for part in rule.split(";"):
        key, _, value = part.partition("=")
        if key == "UNTIL":
            last = datetime.fromisoformat(value)
            wall = last.astimezone(zone).replace(tzinfo=None) if last.tzinfo else last
            if whole_days:
                wall = max(wall, last.replace(tzinfo=None))
            elif len(value) == len("20261231"):
                wall = last + timedelta(days=1, seconds=-1)
            part = f"UNTIL={wall:%Y%m%dT%H%M%S}"
        parts.append(part)
    return ";".join(parts)


def find_between(recurrence: Any, zone: tzinfo, span: Window, reach: timedelta) -> Iterator[datetime]:
    """The wall times of a recurrence that may touch a span, when each lasts `reach`."""
    day = timedelta(days=2)
    early = (span.start - reach - day).astimezone(zone).replace(tzinfo=None)
    late = (span.end + day).astimezone(zone).replace(tzinfo=None)
    yield from recurrence.between(early, late, inc=True)


def as_instant(naive: datetime, zone: tzinfo) -> datetime:
    """The instant of a wall time, also in a zone that a calendar file brings along."""
    if isinstance(zone, ZoneInfo):
        return clock.wall_forward(naive.date(), naive.time(), zone)
    return naive.replace(tzinfo=zone).astimezone(UTC)
