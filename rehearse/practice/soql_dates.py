"""Dates in SOQL: what TODAY or LAST_N_DAYS:30 covers, and how instants in a query compare with those in the tables.

Pure functions. Days are those of UTC: the practice org's users are in GMT, an assumption that docs/practice-org.md
names. Weeks begin on Sunday, fiscal periods are those of the calendar.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

DATE_FUNCTIONS = {  # as SQL, with # for the column
    "CALENDAR_YEAR": "CAST(strftime('%Y', #) AS INTEGER)",
    "CALENDAR_MONTH": "CAST(strftime('%m', #) AS INTEGER)",
    "CALENDAR_QUARTER": "((CAST(strftime('%m', #) AS INTEGER) + 2) / 3)",
    "DAY_IN_MONTH": "CAST(strftime('%d', #) AS INTEGER)",
    "DAY_IN_WEEK": "(CAST(strftime('%w', #) AS INTEGER) + 1)",
    "HOUR_IN_DAY": "CAST(strftime('%H', #) AS INTEGER)",
    "DAY_ONLY": "date(#)",
}

Span = tuple[date, date]  # first day, and the day after the last
DAY = timedelta(days=1)


def _add_months(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def _week(day: date, moved: int) -> date:
    return day - timedelta(days=(day.weekday() + 1) % 7) + timedelta(weeks=moved)


def _month(day: date, moved: int) -> date:
    return _add_months(day.replace(day=1), moved)


def _quarter(day: date, moved: int) -> date:
    return _add_months(date(day.year, (day.month - 1) // 3 * 3 + 1, 1), moved * 3)


def _year(day: date, moved: int) -> date:
    return date(day.year + moved, 1, 1)


def _day(day: date, moved: int) -> date:
    return day + timedelta(days=moved)


STARTS: dict[str, Callable[[date, int], date]] = {
    "DAY": _day,
    "WEEK": _week,
    "MONTH": _month,
    "QUARTER": _quarter,
    "FISCAL_QUARTER": _quarter,
    "YEAR": _year,
    "FISCAL_YEAR": _year,
}
NAMED = {"TODAY": 0, "YESTERDAY": -1, "TOMORROW": 1}


def find_span(word: str, count: int, today: date) -> Span | None:
    """The days that a date literal covers on a given day, or None where there is no such literal."""
    try:
        return _span(word, count, today)
    except (ValueError, OverflowError):  # before the year 1, or after 9999
        return None


def _span(word: str, count: int, today: date) -> Span | None:
    if word in NAMED:
        first = _day(today, NAMED[word])
        return first, first + DAY
    if word == "LAST_90_DAYS":
        return _day(today, -90), today + DAY
    if word == "NEXT_90_DAYS":
        return today + DAY, _day(today, 91)
    for unit, start in STARTS.items():
        for name, begins, ends in (
            (f"THIS_{unit}", 0, 1),
            (f"LAST_{unit}", -1, 0),
            (f"NEXT_{unit}", 1, 2),
            (f"LAST_N_{unit}S", -count, 1 if unit == "DAY" else 0),  # the last days include today
            (f"NEXT_N_{unit}S", 1, count + 1),
            (f"N_{unit}S_AGO", -count, -count + 1),
        ):
            if word == name:
                return start(today, begins), start(today, ends)
    return None


def as_instant(text: str) -> str:
    """A datetime of a query as the tables hold it: UTC with milliseconds. Raises ValueError."""
    cleaned = text.upper().replace("Z", "+00:00")
    head, sign, offset = cleaned[:19], cleaned[-6] if cleaned[-3] == ":" else cleaned[-5], ""
    rest = cleaned[19:]
    fraction, _, offset = rest.partition(sign)
    offset = offset.replace(":", "")
    moment = datetime.fromisoformat(f"{head}{fraction[:7]}{sign}{offset[:2]}:{offset[2:4]}").astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def day_start(day: date, kind: str) -> str:
    """The first moment of a day, as a date or a datetime column holds it."""
    return day.isoformat() + ("T00:00:00.000Z" if kind == "datetime" else "")
