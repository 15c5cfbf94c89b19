"""Imported calendars (.ics, RFC 5545) as blackouts: every entry blocks, unless it was cancelled.

Recurrences are counted in the wall time of the entry's own zone, with the dates that the file adds, leaves out, moves
or cancels one by one. What would have to be guessed is refused with the entry's name: a zone that nobody knows, an end
before the start, a broken date, an entry that moves all later ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from rehearse import clock
from rehearse.errors import UsageError
from rehearse.schedule.blackouts import as_instant, build_recurrence, find_between, in_wall_time
from rehearse.schedule.model import Window

_EXPORT = "Mend the entry, or export the calendar again as .ics."
_DATED = ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")


@dataclass(frozen=True)
class _Entry:
    """One VEVENT: wall times are naive, in its `zone`. It lasts `length` of wall time, and `exact` hours after that."""

    uid: str
    name: str
    zone: tzinfo
    start: datetime
    length: timedelta
    exact: timedelta
    event: Any
    cancelled: bool

    def window(self, start: datetime) -> tuple[str, Window]:
        """The time that one occurrence blocks: to an end in wall time, or for exact hours whatever the clocks do."""
        return self.name, Window(as_instant(start, self.zone), as_instant(start + self.length, self.zone) + self.exact)


def expand_ics(text: str, zone: ZoneInfo, span: Window) -> tuple[tuple[str, Window], ...]:
    """The entries of a calendar file that touch a span, as (summary, window); all-day entries last days of `zone`.

    Raises UsageError when the text is no calendar, or an entry cannot be read without guessing.
    """
    if not text.strip():
        raise UsageError("A blackout calendar is empty: perhaps its export failed.", "Export it again as .ics.")
    try:
        events = _parse(text.removeprefix("\ufeff"))
    except ValueError as error:
        said = " ".join(str(error).split())[:120]
        raise UsageError(f"A blackout calendar cannot be read: {said}.", "Export it again as .ics.") from error
    entries = [_read(event, zone) for event in events]
    single = [one for one in entries if one.event.get("RECURRENCE-ID") is not None]
    found: list[tuple[str, Window]] = []
    for one in entries:
        if one.cancelled:
            continue
        if one.event.get("RECURRENCE-ID") is not None:
            found.append(one.window(one.start))
        else:
            found += _expand(one, [other for other in single if other.uid and other.uid == one.uid], span)
    return tuple(sorted({one for one in found if one[1].overlaps(span)}, key=lambda one: (one[1].start, one[0])))


def _parse(text: str) -> list[Any]:
    """The entries of a file, in the zones that this file explains, wherever it does so.

    The library keeps zones by name for the whole process: another file may mean another zone by the same name.
    """
    import warnings

    from icalendar import Calendar
    from icalendar.timezone import tzp

    tzp.use_default()  # forgets the zones of other files
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # /vendor/Europe/Dublin is Europe/Dublin
        calendar = Calendar.from_ical(text)
        if 0 <= text.find("BEGIN:VEVENT") < text.rfind("BEGIN:VTIMEZONE"):
            calendar = Calendar.from_ical(text)  # a zone that was explained after its use is known now
    return list(calendar.walk("VEVENT"))


def _read(event: Any, zone: ZoneInfo) -> _Entry:
    name = str(next(iter(_as_list(event.get("SUMMARY"))), "calendar entry"))
    broken = [said for key, said in event.errors if key in _DATED]
    if broken:
        raise _refuse(name, f"holds a date that cannot be read ({broken[0]})")
    given = event.get("DTSTART")
    if given is None:
        raise _refuse(name, "has no start")
    if str(getattr(event.get("RECURRENCE-ID"), "params", {}).get("RANGE", "")).upper() == "THISANDFUTURE":
        raise _refuse(name, "moves all later ones at once")
    where = _zone_of(given, name, zone)
    start = _local(given.dt, where)
    length, exact = _length(event, start, where)
    if length + exact < timedelta():
        raise _refuse(name, "ends before it starts")
    cancelled = str(event.get("STATUS", "")).upper() == "CANCELLED"
    return _Entry(str(event.get("UID", "")), name, where, start, length, exact, event, cancelled)


def _refuse(name: str, why: str) -> UsageError:
    return UsageError(f"The entry {name[:60]!r} of a blackout calendar {why}.", _EXPORT)


def _zone_of(given: Any, name: str, zone: ZoneInfo) -> tzinfo:
    """The zone that an entry is counted in: its own, or the team's for days and times without a zone."""
    value = given.dt
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.tzinfo
    called = str(getattr(given, "params", {}).get("TZID", ""))
    if not called or not isinstance(value, datetime):
        return zone
    try:
        return clock.zone(called)
    except UsageError as error:
        raise _refuse(name, f"is in the time zone {called[:40]!r}, which the file does not explain") from error


