"""When a cron expression of scheduled Apex fires next: seconds, minutes, hours, day, month, weekday, and maybe a year.

Seconds and minutes are one number each; the rest may be lists, ranges, steps, `*`, `?` and English names of months and
weekdays (Apex reference, System.schedule). L, W and # are not understood, and are refused with ValueError as anything
else is that is no expression.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from rehearse.practice.json_body import read_whole

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
LOOK_AHEAD = 366 * 5  # days, which sees a 29 February


def next_fire(expression: str, after: datetime) -> datetime | None:
    """The first instant after `after` at which an expression fires; None when it never does. Raises ValueError."""
    parts = expression.split()
    if len(parts) not in (6, 7):
        raise ValueError(f"A schedule has six or seven parts: {expression}")
    if read_whole(parts[0]) is None or read_whole(parts[1]) is None:
        raise ValueError("Seconds and minutes must be specified as integers")
    seconds, minutes = _numbers(parts[0], 0, 59), _numbers(parts[1], 0, 59)
    hours, days = _numbers(parts[2], 0, 23), _numbers(parts[3], 1, 31)
    months = _numbers(parts[4], 1, 12, MONTHS)
    weekdays = _numbers(parts[5], 1, 7, WEEKDAYS)
    years = _numbers(parts[6], 1970, 2199) if len(parts) == 7 else None
    start = after.replace(microsecond=0) + timedelta(seconds=1)
    for ahead in range(LOOK_AHEAD):
        day = (start + timedelta(days=ahead)).date()
        weekday = day.isoweekday() % 7 + 1  # Sunday is 1
        if day.day not in days or day.month not in months or weekday not in weekdays:
            continue
        if years is not None and day.year not in years:
            continue
        for hour in hours:
            for minute in minutes:
                for second in seconds:
                    at = datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=after.tzinfo)
                    if at >= start:
                        return at
    return None


def _numbers(part: str, least: int, most: int, names: list[str] | None = None) -> list[int]:
    """The values that one part of an expression stands for, ascending."""
    found: set[int] = set()
    for one in part.upper().split(","):
        span, _, step = one.partition("/")
        low, _, high = span.partition("-")
        if span in ("*", "?"):
            first, last = least, most
        else:
            first = _number(low, names)
            last = _number(high, names) if high else (most if step else first)
        every = _number(step, None) if step else 1
        if not least <= first <= last <= most or every < 1:
            raise ValueError(f"Unexpected value in a schedule: {part}")
        found.update(range(first, last + 1, every))
    return sorted(found)


def _number(text: str, names: list[str] | None) -> int:
    if names is not None and text in names:
        return names.index(text) + 1
    number = read_whole(text)
    if number is None:
        raise ValueError(f"Unexpected value in a schedule: {text}")
    return number
