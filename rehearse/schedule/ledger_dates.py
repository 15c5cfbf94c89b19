"""Dates as people type them into sheets: read without guessing. Pure.

`03/04/2026` is read only when another date of the same column, or the user, says which number is the day. A text that
is no date is an error that quotes it; nothing is ever filled in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Literal
from zoneinfo import ZoneInfo

from rehearse import clock
from rehearse.errors import UsageError

Order = Literal["dmy", "mdy", ""]
Cell = str | int | float | bool | date | time | timedelta | None

_NOTHING = frozenset({"", "-", "--", "n/a", "na", "none", "never", "tbc", "tbd", "?", "x"})
_NUMBERS = re.compile(
    r"(\d{4}(?=[-/.]\d{1,2}[-/.]\d{1,2}\b)|\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{1,2})(?:[ T,]+(.*))?\Z"
)
_WORDS = re.compile(
    r"(?:(?P<d1>\d{1,2})(?:st|nd|rd|th)?[ \-./]+(?P<m1>[A-Za-z]{3,9})\.?"
    r"|(?P<m2>[A-Za-z]{3,9})\.?[ \-]+(?P<d2>\d{1,2})(?:st|nd|rd|th)?)"
    r",?[ \-./]+(?P<y>\d{2,4})(?:[ ,T]+(?P<t>.*))?\Z"
)
_TIME = re.compile(
    r"(\d{1,2})(?:[:.h](\d{2})(?::\d{2})?\s*([ap]m\b)?|\s*([ap]m\b))"
    r"\s*(?:(Z|UTC|GMT)?([+-]\d{1,2}(?::?\d{2})?)?|([A-Z]\w+/[\w/+-]+))\Z",
    re.IGNORECASE,
)
_WRITE = "Write it as 2026-11-23 08:30."
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EPOCH = date(1899, 12, 30)
"""Day 0 of serial dates in sheets (with the leap-year mistake of 1900 counted in, right from March 1900 on)."""


@dataclass(frozen=True)
class Moment:
    """A date of a sheet as it stands there: wall time, or a whole day (`at` None), or an instant with its offset."""

    day: date
    at: time | None = None
    instant: datetime | None = None

    def start(self, zone: ZoneInfo) -> datetime:
        """The instant; a whole day is its first minute. Raises UsageError for a wall time that does not exist."""
        return self.instant or (clock.wall_forward(self.day, time(0), zone) if self.at is None else self._wall(zone))

    def end(self, zone: ZoneInfo) -> datetime:
        """The instant; a whole day is its end."""
        if self.instant is None and self.at is None:
            return clock.wall_forward(self.day + timedelta(days=1), time(0), zone)
        return self.start(zone)

    def _wall(self, zone: ZoneInfo) -> datetime:
        assert self.at is not None
        return clock.wall(self.day, self.at, zone)


def is_nothing(cell: Cell) -> bool:
    """Whether a cell says that there is no date."""
    return cell is None or (isinstance(cell, str) and cell.strip().casefold() in _NOTHING)


def find_order(cells: Iterable[Cell]) -> Order:
    """Which number is the day in a column of `3/4/2026`, where one of its dates shows it. Raises UsageError for a
    column that shows both."""
    found: set[Order] = set()
    for cell in cells:
        match = _NUMBERS.match(cell.strip()) if isinstance(cell, str) else None
        if match and match[2] != "." and len(match[1]) < 3:
            first, second = int(match[1]), int(match[3])
            found |= {"dmy"} if first > 12 else {"mdy"} if second > 12 else set()
    if len(found) > 1:
        raise UsageError("Some of its dates begin with the day and some with the month.", "Write them as 2026-04-03.")
    return found.pop() if found else ""


def read_moment(cell: Cell, order: Order = "") -> Moment | None:
    """The date in a cell, None for an empty one. Raises UsageError, which quotes a text that is no date."""
    if is_nothing(cell):
        return None
    if isinstance(cell, datetime):
        return _within(_from_datetime(cell))
    if isinstance(cell, date):
        return _within(Moment(cell))
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        if 20_000 < cell < 80_000:
            return _from_serial(float(cell))
        raise UsageError(f"{cell} is not a date.", _WRITE)
    if not isinstance(cell, str):
        what = "a time without a day" if isinstance(cell, time) else "not a date"
        raise UsageError(f"{str(cell).upper()} is {what}.", _WRITE)
    return _within(_from_text(" ".join(cell.split()), order))


def _within(found: Moment) -> Moment:
    """Years that a sheet of sandboxes can mean; the rest are slips, or stand for `never`."""
    if not 1999 <= found.day.year <= 2199:
        raise UsageError(f"{found.day} is no date of a sandbox.", _WRITE)
    return found


def _from_datetime(given: datetime) -> Moment:
    if given.tzinfo is not None:
        return Moment(given.date(), instant=given.astimezone())
    return Moment(given.date(), None if given.time() == time(0) else given.time().replace(second=0, microsecond=0))


def _from_serial(number: float) -> Moment:
    """Days since the end of 1899, as sheets count; the fraction is the time of day."""
    minutes = round(number % 1 * 1440)
    day = _EPOCH + timedelta(days=int(number) + minutes // 1440)
    return Moment(day, time(minutes % 1440 // 60, minutes % 60) if minutes % 1440 else None)


def _from_text(text: str, order: Order) -> Moment:
    if re.match(r"\d{4}-\d\d-\d\d", text):
        try:
            given = datetime.fromisoformat(text)
            if given.tzinfo is not None:
                return Moment(given.date(), instant=clock.from_iso(text))
            return Moment(given.date(), None if len(text) == 10 else given.time())
        except ValueError:
            pass
    if match := _NUMBERS.match(text):
        return _from_numbers(text, match, order)
    if match := _WORDS.match(text):
        month = (match["m1"] or match["m2"])[:3].casefold()
        if month in _MONTHS:
            numbers = (int(match["y"]), _MONTHS.index(month) + 1, int(match["d1"] or match["d2"]))
            return _build(text, numbers, match["t"])
    raise UsageError(f"{text[:40]!r} is not a date.", _WRITE)


def _from_numbers(text: str, match: re.Match[str], order: Order) -> Moment:
    first, second, third = int(match[1]), int(match[3]), int(match[4])
    if len(match[1]) == 4:
        return _build(text, (first, second, third), match[5])
    if len(match[4]) == 1:
        raise UsageError(f"{text[:40]!r} is not a date.", _WRITE)
    if match[2] == ".":
        order = "dmy"
    if not order and first <= 12 and second <= 12 and first != second:
        raise UsageError(
            f"{text!r} can be the {first}. of month {second} or the {second}. of month {first}.",
            "Say which with --dates dmy or --dates mdy.",
        )
    day, month = (second, first) if order == "mdy" or (not order and second > 12) else (first, second)
    return _build(text, (third, month, day), match[5])


def _build(text: str, numbers: tuple[int, int, int], at: str | None) -> Moment:
    year, month, day = numbers
    year += 2000 if year < 100 else 0
    try:
        found = date(year, month, day)
    except ValueError:
        raise UsageError(f"{text[:40]!r} is a date that does not exist.", _WRITE) from None
    if not at:
        return Moment(found)
    clocked = _TIME.match(at.strip())
    if not clocked:
        raise UsageError(
            f"{text[:40]!r} ends in something that is no time, or in a zone that may mean several.",
            "Write it as 2026-11-23 08:30, with an offset (+01:00) or a name such as Europe/Paris where zones differ.",
        )
    hour, minute, half = int(clocked[1]), int(clocked[2] or 0), (clocked[3] or clocked[4] or "").lower()
    hour = hour % 12 + 12 if half == "pm" else hour % 12 if half == "am" else hour
    if hour > 23 or minute > 59:
        raise UsageError(f"{text[:40]!r} has a time that does not exist.", _WRITE)
    return _place(text, found, time(hour, minute), clocked)


def _place(text: str, day: date, at: time, clocked: re.Match[str]) -> Moment:
    """A wall time, or the instant that its offset or the name of its zone makes of it."""
    if clocked[7]:
        return Moment(day, instant=clock.wall(day, at, clock.zone(clocked[7])))
    if not (clocked[5] or clocked[6]):
        return Moment(day, at)
    sign, digits = (clocked[6] or "+0")[0], (clocked[6] or "+0")[1:].replace(":", "")
    hours, minutes = (int(digits), 0) if len(digits) < 3 else (int(digits[:-2]), int(digits[-2:]))
    if hours > 14 or minutes > 59:
        raise UsageError(f"{text[:40]!r} has an offset that does not exist.", _WRITE)
    ahead = timedelta(hours=hours, minutes=minutes) * (-1 if sign == "-" else 1)
    return Moment(day, instant=datetime.combine(day, at, timezone(ahead)).astimezone(UTC))
