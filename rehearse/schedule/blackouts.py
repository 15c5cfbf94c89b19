"""Recurring and imported blackouts as windows. Recurrences are counted in wall time: 18:00 stays 18:00 all year."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rehearse import clock
from rehearse.errors import UsageError
from rehearse.schedule.model import Window


def expand_rrule(rule: str, first_day: str, at: str, zone: ZoneInfo, span: Window) -> tuple[datetime, ...]:
    """The starts, inside a span, of a recurrence (RFC 5545 RRULE) whose first day and clock time are given.

    Raises UsageError when the rule or the first day cannot be read.
    """
    from dateutil.rrule import rrulestr

    try:
        first = datetime.combine(date.fromisoformat(first_day), clock.parse_time(at))
        recurrence = rrulestr(rule, dtstart=first)
    except ValueError as error:
        raise UsageError(f"The recurrence {rule!r} from {first_day!r} cannot be read: {error}.", _HINT) from error
    return tuple(_between(recurrence, zone, span, timedelta()))


_HINT = "Write for example FREQ=MONTHLY;BYMONTHDAY=25 with from: 2026-11-25."


def _between(recurrence: Any, zone: ZoneInfo, span: Window, reach: timedelta) -> Iterator[datetime]:
    """Instants of a recurrence in wall time that may touch a span, when each lasts `reach`."""
    day = timedelta(days=2)
    early = (span.start - reach - day).astimezone(zone).replace(tzinfo=None)
    late = (span.end + day).astimezone(zone).replace(tzinfo=None)
    for naive in recurrence.between(early, late, inc=True):
        yield clock.wall_forward(naive.date(), naive.time(), zone)


def expand_ics(text: str, zone: ZoneInfo, span: Window) -> tuple[tuple[str, Window], ...]:
    """The events of a calendar file that touch a span, as (summary, window); all-day events last whole days of `zone`.

    Raises UsageError when the text is no calendar.
    """
    from icalendar import Calendar

    if not text.strip():
        return ()
    try:
        events = list(Calendar.from_ical(text).walk("VEVENT"))
    except ValueError as error:
        raise UsageError(f"A blackout calendar cannot be read: {error}.", "Export it again as .ics.") from error
    found = [one for event in events for one in _event_windows(event, zone, span)]
    return tuple(sorted((one for one in found if one[1].overlaps(span)), key=lambda one: (one[1].start, one[0])))


def _event_windows(event: Any, zone: ZoneInfo, span: Window) -> Iterator[tuple[str, Window]]:
    name = str(event.get("SUMMARY", "calendar entry"))
    start = event.decoded("DTSTART", None)
    if start is None:
        return
    where = getattr(getattr(start, "tzinfo", None), "key", None)
    zone = clock.zone(where) if where and where != "UTC" else zone
    begin, length = _local(start, zone), _length(event, start, zone)
    rule = event.get("RRULE")
    if rule is None:
        yield name, Window(clock.wall_forward(begin.date(), begin.time(), zone), _end(begin, length, zone))
        return
    from dateutil.rrule import rrulestr

    text = _plain_rule(rule.to_ical().decode(), zone)
    skipped = {_local(one.dt, zone) for one in _excluded(event)}
    for instant in _between(rrulestr(text, dtstart=begin), zone, span, length):
        local = instant.astimezone(zone).replace(tzinfo=None)
        if local not in skipped:
            yield name, Window(instant, _end(local, length, zone))


def _local(value: date, zone: ZoneInfo) -> datetime:
    """A date or instant of the file as naive wall time of a zone."""
    if not isinstance(value, datetime):
        return datetime.combine(value, time())
    return value.astimezone(zone).replace(tzinfo=None) if value.tzinfo else value


def _length(event: Any, start: date, zone: ZoneInfo) -> timedelta:
    if event.get("DURATION") is not None:
        return timedelta(seconds=event.decoded("DURATION").total_seconds())
    end = event.decoded("DTEND", None)
    if end is None:
        return timedelta() if isinstance(start, datetime) else timedelta(days=1)
    return _local(end, zone) - _local(start, zone)


def _end(begin: datetime, length: timedelta, zone: ZoneInfo) -> datetime:
    end = begin + length
    return clock.wall_forward(end.date(), end.time(), zone)


def _excluded(event: Any) -> list[Any]:
    value = event.get("EXDATE")
    groups = value if isinstance(value, list) else [value] if value is not None else []
    return [one for group in groups for one in group.dts]


def _plain_rule(rule: str, zone: ZoneInfo) -> str:
    """An RRULE whose UNTIL is wall time, because the recurrence is counted in wall time."""
    parts = []
    for part in rule.split(";"):
        key, _, value = part.partition("=")
        if key == "UNTIL" and value.endswith("Z"):
            until = datetime.fromisoformat(value).astimezone(zone)
            part = f"UNTIL={until:%Y%m%dT%H%M%S}"
        parts.append(part)
    return ";".join(parts)