def _local(value: date, zone: tzinfo) -> datetime:
    """A day or an instant of the file as naive wall time of a zone."""
    if not isinstance(value, datetime):
        return datetime.combine(value, time())
    return value.astimezone(zone).replace(tzinfo=None) if value.tzinfo else value


def _length(event: Any, start: datetime, zone: tzinfo) -> tuple[timedelta, timedelta]:
    """How long an entry lasts in wall time, and after that in exact hours (RFC 5545, 3.3.6: PT6H is six hours)."""
    if event.get("DURATION") is not None:
        return _split(event.decoded("DURATION"))
    if event.get("DTEND") is None:
        return timedelta(days=0 if isinstance(event["DTSTART"].dt, datetime) else 1), timedelta()
    length = _local(event["DTEND"].dt, zone) - start
    is_day = not isinstance(event["DTSTART"].dt, datetime)
    # a day that ends on itself, as some programs write it
    return timedelta(days=1) if is_day and not length else length, timedelta()


def _split(duration: timedelta) -> tuple[timedelta, timedelta]:
    """Whole days, which follow the clocks, and the hours after them, which do not."""
    return timedelta(days=duration.days), timedelta(seconds=duration.seconds)


def _expand(entry: _Entry, moved: Sequence[_Entry], span: Window) -> Iterator[tuple[str, Window]]:
    """The occurrences of an entry, without those that others replace."""
    from dateutil.rrule import rruleset

    added = list(_dates(entry.event, "RDATE"))
    if entry.event.get("RRULE") is None and not added:
        yield entry.window(entry.start)
        return
    gone = [*_dates(entry.event, "EXDATE"), *(one.event["RECURRENCE-ID"].dt for one in moved)]
    left_out = {_local(one, entry.zone) for one in gone}
    left_out |= {datetime.combine(one, entry.start.time()) for one in gone if not isinstance(one, datetime)}
    dates, whole_days = rruleset(), not isinstance(entry.event["DTSTART"].dt, datetime)
    dates.rdate(entry.start)
    for rule in _as_list(entry.event.get("RRULE")):
        try:
            plain = in_wall_time(rule.to_ical().decode(), entry.zone, whole_days=whole_days)
            dates.rrule(build_recurrence(plain, entry.start))
        except ValueError as error:
            raise _refuse(entry.name, f"recurs in a way that cannot be read ({error})") from error
    for one in added:
        if isinstance(one, tuple):
            start, end = _local(one[0], entry.zone), one[1]
            if start not in left_out:
                lasts = _split(end) if isinstance(end, timedelta) else (_local(end, entry.zone) - start, timedelta())
                yield replace(entry, length=lasts[0], exact=lasts[1]).window(start)
        else:
            dates.rdate(_local(one, entry.zone))
    for naive in find_between(dates, entry.zone, span, entry.length + entry.exact):
        if naive not in left_out:
            yield entry.window(naive)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _dates(event: Any, key: str) -> Iterable[Any]:
    return [one.dt for group in _as_list(event.get(key)) for one in group.dts]
