"""A SOQL filter with its relative dates made absolute, so that baseline, diff and proof look at the same rows.

`CreatedDate = LAST_N_DAYS:400` means other rows tomorrow; frozen it says `CreatedDate >= 2025-10-19T00:00:00Z`. A
period that ends *now* is left open at its end, or rows made during the rehearsal would never be seen. Days are read
in UTC and weeks begin on Sunday [unsure: Salesforce reads them in the user's own zone and locale]; the frozen text is
what counts. Fiscal periods depend on settings of the org and are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from rehearse.errors import UsageError
from rehearse.org.model import Schema

_QUOTED = re.compile(r"('(?:[^'\\]|\\.)*')")
_RELATIVE = re.compile(
    r"(?P<field>[A-Za-z][\w.]*)\s*(?P<op>=|!=|<>|<=|>=|<|>)\s*"
    r"(?P<word>YESTERDAY|TODAY|TOMORROW|(?:LAST|THIS|NEXT)_(?:FISCAL_)?(?:WEEK|MONTH|QUARTER|YEAR)|(?:LAST|NEXT)_90_DAYS|"
    r"(?:LAST|NEXT)_N_(?:FISCAL_)?(?:DAYS|WEEKS|MONTHS|QUARTERS|YEARS)|N_(?:FISCAL_)?(?:DAYS|WEEKS|MONTHS|QUARTERS|YEARS)_AGO)"
    r"\b(?::(?P<count>\d+))?",
    re.IGNORECASE,
)
_COMPARED = re.compile(
    r"(?P<field>[A-Za-z][\w.]*)\s*(?:=|!=|<>|<=|>=|<|>|\b(?:not\s+in|in|like|includes|excludes)\b)", re.IGNORECASE
)
_FIXED = frozenset({"Id", "CreatedDate", "CreatedById"})
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}

Period = tuple[date, date | None]
"""The first day and the day after the last; None where the period ends now."""


def freeze_filter(where: str, schema: Schema, now: datetime) -> tuple[str, tuple[str, ...]]:
    """The filter with absolute dates, and the fields in it whose value can change (rows may leave the filter).

    Raises UsageError for a fiscal period.
    """
    pieces = _QUOTED.split(where)
    frozen = "".join(
        piece if at % 2 else _RELATIVE.sub(lambda found: _absolute(found, schema, now), piece)
        for at, piece in enumerate(pieces)
    )
    plain = "".join("''" if at % 2 else piece for at, piece in enumerate(pieces))
    return frozen, tuple(sorted(set(_changeable(plain, schema))))


def period_of(word: str, count: int, today: date) -> Period:
    """The days that a relative date literal means on a day (SOQL reference, date formats and date literals)."""
    tomorrow = today + timedelta(days=1)
    if word in ("TODAY", "YESTERDAY", "TOMORROW"):
        start = today + timedelta(days={"YESTERDAY": -1, "TODAY": 0, "TOMORROW": 1}[word])
        return start, start + timedelta(days=1)
    parts = word.split("_")
    if "DAYS" in parts:
        days = 90 if "90" in parts else count
        if word.endswith("_AGO"):
            return today - timedelta(days=days), today - timedelta(days=days - 1)
        if parts[0] == "LAST":
            return today - timedelta(days=days), None
        return tomorrow, tomorrow + timedelta(days=days)
    unit = next(part for part in parts if part.rstrip("S") in ("WEEK", *_MONTHS)).rstrip("S")
    this = _begin(unit, today)
    if word.endswith("_AGO"):
        return _shift(unit, this, -count), _shift(unit, this, 1 - count)
    if "N" in parts:
        return (
            (_shift(unit, this, -count), this)
            if parts[0] == "LAST"
            else (_shift(unit, this, 1), _shift(unit, this, 1 + count))
        )
    offset = {"LAST": -1, "THIS": 0, "NEXT": 1}[parts[0]]
    return _shift(unit, this, offset), _shift(unit, this, offset + 1)


def _absolute(found: re.Match[str], schema: Schema, now: datetime) -> str:
    word = found["word"].upper()
    if "FISCAL" in word:
        raise UsageError(
            f"The filter of {schema.name} uses {word}, which depends on the fiscal year of the org.",
            "Write absolute dates in scope.records.where.",
        )
    start, end = period_of(word, int(found["count"] or 0), now.astimezone(UTC).date())
    described = schema.field(found["field"])
    plain_date = described is not None and described.type == "date"
    first = _literal(start, plain_date)
    after = None if end is None else _literal(end, plain_date)
    return _compared(found["field"], found["op"], first, after)


def _compared(name: str, op: str, first: str, after: str | None) -> str:
    if op == "=":
        return f"{name} >= {first}" if after is None else f"({name} >= {first} AND {name} < {after})"
    if op in ("!=", "<>"):
        return f"{name} < {first}" if after is None else f"({name} < {first} OR {name} >= {after})"
    if op in (">=", "<"):
        return f"{name} {op} {first}"
    if after is None:
        return f"{name} != null" if op == "<=" else f"({name} = null AND {name} != null)"
    return f"{name} {'>=' if op == '>' else '<'} {after}"


def _literal(day: date, plain_date: bool) -> str:
    return day.isoformat() if plain_date else f"{day.isoformat()}T00:00:00Z"


def _changeable(plain: str, schema: Schema) -> Iterator[str]:
    for found in _COMPARED.finditer(plain):
        name = found["field"]
        described = schema.field(name)
        if name not in _FIXED and (described is None or described.updateable or name.startswith(("Last", "System"))):
            yield name


def _begin(unit: str, day: date) -> date:
    if unit == "WEEK":
        return day - timedelta(days=day.isoweekday() % 7)
    months = _MONTHS[unit]
    return day.replace(month=(day.month - 1) // months * months + 1, day=1)


def _shift(unit: str, start: date, by: int) -> date:
    if unit == "WEEK":
        return start + timedelta(weeks=by)
    months = start.year * 12 + start.month - 1 + by * _MONTHS[unit]
    return date(months // 12, months % 12 + 1, 1)
